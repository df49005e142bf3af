"""One attempt at one target: opened until its first content or whole answer, then relayed to its end.

    open()    None when there is something to relay, else the Failure; the caller has seen nothing yet
    relay()   None when the caller got all of it, else the Failure that broke it off
    close()   lets go of the provider, at once

Three kinds: a whole answer over HTTP (here), a stream over HTTP (`streamed`), and a stand-in that answers from memory
(`stand_in`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from understudy.config.secrets import CredentialUnavailable
from understudy.core.action import Start
from understudy.core.failure import Failure, FailureKind
from understudy.core.money import cost_nusd
from understudy.core.outcome import Billing, Outcome
from understudy.core.projection import Names, own_names
from understudy.core.request import Operation
from understudy.core.track import Hold
from understudy.core.usage import Usage
from understudy.core.value import value
from understudy.dialects import BadAnswer, Dialect
from understudy.engine.crossing import CROSSINGS, of_counting
from understudy.ports import HeaderMap, HttpRequest, TransportFailure
from understudy.transport.classify import classify

if TYPE_CHECKING:
    from understudy.engine.perform import Performance
    from understudy.engine.snapshot import Upstream

_YES = Billing.YES  # a member looked up on its class costs ten times as much, and every request asks
JSON = (b"content-type", b"application/json")


ABANDONED = (FailureKind.LOST_RACE, FailureKind.CLIENT_LEFT, FailureKind.DRAINING)
"""Nobody waits for the answer any more, and it may be paid for all the same."""

NAMES_MAX = 100
NAME_CHARS_MAX = 200
"""Of the names of what a request lost, and of one of them, that are kept: a caller may have invented megabytes of them."""


@value
class Prepared:
    """A request written for one target.

    `dropped`: what it lost on the way into that target's wire format. `names`: what the caller calls the tools that had to be
    named otherwise there.
    """

    dialect: str
    body: bytes
    dropped: tuple[str, ...]
    names: Names | None = None


class Attempt(ABC):
    """What all attempts have in common: who, when, and what is known of it so far.

    `start`: what the walk settled for it. `handle`, `hold`: its name in the walk's replies and its place at the target, given to it
    by the performance that begins it.
    """

    handle: int
    hold: Hold

    cached = False
    estimates = True  # whether what a provider did not count is estimated
    first_content_s: float | None = None
    committed = False
    sent = False
    status: int | None = None
    usage: Usage | None = None
    pieces = 0  # of content seen: what usage is estimated from when the provider sends none
    provider_id: str | None = None

    def __init__(self, show: Performance, start: Start, started_s: float, dropped: tuple[str, ...] = ()) -> None:
        self.show = show
        self.start = start
        self.entry = start.entry
        self.started_s = started_s
        self.dropped = dropped

    @abstractmethod
    async def open(self) -> Failure | None:
        """Ask, until there is something to relay."""

    @abstractmethod
    async def relay(self, until_s: float) -> Failure | None:
        """Give the caller all of it. `until_s`: the request's deadline."""

    def close(self) -> None:  # noqa: B027  most have nothing to let go of
        """Let go of the provider."""

    def outcome(self, failure: Failure | None, now_s: float) -> Outcome:
        """What came of it."""
        start, target, usage = self.start, self.entry.target, self.usage
        seen = self.committed or (self.sent and failure is not None and failure.kind in ABANDONED)
        if usage is None and seen and self.estimates and not target.stand_in:
            usage = Usage(input=self.show.needs.tokens_in, output=self.pieces, estimated=True)
        elif failure is not None and usage is not None and usage.completion < self.pieces:
            # broken off: a count that came with the beginning (Anthropic's message_start says 1) is not of what was written
            usage = replace(usage, output=usage.output + self.pieces - usage.completion, estimated=True)
        return Outcome(  # in the order of its fields: every request makes one
            start.number,
            target.name,
            start.tier,
            start.purpose,
            self.started_s,
            now_s,
            failure,
            self.first_content_s,
            self.committed,
            self.show.needs.stream,
            self.status,
            usage,
            self.billing(failure),
            None if usage is None else cost_nusd(usage, target.price),
            self.dropped and tuple([name[:NAME_CHARS_MAX] for name in self.dropped[:NAMES_MAX]]),
            self.provider_id,
            self.show.needs.operation,
        )

    def billing(self, failure: Failure | None) -> Billing:
        """Whether the provider will charge for it."""
        if self.entry.target.stand_in:
            return Billing.NO
        if failure is None or self.usage is not None:
            return _YES
        refused = self.status is not None and self.status >= 400
        return Billing.AMBIGUOUS if self.sent and not refused else Billing.NO


class HttpAttempt(Attempt):
    """An attempt at a provider that is reached over HTTP."""

    def __init__(self, show: Performance, start: Start, started_s: float, prepared: Prepared) -> None:
        super().__init__(show, start, started_s, prepared.dropped)
        self.prepared = prepared
        self.dialect: Dialect = show.snapshot.dialects[prepared.dialect]  # type: ignore[assignment]  # see Performance

    def request(self, upstream: Upstream) -> HttpRequest:
        """What is sent, once the upstream's key is fresh."""
        show, prepared = self.show, self.prepared
        where, headers = upstream.way(prepared.dialect, show.call.headers)
        path = where.stream_path if show.needs.stream else where.path
        if upstream.signer is not None:
            headers += upstream.signed(where, path, headers, prepared.body, show.engine.wall_s())
        return HttpRequest("POST", where.origin, path, headers, prepared.body)

    @property
    def upstream(self) -> Upstream:
        """Where it goes, and how the key is shown there."""
        return self.show.snapshot.upstreams[self.entry.target.name]

    @property
    def translated(self) -> bool:
        """Whether the caller speaks another wire format."""
        return self.dialect is not self.show.dialect

    def heard(self, body: bytes) -> Any:
        """A whole answer in its operation's intermediate form; tools in it have the names that the caller knows. Raises `BadAnswer`."""
        told = self.dialect.parse_answer(body)
        return own_names(told, self.prepared.names) if self.prepared.names else told

    def refused(self, status: int, headers: HeaderMap, body: bytes) -> Failure:
        """The Failure that an error answer amounts to."""
        now_unix_s = self.show.engine.wall_s()
        failure = classify(status, headers, body, now_unix_s=now_unix_s)
        if failure is None:
            return Failure(FailureKind.MALFORMED, f"unexpected status {status}", status=status)
        if failure.kind is FailureKind.AUTH:
            self.upstream.doubt(headers, now_unix_s)
        return of_counting(failure) if self.show.needs.operation is Operation.COUNT else failure

    def failed(self, kind: FailureKind, message: str) -> Failure:
        """A Failure of an answer that had begun."""
        return Failure(kind, message, status=self.status)

    def broken(self, trouble: TransportFailure) -> Failure:
        """The Failure below the provider's API."""
        self.sent = trouble.sent
        return Failure(trouble.kind, trouble.message, status=self.status)


def without_key(trouble: CredentialUnavailable) -> Failure:
    """The Failure of a target whose key cannot be read."""
    return Failure(FailureKind.CREDENTIAL_UNAVAILABLE, str(trouble))


class WholeAttempt(HttpAttempt):
    """One answer, all at once."""

    _body: bytes
    _headers: HeaderMap

    async def open(self) -> Failure | None:
        """Ask, and read all of the answer."""
        show, upstream = self.show, self.upstream
        timeouts = show.plan.policy.timeouts
        until_s, latest_s = self.start.until_s, self.started_s + timeouts.answer_s
        if latest_s < until_s:
            until_s = latest_s
        try:
            if self.started_s >= upstream.fresh_until_s:
                await upstream.renew(self.started_s)
            request = self.request(upstream)
            self.sent = True  # as far as anybody knows who breaks it off
            answer = await show.engine.client.send(request, connect_s=timeouts.connect_s, until_s=until_s)
        except TransportFailure as trouble:
            return self.broken(trouble)
        except CredentialUnavailable as trouble:
            return without_key(trouble)
        self.status = status = answer.status
        if not 200 <= status < 300:
            return self.refused(status, answer.headers, answer.body)
        self._headers = answer.headers
        try:
            return self._read(answer.body)
        except BadAnswer as trouble:
            return self.failed(FailureKind.MALFORMED, str(trouble))

    def _read(self, body: bytes) -> Failure | None:
        glance = self.dialect.glance(body)
        self.usage = glance.usage
        if glance.failure is not None:
            return glance.failure
        if self.translated:
            show = self.show
            answer, missed = CROSSINGS[show.needs.operation].fit(self.heard(body), show, self.entry.target)
            self.dropped += missed
            body = show.dialect.render_answer(answer)
        self._body = body
        self.first_content_s = self.show.engine.now_s()
        return None

    async def relay(self, until_s: float) -> Failure | None:  # noqa: ARG002  it is all here
        """Give it."""
        self.committed = True
        show, body = self.show, self._body
        show.sink.respond(200, show.headers(self, self._headers, JSON), body)
        show.keep(body)
        return None

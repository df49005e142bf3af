"""What will happen to one attempt, as a value; and how faults, one after another, make it worse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from math import inf
from typing import Protocol, runtime_checkable

from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.policy import Timeouts
from understudy.core.value import keyword_value, value
from understudy.faults._problems import PROBLEMS
from understudy.faults._scene import Scene


class Connect(StrEnum):
    """How connecting goes."""

    OK = "ok"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    DNS_FAILED = "dns_failed"
    TLS_FAILED = "tls_failed"


class Reply(StrEnum):
    """What comes back for a request."""

    ANSWER = "answer"  # 200 and content
    ERROR = "error"  # an API error: `trouble`
    NOT_HTTP = "not_http"  # bytes of some other protocol
    RESET = "reset"  # the connection is reset instead
    SILENCE = "silence"  # nothing, for ever


class Content(StrEnum):
    """What a 200 holds."""

    TEXT = "text"
    EMPTY = "empty"  # a proper answer in which nothing is said
    BROKEN_JSON = "broken_json"
    WRONG_SHAPE = "wrong_shape"  # JSON that is no answer
    HTML = "html"  # somebody else's page
    MISTYPED = "mistyped"  # an answer of the right shape, with numbers where words belong
    FOREIGN = "foreign"  # a proper answer, of another provider's API
    MISCOUNTED = "miscounted"  # a proper answer, whose figures of usage cannot be
    GIANT = "giant"  # an answer without end: `giant_bytes` of it


SAYS_SOMETHING = frozenset({Content.TEXT, Content.MISCOUNTED})
"""What a caller can make use of."""


class Packing(StrEnum):
    """How a giant answer travels."""

    PLAIN = "plain"  # nobody says how long it is
    ANNOUNCED = "announced"  # a whole answer says so in its headers
    GZIP = "gzip"  # a few kilobytes that unpack to it


class Ending(StrEnum):
    """How a 200 ends."""

    COMPLETE = "complete"
    CUT = "cut"  # the connection closes within the body
    RESET = "reset"  # the connection is reset within the body
    UNFINISHED = "unfinished"  # properly closed, but without finish reason and end mark; a whole answer: half its JSON
    STALL = "stall"  # nothing more comes and nothing is closed
    ERROR_EVENT = "error_event"  # the stream's last event is an error; a whole answer: an error body under status 200


@value
class Trouble:
    """An API error. `problem`: its name in `PROBLEMS`. `retry_after_s`: the hint, spelled as `hint` of `HINTS` says."""

    problem: str
    retry_after_s: float | None = None
    hint: str = "retry_after"


@keyword_value
class Timeline:
    """What a caller with given timeouts sees. Seconds from the start of the attempt; `inf` for what never comes.

    `headers_s`: status and headers are here. `content_s`: the first content is here. `ended_s`: it is over. `chunks`:
    pieces of content that came. `failure`: what it ended in, None for a proper answer.
    """

    headers_s: float
    content_s: float
    ended_s: float
    chunks: int
    failure: FailureKind | None


@keyword_value
class Plan:
    """What will happen to one attempt; without arguments: an immediate, proper answer.

    `connect_s`: until connected (or not). `headers_s`: from connected to headers. `first_content_s`: from headers to the first
    content. `chunk_s`: from one piece of content to the next. A whole answer takes the same time before its headers, unless it
    drips. `drip_bytes`: the body comes in pieces of at most that size, `chunk_s` apart; 0: it does not. `ending_after`: pieces of
    content before an ending other than COMPLETE. `dies_at_s`: when the connection breaks, whatever is going on, from the start.
    `hushed_at_s`: from when on nothing arrives any more, though nothing is closed. `skew_s`: how far the provider's clock is ahead.
    `giant_bytes`, `packing`: size and wrapping of giant content.
    """

    stream: bool = False
    chunks: int = 16
    connect: Connect = Connect.OK
    connect_s: float = 0.0
    reply: Reply = Reply.ANSWER
    trouble: Trouble | None = None
    headers_s: float = 0.0
    first_content_s: float = 0.0
    chunk_s: float = 0.0
    drip_bytes: int = 0
    content: Content = Content.TEXT
    ending: Ending = Ending.COMPLETE
    ending_after: int = 0
    ending_trouble: Trouble | None = None
    dies_at_s: float = inf
    hushed_at_s: float = inf
    skew_s: float = 0.0
    giant_bytes: int = 0
    packing: Packing = Packing.PLAIN

    # What a fault may do. The first to spoil a phase decides it.

    def cannot_connect(self, connect: Connect) -> Plan:
        """No connection comes about."""
        return replace(self, connect=connect) if self.connect is Connect.OK else self

    def replies(self, reply: Reply, trouble: Trouble | None = None) -> Plan:
        """Something else than an answer comes back."""
        return replace(self, reply=reply, trouble=trouble) if self.reply is Reply.ANSWER else self

    def fails_with(self, trouble: Trouble) -> Plan:
        """An API error comes back."""
        return self.replies(Reply.ERROR, trouble)

    def holds(self, content: Content) -> Plan:
        """The 200 holds something else than text."""
        return replace(self, content=content) if self.content is Content.TEXT else self

    def swells(self, giant_bytes: int, packing: Packing) -> Plan:
        """The 200 is a giant."""
        if self.content is not Content.TEXT:
            return self
        return replace(self, content=Content.GIANT, giant_bytes=giant_bytes, packing=packing)

    def ends(self, ending: Ending, after: int, trouble: Trouble | None = None) -> Plan:
        """The 200 ends badly, after so many pieces of content (at most all there are)."""
        if self.ending is not Ending.COMPLETE:
            return self
        return replace(self, ending=ending, ending_after=min(after, self.chunks), ending_trouble=trouble)

    def dies(self, at_s: float) -> Plan:
        """The connection breaks at this time, seconds from the start, if it still stands."""
        return replace(self, dies_at_s=min(at_s, self.dies_at_s))

    def hushed(self, at_s: float) -> Plan:
        """Nothing arrives any more from this time on, seconds from the start; nothing is closed either."""
        return replace(self, hushed_at_s=min(at_s, self.hushed_at_s))

    def skewed(self, skew_s: float) -> Plan:
        """The provider's clock is ahead by that much more."""
        return replace(self, skew_s=self.skew_s + skew_s)

    def slower(
        self, *, connect_s: float = 0.0, headers_s: float = 0.0, first_content_s: float = 0.0, chunk_s: float = 0.0
    ) -> Plan:
        """Each phase takes that much longer."""
        return replace(
            self,
            connect_s=self.connect_s + connect_s,
            headers_s=self.headers_s + headers_s,
            first_content_s=self.first_content_s + first_content_s,
            chunk_s=self.chunk_s + chunk_s,
        )

    # What comes of it

    @property
    def pieces(self) -> int:
        """Pieces of content that are sent."""
        if self.content not in SAYS_SOMETHING:
            return 0
        return self.chunks if self.ending is Ending.COMPLETE else self.ending_after

    @property
    def breaks(self) -> bool:
        """Whether its ending shows: content that is none has an end of its own."""
        return self.ending is not Ending.COMPLETE and self.content in SAYS_SOMETHING

    def piece_at_s(self, number: int) -> float:
        """When the piece of content of this number (from 1) is sent, seconds from the start."""
        return self.connect_s + self.headers_s + self.first_content_s + (number - 1) * self.chunk_s

    def timeline(self, timeouts: Timeouts) -> Timeline:
        """What a caller with these timeouts sees of it."""
        seen = self._stream_seen(timeouts) if self.stream else self._whole_seen(timeouts)
        broken_s = min(self.dies_at_s, self.hushed_at_s)
        if seen.ended_s < broken_s or broken_s == inf:
            return seen
        if self.hushed_at_s <= self.dies_at_s:  # nobody hears of the death
            return self._hushed_seen(seen, timeouts)
        came = seen.headers_s < self.dies_at_s
        kind = FailureKind.TRUNCATED if came else FailureKind.CONNECTION_LOST
        sent = range(1, seen.chunks + 1) if self.stream else ()  # a whole answer is here entirely or not at all
        chunks = sum(self.piece_at_s(number) < self.dies_at_s for number in sent)
        return Timeline(
            headers_s=seen.headers_s if came else inf,
            content_s=seen.content_s if chunks else inf,
            ended_s=self.dies_at_s,
            chunks=chunks,
            failure=kind,
        )

    def _hushed_seen(self, seen: Timeline, timeouts: Timeouts) -> Timeline:
        """What would have come later never comes: the caller's own timeouts end it. `seen`: without the hush."""
        if self.connect_s >= self.hushed_at_s:
            return _nothing(timeouts.connect_s, FailureKind.CONNECT_TIMEOUT)
        if not self.stream:
            return _nothing(timeouts.answer_s, FailureKind.ANSWER_TIMEOUT)
        if seen.headers_s >= self.hushed_at_s:
            return _nothing(timeouts.headers_s, FailureKind.HEADERS_TIMEOUT)
        chunks = sum(self.piece_at_s(number) < self.hushed_at_s for number in range(1, seen.chunks + 1))
        if not chunks:
            return _after_headers(seen.headers_s, timeouts.first_content_s, FailureKind.FIRST_CONTENT_TIMEOUT)
        return Timeline(
            headers_s=seen.headers_s,
            content_s=seen.content_s,
            ended_s=self.piece_at_s(chunks) + timeouts.idle_s,
            chunks=chunks,
            failure=FailureKind.IDLE_TIMEOUT,
        )

    def _before_content(self, timeouts: Timeouts, bound_s: float, bound: FailureKind) -> Timeline | None:
        """How it ends before any content, if it does. `bound_s`: when the caller gives up on headers, and as `bound`."""
        if self.connect is Connect.TIMEOUT or self.connect_s > timeouts.connect_s:
            return _nothing(timeouts.connect_s, FailureKind.CONNECT_TIMEOUT)
        if self.connect is not Connect.OK:
            return _nothing(self.connect_s, _CONNECT_FAILURES[self.connect])
        headers_at_s = self.connect_s + self.headers_s
        if self.reply is Reply.SILENCE or headers_at_s > bound_s:
            return _nothing(bound_s, bound)
        if self.reply is Reply.RESET:
            return _nothing(headers_at_s, FailureKind.CONNECTION_LOST)
        if self.reply is Reply.NOT_HTTP:
            return _nothing(headers_at_s, FailureKind.MALFORMED)
        if self.reply is Reply.ERROR:
            return Timeline(
                headers_s=headers_at_s, content_s=inf, ended_s=headers_at_s, chunks=0, failure=_kind(self.trouble)
            )
        return None

    def _stream_seen(self, timeouts: Timeouts) -> Timeline:
        early = self._before_content(timeouts, timeouts.headers_s, FailureKind.HEADERS_TIMEOUT)
        if early is not None:
            return early
        headers_at_s = self.connect_s + self.headers_s
        pieces = self.pieces
        stalls = self.ending is Ending.STALL and self.breaks
        if self.piece_at_s(1) > timeouts.first_content_s or (stalls and not pieces):
            return _after_headers(headers_at_s, timeouts.first_content_s, FailureKind.FIRST_CONTENT_TIMEOUT)
        if not pieces:
            return _after_headers(headers_at_s, self.piece_at_s(1), self._ends_in())
        content_s = self.piece_at_s(1)
        if self.chunk_s > timeouts.idle_s and (pieces > 1 or stalls):
            pieces, stalls = 1, True
        return Timeline(
            headers_s=headers_at_s,
            content_s=content_s,
            ended_s=self.piece_at_s(pieces) + (timeouts.idle_s if stalls else 0.0),
            chunks=pieces,
            failure=FailureKind.IDLE_TIMEOUT if stalls else self._ends_in(),
        )

    def _whole_seen(self, timeouts: Timeouts) -> Timeline:
        early = self._before_content(timeouts, timeouts.answer_s, FailureKind.ANSWER_TIMEOUT)
        if early is not None:
            return early
        ended_s = self.piece_at_s(max(self.pieces, 1))
        if ended_s > timeouts.answer_s or (self.ending is Ending.STALL and self.breaks):
            return _nothing(timeouts.answer_s, FailureKind.ANSWER_TIMEOUT)
        failure = self._ends_in()
        if failure is not None:
            return _after_headers(ended_s, ended_s, failure)
        return Timeline(headers_s=ended_s, content_s=ended_s, ended_s=ended_s, chunks=self.chunks, failure=None)

    def _ends_in(self) -> FailureKind | None:
        """The failure that a 200 which does not stall ends in."""
        if self.content not in SAYS_SOMETHING:
            return _CONTENT_FAILURES.get(self.content, FailureKind.MALFORMED)
        if self.ending is Ending.ERROR_EVENT:
            return _kind(self.ending_trouble)
        if self.ending is Ending.UNFINISHED and not self.stream:
            return FailureKind.MALFORMED
        return None if self.ending is Ending.COMPLETE else FailureKind.TRUNCATED


_CONNECT_FAILURES = {
    Connect.REFUSED: FailureKind.CONNECTION_REFUSED,
    Connect.DNS_FAILED: FailureKind.DNS_FAILED,
    Connect.TLS_FAILED: FailureKind.TLS_FAILED,
}

_CONTENT_FAILURES = {Content.EMPTY: FailureKind.EMPTY, Content.GIANT: FailureKind.ANSWER_TOO_LARGE}
"""What content amounts to that is not simply malformed. A giant is meant to exceed every caller's bound."""


def _kind(trouble: Trouble | None) -> FailureKind:
    assert trouble is not None  # ERROR and ERROR_EVENT come with one
    return PROBLEMS[trouble.problem].kind


def _nothing(ended_s: float, failure: FailureKind) -> Timeline:
    return Timeline(headers_s=inf, content_s=inf, ended_s=ended_s, chunks=0, failure=failure)


def _after_headers(headers_s: float, ended_s: float, failure: FailureKind | None) -> Timeline:
    return Timeline(headers_s=headers_s, content_s=inf, ended_s=ended_s, chunks=0, failure=failure)


@runtime_checkable
class Fault(Protocol):
    """One thing that goes wrong. Pure: the same plan, scene and dice give the same plan."""

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """The plan with this fault in it; the very same plan where the fault does not strike."""
        ...

    def risk(self, scene: Scene, until_s: float) -> float:
        """The share of attempts running from `scene.now_s` to `until_s` (schedule's clock) that it makes fail, at worst.

        0 when it certainly does no harm, 1 when it certainly does. Slowness is no risk: compare a timeline with a deadline.
        """
        ...


def plan_attempt(scene: Scene, faults: Iterable[Fault], dice: Dice) -> Plan:
    """What will happen to an attempt under these faults. Each has dice of its own: adding one changes no other's luck."""
    return plan_among(scene, enumerate(faults), dice)


def plan_among(scene: Scene, faults: Iterable[tuple[int, Fault]], dice: Dice) -> Plan:
    """As `plan_attempt`, under some of the faults of a schedule, with their numbers in it: the others must leave the scene alone."""
    plan = Plan(stream=scene.stream, chunks=max(scene.chunks, 1))
    for number, fault in faults:
        plan = fault.shape(plan, scene, dice.fork(number))
    return plan


def risk(scene: Scene, faults: Iterable[Fault], until_s: float) -> float:
    """The share of attempts from `scene.now_s` to `until_s` that fail under these faults, at worst."""
    survives = 1.0
    for fault in faults:
        survives *= 1.0 - fault.risk(scene, until_s)
        if survives == 0.0:
            break
    return 1.0 - survives


def up(scene: Scene, faults: Iterable[Fault], lasting_s: float) -> bool:
    """The truth about a provider: whether an attempt that begins now and takes `lasting_s` certainly succeeds."""
    return risk(scene, faults, scene.now_s + lasting_s) == 0.0

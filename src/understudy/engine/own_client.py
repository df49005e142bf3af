"""A walk whose attempts are the caller's own: their client is called, target by target, until one call returns.

Breakers, limits, deadline, order of trying and Outcomes are those of every other request; only what an attempt does is theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from understudy.config.secrets import CredentialUnavailable
from understudy.core.action import Start
from understudy.core.candidate import Entry
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind
from understudy.core.plan import RoutePlan
from understudy.core.request import Call
from understudy.core.value import keyword_value
from understudy.engine.attempt import Attempt, without_key
from understudy.engine.perform import Performance
from understudy.engine.router import Engine
from understudy.engine.snapshot import Snapshot
from understudy.ports import Sink
from understudy.transport.classify import classify


@keyword_value
class OwnTarget:
    """Whom to ask with a client of one's own. `key`: the secret itself, "" where the target has none."""

    name: str
    provider: str
    model: str
    base_url: str
    key: str

    def __repr__(self) -> str:
        return f"OwnTarget(name={self.name!r}, provider={self.provider!r}, model={self.model!r})"


Ask = Callable[[OwnTarget], Awaitable[Any]]
Classify = Callable[[BaseException], Failure | None]
"""The failure that an exception means; None for a fault of the caller's own program, which is raised as it is."""


class OwnPerformance(Performance):
    """One request, performed by the caller's own client. `value`: what it returned. `error`: a fault that is not a target's."""

    def __init__(
        self,
        engine: Engine,
        snapshot: Snapshot,
        plan: RoutePlan,
        call: Call,
        decision: Decision,
        sink: Sink,
        *,
        ask: Ask,
        judge: Classify,
    ) -> None:
        super().__init__(engine, snapshot, plan, call, decision, sink)
        self.ask = ask
        self.judge = judge
        self.value: Any = None
        self.error: Exception | None = None

    def _prepare(self, entry: Entry, now_s: float) -> FailureKind | None:  # noqa: ARG002
        """A stand-in has nothing that a client could be pointed at."""
        return FailureKind.NOT_PORTABLE if entry.target.stand_in else None

    def _attempt(self, start: Start, now_s: float) -> Attempt:
        return OwnAttempt(self, start, now_s)


class OwnAttempt(Attempt):
    """One call of the caller's client."""

    show: OwnPerformance
    value: Any = None
    estimates = False  # nobody here saw what was asked or answered

    async def open(self) -> Failure | None:
        """Call it, within the time that an answer may take."""
        show = self.show
        until_s = min(self.start.until_s, self.started_s + show.plan.policy.timeouts.answer_s)
        self.sent = True
        try:
            target = await self._target()
            async with asyncio.timeout_at(until_s):
                asked = show.ask(target)
                if not isawaitable(asked):
                    raise TypeError("`call` is to be an async function; a plain one is for SyncRouter.run")
                self.value = await asked
        except CredentialUnavailable as trouble:
            self.sent = False
            return without_key(trouble)
        except Exception as error:  # noqa: BLE001  judged: a target's failure, or the caller's own fault
            return self._judged(error)
        self.first_content_s = show.engine.now_s()
        return None

    async def _target(self) -> OwnTarget:
        target = self.entry.target
        upstream = self.show.snapshot.upstreams[target.name]
        if self.started_s >= upstream.fresh_until_s:
            await upstream.renew(self.started_s)
        return OwnTarget(
            name=target.name,
            provider=target.provider,
            model=target.model,
            base_url=target.base_url,
            key=upstream.secret,
        )

    def _judged(self, error: Exception) -> Failure:
        failure = self.show.judge(error)
        if failure is None:
            self.show.error = error
            return Failure(FailureKind.INTERNAL, f"{type(error).__name__} in the caller's own program")
        self.status = failure.status
        return failure

    async def relay(self, until_s: float) -> Failure | None:  # noqa: ARG002  the caller has it
        """The value is the answer."""
        self.committed = True
        self.show.value = self.value
        return None


def classify_exception(error: BaseException, *, now_unix_s: float) -> Failure | None:
    """What an exception of a provider's SDK or an HTTP library means, read off the attributes that they share.

    openai, anthropic, httpx, requests, aiohttp: `status_code` or `status`, on the exception or on its `response`, whose
    headers hold the retry hints; timeouts and lost connections by class, the standard library's or by name. None: nothing
    of the kind, so it is the caller's own fault.
    """
    response = getattr(error, "response", None)
    status = next((found for one in (error, response) if (found := _status(one)) is not None), None)
    if status is not None:
        return classify(status, _headers(response), _body(error, response), now_unix_s=now_unix_s)
    names = [kind.__name__ for kind in type(error).__mro__]
    if isinstance(error, TimeoutError) or any("Timeout" in name for name in names):
        return Failure(FailureKind.ANSWER_TIMEOUT, _words(error))
    if isinstance(error, OSError) or any("Connect" in name or name == "TransportError" for name in names):
        return Failure(FailureKind.CONNECTION_LOST, _words(error))
    return None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _status(holder: object) -> int | None:
    found = getattr(holder, "status_code", None) or getattr(holder, "status", None)
    return found if isinstance(found, int) and 300 <= found <= 599 else None


def _headers(response: object) -> dict[bytes, bytes]:
    found = getattr(response, "headers", None)
    if not isinstance(found, Mapping):
        return {}
    return {str(name).lower().encode(): str(text).encode("utf-8", "replace") for name, text in found.items()}


def _body(error: BaseException, response: object) -> bytes:
    """The provider's words: what the response holds, if it was read, else the exception's own message."""
    content = getattr(response, "_content", None)  # where httpx and requests keep what was read; `content` may raise
    return content if isinstance(content, bytes) and content else str(error).encode("utf-8", "replace")

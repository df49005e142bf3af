"""An answer from memory: a player's (`static`, `simulated`), or one that the route gave before (`stale_cache`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain
from math import inf
from typing import TYPE_CHECKING

from understudy.core.action import Start
from understudy.core.answer import Answer, Failed, StreamEvent, UsageSeen
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome
from understudy.core.policy import Timeouts
from understudy.core.projection import Unsaid
from understudy.dialects import CONTENT, END
from understudy.engine.attempt import JSON, Attempt
from understudy.engine.crossing import fitted, missed
from understudy.engine.streamed import streamed_as
from understudy.engine.streaming import meaning, named_event
from understudy.providers import Reply

if TYPE_CHECKING:
    from understudy.engine.perform import Performance


class StandInAttempt(Attempt):
    """Performs a `Reply`: waits where it says so, then tells it whole or event by event."""

    def __init__(
        self, show: Performance, start: Start, started_s: float, reply: Reply, script: Script, *, cached: bool
    ) -> None:
        super().__init__(show, start, started_s)
        self._reply = reply
        self._script = script
        self._told: list[tuple[float, StreamEvent]] = []
        self._whole: Answer | None = None
        self._unsaid: Unsaid | None = None
        self.cached = cached

    async def open(self) -> Failure | None:
        """Wait as long as it takes to begin."""
        failure = await (self._begin() if self.show.needs.stream else self._all())
        if failure is None:
            self.first_content_s = self.show.engine.now_s()
        return failure

    async def _all(self) -> Failure | None:
        after_s, said = self._reply.whole()
        late = FailureKind.ANSWER_TIMEOUT
        if not await self._wait(after_s, self._patience_until_s(late)):
            return self._too_late(late)
        if isinstance(said, Failure):
            return said
        self._whole, self.usage = said, said.usage
        return None

    async def _begin(self) -> Failure | None:
        late = FailureKind.FIRST_CONTENT_TIMEOUT
        until_s = self._patience_until_s(late)
        for after_s, event in self._script:
            if not await self._wait(after_s, until_s):
                return self._too_late(late)
            if isinstance(event, Failed):
                return event.failure
            self._told.append((after_s, event))
            if meaning(event) & (CONTENT | END):
                return None
        return Failure(FailureKind.TRUNCATED, "its stream was cut before any content")

    async def relay(self, until_s: float) -> Failure | None:
        """Give it in the caller's wire format."""
        show = self.show
        self.committed = True
        if self._whole is not None:
            projected, names = fitted(self._whole, show, self.entry.target)
            self.dropped += names
            show.sink.respond(200, show.headers(self, {}, JSON), show.dialect.render_answer(projected))
            return None
        show.sink.start(200, show.headers(self, {}, *streamed_as(self.show.dialect)))
        return await self._tell(until_s)

    async def _tell(self, until_s: float) -> Failure | None:
        show = self.show
        encoder = show.dialect.encoder(model=show.needs.model, include_usage=show.needs.include_usage)
        created = int(show.engine.wall_s())
        self._unsaid = Unsaid(show.dialect.answer_carries)
        idle_s, last_s = show.plan.policy.timeouts.idle_s, show.engine.now_s()
        for after_s, event in chain(self._told, self._script):
            idle_until_s = last_s + idle_s
            if not await self._wait(after_s, min(until_s, idle_until_s), bound_s=until_s):
                if idle_until_s < until_s:
                    return Failure(FailureKind.IDLE_TIMEOUT, f"nothing for {idle_s:g} s")
                return Failure(FailureKind.DEADLINE, "the deadline passed while the answer was streaming")
            last_s = show.engine.now_s()
            if isinstance(event, Failed):
                return event.failure
            if isinstance(event, UsageSeen):
                self.usage = event.usage
            self._unsaid.see(event)
            out = encoder.encode(named_event(event, created, show.decision.id))
            if out:
                await show.sink.write(out)
            if meaning(event) & END:
                show.sink.finish()
                return None
        return Failure(FailureKind.TRUNCATED, "its stream was cut")

    def outcome(self, failure: Failure | None, now_s: float) -> Outcome:
        """What came of it, and what its stream lost in the caller's wire format."""
        if self._unsaid is not None:
            self.dropped += missed(self._unsaid.report())
        return super().outcome(failure, now_s)

    def _patience_until_s(self, late: FailureKind) -> float:
        """Until when nothing at all is waited for. `late`: what a wait that was too long is called."""
        return self.started_s + PATIENCE_S[self._never(late)](self.show.plan.policy.timeouts)

    def _too_late(self, late: FailureKind) -> Failure:
        return Failure(self._never(late), "it said nothing in time")

    def _never(self, late: FailureKind) -> FailureKind:
        """What is waited for in vain, where the player says that nothing will ever come."""
        failure = self._reply.failure
        waits = failure is not None and self._reply.headers_s == inf and failure.kind in PATIENCE_S
        return failure.kind if failure is not None and waits else late

    async def _wait(self, after_s: float, until_s: float, *, bound_s: float | None = None) -> bool:
        """Until `after_s` after the start; False when that is later than allowed."""
        until_s = min(until_s, self.start.until_s if bound_s is None else bound_s)
        at_s = self.started_s + after_s
        now_s = self.show.engine.now_s()
        if at_s > now_s:
            await asyncio.sleep(max(0.0, min(at_s, until_s) - now_s))
        return at_s <= until_s


PATIENCE_S: dict[FailureKind, Callable[[Timeouts], float]] = {
    FailureKind.CONNECT_TIMEOUT: lambda timeouts: timeouts.connect_s,
    FailureKind.HEADERS_TIMEOUT: lambda timeouts: timeouts.headers_s,
    FailureKind.FIRST_CONTENT_TIMEOUT: lambda timeouts: timeouts.first_content_s,
    FailureKind.ANSWER_TIMEOUT: lambda timeouts: timeouts.answer_s,
}
"""How long is waited, by what a wait in vain is called."""

Script = Iterator[tuple[float, StreamEvent]]
"""The events of a stream, each with its seconds from the start of the attempt."""

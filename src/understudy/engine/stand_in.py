"""An answer from memory: a player's (`static`, `simulated`), or one that the route gave before (`stale_cache`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from understudy.core.answer import Answer, Failed, StreamEvent
from understudy.core.failure import Failure, FailureKind
from understudy.core.projection import project_answer
from understudy.dialects import CONTENT, END
from understudy.engine.attempt import JSON, Attempt, Place
from understudy.engine.crossing import named
from understudy.engine.streamed import streamed_as
from understudy.engine.streaming import meaning, named_event
from understudy.providers import Reply

if TYPE_CHECKING:
    from understudy.engine.perform import Performance


class StandInAttempt(Attempt):
    """Performs a `Reply`: waits where it says so, then tells it whole or event by event."""

    def __init__(self, show: Performance, place: Place, reply: Reply, script: Script, *, cached: bool) -> None:
        super().__init__(show, place)
        self._reply = reply
        self._script = script
        self._told: list[tuple[float, StreamEvent]] = []
        self._whole: Answer | None = None
        self.cached = cached

    async def open(self) -> Failure | None:
        """Wait as long as it takes to begin."""
        failure = await (self._begin() if self.show.needs.stream else self._all())
        if failure is None:
            self.first_content_s = self.show.engine.now_s()
        return failure

    async def _all(self) -> Failure | None:
        after_s, said = self._reply.whole()
        if not await self._wait(after_s, self.place.started_s + self.show.plan.policy.timeouts.answer_s):
            return Failure(FailureKind.ANSWER_TIMEOUT, "it did not answer in time")
        if isinstance(said, Failure):
            return said
        self._whole, self.usage = said, said.usage
        return None

    async def _begin(self) -> Failure | None:
        until_s = self.place.started_s + self.show.plan.policy.timeouts.first_content_s
        for after_s, event in self._script:
            if not await self._wait(after_s, until_s):
                return Failure(FailureKind.FIRST_CONTENT_TIMEOUT, "it said nothing in time")
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
        headers = show.headers(self, {})
        if self._whole is not None:
            answer = named(self._whole, show, self.entry.target)
            projected, _ = project_answer(answer, show.dialect.answer_carries)
            headers.append(JSON)
            show.sink.respond(200, headers, show.dialect.render_answer(projected))
            return None
        headers += streamed_as(self.show.dialect)
        show.sink.start(200, headers)
        return await self._tell(until_s)

    async def _tell(self, until_s: float) -> Failure | None:
        show = self.show
        encoder = show.dialect.encoder(model=show.needs.model, include_usage=show.needs.include_usage)
        created = int(show.engine.wall_s())
        for after_s, event in chain(self._told, self._script):
            if not await self._wait(after_s, until_s, bound_s=until_s):
                return Failure(FailureKind.DEADLINE, "the deadline passed while the answer was streaming")
            if isinstance(event, Failed):
                return event.failure
            out = encoder.encode(named_event(event, created, show.decision.id))
            if out:
                await show.sink.write(out)
            if meaning(event) & END:
                show.sink.finish()
                return None
        return Failure(FailureKind.TRUNCATED, "its stream was cut")

    async def _wait(self, after_s: float, until_s: float, *, bound_s: float | None = None) -> bool:
        """Until `after_s` after the start; False when that is later than allowed."""
        until_s = min(until_s, self.place.until_s if bound_s is None else bound_s)
        at_s = self.place.started_s + after_s
        now_s = self.show.engine.now_s()
        if at_s > now_s:
            await asyncio.sleep(max(0.0, min(at_s, until_s) - now_s))
        return at_s <= until_s


Script = Iterator[tuple[float, StreamEvent]]
"""The events of a stream, each with its seconds from the start of the attempt."""

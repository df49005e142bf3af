"""Looks after targets whose breaker is open, so that their recovery is seen before somebody's request must try it.

Who is due is `core.health.probing`'s word. Of several workers one looks after each target, and what it sees reaches the others
as any change of a breaker does.
"""

from __future__ import annotations

import asyncio
from zlib import crc32

from understudy.config.probing import ways_of
from understudy.core.dice import Dice, label_of
from understudy.core.event import TargetProbed
from understudy.core.failure import Failure, FailureKind
from understudy.core.health.probing import TOKENS, Probes
from understudy.core.money import cost_nusd
from understudy.core.outcome import Billing, Outcome, Purpose
from understudy.core.target import Probe, Target
from understudy.core.track import Hold
from understudy.engine.router import Engine
from understudy.engine.small_question import Told, ask, look
from understudy.engine.snapshot import Upstream
from understudy.ports import HttpClient

TICK_S = 1.0
"""Between two looks at who is due."""

ANSWER_S = 15.0
"""How long a probe may take."""


class Prober:
    """Probes one engine's targets, on its event loop. `index`, `workers`: which part of them is this one's."""

    __slots__ = ("_client", "_engine", "_open", "_task", "probes")

    def __init__(self, engine: Engine, client: HttpClient, *, index: int = 0, workers: int = 1) -> None:
        configuration = engine.snapshot.configuration
        mine = {
            name: way
            for name, way in ways_of(configuration.health, configuration.targets).items()
            if crc32(name.encode()) % workers == index
        }
        self.probes = Probes(engine.board, configuration.health, mine, Dice(engine.seed).fork(label_of("probes")))
        self._engine = engine
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self._open: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin, where there is anybody to look after."""
        if self.probes.ways:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Probe no more; what is under way is broken off and booked."""
        tasks = [*self._open, *((self._task,) if self._task is not None else ())]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.look()

    def look(self) -> None:
        """Begin what is due."""
        engine = self._engine
        for name in self.probes.due(engine.now_s()):
            task = asyncio.create_task(self._probe(name, self.probes.ways[name]))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _probe(self, name: str, way: Probe) -> None:
        engine = self._engine
        upstream = engine.snapshot.upstreams[name]
        began_s = engine.now_s()
        hold = engine.board.hold(engine.board.slot(name), TOKENS if way is Probe.REQUEST else 0, began_s)
        told = Told(_BROKEN_OFF, sent=True)
        try:
            told = await self._asked(upstream, way, began_s)
        finally:
            self._book(upstream.target, way, hold, told, began_s)

    async def _asked(self, upstream: Upstream, way: Probe, now_s: float) -> Told:
        until_s, wall_s = now_s + ANSWER_S, self._engine.wall_s
        if way is Probe.MODELS:
            return await look(self._client, upstream, now_s=now_s, until_s=until_s, wall_s=wall_s)
        if not upstream.target.model:
            return Told(Failure(FailureKind.NOT_READY, "its server has not told its models yet"))
        dialects = self._engine.snapshot.dialects
        return await ask(self._client, upstream, dialects, now_s=now_s, until_s=until_s, wall_s=wall_s)

    def _book(self, target: Target, way: Probe, hold: Hold, told: Told, began_s: float) -> None:
        engine, now_s, failure = self._engine, self._engine.now_s(), told.failure
        whole = way is Probe.REQUEST
        outcome = Outcome(
            number=1,
            target=target.name,
            tier="",
            purpose=Purpose.PROBE,
            started_s=began_s,
            ended_s=now_s,
            failure=failure,
            first_content_s=now_s if failure is None else None,
            status=told.status,
            usage=told.usage,
            billing=_billing(told) if whole else Billing.NO,
            cost_nusd=None if told.usage is None else cost_nusd(told.usage, target.price),
        )
        engine.board.probed(hold, outcome, now_s, whole=whole)
        self.probes.ended(target.name, now_s)
        engine.events.emit(TargetProbed(outcome, way))


_BROKEN_OFF = Failure(FailureKind.DRAINING, "the server is shutting down")


def _billing(told: Told) -> Billing:
    """Whether a small request will be charged for."""
    if told.failure is None or told.usage is not None:
        return Billing.YES
    refused = told.status is not None and told.status >= 400
    return Billing.AMBIGUOUS if told.sent and not refused else Billing.NO

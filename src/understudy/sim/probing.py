"""Active probes in virtual time: the core says who is due, the world how it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from understudy.core.dice import Dice
from understudy.core.event import TargetProbed
from understudy.core.health.probing import TOKENS, Health, Probes
from understudy.core.outcome import Billing, Outcome, Purpose
from understudy.core.policy import Timeouts
from understudy.core.request import Needs
from understudy.core.target import Probe, Target
from understudy.core.track import Hold
from understudy.core.usage import Usage
from understudy.faults import Plan
from understudy.sim.watch import WatchedBoard
from understudy.sim.world import UNSENT, World, failure_of

TICK_S = 1.0
"""Between two looks at who is due."""

TIMEOUTS = Timeouts(connect_s=2.0, headers_s=15.0, first_content_s=15.0, idle_s=15.0, answer_s=15.0)
"""As the engine's prober has them."""

At = Callable[[float, Callable[[], None]], None]


class Prober:
    """Probes the targets of one simulation. `at`: puts something on its agenda. `count`: probes so far, `good`: those with an answer, `out`: those under way."""

    def __init__(  # noqa: PLR0917  what a simulation is made of
        self,
        board: WatchedBoard,
        world: World,
        at: At,
        targets: Mapping[str, Target],
        health: Health,
        ways: Mapping[str, Probe],
        dice: Dice,
    ) -> None:
        self.probes = Probes(board, health, ways, dice)
        self.count = self.good = self.out = 0
        self.told: list[TargetProbed] = []
        self._board = board
        self._world = world
        self._at = at
        self._targets = targets

    def look(self, now_s: float) -> None:
        """Begin what is due."""
        for name in self.probes.due(now_s):
            self._begin(self._targets[name], self.probes.ways[name], now_s)

    def _begin(self, target: Target, way: Probe, now_s: float) -> None:
        whole = way is Probe.REQUEST
        tokens = TOKENS if whole else 0
        hold = self._board.hold(self._board.slot(target.name), tokens, now_s)
        assert self._board.last is not None
        self._board.last.probe = True
        if whole:
            plan, _ = self._world.meet(target, Needs(model=target.model, tokens_in=tokens), now_s, 1)
        else:
            plan = self._world.lists(target, now_s)
        self.out += 1
        ended_s = now_s + plan.timeline(TIMEOUTS).ended_s
        self._at(ended_s, lambda: self._ended(target, way, hold, plan, (now_s, ended_s)))

    def _ended(self, target: Target, way: Probe, hold: Hold, plan: Plan, times: tuple[float, float]) -> None:
        began_s, now_s = times
        self.out -= 1
        failure = failure_of(plan, plan.timeline(TIMEOUTS), now_s)
        whole, good = way is Probe.REQUEST, failure is None
        sent = good or (failure is not None and failure.kind not in UNSENT and (failure.status or 0) < 400)
        outcome = Outcome(
            number=1,
            target=target.name,
            tier="",
            purpose=Purpose.PROBE,
            started_s=began_s,
            ended_s=now_s,
            failure=failure,
            first_content_s=now_s if good else None,
            status=200 if failure is None else failure.status,
            usage=Usage(input=hold.tokens, output=1) if whole and good else None,
            billing=Billing.NO if not whole or not sent else Billing.YES if good else Billing.AMBIGUOUS,
        )
        self._board.probed(hold, outcome, now_s, whole=whole)
        self.probes.ended(target.name, now_s)
        self.count += 1
        self.good += good
        self.told.append(TargetProbed(outcome, way))

"""The provider dies slowly: each minute it is slower and fails more often, until it is down.

Nothing about it ever changes at once, so nothing that waits for a change notices: a memory leak, a disk that fills, a pool that
drains. The hardest of the ways to go.
"""

from __future__ import annotations

from math import inf

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import CONNECTION_BREAKS, Down, Spell, down, require_positive, until_next


@keyword_value
class SlowDeath(Spell):
    """`dies_in_s`: from `from_s` until it is down. `how`: how it is down from then on, until `to_s`.

    `headers_s`: what answers take longer in the last moment before. `problem`: the error of attempts that fail on the way. Both
    delay and share of errors grow with the square of the time.
    """

    dies_in_s: float = 120.0
    headers_s: float = 20.0
    problem: str = "server_error"
    how: Down = "refused"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(dies_in_s=self.dies_in_s)
        check_problem(self.problem)
        if self.headers_s < 0:
            raise ValueError("`headers_s` must not be negative")

    def decay(self, scene: Scene) -> float:
        """How far gone it is, 0 (well) to 1 (down)."""
        if not self.active(scene):
            return 0.0
        return min(1.0, (scene.now_s - self.from_s) / self.dies_in_s) ** 2

    def falls_in_s(self, scene: Scene) -> float:
        """Seconds until it goes down; inf when it will not, or has already."""
        falls_at_s = self.from_s + self.dies_in_s
        return falls_at_s - scene.now_s if self.concerns(scene) and scene.now_s < falls_at_s < self.to_s else inf

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Slower and slower, failing more and more often, then down."""
        if not dice.chance(self.share):
            return plan
        decay = self.decay(scene)
        if decay == 1.0:
            return down(plan, self.how)
        plan = until_next(plan, self.how, self.falls_in_s(scene))
        if decay == 0.0:
            return plan
        plan = plan.slower(headers_s=self.headers_s * decay)
        return plan.fails_with(Trouble(self.problem)) if dice.chance(decay) else plan

    def risk(self, scene: Scene, until_s: float) -> float:
        """As far gone as it is when the attempt begins; certain for what its fall breaks."""
        broken = self.how in CONNECTION_BREAKS and scene.now_s + self.falls_in_s(scene) <= until_s
        return self.share if broken else self.share * self.decay(scene)


FAULT = SlowDeath

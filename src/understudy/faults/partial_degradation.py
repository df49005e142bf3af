"""The provider limps: everything takes longer, and a share of the attempts fails."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class PartialDegradation(Spell):
    """`share`: the share of attempts that fail. `problem`: the error that they get.

    `headers_s`, `chunk_s`: what every attempt takes longer until its headers, and between two pieces of content.
    """

    share: float = 0.3
    problem: str = "server_error"
    headers_s: float = 0.5
    chunk_s: float = 0.05

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        check_problem(self.problem)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """All are slower, some fail."""
        if not self.active(scene):
            return plan
        plan = plan.slower(headers_s=self.headers_s, chunk_s=self.chunk_s)
        return plan.fails_with(Trouble(self.problem)) if dice.chance(self.share) else plan


FAULT = PartialDegradation

"""The account's quota or credit is used up: nothing more passes until somebody pays, and no hint says when that will be."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class QuotaExhaustion(Spell):
    """`requests`, `tokens`: what passes from `from_s` on until it is used up; None: as much as comes. `to_s`: when somebody pays.

    `problem`: the error from then on.
    """

    requests: int | None = 0
    tokens: int | None = None
    problem: str = "insufficient_quota"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        check_problem(self.problem)

    def exhausted(self, scene: Scene) -> bool:
        """Whether nothing more passes."""
        requests, tokens = scene.arrivals.since(self.from_s)
        over_requests = self.requests is not None and requests >= self.requests
        return over_requests or (self.tokens is not None and tokens + scene.tokens > self.tokens)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """An error without a hint for everything beyond the quota."""
        if not self.strikes(scene, dice) or not self.exhausted(scene):
            return plan
        return plan.fails_with(Trouble(self.problem))

    def risk(self, scene: Scene, until_s: float) -> float:
        """Certain for an attempt that begins when it is used up."""
        del until_s
        return self.share if self.active(scene) and self.exhausted(scene) else 0.0


FAULT = QuotaExhaustion

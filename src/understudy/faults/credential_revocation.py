"""The key is revoked: more and more of the provider's machines hear of it and refuse it, until a new one is in use."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class CredentialRevocation(Spell):
    """`from_s`: when it is revoked. `spreads_s`: until every machine has heard of it. `to_s`: when a new key is in use.

    `problem`: how they say it: `auth`, `permission` or `expired_token`.
    """

    spreads_s: float = 0.0
    problem: str = "auth"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        check_problem(self.problem)
        if self.spreads_s < 0:
            raise ValueError("`spreads_s` must not be negative")

    def heard(self, scene: Scene) -> float:
        """The share of machines that refuse the key, 0 to 1."""
        if not self.active(scene):
            return 0.0
        return min(1.0, (scene.now_s - self.from_s) / self.spreads_s) if self.spreads_s else 1.0

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Refused by those that have heard of it."""
        struck = dice.chance(self.share * self.heard(scene))
        return plan.fails_with(Trouble(self.problem)) if struck else plan

    def risk(self, scene: Scene, until_s: float) -> float:
        """The share of those that have heard of it."""
        del until_s
        return self.share * self.heard(scene)


FAULT = CredentialRevocation

"""The provider's clock is wrong: every date that it writes is off, and beyond a tolerance it takes good credentials for expired ones.

Waits that are spelled as dates (`retry-after` as an HTTP date, resets as points in time) come out longer or shorter by the skew for whoever
does not look at its `date`; those in seconds do not. AWS signatures and JWTs are refused from five minutes on.
"""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class ClockSkew(Spell):
    """`skew_s`: how far the clock is ahead; negative: behind. `tolerance_s`: beyond it credentials are refused.

    `share`: of the provider's machines whose clock is wrong.
    """

    skew_s: float = 90.0
    tolerance_s: float = 300.0

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(tolerance_s=self.tolerance_s)

    @property
    def refuses(self) -> bool:
        """Whether it is far enough off to refuse good credentials."""
        return abs(self.skew_s) > self.tolerance_s

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Every date is off; far off, the credential is held to be expired."""
        if not self.strikes(scene, dice):
            return plan
        plan = plan.skewed(self.skew_s)
        return plan.fails_with(Trouble("expired_token")) if self.refuses else plan

    def risk(self, scene: Scene, until_s: float) -> float:
        """A misleading date does no harm to an attempt that gets its answer."""
        return Spell.risk(self, scene, until_s) if self.refuses else 0.0


FAULT = ClockSkew

"""The provider lies: answers of status 200 and good JSON that are not what they claim to be.

What can be seen to be wrong is a failure like any other; figures of usage that cannot be are an answer all the same, whose usage
nobody must believe. (That the words themselves are wrong nobody can see.) See L. Lamport, R. Shostak and M. Pease, "The Byzantine
Generals Problem", 1982.
"""

from __future__ import annotations

from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Content, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell

LIES = ("mistyped", "foreign", "miscounted")


@keyword_value
class ByzantineAnswers(Spell):
    """`how`: *mistyped*: numbers where words belong; *foreign*: an answer of another provider's API; *miscounted*: impossible usage.

    "any": each time one of them.
    """

    how: Literal["any", "mistyped", "foreign", "miscounted"] = "any"

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """A 200 that lies."""
        if not self.strikes(scene, dice):
            return plan
        return plan.holds(Content(dice.pick(LIES) if self.how == "any" else self.how))

    def risk(self, scene: Scene, until_s: float) -> float:
        """Certain for those lies that make an answer useless."""
        useless = {"any": 2 / 3, "miscounted": 0.0}.get(self.how, 1.0)
        return useless * Spell.risk(self, scene, until_s)


FAULT = ByzantineAnswers

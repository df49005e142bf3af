"""Answers without end: whoever reads them into memory runs out of it.

A whole answer is one giant JSON text, a stream one giant event. Every caller is meant to have a bound, and to hang up there.
"""

from __future__ import annotations

from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Packing, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive

MIB = 1024 * 1024


@keyword_value
class GiantAnswers(Spell):
    """`mib`: their size, mebibytes: more than any caller is willing to hold. `packing`: *announced*: a whole answer tells its length.

    *plain*: nobody says how long it is; *gzip*: a thousandth of it travels, and unpacks to it.
    """

    mib: float = 256.0
    packing: Literal["plain", "announced", "gzip"] = "plain"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(mib=self.mib)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """So many bytes instead of an answer."""
        return plan.swells(int(self.mib * MIB), Packing(self.packing)) if self.strikes(scene, dice) else plan


FAULT = GiantAnswers

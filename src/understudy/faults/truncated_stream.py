"""The answer is cut short: closed, reset, or ended properly with its last part missing."""

from __future__ import annotations

from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Ending, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class TruncatedStream(Spell):
    """`after_chunks`: pieces of content before the cut, None: anywhere. `how`: closed, reset, or only without its end mark."""

    after_chunks: int | None = None
    how: Literal["cut", "reset", "unfinished"] = "cut"

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """So many pieces, then the cut."""
        if not self.strikes(scene, dice):
            return plan
        after = dice.below(plan.chunks + 1) if self.after_chunks is None else self.after_chunks
        return plan.ends(Ending(self.how), after)


FAULT = TruncatedStream

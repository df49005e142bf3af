"""The answer stops in its middle: nothing more comes, and the connection stays open."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Ending, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class StalledStream(Spell):
    """`after_chunks`: pieces of content before it stops, None: anywhere."""

    after_chunks: int | None = None

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """So many pieces, then nothing."""
        if not self.strikes(scene, dice):
            return plan
        after = dice.below(plan.chunks + 1) if self.after_chunks is None else self.after_chunks
        return plan.ends(Ending.STALL, after)


FAULT = StalledStream

"""The answer comes a few bytes at a time, with a pause after each."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class SlowTrickle(Spell):
    """`bytes`: how many at a time. `pause_s`: the pause after each piece; in virtual time, after each piece of content."""

    bytes: int = 8
    pause_s: float = 0.05

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(bytes=self.bytes, pause_s=self.pause_s)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Slower between pieces, and the pieces small."""
        if not self.strikes(scene, dice):
            return plan
        return replace(plan.slower(chunk_s=self.pause_s), drip_bytes=self.bytes)

    def risk(self, scene: Scene, until_s: float) -> float:
        """None: slow is not down."""
        del scene, until_s
        return 0.0


FAULT = SlowTrickle

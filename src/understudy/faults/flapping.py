"""The provider comes and goes: up for a while, down for a while, and again."""

from __future__ import annotations

from math import inf

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import CONNECTION_BREAKS, Down, Spell, down, require_positive, until_next


@keyword_value
class Flapping(Spell):
    """`up_s`, `down_s`: how long it is up, then down; it begins with up. `how`: how it is down."""

    up_s: float = 20.0
    down_s: float = 10.0
    how: Down = "unavailable"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(up_s=self.up_s, down_s=self.down_s)

    def falls_in_s(self, scene: Scene) -> float:
        """Seconds until it next goes down, 0 while it is down, inf when it will not."""
        if not self.concerns(scene) or scene.now_s >= self.to_s:
            return inf
        if scene.now_s < self.from_s:
            falls_in_s = self.from_s + self.up_s - scene.now_s
        else:
            falls_in_s = max(0.0, self.up_s - (scene.now_s - self.from_s) % (self.up_s + self.down_s))
        return falls_in_s if scene.now_s + falls_in_s < self.to_s else inf

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Down in the down times, cut short when one begins."""
        if not dice.chance(self.share):
            return plan
        falls_in_s = self.falls_in_s(scene)
        return down(plan, self.how) if falls_in_s == 0.0 else until_next(plan, self.how, falls_in_s)

    def risk(self, scene: Scene, until_s: float) -> float:
        """Struck is what begins in a down time, or loses its connection when one begins."""
        falls_in_s = self.falls_in_s(scene)
        broken = self.how in CONNECTION_BREAKS and scene.now_s + falls_in_s <= until_s
        return self.share if falls_in_s == 0.0 or broken else 0.0


FAULT = Flapping

"""An outage that spreads: each of a list of providers goes down some time after the one before it.

The usual story behind it: the first provider fails, its traffic falls on the next one, and that gives way too.
"""

from __future__ import annotations

from math import inf

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import CONNECTION_BREAKS, Down, down, require_positive, until_next


@keyword_value
class CascadingOutage:
    """`spreads`: targets or providers in the order of their fall. `from_s`: when the first one falls, seconds on the schedule's clock.

    `step_s`: from one fall to the next. `lasts_s`: how long each is down. `how`: how they are down.
    """

    spreads: tuple[str, ...]
    from_s: float = 0.0
    step_s: float = 30.0
    lasts_s: float = 120.0
    how: Down = "refused"

    def __post_init__(self) -> None:
        require_positive(lasts_s=self.lasts_s)
        if self.step_s < 0:
            raise ValueError(f"`step_s` ({self.step_s}) must not be negative")

    def falls_at_s(self, scene: Scene) -> float:
        """When the one that this attempt goes to falls; inf: never."""
        for place, name in enumerate(self.spreads):
            if name in {scene.target, scene.provider}:
                return self.from_s + place * self.step_s
        return inf

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Down from its own fall on, for as long as it lasts; cut short by it."""
        del dice
        falls_at_s = self.falls_at_s(scene)
        if falls_at_s <= scene.now_s < falls_at_s + self.lasts_s:
            return down(plan, self.how)
        return until_next(plan, self.how, falls_at_s - scene.now_s if scene.now_s < falls_at_s else inf)

    def risk(self, scene: Scene, until_s: float) -> float:
        """Certain while it is down, and for what its fall breaks."""
        falls_at_s = self.falls_at_s(scene)
        broken = self.how in CONNECTION_BREAKS and scene.now_s < falls_at_s <= until_s
        return 1.0 if broken or falls_at_s <= scene.now_s < falls_at_s + self.lasts_s else 0.0


FAULT = CascadingOutage

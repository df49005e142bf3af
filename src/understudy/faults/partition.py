"""The network between us and the provider is cut: packets vanish, and nobody is told.

Connecting takes for ever, and what stands is as good as dead: not closed, not reset, only silent, also after the network has
healed (a firewall that lost its state does not find it again). An outage is told by refusals and resets; this one only by timeouts.
"""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Connect, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class Partition(Spell):
    """Strikes what begins in its span, and silences what is under way when it begins."""

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """No connection within the span; silence from its begin on for those that have one."""
        if not self.concerns(scene) or scene.now_s >= self.to_s or not dice.chance(self.share):
            return plan
        if scene.now_s >= self.from_s:
            return plan.cannot_connect(Connect.TIMEOUT)
        return plan.hushed(self.from_s - scene.now_s)

    def risk(self, scene: Scene, until_s: float) -> float:
        """An attempt fails that begins in the span, or is under way when it begins."""
        reached = scene.now_s < self.from_s <= until_s and self.concerns(scene)
        return self.share if reached or self.active(scene) else 0.0


FAULT = Partition

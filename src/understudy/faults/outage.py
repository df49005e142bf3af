"""The provider is down for a while: every attempt fails the same way, and standing connections break."""

from __future__ import annotations

from math import inf

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import CONNECTION_BREAKS, Down, Spell, down, until_next


@keyword_value
class Outage(Spell):
    """`how`: how it is down; a refusing, unreachable or resetting provider also breaks the answers that are under way."""

    how: Down = "refused"

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Down within the span, cut short when it begins."""
        if self.strikes(scene, dice):
            return down(plan, self.how)
        ahead = scene.now_s < self.from_s and self.concerns(scene) and dice.chance(self.share)
        return until_next(plan, self.how, self.from_s - scene.now_s if ahead else inf)

    def risk(self, scene: Scene, until_s: float) -> float:
        """An attempt fails that begins in the span, or is under way when it begins and loses its connection."""
        reached = self.how in CONNECTION_BREAKS and scene.now_s < self.from_s <= until_s and self.concerns(scene)
        return self.share if reached or self.active(scene) else 0.0


FAULT = Outage

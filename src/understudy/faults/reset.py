"""The provider resets the connection instead of answering."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Reply
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class Reset(Spell):
    """Strikes when the request has been read: the provider may have acted on it."""

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """A reset for those that it strikes."""
        return plan.replies(Reply.RESET) if self.strikes(scene, dice) else plan


FAULT = Reset

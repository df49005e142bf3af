"""The provider takes the request and says nothing, for ever: no headers, or headers and then nothing."""

from __future__ import annotations

from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Ending, Plan, Reply
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class Silence(Spell):
    """`after`: what it falls silent after, the request or its own headers."""

    after: Literal["request", "headers"] = "request"

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Silence from there on."""
        if not self.strikes(scene, dice):
            return plan
        return plan.replies(Reply.SILENCE) if self.after == "request" else plan.ends(Ending.STALL, 0)


FAULT = Silence

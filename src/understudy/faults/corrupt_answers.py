"""Answers that are none: broken JSON, JSON of another shape, a web page, nothing said, or not even HTTP."""

from __future__ import annotations

from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Content, Plan, Reply
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell

WAYS = ("broken_json", "wrong_shape", "html", "empty", "not_http")


@keyword_value
class CorruptAnswers(Spell):
    """`how`: what comes instead of an answer; "any": each time one of the others."""

    how: Literal["any", "broken_json", "wrong_shape", "html", "empty", "not_http"] = "any"

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """A 200 without a proper answer in it, or no HTTP at all."""
        if not self.strikes(scene, dice):
            return plan
        how = dice.pick(WAYS) if self.how == "any" else self.how
        return plan.replies(Reply.NOT_HTTP) if how == "not_http" else plan.holds(Content(how))


FAULT = CorruptAnswers

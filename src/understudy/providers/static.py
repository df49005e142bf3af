"""A fixed text, for when nothing else can answer: the last target of a route.

It needs no network, costs nothing, takes no attempt from the budget, and is always labelled degraded.
"""

from __future__ import annotations

from typing import ClassVar

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Text
from understudy.core.dice import Dice
from understudy.core.request import Call
from understudy.core.usage import Usage
from understudy.core.value import value
from understudy.providers import Provider, Reply


@value
class Static:
    """`text`: what it says, whatever is asked."""

    text: str

    facts: ClassVar[Provider] = Provider(title="A fixed text", key_required=False, local=True, stand_in=True)

    def reply(self, call: Call, dice: Dice, now_s: float) -> Reply:  # noqa: ARG002  a player of few words
        """The text, at once."""
        choice = Choice(parts=(Text(self.text),), stop=Stop.END)
        return Reply(
            answer=Answer(id=f"static-{dice.next():016x}", model="static", choices=(choice,), usage=Usage()),
        )


PROVIDER = Static

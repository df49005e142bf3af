"""Gives each of the equals its turn."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Part, Parts
from understudy.core.value import value


@value
class RoundRobin:
    """Gives each of the equals its turn.

    Order: the list rotated by the number of choices made before. Not for targets of different capacity: use `weighted`.
    """

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """The rotation."""
        begin = ask.turn % len(candidates)
        return candidates[begin:] + candidates[:begin]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """How many turns it is away."""
        count = len(candidates)
        return [[Part("turns away", None, (place - ask.turn) % count)] for place in range(count)]


BALANCER = RoundRobin

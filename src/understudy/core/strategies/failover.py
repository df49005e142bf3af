"""Prefers targets in the order in which the tier lists them."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Part, Parts
from understudy.core.value import value


@value
class Failover:
    """Prefers targets in the order in which the tier lists them: the next one is asked only when those before cannot answer.

    Score: position in the list. Not for sharing load: the first target gets all of it.
    """

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Positions."""
        return [candidate.entry.position for candidate in candidates]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The position."""
        return [[Part("position", position := one.entry.position, position)] for one in candidates]


STRATEGY = Failover

"""Prefers targets with the lowest `priority` number."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Part, Parts
from understudy.core.value import value


@value
class Priority:
    """Prefers targets with the lowest `priority` number; the balancer shares among those of the same number.

    Score: `priority` of the target (1 unless set). Not for a fixed order among equals: use `failover`.
    """

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Priorities."""
        return [candidate.entry.target.priority for candidate in candidates]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The number."""
        return [[Part("priority", number := one.entry.target.priority, number)] for one in candidates]


STRATEGY = Priority

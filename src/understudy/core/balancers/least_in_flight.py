"""Prefers the one of the equals with the fewest requests in flight."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from understudy.core.balancers._least_first import least_first
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.value import value


@value
class LeastInFlight:
    """Prefers the one of the equals with the fewest requests in flight from this worker; ties take turns.

    Order: by in_flight / weight; a weight of 0 comes last. Not for targets whose failures come faster than their answers without a breaker: the
    broken one looks idle.
    """

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """From idle to busy."""
        return least_first(candidates, ask, _load)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The requests in flight, and the weight."""
        return [
            [
                Part("in flight", None, one.standing.in_flight, known=Known.MEASURED),
                Part("weight", None, one.entry.target.weight),
                Part("in flight / weight", None, _load(one), known=Known.MEASURED),
            ]
            for one in candidates
        ]


def _load(candidate: Candidate) -> float:
    weight = candidate.entry.target.weight
    return candidate.standing.in_flight / weight if weight > 0 else inf


BALANCER = LeastInFlight

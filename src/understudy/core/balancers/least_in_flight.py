"""Prefers the one of the equals with the fewest requests in flight."""

from __future__ import annotations

from math import inf

from understudy.core.plan import Ask, Candidate
from understudy.core.value import value


@value
class LeastInFlight:
    """Prefers the one of the equals with the fewest requests in flight from this worker; ties take turns.

    Order: by in_flight / weight; a weight of 0 comes last. Not for targets whose failures come faster than their answers without a breaker: the
    broken one looks idle.
    """

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """From idle to busy."""
        begin = ask.turn % len(candidates)
        rotated = candidates[begin:] + candidates[:begin]
        rotated.sort(key=_load)  # stable: ties stay in their turn
        return rotated


def _load(candidate: Candidate) -> float:
    weight = candidate.entry.target.weight
    return candidate.standing.in_flight / weight if weight > 0 else inf


BALANCER = LeastInFlight

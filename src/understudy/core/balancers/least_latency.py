"""Prefers the one of the equals that answers soonest, counting those who wait there already."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.balancers._least_first import least_first
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.scales import time_ms
from understudy.core.value import value


@value
class LeastLatency:
    """Prefers the one of the equals that answers soonest, counting those who wait there already.

    Order: by mean time of late (first content of a stream, else the whole answer) x (requests in flight + 1) / weight, as in Finagle's
    "peak EWMA"; ties take turns; a weight of 0 comes last. A target twice as fast gets twice the traffic as soon as requests overlap. Not for
    a few requests that never overlap: then the fastest gets all of them.

    `explore`: share of the choices that go by turns, so that who was slow once is asked again.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = 0.02

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore)

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """From soon to late."""
        return least_first(candidates, ask, _streamed if ask.needs.stream else _whole, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The time, who waits there already, and the weight."""
        key = _streamed if ask.needs.stream else _whole
        found: Parts = []
        for one in candidates:
            measures = one.standing.measures
            loss, seen = (
                (measures.first, measures.first_ms) if ask.needs.stream else (measures.whole, measures.whole_ms)
            )
            known = Known.PRIOR if seen is None else Known.MEASURED
            found.append(
                [
                    Part("time", None, time_ms(loss), "ms", known),
                    Part("in flight", None, one.standing.in_flight, known=Known.MEASURED),
                    Part("weight", None, one.entry.target.weight),
                    Part("time until answered", None, key(one), "ms", known),
                ]
            )
        return found


def _streamed(candidate: Candidate) -> float:
    standing, weight = candidate.standing, candidate.entry.target.weight
    return time_ms(standing.measures.first) * (standing.in_flight + 1) / weight if weight > 0 else inf


def _whole(candidate: Candidate) -> float:
    standing, weight = candidate.standing, candidate.entry.target.weight
    return time_ms(standing.measures.whole) * (standing.in_flight + 1) / weight if weight > 0 else inf


BALANCER = LeastLatency

"""Prefers the one of the equals with the shortest way to a success, failures and all."""

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

ALWAYS_FAILS = 1.001
"""From which the share of failures is subtracted: who never succeeds counts as succeeding once in a thousand."""


@value
class Performance:
    """Prefers the one of the equals with the shortest way to a success, failures and all.

    Order: by mean time of late (first content of a stream, else the whole answer) / (share of successes x weight): how long it takes on
    average until one attempt after another has brought an answer. Ties take turns; a weight of 0 comes last. Not for sharing
    load: the best takes all that it can; `least_latency` counts requests in flight, `adaptive_weights` shares.

    `explore`: share of the choices that go by turns, so that who did badly once is asked again.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = 0.02

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore)

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """From best to worst."""
        return least_first(candidates, ask, _streamed if ask.needs.stream else _whole, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The time, the failures, and the weight."""
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
                    Part(
                        "failures", None, measures.failing, "share", Known.MEASURED if measures.weight else Known.PRIOR
                    ),
                    Part("weight", None, one.entry.target.weight),
                    Part("time until a success", None, key(one), "ms", known),
                ]
            )
        return found


def _streamed(candidate: Candidate) -> float:
    measures, weight = candidate.standing.measures, candidate.entry.target.weight
    return time_ms(measures.first) / (ALWAYS_FAILS - measures.failing) / weight if weight > 0 else inf


def _whole(candidate: Candidate) -> float:
    measures, weight = candidate.standing.measures, candidate.entry.target.weight
    return time_ms(measures.whole) / (ALWAYS_FAILS - measures.failing) / weight if weight > 0 else inf


BALANCER = Performance

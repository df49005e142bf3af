"""Gives each of the equals a share of the traffic in proportion to its `weight`."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.value import value


@value
class Weighted:
    """Gives each of the equals a share of the traffic in proportion to its `weight`.

    Order: by -ln(u) / weight with u uniform, which draws without replacement in proportion to the weights (P. Efraimidis,
    P. Spirakis, "Weighted random sampling with a reservoir", 2006). A weight of 0 comes last. Not for exact alternation:
    shares hold on average.
    """

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """The draw."""
        draws = ask.dice.randoms(len(candidates))
        weights = [candidate.entry.target.weight for candidate in candidates]
        if weights.count(weights[0]) != len(weights):
            pairs = zip(draws, weights, strict=True)
            draws = [-log(1.0 - draw) / weight if weight > 0 else inf for draw, weight in pairs]
        return [candidates[index] for index in sorted(range(len(draws)), key=draws.__getitem__)]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weight, and the draw."""
        draws = ask.dice.randoms(len(candidates))
        return [
            [Part("weight", None, one.entry.target.weight), Part("draw", None, draw, known=Known.CHANCE)]
            for one, draw in zip(candidates, draws, strict=True)
        ]


BALANCER = Weighted

"""Gives each of the equals a share in proportion to its weight and to how well it does."""

from __future__ import annotations

from math import inf, log
from typing import ClassVar

from understudy.core.plan import Ask, Candidate
from understudy.core.value import value

LEAST = 0.05


@value
class AdaptiveWeights:
    """Gives each of the equals a share in proportion to its weight and to how well it does.

    Order: a draw without replacement, as in `weighted`, with weight x max(0.05, share of successes of late)^`sharpness` x
    max(0.05, 1 - loss of time)^`sharpness`, the loss being 0 at 100 ms and a third more for each factor of ten. Nobody's share falls to nothing, so that who
    recovers is seen to. A weight of 0 comes last. Not for exact shares: they move with the measurements.

    `sharpness`: 0 gives the plain weights, more gives more to the better ones.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    sharpness: float = 2.0

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """The draw."""
        draws = ask.dice.randoms(len(candidates))
        stream = ask.needs.stream
        keys = []
        for draw, candidate in zip(draws, candidates, strict=True):
            weight = self.weight(candidate, stream=stream)
            keys.append(-log(1.0 - draw) / weight if weight > 0 else inf)
        return [candidates[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]

    def weight(self, candidate: Candidate, *, stream: bool) -> float:
        """What its share is in proportion to."""
        measures = candidate.standing.measures
        good, fast = 1.0 - measures.failing, 1.0 - (measures.first if stream else measures.whole)
        worth: float = (max(LEAST, good) * max(LEAST, fast)) ** self.sharpness
        return candidate.entry.target.weight * worth


BALANCER = AdaptiveWeights

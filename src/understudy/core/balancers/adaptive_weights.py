"""Gives each of the equals a share in proportion to its weight and to how well it does."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import ClassVar

from understudy.core.plan import Ask, Candidate
from understudy.core.value import value

LEAST = 1.05
"""From which losses are subtracted: who loses everything keeps a twentieth."""


@value
class AdaptiveWeights:
    """Gives each of the equals a share in proportion to its weight and to how well it does.

    Order: one is drawn with a chance in proportion to its weight x ((1.05 - share of failures of late) x
    (1.05 - loss of time))^`sharpness`, the loss being 0 at 100 ms and a third more for each factor of ten; the others follow, best first. Nobody's share falls to nothing, so that who
    recovers is seen to. A weight of 0 comes last. Not for exact shares: they move with the measurements.

    `sharpness`: 0 gives the plain weights, more gives more to the better ones.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    sharpness: float = 2.0

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """The draw."""
        sharpness = self.sharpness
        if ask.needs.stream:
            shares = [
                one.entry.target.weight
                * ((LEAST - (of := one.standing.measures).failing) * (LEAST - of.first)) ** sharpness
                for one in candidates
            ]
        else:
            shares = [
                one.entry.target.weight
                * ((LEAST - (of := one.standing.measures).failing) * (LEAST - of.whole)) ** sharpness
                for one in candidates
            ]
        ranking = sorted(range(len(shares)), key=shares.__getitem__, reverse=True)
        sums = list(accumulate([shares[index] for index in ranking]))
        drawn = bisect_right(sums, ask.dice.random() * sums[-1], 0, len(sums) - 1)
        ranking.insert(0, ranking.pop(drawn))
        return [candidates[index] for index in ranking]


BALANCER = AdaptiveWeights

"""Gives each of the equals a share in proportion to its weight and to how well it does."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.scales import time_ms
from understudy.core.value import value

LEAST = 1.05
"""From which losses are subtracted: who loses everything keeps a twentieth."""

SHARPEST = 100.0
"""Powers beyond this leave the range of floats."""


@value
class AdaptiveWeights:
    """Gives each of the equals a share in proportion to its weight and to how well it does.

    Order: one is drawn with a chance in proportion to its weight x ((1.05 - share of failures of late) x
    (1.05 - loss of time))^`sharpness`, the loss being 0 at 100 ms and a third more for each factor of ten; the others follow, best first. Nobody's share falls to nothing, so that who
    recovers is seen to. A weight of 0 comes last; all of 0 are alike. Not for exact shares: they move with the measurements.

    `sharpness`: 0 gives the plain weights, more gives more to the better ones.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    sharpness: float = 2.0

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, SHARPEST, sharpness=self.sharpness)

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
        luck, whole = ask.dice.random(), sums[-1]
        drawn = bisect_right(sums, luck * whole, 0, len(sums) - 1) if whole > 0.0 else int(luck * len(sums))
        ranking.insert(0, ranking.pop(drawn))
        return [candidates[index] for index in ranking]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weight, and what it is multiplied with."""
        found: Parts = []
        for one in candidates:
            measures = one.standing.measures
            loss, seen = (
                (measures.first, measures.first_ms) if ask.needs.stream else (measures.whole, measures.whole_ms)
            )
            worth = ((LEAST - measures.failing) * (LEAST - loss)) ** self.sharpness
            known = Known.MEASURED if measures.weight else Known.PRIOR
            weight = one.entry.target.weight
            found.append(
                [
                    Part("weight", None, weight),
                    Part("failures", None, measures.failing, "share", known),
                    Part("time", None, time_ms(loss), "ms", Known.PRIOR if seen is None else Known.MEASURED),
                    Part("chance in proportion to", None, weight * worth, known=Known.CHANCE),
                ]
            )
        return found


BALANCER = AdaptiveWeights

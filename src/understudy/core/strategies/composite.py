"""Prefers the target with the best mixture of cost, speed, quality, reliability and load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between, weights
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import (
    DOUBT,
    EXPLORE,
    Weights,
    doubted_parts,
    explored,
    looked_parts,
    stepped,
    weighed,
)
from understudy.core.value import value


@value
class Composite:
    """Prefers the target with the best mixture of cost, speed, quality, reliability and load.

    Score: the weighted mean of five losses between 0 and 1, each against fixed anchors: price (0 at $0.02 per million tokens, a
    quarter more for each factor of ten; unknown: 1), mean time (0 at 100 ms, a third more for each factor of ten), 1 - quality
    (unknown: 0.5), share of failures, used share of the limits. While looking around is allowed (`explore`), times and failures get the benefit of
    the doubt: 2.5 deviations of what their means may be off, which hardly counts after some hundred attempts. The anchors do not depend on who else is there, so nobody's leaving turns two others around.
    Not where one concern must never be traded for another: use `cost` with `min_quality`, or tiers.

    `cost`, `speed`, `quality`, `reliability`, `load`: weights, 0 or more; only their proportions count, and those not given keep
    theirs. `explore`: share of the choices made to look at a target that was not asked for a minute; 0: never, and no doubt is given. `step`: scores are rounded down
    to multiples of it, and the balancer shares among equals; 0: never.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    cost: float = 0.3
    speed: float = 0.25
    quality: float = 0.25
    reliability: float = 0.2
    load: float = 0.0
    explore: float = EXPLORE
    step: float = 0.0

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        weights(cost=self.cost, speed=self.speed, quality=self.quality, reliability=self.reliability, load=self.load)
        between(0.0, 1.0, explore=self.explore, step=self.step)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Mean losses."""
        weights = Weights(self.cost, self.speed, self.quality, self.reliability, self.load).shares()
        return explored(
            stepped(weighed(candidates, ask, weights, DOUBT if self.explore else 0.0), self.step),
            candidates,
            ask,
            self.explore,
        )

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weighted losses."""
        weights = Weights(self.cost, self.speed, self.quality, self.reliability, self.load).shares()
        parts = doubted_parts(candidates, ask, weights, DOUBT if self.explore else 0.0)
        return looked_parts(parts, candidates, ask, self.explore, self.step)


STRATEGY = Composite

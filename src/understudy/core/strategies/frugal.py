"""Prefers a good mixture while there is money, and the cheapest as the budget runs down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between, weights
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import DOUBT, EXPLORE, Weights, doubted_parts, explored, looked_parts, weighed
from understudy.core.value import value


@value
class Frugal:
    """Prefers a good mixture while there is money, and the cheapest as the budget runs down.

    Score: as `composite` with its weights, until less than `tighten` of the tightest budget is left; from there on the weight of cost
    grows evenly, until with nothing left it is all. Without a budget it is `composite`. Not a limit: it refuses nobody, a budget's
    `refuse` does.

    `cost`, `speed`, `quality`, `reliability`: weights while there is enough, 0 or more. `tighten`: share of the budget, 0 to 1.
    `explore`: share of the choices made to look at a target that was not asked for a minute; 0: never, and no doubt is given.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    cost: float = 0.3
    speed: float = 0.25
    quality: float = 0.25
    reliability: float = 0.2
    tighten: float = 0.5
    explore: float = EXPLORE

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        weights(cost=self.cost, speed=self.speed, quality=self.quality, reliability=self.reliability)
        between(0.0, 1.0, tighten=self.tighten, explore=self.explore)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Mean losses."""
        doubt = DOUBT if self.explore else 0.0
        return explored(weighed(candidates, ask, self._weights(ask), doubt), candidates, ask, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weighted losses, with the weights that the budget leaves."""
        parts = doubted_parts(candidates, ask, self._weights(ask), DOUBT if self.explore else 0.0)
        return looked_parts(parts, candidates, ask, self.explore)

    def _weights(self, ask: Ask) -> Weights:
        weights = Weights(self.cost, self.speed, self.quality, self.reliability).shares()
        left = 1.0 if ask.budget_left is None else max(0.0, ask.budget_left)
        if left < self.tighten:
            ease = left / self.tighten
            weights = Weights(
                1.0 - ease + weights.cost * ease,
                weights.speed * ease,
                weights.quality * ease,
                weights.reliability * ease,
            )
        return weights


STRATEGY = Frugal

"""Prefers what is cheap and good: cost 60, quality 40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.parts import Parts
from understudy.core.plan import Ask, Candidate
from understudy.core.strategies._weighing import Weights, weighed, weighed_parts
from understudy.core.value import value

WEIGHTS = Weights(0.6, 0.0, 0.4, 0.0)


@value
class CostQuality:
    """Prefers what is cheap and good: cost 60, quality 40.

    Score: 0.6 x the loss of its price + 0.4 x (1 - quality), see `composite`. Not where quality is unknown: then it is `cost`.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Mean losses."""
        return weighed(candidates, ask, WEIGHTS)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weighted losses."""
        return weighed_parts(candidates, ask, WEIGHTS)


STRATEGY = CostQuality

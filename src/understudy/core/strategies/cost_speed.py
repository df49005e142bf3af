"""Prefers what is cheap and fast, half and half."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import EXPLORE, Weights, explored, looked_parts, weighed, weighed_parts
from understudy.core.value import value

WEIGHTS = Weights(0.5, 0.5, 0.0, 0.0)


@value
class CostSpeed:
    """Prefers what is cheap and fast, half and half.

    Score: 0.5 x the loss of its price + 0.5 x the loss of its time, see `composite`. Not where answers differ in worth: small models
    win both.

    `explore`: share of the choices made to look at a target that was not asked for a minute.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = EXPLORE

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Mean losses."""
        return explored(weighed(candidates, ask, WEIGHTS), candidates, ask, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weighted losses."""
        return looked_parts(weighed_parts(candidates, ask, WEIGHTS), candidates, ask, self.explore)


STRATEGY = CostSpeed

"""Prefers the target that fails least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import EXPLORE, explored, failures_part, looked_parts, stepped
from understudy.core.value import value


@value
class Reliability:
    """Prefers the target that fails least.

    Score: share of its attempts of late that failed, with one attempt at 2 % as the prior. Fallback already hides most failures from
    callers: not where what they notice is cost or time.

    `explore`: share of the choices made to look at a target that was not asked for a minute. `step`: shares are rounded down to
    multiples of it, and the balancer shares among equals; 0: never.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = EXPLORE
    step: float = 0.01

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore, step=self.step)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Shares of failures."""
        scores = [candidate.standing.measures.failing for candidate in candidates]
        return explored(stepped(scores, self.step), candidates, ask, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The share, and its rounding."""
        parts = [[failures_part(candidate.standing.measures, 1.0)] for candidate in candidates]
        return looked_parts(parts, candidates, ask, self.explore, self.step)


STRATEGY = Reliability

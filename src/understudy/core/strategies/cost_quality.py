"""Prefers what is cheap and good: cost 60, quality 40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Parts, changed
from understudy.core.strategies._weighing import Weights, weighed, weighed_parts
from understudy.core.value import value

WEIGHTS = Weights(0.6, 0.0, 0.4, 0.0)

BEHIND = 2.0
"""More than any mean loss: who is not good enough comes after all who are."""


@value
class CostQuality:
    """Prefers what is cheap and good: cost 60, quality 40.

    Score: 0.6 x the loss of its price + 0.4 x (1 - quality), see `composite`. Alone it gives much quality for little money: a model a hundred
    times cheaper wins unless its quality is 0.75 lower. Not where quality is unknown: then it is `cost`.

    `min_quality`: targets whose profile's quality is below, or unknown, come after all others; None: whatever it is.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    min_quality: float | None = None

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, min_quality=self.min_quality)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Mean losses."""
        scores = weighed(candidates, ask, WEIGHTS)
        least = self.min_quality
        if least is None:
            return scores
        known = [candidate.entry.traits.quality for candidate in candidates]
        return [
            score if quality is not None and quality >= least else score + BEHIND
            for score, quality in zip(scores, known, strict=True)
        ]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The weighted losses."""
        return changed(
            weighed_parts(candidates, ask, WEIGHTS), self.scores(candidates, ask), "not good enough", Known.LISTED
        )


STRATEGY = CostQuality

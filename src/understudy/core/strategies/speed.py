"""Prefers the target that answers soonest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import EXPLORE, explored, looked_parts, speed_part, stepped
from understudy.core.value import value


@value
class Speed:
    """Prefers the target that answers soonest: its first content for a stream, the whole answer otherwise.

    Score: the loss of its mean time of late, 0 at 100 ms and a third more for each factor of ten; before its first answer, of what
    is usual for its profile's tier. Not alone under heavy load: the fastest gets everything until it is fast no longer; then set
    `step`, or use the balancer `least_latency` behind `priority`.

    `explore`: share of the choices made to look at a target that was not asked for a minute. `step`: losses are rounded down to
    multiples of it, and the balancer shares among equals (0.1: within a factor of two); 0: never.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = EXPLORE
    step: float = 0.0

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore, step=self.step)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Losses of time."""
        if ask.needs.stream:
            scores = [candidate.standing.measures.first for candidate in candidates]
        else:
            scores = [candidate.standing.measures.whole for candidate in candidates]
        return explored(stepped(scores, self.step), candidates, ask, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The time, and its rounding."""
        parts = [[speed_part(candidate.standing.measures, ask, 1.0)] for candidate in candidates]
        return looked_parts(parts, candidates, ask, self.explore, self.step)


STRATEGY = Speed

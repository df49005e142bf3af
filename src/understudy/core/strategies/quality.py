"""Prefers the target with the best answers, as far as anybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.strategies._weighing import poor
from understudy.core.value import value


@value
class Quality:
    """Prefers the target with the best answers, as far as anybody knows.

    Score: 1 - quality, where quality is the profile's (worth ten ratings) averaged with the ratings of the target's own answers.
    Unknown quality comes last; all of the same quality are equals. Not where most requests are easy: the best is rarely the cheapest.

    `of`: what the answers are asked for, a name in the profile's scores (reasoning, coding, creativity); None: quality all in all.
    A target without such a score is known by its quality.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    of: str | None = None

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Losses of quality."""
        if self.of is None:
            return [_lost(candidate) for candidate in candidates]
        return [self._lost_at(candidate) for candidate in candidates]

    def _lost_at(self, candidate: Candidate) -> float:
        for name, score in candidate.entry.target.profile.scores:
            if name == self.of:
                return 1.0 - score
        return _lost(candidate)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The loss, and the quality."""
        return [[self._part(one, lost)] for one, lost in zip(candidates, self.scores(candidates, ask), strict=True)]

    def _part(self, candidate: Candidate, lost: float) -> Part:
        if any(name == self.of for name, _ in candidate.entry.target.profile.scores):
            known = Known.LISTED
        elif candidate.standing.measures.ratings:
            known = Known.RATED
        else:
            known = Known.UNKNOWN if lost == inf else Known.LISTED
        return Part("quality", lost, None if known is Known.UNKNOWN else 1.0 - lost, known=known)


def _lost(candidate: Candidate) -> float:
    traits = candidate.entry.traits
    if candidate.standing.measures.ratings:
        return poor(candidate)
    return inf if traits.quality is None else traits.poor


STRATEGY = Quality

"""Prefers nobody: every order is as likely as any other."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.value import value


@value
class Shuffle:
    """Prefers nobody: every order is as likely as any other, drawn anew for each choice.

    Score: a random number. Not for production traffic with targets of different worth; made for tests and comparisons.
    """

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Random numbers."""
        return ask.dice.randoms(len(candidates))

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The draw."""
        return [[Part("draw", drawn, drawn, known=Known.CHANCE)] for drawn in self.scores(candidates, ask)]


STRATEGY = Shuffle

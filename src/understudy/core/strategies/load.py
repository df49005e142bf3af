"""Prefers the target with the most room left."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Parts
from understudy.core.strategies._weighing import busy, load_part
from understudy.core.value import value


@value
class Load:
    """Prefers the target with the most room left.

    Score: the used share of its tightest limit (places in flight, requests and tokens per minute); without a limit in flight, a
    target of weight 1 counts as full at 100. All idle targets are equals. Not for sharing by weights alone: `priority` and the balancer
    `weighted` do that at less cost.
    """

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Used shares."""
        return [busy(candidate, ask) for candidate in candidates]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The used share."""
        return [[load_part(candidate, ask, 1.0)] for candidate in candidates]


STRATEGY = Load

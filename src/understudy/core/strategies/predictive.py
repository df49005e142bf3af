"""Prefers the first target in the list that no trouble is foreseen for."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import ClassVar

from understudy.core.allowed import at_least, between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.resilience.rate import Rate
from understudy.core.value import value

FORGIVING = 0.6931471805599453 / 60.0
"""How fast a suspicion fades of a target that is not asked: half of it is left after 60 s."""

SUSPECT = 0.5
"""Evidence up to this share of an alarm's is what chance brings along."""

BEHIND = 1000.0


@value
class Predictive:
    """Prefers the first target in the list that no trouble is foreseen for: failover before the failure.

    Foreseen are: a change for the worse (cumulative sums over its times and failures, see `core.health.change`: more than half of
    the evidence that makes an alarm; it fades when the target is not asked), a limit per minute that its present traffic exhausts within
    `horizon_s`, and more than `full` of its places in flight taken. Score: position in the list; with trouble foreseen, behind
    everyone without, by how grave it is. Not where breakers are enough: it leaves a target a few requests earlier, and now
    and then for nothing.

    `horizon_s`: how far ahead limits are looked at. `full`: share of the places in flight, 0 to 1.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    horizon_s: float = 10.0
    full: float = 0.8

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        at_least(0.0, horizon_s=self.horizon_s)
        between(0.0, 1.0, full=self.full)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Positions, and trouble."""
        now_s = ask.now_s
        scores = []
        for candidate in candidates:
            standing = candidate.standing
            measures, bounds = standing.measures, standing.bounds
            trouble = 0.0
            if measures.worse > SUSPECT:
                trouble = measures.worse * exp(FORGIVING * (measures.at_s - now_s))
                trouble = trouble if trouble > SUSPECT else 0.0
            if bounds.in_flight is not None and standing.in_flight > self.full * bounds.in_flight:
                trouble = max(trouble, standing.in_flight / bounds.in_flight)
            if bounds.requests is not None and measures.requests_per_s > bounds.requests.per_s:
                empty_s, per_s = standing.requests_empty_s, measures.requests_per_s
                trouble = max(trouble, self._exhausted(bounds.requests, empty_s, per_s, now_s))
            if bounds.tokens is not None and measures.tokens_used_per_s > bounds.tokens.per_s:
                empty_s, per_s = standing.tokens_empty_s, measures.tokens_used_per_s
                trouble = max(trouble, self._exhausted(bounds.tokens, empty_s, per_s, now_s))
            position = candidate.entry.position
            scores.append(BEHIND * (1.0 + trouble) + position if trouble else position)
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The position, and the gravest of the troubles."""
        found: Parts = []
        for candidate, score in zip(candidates, self.scores(candidates, ask), strict=True):
            position, measures = candidate.entry.position, candidate.standing.measures
            parts = [Part("position", position, position)]
            known = Known.MEASURED if measures.weight else Known.PRIOR
            parts.append(Part("getting worse", 0.0, measures.worse, "share", known))
            if score != position:
                parts.append(Part("trouble", score - position, (score - position) / BEHIND - 1.0, "share", known))
            found.append(parts)
        return found

    def _exhausted(self, rate: Rate, empty_s: float, used_per_s: float, now_s: float) -> float:
        """How soon a limit that traffic overtaxes is exhausted, from 1 (now) to 0 (at the horizon or later)."""
        if self.horizon_s <= 0.0:
            return 0.0
        return max(0.0, 1.0 - rate.level(empty_s, now_s) / (used_per_s - rate.per_s) / self.horizon_s)


STRATEGY = Predictive

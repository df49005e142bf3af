"""Prefers whoever has proved the best of late, and learns it while working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, sqrt
from typing import ClassVar

from understudy.core.allowed import at_least, weights
from understudy.core.catalogue.traits import LONG, shape
from understudy.core.health.measures import FADING
from understudy.core.parts import Known, Part, Parts, total
from understudy.core.plan import Ask, Candidate
from understudy.core.scales import tokens_out
from understudy.core.strategies._weighing import cost_part, poor, quality_part, speed_part
from understudy.core.value import value

STEADY = 0.005
"""Variance of the worth of answers from a target that never fails: times and lengths differ."""


@value
class Adaptive:
    """Prefers whoever has proved the best of late, and learns it while working.

    A bandit with a fading memory (discounted UCB: A. Garivier, E. Moulines, "On upper-confidence bound policies for switching bandit
    problems", 2011; with the variance, as in UCB-V: J.-Y. Audibert, R. Munos, C. Szepesvari, 2009). Worth of an attempt: 0
    when it fails, else 1 - the weighted mean of its losses of cost, speed and quality (see `composite`). Score: -(mean worth +
    `explore` x sqrt((f (1 - f) + 0.005) / (1 + attempts + requests in flight))), f being the share of failures of late; an attempt
    300 s old counts half.
    Regret: a target that is worth d less than the best is kept at about v (`explore` / d)^2 remembered attempts, v being the variance above, so that it
    costs about v `explore`^2 / d per seven minutes (the memory's length), whatever the traffic: a constant sum over time, and a falling share of
    growing traffic. After a change, whoever became better is looked at within minutes; a change for the worse is noticed by its own
    detector within some attempts. Chance plays no part: a decision replays from the standings that it kept. Not for a few
    requests an hour: by the next one, everything is forgotten.

    `cost`, `speed`, `quality`: weights, 0 or more; only their proportions count. `explore`: how many standard deviations
    of doubt are hoped for; more finds changes sooner and costs more.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    cost: float = 0.3
    speed: float = 0.3
    quality: float = 0.4
    explore: float = 1.0

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        weights(cost=self.cost, speed=self.speed, quality=self.quality)
        at_least(0.0, explore=self.explore)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Worths that can still be hoped for, negative."""
        needs, now_s = ask.needs, ask.now_s
        step = shape(needs.tokens_in, tokens_out(needs.max_tokens))
        total = self.cost + self.speed + self.quality
        share = 1.0 / total if total > 0.0 else 0.0
        cost, speed, quality, stream = self.cost * share, self.speed * share, self.quality * share, needs.stream
        explore, long = self.explore, needs.tokens_in > LONG
        scores = []
        for candidate in candidates:
            standing = candidate.standing
            traits, measures = candidate.entry.traits, standing.measures
            if long:
                traits = traits.of(needs.tokens_in)
            lost = (
                cost * traits.dear[step]
                + speed * (measures.first if stream else measures.whole)
                + quality * (poor(candidate) if measures.ratings else traits.poor)
            )
            attempts = 1.0 + standing.in_flight + measures.weight * exp(FADING * (measures.at_s - now_s))
            doubt = explore * sqrt((measures.variance + STEADY) / attempts)
            scores.append((1.0 - measures.failing) * (lost - 1.0) - doubt)
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The worth: of a success, less what it costs, all times the chance of one; and the doubt."""
        weights = self.cost + self.speed + self.quality
        share = 1.0 / weights if weights > 0.0 else 0.0
        found: Parts = []
        for candidate, score in zip(candidates, self.scores(candidates, ask), strict=True):
            traits, standing = candidate.entry.traits.of(ask.needs.tokens_in), candidate.standing
            measures = standing.measures
            works = 1.0 - measures.failing
            known = Known.MEASURED if measures.weight else Known.PRIOR
            attempts = 1.0 + standing.in_flight + measures.weight * exp(FADING * (measures.at_s - ask.now_s))
            losses = (
                cost_part(traits, ask, self.cost * share),
                speed_part(measures, ask, self.speed * share),
                quality_part(candidate, self.quality * share),
            )
            parts = [Part("success", -works, works, "share", known)]
            parts += [replace(one, adds=works * one.weight * one.loss) for one in losses if one.weight and one.loss]
            hope = Part("doubt", score - total(parts), attempts, "attempts", known)
            found.append([*parts, hope])
        return found


STRATEGY = Adaptive

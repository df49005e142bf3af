"""Prefers whoever has proved the best of late, and learns it while working."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.catalogue.traits import LONG, shape
from understudy.core.plan import Ask, Candidate
from understudy.core.scales import tokens_out
from understudy.core.strategies._weighing import poor
from understudy.core.value import value

GROWTH = 2.5e-7
"""Worth per second."""
LONG_S=1e5


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
    explore: float = 2.0

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Worths that can still be hoped for, negative."""
        needs, now_s = ask.needs, ask.now_s
        step = shape(needs.tokens_in, tokens_out(needs.max_tokens))
        total = self.cost + self.speed + self.quality
        share = 1.0 / total if total > 0.0 else 0.0
        cost, speed, quality, stream = self.cost * share, self.speed * share, self.quality * share, needs.stream
        now_s = ask.now_s
        growth = self.explore * GROWTH
        explore, long = self.explore, needs.tokens_in > LONG
        scores = []
        for candidate in candidates:
            standing = candidate.standing
            traits, measures = candidate.entry.traits, standing.measures
            if long:
                traits = traits.of(needs.tokens_in)
            fixed = 1.0 - cost * traits.dear[step] - quality * (poor(candidate) if measures.ratings else traits.poor)
            doubt = explore / (1.0 + standing.in_flight / (1.0 + measures.weight))
            failing = measures.failing - doubt * measures.doubt_failing
            if stream:
                slow = measures.first - doubt * measures.doubt_first
            else:
                slow = measures.whole - doubt * measures.doubt_whole
            worth = fixed - speed * slow if slow > 0.0 else fixed
            if failing > 0.0:
                worth *= 1.0 - failing
            if not standing.in_flight:
                age_s = now_s - measures.at_s if measures.at_s > 0.0 else LONG_S
                worth += growth * age_s * age_s
                if worth > fixed:
                    worth = fixed
            scores.append(-worth)
        return scores


STRATEGY = Adaptive

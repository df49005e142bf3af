"""Prefers whoever has proved the best of late, and learns it while working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from understudy.core.allowed import at_least, weights
from understudy.core.candidate import Ask, Candidate
from understudy.core.catalogue.traits import LONG, shape
from understudy.core.parts import Known, Part, Parts, total
from understudy.core.scales import tokens_out
from understudy.core.strategies._weighing import cost_part, poor, quality_part, speed_part
from understudy.core.value import value

GROWTH = 2.5e-7
"""Worth per second squared: after 450 s without an attempt a tenth more is hoped for, unless `explore` says otherwise."""

LONG_S = 1e5
"""Of a target that was never asked: it may be as good as can be."""


@value
class Adaptive:
    """Prefers whoever has proved the best of late, and learns it while working.

    A bandit that hopes for the best that its record leaves open (upper confidence bounds; for drifting worlds A. Garivier, E. Moulines, "On
    upper-confidence bound policies for switching bandit problems", 2011), with a memory that is long while nothing changes and is dropped when
    something did (see `core.health.memory`). Worth of an attempt: 0 when it fails, else 1 - the weighted mean of its losses of cost, speed and
    quality (see `composite`). Score: -(1 - failing) x (1 - losses), where the share of failures and the loss of time are each less by `explore`
    deviations of their means (less of those for a target with requests in flight), and never below 0; then, for a target with nothing in flight,
    + `explore` x 2.5e-7 x (seconds since its last attempt)^2, but never above what it would be worth without failures and delays: who is too dear or
    too poor for that is not looked at again.
    Regret: a target that is worth d less than the best is looked at every sqrt(d / (2.5e-7 `explore`)) seconds, 450 s for 0.1, so that it costs about
    d per so many seconds, whatever the traffic: a constant sum over time, and a falling share of growing traffic. After a change, whoever
    became better is looked at within minutes; a change for the worse is noticed within some attempts. Chance plays no part: a decision replays
    from the standings that it kept. Not for a few requests an hour: by the next one, everything may have changed.

    `cost`, `speed`, `quality`: weights, 0 or more; only their proportions count. `explore`: how many standard deviations
    of doubt are hoped for; more finds changes sooner and costs more; 0: never look back.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    cost: float = 0.3
    speed: float = 0.3
    quality: float = 0.4
    explore: float = 2.0

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
        explore, growth, long = self.explore, self.explore * GROWTH, needs.tokens_in > LONG
        scores = []
        for candidate in candidates:
            standing = candidate.standing
            traits, measures, in_flight = candidate.entry.traits, standing.measures, standing.in_flight
            if long:
                traits = traits.of(needs.tokens_in)
            most = 1.0 - cost * traits.dear[step] - quality * (poor(candidate) if measures.ratings else traits.poor)
            doubt = explore / (1.0 + in_flight / (1.0 + measures.weight)) if in_flight else explore
            if stream:
                slow = measures.first - doubt * measures.doubt_first
            else:
                slow = measures.whole - doubt * measures.doubt_whole
            worth = most - speed * slow if slow > 0.0 else most
            failing = measures.failing - doubt * measures.doubt_failing
            if failing > 0.0:
                worth *= 1.0 - failing
            if not in_flight:
                age_s = now_s - measures.at_s if measures.weight else LONG_S
                worth += growth * age_s * age_s
                if worth > most:
                    worth = most
            scores.append(-worth)
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
            attempts = 1.0 + standing.in_flight + measures.weight
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

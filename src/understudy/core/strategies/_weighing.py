"""What several strategies share: the losses of a candidate, their weights, and a look at those who were long not asked."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

from understudy.core.candidate import Ask, Candidate
from understudy.core.catalogue.traits import LONG, Traits, shape
from understudy.core.health.measures import PRIOR_RATINGS, Measures
from understudy.core.money import NANO_PER_DOLLAR
from understudy.core.parts import Known, Part, Parts, changed, total
from understudy.core.scales import UNKNOWN_QUALITY, time_ms, tokens_out
from understudy.core.standing import UNBOUNDED
from understudy.core.value import value

STALE_S = 60.0
"""Since its last attempt: a target's record is then old enough for it to be asked again only to see how it does."""

DRIFT = 0.05
"""How far a loss may have moved in that time, growing with its square root: those who may be the best by now are looked at first."""

LONG_S = 24 * 3600.0

EXPLORE = 0.02
"""Share of the choices made to look at a stale target, unless set."""

DOUBT = 2.5
"""Of how many deviations of what is not known surely the benefit is given: less, and a target that began with bad luck stays in its corner."""


@value
class Weights:
    """Parts of one, 0 or more each; only their proportions count."""

    cost: float
    speed: float
    quality: float
    reliability: float
    load: float = 0.0

    def shares(self) -> Weights:
        """The same, with a sum of 1. All 0: all the same."""
        total = self.cost + self.speed + self.quality + self.reliability + self.load
        if total <= 0.0:
            return Weights(0.2, 0.2, 0.2, 0.2, 0.2)
        return Weights(
            self.cost / total, self.speed / total, self.quality / total, self.reliability / total, self.load / total
        )


def weighed(candidates: Sequence[Candidate], ask: Ask, weights: Weights, doubt: float = 0.0) -> list[float]:
    """The weighted sum of each candidate's losses, between 0 and 1; less `doubt` deviations of those means that attempts teach."""
    needs = ask.needs
    step = shape(needs.tokens_in, tokens_out(needs.max_tokens))
    stream, cost, speed = needs.stream, weights.cost, weights.speed
    quality, reliability, load = weights.quality, weights.reliability, weights.load
    long = needs.tokens_in > LONG
    scores = []
    for candidate in candidates:
        traits, measures = candidate.entry.traits, candidate.standing.measures
        if long:
            traits = traits.of(needs.tokens_in)
        scores.append(
            cost * traits.dear[step]
            + speed
            * (
                measures.first - doubt * measures.doubt_first
                if stream
                else measures.whole - doubt * measures.doubt_whole
            )
            + quality * (poor(candidate) if measures.ratings else traits.poor)
            + reliability * (measures.failing - doubt * measures.doubt_failing)
        )
    if load:
        return [score + load * busy(candidate, ask) for score, candidate in zip(scores, candidates, strict=True)]
    return scores


def poor(candidate: Candidate) -> float:
    """The loss of quality of a target with ratings: the profile's word, outvoted by them little by little."""
    traits, measures = candidate.entry.traits, candidate.standing.measures
    assert measures.rating is not None
    known = UNKNOWN_QUALITY if traits.quality is None else traits.quality
    trust = PRIOR_RATINGS if traits.quality is not None else 1.0
    return 1.0 - (known * trust + measures.rating * measures.ratings) / (trust + measures.ratings)


CAPACITY = 100.0
"""Requests in flight that fill a target of weight 1 without a limit of its own."""


def busy(candidate: Candidate, ask: Ask) -> float:
    """How much of what it may take is taken, 0 to 1: the tightest of places in flight, requests and tokens per minute."""
    standing = candidate.standing
    bounds = standing.bounds
    places = bounds.in_flight or CAPACITY * candidate.entry.target.weight
    used = standing.in_flight / places if places > 0 else 1.0
    if bounds is not UNBOUNDED:
        now_s, rate = ask.now_s, bounds.requests
        if rate is not None:
            taken = 1.0 - (now_s - standing.requests_empty_s) * rate.per_s / rate.capacity
            if taken > used:
                used = taken
        rate = bounds.tokens
        if rate is not None:
            taken = 1.0 - (now_s - standing.tokens_empty_s) * rate.per_s / rate.capacity
            if taken > used:
                used = taken
    return used if used < 1.0 else 1.0


def explored(scores: list[float], candidates: Sequence[Candidate], ask: Ask, share: float) -> list[float]:
    """The scores, which are losses; in `share` of the choices, with the stale target before all others that has most to be hoped from.

    Who scores badly is never asked, and would never be seen to have recovered.
    """
    if share <= 0.0 or ask.dice.random() >= share:
        return scores
    now_s = ask.now_s
    looked_at, hope = -1, inf
    for index, candidate in enumerate(candidates):
        age_s = now_s - candidate.standing.measures.at_s
        if age_s > STALE_S and not candidate.standing.in_flight:
            hoped = scores[index] - DRIFT * sqrt(min(age_s, LONG_S) / STALE_S)
            if hoped < hope:
                looked_at, hope = index, hoped
    if looked_at >= 0:
        scores[looked_at] = min(scores) - 1.0
    return scores


def stepped(scores: list[float], step: float) -> list[float]:
    """Scores rounded down to multiples of `step`, so that the balancer shares among those who are nearly equal."""
    return [score // step * step if score < inf else score for score in scores] if step > 0.0 else scores


# What these are made of, for whoever asks


def cost_part(traits: Traits, ask: Ask, weight: float) -> Part:
    """The loss of a price, and the dollars that the request is expected to cost."""
    needs = ask.needs
    answer = tokens_out(needs.max_tokens)
    loss = traits.dear[shape(needs.tokens_in, answer)]
    if traits.input is None or traits.output is None:
        return Part("cost", weight * loss, None, "$", Known.UNKNOWN, weight, loss)
    nusd = needs.tokens_in * traits.input + answer * traits.output
    return Part("cost", weight * loss, nusd / NANO_PER_DOLLAR, "$", Known.LISTED, weight, loss)


def speed_part(measures: Measures, ask: Ask, weight: float) -> Part:
    """The loss of a time, and the time: to the first content of a stream, else to the end."""
    loss, seen = (measures.first, measures.first_ms) if ask.needs.stream else (measures.whole, measures.whole_ms)
    known = Known.PRIOR if seen is None else Known.MEASURED
    return Part("speed", weight * loss, time_ms(loss), "ms", known, weight, loss)


def quality_part(candidate: Candidate, weight: float) -> Part:
    """The loss of quality, and the quality."""
    traits = candidate.entry.traits
    if candidate.standing.measures.ratings:
        loss, known = poor(candidate), Known.RATED
    else:
        loss, known = traits.poor, Known.UNKNOWN if traits.quality is None else Known.LISTED
    return Part("quality", weight * loss, None if known is Known.UNKNOWN else 1.0 - loss, "", known, weight, loss)


def failures_part(measures: Measures, weight: float) -> Part:
    """The share of failures of late."""
    known = Known.MEASURED if measures.weight else Known.PRIOR
    return Part("failures", weight * measures.failing, measures.failing, "share", known, weight, measures.failing)


def load_part(candidate: Candidate, ask: Ask, weight: float) -> Part:
    """The used share of the tightest limit."""
    used = busy(candidate, ask)
    return Part("load", weight * used, used, "share", Known.MEASURED, weight, used)


def weighed_parts(candidates: Sequence[Candidate], ask: Ask, weights: Weights) -> Parts:
    """What `weighed` adds up, in its order; what weighs nothing is left out."""
    found: Parts = []
    for candidate in candidates:
        traits, measures = candidate.entry.traits, candidate.standing.measures
        parts = [
            cost_part(traits.of(ask.needs.tokens_in), ask, weights.cost),
            speed_part(measures, ask, weights.speed),
            quality_part(candidate, weights.quality),
            failures_part(measures, weights.reliability),
        ]
        if weights.load:
            parts.append(load_part(candidate, ask, weights.load))
        found.append([part for part in parts if part.weight])
    return found


def doubted_parts(candidates: Sequence[Candidate], ask: Ask, weights: Weights, doubt: float) -> Parts:
    """The same, with the benefit of the doubt."""
    scores = weighed(candidates, ask, weights, doubt)
    return changed(weighed_parts(candidates, ask, weights), scores, "doubt", Known.MEASURED)


def looked_parts(parts: Parts, candidates: Sequence[Candidate], ask: Ask, share: float, step: float = 0.0) -> Parts:
    """The same, with what `stepped` and `explored` make of it."""
    parts = changed(parts, stepped([total(of_one) for of_one in parts], step), "rounding")
    scores = [total(of_one) for of_one in parts]
    return changed(parts, explored(list(scores), candidates, ask, share), "look again", Known.CHANCE)

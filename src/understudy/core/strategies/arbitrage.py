"""Prefers the cheapest place that runs the wanted model right now, counting what is already in a prompt cache."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from understudy.core.candidate import Ask, Candidate
from understudy.core.money import NANO_PER_DOLLAR
from understudy.core.parts import Known, Part, Parts, total
from understudy.core.scales import tokens_out
from understudy.core.value import value

BEHIND = 1e15
"""More nano-dollars than any request costs."""


@value
class Arbitrage:
    """Prefers the cheapest place that runs the wanted model right now, counting what is already in a prompt cache.

    The wanted model is that of the tier's first target; whoever runs the same one (`same_as` of its profile) is equivalent, and all
    others come after those; while nobody knows what the first one runs, all are alike. Score: nano-dollars of the request per success: prompt x input rate, less what the cache
    saves, + expected answer x output rate, divided by the target's share of successes. Saved: as many tokens as the session's last
    prompt had, at the target that answered it within five minutes; elsewhere, the share of its prompts that came from the cache of
    late. An unknown price comes last among its like. Not for tiers of different models: use `cost`, `cost_quality` or `composite`.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures", "sessions")

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Nano-dollars per success."""
        tokens_in, answer, warm = ask.needs.tokens_in, tokens_out(ask.needs.max_tokens), ask.warm
        warm_slot = warm.slot if warm is not None else -1
        held = min(tokens_in, warm.tokens) if warm is not None else 0
        scores = []
        for candidate in candidates:
            traits, measures = candidate.entry.traits.of(tokens_in), candidate.standing.measures
            if traits.input is None or traits.output is None or traits.cache_read is None:
                score = inf
            else:
                cached = held if candidate.entry.slot == warm_slot else tokens_in * measures.cached
                score = tokens_in * traits.input - cached * (traits.input - traits.cache_read) + answer * traits.output
                score /= max(0.01, 1.0 - measures.failing)
            scores.append(score if traits.equivalent else score + BEHIND)
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The dollars, what a cache saves of them, and what failures add."""
        tokens_in, answer, warm = ask.needs.tokens_in, tokens_out(ask.needs.max_tokens), ask.warm
        found: Parts = []
        for candidate, score in zip(candidates, self.scores(candidates, ask), strict=True):
            traits, measures = candidate.entry.traits.of(tokens_in), candidate.standing.measures
            if traits.input is None or traits.output is None or traits.cache_read is None:
                parts = [Part("price", inf, None, "$", Known.UNKNOWN)]
            else:
                is_warm = warm is not None and candidate.entry.slot == warm.slot
                cached = min(tokens_in, warm.tokens) if warm is not None and is_warm else tokens_in * measures.cached
                read, written = tokens_in * traits.input, answer * traits.output
                known = Known.MEASURED if is_warm or measures.weight else Known.PRIOR
                parts = [
                    Part("prompt", read, read / NANO_PER_DOLLAR, "$"),
                    Part("cached", -cached * (traits.input - traits.cache_read), cached, "tokens", known),
                    Part("answer", written, written / NANO_PER_DOLLAR, "$"),
                ]
                whole = score if traits.equivalent else score - BEHIND
                parts.append(Part("failures", whole - total(parts), measures.failing, "share", known))
            if not traits.equivalent:
                parts.append(Part("another model", BEHIND))
            found.append(parts)
        return found


STRATEGY = Arbitrage

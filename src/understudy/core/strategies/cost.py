"""Prefers the cheapest target for the request at hand, among those that are good enough."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.catalogue.traits import LONG
from understudy.core.money import NANO_PER_DOLLAR
from understudy.core.parts import Known, Part, Parts
from understudy.core.scales import tokens_out
from understudy.core.value import value

BEHIND = 1e15
"""More nano-dollars than any request costs: who is not good enough comes after all who are."""


@value
class Cost:
    """Prefers the cheapest target for the request at hand, among those that are good enough.

    Score: tokens in x input rate + expected tokens out x output rate, in nano-dollars; the answer is expected to be as long as
    `max_tokens` of the request, 300 at most. An unknown price comes last; a local target without one is free. Not where a failure
    or a slow answer costs more than tokens do: use `composite`.

    `min_quality`: targets whose profile's quality is below, or unknown, come after all others, cheapest first; None: whatever it is.
    """

    min_quality: float | None = None

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, min_quality=self.min_quality)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Nano-dollars."""
        tokens_in, answer = ask.needs.tokens_in, tokens_out(ask.needs.max_tokens)
        least, long = self.min_quality, tokens_in > LONG
        scores = []
        for candidate in candidates:
            traits = candidate.entry.traits.of(tokens_in) if long else candidate.entry.traits
            if traits.input is None or traits.output is None:
                score = inf
            else:
                score = tokens_in * traits.input + answer * traits.output
            if least is not None and (traits.quality is None or traits.quality < least):
                score += BEHIND
            scores.append(score)
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The dollars."""
        tokens_in, answer = ask.needs.tokens_in, tokens_out(ask.needs.max_tokens)
        found: Parts = []
        for candidate in candidates:
            traits = candidate.entry.traits.of(tokens_in)
            if traits.input is None or traits.output is None:
                parts = [Part("price", inf, None, "$", Known.UNKNOWN)]
            else:
                read, written = tokens_in * traits.input, answer * traits.output
                parts = [
                    Part("prompt", read, read / NANO_PER_DOLLAR, "$"),
                    Part("answer", written, written / NANO_PER_DOLLAR, "$"),
                ]
            if self.min_quality is not None and (traits.quality is None or traits.quality < self.min_quality):
                known = Known.UNKNOWN if traits.quality is None else Known.LISTED
                parts.append(Part("not good enough", BEHIND, traits.quality, known=known))
            found.append(parts)
        return found


STRATEGY = Cost

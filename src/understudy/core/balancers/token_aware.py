"""Prefers the one of the equals that has the fewest tokens before it, for the tokens per second that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.balancers._least_first import least_first
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.value import value

PACE = 50.0
"""Tokens per second of a target that has not answered yet."""


@value
class TokenAware:
    """Prefers the one of the equals that has the fewest tokens before it, for the tokens per second that it makes.

    Order: by (prompt tokens in flight + this request's) / (tokens per second of its answers of late x weight); 50 per second before
    the first answer. Ties take turns; a weight of 0 comes last. (Whoever has not enough of its limit of tokens per minute left is left out before.) Not where requests are all of one size: `least_in_flight` says the same at less cost.

    `explore`: share of the choices that go by turns, so that who was slow once is asked again.
    """

    reads: ClassVar[tuple[str, ...]] = ("measures",)
    explore: float = 0.02

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, explore=self.explore)

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """From least to most work."""
        tokens = ask.needs.tokens_in + 1

        def work_s(candidate: Candidate) -> float:
            standing, weight = candidate.standing, candidate.entry.target.weight
            pace = standing.measures.tokens_per_s or PACE
            return (standing.tokens_in_flight + tokens) / pace / weight if weight > 0 else inf

        return least_first(candidates, ask, work_s, self.explore)

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The tokens before it, and how fast it makes them."""
        found: Parts = []
        for one in candidates:
            pace = one.standing.measures.tokens_per_s
            known = Known.MEASURED if pace else Known.PRIOR
            found.append(
                [
                    Part("tokens before it", None, one.standing.tokens_in_flight, "tokens", Known.MEASURED),
                    Part("tokens per second", None, pace or PACE, known=known),
                    Part("weight", None, one.entry.target.weight),
                ]
            )
        return found


BALANCER = TokenAware

"""Of what a preference was made: the one form in which strategies and balancers tell it, only when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from understudy.core.value import value

if TYPE_CHECKING:
    from understudy.core.candidate import Ask, Candidate


class Known(StrEnum):
    """From where a figure is known."""

    LISTED = "listed"  # the configuration, or the catalogue: prices, qualities, places in a list
    REQUEST = "request"  # read off the request itself
    MEASURED = "measured"  # this worker's own attempts, fading
    RATED = "rated"  # scores given to answers, averaged with what is listed
    PRIOR = "prior"  # nothing was measured yet: what the profile's tier suggests
    UNKNOWN = "unknown"  # nobody says; the strategy's own assumption
    CHANCE = "chance"  # drawn for this choice


LEARNED = (Known.MEASURED, Known.RATED, Known.PRIOR)
"""What changes as attempts end."""


@value
class Part:
    """One part of a score, or of a place among equals.

    `adds`: what it adds to the score; a candidate's parts add up to its score. None where a balancer tells by what it ordered. `figure`: what it
    was made from, in `unit` ("$", "ms", "tokens", "share": 0 to 1, "" for a bare number); None where nobody knows it. `weight`,
    `loss`: where it is their product.
    """

    name: str
    adds: float | None
    figure: float | None = None
    unit: str = ""
    known: Known = Known.LISTED
    weight: float | None = None
    loss: float | None = None


Parts = list[list[Part]]
"""Of each candidate, in their order."""


class Telling(Protocol):
    """A strategy or balancer that tells of what its preference was made. Whoever does not is shown by its scores alone."""

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The parts of each candidate's score, or of its place, for the very arguments that `scores` or `order` had."""
        ...


def total(parts: Sequence[Part]) -> float:
    """What they add up to, from left to right as strategies add (`sum` rounds otherwise from Python 3.12 on)."""
    score = 0.0
    for part in parts:
        score += part.adds or 0.0
    return score


def changed(parts: Parts, scores: Sequence[float], name: str, known: Known = Known.REQUEST) -> Parts:
    """The parts, with one more named so wherever a candidate's do not add up to its score yet."""
    for of_one, score in zip(parts, scores, strict=True):
        before = total(of_one)
        if score != before:
            of_one.append(Part(name, score - before, known=known))
    return parts

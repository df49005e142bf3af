"""What came of simulated requests, in figures that add up."""

from __future__ import annotations

from dataclasses import fields

from understudy.core.failure import Failure, Implicates, Then
from understudy.core.outcome import Purpose
from understudy.core.value import keyword_value
from understudy.sim.invariants import Seen


@keyword_value
class Figures:
    """What came of simulations; two of them add up.

    `possible`: requests for which some target that is not degraded was up for one whole attempt within their deadline; without those whose
    caller left or was mistaken. `answered_possible`: those of them with an answer that is whole and not degraded. `broken_possible`: those
    whose stream broke after its first content, when nobody else may take over. `possible_whole`, `answered_whole`: what of the first
    two was not streamed. `probes`: active ones, which are nobody's attempts; `probes_good`: those that were answered.
    """

    seeds: int = 0
    requests: int = 0
    answered: int = 0
    degraded: int = 0
    broken: int = 0
    mistaken: int = 0
    left: int = 0
    possible: int = 0
    answered_possible: int = 0
    broken_possible: int = 0
    possible_whole: int = 0
    answered_whole: int = 0
    attempts: int = 0
    tests: int = 0
    panics: int = 0
    opened: int = 0
    probes: int = 0
    probes_good: int = 0
    events: int = 0
    virtual_s: float = 0.0

    @property
    def availability(self) -> float:
        """Of the possible requests, the share that was answered, whole and not degraded; 1 when nothing was possible."""
        return _share(self.answered_possible, self.possible)

    @property
    def availability_whole(self) -> float:
        """The same of those that were not streamed."""
        return _share(self.answered_whole, self.possible_whole)

    @property
    def availability_streams(self) -> float:
        """Of the possible streams, the share that began to answer, not degraded: what falling back can do for them ends there."""
        begun = self.answered_possible - self.answered_whole + self.broken_possible
        return _share(begun, self.possible - self.possible_whole)

    @property
    def broken_streams(self) -> float:
        """Of the possible streams, the share that broke after its first content, with an error at its end."""
        return _share(self.broken_possible, self.possible - self.possible_whole) if self.broken_possible else 0.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})


_NAMES = tuple(field.name for field in fields(Figures))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def figures_of(seen: Seen, *, possible: bool) -> Figures:
    """One request. `possible`: the truth about it."""
    result = seen.results[-1]
    good = result.winner is not None and result.failure is None
    broken = result.winner is not None and not good
    mistaken = any(_by_the_caller(one.failure) for one in result.attempts)
    counts = possible and not seen.left and not mistaken
    well = counts and good and not result.degraded
    streamed = seen.decision.needs.stream
    purposes = [outcome.purpose for outcome in result.attempts]
    return Figures(
        requests=1,
        answered=good,
        degraded=result.degraded,
        broken=broken,
        mistaken=mistaken,
        left=seen.left,
        possible=counts,
        answered_possible=well,
        broken_possible=counts and broken and not result.degraded,
        possible_whole=counts and not streamed,
        answered_whole=well and not streamed,
        attempts=len(purposes),
        tests=purposes.count(Purpose.TEST),
        panics=purposes.count(Purpose.PANIC),
    )


def _by_the_caller(failure: Failure | None) -> bool:
    """Whether the request itself was wrong, so that nobody could have answered it."""
    return failure is not None and failure.then is Then.STOP and failure.implicates is Implicates.CALLER

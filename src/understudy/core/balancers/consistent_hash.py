"""Keeps each session at one of the equals, as long as that one is not overloaded."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log

from understudy.core.allowed import at_least
from understudy.core.candidate import Ask, Candidate
from understudy.core.dice import Dice, label_of
from understudy.core.parts import Known, Part, Parts
from understudy.core.value import value

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_UNIT = 2.0**-53
_ODD = 0xBF58_476D_1CE4_E5B9
"""The first multiplier of SplitMix64's mixing: key and label are mixed well already."""

FEW = 4
"""Fewer requests in flight than this are no overload, however idle the others are: a warm cache is worth more."""


@value
class ConsistentHash:
    """Keeps each session at one of the equals, as long as that one is not overloaded: prompt caches stay warm.

    Order: each target's own draw from the session's name, in proportion to the weights (rendezvous hashing: D. Thaler, C. Ravishankar, 1998);
    when a target leaves, only its own sessions move, evenly to the others. A request without a session goes by its principal, without that
    by turns. Whoever has more than `bound` times its fair share in flight (and four at least) comes after those who have not (V. Mirrokni, M. Thorup,
    M. Zadimoghaddam, "Consistent hashing with bounded loads", 2018); a weight of 0 comes last. Not where no session comes twice: use `least_in_flight`.

    `bound`: 1 or more; nearer to 1 it shares the load better and moves more sessions.
    """

    bound: float = 1.25

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        at_least(1.0, bound=self.bound)

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """The session's own order."""
        name = ask.session or ask.principal
        key = Dice(label_of(name) if name else ask.turn).next()
        draws = [((key ^ candidate.entry.traits.label) * _ODD) & _MASK for candidate in candidates]
        weights = [candidate.entry.target.weight for candidate in candidates]
        if weights.count(weights[0]) == len(weights):
            ranking = sorted(range(len(draws)), key=draws.__getitem__)
        else:
            pairs = zip(draws, weights, strict=True)
            keys = [-log(1.0 - (draw >> 11) * _UNIT) / weight if weight > 0 else inf for draw, weight in pairs]
            ranking = sorted(range(len(keys)), key=keys.__getitem__)
        ordered = [candidates[index] for index in ranking]
        return self._bounded(ordered)

    def _bounded(self, ordered: list[Candidate]) -> list[Candidate]:
        """The same, with the overloaded ones after the others."""
        if ordered[0].standing.in_flight < FEW:
            return ordered
        weight = sum([candidate.entry.target.weight for candidate in ordered])
        if weight <= 0:
            return ordered
        fair = self.bound * (sum([candidate.standing.in_flight for candidate in ordered]) + 1) / weight
        full = [candidate.standing.in_flight >= fair * candidate.entry.target.weight for candidate in ordered]
        if not full[0]:
            return ordered
        room = [candidate for candidate, is_full in zip(ordered, full, strict=True) if not is_full]
        return room + [candidate for candidate, is_full in zip(ordered, full, strict=True) if is_full]

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The session's draw, the weight, and the requests in flight."""
        name = ask.session or ask.principal
        key = Dice(label_of(name) if name else ask.turn).next()
        found: Parts = []
        for one in candidates:
            draw = (((key ^ one.entry.traits.label) * _ODD) & _MASK) >> 11
            found.append(
                [
                    Part("draw", None, draw * _UNIT, known=Known.REQUEST),
                    Part("weight", None, one.entry.target.weight),
                    Part("in flight", None, one.standing.in_flight, known=Known.MEASURED),
                ]
            )
        return found


BALANCER = ConsistentHash

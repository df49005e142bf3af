"""What a choice is made of: who may be chosen, what is asked about each, and who judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol

from understudy.core.catalogue.traits import Traits, traits_of
from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.request import Needs
from understudy.core.sessions import Warm
from understudy.core.standing import Standing
from understudy.core.target import Target
from understudy.core.value import value

NO_TRAITS = traits_of(Target(name="", provider="", model=""), None)


@value
class Entry:
    """A target as it stands in one tier of one route. `slot`, `breaker`: where the scoreboard keeps it.

    `space`: the vector space to which the route keeps; None when it embeds nothing, or does not mind. `holders`: wire format -> the
    route's first target that speaks it, whose provider holds what callers of that format left there. `regions`: those to which the
    route keeps; empty when it does not mind. `leave_early`: the route asks others first while it is getting worse. `traits`: what strategies and
    balancers weigh.
    """

    target: Target
    tier: str
    degraded: bool
    position: int
    slot: int
    breaker: int
    space: str | None = None
    holders: Mapping[str, Target] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    traits: Traits = NO_TRAITS
    leave_early: bool = False

    def is_guest(self, dialect: str) -> bool:
        """Whether another provider, or the same at another address, holds and seals what callers of this format have."""
        holder = self.holders.get(dialect)
        return holder is not None and (holder.provider, holder.base_url) != (self.target.provider, self.target.base_url)


@value
class Candidate:
    """An entry and its standing at the moment of choosing."""

    entry: Entry
    standing: Standing


@value
class Tried:
    """What this request has done with a target, and `why` that ended. `final`: it is not asked again.

    `refused`: it had no place to give; `not_before_s` then says when it may have one, else when the backoff is over.
    """

    attempts: int
    not_before_s: float
    final: bool
    why: FailureKind
    refused: bool = False


@value
class Ask:
    """Everything a choice depends on besides the candidates: with it, choosing again gives the same.

    `repeat`: targets already tried may be asked again. `larger_than`: only context windows known to exceed it.
    `session`: which conversation it belongs to, `principal`: who asks, "" when nobody says; `warm`: where the session was answered
    last, if the strategy reads sessions. `budget_left`: share of the tightest budget, 0 to 1; None without one.
    """

    needs: Needs
    dialect: str
    now_s: float
    dice: Dice
    turn: int
    tried: dict[int, Tried]
    repeat: bool = False
    larger_than: int | None = None
    session: str = ""
    principal: str = ""
    warm: Warm | None = None
    budget_left: float | None = None


@value
class Exclusion:
    """Why a target was left out. `reason`: the eligibility entry's name. `until_s`: when it lifts, None when unknown."""

    target: str
    reason: str
    detail: str
    until_s: float | None = None


class Condition(Protocol):
    """One reason to leave a target out.

    `reads` says what it depends on, which decides when it is asked: `target` (the target, the dialect and the request's
    features: asked once and remembered), `request` (asked each time), `tried` (asked when the request has tried anyone),
    `standing` (asked when the target's standing may leave no room).
    """

    name: str
    reads: str

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The exclusion, or None when this condition has nothing against the candidate."""
        ...


class Standings(Protocol):
    """Standings by the scoreboard's slot numbers: its own list, or what a Decision kept of it."""

    def __getitem__(self, slot: int, /) -> Standing: ...


class Strategy(Protocol):
    """What "better" means. A class attribute `reads` says what it wants collected for it, see `COLLECTED`."""

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """One score per candidate: lower is preferred, equal scores are equals for the balancer."""
        ...


class Balancer(Protocol):
    """Who among equals. It may have `reads`, like a strategy."""

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        """All of them, in the order of trying."""
        ...


COLLECTED = ("measures", "prompt", "sessions", "task")
"""What a strategy or balancer may read that nobody collects unasked: `Standing.measures` of its route's targets; the request's
`Needs.traits`, its `Needs.task`; `Ask.warm`."""


def collected_for(*readers: object) -> tuple[str, ...]:
    """What these read of it. Raises `ValueError` when one reads something unheard of: it would never be there."""
    wanted = [name for reader in readers for name in getattr(reader, "reads", ())]
    for name in wanted:
        if name not in COLLECTED:
            raise ValueError(f"there are no {name!r} to read, only {', '.join(COLLECTED)}")
    return tuple(wanted)


READS = ("target", "request", "tried", "standing")
"""What a condition may depend on, in the order of asking."""


def first_exclusion(conditions: Sequence[Condition], candidate: Candidate, ask: Ask) -> Exclusion | None:
    """The first condition's word that has something against the candidate."""
    for condition in conditions:
        found = condition.excludes(candidate, ask)
        if found is not None:
            return found
    return None

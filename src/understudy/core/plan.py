"""A route as it is walked: its tiers ready for choosing, in the order of trying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from understudy.core.candidate import (
    READS,
    Ask,
    Balancer,
    Candidate,
    Condition,
    Entry,
    Exclusion,
    Standings,
    Strategy,
    collected_for,
    first_exclusion,
)
from understudy.core.policy import Policy
from understudy.core.request import Operation
from understudy.core.route import Route
from understudy.core.value import value

FITS_MAX = 256
"""Remembered combinations of dialect and features per tier; there are few in practice, and a caller may not grow it."""


class TierPlan:
    """One tier of a route, ready for choosing.

    `number`: its place among the route's. `paid`: its attempts count, because its targets are no stand-ins; a tier holds
    either the one or the other. `passing`: names of the conditions that lift by themselves. `rotation`: under which name the scoreboard counts its turns.
    `plan`: whose tier it is, once that is put together; it makes a kept Decision whole without a reference in each.
    """

    __slots__ = (
        "_again",
        "_fits",
        "_once",
        "_reads",
        "degraded",
        "entries",
        "name",
        "number",
        "paid",
        "passing",
        "plan",
        "rotation",
    )

    def __init__(
        self, route: str, number: int, name: str, entries: tuple[Entry, ...], conditions: Sequence[Condition]
    ) -> None:
        self.name = name
        self.number = number
        self.plan: RoutePlan | None = None
        self.rotation = f"{route}/{number}"
        self.entries = entries
        self.degraded = entries[0].degraded
        self.paid = not entries[0].target.stand_in
        self._reads = {reads: tuple(one for one in conditions if one.reads == reads) for reads in READS}
        self.passing = tuple(condition.name for condition in self._reads["standing"])
        self._once = self._asked("request"), self._asked("request", "standing")
        self._again = self._asked("request", "tried"), self._asked("request", "tried", "standing")
        self._fits: dict[tuple[str, tuple[str, ...]], tuple[list[Candidate], tuple[Exclusion, ...]]] = {}

    def apart(self, entries: tuple[Entry, ...] | None = None) -> TierPlan:
        """Its like with a memory of its own, to choose in again on any thread. `entries`: in place of its own."""
        conditions = [condition for reads in READS for condition in self._reads[reads]]
        route = self.rotation.rpartition("/")[0]
        made = TierPlan(route, self.number, self.name, self.entries if entries is None else entries, conditions)
        made.plan = self.plan
        return made

    def conditions(self, ask: Ask) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
        """What there is to ask about each candidate: about one that has room for the request, and about any other."""
        return self._again if ask.tried else self._once

    def fit(self, ask: Ask, standings: Standings) -> tuple[list[Candidate], tuple[Exclusion, ...]]:
        """The candidates that could ever take such a request, with the present standings, and why the others never can."""
        key = (ask.dialect, ask.needs.features)
        known = self._fits.get(key)
        if known is None:
            if len(self._fits) >= FITS_MAX:
                self._fits.clear()
            known = self._fits[key] = self._sift(ask, standings)
            return known
        # Most targets stand as they stood at the last choice: looking is a third of the price of making them anew.
        candidates = known[0]
        for index, candidate in enumerate(candidates):
            standing = standings[candidate.entry.slot]
            if candidate.standing is not standing:
                candidates[index] = Candidate(candidate.entry, standing)
        return known

    def _asked(self, *reads: str) -> tuple[Condition, ...]:
        return tuple(condition for each in reads for condition in self._reads[each])

    def _sift(self, ask: Ask, standings: Standings) -> tuple[list[Candidate], tuple[Exclusion, ...]]:
        fitting: list[Candidate] = []
        left_out: list[Exclusion] = []
        for entry in self.entries:
            candidate = Candidate(entry, standings[entry.slot])
            found = first_exclusion(self._reads["target"], candidate, ask)
            if found is None:
                fitting.append(candidate)
            else:
                left_out.append(found)
        return fitting, tuple(left_out)


@value
class Visit:
    """One turn of a tier in the order of trying.

    `kept`: attempts that belong to other tiers; `first`: the tier's own first attempt may come out of those. `repeat`:
    targets already tried may be asked again.
    """

    tier: TierPlan
    kept: int
    first: bool
    repeat: bool


class Round:
    """Visits to some tiers, one after another, that keep `kept` attempts for the tiers after them.

    `leftovers`: visits to those who were passed over to keep an attempt for a later tier, which then had nobody to spend it on.
    """

    __slots__ = ("kept", "leftovers", "visits")

    def __init__(self, tiers: tuple[TierPlan, ...], after: tuple[TierPlan, ...], *, repeat: bool = False) -> None:
        self.kept = paid(after)
        self.visits = tuple(
            Visit(tier, paid(tiers[number + 1 :]) + self.kept, not repeat, repeat) for number, tier in enumerate(tiers)
        )
        self.leftovers = tuple(Visit(tier, self.kept, False, repeat) for tier in tiers)


def paid(tiers: tuple[TierPlan, ...]) -> int:
    """How many of these tiers need an attempt of the budget."""
    return sum(tier.paid for tier in tiers)


class RoutePlan:
    """A whole route, ready for walking. `normal`: the tiers that are not degraded; `degraded`: the others. `entries`: everybody's.

    `once`, `again`, `stand_ins`: the rounds of a walk, over the normal tiers, over them again with repeats, and over the
    degraded ones. `last`: over what the degraded ones left of the attempts. `sessions`: where each session was answered is remembered.
    `reads_prompt`, `reads_task`: the choice depends on the words of the request, so that its traits, or what it is about, must be told.
    `origin`: what it was made by, while that is there, for explanations.
    """

    __slots__ = (
        "again",
        "balancer",
        "degraded",
        "entries",
        "last",
        "name",
        "normal",
        "once",
        "origin",
        "policy",
        "reads_prompt",
        "reads_task",
        "sessions",
        "stand_ins",
        "strategy",
        "tiers",
        "version",
    )

    def __init__(
        self, route: Route, tiers: tuple[TierPlan, ...], strategy: Strategy, balancer: Balancer, version: str
    ) -> None:
        self.name = route.name
        self.policy: Policy = route.policy
        self.tiers = tiers
        self.entries = tuple(entry for tier in tiers for entry in tier.entries)
        self.normal = tuple(tier for tier in tiers if not tier.degraded)
        self.degraded = tuple(tier for tier in tiers if tier.degraded)
        self.once = Round(self.normal, self.degraded)
        self.again = Round(self.normal, self.degraded, repeat=True)
        self.stand_ins = Round(self.degraded, ())
        self.last = Round(self.normal, ())
        self.strategy = strategy
        self.balancer = balancer
        read = collected_for(strategy, balancer)
        self.reads_prompt = "prompt" in read
        self.reads_task = "task" in read
        self.sessions = "sessions" in read
        self.version = version
        self.origin: Callable[[], Origin | None] = _unknown_origin
        for tier in tiers:
            tier.plan = self


class Origin(Protocol):
    """A whole configuration made ready, as far as explanations ask it."""

    def figure_source(self, target: str, figure: str) -> str | None:
        """Who gave a figure of a target that its configuration leaves out; None where it was written, or is not known."""
        ...

    def left_by(
        self, asked: str, fired: tuple[str, ...], strategy: str | None, operation: Operation
    ) -> tuple[RoutePlan, Standings] | None:
        """The route of that name as these rules would leave it, and how its targets stand before any traffic.

        None when they leave nobody to ask.
        """
        ...


def _unknown_origin() -> None:
    return None

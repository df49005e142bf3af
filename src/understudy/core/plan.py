"""A route made ready for choosing: what is known before any request comes is worked out once, at configuration load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from understudy.core.catalogue.traits import Traits, traits_of
from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.policy import Policy
from understudy.core.request import Needs, Operation
from understudy.core.route import Route
from understudy.core.scoreboard import Scoreboard
from understudy.core.sessions import Warm
from understudy.core.standing import Standing
from understudy.core.target import Target
from understudy.core.value import value

FITS_MAX = 256
"""Remembered combinations of dialect and features per tier; there are few in practice, and a caller may not grow it."""


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


def first_exclusion(conditions: Sequence[Condition], candidate: Candidate, ask: Ask) -> Exclusion | None:
    """The first condition's word that has something against the candidate."""
    for condition in conditions:
        found = condition.excludes(candidate, ask)
        if found is not None:
            return found
    return None


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
    """A whole route, ready for walking. `normal`: the tiers that are not degraded; `degraded`: the others.

    `once`, `again`, `stand_ins`: the rounds of a walk, over the normal tiers, over them again with repeats, and over the
    degraded ones. `last`: over what the degraded ones left of the attempts. `sessions`: where each session was answered is remembered.
    `reads_prompt`, `reads_task`: the choice depends on the words of the request, so that its traits, or what it is about, must be told.
    `origin`: what it was made by, while that is there, for explanations.
    """

    __slots__ = (
        "again",
        "balancer",
        "degraded",
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


def compile_route(  # noqa: PLR0917  the parts that a plan is put together from
    route: Route,
    target: Callable[[str], Target],
    board: Scoreboard,
    strategy: Strategy,
    balancer: Balancer,
    conditions: Sequence[Condition],
    version: str,
) -> RoutePlan:
    """Work out what can be known before a request comes. `target` gives a target by name, or raises `KeyError`.

    Raises `ValueError` for a condition that reads something unheard of: it would never be asked.

    A stand-in inside a tier that is not degraded becomes a degraded tier of its own, right after the tiers that are not:
    its answers are labelled, and real targets come first.
    """
    for condition in conditions:
        if condition.reads not in READS:
            raise ValueError(
                f"condition {condition.name} reads {condition.reads!r}, which is none of {', '.join(READS)}"
            )
    space = None if route.policy.mix_spaces else space_of(route, target)
    early = route.policy.leave_early
    measured = early or "measures" in collected_for(strategy, balancer)
    holders = holders_of(route, target)
    plans: list[TierPlan] = []
    for tier in route.tiers:
        wanted = target(tier.targets[0]).profile.same_as
        for stand_ins in (False, True):
            entries = []
            for position, name in enumerate(tier.targets):
                one = target(name)
                if one.stand_in is not stand_ins:
                    continue
                slot, breaker = board.register(one, route.policy.breaker)
                if route.policy.hedge is not None:
                    board.learn_times(slot)
                if measured:
                    board.measure(slot, wary=early)
                degraded = tier.degraded or stand_ins
                keeps, traits = route.policy.regions, traits_of(one, wanted)
                entries.append(
                    Entry(one, tier.name, degraded, position, slot, breaker, space, holders, keeps, traits, early)
                )
            if entries:
                plans.append(TierPlan(route.name, len(plans), tier.name, tuple(entries), conditions))
    return RoutePlan(route, tuple(plans), strategy, balancer, version)


def space_of(route: Route, target: Callable[[str], Target]) -> str | None:
    """The vector space of a route: that of its first target that embeds, whatever state that target is in."""
    spaces = (target(name).embeds for tier in route.tiers for name in tier.targets)
    return next((space for space in spaces if space is not None), None)


def holders_of(route: Route, target: Callable[[str], Target]) -> dict[str, Target]:
    """Wire format -> the first target of a route that speaks it, or counts tokens in it."""
    holders: dict[str, Target] = {}
    for one in (target(name) for tier in route.tiers for name in tier.targets):
        for dialect in (*one.dialects, *one.counts):
            holders.setdefault(dialect, one)
    return holders

"""Makes a route ready for choosing: works out what is known before any request comes, at configuration load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from understudy.core.candidate import READS, Balancer, Condition, Entry, Strategy, collected_for
from understudy.core.catalogue.traits import traits_of
from understudy.core.plan import RoutePlan, TierPlan
from understudy.core.route import Route
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target


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

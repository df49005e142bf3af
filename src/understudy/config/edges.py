"""Every step from one target of a route to the next, and whether a request can get there at all."""

from __future__ import annotations

from understudy.config import Configuration
from understudy.core.eligibility.region import outside
from understudy.core.route import Route
from understudy.core.target import Target
from understudy.core.value import value


@value
class Edge:
    """One step. `origin`: whose failure leads here, None for the beginning. `why`: what stands in the way, "" for nothing."""

    route: str
    origin: str | None
    target: str
    tier: str
    degraded: bool
    why: str = ""

    @property
    def reachable(self) -> bool:
        """Whether a request for which everyone before fails gets here."""
        return not self.why


def edges(configuration: Configuration) -> tuple[Edge, ...]:
    """Every step of every route, in the order in which a request takes them when everything fails."""
    return tuple(edge for route in configuration.routes.values() for edge in route_edges(route, configuration.targets))


def route_edges(route: Route, targets: dict[str, Target]) -> tuple[Edge, ...]:
    """The steps of one route. Stand-ins come after the tiers that are not degraded, and cost no attempt."""
    order = [(tier, name) for tier in route.tiers for name in tier.targets]
    order.sort(key=lambda step: step[0].degraded or targets[step[1]].stand_in)
    found: list[Edge] = []
    spent = 0
    origin: str | None = None
    allowed = route.policy.attempts_max
    for tier, name in order:
        stand_in = targets[name].stand_in
        why = outside(targets[name], route.policy.regions)
        barred = bool(why)
        if not stand_in and not barred and spent >= allowed:
            why = f"attempts_max is {allowed}, and so many targets come before; raise it"
        found.append(Edge(route.name, origin, name, tier.name, tier.degraded or stand_in, why))
        spent += not stand_in and not barred
        origin = name
    return tuple(found)

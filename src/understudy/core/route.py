"""A route: what a caller asks for by name, and the tiers of targets that may answer."""

from __future__ import annotations

from understudy.core.policy import Policy
from understudy.core.value import JsonObject, keyword_value, value

TIERS = ("primary", "secondary", "emergency", "local")
"""In the order of trying."""


@value
class Named:
    """A registry entry and its settings, as the configuration names them (`composite`, `{composite: {cost: 0.4}}`)."""

    name: str
    settings: JsonObject


@keyword_value
class Tier:
    """Targets of equal standing. `degraded`: an answer from here is labelled and never counts as a success."""

    name: str
    targets: tuple[str, ...]
    degraded: bool = False


@keyword_value
class Route:
    """Tiers in the order of trying, and how to choose within them."""

    name: str
    tiers: tuple[Tier, ...]
    strategy: Named = Named("failover", {})
    balancer: Named = Named("least_in_flight", {})
    policy: Policy = Policy()


def tiers_of(named: dict[str, tuple[str, ...]]) -> tuple[Tier, ...]:
    """Tiers in their order; emergency is degraded always, local when another tier stands before it."""
    present = [name for name in TIERS if named.get(name)]
    return tuple(
        Tier(
            name=name,
            targets=named[name],
            degraded=name == "emergency" or (name == "local" and position > 0),
        )
        for position, name in enumerate(present)
    )

"""`routes`: what a caller asks for by name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.config.schema.kinds import NamedEntry, Section, Word
from understudy.config.schema.policy import PolicySection
from understudy.core.route import Named

TierName = Literal["primary", "secondary", "emergency", "local"]


class RouteSection(Section):
    """What a caller asks for by name."""

    tiers: dict[TierName, list[Word]] = Field(
        description="Targets by tier, in the order of trying: primary, secondary, emergency, local. "
        "Emergency is degraded always, local when another tier stands before it."
    )
    strategy: NamedEntry = Field(
        default=Named("failover", {}), description="What makes one target better than another."
    )
    balancer: NamedEntry = Field(default=Named("least_in_flight", {}), description="Who comes first among equals.")
    policy: PolicySection = Field(default=PolicySection(), description="How hard a request may try.")

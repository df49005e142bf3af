"""The section `health`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.config.schema.kinds import Seconds, Section
from understudy.core.health.probing import Health
from understudy.core.target import Probe

_H = Health()


class HealthSection(Section):
    """How targets are watched besides by what becomes of requests."""

    interval_s: Seconds = Field(
        default=_H.interval_s,
        description="The longest between two probes of a target whose breaker is open; the first ones come sooner.",
    )
    probe: Literal["off", "models", "request"] = Field(
        default="models",
        description="How a target is probed that says nothing of it: by its list of models where its provider gives that away, by a "
        "small `request`, which is billed, or not at all.",
    )
    idle_s: Seconds | None = Field(
        default=None, description="A target that nobody asked for so long is probed too; by default nobody looks at it."
    )
    alarms: bool = Field(
        default=_H.alarms,
        description="Look for changes for the worse at every target. Where a route's strategy, balancer or `leave_early` reads that it is "
        "done anyway.",
    )
    window: Annotated[int, Field(ge=10, le=100_000)] = Field(
        default=_H.window, description="Of how many of its latest attempts a target's record is made, at most."
    )

    def value(self) -> Health:
        """The configuration's part."""
        return Health(**(self.model_dump() | {"probe": Probe(self.probe)}))

"""`rules`: what changes when something holds of a request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from understudy.config.schema.kinds import Section, Word


class RuleSection(Section):
    """When something holds of a request, something else about its routing changes. Rules apply to whatever is asked for."""

    name: Word = Field(description="Its name in reports, and for switching it.")
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = Field(
        default=100, description="Lower comes first; the first rule to settle something settles it."
    )
    when: dict[str, Any] = Field(
        default={}, description="Conditions, all of which must hold; `any: [...]` and `not: {...}` put them together."
    )
    then: dict[str, Any] = Field(description="What changes.")
    enabled: bool = Field(
        default=True, description="Whether it is in force; it can be switched while the gateway runs."
    )

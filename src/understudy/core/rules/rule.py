"""One rule as it was written, and what conditions and effects must be able to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from understudy.core.route import Route
from understudy.core.rules.extent import Extent
from understudy.core.rules.scene import Scene
from understudy.core.value import JsonObject, keyword_value

Extents = tuple[tuple[str, Extent], ...]
"""What a condition lets through: by what it looks at, and all of it must hold."""


@keyword_value
class Rule:
    """As the configuration says it: entries of the registries by name, with their settings. A lower `priority` comes first.

    `enabled`: as written; an operator may switch it while the router runs.
    """

    name: str
    when: JsonObject
    then: JsonObject
    priority: int = 100
    enabled: bool = True


def preferred_of(rule: Rule) -> tuple[str, ...]:
    """The targets that the rule, as written, wants asked first: the one way into a route that does not list them."""
    targets = rule.then.get("targets")
    preferred = targets.get("preferred") if isinstance(targets, dict) else None
    return tuple(preferred) if isinstance(preferred, list) else ()


class Condition(Protocol):
    """One thing that a rule may ask about a request: what it looks at, and what it makes of that.

    The two are apart so that what was seen can be kept, and judged again.
    """

    costly: bool
    """Whether looking takes more than a field: asked after those that do not."""
    fixed: bool
    """Whether it looks at nothing but the name that was asked for: judged once for each name, at configuration load."""

    def look(self, scene: Scene) -> Any:
        """What there is to see, as plain data."""
        ...

    def holds(self, seen: Any) -> bool:
        """Whether that is what the condition wants."""
        ...

    def extents(self) -> Extents:
        """What it lets through. An extent without members can never hold."""
        ...


class Effect(Protocol):
    """One thing that a rule may change."""

    stage: int
    """When it is done, lowest first: the route before what belongs to a route, its targets last."""

    @property
    def allows(self) -> tuple[str, ...] | None:
        """The only targets that may answer, whatever else is changed; None where anybody may."""
        ...

    def settles(self) -> tuple[str, ...]:
        """What it decides, by name: of several rules that decide the same, the first one does."""
        ...

    def on(self, route: Route, settles: tuple[str, ...], routes: Callable[[str], Route]) -> Route:
        """The route, changed in what this effect may settle. `routes`: by name."""
        ...

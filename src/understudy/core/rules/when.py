"""Conditions put together: all of them, any of them, not this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from understudy.core.rules.rule import Condition
from understudy.core.value import value

Look = Callable[[str, Condition], Any]
"""What a condition of that name sees: in the scene, or as it was kept."""


@value
class Is:
    """One condition. `name`: as the registry calls it."""

    name: str
    condition: Condition

    def holds(self, look: Look) -> bool:
        """Whether it holds."""
        return self.condition.holds(look(self.name, self.condition))

    def costly(self) -> bool:
        """Whether looking takes more than a field."""
        return self.condition.costly


@value
class All:
    """Every part holds; without any, always."""

    parts: tuple[When, ...]

    def holds(self, look: Look) -> bool:
        """Ask the parts until one does not hold."""
        return all(part.holds(look) for part in self.parts)

    def costly(self) -> bool:
        """Whether a part is."""
        return any(part.costly() for part in self.parts)


@value
class Some:
    """At least one part holds."""

    parts: tuple[When, ...]

    def holds(self, look: Look) -> bool:
        """Ask the parts until one holds."""
        return any(part.holds(look) for part in self.parts)

    def costly(self) -> bool:
        """Whether a part is."""
        return any(part.costly() for part in self.parts)


@value
class Not:
    """The part does not hold."""

    part: When

    def holds(self, look: Look) -> bool:
        """Ask the part."""
        return not self.part.holds(look)

    def costly(self) -> bool:
        """Whether the part is."""
        return self.part.costly()


When = Is | All | Some | Not


def cheapest_first(when: When) -> When:
    """The same, with whatever is costly to look at asked last."""
    if isinstance(when, (All, Some)):
        return type(when)(tuple(sorted((cheapest_first(part) for part in when.parts), key=lambda part: part.costly())))
    return Not(cheapest_first(when.part)) if isinstance(when, Not) else when


def for_name(when: When, name: str) -> When | None:
    """What is left to ask when the name asked for is known; None when it can then never hold.

    Looks at the outermost conditions only: those inside of `any` and `not` are asked like all others.
    """
    parts = when.parts if isinstance(when, All) else (when,)
    left: list[When] = []
    for part in parts:
        if not (isinstance(part, Is) and part.condition.fixed):
            left.append(part)
        elif not part.condition.holds(name):
            return None
    return All(tuple(left)) if len(left) < len(parts) else when

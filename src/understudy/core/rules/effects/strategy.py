"""Another strategy ranks the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from understudy.core.route import Named, Route
from understudy.core.rules.effects._named import Written, named_of
from understudy.core.value import value


@value
class SetStrategy:
    """The targets are ranked by another strategy. A strategy that the caller asks for by header comes before it.

    `to`: its name, or its name with settings: {name: {setting: value}}.
    """

    to: Written
    short: ClassVar[tuple[str, str]] = ("to", "whole")
    names: ClassVar[tuple[tuple[str, str], ...]] = (("to", "strategy"),)
    stage: ClassVar[int] = 1
    allows: ClassVar[tuple[str, ...] | None] = None

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        named_of(self.to)

    def named(self) -> Named:
        """The entry and its settings."""
        return named_of(self.to)

    def settles(self) -> tuple[str, ...]:
        """The strategy."""
        return ("strategy",)

    def on(self, route: Route, _settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route with it."""
        return replace(route, strategy=self.named())


EFFECT = SetStrategy

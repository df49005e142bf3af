"""Another balancer orders equals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from understudy.core.route import Named, Route
from understudy.core.value import value


@value
class SetBalancer:
    """Equals are ordered by another balancer.

    `to`: its name, or its name with settings: {name: {setting: value}}.
    """

    to: str | dict[str, dict[str, Any] | None]
    short: ClassVar[tuple[str, str]] = ("to", "whole")
    names: ClassVar[tuple[tuple[str, str], ...]] = (("to", "balancer"),)
    stage: ClassVar[int] = 1
    allows: ClassVar[tuple[str, ...] | None] = None

    def named(self) -> Named:
        """The entry and its settings. Raises `ValueError` for more than one."""
        if isinstance(self.to, str):
            return Named(self.to, {})
        if len(self.to) != 1:
            raise ValueError("to: name one")
        [(name, settings)] = self.to.items()
        return Named(name, settings or {})

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        self.named()

    def settles(self) -> tuple[str, ...]:
        """The balancer."""
        return ("balancer",)

    def on(self, route: Route, _settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route with it."""
        return replace(route, balancer=self.named())


EFFECT = SetBalancer

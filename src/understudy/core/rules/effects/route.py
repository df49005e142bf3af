"""The request takes another route."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from understudy.core.route import Route
from understudy.core.value import value


@value
class TakeRoute:
    """The request takes another route, with that one's tiers, strategy and policy.

    `to`: a route, target or provider/model.
    """

    to: str
    short: ClassVar[tuple[str, str]] = ("to", "value")
    names: ClassVar[tuple[tuple[str, str], ...]] = (("to", "route"),)
    stage: ClassVar[int] = 0
    allows: ClassVar[tuple[str, ...] | None] = None

    def settles(self) -> tuple[str, ...]:
        """The route."""
        return ("route",)

    def on(self, _route: Route, _settles: tuple[str, ...], routes: Callable[[str], Route]) -> Route:
        """The other one."""
        return routes(self.to)


EFFECT = TakeRoute

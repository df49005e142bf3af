"""Only some targets may answer, or some are asked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from understudy.core.route import Route, Tier
from understudy.core.rules.change import kept
from understudy.core.value import value

PREFERRED = "preferred"
"""The tier of those who are asked first."""


@value
class Targets:
    """Only some targets may answer, or some are asked first, whether or not the route lists them.

    `allowed`: nobody else is asked; where several rules apply, only whom all of them allow. `preferred`: a tier of their own before all
    others, in this order for `failover`.
    """

    allowed: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    names: ClassVar[tuple[tuple[str, str], ...]] = (("allowed", "target"), ("preferred", "target"))
    stage: ClassVar[int] = 2

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.allowed and not self.preferred:
            raise ValueError("allowed: name targets that are allowed or preferred")
        if self.allowed and (strange := [name for name in self.preferred if name not in self.allowed]):
            raise ValueError(f"preferred: {', '.join(strange)} can never be asked: not among the allowed")

    @property
    def allows(self) -> tuple[str, ...] | None:
        """Nobody else."""
        return self.allowed or None

    def settles(self) -> tuple[str, ...]:
        """Whom to prefer. What is allowed is a matter of all rules."""
        return ("targets.preferred",) if self.preferred else ()

    def on(self, route: Route, _settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route's tiers with the preferred ones before them."""
        first = Tier(name=PREFERRED, targets=self.preferred)
        return replace(route, tiers=(first, *kept(route.tiers, lambda name: name not in self.preferred)))


EFFECT = Targets

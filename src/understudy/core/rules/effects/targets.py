"""Only some targets may answer, or some are asked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from understudy.core.route import Route, Tier
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

    def settles(self) -> tuple[str, ...]:
        """Whom to prefer. What is allowed is a matter of all rules."""
        return ("targets.preferred",) if self.preferred else ()

    def on(self, route: Route, settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route's tiers with the preferred ones before them, and without those that are not allowed."""
        tiers = route.tiers
        if settles:
            first = Tier(name=PREFERRED, targets=self.preferred)
            tiers = (first, *_kept(tiers, lambda name: name not in self.preferred))
        if self.allowed:
            tiers = _kept(tiers, self.allowed.__contains__)
        return replace(route, tiers=tiers)


def _kept(tiers: tuple[Tier, ...], keeps: Callable[[str], bool]) -> tuple[Tier, ...]:
    """The tiers with those targets only; without the tiers that have none."""
    kept = [(tier, tuple(name for name in tier.targets if keeps(name))) for tier in tiers]
    return tuple(replace(tier, targets=names) for tier, names in kept if names)


EFFECT = Targets

"""What several effects, of several rules, make of one route."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from understudy.core.route import Route, Tier
from understudy.core.rules.rule import Effect


def changed(route: Route, effects: Sequence[Effect], routes: Callable[[str], Route]) -> Route:
    """The route as these effects leave it, in the order of their rules: what one has settled, no later one does.

    Whom any of them does not allow is left out at the end, whoever wanted it.
    """
    settled: list[str] = []
    steps: list[tuple[Effect, tuple[str, ...]]] = []
    for effect in effects:
        names = effect.settles()
        left = tuple(name for name in names if name not in settled)
        settled.extend(left)
        if left:
            steps.append((effect, left))
    for effect, left in sorted(steps, key=lambda step: step[0].stage):
        route = effect.on(route, left, routes)
    for allowed in [effect.allows for effect in effects if effect.allows is not None]:
        route = replace(route, tiers=kept(route.tiers, allowed.__contains__))
    return route


def kept(tiers: tuple[Tier, ...], keeps: Callable[[str], bool]) -> tuple[Tier, ...]:
    """The tiers with those targets only; without the tiers that then have none."""
    left = [(tier, tuple(name for name in tier.targets if keeps(name))) for tier in tiers]
    return tuple(replace(tier, targets=names) for tier, names in left if names)

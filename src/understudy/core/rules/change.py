"""What several effects, of several rules, make of one route."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from understudy.core.route import Route
from understudy.core.rules.rule import Effect


def changed(route: Route, effects: Sequence[Effect], routes: Callable[[str], Route]) -> Route:
    """The route as these effects leave it, in the order of their rules: what one has settled, no later one does."""
    settled: list[str] = []
    steps: list[tuple[Effect, tuple[str, ...]]] = []
    for effect in effects:
        names = effect.settles()
        left = tuple(name for name in names if name not in settled)
        settled.extend(left)
        if left or not names:
            steps.append((effect, left))
    for effect, left in sorted(steps, key=lambda step: step[0].stage):
        route = effect.on(route, left, routes)
    return route

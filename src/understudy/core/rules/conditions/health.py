"""A target is well, or not."""

from __future__ import annotations

from math import inf
from typing import ClassVar

from understudy.core.resilience.breaker import State
from understudy.core.rules.extent import Names, Ranges
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Health:
    """A target is well, or not: everything that is said of it here must hold.

    `target`: its name. `available`: whether it may be asked: no breaker of it is open, and it does not cool down. `error_rate_at_least`: the
    share of its late attempts that failed, 0 to 1. `latency_ms_at_least`: its mean time to the first content. Neither holds while nothing is known.
    """

    target: str
    available: bool | None = None
    error_rate_at_least: float | None = None
    latency_ms_at_least: float | None = None
    names: ClassVar[tuple[tuple[str, str], ...]] = (("target", "target"),)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` when nothing is said of it."""
        if self.available is None and self.error_rate_at_least is None and self.latency_ms_at_least is None:
            raise ValueError("available: say what: available, error_rate_at_least or latency_ms_at_least")

    def look(self, scene: Scene) -> tuple[bool, float | None, float | None]:
        """Whether it is available, its error rate and its latency."""
        standing = scene.board.standing(self.target)
        shut = any(
            view.state is State.FORCED_OPEN or (view.state is State.OPEN and view.until_s > scene.now_s)
            for view in standing.breakers
        )
        available = not shut and standing.cool_down_until_s <= scene.now_s
        return available, standing.error_rate, standing.latency_ms

    def holds(self, seen: tuple[bool, float | None, float | None]) -> bool:
        """Whether all of it is so."""
        available, error_rate, latency_ms = seen
        return (
            (self.available is None or available is self.available)
            and _reached(error_rate, self.error_rate_at_least)
            and _reached(latency_ms, self.latency_ms_at_least)
        )

    def extents(self) -> Extents:
        """One by one."""
        found: list[tuple[str, Names | Ranges]] = []
        if self.available is not None:
            found.append((f"available {self.target}", Names((str(self.available),))))
        if self.error_rate_at_least is not None:
            found.append((f"error rate {self.target}", Ranges(((self.error_rate_at_least, 1.0 + 1e-9),))))
        if self.latency_ms_at_least is not None:
            found.append((f"latency {self.target}", Ranges(((self.latency_ms_at_least, inf),))))
        return tuple(found)


def _reached(known: float | None, at_least: float | None) -> bool:
    return at_least is None or (known is not None and known >= at_least)


CONDITION = Health

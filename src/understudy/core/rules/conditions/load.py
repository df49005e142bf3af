"""So many requests are under way."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import at_least
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Load:
    """So many requests are under way, at all targets or at some; each worker takes its own for a typical share of all.

    `at_least`, `below`: requests. `targets`: at these only.
    """

    at_least: float | None = None
    below: float | None = None
    targets: tuple[str, ...] = ()
    names: ClassVar[tuple[tuple[str, str], ...]] = (("targets", "target"),)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any bound."""
        if self.at_least is None and self.below is None:
            raise ValueError("at_least: say how many: at_least, below or both")

    def look(self, scene: Scene) -> float:
        """Requests under way."""
        board = scene.board
        of = [board.standing(name) for name in self.targets] if self.targets else board.standings
        return sum(standing.in_flight for standing in of) * scene.workers

    def holds(self, seen: float) -> bool:
        """Whether that lies between the bounds."""
        return (self.at_least is None or seen >= self.at_least) and (self.below is None or seen < self.below)

    def extents(self) -> Extents:
        """Numbers of requests."""
        return (("load " + " ".join(sorted(self.targets)), at_least(self.at_least, self.below)),)


CONDITION = Load

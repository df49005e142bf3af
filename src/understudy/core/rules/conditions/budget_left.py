"""So much of a budget is left."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import at_least
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class BudgetLeft:
    """So much of a budget is left; never holds while nobody knows what is left of it.

    `budget`: its name. `below`, `at_least`: the share that is left, 0 to 1.
    """

    budget: str
    below: float | None = None
    at_least: float | None = None
    names: ClassVar[tuple[tuple[str, str], ...]] = (("budget", "budget"),)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any bound."""
        if self.at_least is None and self.below is None:
            raise ValueError("below: say how much: at_least, below or both")

    def look(self, scene: Scene) -> float | None:
        """The share that is left."""
        return scene.budget_left(self.budget)

    def holds(self, seen: float | None) -> bool:
        """Whether that lies between the bounds."""
        if seen is None:
            return False
        return (self.at_least is None or seen >= self.at_least) and (self.below is None or seen < self.below)

    def extents(self) -> Extents:
        """Shares."""
        return ((f"budget {self.budget}", at_least(self.at_least, self.below)),)


CONDITION = BudgetLeft

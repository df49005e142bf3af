"""The caller wants an answer of such a quality."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import at_least
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Quality:
    """The caller wants an answer of such a quality: says so with the label `quality`, 0 to 1 (`x-understudy-labels: quality=0.9`).

    `at_least`, `below`: what it wants. Never holds for a caller who says nothing, or no number.
    """

    at_least: float | None = None
    below: float | None = None
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any bound."""
        if self.at_least is None and self.below is None:
            raise ValueError("at_least: say how good: at_least, below or both")

    def look(self, scene: Scene) -> float | None:
        """What it wants."""
        said = scene.label("quality")
        try:
            return None if said is None else float(said)
        except ValueError:
            return None

    def holds(self, seen: float | None) -> bool:
        """Whether that lies between the bounds."""
        if seen is None:
            return False
        return (self.at_least is None or seen >= self.at_least) and (self.below is None or seen < self.below)

    def extents(self) -> Extents:
        """Qualities."""
        return (("quality", at_least(self.at_least, self.below)),)


CONDITION = Quality

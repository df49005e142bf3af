"""The request is so hard."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.catalogue.task import COMPLEXITIES
from understudy.core.rules.conditions._words import UNKNOWN, check_known
from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Complexity:
    """The request is so hard, as its text tells, or as its caller says with `x-understudy-complexity`.

    `of`: simple, medium, complex; unknown where nothing tells.
    """

    of: tuple[str, ...]
    short: ClassVar[tuple[str, str]] = ("of", "list")
    costly: ClassVar[bool] = True
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        check_known(self.of, (*COMPLEXITIES, UNKNOWN), "complexity")

    def look(self, scene: Scene) -> str:
        """How hard it is."""
        return scene.call.complexity or scene.task.complexity or UNKNOWN

    def holds(self, seen: str) -> bool:
        """Whether it is one of them."""
        return seen in self.of

    def extents(self) -> Extents:
        """Complexities."""
        return (("complexity", Names(self.of)),)


CONDITION = Complexity

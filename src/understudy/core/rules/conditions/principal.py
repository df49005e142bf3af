"""The request comes from this principal."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Principal:
    """The request comes from this principal.

    `of`: names; `*` stands for any letters.
    """

    of: tuple[str, ...]
    short: ClassVar[tuple[str, str]] = ("of", "list")
    names: ClassVar[tuple[tuple[str, str], ...]] = (("of", "principal"),)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def look(self, scene: Scene) -> str:
        """The name."""
        return scene.call.principal

    def holds(self, seen: str) -> bool:
        """Whether it is one of them."""
        return Names(self.of).holds(seen)

    def extents(self) -> Extents:
        """Names."""
        return (("principal", Names(self.of)),)


CONDITION = Principal

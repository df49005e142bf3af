"""The request asks for this route, target or model by name."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Model:
    """The request asks for this by name: as `model`, or in `x-understudy-route`.

    `of`: routes, targets, provider/model; `*` stands for any letters (`openai/*`).
    """

    of: tuple[str, ...]
    short: ClassVar[tuple[str, str]] = ("of", "list")
    names: ClassVar[tuple[tuple[str, str], ...]] = (("of", "name"),)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = True

    def look(self, scene: Scene) -> str:
        """The name."""
        return scene.asked

    def holds(self, seen: str) -> bool:
        """Whether it is one of them."""
        return Names(self.of).holds(seen)

    def extents(self) -> Extents:
        """Names."""
        return (("model", Names(self.of)),)


CONDITION = Model

"""The request needs these capabilities."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.request import FEATURES
from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value

STREAM = "stream"


@value
class Capability:
    """The request needs these capabilities, all of them.

    `of`: tools, images, json_schema and the other features; stream for an answer as it is written.
    """

    of: tuple[str, ...]
    short: ClassVar[tuple[str, str]] = ("of", "list")
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.of:
            raise ValueError("of: name at least one capability")
        for name in self.of:
            if name not in (*FEATURES, STREAM):
                raise ValueError(f"of: there is no capability {name!r}; known: {', '.join((*FEATURES, STREAM))}")

    def look(self, scene: Scene) -> tuple[str, ...]:
        """Everything that it needs."""
        needs = scene.call.needs
        return (*needs.features, STREAM) if needs.stream else needs.features

    def holds(self, seen: tuple[str, ...]) -> bool:
        """Whether all are among that."""
        return all(name in seen for name in self.of)

    def extents(self) -> Extents:
        """Needed, one by one."""
        return tuple((f"capability {name}", Names(("needed",))) for name in sorted(self.of))


CONDITION = Capability

"""The request is of this kind."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.catalogue.task import KINDS
from understudy.core.rules.conditions._words import UNKNOWN, check_known
from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class TaskKind:
    """The request is of this kind, as its text tells, or as its caller says with the label `task` (`x-understudy-labels: task=code`).

    `of`: conversation, code, creative, analysis, multimodal, function_calling; unknown where nothing tells.
    """

    of: tuple[str, ...]
    short: ClassVar[tuple[str, str]] = ("of", "list")
    costly: ClassVar[bool] = True
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        check_known(self.of, (*KINDS, UNKNOWN), "kind of task")

    def look(self, scene: Scene) -> str:
        """The kind."""
        said = scene.label("task")
        return said if said in KINDS else scene.task.kind or UNKNOWN

    def holds(self, seen: str) -> bool:
        """Whether it is one of them."""
        return seen in self.of

    def extents(self) -> Extents:
        """Kinds."""
        return (("task", Names(self.of)),)


CONDITION = TaskKind

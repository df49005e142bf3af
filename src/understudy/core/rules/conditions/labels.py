"""The request carries these labels."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Labels:
    """The request carries these labels (`x-understudy-labels: team=search`), all of them.

    `wanted`: what each of them must say; `*` stands for any letters, and by itself for "whatever it says".
    """

    wanted: dict[str, str]
    short: ClassVar[tuple[str, str]] = ("wanted", "whole")
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any label."""
        if not self.wanted:
            raise ValueError("wanted: name at least one label")

    def look(self, scene: Scene) -> tuple[str | None, ...]:
        """What they say, in the order of the rule."""
        return tuple([scene.label(name) for name in self.wanted])

    def holds(self, seen: tuple[str | None, ...]) -> bool:
        """Whether all are there, and say that."""
        return all(
            said is not None and Names((wanted,)).holds(said)
            for said, wanted in zip(seen, self.wanted.values(), strict=True)
        )

    def extents(self) -> Extents:
        """Words, label by label."""
        return tuple((f"label {name}", Names((wanted,))) for name, wanted in sorted(self.wanted.items()))


CONDITION = Labels

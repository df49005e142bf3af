"""The request is of such a size."""

from __future__ import annotations

from typing import ClassVar

from understudy.core.rules.extent import at_least
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value


@value
class Tokens:
    """The request is of such a size, as estimated from its text.

    `at_least`, `below`: tokens. `answer`: with those of the longest answer that the caller allows, where it says so.
    """

    at_least: int | None = None
    below: int | None = None
    answer: bool = False
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any bound."""
        if self.at_least is None and self.below is None:
            raise ValueError("at_least: say how many: at_least, below or both")

    def look(self, scene: Scene) -> int:
        """Estimated tokens."""
        needs = scene.call.needs
        return needs.tokens_in + ((needs.max_tokens or 0) if self.answer else 0)

    def holds(self, seen: int) -> bool:
        """Whether that lies between the bounds."""
        return (self.at_least is None or seen >= self.at_least) and (self.below is None or seen < self.below)

    def extents(self) -> Extents:
        """Numbers of tokens, of which there are none below 0."""
        key = "tokens in and out" if self.answer else "tokens in"
        return ((key, at_least(max(0, self.at_least or 0), self.below)),)


CONDITION = Tokens

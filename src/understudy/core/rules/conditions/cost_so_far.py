"""So much was spent already."""

from __future__ import annotations

from typing import ClassVar, Literal

from understudy.core.rules.extent import at_least
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene
from understudy.core.value import value

NANO = 1_000_000_000


@value
class CostSoFar:
    """So much was spent already, failed attempts that cost money included, as far as prices are known.

    `at_least_usd`, `below_usd`: dollars. `of`: whose spending: everything, or that of the request's principal, session or route. `per`: in
    the present day or hour (UTC), or since the start. Each worker counts what it carries, and takes that for a typical share of all;
    a session's, and what came before a restart, it knows only as far as it saw it: for bounds that must hold there are budgets.
    """

    at_least_usd: float | None = None
    below_usd: float | None = None
    of: Literal["everything", "principal", "session", "route"] = "everything"
    per: Literal["day", "hour", "start"] = "day"
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError` without any bound."""
        if self.at_least_usd is None and self.below_usd is None:
            raise ValueError("at_least_usd: say how much: at_least_usd, below_usd or both")

    def look(self, scene: Scene) -> float:
        """Dollars."""
        return scene.spent(self.of, self.per) / NANO

    def holds(self, seen: float) -> bool:
        """Whether that lies between the bounds."""
        return (self.at_least_usd is None or seen >= self.at_least_usd) and (
            self.below_usd is None or seen < self.below_usd
        )

    def spends(self) -> tuple[tuple[str, str], ...]:
        """Whose spending must be counted, and over which time."""
        return ((self.of, self.per),)

    def extents(self) -> Extents:
        """Dollars, of which nobody spends less than none."""
        low = max(0.0, self.at_least_usd or 0.0)
        return ((f"cost {self.of} {self.per}", at_least(low, self.below_usd)),)


CONDITION = CostSoFar

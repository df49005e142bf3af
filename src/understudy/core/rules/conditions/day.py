"""It is one of these days of the week."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import ClassVar

from understudy.core.rules.conditions._clock import local, zone_of
from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MEANT = {"weekday": DAYS[:5], "weekend": DAYS[5:]} | {day: (day,) for day in DAYS}


@dataclass(slots=True)  # what is read from the settings is worked out once
class Day:
    """It is one of these days of the week.

    `of`: mon, tue, wed, thu, fri, sat, sun; weekday and weekend stand for several. `zone`: whose calendar, by name in the tz database.
    """

    of: tuple[str, ...]
    zone: str = "UTC"
    days: tuple[str, ...] = field(init=False, default=())
    clock: tzinfo = field(init=False, default=UTC)
    short: ClassVar[tuple[str, str]] = ("of", "list")
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Read the days. Raises `ValueError`."""
        for day in self.of:
            if day not in MEANT:
                raise ValueError(f"of: {day!r} is no day; known: {', '.join(MEANT)}")
        self.days = tuple(each for day in self.of for each in MEANT[day])
        self.clock = zone_of(self.zone)

    def look(self, scene: Scene) -> str:
        """The day."""
        return DAYS[local(scene.wall_s, self.clock).weekday()]

    def holds(self, seen: str) -> bool:
        """Whether it is one of them."""
        return seen in self.days

    def extents(self) -> Extents:
        """Days."""
        return ((f"day {self.zone}", Names(self.days)),)


CONDITION = Day

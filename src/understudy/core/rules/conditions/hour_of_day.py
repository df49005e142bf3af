"""The time of day lies between two hours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import ClassVar

from understudy.core.rules.conditions._clock import local, zone_of
from understudy.core.rules.extent import Ranges
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene

DAY_MIN = 24 * 60


@dataclass(slots=True)  # what is read from the settings is worked out once
class HourOfDay:
    """The time of day lies between two hours; past midnight where `from` is the later one.

    `from_`: the first hour, included: 22, 22.5 or "22:30". `to`: the last one, not included. `zone`: whose clocks, by name in the tz
    database (Europe/Berlin).
    """

    from_: float | str
    to: float | str
    zone: str = "UTC"
    begins_min: int = field(init=False, default=0)
    ends_min: int = field(init=False, default=0)
    clock: tzinfo = field(init=False, default=UTC)
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Read the hours. Raises `ValueError`."""
        self.begins_min = _minute(self.from_, "from") % DAY_MIN
        self.ends_min = _minute(self.to, "to")
        if self.begins_min == self.ends_min % DAY_MIN:
            raise ValueError("to: the same hour as `from`, so that nothing lies between them")
        self.clock = zone_of(self.zone)

    def look(self, scene: Scene) -> str:
        """The time, as clocks there show it."""
        return f"{local(scene.wall_s, self.clock):%H:%M}"

    def holds(self, seen: str) -> bool:
        """Whether that lies between them."""
        minute = int(seen[:2]) * 60 + int(seen[3:])
        if self.begins_min < self.ends_min:
            return self.begins_min <= minute < self.ends_min
        return minute >= self.begins_min or minute < self.ends_min

    def extents(self) -> Extents:
        """Minutes of the day."""
        if self.begins_min < self.ends_min:
            pieces: tuple[tuple[float, float], ...] = ((self.begins_min, self.ends_min),)
        else:
            pieces = ((self.begins_min, DAY_MIN), (0, self.ends_min))
        return ((f"hour {self.zone}", Ranges(pieces)),)


def _minute(hour: float | str, name: str) -> int:
    """Minutes since midnight."""
    if isinstance(hour, str):
        found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", hour)
        minute = int(found[1]) * 60 + int(found[2]) if found else -1
    else:
        minute = round(hour * 60) if 0 <= hour <= 24 else -1
    if not 0 <= minute <= DAY_MIN:
        raise ValueError(f'{name}: {hour!r} is no time of day; write 22, 22.5 or "22:30"')
    return minute


CONDITION = HourOfDay

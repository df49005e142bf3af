"""A share of the traffic, the same one each time: for canaries, flags and comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from understudy.core.rules.extent import Ranges
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene


@dataclass(slots=True)  # what is read from the settings is worked out once
class Share:
    """The request belongs to a share of the traffic: a session or principal that once belongs to it does so as long as the share grows.

    `of`: the share, 0 to 1. `by`: what stays together: session, principal, `label NAME`, or request for none. Whoever has no session
    (principal, label) is drawn anew each time. `from_`: the share at the beginning of a ramp. `begin`, `end`: when the ramp begins and
    ends, such as 2026-03-01T09:00:00Z; before it the share is `from`, after it `of`. `salt`: rules with the same salt take the same
    part of the traffic; by default each rule takes another.
    """

    of: float
    by: str = "session"
    from_: float = 0.0
    begin: str | None = None
    end: str | None = None
    salt: str = ""
    begin_s: float = field(init=False, default=0.0)
    end_s: float = field(init=False, default=0.0)
    short: ClassVar[tuple[str, str]] = ("of", "value")
    own: ClassVar[str] = "salt"
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Read the times. Raises `ValueError`."""
        for name, share in (("of", self.of), ("from", self.from_)):
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name}: a share lies between 0 and 1, {share:g} does not")
        if self.by not in ("request", "session", "principal") and not self.by.startswith("label "):
            raise ValueError(f"by: {self.by!r} is none of request, session, principal, label NAME")
        if (self.begin is None) is not (self.end is None):
            raise ValueError("end: a ramp has a begin and an end; give both or neither")
        if self.begin is None or self.end is None:
            return
        self.begin_s, self.end_s = _unix_s(self.begin, "begin"), _unix_s(self.end, "end")
        if self.begin_s >= self.end_s:
            raise ValueError("end: the ramp ends before it begins")

    def look(self, scene: Scene) -> tuple[float, float]:
        """The request's place among all, 0 to 1, and the share at that moment."""
        return scene.place(self.by, self.salt), self.share_at(scene.wall_s)

    def holds(self, seen: tuple[float, float]) -> bool:
        """Whether the place lies within the share."""
        return seen[0] < seen[1]

    def share_at(self, wall_s: float) -> float:
        """The share at a time, Unix seconds."""
        if wall_s >= self.end_s:  # without a ramp: always
            return self.of
        if wall_s <= self.begin_s:
            return self.from_
        return self.from_ + (self.of - self.from_) * (wall_s - self.begin_s) / (self.end_s - self.begin_s)

    def extents(self) -> Extents:
        """Places, which can be compared where the share is the same at all times, or at any."""
        ramp = "" if self.begin is None else f"{self.from_} {self.of} {self.begin_s} {self.end_s}"
        most = self.of if self.begin is None else max(self.of, self.from_)
        return ((f"share {self.salt} {self.by} {ramp}", Ranges(((0.0, most),))),)


def _unix_s(text: str, name: str) -> float:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name}: {text!r} is no time; write 2026-03-01T09:00:00Z") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


CONDITION = Share

"""Wall time where people live."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_of(name: str) -> tzinfo:
    """A zone of the tz database. Raises `ValueError`."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"zone: there is no time zone {name!r} here; write one of the tz database, such as Europe/Berlin"
        ) from None


def local(wall_s: float, zone: tzinfo) -> datetime:
    """Unix time on the clocks of a zone."""
    return datetime.fromtimestamp(wall_s, zone)

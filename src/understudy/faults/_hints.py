"""How providers spell "come back in so many seconds": headers, and words or fields in the error itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from math import ceil

from understudy.core.value import JsonObject, value


@value
class Spelled:
    """One hint as it goes out. `words`: for the end of the error's message. `fields`: for the error object."""

    headers: tuple[tuple[str, str], ...] = ()
    words: str = ""
    fields: JsonObject | None = None


def _duration(seconds: float) -> str:
    """As Go prints it: 174ms, 7.66s, 1m0.36s, 114h18m0s."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail


def _headers(**lines: str) -> Spelled:
    return Spelled(tuple((name.replace("_", "-"), line) for name, line in lines.items()))


def _instant(wall_s: float) -> str:
    return datetime.fromtimestamp(ceil(wall_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# (seconds to wait, Unix time now) -> the hint
HINTS: dict[str, Callable[[float, float], Spelled]] = {
    "none": lambda _left_s, _wall_s: Spelled(),
    "retry_after": lambda left_s, _wall_s: _headers(retry_after=str(ceil(left_s))),
    "retry_after_date": lambda left_s, wall_s: _headers(retry_after=formatdate(ceil(wall_s + left_s), usegmt=True)),
    "retry_after_ms": lambda left_s, _wall_s: _headers(
        retry_after_ms=str(ceil(left_s * 1000)), retry_after=str(ceil(left_s))
    ),
    "ratelimit_reset": lambda left_s, _wall_s: _headers(
        x_ratelimit_limit_requests="60",
        x_ratelimit_remaining_requests="0",
        x_ratelimit_reset_requests=_duration(left_s),
    ),
    "ratelimit_reset_epoch_ms": lambda left_s, wall_s: _headers(
        x_ratelimit_limit="60", x_ratelimit_remaining="0", x_ratelimit_reset=str(ceil((wall_s + left_s) * 1000))
    ),
    "anthropic_reset": lambda left_s, wall_s: _headers(
        anthropic_ratelimit_requests_limit="60",
        anthropic_ratelimit_requests_remaining="0",
        anthropic_ratelimit_requests_reset=_instant(wall_s + left_s),
    ),
    "words": lambda left_s, _wall_s: Spelled(words=f" Please try again in {_duration(left_s)}."),
    "words_seconds": lambda left_s, _wall_s: Spelled(words=f" Try again in {ceil(left_s)} seconds."),
    "retry_info": lambda left_s, _wall_s: Spelled(
        fields={"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{ceil(left_s)}s"}]}
    ),
}

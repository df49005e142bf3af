"""Retry-After in its twenty spellings: when a provider says it makes sense to try again.

| where | spelling | read as |
|---|---|---|
| `retry-after` | `2`, `1.5` | seconds |
| | `Wed, 21 Oct 2026 07:28:00 GMT` (and the two older HTTP dates) | a point in time |
| | `2026-10-21T07:28:00Z` | a point in time |
| | `30s`, `1m30s`, `2, 5` (repeated lines) | a span; the longest |
| `retry-after-ms`, `x-ms-retry-after-ms` | `350` | milliseconds |
| `x-ratelimit-reset`, `x-rate-limit-reset` | `1754667660000` (OpenRouter) | milliseconds since 1970 |
| | `1754667660` (GitHub) | seconds since 1970 |
| | `17.5` | seconds |
| `x-ratelimit-reset-tokens`, `-requests`, ... | `6ms`, `1m0.36s`, `114h18m0s` (OpenAI, Groq) | a span |
| | `33011.38` (Cerebras, `-requests-day`) | seconds |
| `anthropic-ratelimit-*-reset` | `2026-10-21T07:28:00Z` | a point in time |
| `anthropic-ratelimit-unified-reset` | `1761031680`, with `-status: rejected` | seconds since 1970 |
| `ratelimit-reset` (drafts of the IETF) | `30` | seconds |
| `ratelimit` (same) | `limit=10, remaining=0, reset=30`; `"burst";r=0;t=30` | seconds |
| body, Google `RetryInfo` | `{"retryDelay": "48s"}`, `"26.5s"` | a span |
| body, OpenRouter `metadata.headers` | any of the header lines above | as above |
| body, Hugging Face and others | `estimated_time`, `retry_after`, `retry_after_ms` | seconds, milliseconds |
| message | `try again in 174ms`, `in 1m0.36s`, `in 114h18m0s`, `in 1 minute, 30 seconds` | a span |
| | `retry after 2 seconds`, `retry after 7` | a span, seconds |
| | `replenished in 01:30:00` (Azure) | a span |
| | `regain access on 2026-11-01 at 00:00 UTC` (Anthropic) | a point in time |
| `x-should-retry` | `false` | not a time: repeating this target cannot help (see `should_repeat`) |

Words that answer "when may I try again" (`retry-after` and its like, bodies, messages) outrank those that answer "when is the
window full again" (`reset`): a daily window refills for hours while the next request is seconds away. Among equals the longest
counts. A `reset` counts only for a bucket that is not known to have something left. The past is 0; nothing exceeds a day.

A point in time is one on the provider's clock: what its own `date` says is now, where it says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from understudy.core.diagnosis import wait_in_body_s
from understudy.core.envelope import Envelope
from understudy.core.span import SPAN_S_MAX, span_s
from understudy.ports import HeaderMap

_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,20})?(?:e[+-]?\d{1,2})?", re.IGNORECASE)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: ?[Zz]| ?UTC|[+-]\d\d:?\d\d)?")
_DATE = re.compile(r"\d\d-\d\d")
_SPOKEN_POINT = re.compile(
    r"\b(?:regain access|resets?|try again|retry|available)\b[^.\d]{0,40}?"
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ]| at )(?P<time>\d\d:\d\d(?::\d\d)?)",
    re.IGNORECASE,
)
_DRAFT_RESET = re.compile(r"(?:\breset=|;\s*t=)\s*(\d{1,12}(?:\.\d{1,9})?)")
_DRAFT_REMAINING = re.compile(r"(?:\bremaining=|;\s*r=)\s*(\d{1,18})")

EPOCH_S_MIN = 1e9
"""A larger number is no span but a point in time (2001 in seconds since 1970; 31 years as a span)."""

EPOCH_MS_MIN = 1e11
"""A still larger one counts milliseconds (1973; in seconds it would be the year 5138)."""

CLOCKS_AGREE_S = 2.0
"""A `date` is cut to seconds and some time on its way: less than this is no difference between clocks."""


def retry_after_s(headers: HeaderMap, said: Envelope, *, limited: bool, now_unix_s: float) -> float | None:
    """Seconds until the provider wants to be asked again, from 0 to `SPAN_S_MAX`; None when it does not say.

    `limited`: the failure is a rate limit, so `reset` lines are about it (otherwise they are bookkeeping that comes with
    every answer). `now_unix_s`: wall time, for points in time when the answer bears no date.
    """
    now_unix_s = there_s(headers, now_unix_s)
    quoted = {name.encode(): line.encode() for name, line in said.headers}
    waits = [wait for lines in (headers, quoted) for wait in _asked(lines, now_unix_s)]
    if (in_body := wait_in_body_s(said)) is not None:
        waits.append(in_body)
    text = said.text
    if _DATE.search(text) and (spoken := _SPOKEN_POINT.search(text)):
        waits += _present(_point_s(f"{spoken['day']}T{spoken['time']}", now_unix_s))
    if limited and not waits:
        waits = [wait for lines in (headers, quoted) for wait in _resets(lines, now_unix_s)]
    return min(max(0.0, *waits), SPAN_S_MAX) if waits else None


def speaks_of_time(said: Envelope) -> bool:
    """Whether an error itself says when to come back, or may say so."""
    return wait_in_body_s(said) is not None or _DATE.search(said.text) is not None


def should_repeat(headers: HeaderMap) -> bool | None:
    """What `x-should-retry` says of asking the same target again; None when it is silent."""
    return {b"true": True, b"false": False}.get(headers.get(b"x-should-retry", b"").strip().lower())


def there_s(headers: HeaderMap, now_unix_s: float) -> float:
    """What time it is where the answer comes from: to the second, and only where its clock and ours differ by more than that."""
    line = headers.get(b"date")
    ahead_s = _point_s(line.decode("latin-1").strip(), now_unix_s) if line else None
    return now_unix_s if ahead_s is None or abs(ahead_s) <= CLOCKS_AGREE_S else now_unix_s + ahead_s


def _asked(headers: HeaderMap, now_unix_s: float) -> Iterable[float]:
    """The waits of all lines that answer "when may I try again"."""
    if line := headers.get(b"retry-after"):
        yield from _waits(line, now_unix_s)
    for name in (b"retry-after-ms", b"x-ms-retry-after-ms"):
        if line := headers.get(name):
            for wait in _waits(line, now_unix_s):
                yield wait / 1000


def _resets(headers: HeaderMap, now_unix_s: float) -> Iterable[float]:
    """The waits of all buckets that are, as far as is known, empty."""
    for name, line in headers.items():
        if b"ratelimit" not in name and b"rate-limit" not in name:
            continue
        if name in {b"ratelimit", b"x-ratelimit"}:
            text = line.decode("latin-1")
            left = _DRAFT_REMAINING.search(text)
            reset = _DRAFT_RESET.search(text)
            if reset and not (left and int(left[1])):
                yield float(reset[1])
        elif b"reset" in name and _is_empty(headers, name):
            yield from _waits(line, now_unix_s)


def _is_empty(headers: HeaderMap, reset: bytes) -> bool:
    """Whether the bucket that a `...reset...` line belongs to has nothing left, as far as its sisters tell."""
    if status := headers.get(reset.replace(b"reset", b"status")):
        return status.strip().lower() == b"rejected"
    left = headers.get(reset.replace(b"reset", b"remaining"))
    number = _NUMBER.fullmatch(left.decode("latin-1").strip()) if left else None
    return number is None or float(number[0]) <= 0


def _waits(line: bytes, now_unix_s: float) -> list[float]:
    """The waits that a header line spells; several when the line was repeated."""
    text = line.decode("latin-1").strip()
    whole = _wait_s(text, now_unix_s)
    if whole is not None:
        return [whole]
    return [wait for part in text.split(",")[:8] for wait in _present(_wait_s(part.strip(), now_unix_s))]


def _present(wait: float | None) -> list[float]:
    return [] if wait is None else [wait]


def _wait_s(text: str, now_unix_s: float) -> float | None:
    """Seconds from now that a number, a span or a point in time means; negative for the past."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number >= EPOCH_MS_MIN:
            return number / 1000 - now_unix_s
        return number - now_unix_s if number >= EPOCH_S_MIN else number
    # latin-1 has turned the two bytes of a micro sign into two characters
    span = span_s(text.replace("Âµ", "u").replace("Î¼", "u"))
    return _point_s(text, now_unix_s) if span is None else span


def _point_s(text: str, now_unix_s: float) -> float | None:
    """Seconds from now to an RFC 3339 or HTTP date; without a zone it is UTC."""
    try:
        if _RFC_3339.fullmatch(text):
            point = datetime.fromisoformat(text.upper().replace(" UTC", "Z").replace(" Z", "Z"))
        elif "-" in text or ":" in text:
            point = parsedate_to_datetime(text)
        else:
            return None
        return (point if point.tzinfo else point.replace(tzinfo=UTC)).timestamp() - now_unix_s
    except (ValueError, OverflowError, IndexError):
        return None

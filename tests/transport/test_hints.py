"""Retry-After in all its spellings, one test for each row of the table in `understudy.transport.hints`."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.envelope import Envelope, envelope_of
from understudy.core.span import SPAN_S_MAX
from understudy.transport.hints import retry_after_s, should_repeat

NOW = datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC).timestamp()
SILENT = Envelope()


def hint(headers: dict[str, str] | None = None, body: Any = None, *, limited: bool = True) -> float | None:
    lines = {name.encode(): line.encode() for name, line in (headers or {}).items()}
    return retry_after_s(lines, SILENT if body is None else envelope_of(body), limited=limited, now_unix_s=NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry-after": "Wednesday, 21-Oct-26 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed Oct 21 07:28:00 2026"}, 30),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "2026-10-21T07:28:00Z"}, 30),
        ({"retry-after": "1792567680"}, 30),  # a proxy's epoch
        ({"retry-after": "30s"}, 30),
        ({"retry-after": "1m30s"}, 90),
        ({"retry-after": "2, 5"}, 5),
        ({"retry-after": "999999"}, SPAN_S_MAX),
        ({"retry-after-ms": "350"}, 0.35),
        ({"x-ms-retry-after-ms": "5000"}, 5),
        ({"retry-after": "1", "retry-after-ms": "0"}, 1),  # Azure
        ({"retry-after": "1", "retry-after-ms": "1500"}, 1.5),
        ({"x-ratelimit-reset": "1792567680000"}, 30),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792567680000"}, 30),
        ({"x-rate-limit-reset": "1792567680"}, 30),
        ({"x-ratelimit-reset": "17.5"}, 17.5),
        ({"x-ratelimit-reset": "1754667660000"}, 0),  # the past
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6ms"}, 0.006),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m0.36s"}, 60.36),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "500µs"}, 0.0005),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "114h18m0s"}, SPAN_S_MAX),
        ({"x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011.38"}, 33011.38),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-10-21T07:28:00Z"}, 30),
        ({"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "1792567680"}, 30),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        ({"ratelimit": "limit=10, remaining=0, reset=30"}, 30),
        ({"ratelimit": '"burst";r=0;t=30'}, 30),
        ({"x-ratelimit-reset": "2026-10-21 07:28:00 UTC"}, 30),
        ({"x-ratelimit-reset": "2026-10-21T09:28:00.000+02:00"}, 30),
        ({"x-ratelimit-reset": "2026-10-21T07:28"}, 30),
    ],
)
def test_headers(headers: dict[str, str], seconds: float):
    assert hint(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": ""},
        {"retry-after": "soon"},
        {"retry-after": "when-ready"},
        {"retry-after": "in a while, perhaps"},
        {"retry-after": "Wed, 99 Oct 2026 07:28:00 GMT"},
        {"retry-after": "2026-99-99T07:28:00Z"},
        {"retry-after": "nan"},
        {"retry-after": "inf"},
        {"x-ratelimit-remaining-tokens": "17997", "x-ratelimit-reset-tokens": "7.66s"},
        {"anthropic-ratelimit-unified-status": "allowed", "anthropic-ratelimit-unified-reset": "1792567680"},
        {"ratelimit": "limit=10, remaining=3, reset=30"},
        {"ratelimit": "limit=10"},
        {"x-ratelimit-limit": "10"},
        {"x-reset": "30"},
    ],
)
def test_headers_that_say_nothing(headers: dict[str, str]):
    assert hint(headers) is None


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"retryDelay": "48s"}]}}, 48),
        ({"error": {"details": [{"retryDelay": "26.5s"}]}}, 26.5),
        (
            {"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1792567680000"}}}},
            30,
        ),
        ({"error": {"metadata": {"headers": {"Retry-After": "9"}}}}, 9),
        ({"error": "loading", "estimated_time": 20.5}, 20.5),
        ({"error": {"message": "Please try again in 174ms. Visit us."}}, 0.174),
        ({"error": {"message": "Please try again in 1m0.36s."}}, 60.36),
        ({"error": {"message": "Please try again in 114h18m0s."}}, SPAN_S_MAX),
        ({"error": {"message": "Try again in 2 seconds."}}, 2),
        ({"error": {"message": "retry after 7"}}, 7),
        ({"error": {"message": "Quota will be replenished in 01:30:00."}}, 5400),
        ({"error": {"message": "You will regain access on 2026-10-21 at 08:00 UTC."}}, 1950),
        ({"error": {"message": "You will regain access on 2026-10-01 at 00:00 UTC."}}, 0),
        ({"error": {"message": "You will regain access on 2026-99-01 at 00:00 UTC."}}, None),
        ({"error": {"message": "The window 2026-10-21 is over"}}, None),
    ],
)
def test_bodies(body: Any, seconds: float | None):
    assert hint(body=body) == (None if seconds is None else pytest.approx(seconds))


def test_only_the_empty_bucket_counts():
    headers = {
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    assert hint(headers) == pytest.approx(7.66)


def test_when_to_ask_outranks_when_the_window_is_full():
    headers = {"retry-after": "2", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m59.56s"}
    assert hint(headers) == 2


def test_the_longest_of_equals_counts():
    body = {"error": {"message": "Please retry in 48.9s.", "details": [{"retryDelay": "48s"}]}}
    assert hint({"retry-after": "30"}, body) == pytest.approx(48.9)
    assert hint({"retry-after": "60"}, body) == 60


def test_resets_are_bookkeeping_unless_a_limit_was_hit():
    assert hint({"x-ratelimit-reset": "30"}, limited=False) is None
    assert hint({"retry-after": "30"}, limited=False) == 30


@pytest.mark.parametrize(
    ("line", "repeat"), [(b"false", False), (b" False ", False), (b"true", True), (b"", None), (b"maybe", None)]
)
def test_should_retry_is_read(line: bytes, repeat: bool | None):
    assert should_repeat({b"x-should-retry": line}) is repeat


def test_should_retry_may_be_absent():
    assert should_repeat({}) is None


NAMES = st.sampled_from(
    [
        b"retry-after",
        b"retry-after-ms",
        b"x-ratelimit-reset",
        b"x-ratelimit-remaining",
        b"ratelimit",
        b"anthropic-ratelimit-x-reset",
    ]
)
LINES = st.binary(max_size=40) | st.text("0123456789-:TZ ,.+GMTWedOct", max_size=40).map(str.encode)


@given(st.dictionaries(NAMES, LINES), st.booleans())
def test_no_header_breaks_the_reading(headers: dict[bytes, bytes], limited: bool):
    wait = retry_after_s(headers, SILENT, limited=limited, now_unix_s=NOW)
    assert wait is None or 0 <= wait <= SPAN_S_MAX


@pytest.mark.parametrize("skew_s", [-3600, -90, -1, 0, 1, 90, 3600])
def test_a_point_in_time_is_one_on_the_clock_of_whoever_names_it(skew_s: int) -> None:
    def told(after_s: int) -> str:
        return format_datetime(datetime.fromtimestamp(NOW + skew_s + after_s, UTC), usegmt=True)

    assert hint({"date": told(0), "retry-after": told(30)}) == pytest.approx(30, abs=1)
    epoch_ms = str(int((NOW + skew_s + 30) * 1000))
    assert hint({"date": told(0), "x-ratelimit-reset": epoch_ms}) == pytest.approx(30, abs=1)
    assert hint({"date": told(0), "retry-after": "30"}) == 30, "a span needs no clock"
    assert hint({"retry-after": told(30)}) == max(0, 30 + skew_s), "without a date it is ours"
    assert hint({"date": "yesterday", "retry-after": told(30)}) == max(0, 30 + skew_s)

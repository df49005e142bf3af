"""Spans of time in headers, bodies and sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.span import span_s, spoken_span_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6ms", 0.006),
        ("500us", 0.0005),
        ("500µs", 0.0005),
        ("90ns", 9e-8),
        ("0s", 0),
        ("48s", 48),
        ("26.5s", 26.5),
        ("1m0.36s", 60.36),
        ("2m59.56s", 179.56),
        ("114h18m0s", 411480),
        ("1d2h", 93600),
        ("90 seconds", 90),
        ("33011.38 secs", 33011.38),
        ("1 minute", 60),
        ("5 mins", 300),
        ("1 hr", 3600),
        ("2 days", 172800),
        ("1 minute, 30 seconds", 90),
        ("2 hours and 5 minutes", 7500),
        ("250 Milliseconds", 0.25),
        ("01:30:00", 5400),
        ("00:00:02.5", 2.5),
        ("2.03:04:05", 183845),
        (" 7s ", 7),
    ],
)
def test_a_span_is_read_in_every_spelling(text: str, seconds: float):
    assert span_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "12", "soon", "-5s", "s", "1.5.5s", "10 parsecs", "1:2", "tomorrow at 10:00:00", "9" * 20 + "s"]
)
def test_what_is_no_span_is_none(text: str):
    assert span_s(text) is None


@pytest.mark.parametrize(
    ("sentence", "seconds"),
    [
        ("Rate limit reached. Please try again in 174ms. Visit https://platform.example/limits", 0.174),
        ("on tokens per minute (TPM): Limit 7000, Used 6148. Please try again in 1m0.363142857s. Visit", 60.363142857),
        ("Please try again in 114h18m0s.", 411480),
        ("Rate limit is exceeded. Try again in 2 seconds.", 2),
        ("Please retry in 48.939935699s.", 48.939935699),
        ("Please retry after 86400 seconds.", 86400),
        ("Retry after 2 minutes", 120),
        ("retry after 7", 7),
        ("Retry after: 12", 12),
        ("retry after 3m", 180),
        ("Please wait 20s before the next request", 20),
        ("try again in about 2 hours and 5 minutes", 7500),
        ("Out of call volume quota. Quota will be replenished in 01:22:33.", 4953),
        ("retry in 2s, or try again in 5 minutes", 300),
    ],
)
def test_a_sentence_names_its_wait(sentence: str, seconds: float):
    assert spoken_span_s(sentence) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Rate limit exceeded",
        "limited to 1 requests per minute. Please retry shortly.",
        "Rate limit: 3 requests per 10 seconds",
        "You can retry your request, or contact us (request 12345)",
        "please wait before trying again, model 4o",
        "retry after 2025-11-01",
        "available in 3 models",
        "Please wait 3 months",
        "retry 3 times",
    ],
)
def test_a_sentence_without_a_wait_names_none(sentence: str):
    assert spoken_span_s(sentence) is None


@given(st.integers(0, 500), st.integers(0, 59), st.integers(0, 59_999))
def test_a_span_written_as_go_does_is_read_back(hours: int, minutes: int, milliseconds: int):
    text = f"{hours}h{minutes}m{milliseconds / 1000:.3f}s"
    assert span_s(text) == pytest.approx(hours * 3600 + minutes * 60 + milliseconds / 1000)
    assert spoken_span_s(f"Please try again in {text}.") == span_s(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str):
    for wait in (span_s(text), spoken_span_s(text)):
        assert wait is None or wait >= 0

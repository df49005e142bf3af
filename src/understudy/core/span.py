"""Reads spans of time as providers spell them, in headers, bodies and sentences."""

from __future__ import annotations

import re

SPAN_S_MAX = 24 * 3600.0
"""Longer hints are cut to a day: a provider once asked for 114 hours (a miscount), and a cool-down can always be renewed."""

_UNITS_S = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "millisecond": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}

_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_UNIT = r"(?:ns|[uµμ]s|ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
_PART = rf"{_NUMBER}\s?{_UNIT}(?![a-z])"
# "1m0.36s", "6ms", "1 minute, 30 seconds", "2 hours and 5 minutes"; inside "1m0.36s" a digit follows the unit.
_SPAN = rf"(?:{_NUMBER}\s?{_UNIT}(?=\d))*{_PART}(?:,?\s(?:and\s)?{_PART})*"
_CLOCK = r"(?:\d{1,3}\.)?\d{1,3}:\d{2}:\d{2}(?:\.\d{1,9})?"  # .NET: d.hh:mm:ss

_WHOLE = re.compile(_SPAN, re.IGNORECASE)
_PIECES = re.compile(rf"({_NUMBER})\s?({_UNIT})", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_WHOLE_CLOCK = re.compile(_CLOCK)
_SENTENCE = re.compile(
    # in lower case and without a word boundary in front: so the first letters are found without trying each place
    rf"(?:again|retry|wait|available|resets?|replenished|expires)\b[^.;\d]{{0,40}}?"
    rf"(?:(?P<span>{_SPAN})|(?P<clock>{_CLOCK})|(?<=after)(?:[ :]\s?)(?P<bare>\d{{1,6}}(?:\.\d{{1,9}})?)(?![\w/:-]|\.\d|\s?{_UNIT}(?![a-z])))"
)


def span_s(text: str) -> float | None:
    """Seconds that `1m0.36s`, `6ms`, `114h18m0s`, `90 seconds` or `01:30:00` last; None for anything else."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return sum(float(number) * _unit_s(unit) for number, unit in _PIECES.findall(text))
    if _WHOLE_CLOCK.fullmatch(text):
        return _clock_s(text)
    return None


def spoken_span_s(sentence: str) -> float | None:
    """The longest wait that a sentence names ("Please try again in 1m0.36s."); None when it names none.

    A number without a unit counts as seconds after "after" only ("retry after 7").
    """
    if not _DIGIT.search(sentence):
        return None
    waits = []
    for found in _SENTENCE.finditer(sentence.lower()):
        if found["span"]:
            waits.append(sum(float(number) * _unit_s(unit) for number, unit in _PIECES.findall(found["span"])))
        elif found["clock"]:
            waits.append(_clock_s(found["clock"]))
        else:
            waits.append(float(found["bare"]))
    return max(waits, default=None)


def _unit_s(unit: str) -> float:
    unit = unit.lower().replace("µ", "u").replace("μ", "u")
    return _UNITS_S.get(unit) or _UNITS_S[unit.removesuffix("s")]


def _clock_s(text: str) -> float:
    days, hours = 0, text
    if "." in text.partition(":")[0]:
        first, _, hours = text.partition(".")
        days = int(first)
    hour, minute, second = hours.split(":")
    return days * 86400 + int(hour) * 3600 + int(minute) * 60 + float(second)

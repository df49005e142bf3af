r"""Whether two answers come to the same: the part of an answer that can be compared, in one canonical form.

A tool call, a JSON value or one of its fields, a marked final answer (`Answer: B`, `#### 42`, `\boxed{7}`), or a short text:
a number, a letter, a label. Prose cannot be compared, and what cannot be compared never agrees.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import log1p
from typing import Any

from understudy.core.answer import Answer, Stop
from understudy.core.conversation import Refusal, Text, ToolCall

SHORT_WORDS = 8
"""A text of so many words, on one line, is an answer as it stands."""

TEXT_MAX = 65_536
"""Characters; a longer text is not looked at."""

_WHOLE = (Stop.END, Stop.TOOL_CALLS, Stop.STOP_SEQUENCE, None)
_FENCED = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)
_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]*\})*)\}")
_MARKED = re.compile(
    r"(?:^|[^\w])(?:final answer|correct answer|answer|correct option|solution)\s*(?:\*\*)?\s*(?:is\b|=|:)\s*:?\s*(?P<told>[^\n]+)"
    r"|^####\s*(?P<hashes>[^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_LETTER = re.compile(r"\A\(?([A-Za-z])(?:[.):]|\Z)")
_NUMBER = re.compile(r"\A[$€£]?\s*(-?\d[\d,]*(?:\.\d+)?|-?\.\d+)\s*%?\Z")
_MARKS = "*_`'\"“”$ \t."


def gist(answer: Answer, field: str | None = None) -> str | None:
    """What an answer comes to; None when it cannot be compared, was cut off, or refuses.

    `field`: of the JSON object that is answered, the member that counts; nested ones with dots.
    """
    if len(answer.choices) != 1 or answer.choices[0].stop not in _WHOLE:
        return None
    parts = answer.choices[0].parts
    if any(isinstance(part, Refusal) for part in parts):
        return None
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if calls:
        return "call " + _written(sorted([[call.name, call.arguments] for call in calls], key=_written))
    return gist_of_text("".join(part.text for part in parts if isinstance(part, Text)), field)


def gist_of_text(text: str, field: str | None = None) -> str | None:
    """What a text comes to; None for prose."""
    text = text.strip()
    if not text or len(text) > TEXT_MAX:
        return None
    found = _json_in(text)
    if found is not None:
        if field is None:
            return "json " + _written(found)
        for name in field.split("."):
            if not isinstance(found, dict) or name not in found:
                return None
            found = found[name]
        return plain(found) if isinstance(found, str) else "json " + _written(found)
    if field is not None:
        return None
    boxed = _BOXED.findall(text)
    if boxed:
        return plain(boxed[-1])
    marked = None
    for marked in _MARKED.finditer(text):  # noqa: B007  the last one counts
        pass
    if marked is not None:
        return plain(marked["told"] or marked["hashes"])
    return plain(text) if "\n" not in text and len(text.split()) <= SHORT_WORDS else None


def plain(text: str) -> str | None:
    """A short answer in canonical form: a number by its value, a choice by its letter, else words without their dress."""
    text = text.strip().strip(_MARKS)
    number = _NUMBER.match(text)
    if number:
        return _number(float(number[1].replace(",", "")))
    letter = _LETTER.match(text)
    if letter:
        return letter[1].lower()
    return " ".join(text.lower().strip(_MARKS).split()) or None


def agreed(gists: Sequence[str | None]) -> int | None:
    """The place of the first answer that another one after it agrees with; None when no two do."""
    for place, one in enumerate(gists):
        if one is not None and one in gists[place + 1 :]:
            return place
    return None


def evidence(gists: Sequence[str | None], written: Sequence[int]) -> tuple[float, ...]:
    """What drafts tell of themselves, for a trained gate: whether two agree, whether all can be compared, how long each is.

    `written`: output tokens of each.
    """
    comparable = all(one is not None for one in gists)
    return (float(agreed(gists) is not None), float(comparable), *map(log1p, written))


def evidence_names(count: int) -> tuple[str, ...]:
    """The names of what `evidence` tells of so many drafts."""
    return ("agree", "comparable", *(f"written_{place}" for place in range(1, count + 1)))


def _json_in(text: str) -> Any:
    """The JSON object or array that a text is, fenced or not; None when it is none."""
    fenced = _FENCED.match(text)
    text = fenced[1].strip() if fenced else text
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _written(value: Any) -> str:
    return json.dumps(_settled(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _settled(value: Any) -> Any:
    """JSON with what means the same written the same: 7.0 as 7, texts without spaces around them."""
    if isinstance(value, dict):
        return {name: _settled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_settled(one) for one in value]
    if isinstance(value, str):
        return value.strip()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)

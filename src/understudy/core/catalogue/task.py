"""What a request is about and how hard it is, from the request alone.

A few microseconds of counting words and marks, no model: good enough to send obviously simple requests to fast targets and obviously
hard ones to good targets, and made to say nothing where it cannot tell. What such a reading is worth is measured
(tests/core/test_task_figures.py); a caller who knows better says so.
"""

from __future__ import annotations

import re
from itertools import repeat

from understudy.core.catalogue._cues import (
    COMMON,
    HARD_UNPARTED,
    HARDNESS_OF,
    KIND_OF,
    STRONG,
    UNPARTED_KIND_OF,
    WORKED_OVER,
)
from understudy.core.conversation import Conversation, Role, Text
from understudy.core.value import value

KINDS = ("conversation", "code", "creative", "analysis", "multimodal", "function_calling")
COMPLEXITIES = ("simple", "medium", "complex")

PART_CHARS = 1536
"""Of a longer text so much of its beginning and of its end is read: instructions stand there, material in the middle."""
ENOUGH_CHARS = 24
"""A last turn that is shorter ("yes, do that") says little: the turn before it is read with it."""
MEDIA = ("audio", "documents", "images", "video")
WORDS_MIN = 8
"""Fewer words than that are not asked for their language."""
CHAT_WORDS_MAX = 60
"""Longer texts are no small talk, however polite."""
OTHER_LETTERS = 1.25
"""A text of more bytes than that for each of its characters is written in other letters than these."""
SHORT_CHARS = 400
"""In shorter texts sums are looked for: in longer ones numbers are details."""
EDGE_WORDS, WORKED_OVER_MAX = 8, 2
"""Where it is said what is to be done with a text, and how hard that can look at most."""
SIMPLE_MAX, COMPLEX_MIN = 0, 5
"""Points of hardness: up to the one it is simple, from the other on complex."""


@value
class Task:
    """What a request is about. `kind`: of `KINDS`, `complexity`: of `COMPLEXITIES`; None where nothing tells. `points`: of hardness."""

    kind: str | None = None
    complexity: str | None = None
    points: int = 0


NOTHING = Task()


def task_of(conversation: Conversation, features: tuple[str, ...]) -> Task:
    """The task of a request. `features`: what it needs, as its wire format's first look found."""
    return read_task(_asked(conversation), features, len(conversation.messages))


def _asked(conversation: Conversation) -> str:
    """The words of the last turns of the user, as far back as it takes to have some."""
    found: list[str] = []
    length = 0
    for message in reversed(conversation.messages):
        if message.role is not Role.USER:
            continue
        for part in reversed(message.parts):
            if isinstance(part, Text):
                found.append(part.text)
                length += len(part.text)
        if length >= ENOUGH_CHARS:
            break
    return "\n".join(reversed(found))


def read_task(text: str, features: tuple[str, ...] = (), turns: int = 1) -> Task:
    """The task of a text. `turns`: messages of the whole conversation."""
    size = len(text)
    if size > 2 * PART_CHARS:
        text = f"{text[:PART_CHARS]} {text[-PART_CHARS:]}"
    kind = _stated_by(features)
    if not text.strip():
        return Task(kind)
    words, told, hard, other = _read(text)
    code, maths = _marks(text)
    if size < SHORT_CHARS and _SUM.search(text) is not None:
        told += ("analysis", "analysis")
    foreign = not told and (other or _foreign(words))
    if kind is None:
        kind = _kind(words, told, code, maths, foreign=foreign)
    points = hard + _points(words, text, size, code, maths, turns)
    if foreign and points < COMPLEX_MIN:
        return Task(kind, None, points)
    return Task(kind, _complexity(points), points)


def _read(text: str) -> tuple[list[str], list[str], int, bool]:
    """The words of a text, the kinds that they tell, points of hardness that no word holds, and whether the letters are not Latin."""
    other = False
    hard = 0
    if text.isascii():
        words = text.encode().translate(_PLAIN).decode().split()
        told = [cue for cue in map(KIND_OF.get, words) if cue is not None]
    else:
        lower = _MARKS.sub(" ", text).lower()
        encoded = lower.encode("utf-8", "replace")
        other = len(encoded) > OTHER_LETTERS * len(lower)
        words = encoded.translate(_PLAIN).decode("utf-8", "replace").split()
        told = [cue for cue in map(KIND_OF.get, words) if cue is not None]
        if other:
            found = _UNPARTED.findall(lower)
            told += map(UNPARTED_KIND_OF.__getitem__, found)
            hard = (COMPLEX_MIN + 1) * any(map(HARD_UNPARTED.__contains__, found))
    if "-" in text:
        parts = [part for word in words if "-" in word for part in word.split("-")]
        told += [cue for cue in map(KIND_OF.get, parts) if cue is not None]
    return words, told, hard, other


def _stated_by(features: tuple[str, ...]) -> str | None:
    """The kind that what a request needs says by itself."""
    if any(name in MEDIA for name in features):
        return "multimodal"
    return "function_calling" if "tools" in features else None


def _marks(text: str) -> tuple[int, int]:
    """How much in a text looks like code, and how much like formulas."""
    count = text.count
    code = 3 * count("```") + count("def ") + count("):") + count("=>") + count("==") + count("  return ")
    code += count("</") + (");\n" in text) + count("{\n") + 2 * count("Traceback") + count("SELECT ")
    maths = count("\\") + count("$") // 2 + count("^") + count(" = ")
    return code, maths


def _foreign(words: list[str]) -> bool:
    """Whether the text is hardly English: most cues are."""
    return len(words) >= WORDS_MIN and 8 * sum(map(COMMON.__contains__, words)) < len(words)


def _kind(words: list[str], told: list[str], code: int, maths: int, *, foreign: bool) -> str | None:
    """The kind for which most speaks, if that is more than for any other."""
    tally = {
        "code": told.count("code") + 2 * min(code, 6) + sum(map(STRONG.__contains__, words)),
        "creative": 2 * told.count("creative"),
        "analysis": told.count("analysis") + min(maths, 6),
        "conversation": told.count("conversation") if len(words) < CHAT_WORDS_MAX else 0,
    }
    (first, best), (_, second) = sorted(tally.items(), key=lambda pair: -pair[1])[:2]
    if best > second and (best > 1 or len(words) < 4 * WORDS_MIN):
        return first
    return "conversation" if best == 0 and len(words) < 2 * WORDS_MIN and not foreign else None


def _points(words: list[str], text: str, size: int, code: int, maths: int, turns: int) -> int:
    """How hard it looks."""
    count = len(words)
    points = sum(map(HARDNESS_OF.get, words, repeat(0)))
    if not WORKED_OVER.isdisjoint(words[:EDGE_WORDS]) or not WORKED_OVER.isdisjoint(words[-EDGE_WORDS:]):
        return min(points, WORKED_OVER_MAX) + (size > 4 * PART_CHARS)
    points = min(points, 6) + min(maths, 4) + min(code // 2, 2)
    points += (count > 30) + (count > 45) + (count > 80) + (count > 160) + (size > 4 * PART_CHARS)
    points += min(text.count("\n- ") + text.count("\n* ") + text.count("\n1") + text.count("\n2"), 2)
    return points + (text.count("?") > 2) + (turns > 8) - (count < 12)


def _complexity(points: int) -> str:
    if points <= SIMPLE_MAX:
        return "simple"
    return "complex" if points >= COMPLEX_MIN else "medium"


_APART = b'\t\n\r.,;:!?()[]{}<>"`|/*_#='
_MARKS = re.compile("[¿¡«»“”„‚‘…–—、。，！？：；（）「」『』《》]")  # noqa: RUF001
_SUM = re.compile(r"\d ?[-+*/×÷] ?\d|\d ?%")  # noqa: RUF001
_UNPARTED = re.compile("|".join(sorted(UNPARTED_KIND_OF, key=len, reverse=True)))
_PLAIN = bytes(32 if byte in _APART else byte for byte in bytes(range(256)).lower())

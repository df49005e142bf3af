"""What a request is about and how hard it is, from the request alone.

A few microseconds of counting words and marks, no model: good enough to send obviously simple requests to fast targets and obviously
hard ones to good targets, and made to say nothing where it cannot tell. What such a reading is worth is measured
(tests/core/test_task_figures.py); a caller who knows better says so.
"""

from __future__ import annotations

from itertools import repeat

from understudy.core.catalogue._cues import COMMON, HARDNESS_OF, KIND_OF
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
SIZE_PER_WORD = 20
"""A text of more characters than that for each word of Latin letters is written in others."""
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
    words = text.encode("ascii", "replace").translate(_PLAIN).decode("ascii").split()
    kind = _stated_by(features)
    if not text.strip():
        return Task(kind)
    told = [cue for cue in map(KIND_OF.get, words) if cue is not None]
    code, maths = _marks(text)
    foreign = not told and _foreign(words, len(text))
    if kind is None:
        kind = _kind(words, told, code, maths, foreign=foreign)
    points = _points(words, text, size, code, maths, turns)
    if foreign and points < COMPLEX_MIN:
        return Task(kind, None, points)
    return Task(kind, _complexity(points), points)


def _stated_by(features: tuple[str, ...]) -> str | None:
    """The kind that what a request needs says by itself."""
    if any(name in MEDIA for name in features):
        return "multimodal"
    return "function_calling" if "tools" in features else None


def _marks(text: str) -> tuple[int, int]:
    """How much in a text looks like code, and how much like formulas."""
    count = text.count
    code = 3 * count("```") + count("def ") + count("):") + count("=>") + count("==") + count("return ")
    code += count("</")
    maths = count("\\") + count("$") // 2 + count("^") + count(" = ")
    return code, maths


def _foreign(words: list[str], size: int) -> bool:
    """Whether the text is hardly English: the cues are."""
    if size > SIZE_PER_WORD * (len(words) + 1):
        return True  # other letters than these
    return len(words) >= WORDS_MIN and 8 * sum(map(COMMON.__contains__, words)) < len(words)


def _kind(words: list[str], told: list[str], code: int, maths: int, *, foreign: bool) -> str | None:
    """The kind for which most speaks, if that is more than for any other."""
    tally = {
        "code": told.count("code") + 2 * min(code, 6),
        "creative": 2 * told.count("creative"),
        "analysis": told.count("analysis") + min(maths, 6),
        "conversation": told.count("conversation") if len(words) < CHAT_WORDS_MAX else 0,
    }
    (first, best), (_, second) = sorted(tally.items(), key=lambda pair: -pair[1])[:2]
    if best > second and (best > 1 or len(words) < 3 * WORDS_MIN):
        return first
    return "conversation" if best == 0 and len(words) < 2 * WORDS_MIN and not foreign else None


def _points(words: list[str], text: str, size: int, code: int, maths: int, turns: int) -> int:
    """How hard it looks."""
    count = len(words)
    points = sum(map(HARDNESS_OF.get, words, repeat(0)))
    points = min(points, 6) + min(maths, 4) + min(code // 2, 2)
    points += (count > 40) + (count > 80) + (count > 160) + (size > 4 * PART_CHARS)
    points += min(text.count("\n- ") + text.count("\n* ") + text.count("\n1") + text.count("\n2"), 2)
    return points + (text.count("?") > 2) + (turns > 8) - (count < 12)


def _complexity(points: int) -> str:
    if points <= SIMPLE_MAX:
        return "simple"
    return "complex" if points >= COMPLEX_MIN else "medium"


_APART = b'\t\n\r.,;:!?()[]{}<>"`|/*_#='
_PLAIN = bytes(32 if byte in _APART else byte for byte in bytes(range(256)).lower())

"""Why a candidate ended: `finishReason` to a reason for stopping, and back; what an answer without content means."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Stop
from understudy.core.conversation import Part
from understudy.core.failure import Failure, FailureKind
from understudy.core.projection import settled_stop

_FILTERED = (
    "BLOCKLIST",
    "CONTENT_FILTER",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_SAFETY",
    "LANGUAGE",
    "MODEL_ARMOR",
    "PROHIBITED_CONTENT",
    "RECITATION",
    "SAFETY",
    "SPII",
)
_BROKEN = (
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL",
)
_OTHER = ("FINISH_REASON_UNSPECIFIED", "IMAGE_OTHER", "NO_IMAGE", "OTHER", *_BROKEN)

STOPS: dict[str, Stop] = {
    "STOP": Stop.END,
    "MAX_TOKENS": Stop.LENGTH,
    **dict.fromkeys(_FILTERED, Stop.CONTENT_FILTER),
    **dict.fromkeys(_OTHER, Stop.END),
}
"""finishReason -> reason. A word that is not here is a plain end, kept as the native one."""

WORDS: dict[Stop, str] = {
    Stop.END: "STOP",
    Stop.TOOL_CALLS: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.CONTENT_FILTER: "SAFETY",
}

FOLDS: dict[Stop, Stop] = {
    Stop.CONTEXT_FULL: Stop.LENGTH,
    Stop.PAUSE: Stop.END,
    Stop.REFUSAL: Stop.CONTENT_FILTER,
    Stop.STOP_SEQUENCE: Stop.END,
    Stop.TOOL_CALLS: Stop.END,
}
"""Reasons that the API has no word for; calls are seen in the parts."""

# Clients that ask for `enum-encoding=int` get numbers. From 6 on the two APIs of Google number differently: up to 8 all are filters
# in both, the others are kept as they are.
_NUMBERS = (
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
)


def word_of(found: Any) -> str | None:
    """A finish reason as a word, however it is encoded; None for none (`FINISH_REASON_UNSPECIFIED` is none, too)."""
    if isinstance(found, int) and not isinstance(found, bool):
        found = _NUMBERS[found] if 0 <= found < len(_NUMBERS) else str(found)
    return found if isinstance(found, str) and found and found != _NUMBERS[0] else None


def read_stop(word: str | None, parts: tuple[Part, ...]) -> tuple[Stop | None, str | None]:
    """The reason, and the native word where that does not tell it whole."""
    if word is None:
        return None, None
    stop = STOPS.get(word, Stop.END)
    return settled_stop(stop, parts), None if WORDS[stop] == word else word


def write_stop(stop: Stop | None, native: str | None) -> str | None:
    """The finish reason of a candidate that was projected."""
    return native if native is not None or stop is None else WORDS[stop]


def is_spoken_for(native: str, stop: Stop, parts: tuple[Part, ...]) -> bool:
    """Whether a native word would be read back as this reason and this word: whether it is one of this API."""
    return native in STOPS and read_stop(native, parts) == (stop, native)


# Answers without content

_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
NO_CANDIDATE = Failure(FailureKind.EMPTY, "the answer has no candidates")


def silence(word: str | None, told: str | None = None) -> Failure | None:
    """What an answer without content means. One that met its bound is an answer: the bound was the caller's.

    `told`: the API's own sentence about it (`finishMessage`).
    """
    if word is None or word == "STOP":
        return _EMPTY
    if word == "MAX_TOKENS":
        return None
    about = f"{word}: {told}" if told else word
    if STOPS.get(word) is Stop.CONTENT_FILTER:
        return Failure(
            FailureKind.CONTENT_FILTER, f"the provider's filter left nothing of the answer ({about})", code=word
        )
    if word in _BROKEN:
        return Failure(FailureKind.MALFORMED, f"the model wrote no answer that can be used ({about})", code=word)
    return Failure(FailureKind.EMPTY, f"the answer has no content ({about})", code=word)

"""Answers that pass through untouched, whole or as a stream: what they used, why they stopped, whether they are answers at all."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects._reading import Unreadable, decode, words
from understudy.dialects.cohere_chat.answer import USAGE
from understudy.dialects.cohere_chat.decode import broken, is_error
from understudy.dialects.cohere_chat.wire import STOPS, read_usage
from understudy.framing.sse import SseEvent

# Whole answers


class _Message(msgspec.Struct):
    content: Any = None
    tool_plan: str | None = None
    tool_calls: list[Any] | None = None


class _Answer(msgspec.Struct):
    message: Any = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None


_answer = msgspec.json.Decoder(_Answer).decode


def _speaks(message: _Message) -> bool:
    content = message.content
    if isinstance(content, list):
        content = any(_says(part) for part in content)
    return bool(content or message.tool_plan or message.tool_calls)


def _says(part: Any) -> bool:
    """Whether an entry of a content says anything."""
    if not isinstance(part, dict):
        return bool(part)
    kind = part.get("type")
    return bool(part.get("text") or part.get("thinking")) or kind not in (None, "text", "thinking")


_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
_FILTERED = Failure(FailureKind.CONTENT_FILTER, "the provider's filter left nothing of the answer")


def silence(word: str) -> Failure | None:
    """What an answer without content means. One that met its bound is an answer: the bound was the caller's."""
    if word in {"ERROR_TOXIC", "CONTENT_BLOCKED"}:
        return _FILTERED
    return None if word in {"MAX_TOKENS", "ERROR_LIMIT"} else _EMPTY


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    try:
        answer = _answer(body)
        message = msgspec.convert(answer.message, _Message) if isinstance(answer.message, dict) else None
    except (RecursionError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None
    usage = read_usage(answer.usage)
    if message is None:
        if answer.message is None and answer.error is None:
            raise BadAnswer("the answer has no object `message`")
        return Glance(usage=usage, failure=classify_in_band(body))
    word = words(answer.finish_reason).upper()
    failure = None if _speaks(message) else silence(word)
    if (told := broken({"finish_reason": word, "error": answer.error})) is not None:
        failure = classify_in_band(told)
    return Glance(usage=usage, failure=failure, stop_native=words(answer.finish_reason) or None)


# Streams


class Watcher:
    """Reads a stream of this dialect as it passes through untouched. `message-end` is the end; `[DONE]` behind it says nothing new."""

    __slots__ = ("_ended", "failure", "has_content", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None
        self._ended = 0

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if not data:
            return 0
        if data.strip() == b"[DONE]":
            return self._ended
        try:
            body = decode(data)
            if not isinstance(body, dict):
                raise Unreadable("it is no object")
        except Unreadable as error:
            if event.event == b"error":
                return self._fail(data)
            raise BadAnswer(f"stream event: {error}") from None
        if event.event == b"error" or is_error(body):
            return self._fail(body)
        kind = body.get("type")
        if not isinstance(kind, str):
            raise BadAnswer("stream event: it has no `type`")
        delta = body.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        if kind == "message-end":
            return self._end(delta)
        if not _tells(kind, delta.get("message")):
            return PROGRESS
        self.has_content = True
        return CONTENT | PROGRESS

    def _end(self, delta: JsonObject) -> int:
        self.usage = read_usage(delta.get(USAGE)) or self.usage
        if (error := broken(delta)) is not None:
            return self._fail(error)
        self.stop_native = words(delta.get("finish_reason")) or next(iter(STOPS))
        self.failure = None if self.has_content else silence(self.stop_native.upper())
        self._ended = END | PROGRESS
        return FINISH | END | PROGRESS | (FAILED if self.failure is not None else 0)

    def _fail(self, payload: object) -> int:
        self.failure = classify_in_band(payload)
        return FAILED | PROGRESS


def _tells(kind: str, message: Any) -> bool:
    """Whether an event has content: words, thoughts, a plan, the beginning of a call."""
    if not isinstance(message, dict):
        return False
    if kind in {"content-start", "content-delta"}:
        content = message.get("content")
        return isinstance(content, dict) and _says(content)
    return bool(words(message.get("tool_plan"))) if kind == "tool-plan-delta" else kind == "tool-call-start"

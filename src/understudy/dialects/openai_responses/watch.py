"""Answers that pass through untouched, whole or as a stream: what they used, why they stopped, whether they are answers at all."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects._openai import decode
from understudy.dialects._reading import Unreadable, encode
from understudy.dialects.openai_responses.decode import FAILURES
from understudy.dialects.openai_responses.wire import FILTERED, LENGTH, read_usage, reason_of
from understudy.framing.sse import SseEvent


class _Response(msgspec.Struct):
    output: list[dict[str, Any]] | None = None
    usage: Any = None
    status: Any = None
    model: str | None = None
    error: Any = None
    incomplete_details: Any = None


_response = msgspec.json.Decoder(_Response).decode

_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
_FILTERED = Failure(FailureKind.CONTENT_FILTER, "the provider's content filter left nothing of the answer")
_AT_WORK = ("in_progress", "queued")


def silence(word: str | None) -> Failure | None:
    """What an answer without content means. One that met its bound is an answer: the bound was the caller's."""
    if word == FILTERED:
        return _FILTERED
    return None if word in {LENGTH, "max_tokens"} else _EMPTY


def speaks(item: dict[str, Any]) -> bool:
    """Whether an item says anything: words, thoughts, a seal, a call, what the provider did by itself."""
    kind = item.get("type")
    if kind == "message":
        return _listed(item.get("content"))
    if kind == "reasoning":
        return bool(item.get("encrypted_content")) or _listed(item.get("summary")) or _listed(item.get("content"))
    return True


def _listed(content: Any) -> bool:
    if not isinstance(content, list):
        return bool(content)
    return any(map(_has_words, content))


def _has_words(part: Any) -> bool:
    if not isinstance(part, dict):
        return bool(part)
    if part.get("type") in ("output_text", "reasoning_text", "summary_text"):
        return _words(part.get("text"))
    return _words(part.get("refusal")) if part.get("type") == "refusal" else True


def _words(text: Any) -> bool:
    """Whether there are any. Raises `BadAnswer`: what is no text is no answer."""
    if text is not None and not isinstance(text, str):
        raise BadAnswer(f"the answer's words are {text!r:.40}, which is no text")
    return bool(text)


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    try:
        answer = _response(body)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None
    usage, word = read_usage(answer.usage), reason_of(answer.incomplete_details)
    if answer.error is not None or answer.status in ("failed", "cancelled"):
        return Glance(usage=usage, failure=classify_in_band(body), stop_native=word, model=answer.model)
    if answer.output is None:
        raise BadAnswer("the answer is no response: it has no list `output`")
    said = answer.status in _AT_WORK or any(map(speaks, answer.output))  # what is asked for later is not yet said
    return Glance(usage=usage, failure=None if said else silence(word), stop_native=word, model=answer.model or "")


# Streams


_ABSENT = msgspec.Raw(b"{}")


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    item: dict[str, Any] | None = None
    part: dict[str, Any] | None = None
    response: msgspec.Raw = _ABSENT
    error: Any = None


_event = msgspec.json.Decoder(_Event).decode

_DELTAS = frozenset(
    {
        "response.output_text.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    }
)


class Watcher:
    """Reads a stream of this dialect as it passes through untouched.

    `response.completed` or `response.incomplete` is its end. One that ends without content is no answer, unless the reason
    explains that.
    """

    __slots__ = ("_ended", "failure", "has_content", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None
        self._ended = False

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if not data or self._ended or data == b"[DONE]":
            return 0
        try:
            told = _event(data)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            told = self._mended(event, data, error)
        kind = told.type or event.event.decode("utf-8", "replace")
        if kind in _DELTAS:
            return self._content() if _words(told.delta) else PROGRESS
        if kind in FAILURES or told.error:
            return self._fail(classify_in_band(data))
        if kind == "response.output_item.added":
            return self._content() if told.item and _is_call(told.item) else PROGRESS
        if kind == "response.output_item.done":
            return self._content() if told.item and speaks(told.item) else PROGRESS
        if kind == "response.content_part.done":
            return self._content() if told.part and _has_words(told.part) else PROGRESS
        if kind in {"response.completed", "response.incomplete"}:
            return self._finish(told.response, cut=kind == "response.incomplete")
        return 0 if kind == "keepalive" else PROGRESS

    def _mended(self, event: SseEvent, data: bytes, error: Exception) -> _Event:
        """An error that is no JSON, or JSON that needs mending."""
        if event.event == b"error":
            return _Event(type="error")
        try:
            return _event(encode(decode(data)))
        except (Unreadable, msgspec.DecodeError):
            raise BadAnswer(f"stream event: {error}") from None

    def _content(self) -> int:
        self.has_content = True
        return CONTENT | PROGRESS

    def _finish(self, raw: msgspec.Raw, *, cut: bool) -> int:
        try:
            response = _response(raw)
        except (RecursionError, msgspec.DecodeError) as error:
            raise BadAnswer(f"stream event: {error}") from None
        self._ended = True
        self.usage = read_usage(response.usage) or self.usage
        self.stop_native = reason_of(response.incomplete_details) or (LENGTH if cut else "completed")
        bits = FINISH | END | PROGRESS
        if not self.has_content and any(map(speaks, response.output or ())):
            bits |= self._content()
        failure = None if self.has_content else silence(self.stop_native)
        return bits if failure is None else bits | self._fail(failure)

    def _fail(self, failure: Failure) -> int:
        self.failure = failure
        return FAILED | PROGRESS


def _is_call(item: dict[str, Any]) -> bool:
    return item.get("type") == "function_call" and bool(item.get("name"))

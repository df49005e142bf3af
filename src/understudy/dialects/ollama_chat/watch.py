"""Answers that pass through untouched, whole or as a stream: what they used, why they stopped, whether they are answers at all."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects.ollama_chat.wire import STOPS, read_usage
from understudy.framing.sse import SseEvent


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Any] | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool | None = None
    done_reason: Any = None
    model: str | None = None
    error: Any = None
    prompt_eval_count: Any = None
    prompt_eval_cached_count: Any = None
    eval_count: Any = None


_line = msgspec.json.Decoder(_Line).decode


def _read(data: bytes) -> _Line:
    try:
        return _line(data)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None


def _usage(line: _Line) -> Usage | None:
    return read_usage(
        {
            "prompt_eval_count": line.prompt_eval_count,
            "prompt_eval_cached_count": line.prompt_eval_cached_count,
            "eval_count": line.eval_count,
        }
    )


def speaks(message: _Message | None) -> bool:
    """Whether a message says anything: words, thoughts, a call."""
    return message is not None and bool(message.content or message.thinking or message.tool_calls)


_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")


def silence(word: str | None) -> Failure | None:
    """What an answer without content means. One that met its bound is an answer: the bound was the caller's."""
    return None if word == "length" else _EMPTY


def _word(line: _Line) -> str | None:
    word = line.done_reason
    return word if isinstance(word, str) and word else None


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    line = _read(body)
    if line.error is not None:
        return Glance(usage=_usage(line), failure=classify_in_band(body), model=line.model)
    if line.message is None:
        raise BadAnswer("the answer has no `message`")
    word = _word(line)
    failure = None if speaks(line.message) else silence(word)
    return Glance(usage=_usage(line), failure=failure, stop_native=word, model=line.model)


class Watcher:
    """Reads a stream of this dialect as it passes through untouched. The line that says `done` is the end."""

    __slots__ = ("failure", "has_content", "model", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.model: str | None = None
        self.stop_native: str | None = None

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if not data:
            return 0
        line = _read(data)
        if line.error:
            self.failure = classify_in_band(data)
            return FAILED | PROGRESS
        if line.message is None and line.done is not True:
            raise BadAnswer("stream event: it has no `message`")
        self.model = line.model or self.model
        bits = PROGRESS
        if speaks(line.message):
            self.has_content = True
            bits |= CONTENT
        return bits | self._done(line) if line.done is True else bits

    def _done(self, line: _Line) -> int:
        self.usage = _usage(line) or self.usage
        self.stop_native = _word(line) or next(iter(STOPS))
        self.failure = None if self.has_content else silence(self.stop_native)
        return FINISH | END if self.failure is None else FINISH | END | FAILED


def glance_lines(events: list[SseEvent]) -> Glance:
    """The same as `glance` for a stream that came as a whole. Raises `BadAnswer`."""
    watcher = Watcher()
    for event in events:
        if watcher.see(event) & (END | FAILED):
            break
    return Glance(usage=watcher.usage, failure=watcher.failure, stop_native=watcher.stop_native, model=watcher.model)

"""Answers that stay in this dialect: what must be known of them while they pass on untouched."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects._reading import Member, raw_value
from understudy.dialects.anthropic_messages.answer import later_usage, read_usage
from understudy.framing.sse import SseEvent

# Whole


class _Message(msgspec.Struct):
    content: Member = msgspec.UNSET
    error: Member = msgspec.UNSET
    type: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: Member = msgspec.UNSET


class _Said(msgspec.Struct):
    """Words, where a block has any: what is of another type is no answer."""

    text: str | None = None
    thinking: str | None = None


_message = msgspec.json.Decoder(_Message).decode
_said = msgspec.json.Decoder(list[_Said]).decode

_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
_SAYS_NOTHING = re.compile(
    rb'\[\s*(?:\{\s*(?:"type"\s*:\s*"text"\s*|"text"\s*:\s*""\s*|"citations"\s*:\s*(?:null|\[\s*\])\s*|,\s*)*\}\s*'
    rb"(?:,\s*)?)*\]"
)


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    try:
        message = _message(body)
        usage = read_usage(raw_value(message.usage))
        content = b"" if message.content is msgspec.UNSET else bytes(message.content)
        if content[:1] == b"[":
            _said(content)
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None
    if message.type == "error" or (message.content is msgspec.UNSET and message.error is not msgspec.UNSET):
        return Glance(usage=usage, failure=classify_in_band(body), model=message.model)
    if content[:1] != b"[":
        raise BadAnswer("the answer is no Message: it has no list `content`")
    failure = None
    if len(content) < 200 and _SAYS_NOTHING.fullmatch(content) and not speaks_by_stopping(message.stop_reason, usage):
        failure = _EMPTY
    return Glance(usage=usage, failure=failure, stop_native=message.stop_reason, model=message.model)


def speaks_by_stopping(native: str | None, usage: Usage | None) -> bool:
    """Whether an answer without content is one all the same.

    A refusal is; so is a bound that was met, and a plain end for which the model wrote tokens (it documented that it may have
    nothing to add after a tool's result). An end without a single token is no answer.
    """
    if native in {"refusal", "max_tokens", "stop_sequence", "pause_turn", "model_context_window_exceeded"}:
        return True
    return native == "end_turn" and usage is not None and usage.completion > 0


# Streams


class _Delta(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    delta: _Delta | None = None
    message: Member = msgspec.UNSET
    content_block: Member = msgspec.UNSET
    usage: Member = msgspec.UNSET


class _Started(msgspec.Struct):
    usage: Member = msgspec.UNSET
    content: Member = msgspec.UNSET


class _BlockStart(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None


_event = msgspec.json.Decoder(_Event).decode
_started = msgspec.json.Decoder(_Started).decode
_block_start = msgspec.json.Decoder(_BlockStart).decode


class Watcher:
    """Reads a stream of this dialect as it passes through untouched."""

    __slots__ = ("_counts", "_ended", "failure", "has_content", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None
        self._counts: JsonObject = {}
        self._ended = False

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data = event.data
        if not data or data == b"[DONE]":  # a comment; or the end mark of another dialect, which some servers add
            return 0
        if event.event == b"error":  # whatever it says, it is no answer
            return self._fail(data)
        try:
            seen = _event(data)
            delta = seen.delta
            if seen.type == "content_block_delta" and delta is not None:
                if delta.text or delta.partial_json or delta.thinking:
                    self.has_content = True
                    return CONTENT | PROGRESS
                return PROGRESS
            if seen.type == "error":
                return self._fail(data)
            see = _SEEN.get(seen.type)
            return PROGRESS if see is None else see(self, seen)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"stream event: {error}") from None

    def _ping(self, _: _Event) -> int:
        return 0

    def _start(self, seen: _Event) -> int:
        if seen.message is msgspec.UNSET:
            raise BadAnswer("message_start has no message")
        message = _started(seen.message)
        self._count(message.usage)
        brought = 0 if message.content is msgspec.UNSET else len(memoryview(message.content))
        if brought > len("null"):  # blocks that came with the start
            self.has_content = True
            return CONTENT | PROGRESS
        return PROGRESS

    def _block(self, seen: _Event) -> int:
        if seen.content_block is msgspec.UNSET:
            raise BadAnswer("content_block_start has no block")
        block = _block_start(seen.content_block)
        if block.type in {"text", "thinking"} and not block.text and not block.thinking:
            return PROGRESS
        self.has_content = True
        return CONTENT | PROGRESS

    def _delta(self, seen: _Event) -> int:
        self._count(seen.usage)
        native = None if seen.delta is None else seen.delta.stop_reason
        if native is None:
            return PROGRESS
        self.stop_native = native
        if not self.has_content and speaks_by_stopping(native, self.usage):
            self.has_content = True
            return CONTENT | FINISH | PROGRESS
        return FINISH | PROGRESS

    def _stop(self, _: _Event) -> int:
        self._ended = True
        if self.has_content:
            return END | PROGRESS
        self.failure = _EMPTY
        return END | FAILED | PROGRESS

    def _fail(self, data: bytes) -> int:
        self.failure = classify_in_band(data)
        return FAILED | PROGRESS

    def _count(self, usage: Member) -> None:
        found = raw_value(usage)
        if isinstance(found, dict) and not self._ended:
            self._counts = later_usage(self._counts, found)
            self.usage = read_usage(self._counts)


_SEEN: dict[str, Callable[[Watcher, _Event], int]] = {
    "content_block_start": Watcher._block,  # noqa: SLF001  the table belongs to the class
    "message_delta": Watcher._delta,  # noqa: SLF001
    "message_start": Watcher._start,  # noqa: SLF001
    "message_stop": Watcher._stop,  # noqa: SLF001
    "ping": Watcher._ping,  # noqa: SLF001
}

"""What must be known of an answer without reading all of it: of a whole one, and of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.answer import Stop
from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, Glance
from understudy.dialects.bedrock_converse.answer import STOPS, read_usage
from understudy.dialects.bedrock_converse.events import EXCEPTION
from understudy.framing.sse import SseEvent

Raw = msgspec.Raw


class _Message(msgspec.Struct):
    content: list[dict[str, Raw]]


class _Output(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    output: _Output | None = None
    stopReason: str | None = None  # noqa: N815  the wire's name
    usage: Any = None


_answer = msgspec.json.Decoder(_Answer).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_SAYS_NOTHING = (b'""', b"null")


def glance(body: bytes) -> Glance:
    """What must be known of a whole answer. Raises `BadAnswer`."""
    try:
        answer = _answer(body)
        if answer.output is None:
            members = _members(body)
            if any(name.endswith("Exception") or name in {"__type", "Output"} for name in members):
                return Glance(usage=None, failure=classify_in_band(body), model="")
            raise BadAnswer("the answer has no object `output`")
    except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadAnswer(f"the answer cannot be read: {error}") from None
    usage, word = read_usage(answer.usage), answer.stopReason
    said = any(bytes(held) not in _SAYS_NOTHING for block in answer.output.message.content for held in block.values())
    return Glance(usage=usage, failure=None if said else silence(word, usage), stop_native=word, model="")


_EMPTY = Failure(FailureKind.EMPTY, "the answer has no content")
_EXCUSED = ("max_tokens", "model_context_window_exceeded", "stop_sequence")


def silence(word: str | None, usage: Usage | None) -> Failure | None:
    """What an answer without content means; None where it is one all the same.

    A bound that was met is an answer, and so is a plain end for which the model wrote tokens: it may have nothing to add to a
    tool's result.
    """
    if word in _EXCUSED or (word == "end_turn" and usage is not None and usage.completion > 0):
        return None
    if word is not None and STOPS.get(word) is Stop.CONTENT_FILTER:
        return Failure(FailureKind.CONTENT_FILTER, f"the provider left nothing of the answer ({word})", code=word)
    if word is not None and word.startswith("malformed"):
        return Failure(FailureKind.MALFORMED, f"the model wrote no answer that can be used ({word})", code=word)
    return _EMPTY


# Streams


class _Delta(msgspec.Struct):
    text: str | None = None
    toolUse: Any = None  # noqa: N815
    reasoningContent: dict[str, Any] | None = None  # noqa: N815


class _Event(msgspec.Struct):
    start: dict[str, Any] | None = None
    delta: _Delta | None = None
    stopReason: str | None = None  # noqa: N815
    usage: Any = None


_event = msgspec.json.Decoder(_Event).decode
_KNOWN = (b"messageStart", b"contentBlockStart", b"contentBlockDelta", b"contentBlockStop", b"messageStop", b"metadata")


class Watcher:
    """Reads a stream of this dialect as it passes through untouched.

    It is complete with both its stop reason and its usage, which comes last.
    """

    __slots__ = ("_counted", "failure", "has_content", "stop_native", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.has_content = False
        self.stop_native: str | None = None
        self._counted = False

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer`."""
        data, name = event.data, event.event
        if not data:
            return 0
        if name == EXCEPTION:
            self.failure = classify_in_band(data)
            return FAILED | PROGRESS
        if name not in _KNOWN:
            return PROGRESS
        try:
            seen = _event(data)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"stream event: {error}") from None
        bits = PROGRESS
        if _speaks(name, seen):
            self.has_content = True
            bits |= CONTENT
        if name == b"messageStop":
            self.stop_native = seen.stopReason
            bits |= FINISH
        if name == b"metadata":
            self.usage = read_usage(seen.usage)
            self._counted = True
        return bits | END if self.stop_native is not None and self._counted else bits


def _speaks(name: bytes, seen: _Event) -> bool:
    """Whether an event brings content: words, thoughts, a call, whatever else the API may put into a block."""
    if name == b"contentBlockStart":
        return bool(seen.start)
    delta = seen.delta
    if name != b"contentBlockDelta" or delta is None:
        return False
    thought: JsonObject = delta.reasoningContent or {}
    return bool(delta.text or thought.get("text") or thought.get("redactedContent"))

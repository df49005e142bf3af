"""Streams into this dialect: for whoever answers in it, a mock or a test. No caller of ours speaks it."""

from __future__ import annotations

from understudy.core.answer import (
    Begin,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects.bedrock_converse.answer import write_stop, write_usage
from understudy.dialects.bedrock_converse.events import write_exception, write_named
from understudy.dialects.bedrock_converse.wire import NAME, encode, own


class Encoder:
    """Writes one stream: the message's only choice, each part a block of the same number."""

    __slots__ = ("_parts", "_sealed", "_usage")

    def __init__(self) -> None:
        self._parts: dict[int, Part] = {}
        self._sealed: dict[int, str] = {}  # encrypted thinking, which goes out whole
        self._usage = Usage()

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; other choices than the first are not told."""
        match event:
            case PartDelta(choice=0) if event.text:
                return self._delta(event)
            case PartBegin(choice=0):
                return self._begin(event)
            case PartEnd(choice=0):
                return self._end(event.index)
            case PartExtra(choice=0):
                citations = own(event.extra).get("citations")
                return b"".join([_delta(event.index, "citation", one) for one in citations or ()])
            case UsageSeen():
                self._usage = event.usage
            case Begin():
                return write_named("messageStart", {"role": "assistant"})
            case Finish(choice=0):
                word = write_stop(event.stop, tuple(self._parts.values()))
                return write_named("messageStop", {"stopReason": word, **own(event.extra)})
            case Failed():
                return write_exception(event.failure, {"message": event.failure.message})
            case End():
                return write_named("metadata", {"usage": write_usage(self._usage)})
            case _:
                pass
        return b""

    def _begin(self, event: PartBegin) -> bytes:
        index, part = event.index, event.part
        self._parts[index] = part
        match part:
            case ToolCall():
                call = {"toolUseId": part.id, "name": part.name, **own(part.extra)}
                written = _start(index, {"toolUse": call})
                if part.arguments not in ("", {}):
                    written += _delta(index, "toolUse", {"input": encode(part.arguments).decode()})
                return written
            case Opaque(dialect="bedrock_converse"):
                return _start(index, part.value)
            case Text() | Refusal() if part.text:
                return _delta(index, "text", part.text)
            case Reasoning():
                seals = ((Field.TEXT, part.text), (Field.SIGNATURE, part.signature), (Field.DATA, part.data))
                return b"".join([self._thought(index, part, field, text) for field, text in seals if text])
            case _:
                return b""

    def _delta(self, event: PartDelta) -> bytes:
        part = self._parts.get(event.index)
        match part:
            case Reasoning():
                return self._thought(event.index, part, event.field, event.text)
            case ToolCall():
                return _delta(event.index, "toolUse", {"input": event.text})
            case Text() | Refusal():
                return _delta(event.index, "text", event.text)
            case _:
                return b""

    def _thought(self, index: int, part: Reasoning, field: Field, text: str) -> bytes:
        """A piece of thinking; without a seal that another dialect put on it."""
        if field is Field.TEXT:
            return _delta(index, "reasoningContent", {"text": text})
        if part.signed_by not in {None, NAME}:
            return b""
        if field is Field.SIGNATURE:
            return _delta(index, "reasoningContent", {"signature": text})
        self._sealed[index] = self._sealed.get(index, "") + text
        return b""

    def _end(self, index: int) -> bytes:
        part = self._parts.get(index)
        if part is None or (isinstance(part, Opaque) and part.dialect != NAME):
            return b""
        sealed = self._sealed.pop(index, "")
        written = _delta(index, "reasoningContent", {"redactedContent": sealed}) if sealed else b""
        return written + write_named("contentBlockStop", {"contentBlockIndex": index})


def _start(index: int, start: JsonObject) -> bytes:
    return write_named("contentBlockStart", {"contentBlockIndex": index, "start": start})


def _delta(index: int, kind: str, said: object) -> bytes:
    return write_named("contentBlockDelta", {"contentBlockIndex": index, "delta": {kind: said}})

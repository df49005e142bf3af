"""Streams from this dialect: the events of a Message being written, as events of the intermediate form.

The API gives the stop reason behind the last block. Servers that imitate it may give it before, or more than once: the last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import read_arguments
from understudy.core.conversation import Extra, Opaque, Part, Reasoning, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.projection import settled_stop
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._reading import Unreadable, decode, encode
from understudy.dialects.anthropic_messages.answer import later_usage, message_extra, read_stop, read_usage, usage_extra
from understudy.dialects.anthropic_messages.blocks import read_block
from understudy.dialects.anthropic_messages.wire import NAME, announced, read_seal
from understudy.framing.sse import SseEvent

_TOLD_AS_IT_COMES = (Text, Reasoning, ToolCall)


class _Block:
    """A block that was started and not yet stopped.

    `index`: its number among the parts, None while it is only gathered (a block of this dialect alone, told when whole).
    `fields`: what the start said, and for a gathered block what came since.
    """

    __slots__ = ("citations", "fields", "index", "json", "part")

    def __init__(self, fields: JsonObject, part: Part, index: int | None) -> None:
        self.fields = fields
        self.part = part
        self.index = index
        self.json: list[str] = []
        self.citations: list[Any] = []


class Decoder:
    """Reads one stream. What follows `message_stop` is not part of it."""

    __slots__ = ("_about", "_begun", "_blocks", "_called", "_ended", "_parts", "_reason", "_usage", "stop")

    def __init__(self) -> None:
        self._blocks: dict[Any, _Block] = {}
        self._usage: JsonObject = {}
        self._parts = 0
        self._begun = False
        self._called: tuple[Part, ...] = ()
        self._reason: JsonObject = {}  # the last `delta` that had a stop reason
        self._about: JsonObject = {}  # what else was said of the whole
        self._ended = False
        self.stop: Stop | None = None

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        # a comment; or the end mark of another dialect, which some servers add
        if not event.data or self._ended or event.data == b"[DONE]":
            return ()
        try:
            return self._read(event.data, event.event)
        except Unreadable as error:
            raise BadAnswer(f"stream event: {error}") from None

    def _read(self, data: bytes, name: bytes) -> Sequence[StreamEvent]:
        if name == b"error":  # whatever it says, it is no answer
            return (Failed(classify_in_band(data)),)
        fields = decode(data)
        if not isinstance(fields, dict):
            raise Unreadable("it is no object")
        kind = fields.get("type")
        if kind == "error":
            return (Failed(classify_in_band(fields)),)
        if not isinstance(kind, str):
            raise Unreadable("it has no type")
        read = _READERS.get(kind)
        if read is None:
            return ()
        if self._begun is (kind == "message_start"):
            raise Unreadable(f"{kind} out of order")
        self._begun = True
        return read(self, fields)

    def _start(self, fields: JsonObject) -> Sequence[StreamEvent]:
        message = fields.get("message")
        if not isinstance(message, dict):
            raise Unreadable("message_start has no message")
        events: list[StreamEvent] = [Begin(id=_word(message.get("id")), model=_word(message.get("model")))]
        events += self._used(message.get("usage"))
        content = message.get("content")
        # a turn that goes on after a server tool may bring its first blocks along
        for place, block in enumerate(content if isinstance(content, list) else ()):
            events += self._open(("message", place), block)
            events += self._close(("message", place))
        return events

    def _block_start(self, fields: JsonObject) -> Sequence[StreamEvent]:
        return self._open(_place(fields), fields.get("content_block"))

    def _open(self, place: Any, fields: Any) -> list[StreamEvent]:
        if place in self._blocks:
            raise Unreadable("a block that begins out of order")
        part = read_block(fields, "content_block")
        block = self._blocks[place] = _Block(dict(fields), part, None)
        if not isinstance(part, _TOLD_AS_IT_COMES):
            return []
        block.index = self._parts
        self._parts += 1
        if isinstance(part, ToolCall):
            self._called = (part,)
            return [PartBegin(0, block.index, ToolCall(part.id, part.name, "", part.cache, part.extra))]
        if isinstance(part, Text):
            extra, block.citations = _without_citations(part.extra)
            events: list[StreamEvent] = [PartBegin(0, block.index, Text("", part.cache, extra))]
            if part.text:
                events.append(PartDelta(0, block.index, Field.TEXT, part.text))
            return events
        signature = block.fields.get("signature")
        if part.signed_by is None and isinstance(signature, str):
            part = Reasoning(part.text, None, None, announced(signature), part.extra)  # the seal is going to follow
        return [PartBegin(0, block.index, part)]

    def _delta(self, fields: JsonObject) -> Sequence[StreamEvent]:
        block, delta = self._blocks.get(_place(fields)), fields.get("delta")
        if block is None or not isinstance(delta, dict):
            raise Unreadable("a delta for a block that was not started")
        if block.index is None:
            _gather(block, delta)
            return ()
        kind = delta.get("type")
        if kind == "citations_delta":
            block.citations.append(delta.get("citation"))
            return ()
        known = _DELTAS.get(kind) if isinstance(kind, str) else None
        if known is None:
            return ()
        name, field, of = known
        if not isinstance(block.part, of):
            raise Unreadable(f"a {kind} for a block of type {block.fields['type']}")
        text = delta.get(name)
        if not isinstance(text, str):
            raise Unreadable(f"{kind}.{name} must be a string")
        if field is Field.SIGNATURE:
            return _sealed(block, text)
        if field is Field.ARGUMENTS:
            block.json.append(text)
        return (PartDelta(0, block.index, field, text),) if text else ()

    def _block_stop(self, fields: JsonObject) -> Sequence[StreamEvent]:
        place = _place(fields)
        if place not in self._blocks:
            raise Unreadable("the end of a block that was not started")
        return self._close(place)

    def _close(self, place: Any) -> list[StreamEvent]:
        block = self._blocks.pop(place)
        index = block.index
        if index is None:
            index = self._parts
            self._parts += 1
            return [PartBegin(0, index, _gathered(block)), PartEnd(0, index)]
        events: list[StreamEvent] = []
        if isinstance(block.part, ToolCall) and block.part.arguments != {} and not any(block.json):
            # the whole call came with its start
            arguments = encode(block.part.arguments).decode()
            events.append(PartDelta(0, index, Field.ARGUMENTS, arguments))
        if block.citations:
            events.append(PartExtra(0, index, Extra(NAME, {"citations": block.citations})))
        events.append(PartEnd(0, index))
        return events

    def _message_delta(self, fields: JsonObject) -> Sequence[StreamEvent]:
        events: list[StreamEvent] = self._used(fields.get("usage"))
        delta = fields.get("delta")
        native = delta.get("stop_reason") if isinstance(delta, dict) else None
        if not isinstance(native, str) or not isinstance(delta, dict):
            return events
        self._reason = delta
        self._about |= {name: found for name, found in delta.items() if name not in {"stop_reason", "stop_sequence"}}
        self._about |= {name: found for name, found in fields.items() if name not in {"delta", "usage"}}
        self.stop = read_stop(native, self._called)[0] or Stop.END
        return events

    def _finish(self) -> list[StreamEvent]:
        """Close what is open and say why it stopped. The end mark stands for a reason that was forgotten."""
        self._ended = True
        events: list[StreamEvent] = []
        for place in tuple(self._blocks):
            events += self._close(place)
        stop, word = read_stop(self._reason.get("stop_reason"), self._called)
        sequence = self._reason.get("stop_sequence")
        finish = Finish(
            choice=0,
            stop=stop or settled_stop(Stop.END, self._called) or Stop.END,
            stop_native=word,
            stop_sequence=sequence if isinstance(sequence, str) else None,
            extra=message_extra(self._about, usage_extra(self._usage)) if self._reason else None,
        )
        return [*events, finish]

    def ending(self) -> Sequence[StreamEvent]:
        """What is still held back where the bytes end without `message_stop`."""
        try:
            return () if self._ended or self.stop is None else self._finish()
        except Unreadable as error:
            raise BadAnswer(f"a block that was not ended: {error}") from None

    def _used(self, usage: Any) -> list[StreamEvent]:
        if not isinstance(usage, dict):
            return []
        self._usage = later_usage(self._usage, usage)
        used = read_usage(self._usage)
        return [] if used is None else [UsageSeen(used)]

    def _stop(self, _: JsonObject) -> Sequence[StreamEvent]:
        return [*self._finish(), End()]


_READERS: dict[str, Callable[[Decoder, JsonObject], Sequence[StreamEvent]]] = {
    "content_block_delta": Decoder._delta,  # noqa: SLF001  the table belongs to the class
    "content_block_start": Decoder._block_start,  # noqa: SLF001
    "content_block_stop": Decoder._block_stop,  # noqa: SLF001
    "message_delta": Decoder._message_delta,  # noqa: SLF001
    "message_start": Decoder._start,  # noqa: SLF001
    "message_stop": Decoder._stop,  # noqa: SLF001
}

_DELTAS = {
    "text_delta": ("text", Field.TEXT, Text),
    "thinking_delta": ("thinking", Field.TEXT, Reasoning),
    "input_json_delta": ("partial_json", Field.ARGUMENTS, ToolCall),
    "signature_delta": ("signature", Field.SIGNATURE, Reasoning),
}
"""Kind of delta -> its field on the wire, what it continues, and of which part: thoughts told in a text's place are no text."""


def _sealed(block: _Block, text: str) -> list[StreamEvent]:
    """A seal, unpacked when it belongs to whom the start announced."""
    signature, data, signed_by = read_seal(text)
    announcement = block.fields.get("signature")
    if signed_by != announced(announcement if isinstance(announcement, str) else ""):
        signature, data = text, None
    seals = ((Field.SIGNATURE, signature), (Field.DATA, data))
    return [PartDelta(0, block.index or 0, field, seal) for field, seal in seals if seal]


def _place(fields: JsonObject) -> int:
    place = fields.get("index")
    if not isinstance(place, int):
        raise Unreadable("index must be an integer")
    return place


def _word(found: Any) -> str:
    return found if isinstance(found, str) else ""


def _without_citations(extra: Extra | None) -> tuple[Extra | None, list[Any]]:
    """Citations are told once, when the text is whole."""
    if extra is None or not isinstance(extra.fields.get("citations"), list):
        return extra, []
    left = {name: found for name, found in extra.fields.items() if name != "citations"}
    return Extra(extra.dialect, left) if left else None, list(extra.fields["citations"])


def _gather(block: _Block, delta: JsonObject) -> None:
    """Add a delta to a block of a kind that only this dialect knows: texts grow, everything else is set."""
    for name, found in delta.items():
        if name == "type" or found is None:
            continue
        if name == "partial_json" and isinstance(found, str):
            block.json.append(found)
        elif name == "citation":
            block.citations.append(found)
        else:
            held = block.fields.get(name)
            block.fields[name] = held + found if isinstance(held, str) and isinstance(found, str) else found


def _gathered(block: _Block) -> Part:
    fields = block.fields
    if text := "".join(block.json):
        fields["input"] = read_arguments(text)  # the bound on the answer may have cut it
    if block.citations:
        fields["citations"] = block.citations
    return read_block(fields, "content_block") if not isinstance(block.part, Opaque) else _opaque(fields)


def _opaque(fields: JsonObject) -> Opaque:
    return Opaque(NAME, fields["type"], fields)

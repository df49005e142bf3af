"""Streams into this dialect: blocks one after the other, each started, continued and stopped before the next begins.

Other formats let parts overlap (parallel tool calls in turn). Here only one block is open: it goes out as it comes, the
others wait until it ends.
"""

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
from understudy.core.assembly import read_arguments
from understudy.core.conversation import Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode
from understudy.dialects.anthropic_messages.answer import NULLS, WIRE_STOPS, complete, write_usage
from understudy.dialects.anthropic_messages.blocks import write_block
from understudy.dialects.anthropic_messages.errors import stream_error
from understudy.dialects.anthropic_messages.wire import NAME, announce_seal, own, write_arguments, write_seal
from understudy.framing.sse import write_event


class Encoder:
    """Writes one stream: the message's only choice, in order."""

    __slots__ = ("_finish", "_model", "_parts", "_queue", "_told", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._queue: dict[int, _Block] = {}  # the first one is open, those behind it wait
        self._told = 0  # blocks on the wire so far
        self._parts: tuple[Part, ...] = ()
        self._usage: Usage | None = None
        self._finish: Finish | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; other choices than the first are not told."""
        match event:
            case PartDelta(choice=0) | PartExtra(choice=0):
                block = self._queue.get(event.index)
                return b"" if block is None else block.more(event)
            case PartBegin(choice=0):
                self._parts += (event.part,)
                self._queue[event.index] = _Block(event.part)
                return self._advance()
            case PartEnd(choice=0):
                if event.index in self._queue:
                    self._queue[event.index].ended = True
                return self._advance()
            case UsageSeen():
                self._usage = event.usage
            case Begin():
                return self._begin(event)
            case Finish(choice=0):
                self._finish = event
                return self._drain()
            case Failed():
                return stream_error(event.failure)
            case End():
                return self._drain() + self._end()
            case _:
                pass
        return b""

    def _begin(self, event: Begin) -> bytes:
        message = {
            "id": event.id,
            "type": "message",
            "role": "assistant",
            "model": event.model or self._model,
            "content": [],
            "stop_reason": None,
            **NULLS,
            "usage": write_usage(self._usage),
        }
        return _event("message_start", {"message": message})

    def _advance(self) -> bytes:
        """Open the first block of the queue, and those behind it as far as those before them have ended."""
        written = b""
        while self._queue:
            index, block = next(iter(self._queue.items()))
            if block.number is None:
                written += block.open(self._told)
            if not block.ended:
                break
            written += block.close()
            self._told += block.started
            del self._queue[index]
        return written

    def _drain(self) -> bytes:
        """The choice is complete, so every part is."""
        for block in self._queue.values():
            block.ended = True
        return self._advance()

    def _end(self) -> bytes:
        """What is left to say: why it stopped, and what was used."""
        finish = self._finish
        stop = None if finish is None else settled_stop(finish.stop, self._parts)
        extra = dict(own(finish.extra)) if finish is not None else {}
        used = write_usage(self._usage)
        usage = {name: used[name] for name in _DELTA_USAGE}
        if self._usage is not None and self._usage.cache_write_1h:
            usage["cache_creation"] = used["cache_creation"]  # without it the total would count as the short life time
        usage |= extra.pop("usage", {})
        delta: JsonObject = {
            **NULLS,
            **{name: extra.pop(name) for name in ("container", "stop_details") if name in extra},
            "stop_reason": None if stop is None else WIRE_STOPS[stop],
            "stop_sequence": None if finish is None else finish.stop_sequence,
        }
        return _event("message_delta", {**extra, "delta": delta, "usage": usage}) + _event("message_stop", {})


_DELTA_USAGE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
)


class _Block:
    """One part on its way out.

    `number`: its index on the wire, None while another block is open. `started`: whether it is on the wire: words and
    thinking begin with their first word, since an empty text is refused when it is sent back, and thinking that brings
    none but is encrypted is another kind of block.
    """

    __slots__ = ("_arguments", "_data", "_part", "_signature", "_waiting", "ended", "number", "started")

    def __init__(self, part: Part) -> None:
        self._part = part
        self._signature = (part.signature or "") if isinstance(part, Reasoning) else ""
        self._data = (part.data or "") if isinstance(part, Reasoning) else ""
        self._arguments: list[str] | None = None  # pieces held back: they may turn out to be no object
        self._waiting: list[PartDelta | PartExtra] = []
        self.number: int | None = None
        self.started = False
        self.ended = False

    def open(self, number: int) -> bytes:
        """Its turn has come."""
        self.number = number
        part = self._part
        written = b""
        if (
            not isinstance(part, Text | Refusal | Reasoning)
            or part.text
            or (isinstance(part, Text) and own(part.extra))
        ):
            written = self._start()
        for event in self._waiting:
            written += self.more(event)
        self._waiting.clear()
        return written

    def more(self, event: PartDelta | PartExtra) -> bytes:
        """What continues it."""
        if self.number is None:
            self._waiting.append(event)
            return b""
        if isinstance(event, PartExtra):
            citations = own(event.extra).get("citations")
            deltas = [self._delta("citations", "citation", one) for one in citations or ()]
            return self._start() + b"".join(deltas) if deltas else b""
        match event.field:
            case Field.TEXT if event.text:
                return self._start() + self._words(event.text)
            case Field.ARGUMENTS:
                return self._argument(event.text)
            case Field.SIGNATURE:
                # a seal is one delta, at the end: in pieces it could not be marked as another dialect's
                self._signature += event.text
            case Field.DATA:
                self._data += event.text
            case _:
                pass
        return b""

    def close(self) -> bytes:
        """It is whole."""
        written = self._seal() if self._signature or self._data else b""
        if self._arguments:
            wrapped = write_arguments(read_arguments("".join(self._arguments)))
            written += self._json(encode(wrapped).decode()) if wrapped else b""
        return written + _event("content_block_stop", {"index": self.number}) if self.started else b""

    def _start(self) -> bytes:
        if self.started:
            return b""
        part = self._part
        head: Part = part
        if isinstance(part, ToolCall):
            head = ToolCall(part.id, part.name, {}, part.cache, part.extra)
        elif isinstance(part, Text | Refusal):
            head = Text("", None, part.extra if isinstance(part, Text) else None)
        elif isinstance(part, Reasoning):
            head = Reasoning("", extra=part.extra)
        block = write_block(head)
        if block is None:
            return b""
        if isinstance(part, Reasoning):
            block["signature"] = announce_seal(part.signed_by)
        written = self._started(block)
        if isinstance(part, ToolCall) and part.arguments not in ("", {}):
            return written + self._argument(encode(write_arguments(part.arguments)).decode())
        if isinstance(part, Text | Refusal | Reasoning) and part.text:
            return written + self._words(part.text)
        return written

    def _started(self, block: JsonObject) -> bytes:
        self.started = True
        return _event("content_block_start", {"index": self.number, "content_block": complete(block)})

    def _delta(self, kind: str, name: str, value: object) -> bytes:
        return _event("content_block_delta", {"index": self.number, "delta": {"type": f"{kind}_delta", name: value}})

    def _words(self, text: str) -> bytes:
        name = "thinking" if isinstance(self._part, Reasoning) else "text"
        return self._delta(name, name, text)

    def _json(self, piece: str) -> bytes:
        return self._delta("input_json", "partial_json", piece)

    def _argument(self, piece: str) -> bytes:
        """A piece of a tool's arguments. Until they are seen to be an object they are held back, to be wrapped."""
        if self._arguments is None:
            opening = piece.lstrip()
            if not opening:
                return b""
            self._arguments = []
            if not opening.startswith("{"):
                self._arguments.append(piece)
        elif self._arguments:
            self._arguments.append(piece)
        return b"" if self._arguments else self._json(piece)

    def _seal(self) -> bytes:
        if not isinstance(self._part, Reasoning):
            return b""
        signature, data, signed_by = self._signature or None, self._data or None, self._part.signed_by or NAME
        if not self.started:
            block = write_block(Reasoning("", signature, data, signed_by, self._part.extra)) or {}
            if block["type"] == "redacted_thinking":
                return self._started(block)
        return self._start() + self._delta("signature", "signature", write_seal(signature, data, signed_by))


def _event(kind: str, fields: JsonObject) -> bytes:
    return write_event(encode({"type": kind, **fields}), kind.encode())

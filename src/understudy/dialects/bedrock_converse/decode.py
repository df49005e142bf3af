"""Streams from this dialect: the blocks of a message being written, as events of the intermediate form.

Only calls are announced by a start; a text or thought begins with its first words. What was used comes last, behind the stop reason,
and with it the stream is complete.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BadBase64
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
from understudy.core.conversation import Extra, Opaque, Part, Reasoning, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._reading import Unreadable, decode, need, take
from understudy.dialects.bedrock_converse.answer import read_stop, read_usage
from understudy.dialects.bedrock_converse.blocks import call_extra
from understudy.dialects.bedrock_converse.events import EXCEPTION
from understudy.dialects.bedrock_converse.wire import NAME, an_object, kind_of, rest
from understudy.framing.sse import SseEvent

_PADDING = "p"  # hides the length of what is said


class _Block:
    """A block that was begun. `index`: its number among the parts; None for one that is only gathered, to be told when it is whole.

    `fields`: what is gathered. `sealed`: pieces of encrypted thinking, each in base64 of its own. `citations`: told at the end.
    """

    __slots__ = ("citations", "fields", "index", "part", "sealed")

    def __init__(self, index: int | None, part: Part | None, fields: JsonObject | None = None) -> None:
        self.index = index
        self.part = part
        self.fields = fields or {}
        self.sealed: list[str] = []
        self.citations: list[Any] = []


class Decoder:
    """Reads one stream, event by event."""

    __slots__ = ("_begun", "_blocks", "_called", "_counted", "_over", "_parts", "stop")

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._parts = 0
        self._called: tuple[Part, ...] = ()
        self._begun = self._counted = self._over = False
        self.stop: Stop | None = None

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        if not event.data or self._over:
            return ()
        if event.event == EXCEPTION:
            self._over = True
            return (Failed(classify_in_band(event.data)),)
        read = _READERS.get(event.event)
        if read is None:
            return ()
        try:
            fields = an_object(decode(event.data), "it")
            fields.pop(_PADDING, None)
            events: list[StreamEvent] = []
            if not self._begun:
                self._begun = True
                events.append(Begin(id="", model=""))
            read(self, fields, events)
        except Unreadable as error:
            raise BadAnswer(f"stream event: {error}") from None
        if self.stop is not None and self._counted:
            self._over = True
            events.append(End())
        return events

    def ending(self) -> Sequence[StreamEvent]:
        """Nothing: no block may follow the stop reason, so that is told when it comes."""
        return ()

    def _start(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        """The message begins: that it is the assistant's is no news."""

    def _block_start(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        place, start = need(fields, "contentBlockIndex", int), take(fields, "start", dict) or {}
        if place in self._blocks or self.stop is not None:
            raise Unreadable("a block that begins out of order")
        kind = kind_of(start)
        if kind == "toolUse":
            call = an_object(start[kind], "start.toolUse")
            id_, name = need(call, "toolUseId", str, "start.toolUse"), need(call, "name", str, "start.toolUse")
            block = self._begin(place, ToolCall(id_, name, "", None, call_extra(call)), events)
            self._called = (block.part,) if block.part is not None else ()
        elif kind:
            self._blocks[place] = _Block(None, None, start)

    def _begin(self, place: int, part: Part, events: list[StreamEvent]) -> _Block:
        block = self._blocks[place] = _Block(self._parts, part)
        self._parts += 1
        events.append(PartBegin(0, block.index or 0, part))
        return block

    def _delta(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        place, delta = need(fields, "contentBlockIndex", int), need(fields, "delta", dict)
        if self.stop is not None:
            raise Unreadable("a block goes on behind the message's end")
        kind = kind_of(delta)
        tell = _TOLD.get(kind)
        if tell is not None:
            tell(self, place, delta[kind], events)
        elif place in self._blocks and self._blocks[place].index is None:
            _gather(self._blocks[place].fields, kind, delta.get(kind))

    def _text(self, place: int, said: Any, events: list[StreamEvent]) -> None:
        self._say(place, Text(""), Field.TEXT, _word(said, "text"), events)

    def _thought(self, place: int, said: Any, events: list[StreamEvent]) -> None:
        thought = an_object(said, "delta.reasoningContent")
        unsealed = Reasoning("", signed_by=NAME)  # a seal may follow
        for name, field in (("text", Field.TEXT), ("signature", Field.SIGNATURE)):
            if name in thought:
                self._say(place, unsealed, field, _word(thought[name], name), events)
        if data := _word(thought.get("redactedContent"), "redactedContent"):
            self._open(place, unsealed, events).sealed.append(data)

    def _argument(self, place: int, said: Any, events: list[StreamEvent]) -> None:
        block = self._blocks.get(place)
        if block is None or not isinstance(block.part, ToolCall):
            raise Unreadable("a piece of a call that was not begun")
        piece = _word(an_object(said, "delta.toolUse").get("input"), "toolUse.input")
        if piece:
            events.append(PartDelta(0, block.index or 0, Field.ARGUMENTS, piece))

    def _citation(self, place: int, said: Any, events: list[StreamEvent]) -> None:
        self._open(place, Text(""), events).citations.append(said)

    def _say(self, place: int, part: Part, field: Field, text: str, events: list[StreamEvent]) -> None:
        if text:
            events.append(PartDelta(0, self._open(place, part, events).index or 0, field, text))

    def _open(self, place: int, part: Part, events: list[StreamEvent]) -> _Block:
        """The block there, begun now if it was not; one of another kind has ended."""
        block = self._blocks.get(place)
        if block is not None and type(block.part) is type(part):
            return block
        if block is not None:
            self._close(place, events)
        return self._begin(place, part, events)

    def _block_stop(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        place = need(fields, "contentBlockIndex", int)
        if place in self._blocks:  # one that said nothing was never begun
            self._close(place, events)

    def _close(self, place: int, events: list[StreamEvent]) -> None:
        block = self._blocks.pop(place)
        if block.index is None:
            opened = self._begin(place, Opaque(NAME, kind_of(block.fields), block.fields), events)
            del self._blocks[place]
            block.index = opened.index
        if block.sealed:
            events.append(PartDelta(0, block.index or 0, Field.DATA, _joined(block.sealed)))
        if block.citations:
            events.append(PartExtra(0, block.index or 0, Extra(NAME, {"citations": block.citations})))
        events.append(PartEnd(0, block.index or 0))

    def _stop(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        if self.stop is not None:
            raise Unreadable("the message ends twice")
        for place in tuple(self._blocks):
            self._close(place, events)
        stop, native = read_stop(need(fields, "stopReason", str), self._called)
        self.stop = stop or Stop.END
        events.append(Finish(choice=0, stop=self.stop, stop_native=native, extra=rest(fields)))

    def _metadata(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        self._counted = True
        usage = read_usage(fields.get("usage"))
        if usage is not None:
            events.append(UsageSeen(usage))


_READERS: dict[bytes, Callable[[Decoder, JsonObject, list[StreamEvent]], None]] = {
    b"contentBlockDelta": Decoder._delta,  # noqa: SLF001  the table belongs to the class
    b"contentBlockStart": Decoder._block_start,  # noqa: SLF001
    b"contentBlockStop": Decoder._block_stop,  # noqa: SLF001
    b"messageStart": Decoder._start,  # noqa: SLF001
    b"messageStop": Decoder._stop,  # noqa: SLF001
    b"metadata": Decoder._metadata,  # noqa: SLF001
}
_TOLD: dict[str, Callable[[Decoder, int, Any, list[StreamEvent]], None]] = {
    "citation": Decoder._citation,  # noqa: SLF001
    "reasoningContent": Decoder._thought,  # noqa: SLF001
    "text": Decoder._text,  # noqa: SLF001
    "toolUse": Decoder._argument,  # noqa: SLF001
}


def _word(found: Any, where: str) -> str:
    if found is not None and not isinstance(found, str):
        raise Unreadable(f"delta.{where} must be a string")
    return found or ""


def _gather(fields: JsonObject, kind: str, piece: Any) -> None:
    """Add a delta to a block that only this dialect knows: lists are its content and grow, anything else is set."""
    held = fields.get(kind)
    if not isinstance(held, dict):
        return
    if isinstance(piece, list):
        fields[kind] = {**held, "content": [*(held.get("content") or ()), *piece]}
    elif isinstance(piece, dict):
        fields[kind] = {**held, **piece}


def _joined(pieces: list[str]) -> str:
    """Pieces of base64 as one."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return b64encode(b"".join([b64decode(piece, validate=True) for piece in pieces])).decode()
    except (BadBase64, ValueError):
        raise Unreadable("redactedContent is no base64") from None

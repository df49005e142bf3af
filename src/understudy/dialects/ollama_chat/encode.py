"""Streams into this dialect: a line for every piece of text or thought, one for every call, and a last one that says it is done.

One part is told at a time, what overlaps it waits: pieces have no number to tell two parts apart by.
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
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import merged, read_arguments
from understudy.core.conversation import Extra, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode
from understudy.dialects.ollama_chat.answer import write_end, write_head
from understudy.dialects.ollama_chat.request import write_call
from understudy.dialects.ollama_chat.wire import folded, own, write_usage
from understudy.framing.json_lines import write_line

_Piece = PartBegin | PartDelta | PartExtra | PartEnd


class Encoder:
    """Writes one stream: the answer's only choice, in order."""

    __slots__ = ("_beside", "_calls", "_finish", "_head", "_model", "_queue", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._head: JsonObject = {"model": model}
        self._beside: JsonObject = {}
        self._queue: dict[int, _Told] = {}  # the first one is told, those behind it wait
        self._calls = 0
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; other choices than the first are not told."""
        match event:
            case PartBegin(choice=0) | PartDelta(choice=0) | PartExtra(choice=0) | PartEnd(choice=0):
                return self._piece(event)
            case Begin():
                self._head = write_head(event.model or self._model, event.created)
                self._beside = dict(own(event.extra))
            case Finish(choice=0):
                self._finish = event
            case UsageSeen():
                self._usage = event.usage
            case Failed():
                return write_line(encode({"error": event.failure.message}))
            case End():
                return self._end()
            case _:
                pass
        return b""

    def _piece(self, event: _Piece) -> bytes:
        if isinstance(event, PartBegin):
            self._queue[event.index] = _Told(event.part)
        elif (told := self._queue.get(event.index)) is not None:
            told.take(event)
        return self._advance()

    def _advance(self) -> bytes:
        """Tell what the first of the queue has said, and those behind it as far as those before them have ended."""
        written = b""
        while self._queue:
            index, told = next(iter(self._queue.items()))
            if (said := told.say(self._calls)) is not None:
                self._calls += isinstance(told.part, ToolCall)
                message = {"role": "assistant", "content": "", **said}
                written += write_line(encode({**self._head, "message": message, "done": False}))
            if not told.ended:
                break
            del self._queue[index]
        return written

    def _end(self) -> bytes:
        """Whatever is still open, and the last line."""
        for told in self._queue.values():
            told.ended = True
        written = self._advance()
        finish = self._finish
        others = {**self._beside, **(own(finish.extra) if finish is not None else {})}
        stop = Stop.END if finish is None else folded(finish.stop)
        message = {"role": "assistant", "content": "", **others.pop("message", {})}
        ending = {**self._head, "message": message, **write_end(stop), **write_usage(self._usage), **others}
        return written + write_line(encode(ending))


class _Told:
    """One part on its way out. `ended`: nothing more will be said of it. `_held`: what was said and not told yet."""

    __slots__ = ("_extra", "_held", "ended", "part")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.ended = False
        self._held = part.text if isinstance(part, Text | Refusal | Reasoning) else ""
        self._extra: Extra | None = part.extra if isinstance(part, ToolCall) else None

    def take(self, event: PartDelta | PartExtra | PartEnd) -> None:
        """More of it. Seals and the fields of other formats have no place here."""
        if isinstance(event, PartEnd):
            self.ended = True
        elif isinstance(event, PartExtra):
            self._extra = merged(self._extra, [event.extra])
        elif event.field in {Field.TEXT, Field.ARGUMENTS}:
            self._held += event.text

    def say(self, number: int) -> JsonObject | None:
        """The members of the next line's message; None when there is nothing to say. `number`: of calls before it."""
        part = self.part
        if isinstance(part, ToolCall):
            return {"tool_calls": [self._call(part, number)]} if self.ended else None
        if not self._held or not isinstance(part, Text | Refusal | Reasoning):
            return None
        held, self._held = self._held, ""
        return {"thinking" if isinstance(part, Reasoning) else "content": held}

    def _call(self, part: ToolCall, number: int) -> JsonObject:
        arguments = part.arguments or read_arguments(self._held)
        if not isinstance(arguments, dict):
            arguments = {"INVALID_JSON": arguments}
        return write_call(ToolCall(part.id, part.name, arguments, None, self._extra), index=number)

"""Streams from this dialect: typed events, from `message-start` over contents, plans, calls and citations to `message-end`.

Contents and calls are numbered apart from each other; a plan has no number. A part opens with its first word.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Opaque, Part, Reasoning, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._fields import gathered
from understudy.dialects._reading import Unreadable, decode, words
from understudy.dialects.cohere_chat.answer import USAGE, call_id
from understudy.dialects.cohere_chat.content import read_call
from understudy.dialects.cohere_chat.wire import BROKEN, NAME, read_stop, read_usage, rest
from understudy.framing.sse import SseEvent

_Key = tuple[str, Any]
_PLAN: _Key = ("plan", 0)


def is_error(body: JsonObject) -> bool:
    """Whether an event is an error: Cohere's envelope has no type, those of the proxies in front of it say `error`."""
    return ("type" not in body and ("message" in body or "error" in body)) or body.get("type") == "error"


def broken(ending: JsonObject) -> JsonObject | None:
    """The error that a `message-end` reports in its `delta`; None for a proper end."""
    word = words(ending.get("finish_reason")).upper()
    if word not in BROKEN:
        return None
    return {"message": words(ending.get("error")) or f"the provider ended the answer with {word}", "code": word}


class Decoder:
    """Reads one stream, event by event."""

    __slots__ = ("_about", "_begun", "_calls", "_id", "_next", "_open", "_over", "_starts", "_unknown", "stop")

    def __init__(self) -> None:
        self._id = ""
        self._begun = False
        self._over = False  # it has ended, or failed
        self._next = 0
        self._open: dict[_Key, tuple[int, type[Part]]] = {}
        self._unknown: dict[
            _Key, JsonObject
        ] = {}  # contents of kinds that only the API knows, told when they are whole
        self._starts: dict[_Key, type[Part]] = {}  # contents that were announced and have said nothing yet
        self._calls: tuple[Part, ...] = ()
        self._about: JsonObject = {}
        self.stop: Stop | None = None

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        data = event.data
        if not data or self._over or data.strip() == b"[DONE]":
            return ()
        try:
            body = decode(data)
            if not isinstance(body, dict):
                raise Unreadable("it is no object")
            if event.event == b"error" or is_error(body):
                return self._fail(body)
            return self._read(body)
        except Unreadable as error:
            if event.event == b"error":
                return self._fail(data)
            raise BadAnswer(f"stream event: {error}") from None

    def _read(self, body: JsonObject) -> Sequence[StreamEvent]:
        kind = body.get("type")
        if not isinstance(kind, str):
            raise Unreadable("it has no `type`")
        events: list[StreamEvent] = []
        delta = body.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        self._begin(body if kind == "message-start" else {}, events)
        if kind == "message-end":
            return self._end(delta, events)
        message, index = delta.get("message"), body.get("index")
        if isinstance(index, dict | list):
            raise Unreadable("index must be a number")
        self._tell(kind, index, message if isinstance(message, dict) else {}, events)
        return events

    def _tell(self, kind: str, index: Any, message: JsonObject, events: list[StreamEvent]) -> None:
        match kind:
            case "content-start":
                self._content_start(index, message, events)
            case "content-delta":
                self._content(index, message, events)
            case "content-end":
                self._content_end(("content", index), events)
            case "tool-plan-delta":
                if said := words(message.get("tool_plan")):
                    self._say(_PLAN, Text, said, events)
            case "tool-call-start":
                self._call_start(index, message, events)
            case "tool-call-delta":
                self._arguments(index, message, events)
            case "tool-call-end":
                self._close(("call", index), events)
            case "citation-start":
                if isinstance(citation := message.get("citations"), dict):
                    gathered(self._about, "citations", [citation])
            case _:
                pass  # what comes new to the API must not break the rest

    def _begin(self, start: JsonObject, events: list[StreamEvent]) -> None:
        if self._begun:
            return
        self._begun = True
        self._id = words(start.get("id"))
        others = {name: held for name, held in start.items() if name not in {"id", "type", "delta"}}
        events.append(Begin(id=self._id, model="", extra=rest(others)))

    def _fail(self, payload: object) -> Sequence[StreamEvent]:
        self._over = True
        return (Failed(classify_in_band(payload)),)

    # Parts

    def _content_start(self, index: Any, message: JsonObject, events: list[StreamEvent]) -> None:
        content = message.get("content")
        content = content if isinstance(content, dict) else {}
        kind = content.get("type", "text")
        key = ("content", index)
        self._content_end(key, events)
        if kind in ("text", "thinking"):
            self._starts[key] = Text if kind == "text" else Reasoning
            self._content(index, message, events)
        else:
            self._unknown[key] = content

    def _content_end(self, key: _Key, events: list[StreamEvent]) -> None:
        self._starts.pop(key, None)
        unknown = self._unknown.pop(key, None)
        if unknown is not None:
            self._open_part(key, Opaque(NAME, words(unknown.get("type")) or "unknown", unknown), events)
        self._close(key, events)

    def _content(self, index: Any, message: JsonObject, events: list[StreamEvent]) -> None:
        content = message.get("content")
        if not isinstance(content, dict):
            return
        if (unknown := self._unknown.get(("content", index))) is not None:
            for name, held in content.items():
                before = unknown.get(name)
                unknown[name] = before + held if isinstance(before, str) and isinstance(held, str) else held
            return
        for name, kind in (("thinking", Reasoning), ("text", Text)):
            if said := words(content.get(name)):
                self._say(("content", index), self._starts.get(("content", index), kind), said, events)

    def _say(self, key: _Key, kind: type[Part], said: str, events: list[StreamEvent]) -> None:
        if key not in self._open or self._open[key][1] is not kind:
            self._open_part(key, Reasoning("") if kind is Reasoning else Text(""), events)
        events.append(PartDelta(0, self._open[key][0], Field.TEXT, said))

    def _call_start(self, index: Any, message: JsonObject, events: list[StreamEvent]) -> None:
        call = message.get("tool_calls")
        read = read_call(call, call_id(self._id, len(self._calls)), "tool_calls")
        self._close(_PLAN, events)
        self._calls += (read,)
        self._open_part(("call", index), ToolCall(read.id, read.name, "", None, read.extra), events)
        self._arguments(index, message, events)

    def _arguments(self, index: Any, message: JsonObject, events: list[StreamEvent]) -> None:
        call = message.get("tool_calls")
        function = call.get("function") if isinstance(call, dict) else None
        said = words(function.get("arguments")) if isinstance(function, dict) else ""
        if said:
            if ("call", index) not in self._open:
                raise Unreadable("a piece of a call that was not begun")
            events.append(PartDelta(0, self._open["call", index][0], Field.ARGUMENTS, said))

    def _open_part(self, key: _Key, part: Part, events: list[StreamEvent]) -> None:
        self._close(key, events)
        self._open[key] = self._next, type(part)
        events.append(PartBegin(0, self._next, part))
        self._next += 1

    def _close(self, key: _Key, events: list[StreamEvent]) -> None:
        if (opened := self._open.pop(key, None)) is not None:
            events.append(PartEnd(0, opened[0]))

    def _end(self, delta: JsonObject, events: list[StreamEvent]) -> Sequence[StreamEvent]:
        self._over = True
        for key in [*self._open, *self._unknown]:
            self._content_end(key, events)
        if (usage := read_usage(delta.get(USAGE))) is not None:
            events.append(UsageSeen(usage))
        if (error := broken(delta)) is not None:
            return [*events, Failed(classify_in_band(error))]
        for name, held in delta.items():
            if name not in {"finish_reason", USAGE}:
                gathered(self._about, name, held)
        stop, native = read_stop(delta.get("finish_reason"), self._calls)
        self.stop = stop or Stop.END
        events.append(Finish(choice=0, stop=self.stop, stop_native=native, extra=rest(self._about)))
        return [*events, End()]

    def ending(self) -> Sequence[StreamEvent]:
        """Nothing: the event that says why the answer ended is the last."""
        return ()

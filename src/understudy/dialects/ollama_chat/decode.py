"""Streams from this dialect: lines, each an object with a piece of the message; the last says that it is done, why, and what it took."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.answer import (
    Answer,
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
from understudy.core.assembly import assemble, write_arguments
from understudy.core.conversation import Part, Reasoning, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._fields import gathered
from understudy.dialects._reading import Unreadable, decode, words
from understudy.dialects.ollama_chat.answer import OF_THE_ANSWER, beside_message, calls_of, message_of
from understudy.dialects.ollama_chat.request import read_spoken
from understudy.dialects.ollama_chat.wire import answer_id, read_moment, read_stop, read_usage, rest
from understudy.framing.sse import SseEvent


class Decoder:
    """Reads one stream, line by line."""

    __slots__ = ("_about", "_begun", "_calls", "_kind", "_next", "_over", "stop")

    def __init__(self) -> None:
        self._begun = False
        self._over = False  # it is done, or failed
        self._kind: type[Part] | None = None  # of the part that is open, whose number is the one before `_next`
        self._next = 0
        self._calls: tuple[Part, ...] = ()
        self._about: JsonObject = {}
        self.stop: Stop | None = None

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one line says. Raises `BadAnswer`."""
        if not event.data or self._over:
            return ()
        try:
            return self.read(decode(event.data))
        except Unreadable as error:
            raise BadAnswer(f"stream event: {error}") from None

    def read(self, line: object) -> Sequence[StreamEvent]:
        """The same for a line that is decoded. Raises `Unreadable`."""
        if not isinstance(line, dict):
            raise Unreadable("it is no object")
        if line.get("error"):
            self._over = True
            return (Failed(classify_in_band(line)),)
        message = message_of(line)
        if message is None and line.get("done") is not True:
            raise Unreadable("it has no `message`")
        events: list[StreamEvent] = []
        if not self._begun:
            self._begun = True
            moment, model = words(line.get("created_at")), words(line.get("model"))
            events.append(Begin(id=answer_id(moment, model), model=model, created=read_moment(moment)))
        if message is not None:
            self._speak(line, message, events)
        for name, held in line.items():
            if name not in OF_THE_ANSWER:
                gathered(self._about, name, held)
        if line.get("done") is True:
            self._finish(line, events)
        return events

    def _speak(self, line: JsonObject, message: JsonObject, events: list[StreamEvent]) -> None:
        for part in read_spoken(dict(message), "message"):
            if isinstance(part, Text | Reasoning):
                self._say(part, events)
        calls = calls_of(message, words(line.get("created_at")), words(line.get("model")), len(self._calls))
        for call in calls:
            assert isinstance(call, ToolCall)
            self._close(events)
            written = write_arguments(call.arguments)
            events.append(PartBegin(0, self._next, ToolCall(call.id, call.name, "", None, call.extra)))
            events.append(PartDelta(0, self._next, Field.ARGUMENTS, written))
            events.append(PartEnd(0, self._next))
            self._next += 1
        self._calls += tuple(calls)
        if others := beside_message(message):
            gathered(self._about, "message", others)

    def _say(self, part: Text | Reasoning, events: list[StreamEvent]) -> None:
        if self._kind is not type(part):
            self._close(events)
            self._kind = type(part)
            events.append(PartBegin(0, self._next, type(part)("")))
            self._next += 1
        events.append(PartDelta(0, self._next - 1, Field.TEXT, part.text))

    def _close(self, events: list[StreamEvent]) -> None:
        if self._kind is not None:
            self._kind = None
            events.append(PartEnd(0, self._next - 1))

    def _finish(self, line: JsonObject, events: list[StreamEvent]) -> None:
        self._over = True
        self._close(events)
        self.stop, native = read_stop(line.get("done_reason"), self._calls)
        events.append(Finish(choice=0, stop=self.stop, stop_native=native, extra=rest(self._about)))
        if (usage := read_usage(line)) is not None:
            events.append(UsageSeen(usage))
        events.append(End())

    def ending(self) -> Sequence[StreamEvent]:
        """Nothing: the event that says why the answer ended is the last."""
        return ()


def read_lines(lines: Sequence[SseEvent]) -> Answer:
    """The answer in a stream that came as a whole. Raises `Unreadable`."""
    decoder = Decoder()
    events = [event for line in lines for event in decoder.read(decode(line.data or b""))]
    if not events or any(isinstance(event, Failed) for event in events):
        raise Unreadable("the answer's lines hold no answer")
    return assemble(events)

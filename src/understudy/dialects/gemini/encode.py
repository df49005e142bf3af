"""Streams into this dialect: a run of answers, each with a piece more.

One part is told at a time, what overlaps it waits: pieces have no number to tell two parts apart by. A call goes out whole, with the
signature that belongs to it. Why it ended and what was used is the last event's to say.
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
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import read_arguments
from understudy.core.conversation import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import ErrorReport
from understudy.dialects._errors import google_error
from understudy.dialects._reading import encode
from understudy.dialects.gemini.answer import USAGE
from understudy.dialects.gemini.parts import write_call, write_thought
from understudy.dialects.gemini.seals import anchor, announced
from understudy.dialects.gemini.stops import FOLDS, STOPS, WORDS
from understudy.dialects.gemini.usage import write_usage
from understudy.dialects.gemini.wire import NAME, own
from understudy.framing.sse import write_event


class Encoder:
    """Writes one stream."""

    __slots__ = ("_choices", "_ends", "_head", "_model", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._head: JsonObject = {"modelVersion": model}
        self._choices: dict[int, _Choice] = {}
        self._ends: list[JsonObject] = []
        self._usage: Usage | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; `b""` when there is nothing to say (yet)."""
        match event:
            case PartBegin() | PartDelta() | PartEnd():
                choice = self._choices.setdefault(event.choice, _Choice())
                return self._chunks(event.choice, choice.take(event))
            case UsageSeen():
                self._usage = event.usage
            case Begin():
                self._head = {"modelVersion": event.model or self._model, "responseId": event.id}
                self._head |= own(event.extra)
            case Finish():
                return self._finish(event)
            case Failed():
                return stream_error(event.failure)
            case End():
                return self._end()
            case _:
                pass
        return b""

    def _chunks(self, number: int, parts: list[JsonObject]) -> bytes:
        return b"".join(
            [self._chunk({"content": {"parts": [part], "role": "model"}, "index": number}) for part in parts]
        )

    def _chunk(self, candidate: JsonObject) -> bytes:
        return write_event(encode({"candidates": [candidate], **self._head}))

    def _finish(self, event: Finish) -> bytes:
        """The choice is complete, so every part is; that it is, the last event tells."""
        choice = self._choices.setdefault(event.choice, _Choice())
        written = self._chunks(event.choice, choice.drain())
        stop = FOLDS.get(event.stop, event.stop)
        native = event.stop_native
        word = native if native is not None and STOPS.get(native) is stop else WORDS[stop]
        content: JsonObject = {"parts": [{"text": ""}], "role": "model"}  # as the API itself ends
        self._ends.append({"content": content, "finishReason": word, "index": event.choice, **own(event.extra)})
        return written

    def _end(self) -> bytes:
        ended: JsonObject = {"candidates": self._ends, **self._head}
        if self._usage is not None:
            ended[USAGE] = {**write_usage(self._usage), **self._head.get(USAGE, {})}
        return write_event(encode(ended))


class _Choice:
    """The parts of one alternative on their way out: the first is told, those behind it wait.

    `signature`: of the call that comes next.
    """

    __slots__ = ("_queue", "signature")

    def __init__(self) -> None:
        self._queue: dict[int, _Telling] = {}
        self.signature: str | None = None

    def take(self, event: PartBegin | PartDelta | PartEnd) -> list[JsonObject]:
        """What can be told now that this has happened."""
        if isinstance(event, PartBegin):
            self._queue[event.index] = _Telling(event.part)
            return self._advance()
        telling = self._queue.get(event.index)
        if telling is None:
            return []
        if isinstance(event, PartEnd):
            telling.ended = True
            return self._advance()
        return telling.more(event)

    def drain(self) -> list[JsonObject]:
        """Everything that is left."""
        for telling in self._queue.values():
            telling.ended = True
        return self._advance()

    def _advance(self) -> list[JsonObject]:
        written: list[JsonObject] = []
        while self._queue:
            index, telling = next(iter(self._queue.items()))
            if not telling.begun:
                written += telling.begin()
            if not telling.ended:
                break
            written += telling.end(self)
            del self._queue[index]
        return written


class _Telling:
    """One part. `begun`: its turn has come. `_held`: pieces that came before it, or that go out together.

    A thought that bears a seal begins with an announcement of whose: without one, pieces of two thoughts could not be told apart.
    """

    __slots__ = ("_held", "_part", "_seals", "_told", "begun", "ended")

    def __init__(self, part: Part) -> None:
        self._part = part
        self._held: list[str] = []
        self._seals: dict[Field, str] = {}
        self._told = False
        self.begun = False
        self.ended = False
        if isinstance(part, Reasoning):
            self._seals = {Field.SIGNATURE: part.signature or "", Field.DATA: part.data or ""}
        if isinstance(part, Text | Refusal | Reasoning) and part.text:
            self._held.append(part.text)

    def begin(self) -> list[JsonObject]:
        """Its turn has come: tell what waited."""
        self.begun = True
        if isinstance(self._part, ToolCall):
            return []
        held, self._held = "".join(self._held), []
        return self._words(held) if held else []

    def more(self, event: PartDelta) -> list[JsonObject]:
        """A piece of it."""
        if event.field in self._seals:
            self._seals[event.field] += event.text
            return []
        if not self.begun or isinstance(self._part, ToolCall):
            self._held.append(event.text)
            return []
        return self._words(event.text) if event.text else []

    def _words(self, text: str) -> list[JsonObject]:
        if not isinstance(self._part, Reasoning):
            return [{"text": text}]
        piece: JsonObject = {"text": text, "thought": True}
        if self._part.signed_by is not None and not self._told:
            piece["thoughtSignature"] = announced(self._part.signed_by)
        self._told = True
        return [piece]

    def end(self, choice: _Choice) -> list[JsonObject]:
        """It is whole: what goes out at its end."""
        part = self._part
        if isinstance(part, ToolCall):
            return [self._call(part, choice)]
        if isinstance(part, Opaque):
            return [dict(part.value)] if part.dialect == NAME else []
        if not isinstance(part, Reasoning) or part.signed_by is None or not any(self._seals.values()):
            return []
        sealed = Reasoning("", self._seals[Field.SIGNATURE] or None, self._seals[Field.DATA] or None, part.signed_by)
        seal = None if self._told else anchor(sealed)
        if seal is None:
            head = [] if self._told else [{"thought": True, "thoughtSignature": announced(part.signed_by)}]
            return [*head, write_thought(sealed)]
        if seal[0] == "call":
            choice.signature = seal[2]
            return []
        return [{"text": "", "thoughtSignature": seal[2]}]

    def _call(self, part: ToolCall, choice: _Choice) -> JsonObject:
        arguments = part.arguments or read_arguments("".join(self._held))
        written = write_call(ToolCall(part.id, part.name, arguments, None, part.extra))
        if choice.signature is not None:
            written["thoughtSignature"] = choice.signature
            choice.signature = None
        return written


def report_event(report: ErrorReport) -> bytes:
    """The event that ends a broken stream."""
    return write_event(encode(google_error(report)))


def stream_error(failure: Failure) -> bytes:
    """The event for an error that the upstream itself reported."""
    return write_event(encode({"error": google_error(ErrorReport(failure=failure))["error"]}))

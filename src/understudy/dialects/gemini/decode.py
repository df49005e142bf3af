"""Streams from this dialect: a run of answers, each with a piece more, as events of the intermediate form.

Texts and thoughts come in pieces, everything else whole (function arguments in pieces only where a caller asked for that). The API
marks no end: a stream is complete when each candidate has its finish reason and the bytes end. Older models give a reason with every
piece; the last one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.core.answer import (
    Answer,
    Begin,
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
from understudy.dialects._reading import Unreadable, decode, encode, words
from understudy.dialects.gemini.answer import OF_THE_CANDIDATE, USAGE, call_id, number_of
from understudy.dialects.gemini.partial import PartialArguments
from understudy.dialects.gemini.parts import Spoken, parts_of
from understudy.dialects.gemini.seals import anchor
from understudy.dialects.gemini.stops import read_stop, word_of
from understudy.dialects.gemini.usage import read_usage, usage_extra
from understudy.dialects.gemini.wire import NAME, an_object, camelled, rest
from understudy.framing.sse import SseEvent

_OF_THE_CHUNK = ("candidates", "responseId", "modelVersion", USAGE, "promptFeedback", "error")


class Decoder:
    """Reads one stream, event by event."""

    __slots__ = ("_begun", "_candidates", "_ended", "_id", "stop")

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self._id = ""
        self._begun = False
        self._ended = False  # where the bytes end, or by an error
        self._candidates: dict[int, _Candidate] = {}

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        data = event.data
        if (
            not data or self._ended or data == b"[DONE]"
        ):  # a comment; or the end mark of another dialect, which some servers add
            return ()
        if event.event == b"error":  # whatever it says, it is no answer
            return self._fail(data)
        try:
            body = decode(data)
            if not isinstance(body, dict):
                raise Unreadable("it is no object")
            return self.read(camelled(body))
        except Unreadable as error:
            raise BadAnswer(f"stream event: {error}") from None

    def read(self, chunk: JsonObject) -> Sequence[StreamEvent]:
        """The same for an event that is decoded, its names in camel case. Raises `Unreadable`."""
        if chunk.get("error") is not None:
            return self._fail({"error": chunk["error"]})
        events: list[StreamEvent] = []
        self._begin(chunk, events)
        candidates = chunk.get("candidates")
        if not isinstance(candidates, list | None):
            raise Unreadable("candidates must be a list")
        for place, item in enumerate(candidates or ()):
            fields = an_object(item, f"candidates[{place}]")
            number = number_of(fields, place)
            candidate = self._candidates.get(number)
            if candidate is None:
                # in the order of their speaking: most formats have but one, and a caller is owed the one that there is
                candidate = self._candidates[number] = _Candidate(self._id, len(self._candidates))
            candidate.read(fields, events)
        if (usage := read_usage(chunk.get(USAGE))) is not None:
            events.append(UsageSeen(usage))
        if is_blocked(chunk):
            return [*events, *self._fail({"promptFeedback": chunk["promptFeedback"]})]
        stops = [candidate.stop for candidate in self._candidates.values()]
        self.stop = None if not stops or None in stops else stops[-1]
        return events

    def ending(self) -> Sequence[StreamEvent]:
        """Why each candidate ended."""
        events: list[StreamEvent] = []
        if self.stop is not None and not self._ended:
            self._ended = True
            for candidate in self._candidates.values():
                candidate.finish(events)
        return events

    def _begin(self, chunk: JsonObject, events: list[StreamEvent]) -> None:
        if self._begun:
            return
        self._begun = True
        self._id = words(chunk.get("responseId"))
        head = {name: held for name, held in chunk.items() if name not in _OF_THE_CHUNK}
        if others := usage_extra(chunk.get(USAGE)):
            head[USAGE] = others
        events.append(Begin(id=self._id, model=words(chunk.get("modelVersion")), extra=rest(head)))

    def _fail(self, payload: object) -> Sequence[StreamEvent]:
        self._ended = True
        return (Failed(classify_in_band(payload)),)


def is_blocked(chunk: JsonObject) -> bool:
    """Whether the prompt was refused before anything was written."""
    feedback = chunk.get("promptFeedback")
    return not chunk.get("candidates") and isinstance(feedback, dict) and bool(feedback.get("blockReason"))


class _Open:
    """The part that is being told. `kind`: text, thought, or call (whose arguments come in pieces). `signed_by`: of a thought."""

    __slots__ = ("arguments", "index", "kind", "signed_by")

    def __init__(self, kind: str, index: int, signed_by: str | None = None) -> None:
        self.kind = kind
        self.index = index
        self.signed_by = signed_by
        self.arguments = PartialArguments()


class _Candidate:
    """One alternative of the answer."""

    __slots__ = ("_about", "_answer_id", "_next", "_number", "_open", "_said", "_spoken", "_word", "stop")

    def __init__(self, answer_id: str, number: int) -> None:
        self._answer_id = answer_id
        self._number = number
        self._next = 0
        self._open: _Open | None = None
        self._spoken = Spoken(lambda place: call_id(answer_id, number, place))
        self._said: tuple[Part, ...] = ()  # a call, once there was one: what settles why it stopped
        self._about: JsonObject = {}
        self._word: str | None = None
        self.stop: Stop | None = None  # the reason that was said last

    def read(self, fields: JsonObject, events: list[StreamEvent]) -> None:
        """What one event says of it."""
        where = f"candidates[{self._number}].content"
        parts = parts_of(fields.get("content"), where)
        for place, part in enumerate(parts):
            self._part(an_object(part, f"{where}.parts[{place}]"), part, events)
        self._about |= {name: held for name, held in fields.items() if name not in OF_THE_CANDIDATE}
        if (word := word_of(fields.get("finishReason"))) is not None:
            self._word, self.stop = word, read_stop(word, self._said)[0] or Stop.END

    def finish(self, events: list[StreamEvent]) -> None:
        """Close what is open and say why it stopped."""
        self._close(events)
        stop, native = read_stop(self._word, self._said)
        events.append(Finish(choice=self._number, stop=stop or Stop.END, stop_native=native, extra=rest(self._about)))

    def _part(self, fields: JsonObject, part: JsonObject, events: list[StreamEvent]) -> None:
        call = fields.get("functionCall")
        if isinstance(call, dict) and self._continues(camelled(call), events):
            return
        spoken = self._spoken
        spoken.parts, spoken.announced = [], {}
        spoken.read(part, "part")
        for place, one in enumerate(spoken.parts):
            if isinstance(one, Text):
                self._text(one.text, events)
            elif isinstance(one, Reasoning) and anchor(one) is None:
                self._thought(one, spoken.announced.get(place), events)
            elif isinstance(one, ToolCall):
                self._call(one, call, events)
            else:
                self._whole(one, events)

    def _begin(self, kind: str, part: Part, events: list[StreamEvent], signed_by: str | None = None) -> _Open:
        self._close(events)
        self._open = opened = _Open(kind, self._next, signed_by)
        self._next += 1
        events.append(PartBegin(self._number, opened.index, part))
        return opened

    def _add(self, opened: _Open, field: Field, text: str | None, events: list[StreamEvent]) -> None:
        if text:
            events.append(PartDelta(self._number, opened.index, field, text))

    def _close(self, events: list[StreamEvent]) -> None:
        opened, self._open = self._open, None
        if opened is None:
            return
        if opened.kind == "call":
            self._add(opened, Field.ARGUMENTS, encode(opened.arguments.value).decode(), events)
        events.append(PartEnd(self._number, opened.index))

    def _text(self, text: str, events: list[StreamEvent]) -> None:
        opened = self._open
        if opened is None or opened.kind != "text":
            opened = self._begin("text", Text(""), events)
        self._add(opened, Field.TEXT, text, events)

    def _thought(self, part: Reasoning, announced: str | None, events: list[StreamEvent]) -> None:
        """A piece of a thought. The seal is its end; one that was not announced can only be the API's own."""
        opened = self._open
        sealer = announced or part.signed_by or NAME
        belongs = (
            opened is not None and opened.kind == "thought" and (part.signed_by is None or sealer == opened.signed_by)
        )
        if opened is None or announced is not None or not belongs:
            opened = self._begin("thought", Reasoning("", signed_by=sealer), events, sealer)
        self._add(opened, Field.TEXT, part.text, events)
        self._add(opened, Field.SIGNATURE, part.signature, events)
        self._add(opened, Field.DATA, part.data, events)
        if part.signed_by is not None:
            self._close(events)

    def _call(self, part: ToolCall, call: Any, events: list[StreamEvent]) -> None:
        self._said = (part,)
        begun = ToolCall(part.id, part.name, "", None, _without_pieces(part))
        opened = self._begin("call", begun, events)
        fields = camelled(call)
        if fields.get("willContinue") is True or fields.get("partialArgs") is not None:
            opened.arguments.add(fields.get("partialArgs"))
            if fields.get("willContinue") is True:
                return
            self._close(events)
            return
        opened.kind = "whole"
        self._add(opened, Field.ARGUMENTS, write_arguments(part.arguments), events)
        self._close(events)

    def _continues(self, call: JsonObject, events: list[StreamEvent]) -> bool:
        """Whether a function call only goes on with the one that is open."""
        opened = self._open
        if call.get("name") or call.get("id"):
            return False
        if opened is not None and opened.kind == "call":
            opened.arguments.add(call.get("partialArgs"))
            if call.get("willContinue") is not True:
                self._close(events)
        elif call:
            raise Unreadable("a piece of a function call that was not begun")
        return True

    def _whole(self, part: Part, events: list[StreamEvent]) -> None:
        """A part that comes at once: a seal, or one that only this API knows."""
        if isinstance(part, Reasoning):
            opened = self._begin("whole", Reasoning("", signed_by=NAME), events, NAME)
            self._add(opened, Field.SIGNATURE, part.signature, events)
        else:
            self._begin("whole", part, events)
        self._close(events)


def _without_pieces(part: ToolCall) -> Any:
    """What a call says beside its arguments, without the marks of a call in pieces."""
    if part.extra is None:
        return None
    fields = dict(part.extra.fields)
    left = {
        name: held
        for name, held in fields.pop("functionCall", {}).items()
        if name not in {"partialArgs", "willContinue"}
    }
    return rest({**fields, **({"functionCall": left} if left else {})})


def read_array(found: list[Any]) -> Answer:
    """The answer in a stream that came as one JSON array. Raises `Unreadable`."""
    decoder = Decoder()
    events: list[StreamEvent] = []
    for place, chunk in enumerate(found):
        events += decoder.read(an_object(chunk, f"the answer's chunk {place}"))
    events += decoder.ending()
    if not events or any(isinstance(event, Failed) for event in events):
        raise Unreadable("the answer is a list without an answer in it")
    return assemble(events)

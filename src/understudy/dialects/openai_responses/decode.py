"""Reads a stream of `response.*` events into the intermediate form.

Every item is told twice: in pieces, and whole when it is done. The pieces are passed on as they come; the whole settles what the
pieces left out: a call's missing arguments, annotations, a seal. A server that sends no pieces at all is still understood, if need
be by its last event, which repeats the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

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
from understudy.core.assembly import write_arguments
from understudy.core.conversation import Extra, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._openai import decode
from understudy.dialects._reading import Unreadable, words
from understudy.dialects.openai_responses.answer import asked_of, created_of
from understudy.dialects.openai_responses.items import (
    fallback_id,
    message_about,
    read_call,
    read_item,
    read_spoken,
)
from understudy.dialects.openai_responses.seals import APART, read_reasoning, signer
from understudy.dialects.openai_responses.wire import NAME, own, read_stop, read_usage, rest
from understudy.framing.sse import SseEvent

_DONE = b"[DONE]"


class Decoder:
    """One stream, event by event."""

    __slots__ = ("_begun", "_ended", "_id", "_items", "_next", "_told", "stop")

    def __init__(self) -> None:
        self._id = ""
        self._begun = False
        self._ended = False
        self._next = 0
        self._items: dict[int, _Item] = {}
        self.stop: Stop | None = None
        self._told: list[Part] = []  # calls and refusals: they say why it stopped

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        data = event.data
        if data is None or self._ended or not (data := data.strip()) or data == _DONE:
            return ()
        try:
            told = decode(data)
            if not isinstance(told, dict):
                raise Unreadable("it is no object")
            return self._read(told, words(told.get("type")) or event.event.decode("utf-8", "replace"))
        except Unreadable as error:
            if event.event == b"error":
                return self._fail(data)
            raise BadAnswer(f"stream event: {error}") from None

    def _read(self, told: JsonObject, kind: str) -> Sequence[StreamEvent]:
        if kind in FAILURES or told.get("error"):
            return self._fail(told)
        events: list[StreamEvent] = []
        handler = self._HANDLERS.get(kind)
        if handler is not None:
            self._begin(told.get("response"), events)
            handler(self, told, events)
        return events

    def _begin(self, response: Any, events: list[StreamEvent]) -> None:
        if self._begun:
            return
        self._begun = True
        found = response if isinstance(response, dict) else {}
        self._id = words(found.get("id"))
        asked = {name: held for name, held in asked_of(found).items() if name != "completed_at"}
        events.append(Begin(id=self._id, model=words(found.get("model")), created=created_of(found), extra=rest(asked)))

    def _fail(self, payload: object) -> Sequence[StreamEvent]:
        self._ended = True
        return (Failed(classify_in_band(payload)),)

    # Items

    def _item(self, told: JsonObject) -> _Item:
        place = told.get("output_index")
        place = place if type(place) is int else max(self._items, default=0)
        return self._items.setdefault(place, _Item(place))

    def _added(self, told: JsonObject, events: list[StreamEvent]) -> None:
        item, about = self._item(told), told.get("item")
        if not isinstance(about, dict) or item.about is not None:
            return
        item.about = about
        if about.get("type") == "function_call" and words(about.get("name")):
            self._open_call(item, about, events)

    def _open_call(self, item: _Item, about: JsonObject, events: list[StreamEvent]) -> None:
        call = read_call({**about, "arguments": ""}, fallback_id(self._id, item.place))
        self._told.append(call)
        said = self._open(item, 0, ToolCall(call.id, call.name, "", extra=call.extra), events)
        if early := "".join(item.early):
            item.early = []
            said.spoke = True
            events.append(PartDelta(0, said.index, Field.ARGUMENTS, early))

    def _open(self, item: _Item, key: int, part: Part, events: list[StreamEvent]) -> _Said:
        item.named = item.named or isinstance(part, Text)
        said = item.said[key] = _Said(self._next, type(part))
        self._next += 1
        events.append(PartBegin(0, said.index, part))
        return said

    def _say(self, item: _Item, key: int, part: Part, text: str, events: list[StreamEvent]) -> None:
        """A piece of a text or a thought. `key`: which of its item's parts."""
        if not text:
            return
        said = item.told(key, type(part))
        if said is None:
            said = self._open(item, key, part, events)
            if isinstance(part, Refusal):
                self._told.append(part)
        if not said.closed:
            said.spoke = True
            events.append(PartDelta(0, said.index, Field.TEXT, text))

    def _text(self, told: JsonObject, events: list[StreamEvent]) -> None:
        item, number = self._item(told), _number(told, "content_index")
        self._say(item, number, item.text(number), words(told.get("delta")), events)

    def _refusal(self, told: JsonObject, events: list[StreamEvent]) -> None:
        self._say(self._item(told), _number(told, "content_index"), Refusal(""), words(told.get("delta")), events)

    def _summary(self, told: JsonObject, events: list[StreamEvent]) -> None:
        self._think(told, "summary_index", events)

    def _thought(self, told: JsonObject, events: list[StreamEvent]) -> None:
        self._think(told, "content_index", events)

    def _think(self, told: JsonObject, counted: str, events: list[StreamEvent]) -> None:
        """A piece of thinking. A summary's second part stands apart; an item that has a summary says no more than that."""
        item, number, text = self._item(told), _number(told, counted), words(told.get("delta"))
        if not text or item.thinks not in {None, counted}:
            return
        apart = item.thinks is not None and number != item.number
        item.thinks, item.number = counted, number
        sealed_by = signer((item.about or {}).get("encrypted_content"))
        self._say(item, 0, Reasoning("", signed_by=sealed_by), APART + text if apart else text, events)

    def _arguments(self, told: JsonObject, events: list[StreamEvent]) -> None:
        item, text = self._item(told), words(told.get("delta"))
        said = item.told(0, ToolCall)
        if said is None:
            item.early.append(text)
        elif text and not said.closed:
            said.spoke = True
            events.append(PartDelta(0, said.index, Field.ARGUMENTS, text))

    def _part_done(self, told: JsonObject, events: list[StreamEvent]) -> None:
        part = told.get("part")
        if isinstance(part, dict) and part.get("type") in ("output_text", "refusal"):
            self._settle_spoken(self._item(told), _number(told, "content_index"), part, events)

    def _done(self, told: JsonObject, events: list[StreamEvent]) -> None:
        item, whole = self._item(told), told.get("item")
        if isinstance(whole, dict):
            self._settle(item, whole, events)

    # What is whole

    def _settle(self, item: _Item, whole: JsonObject, events: list[StreamEvent]) -> None:
        """Tell of an item what its pieces left out, and close it."""
        if item.settled:
            return
        item.settled = True
        item.about = item.about or whole
        kind = whole.get("type")
        if kind == "message":
            content = whole.get("content")
            for place, part in enumerate(content if isinstance(content, list) else ()):
                self._settle_spoken(item, place, part, events)
        elif kind == "reasoning":
            self._settle_thought(item, read_reasoning(whole), events)
        elif kind == "function_call":
            self._settle_call(item, whole, events)
        else:
            for part in read_item(whole, "", f"output[{item.place}]"):
                self._open(item, 0, part, events)
        for said in item.said.values():
            self._close(said, None, events)

    def _settle_spoken(self, item: _Item, place: int, whole: Any, events: list[StreamEvent]) -> None:
        part = read_spoken(whole, f"output[{item.place}].content[{place}]")
        said = item.told(place, type(part))
        if said is not None and said.closed:
            return
        if said is None:
            opened = Refusal("") if isinstance(part, Refusal) else item.text(place)
            self._say(item, place, opened, part.text, events)
            said = item.said.get(place)
        extra = part.extra if isinstance(part, Text) else None
        if said is None and extra is not None:
            said = self._open(item, place, item.text(place), events)
        if said is not None:
            self._close(said, extra, events)

    def _settle_thought(self, item: _Item, whole: Reasoning, events: list[StreamEvent]) -> None:
        said = item.told(0, Reasoning)
        if said is None:
            if not whole.text and whole.signed_by is None:
                return
            said = self._open(item, 0, Reasoning("", signed_by=whole.signed_by), events)
        if said.closed:
            return
        pieces = (
            (Field.TEXT, "" if said.spoke else whole.text),
            (Field.SIGNATURE, whole.signature),
            (Field.DATA, whole.data),
        )
        events += [PartDelta(0, said.index, field, text) for field, text in pieces if text]
        self._close(said, whole.extra, events)

    def _settle_call(self, item: _Item, whole: JsonObject, events: list[StreamEvent]) -> None:
        said = item.told(0, ToolCall)
        call = read_call(whole, "")
        if said is None:
            if call.arguments:
                item.early = []  # which the whole says once more
            self._open_call(item, whole, events)
            said = item.said[0]
        if not said.spoke and not said.closed and call.arguments:
            events.append(PartDelta(0, said.index, Field.ARGUMENTS, write_arguments(call.arguments)))
        before = own(read_call(item.about or whole, "").extra)
        more = {name: held for name, held in own(call.extra).items() if name not in before}
        self._close(said, rest(more), events)

    def _close(self, said: _Said, extra: Extra | None, events: list[StreamEvent]) -> None:
        if said.closed:
            return
        said.closed = True
        if extra is not None:
            events.append(PartExtra(0, said.index, extra))
        events.append(PartEnd(0, said.index))

    # The end

    def _finish(self, told: JsonObject, events: list[StreamEvent]) -> None:
        response = told.get("response")
        response = response if isinstance(response, dict) else {}
        output = response.get("output")
        known = {words((item.about or {}).get("id")) for item in self._items.values()} - {""}
        for place, whole in enumerate(output if isinstance(output, list) else ()):
            if isinstance(whole, dict) and words(whole.get("id")) not in known:
                self._settle(self._items.setdefault(place, _Item(place)), whole, events)
        for item in self._items.values():
            if any(item.early):
                raise Unreadable("a piece of a call that was not begun")
            for said in item.said.values():
                self._close(said, None, events)
        self._ended = True
        status = "incomplete" if told.get("type") == "response.incomplete" else "completed"
        stop, native = read_stop(status, response.get("incomplete_details"), tuple(self._told))
        self.stop = stop or Stop.END
        events.append(Finish(choice=0, stop=self.stop, stop_native=native))
        usage = read_usage(response.get("usage"))
        if usage is not None:
            events.append(UsageSeen(usage))
        events.append(End())

    def ending(self) -> Sequence[StreamEvent]:
        """Nothing: the event that says why the answer ended is the last."""
        return ()

    def _nothing(self, told: JsonObject, events: list[StreamEvent]) -> None:
        """It began: that is all."""

    _HANDLERS: ClassVar[dict[str, Callable[[Decoder, JsonObject, list[StreamEvent]], None]]] = {
        "response.created": _nothing,
        "response.queued": _nothing,
        "response.in_progress": _nothing,
        "response.output_item.added": _added,
        "response.output_text.delta": _text,
        "response.refusal.delta": _refusal,
        "response.reasoning_summary_text.delta": _summary,
        "response.reasoning_text.delta": _thought,
        "response.function_call_arguments.delta": _arguments,
        "response.content_part.done": _part_done,
        "response.output_item.done": _done,
        "response.completed": _finish,
        "response.incomplete": _finish,
    }


class _Said:
    """A part that is being told. `spoke`: some of it was."""

    __slots__ = ("closed", "index", "kind", "spoke")

    def __init__(self, index: int, kind: type) -> None:
        self.index = index
        self.kind = kind
        self.spoke = False
        self.closed = False


class _Item:
    """An item on its way. `about`: what was known of it first. `said`: its parts. `named`: one of them keeps what the message is.

    `thinks`: whether a summary is told or the thinking itself, and the `number` of the part told last. `early`: pieces of arguments
    that came before the call was begun.
    """

    __slots__ = ("about", "early", "named", "number", "place", "said", "settled", "thinks")

    def __init__(self, place: int) -> None:
        self.place = place
        self.about: JsonObject | None = None
        self.said: dict[int, _Said] = {}
        self.settled = False
        self.named = False
        self.thinks: str | None = None
        self.number = 0
        self.early: list[str] = []

    def told(self, key: int, kind: type) -> _Said | None:
        """The part there, None before it begins. Raises `Unreadable` when it is of another kind."""
        said = self.said.get(key)
        if said is not None and said.kind is not kind:
            raise Unreadable(f"a piece of another kind than the part that it continues: output[{self.place}]")
        return said

    def text(self, place: int) -> Text:
        """A text that opens; the first of a message keeps what the message says about itself."""
        about = None if self.named or place in self.said else message_about(self.about or {})
        return Text("", extra=None if about is None else Extra(NAME, {"item": about}))


def _number(told: JsonObject, name: str) -> int:
    found = told.get(name)
    return found if type(found) is int else 0


FAILURES = ("error", "response.cancelled", "response.failed")

"""Reads a stream of `chat.completion.chunk` events into the intermediate form.

A choice has at most one text or thought open at a time: another kind closes it. The pieces of tool calls may be mixed: one is
closed when another opens and its arguments are complete JSON, else when the choice is finished. It is finished at the stream's end:
of several finish reasons the last one counts, and words may stand behind all but that.
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
    PartExtra,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import read_arguments, write_arguments
from understudy.core.conversation import Extra, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.diagnosis import classify_in_band
from understudy.core.projection import settled_stop
from understudy.core.value import JsonObject
from understudy.dialects import BadAnswer
from understudy.dialects._openai import decode
from understudy.dialects._reading import Unreadable, made_id, words
from understudy.dialects.openai_chat.answer import grouped_usage, message_extra
from understudy.dialects.openai_chat.content import read_content
from understudy.dialects.openai_chat.reasoning import entry_text, is_stamped, pack, plain_text, signer
from understudy.dialects.openai_chat.wire import NAME, read_stop, read_usage, rest
from understudy.framing.sse import SseEvent

# What every chunk repeats or only this stream means.
_OF_THE_CHUNK = ("id", "object", "created", "model", "choices", "usage", "obfuscation", "p", "error", "stream_options")
_OF_THE_CHOICE = ("index", "delta", "finish_reason", "native_finish_reason", "message", "text", "obfuscation")
_OF_THE_DELTA = ("token_id", "channel")  # which token it was, and which channel of a model's own markup

_DONE = b"[DONE]"


class Decoder:
    """One stream, chunk by chunk."""

    __slots__ = ("_begun", "_choices", "_ended", "_head", "_id", "_id_is_shared", "stop")

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self._id = ""
        self._id_is_shared = False  # by two chunks: some servers give each its own
        self._begun = False
        self._ended = False  # by its end mark or by an error: some proxies send a second mark behind the first
        self._head: JsonObject = {}
        self._choices: dict[int, _Choice] = {}

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        data = event.data
        if data is None or self._ended or not (data := data.strip()):
            return ()
        if data == _DONE:
            return self._end()
        try:
            chunk = decode(data)
            if not isinstance(chunk, dict):
                raise Unreadable("it is no object")
            return self._chunk(chunk, is_error=event.event == b"error")
        except Unreadable as error:
            if event.event == b"error":
                return self._fail(data)
            raise BadAnswer(f"stream event: {error}") from None

    def _chunk(self, chunk: JsonObject, *, is_error: bool) -> Sequence[StreamEvent]:
        events: list[StreamEvent] = []
        choices = chunk.get("choices")
        failed = is_error or chunk.get("error") or (choices is None and chunk.get("object") == "error")
        if self._begun:
            self._id_is_shared = self._id_is_shared or chunk.get("id") == self._id
        else:
            self._begin(chunk, bool(choices) or bool(failed), events)
        if isinstance(choices, list) and not failed:
            self._read(chunk, choices, events)
        usage = read_usage(chunk.get("usage") or grouped_usage(chunk), chunk.get("timings"))
        if usage is not None and self._begun:
            events.append(UsageSeen(usage))
        if failed:
            events += self._fail(chunk)
        return events

    def _read(self, chunk: JsonObject, choices: list[Any], events: list[StreamEvent]) -> None:
        finished = self.stop is not None
        for place, item in enumerate(choices):
            if isinstance(item, dict):
                number = item.get("index")
                number = number if type(number) is int and number >= 0 else place
                choice = self._choices.get(number)
                if choice is None:
                    # in the order of their speaking: most formats have but one, and a caller is owed the one that there is
                    choice = self._choices[number] = _Choice(self._id, len(self._choices))
                elif choice.stop is not None and self._id_is_shared and words(chunk.get("id")) not in ("", self._id):
                    continue  # another answer behind this one
                choice.read(item, events)
                finished = finished or choice.stop is not None
        if finished:
            stops = [choice.stop for choice in self._choices.values()]
            self.stop = None if None in stops else stops[-1]

    def _begin(self, chunk: JsonObject, speaks: bool, events: list[StreamEvent]) -> None:  # noqa: FBT001
        """Begin with the first chunk that has an id or says something: Azure opens with one that has neither."""
        others = {name: held for name, held in chunk.items() if name not in _OF_THE_CHUNK and held is not None}
        self._head |= others
        self._id = words(chunk.get("id"))
        if not self._id and not speaks and not chunk.get("usage"):
            return
        self._begun = True
        created = chunk.get("created")
        events.append(
            Begin(
                id=self._id,
                model=words(chunk.get("model")),
                created=created if type(created) is int and created > 0 else None,
                extra=Extra(NAME, self._head) if self._head else None,
            )
        )

    def _fail(self, payload: object) -> Sequence[StreamEvent]:
        self._ended = True
        return (Failed(classify_in_band(payload)),)

    def _end(self) -> Sequence[StreamEvent]:
        return [*self._finish(), End()]

    def ending(self) -> Sequence[StreamEvent]:
        """What is still held back where the bytes end: many servers forget the end mark."""
        return () if self._ended or self.stop is None else self._finish()

    def _finish(self) -> list[StreamEvent]:
        self._ended = True
        events: list[StreamEvent] = []
        try:
            for choice in self._choices.values():
                choice.finish(events)
        except Unreadable as error:
            raise BadAnswer(f"the stream's end: {error}") from None
        return events


class _Call:
    """A tool call on its way: held back until its name is known. `written`: the pieces of its arguments so far."""

    __slots__ = ("closed", "extra", "id", "index", "name", "written")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.name = ""
        self.written: list[str] = []
        self.extra: JsonObject = {}
        self.index: int | None = None
        self.closed = False


class _Choice:
    """One alternative of the answer."""

    __slots__ = (
        "_about",
        "_answer_id",
        "_calls",
        "_entry",
        "_keys",
        "_kind",
        "_native",
        "_next",
        "_number",
        "_open",
        "_refused",
        "stop",
    )

    def __init__(self, answer_id: str, number: int) -> None:
        self._answer_id = answer_id
        self._number = number
        self._next = 0
        self._open: int | None = None  # the text, refusal or thought that is open
        self._kind: object = None  # of what is open
        self._entry: JsonObject = {}  # what its seal is made of
        self._calls: list[_Call] = []
        self._keys: dict[object, _Call] = {}
        self._about: JsonObject = {}
        self._refused = False
        self._native: str | None = None
        self.stop: Stop | None = None  # the reason that was said last

    def read(self, item: JsonObject, events: list[StreamEvent]) -> None:
        delta = item.get("delta")
        if not isinstance(delta, dict):
            delta = item["message"] if isinstance(item.get("message"), dict) else {}
        self._speak(delta, events)
        self._collect(item, delta)
        word = item.get("finish_reason")
        if isinstance(word, str) and word:
            stop, self._native = read_stop(word, item.get("native_finish_reason"))
            self.stop = stop or Stop.END

    def _speak(self, delta: JsonObject, events: list[StreamEvent]) -> None:
        details = delta.get("reasoning_details")
        if isinstance(details, list) and details:
            self._details(details, delta, events)
        elif text := plain_text(delta):
            self._say(("thought", None), Reasoning(""), text, events)
        content = delta.get("content")
        if isinstance(content, str):
            if content:
                self._say("text", Text(""), content, events)
        elif content:
            for part in read_content(content, "delta.content"):
                self._part(part, events)
        if refusal := words(delta.get("refusal")):
            self._refused = True
            self._say("refusal", Refusal(""), refusal, events)
        calls = delta.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                self._call(call, place, events)
        if isinstance(function := delta.get("function_call"), dict) and (function.get("name") or self._keys):
            self._call({"index": "function", "function": function}, 0, events)

    def _part(self, part: Part, events: list[StreamEvent]) -> None:
        """An entry of a content list: Mistral streams thoughts that way."""
        if isinstance(part, Reasoning):
            self._say(("thought", None), Reasoning(""), part.text, events)
        elif isinstance(part, Text):
            self._say("text", Text(""), part.text, events)
        elif isinstance(part, Refusal):
            self._refused = True
            self._say("refusal", Refusal(""), part.text, events)
        else:
            self._begin_part("whole", part, events)
            self._close(events)

    def _details(self, details: list[Any], delta: JsonObject, events: list[StreamEvent]) -> None:
        """Pieces of entries of `reasoning_details`, told apart by index and type."""
        told = False
        for entry in details:
            if not isinstance(entry, dict):
                continue
            text = entry_text(entry)
            told = told or bool(text)
            if not (text or pack(entry)):
                continue
            kind = ("thought", (entry.get("index"), words(entry.get("type"))))
            if self._kind != kind:
                self._begin_part(kind, Reasoning("", signed_by=signer(entry)), events)
            self._add(Field.TEXT, text, events)
            if is_stamped(entry):
                self._add(Field.SIGNATURE, words(entry.get("signature")), events)
                self._add(Field.DATA, words(entry.get("data")), events)
            else:
                self._seal(entry)
        text = plain_text(delta)
        if text and not told:
            self._say(("thought", None), Reasoning(""), text, events)

    def _seal(self, entry: JsonObject) -> None:
        """Keep what has to go back to the provider, until its part is closed."""
        for name in ("type", "id", "format"):
            if held := words(entry.get(name)):
                self._entry[name] = held
        for name in ("signature", "data"):
            if held := words(entry.get(name)):
                self._entry[name] = self._entry.get(name, "") + held

    def _say(self, kind: object, part: Text | Refusal | Reasoning, text: str, events: list[StreamEvent]) -> None:
        if self._kind != kind:
            self._begin_part(kind, part, events)
        self._add(Field.TEXT, text, events)

    def _begin_part(self, kind: object, part: Part, events: list[StreamEvent]) -> None:
        self._close(events)
        self._open, self._kind = self._next, kind
        self._next += 1
        events.append(PartBegin(self._number, self._open, part))

    def _add(self, field: Field, text: str, events: list[StreamEvent]) -> None:
        if text and self._open is not None:
            events.append(PartDelta(self._number, self._open, field, text))

    def _close(self, events: list[StreamEvent]) -> None:
        if self._open is not None:
            self._add(Field.SIGNATURE, pack(self._entry) or "", events)
            self._entry = {}
            events.append(PartEnd(self._number, self._open))
            self._open = self._kind = None

    def _call(self, item: JsonObject, place: int, events: list[StreamEvent]) -> None:
        """A tool call or a piece of one."""
        function = item.get("function")
        function = function if isinstance(function, dict) else {}
        call = self._find(item, function, place)
        arguments = function.get("arguments")
        written = arguments if isinstance(arguments, str) else "" if arguments is None else write_arguments(arguments)
        others = {
            name: held
            for name, held in item.items()
            if name not in {"index", "id", "type", "function"} and held is not None
        }
        call.written.append(written)
        if call.index is not None:
            if others and not call.closed:
                events.append(PartExtra(self._number, call.index, Extra(NAME, others)))
            if written and not call.closed:
                events.append(PartDelta(self._number, call.index, Field.ARGUMENTS, written))
            return
        call.name = call.name or words(function.get("name"))
        call.extra |= others
        if call.name:
            self._open_call(call, events)

    def _find(self, item: JsonObject, function: JsonObject, place: int) -> _Call:
        """The call that a piece belongs to: by its index, else by its id, else by its position.

        An index that comes again with another id and a name is a new call: Google's interface numbers every call 0.
        """
        id_ = words(item.get("id"))
        index = item.get("index")
        key: object = index if isinstance(index, int | str) else id_ or None
        if key is None:
            key = place if function.get("name") or not self._calls else self._calls[-1]
        known = key if isinstance(key, _Call) else self._keys.get(key)
        anew = isinstance(index, int) and id_ and function.get("name")
        if known is None or (anew and id_ != known.id) or (index is None and not id_ and function.get("name")):
            known = _Call(id_ or made_id("call_", self._answer_id, self._number, len(self._calls)))
            self._calls.append(known)
            self._keys[key] = known
        return known

    def _open_call(self, call: _Call, events: list[StreamEvent]) -> None:
        self._close(events)
        for other in self._calls:
            if other.index is not None and not other.closed and _is_complete("".join(other.written)):
                self._close_call(other, events)
        call.index = self._next
        self._next += 1
        part = ToolCall(call.id, call.name, "", extra=Extra(NAME, call.extra) if call.extra else None)
        events.append(PartBegin(self._number, call.index, part))
        if written := "".join(call.written):
            events.append(PartDelta(self._number, call.index, Field.ARGUMENTS, written))

    def _close_call(self, call: _Call, events: list[StreamEvent]) -> None:
        assert call.index is not None
        call.closed = True
        events.append(PartEnd(self._number, call.index))

    def _collect(self, item: JsonObject, delta: JsonObject) -> None:
        """What the choice says beside its parts: lists grow, anything else is the last that was said."""
        for name, held in item.items():
            if name not in _OF_THE_CHOICE and held is not None:
                _put(self._about, name, held)
        others = {name: held for name, held in message_extra(delta).items() if name not in _OF_THE_DELTA}
        if others:
            message = self._about.setdefault("message", {})
            for name, held in others.items():
                _put(message, name, held)

    def finish(self, events: list[StreamEvent]) -> None:
        """Close what is open and say why it stopped. The end mark stands for a reason that was forgotten."""
        stop = self.stop or Stop.END
        self._close(events)
        for call in self._calls:
            if call.index is None and any(call.written):
                raise Unreadable("a piece of a tool call that was not begun")
            if call.index is not None and not call.closed:
                self._close_call(call, events)
        said = (
            (ToolCall("", "", {}),)
            if any(call.name for call in self._calls)
            else (Refusal(""),)
            if self._refused
            else ()
        )
        settled = settled_stop(stop, said) or stop
        events.append(Finish(choice=self._number, stop=settled, stop_native=self._native, extra=rest(self._about)))


def _is_complete(arguments: str) -> bool:
    """Whether nothing but white space can follow."""
    return arguments.endswith("}") and isinstance(read_arguments(arguments), dict)


def _put(about: JsonObject, name: str, held: Any) -> None:
    before = about.get(name)
    if isinstance(before, list) and isinstance(held, list):
        before += held  # in place: every token may bring its log probabilities
    elif isinstance(before, dict) and isinstance(held, dict):
        about[name] = dict(before)
        for key, inner in held.items():
            _put(about[name], key, inner)
    elif held is not None:
        about[name] = held

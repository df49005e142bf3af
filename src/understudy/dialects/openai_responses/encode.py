"""Writes a stream of `response.*` events, as OpenAI's own clients expect it.

Each part is an item, and one item is told at a time, what overlaps it waits: added, pieces, done. An item is added when it has
something to say. The last event repeats the whole answer, so all of it is kept until then.
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
from understudy.core.assembly import merged, read_arguments, write_arguments
from understudy.core.conversation import Extra, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import ErrorReport
from understudy.dialects._errors import openai_error
from understudy.dialects._reading import encode
from understudy.dialects.openai_responses.answer import skeleton
from understudy.dialects.openai_responses.items import write_item
from understudy.dialects.openai_responses.seals import announced
from understudy.dialects.openai_responses.wire import NAME, own, write_stop, write_usage
from understudy.framing.sse import write_event

_Piece = PartBegin | PartDelta | PartExtra | PartEnd


class Encoder:
    """One stream, event by event."""

    __slots__ = ("_begin", "_model", "_number", "_output", "_queue", "_stop", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._begin = Begin(id="", model=model)
        self._number = 0
        self._output: list[JsonObject] = []
        self._queue: dict[int, _Telling] = {}
        self._stop: Stop | None = None
        self._usage: Usage | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event, framing included; `b""` when there is nothing to say (yet)."""
        if isinstance(event, PartDelta | PartBegin | PartEnd | PartExtra):
            return self._piece(event) if event.choice == 0 else b""
        if isinstance(event, Begin):
            self._begin = event
            return self._told("response.created", self._response()) + self._told(
                "response.in_progress", self._response()
            )
        if isinstance(event, UsageSeen):
            self._usage = event.usage
        elif isinstance(event, Finish):
            return self._finish(event) if event.choice == 0 else b""
        elif isinstance(event, End):
            return self._end()
        elif isinstance(event, Failed):
            return stream_error(event.failure)
        return b""

    def told(self, kind: str, **fields: object) -> bytes:
        """One event, numbered."""
        number, self._number = self._number, self._number + 1
        return write_event(encode({"type": kind, "sequence_number": number, **fields}), kind.encode())

    def told_text(self, head: bytes, text: str) -> bytes:
        """One piece of a text, numbered: the event that is written most. `head`: see `_Telling`."""
        number, self._number = self._number, self._number + 1
        return b'%s%d,"delta":%s,"logprobs":[]}\n\n' % (head, number, encode(text))

    def _told(self, kind: str, response: JsonObject) -> bytes:
        return self.told(kind, response=response)

    def _response(self) -> JsonObject:
        begin = self._begin
        return skeleton(begin.id, begin.model or self._model, begin.created, own(begin.extra))

    def _piece(self, event: _Piece) -> bytes:
        if isinstance(event, PartBegin):
            self._queue[event.index] = _Telling(event.part)
            return self._advance()
        telling = self._queue.get(event.index)
        if telling is None:
            return b""
        if isinstance(event, PartDelta):
            if telling.place is not None or next(iter(self._queue)) == event.index:
                return telling.more(self, event.field, event.text)
            telling.waiting.append((event.field, event.text))
            return b""
        if isinstance(event, PartExtra):
            telling.extra = merged(telling.extra, (event.extra,))
            return b""
        telling.ended = True
        return self._advance()

    def _advance(self) -> bytes:
        """Let the first that has not said all speak, and those behind it that have waited."""
        written: list[bytes] = []
        while self._queue:
            index, telling = next(iter(self._queue.items()))
            waiting, telling.waiting = telling.waiting, []
            written += [telling.more(self, field, text) for field, text in waiting]
            if not telling.ended:
                break
            written.append(telling.end(self))
            del self._queue[index]
        return b"".join(written)

    def place(self) -> int:
        """The number of the next item."""
        return len(self._output)

    def add(self, item: JsonObject) -> bytes:
        """The next item begins."""
        return self.told("response.output_item.added", output_index=len(self._output), item=item)

    def done(self, item: JsonObject) -> bytes:
        """It is whole."""
        self._output.append(item)
        return self.told("response.output_item.done", output_index=len(self._output) - 1, item=item)

    def whole(self, part: Part) -> JsonObject:
        """The next item, from its part."""
        return write_item(part, self._begin.id, len(self._output))

    def _finish(self, event: Finish) -> bytes:
        for telling in self._queue.values():
            telling.ended = True
        self._stop = event.stop
        return self._advance()

    def _end(self) -> bytes:
        response = self._response()
        response["status"], response["incomplete_details"] = write_stop(self._stop or Stop.END)
        response["output"] = self._output
        if self._usage is not None:
            response["usage"] = write_usage(self._usage)
        return self._told(f"response.{response['status']}", response)


class _Telling:
    """One part. `place`: the number of its item, once it was added. `waiting`: pieces that came before its turn.

    `_head`: how every piece of its text begins, up to the number of the event.
    """

    __slots__ = ("_head", "_held", "_id", "_part", "ended", "extra", "place", "waiting")

    def __init__(self, part: Part) -> None:
        self._part = part
        self._id = ""
        self._head = b""
        self._held: dict[Field, list[str]] = {field: [] for field in Field}
        self.place: int | None = None
        self.ended = False
        self.extra = part.extra if isinstance(part, Text | Reasoning | ToolCall) else None
        self.waiting: list[tuple[Field, str]] = []
        if isinstance(part, Text | Refusal | Reasoning) and part.text:
            self.waiting.append((Field.TEXT, part.text))
        if isinstance(part, Reasoning):
            self._held[Field.SIGNATURE] += [part.signature or ""]
            self._held[Field.DATA] += [part.data or ""]
        if isinstance(part, ToolCall):
            begun = part.arguments
            self.waiting.append((Field.ARGUMENTS, write_arguments(begun) if begun else ""))

    def more(self, encoder: Encoder, field: Field, text: str) -> bytes:
        """A piece of it."""
        self._held[field].append(text)
        if field is Field.SIGNATURE or field is Field.DATA or not _is_told(self._part):
            return b""
        begun = b""
        if self.place is None:
            if not text and not isinstance(self._part, ToolCall):
                return b""
            begun = self._begin(encoder)
        return begun + self._delta(encoder, text) if text else begun

    def _delta(self, encoder: Encoder, text: str) -> bytes:
        part = self._part
        if isinstance(part, Text):
            return encoder.told_text(self._head, text)
        about = {"item_id": self._id, "output_index": self.place}
        if isinstance(part, ToolCall):
            return encoder.told("response.function_call_arguments.delta", **about, delta=text)
        if isinstance(part, Reasoning):
            return encoder.told("response.reasoning_summary_text.delta", **about, summary_index=0, delta=text)
        return encoder.told("response.refusal.delta", **about, content_index=0, delta=text)

    def _begin(self, encoder: Encoder) -> bytes:
        """Its item is added, and in it the one entry that is going to be told."""
        part, self.place = self._part, encoder.place()
        item = encoder.whole(self._empty())
        self._id = item["id"]
        item["status"] = "in_progress"
        if isinstance(part, Text | Refusal):
            item["content"] = []
            self._head = (
                b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":%s,"output_index":%d,'
                b'"content_index":0,"sequence_number":' % (encode(self._id), self.place)
            )
            spoken = {"item_id": self._id, "output_index": self.place, "content_index": 0}
            return encoder.add(item) + encoder.told("response.content_part.added", **spoken, part=_UNSAID[type(part)])
        if isinstance(part, Reasoning):
            item["summary"] = []
            item.pop("content", None)
            if part.signed_by is not None and part.signed_by != NAME:
                item["encrypted_content"] = announced(part.signed_by)
            spoken = {"item_id": self._id, "output_index": self.place, "summary_index": 0}
            entry = {"type": "summary_text", "text": ""}
            return encoder.add(item) + encoder.told("response.reasoning_summary_part.added", **spoken, part=entry)
        item["arguments"] = ""
        return encoder.add(item)

    def _empty(self) -> Part:
        """The part, of which nothing has been said."""
        part = self._part
        if isinstance(part, Reasoning):
            return Reasoning("", extra=_id_alone(self.extra))
        if isinstance(part, ToolCall):
            return ToolCall(part.id, part.name, {}, extra=self.extra)
        return Refusal("") if isinstance(part, Refusal) else Text("", extra=self.extra)

    def end(self, encoder: Encoder) -> bytes:
        """It is whole: close its item, or tell at once what had nothing to tell in pieces."""
        part = self._part
        if isinstance(part, Opaque):
            return encoder.add(part.value) + encoder.done(dict(part.value)) if part.dialect == NAME else b""
        if not _is_told(part):
            return b""
        whole = self._whole()
        if self.place is None:
            return self._at_once(encoder, whole)
        item = encoder.whole(whole)
        if not isinstance(whole, Reasoning):  # the id of a thought may be a part of its seal, and come last
            item["id"] = self._id
        about = {"item_id": self._id, "output_index": self.place}
        if isinstance(whole, ToolCall):
            written = "".join(self._held[Field.ARGUMENTS])  # what was told in pieces, to the letter
            missing = b"" if written else self._delta(encoder, item["arguments"])
            item["arguments"] = written or item["arguments"]
            told = {**about, "name": whole.name, "arguments": item["arguments"]}
            return missing + encoder.told("response.function_call_arguments.done", **told) + encoder.done(item)
        if isinstance(whole, Reasoning):
            spoken = {**about, "summary_index": 0}
            entry = {"type": "summary_text", "text": whole.text}
            return (
                encoder.told("response.reasoning_summary_text.done", **spoken, text=whole.text)
                + encoder.told("response.reasoning_summary_part.done", **spoken, part=entry)
                + encoder.done({**item, "status": "completed"})
            )
        entry = item["content"][0]
        spoken = {**about, "content_index": 0}
        if isinstance(whole, Refusal):
            closing = encoder.told("response.refusal.done", **spoken, refusal=whole.text)
        else:
            closing = encoder.told("response.output_text.done", **spoken, text=whole.text, logprobs=[])
        return closing + encoder.told("response.content_part.done", **spoken, part=entry) + encoder.done(item)

    def _at_once(self, encoder: Encoder, whole: Text | Refusal | Reasoning | ToolCall) -> bytes:
        """A thought that is only sealed, a text that only says something beside its words."""
        says = whole.signed_by if isinstance(whole, Reasoning) else isinstance(whole, Text) and own(whole.extra)
        if not says:
            return b""
        item = encoder.whole(whole)
        return encoder.add(item) + encoder.done(item)

    def _whole(self) -> Text | Refusal | Reasoning | ToolCall:
        part, held = self._part, {field: "".join(pieces) for field, pieces in self._held.items()}
        if isinstance(part, ToolCall):
            return ToolCall(part.id, part.name, read_arguments(held[Field.ARGUMENTS]), extra=self.extra)
        if isinstance(part, Reasoning):
            signature, data = held[Field.SIGNATURE] or None, held[Field.DATA] or None
            signed_by = part.signed_by if signature or data else None
            return Reasoning(held[Field.TEXT], signature, data, signed_by, self.extra)
        return Text(held[Field.TEXT], extra=self.extra) if isinstance(part, Text) else Refusal(held[Field.TEXT])


_UNSAID: dict[type, JsonObject] = {
    Text: {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
    Refusal: {"type": "refusal", "refusal": ""},
}


def _is_told(part: Part) -> bool:
    """Whether a stream of this format can tell such a part."""
    return isinstance(part, Text | Refusal | Reasoning | ToolCall)


def _id_alone(extra: Extra | None) -> Extra | None:
    id_ = own(extra).get("id")
    return None if id_ is None else Extra(NAME, {"id": id_})


def report_event(report: ErrorReport) -> bytes:
    """The event that ends a broken stream.

    The API's own fields, and beside them the envelope: OpenAI's clients raise what stands in `error`, and only that.
    """
    told = openai_error(report)
    error = told["error"]
    event = {"type": "error", "code": error["code"], "message": error["message"], "param": None, "sequence_number": 0}
    return write_event(encode({**event, **told}), b"error")


def stream_error(failure: Failure) -> bytes:
    """The event for an error that the upstream itself reported."""
    return report_event(ErrorReport(failure=failure))

"""Writes a stream of `chat.completion.chunk` events, as OpenAI's own clients expect it.

One part is told at a time, what overlaps it waits: texts and thoughts have no number to tell two apart by, and OpenAI's own
stream helper takes a tool call for complete as soon as another one speaks. The role comes first, a chunk with the finish
reason ends each choice, the usage stands in a last chunk without choices where it was asked for, and `[DONE]` closes.
"""

from __future__ import annotations

from understudy.core.answer import (
    Begin,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import write_arguments
from understudy.core.conversation import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode
from understudy.dialects.openai_chat.reasoning import FIELD, write_entry, write_reasoning
from understudy.dialects.openai_chat.wire import NAME, own, write_stop, write_usage

_DONE = b"data: [DONE]\n\n"
_Piece = PartBegin | PartDelta | PartExtra | PartEnd


class _Open:
    """A part that is being written.

    `place`: its number among the calls or thoughts of its choice. `encrypted`: whether a thought began without words. `held`:
    what has to be written at once.
    """

    __slots__ = ("encrypted", "held", "part", "place", "said")

    def __init__(self, part: Part, place: int) -> None:
        self.part = part
        self.place = place
        self.encrypted: bool | None = None
        self.held: list[Reasoning] = []
        self.said = False


class Encoder:
    """One stream, event by event."""

    __slots__ = (
        "_calls",
        "_head",
        "_include_usage",
        "_model",
        "_open",
        "_refused",
        "_speaker",
        "_spoke",
        "_thoughts",
        "_usage",
        "_waiting",
    )

    def __init__(self, *, model: str, include_usage: bool | None) -> None:
        self._model = model
        self._include_usage = include_usage is True
        self._head = b""
        self._usage: Usage | None = None
        self._open: dict[tuple[int, int], _Open] = {}
        self._spoke: dict[int, bool] = {}
        self._calls: dict[int, int] = {}
        self._thoughts: dict[int, int] = {}
        self._refused: dict[int, bool] = {}
        self._speaker: dict[int, int | None] = {}
        self._waiting: dict[int, dict[int, list[_Piece]]] = {}

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event, framing included; `b""` when there is nothing to say (yet)."""
        if isinstance(event, PartDelta | PartBegin | PartEnd | PartExtra):
            return self._piece(event)
        if isinstance(event, Finish):
            return self._finish(event)
        if isinstance(event, Begin):
            return self._begin(event)
        if isinstance(event, UsageSeen):
            self._usage = event.usage
        elif isinstance(event, End):
            return self._usage_chunk() + _DONE
        return b""

    def _piece(self, event: _Piece) -> bytes:
        """A piece of a part, unless its turn has not come."""
        choice, index = event.choice, event.index
        speaker = self._speaker.get(choice)
        if isinstance(event, PartBegin):
            if speaker is not None:
                self._waiting[choice][index] = [event]
                return b""
            self._waiting.setdefault(choice, {})
        elif index != speaker and (held := self._waiting.get(choice, {}).get(index)) is not None:
            held.append(event)
            return b""
        written = self._tell(event)
        if index == speaker and isinstance(event, PartEnd):
            return written + self._whoever_waited(choice)
        return written

    def _whoever_waited(self, choice: int) -> bytes:
        """Let those speak that had to wait, in their order, up to the first that has not said all."""
        written: list[bytes] = []
        waiting = self._waiting[choice]
        while waiting and self._speaker[choice] is None:
            written += map(self._tell, waiting.pop(next(iter(waiting))))
        return b"".join(written)

    def _tell(self, event: _Piece) -> bytes:
        if isinstance(event, PartDelta):
            return self._delta(event)
        if isinstance(event, PartBegin):
            self._speaker[event.choice] = event.index
            return self._part(event)
        if isinstance(event, PartExtra):
            return self._extra(event)
        self._speaker[event.choice] = None
        return self._part_end(event)

    def _begin(self, event: Begin) -> bytes:
        head: JsonObject = {
            "id": event.id,
            "object": "chat.completion.chunk",
            "created": event.created or 0,
            "model": event.model or self._model,
        }
        # every chunk begins alike: write that once, and leave it open for its choices
        self._head = b"data: " + encode(head)[:-1] + b',"choices":['
        first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
        self._spoke[0] = True
        return b"data: " + encode({**head, "choices": [first], **own(event.extra)}) + b"\n\n"

    def _chunk(self, choice: int, delta: bytes) -> bytes:
        role = b""
        if choice not in self._spoke:
            self._spoke[choice] = True
            role = b'"role":"assistant",'
        return b'%s{"index":%d,"delta":{%s%s},"logprobs":null,"finish_reason":null}]}\n\n' % (
            self._head,
            choice,
            role,
            delta,
        )

    def _part(self, event: PartBegin) -> bytes:
        part = event.part
        if isinstance(part, ToolCall):
            return self._call(event, part)
        place = 0
        if isinstance(part, Reasoning):
            place = self._thoughts.get(event.choice, 0)
            self._thoughts[event.choice] = place + 1
        elif isinstance(part, Refusal):
            self._refused[event.choice] = True
        elif isinstance(part, Opaque) and part.dialect == NAME:
            return self._chunk(event.choice, b'"content":[%s]' % encode(part.value))
        elif not isinstance(part, Text):
            return b""  # no other part can be told in a stream of this format
        opened = self._open[event.choice, event.index] = _Open(part, place)
        if isinstance(part, Reasoning):
            return self._thought(event.choice, opened, part) if part.text or part.signature or part.data else b""
        return self._words(event.choice, part, part.text) if part.text else b""

    def _call(self, event: PartBegin, part: ToolCall) -> bytes:
        place = self._calls.get(event.choice, 0)
        self._calls[event.choice] = place + 1
        opened = self._open[event.choice, event.index] = _Open(part, place)
        arguments = write_arguments(part.arguments) if part.arguments else ""
        opened.said = bool(arguments)
        call = {
            "index": place,
            "id": part.id,
            "type": "function",
            "function": {"name": part.name, "arguments": arguments},
            **own(part.extra),
        }
        return self._chunk(event.choice, b'"tool_calls":[%s]' % encode(call))

    def _delta(self, event: PartDelta) -> bytes:
        opened = self._open.get((event.choice, event.index))
        if opened is None or not event.text:
            return b""
        part = opened.part
        if isinstance(part, ToolCall):
            opened.said = True
            piece = b'"tool_calls":[{"index":%d,"function":{"arguments":%s}}]' % (opened.place, encode(event.text))
            return self._chunk(event.choice, piece)
        if isinstance(part, Reasoning):
            return self._thought(event.choice, opened, _told(part, event))
        return self._words(event.choice, part, event.text)

    def _words(self, choice: int, part: Part, text: str) -> bytes:
        name = b'"refusal":' if isinstance(part, Refusal) else b'"content":'
        return self._chunk(choice, name + encode(text))

    def _thought(self, choice: int, opened: _Open, piece: Reasoning) -> bytes:
        """A piece of thinking: its text for every client, the entry for those who send it back.

        An entry of this dialect's own providers is written whole, when its part ends.
        """
        if piece.signed_by == NAME:
            opened.held.append(piece)
            return b""
        said = b'"reasoning_content":' + encode(piece.text) if piece.text else b""
        if piece.signed_by is None:
            return self._chunk(choice, said)
        if opened.encrypted is None:
            opened.encrypted = bool(piece.data and not piece.text)
        entry = encode(write_entry(piece, opened.place, encrypted=opened.encrypted))
        return self._chunk(choice, said + (b"," if said else b"") + b'"reasoning_details":[' + entry + b"]")

    def _whole_thought(self, choice: int, opened: _Open) -> bytes:
        text = "".join(piece.text for piece in opened.held)
        signature = "".join(piece.signature or "" for piece in opened.held) or None
        data = "".join(piece.data or "" for piece in opened.held) or None
        signed_by = NAME if signature or data else None
        fields = write_reasoning([Reasoning(text, signature, data, signed_by)])
        for entry in fields.get("reasoning_details", ()):
            entry["index"] = opened.place
        if not text:
            del fields[FIELD]
        return self._chunk(choice, encode(fields)[1:-1])

    def _extra(self, event: PartExtra) -> bytes:
        opened = self._open.get((event.choice, event.index))
        fields = own(event.extra)
        if opened is None or not fields or not isinstance(opened.part, ToolCall):
            return b""
        return self._chunk(event.choice, b'"tool_calls":[%s]' % encode({"index": opened.place, **fields}))

    def _part_end(self, event: PartEnd) -> bytes:
        opened = self._open.pop((event.choice, event.index), None)
        if opened is not None and opened.held:
            return self._whole_thought(event.choice, opened)
        if opened is not None and isinstance(opened.part, ToolCall) and not opened.said:
            piece = b'"tool_calls":[{"index":%d,"function":{"arguments":"{}"}}]' % opened.place
            return self._chunk(event.choice, piece)
        return b""

    def _finish(self, event: Finish) -> bytes:
        others = own(event.extra)
        word, native = write_stop(event.stop, event.stop_native, refused=event.choice in self._refused)
        choice: JsonObject = {
            "index": event.choice,
            "delta": others.get("message", {}),
            "logprobs": None,
            "finish_reason": word,
        }
        if native is not None:
            choice["native_finish_reason"] = native
        choice |= {name: held for name, held in others.items() if name != "message"}
        return self._head + encode(choice) + b"]}\n\n"

    def _usage_chunk(self) -> bytes:
        if not self._include_usage or self._usage is None or not self._head:
            return b""
        return self._head + b'],"usage":' + encode(write_usage(self._usage)) + b"}\n\n"


def _told(part: Reasoning, event: PartDelta) -> Reasoning:
    text = event.text
    return Reasoning(
        text if event.field is Field.TEXT else "",
        text if event.field is Field.SIGNATURE else None,
        text if event.field is Field.DATA else None,
        part.signed_by,
    )

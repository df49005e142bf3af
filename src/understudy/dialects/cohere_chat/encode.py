"""Streams into this dialect: typed events, one part at a time; what overlaps it waits."""

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
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import write_arguments
from understudy.core.conversation import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode
from understudy.dialects.cohere_chat.answer import USAGE
from understudy.dialects.cohere_chat.content import write_call
from understudy.dialects.cohere_chat.wire import FOLDS, NAME, WORDS, own, write_usage
from understudy.framing.sse import write_event

_Piece = PartBegin | PartDelta | PartExtra | PartEnd
_DONE = b"data: [DONE]\n\n"


class Encoder:
    """Writes one stream: the answer's only choice, in order."""

    __slots__ = ("_calls", "_contents", "_finish", "_queue", "_usage")

    def __init__(self) -> None:
        self._queue: dict[int, _Told] = {}  # the first one is told, those behind it wait
        self._contents = 0
        self._calls = 0
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; other choices than the first are not told."""
        match event:
            case PartBegin(choice=0) | PartDelta(choice=0) | PartExtra(choice=0) | PartEnd(choice=0):
                return self._piece(event)
            case Begin():
                message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
                head = {"id": event.id, "type": "message-start", "delta": {"message": message}}
                return write_event(encode({**head, **own(event.extra)}), b"message-start")
            case Finish(choice=0):
                self._finish = event
            case UsageSeen():
                self._usage = event.usage
            case Failed():
                return write_event(encode({"message": event.failure.message}))
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
            if told.number is None and told.speaks:
                is_call = isinstance(told.part, ToolCall)
                told.number = self._calls if is_call else self._contents
                self._calls += is_call
                self._contents += not is_call
                written += told.begin()
            if told.number is not None:
                written += told.more()
            if not told.ended:
                break
            if told.number is not None:
                written += told.end()
            del self._queue[index]
        return written

    def _end(self) -> bytes:
        for told in self._queue.values():
            told.ended = True
        written = self._advance()
        finish = self._finish
        others = dict(own(finish.extra)) if finish is not None else {}
        citations = others.pop("citations", [])
        for index, citation in enumerate(citations if isinstance(citations, list) else []):
            written += _event("citation-start", index, citations=citation) + _event("citation-end", index)
        delta: JsonObject = {}
        if finish is not None:
            delta["finish_reason"] = WORDS[FOLDS.get(finish.stop, finish.stop)]
        if usage := write_usage(self._usage):
            delta[USAGE] = usage
        ending = {"type": "message-end", "delta": {**delta, **others}}
        return written + write_event(encode(ending), b"message-end") + _DONE


def _event(kind: str, index: int, **message: object) -> bytes:
    body: JsonObject = {"type": kind, "index": index}
    if message:
        body["delta"] = {"message": message}
    return write_event(encode(body), kind.encode())


class _Told:
    """One part on its way out. `number`: its index on the wire once it is there. `_held`: what was said and not told yet."""

    __slots__ = ("_held", "ended", "number", "part")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.number: int | None = None
        self.ended = False
        self._held = part.text if isinstance(part, Text | Refusal | Reasoning) else ""
        if isinstance(part, ToolCall) and part.arguments:
            self._held = write_arguments(part.arguments)

    @property
    def speaks(self) -> bool:
        """Whether there is anything to tell: a text opens with its first word, and what the format does not know never."""
        part = self.part
        return bool(self._held) or isinstance(part, ToolCall) or (isinstance(part, Opaque) and part.dialect == NAME)

    def take(self, event: PartDelta | PartExtra | PartEnd) -> None:
        """More of it. Seals and the fields of other formats have no place here."""
        if isinstance(event, PartEnd):
            self.ended = True
        elif isinstance(event, PartDelta) and event.field in {Field.TEXT, Field.ARGUMENTS}:
            self._held += event.text

    def begin(self) -> bytes:
        """The event that opens it."""
        part = self.part
        assert self.number is not None
        if isinstance(part, ToolCall):
            call = write_call(ToolCall(part.id, part.name, "", None, part.extra))
            return _event("tool-call-start", self.number, tool_calls=call)
        if isinstance(part, Opaque):
            return _event("content-start", self.number, content=part.value)
        kind = "thinking" if isinstance(part, Reasoning) else "text"
        return _event("content-start", self.number, content={"type": kind, kind: ""})

    def more(self) -> bytes:
        """What it has said since."""
        held, self._held = self._held, ""
        assert self.number is not None
        if not held:
            return b""
        if isinstance(self.part, ToolCall):
            return _event("tool-call-delta", self.number, tool_calls={"function": {"arguments": held}})
        kind = "thinking" if isinstance(self.part, Reasoning) else "text"
        return _event("content-delta", self.number, content={kind: held})

    def end(self) -> bytes:
        """The event that closes it."""
        assert self.number is not None
        return _event("tool-call-end" if isinstance(self.part, ToolCall) else "content-end", self.number)

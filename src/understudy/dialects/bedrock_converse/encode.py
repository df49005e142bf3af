"""Streams into this dialect: for whoever answers in it, such as a simulated provider. No caller of ours speaks it.

Other formats let parts overlap (parallel tool calls in turn). Here a block begins when the one before it has ended.
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
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import encode
from understudy.dialects.bedrock_converse.answer import write_stop, write_usage
from understudy.dialects.bedrock_converse.events import write_exception, write_named
from understudy.dialects.bedrock_converse.wire import NAME, own


class _Block:
    """A part on its way out. `held`: what is to be said of it while another block is open."""

    __slots__ = ("ended", "held", "part", "sealed")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.held = b""
        self.sealed = ""  # encrypted thinking, which goes out whole
        self.ended = False


class Encoder:
    """Writes one stream: the message's only choice, each part a block of the same number."""

    __slots__ = ("_blocks", "_parts", "_usage")

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}  # the first one is open, those behind it wait
        self._parts: tuple[Part, ...] = ()
        self._usage = Usage()

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event; other choices than the first are not told."""
        match event:
            case PartDelta(choice=0) | PartBegin(choice=0) | PartEnd(choice=0) | PartExtra(choice=0):
                return self._tell(event)
            case UsageSeen():
                self._usage = event.usage
            case Begin():
                return write_named("messageStart", {"role": "assistant"})
            case Finish(choice=0):
                for block in self._blocks.values():
                    block.ended = True  # the choice is complete, so every part is
                word = write_stop(event.stop, self._parts)
                return self._advance() + write_named("messageStop", {"stopReason": word, **own(event.extra)})
            case Failed():
                return write_exception(event.failure, {"message": event.failure.message})
            case End():
                return write_named("metadata", {"usage": write_usage(self._usage)})
            case _:
                pass
        return b""

    def _tell(self, event: PartBegin | PartDelta | PartEnd | PartExtra) -> bytes:
        index = event.index
        if isinstance(event, PartBegin):
            self._parts += (event.part,)
            self._blocks[index] = _Block(event.part)
        block = self._blocks.get(index)
        if block is None:
            return b""
        match event:
            case PartBegin():
                block.held += _begun(index, block)
            case PartDelta():
                block.held += _more(index, block, event) if event.text else b""
            case PartExtra():
                citations = own(event.extra).get("citations")
                block.held += b"".join([_delta(index, "citation", one) for one in citations or ()])
            case PartEnd():
                block.held += _ended(index, block)
                block.ended = True
        return self._advance()

    def _advance(self) -> bytes:
        """What is to be said of the first block, and of those behind it as far as those before them have ended."""
        written = b""
        while self._blocks:
            index, block = next(iter(self._blocks.items()))
            written, block.held = written + block.held, b""
            if not block.ended:
                break
            del self._blocks[index]
        return written


def _begun(index: int, block: _Block) -> bytes:
    part = block.part
    match part:
        case ToolCall():
            written = _start(index, {"toolUse": {"toolUseId": part.id, "name": part.name, **own(part.extra)}})
            if part.arguments not in ("", {}):
                written += _delta(index, "toolUse", {"input": encode(part.arguments).decode()})
            return written
        case Opaque(dialect="bedrock_converse"):
            return _start(index, part.value)
        case Text() | Refusal() if part.text:
            return _delta(index, "text", part.text)
        case Reasoning():
            seals = ((Field.TEXT, part.text), (Field.SIGNATURE, part.signature), (Field.DATA, part.data))
            return b"".join([_thought(index, block, field, text) for field, text in seals if text])
        case _:
            return b""


def _more(index: int, block: _Block, event: PartDelta) -> bytes:
    match block.part:
        case Reasoning():
            return _thought(index, block, event.field, event.text)
        case ToolCall():
            return _delta(index, "toolUse", {"input": event.text})
        case Text() | Refusal():
            return _delta(index, "text", event.text)
        case _:
            return b""


def _thought(index: int, block: _Block, field: Field, text: str) -> bytes:
    """A piece of thinking; without a seal that another dialect put on it."""
    if field is Field.TEXT:
        return _delta(index, "reasoningContent", {"text": text})
    if not isinstance(block.part, Reasoning) or block.part.signed_by not in {None, NAME}:
        return b""
    if field is Field.SIGNATURE:
        return _delta(index, "reasoningContent", {"signature": text})
    block.sealed += text
    return b""


def _ended(index: int, block: _Block) -> bytes:
    if isinstance(block.part, Opaque) and block.part.dialect != NAME:
        return b""
    sealed = _delta(index, "reasoningContent", {"redactedContent": block.sealed}) if block.sealed else b""
    return sealed + write_named("contentBlockStop", {"contentBlockIndex": index})


def _start(index: int, start: JsonObject) -> bytes:
    return write_named("contentBlockStart", {"contentBlockIndex": index, "start": start})


def _delta(index: int, kind: str, said: object) -> bytes:
    return write_named("contentBlockDelta", {"contentBlockIndex": index, "delta": {kind: said}})

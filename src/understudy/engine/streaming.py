"""Streams on their way through: what each event means, and what of it the caller is sent.

A `Carrier` stands between a provider's stream and a caller: either both speak the same wire format and the events pass
untouched under a watcher's eye, or each event goes through the intermediate form. The engine sees only bytes and bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

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
from understudy.core.conversation import Audio, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure
from understudy.core.projection import Loss, Unsaid
from understudy.core.usage import Usage
from understudy.dialects import (
    CONTENT,
    END,
    FAILED,
    FINISH,
    HIDE,
    PROGRESS,
    Dialect,
    StreamDecoder,
    StreamEncoder,
    Watcher,
)
from understudy.framing.sse import SseEvent

_EXCUSES = frozenset(
    {
        "length",
        "max_tokens",
        "content_filter",
        "refusal",
        "max_output_tokens",
        "model_context_window_exceeded",
        "pause_turn",
    }
)
_OWES_WORDS = (Stop.END, Stop.STOP_SEQUENCE, Stop.TOOL_CALLS)


class Carrier(Protocol):
    """Takes a provider's events, gives a caller's bytes.

    `usage`: the last seen. `failure`: set when an event said FAILED. `excused`: whether the stop reason explains an answer
    without words (the caller asked for few, or was refused). `lost`: what of the stream the caller's format could not say, so far.
    """

    @property
    def usage(self) -> Usage | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def excused(self) -> bool: ...
    @property
    def lost(self) -> tuple[Loss, ...]: ...

    def carry(self, event: SseEvent) -> tuple[bytes, int]:
        """What the caller is sent for an event, and the event's bits (see `dialects`). Raises `BadAnswer`."""
        ...

    def ending(self) -> bytes | None:
        """What the caller is still owed when a finished stream ends without its own last event; None when it was cut after all."""
        ...


class PassThrough:
    """The same wire format on both sides: events pass untouched, except what the caller did not ask for."""

    __slots__ = ("_see", "_watcher")

    lost: tuple[Loss, ...] = ()

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._see = watcher.see

    @property
    def usage(self) -> Usage | None:
        """The last seen."""
        return self._watcher.usage

    @property
    def failure(self) -> Failure | None:
        """What the provider reported inside the stream."""
        return self._watcher.failure

    @property
    def excused(self) -> bool:
        """Whether the stop reason explains an answer without words."""
        return self._watcher.stop_native in _EXCUSES

    def carry(self, event: SseEvent) -> tuple[bytes, int]:
        """The event's own bytes."""
        bits = self._see(event)
        return (b"" if bits & HIDE else event[0]), bits

    def ending(self) -> bytes:
        """Nothing: the provider's clients know its habits."""
        return b""


class Translation:
    """Two wire formats: every event is read into the intermediate form and written from it."""

    __slots__ = ("_created", "_decoder", "_encoder", "_finished", "_id", "_unsaid", "failure", "usage")

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder, unsaid: Unsaid, created: int, id_: str) -> None:
        self._unsaid = unsaid
        self._created = created
        self._id = id_
        self._decoder = decoder
        self._encoder = encoder
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self._finished = False

    @property
    def excused(self) -> bool:
        """Whether the stop reason explains an answer without words."""
        stop = self._decoder.stop
        return stop is not None and stop not in _OWES_WORDS

    @property
    def lost(self) -> tuple[Loss, ...]:
        """What the caller's format could not say, so far."""
        return self._unsaid.report()

    def carry(self, event: SseEvent) -> tuple[bytes, int]:
        """The event's meaning in the caller's words."""
        out, bits = self.tell(self._decoder.decode(event))
        if self._decoder.stop is not None and not self._finished:  # seen, and told when nothing can follow it
            self._finished = True
            bits |= FINISH | PROGRESS
        return out, bits

    def ending(self) -> bytes | None:
        """Why each choice ended, and the last event of the caller's own wire format. None while a choice has not said why."""
        if self._decoder.stop is None:
            return None
        out, _ = self.tell([*self._decoder.ending(), End()])
        return out

    def tell(self, events: Sequence[StreamEvent]) -> tuple[bytes, int]:
        """The caller's bytes for events of the intermediate form, and their bits."""
        bits = 0
        out = b""
        for one in events:
            bits |= meaning(one)
            if not isinstance(one, PartDelta):
                self._unsaid.see(one)
            if isinstance(one, UsageSeen):
                self.usage = one.usage
            elif isinstance(one, Failed):
                self.failure = one.failure
                continue  # how a broken stream ends is the engine's to say
            out += self._encoder.encode(named_event(one, self._created, self._id))
        return out, bits


def named_event(event: StreamEvent, created: int, id_: str) -> StreamEvent:
    """A stream's beginning with an id and a time: some wire formats have none, others must say one."""
    if not isinstance(event, Begin) or (event.id and event.created is not None):
        return event
    return replace(event, id=event.id or id_, created=created if event.created is None else event.created)


def meaning(event: StreamEvent) -> int:
    """The bits of an event of the intermediate form."""
    if isinstance(event, PartDelta):
        return CONTENT | PROGRESS if event.text and event.field is not Field.SIGNATURE else PROGRESS
    if isinstance(event, PartBegin):
        return CONTENT | PROGRESS if _says_something(event.part) else PROGRESS
    if isinstance(event, Finish):
        return FINISH | PROGRESS
    if isinstance(event, End):
        return END | PROGRESS
    if isinstance(event, Failed):
        return FAILED
    return PROGRESS


def _says_something(part: Part) -> bool:
    """Whether a part that opens is content by itself: a tool call's name is, an empty text is not."""
    if isinstance(part, Text | Refusal):
        return bool(part.text)
    if isinstance(part, Reasoning):
        return bool(part.text or part.data)
    return isinstance(part, ToolCall | Opaque | Audio)


def read_stream(dialect: Dialect, told: bytes) -> Answer:
    """The answer in a whole stream. Raises `BadAnswer` and `EventTooLarge`."""
    framing, decoder = dialect.framing(), dialect.decoder()
    events = [one for event in [*framing.feed(told), *framing.flush()] for one in decoder.decode(event)]
    return assemble([*events, *decoder.ending()])


def events_of(answer: Answer) -> Iterator[StreamEvent]:
    """A whole answer told as a stream: for a caller who asked for one where the source had it whole."""
    yield Begin(id=answer.id, model=answer.model, created=answer.created, extra=answer.extra)
    for number, choice in enumerate(answer.choices):
        for index, part in enumerate(choice.parts):
            yield from _told(number, index, part)
        yield Finish(
            choice=number,
            stop=choice.stop or Stop.END,
            stop_native=choice.stop_native,
            stop_sequence=choice.stop_sequence,
            extra=choice.extra,
        )
    if answer.usage is not None:
        yield UsageSeen(answer.usage)
    yield End()


def _told(choice: int, index: int, part: Part) -> Iterator[StreamEvent]:
    opened, deltas = _opened(part)
    yield PartBegin(choice, index, opened)
    for field, text in deltas:
        if text:
            yield PartDelta(choice, index, field, text)
    yield PartEnd(choice, index)


def _opened(part: Part) -> tuple[Part, list[tuple[Field, str]]]:
    """A part as it stands before its deltas, and the deltas."""
    if isinstance(part, Text):
        return Text("", part.cache, part.extra), [(Field.TEXT, part.text)]
    if isinstance(part, Refusal):
        return Refusal(""), [(Field.TEXT, part.text)]
    if isinstance(part, Reasoning):
        opened = Reasoning("", None, part.data, part.signed_by, part.extra)
        return opened, [(Field.TEXT, part.text), (Field.SIGNATURE, part.signature or "")]
    if isinstance(part, ToolCall):
        opened_call = ToolCall(part.id, part.name, "", part.cache, part.extra)
        return opened_call, [(Field.ARGUMENTS, write_arguments(part.arguments))]
    return part, []

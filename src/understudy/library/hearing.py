"""Hears an answer inside the process that asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from understudy.core.answer import Answer, Field, PartBegin, PartDelta, StreamEvent
from understudy.core.assembly import Assembly
from understudy.core.conversation import Reasoning, Text, ToolCall
from understudy.core.failure import FailureKind
from understudy.dialects import Dialect
from understudy.engine.streaming import events_of
from understudy.library.answers import Chunk
from understudy.ports import Header

WAITING_MAX = 64
"""Pieces that may wait for a slow reader before the provider is made to wait, too."""


class Ear:
    """Keeps a whole answer. A `Sink`."""

    left: FailureKind | None = None

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.answer: Answer | None = None

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:  # noqa: ARG002  the result says it
        """A whole answer, or an error that the result tells better."""
        if status < 300:
            self.answer = self.dialect.parse_answer(body)

    def start(self, status: int, headers: Iterable[Header]) -> None:
        """The answer begins."""

    async def write(self, data: bytes) -> None:
        """A piece of a stream."""

    def finish(self) -> None:
        """It is complete."""

    def abort(self) -> None:
        """It is broken off; the result says why."""

    def forget_body(self) -> None:
        """Nothing is budgeted here."""


class StreamEar(Ear):
    """Passes a stream on, piece by piece, and puts it together on the way."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self.pieces: asyncio.Queue[Chunk | None] = asyncio.Queue(WAITING_MAX)
        self.assembly = Assembly()
        self._framing = dialect.framing()
        self._decoder = dialect.decoder()
        self._calls: dict[tuple[int, int], ToolCall] = {}
        self._kinds: dict[tuple[int, int], type] = {}

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Not a stream after all."""
        super().respond(status, headers, body)
        if self.answer is not None:
            for event in events_of(self.answer):
                self.assembly.add(event)

    async def write(self, data: bytes) -> None:
        """A piece of the stream; waits while too much of it waits for the reader."""
        for framed in self._framing.feed(data):
            for event in self._decoder.decode(framed):
                self.assembly.add(event)
                for chunk in self._chunks(event):
                    await self.pieces.put(chunk)

    def finish(self) -> None:
        """It is complete, though its format may have no end mark that says so."""
        for event in self._decoder.ending():
            self.assembly.add(event)

    def _chunks(self, event: StreamEvent) -> Iterator[Chunk]:
        """What of an event a reader wants to see."""
        if isinstance(event, PartBegin):
            where, part = (event.choice, event.index), event.part
            self._kinds[where] = type(part)
            if isinstance(part, ToolCall):
                self._calls[where] = part
                yield Chunk(call=part, choice=event.choice)
            elif isinstance(part, Text) and part.text:
                yield Chunk(text=part.text, choice=event.choice)
            elif isinstance(part, Reasoning) and part.text:
                yield Chunk(reasoning=part.text, choice=event.choice)
        elif isinstance(event, PartDelta) and event.text:
            where = (event.choice, event.index)
            if event.field is Field.ARGUMENTS:
                yield Chunk(arguments=event.text, call=self._calls.get(where), choice=event.choice)
            elif event.field is Field.TEXT:
                thought = self._kinds.get(where) is Reasoning
                name = "reasoning" if thought else "text"
                yield Chunk(**{name: event.text}, choice=event.choice)  # type: ignore[arg-type]

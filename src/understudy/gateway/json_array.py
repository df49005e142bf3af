"""A stream as one JSON array: what Google's API sends to clients that do not ask for server-sent events (`alt=sse`).

The engine writes events all the same; each becomes an element. So a client that reads the array as it comes has each piece at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

from understudy.core.failure import FailureKind
from understudy.engine.attempt import JSON
from understudy.framing.sse import SseParser
from understudy.ports import Exchange, Header

_STREAMS = ":streamGenerateContent"


def wants_array(exchange: Exchange) -> bool:
    """Whether this exchange is a stream that is to come as an array."""
    return exchange.path.endswith(_STREAMS) and parse_qs(exchange.query).get("alt", [""])[-1] != "sse"


class ArraySink:
    """`Sink` in front of an exchange: a stream becomes an array, whole answers and errors before a stream go through as they are.

    `finish` cannot send anything, so the end is sent by `close`, once the engine is done.
    """

    __slots__ = ("_begun", "_ended", "_exchange", "_parser")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._parser = SseParser()
        self._begun = False
        self._ended = False

    @property
    def left(self) -> FailureKind | None:
        """Why the performance was cancelled."""
        return self._exchange.left

    @left.setter
    def left(self, kind: FailureKind | None) -> None:
        self._exchange.left = kind

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """As the exchange does."""
        self._exchange.respond(status, headers, body)

    def start(self, status: int, headers: Iterable[Header]) -> None:
        """Begin the array."""
        self._exchange.start(status, [*(header for header in headers if header[0] != JSON[0]), JSON])

    async def write(self, data: bytes) -> None:
        """The elements for the events in it."""
        if written := self._elements(data):
            await self._exchange.write(written)

    def _elements(self, data: bytes) -> bytes:
        written = b""
        for event in self._parser.feed(data):
            if event.data:
                written += (b",\r\n" if self._begun else b"[") + event.data
                self._begun = True
        return written

    def finish(self) -> None:
        """The array is complete."""
        self._ended = True

    async def close(self) -> None:
        """Send the end of an array that is complete."""
        if self._ended:
            self._ended = False
            await self._exchange.write(b"]" if self._begun else b"[]")
            self._exchange.finish()

    def abort(self) -> None:
        """As the exchange does: the array stays open."""
        self._exchange.abort()

    def forget_body(self) -> None:
        """As the exchange does."""
        self._exchange.forget_body()

"""An answer that is read as it comes: what has arrived of its body, until somebody reads it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from understudy.core.failure import FailureKind
from understudy.ports import HeaderMap, TransportFailure
from understudy.transport.inflate import inflater_for

if TYPE_CHECKING:
    from understudy.transport.inflate import Inflater
    from understudy.transport.outbound import OutboundConnection

_INFLATE_STEP_BYTES = 64 * 1024


class OutboundStream:
    """`understudy.ports.HttpStream`: what has come of a body and was not read yet.

    It holds its connection only until the body is complete, so that reading the rest late keeps nothing busy.
    A gzip or deflate body is decompressed as it is read, at most 64 KiB a time.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_failure",
        "_finished",
        "_inflater",
        "_loop",
        "_unread_bytes",
        "_unread_max_bytes",
        "_waiter",
        "headers",
        "status",
    )

    def __init__(
        self,
        connection: OutboundConnection,
        loop: asyncio.AbstractEventLoop,
        unread_max_bytes: int,
        status: int,
        headers: HeaderMap,
    ) -> None:
        self.status = status
        self.headers = headers
        self._connection: OutboundConnection | None = connection
        self._loop = loop
        self._inflater: Inflater | None = inflater_for(headers) if b"content-encoding" in headers else None
        self._chunks: list[bytes] = []
        self._unread_bytes = 0
        self._unread_max_bytes = unread_max_bytes
        self._waiter: asyncio.Future[None] | None = None
        self._finished = False
        self._failure: TransportFailure | None = None

    async def read(self, until_s: float) -> bytes:
        """The next bytes of the body, `b""` at its proper end. See `understudy.ports.HttpStream`."""
        if self._inflater is not None:
            return await self._read_inflated(self._inflater, until_s)
        return await self._read_raw(until_s)

    async def _read_raw(self, until_s: float) -> bytes:
        if not self._chunks and not self._finished:
            await self._more(until_s)
        chunks = self._chunks
        if chunks:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            self._unread_bytes = 0
            connection = self._connection
            if connection is not None and connection.paused:
                connection.resume_reading()
            return data
        if self._failure is not None:
            raise self._failure
        return b""

    async def _read_inflated(self, inflater: Inflater, until_s: float) -> bytes:
        await asyncio.sleep(
            0
        )  # a few bytes may become a thousand times as many: others have their turn between the steps
        try:
            while not (plain := inflater.take(_INFLATE_STEP_BYTES)):
                data = await self._read_raw(until_s)
                if not data:
                    inflater.finish()
                    return b""
                inflater.feed(data)
        except TransportFailure:
            self.close()
            raise
        return plain

    async def _more(self, until_s: float) -> None:
        """Wait for bytes, the end, or a failure."""
        connection = self._connection
        assert connection is not None  # it stays until the stream is finished
        waiter = self._waiter = self._loop.create_future()
        connection.deadline_s = until_s
        try:
            await waiter
        finally:
            self._waiter = None

    def close(self) -> None:
        """Let go; an unfinished answer takes its connection with it, and whoever still reads is told."""
        connection = self._connection
        if connection is not None:
            self.end(TransportFailure(FailureKind.TRUNCATED, "the stream was closed before its end", sent=True))
            connection.close()

    # What the connection reports

    @property
    def awaited(self) -> bool:
        """Whether a reader waits now; only then does the deadline count."""
        return self._waiter is not None

    def push(self, data: bytes) -> bool:
        """Add bytes; True when more is unread than should be."""
        self._chunks.append(data)
        self._unread_bytes += len(data)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        return self._unread_bytes > self._unread_max_bytes

    def end(self, failure: TransportFailure | None = None) -> None:
        """Nothing more will come; bytes before a failure can still be read."""
        self._finished = True
        self._failure = failure
        self._connection = None
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

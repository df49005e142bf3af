"""One connection to a provider: writes a request, parses what comes back, for one request at a time.

A connection is IDLE (in the pool), or busy with a request whose answer is wanted WHOLE or as a STREAM. The pool gets it
back in the very callback that completes an answer, so a cancelled reader can never leak it. Time is one deadline per
connection, looked at by the client's sweep.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import httptools

from understudy.core.failure import FailureKind
from understudy.ports import HeaderMap, HttpAnswer, TransportFailure
from understudy.transport.inflate import inflate_whole, inflater_for
from understudy.transport.stream import OutboundStream
from understudy.transport.wire import head_bytes

if TYPE_CHECKING:
    from understudy.transport.pool import Pool

IDLE, WHOLE, STREAM = range(3)
_FOREVER = float("inf")


def _result(waiter: asyncio.Future[Any]) -> object:
    """What was on its way to whoever waited; None for a failure."""
    return None if waiter.cancelled() or waiter.exception() is not None else waiter.result()


class StaleConnection(TransportFailure):
    """A kept connection died before any byte of the answer: most likely it had been closed while it lay idle."""


class OutboundConnection(asyncio.Protocol):
    """A connection to an origin, or to the proxy before it."""

    __slots__ = (
        "_answer_headers",
        "_body",
        "_body_bytes",
        "_dry_bytes",
        "_headers",
        "_keep",
        "_loop",
        "_mode",
        "_parser",
        "_pool",
        "_request_is_head",
        "_settings",
        "_status",
        "_stream",
        "_transport",
        "_waiter",
        "born_s",
        "deadline_s",
        "idle_since_s",
        "lost",
        "paused",
        "used",
    )

    _transport: asyncio.Transport

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._settings = pool.settings
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self.lost = False
        self.used = False
        self.paused = False
        self.born_s = self.idle_since_s = loop.time()
        self.deadline_s = _FOREVER
        self._mode = IDLE
        self._request_is_head = False
        self._keep = False
        self._waiter: asyncio.Future[Any] | None = None
        self._stream: OutboundStream | None = None
        self._headers: HeaderMap = {}
        self._clear_answer()

    def _clear_answer(self) -> None:
        self._status = 0  # known once the headers are complete
        self._answer_headers: HeaderMap = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._dry_bytes = 0  # received since the request was sent, or since the last byte of the body

    # Used by the client

    @property
    def usable(self) -> bool:
        """Whether a request may be sent over it."""
        return not self.lost and not self._transport.is_closing()

    def fetch(self, pieces: tuple[bytes, ...], until_s: float, method: str) -> asyncio.Future[HttpAnswer]:
        """Send a request; the future gets the whole answer or a `TransportFailure`."""
        waiter: asyncio.Future[HttpAnswer] = self._loop.create_future()
        self._waiter = waiter
        self._send(WHOLE, pieces, until_s, method)
        return waiter

    def open(self, pieces: tuple[bytes, ...], until_s: float, method: str) -> asyncio.Future[OutboundStream]:
        """Send a request; the future gets the answer at its headers or a `TransportFailure`."""
        waiter: asyncio.Future[OutboundStream] = self._loop.create_future()
        self._waiter = waiter
        self._send(STREAM, pieces, until_s, method)
        return waiter

    def _send(self, mode: int, pieces: tuple[bytes, ...], until_s: float, method: str) -> None:
        self._mode = mode
        self._request_is_head = method == "HEAD"
        self.deadline_s = until_s
        for piece in pieces:
            self._pool.outbox.write(self._transport, piece)

    def abandon(self, waiter: asyncio.Future[Any]) -> None:
        """Whoever waited has been cancelled: close, unless the connection has moved on to another request."""
        if self._waiter is waiter:
            self.close()
        elif self._stream is not None and _result(waiter) is self._stream:
            self.close()  # the stream was on its way to its reader

    def interrupt(self) -> None:
        """The client is closing: whoever waits is told."""
        kind = FailureKind.TRUNCATED if self._status else FailureKind.CONNECTION_LOST
        self._fail(kind, "the client was closed")

    def close(self) -> None:
        """Close at once, without flushing."""
        self._mode = IDLE
        self._waiter = None
        self._stream = None
        self._leave_pool()
        self._transport.abort()

    def resume_reading(self) -> None:
        """The unread bytes have been read."""
        self.paused = False
        if self.usable:
            self._transport.resume_reading()

    def expire(self) -> None:
        """The sweep found the deadline passed."""
        self.deadline_s = _FOREVER
        mode = self._mode
        if mode == WHOLE:
            what = "the answer was not complete in time" if self._status else "no answer came in time"
            self._fail(FailureKind.ANSWER_TIMEOUT, what)
        elif mode == STREAM and self._stream is None:
            self._fail(FailureKind.HEADERS_TIMEOUT, "no headers came in time")
        elif self._stream is not None and self._stream.awaited:
            self._fail(FailureKind.IDLE_TIMEOUT, "the stream stalled")

    # The transport tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._mode == IDLE:  # an answer that nobody asked for must not become the next request's
            self.close()
            return
        self._dry_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(FailureKind.MALFORMED, "the provider switched to another protocol")
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours, not of the provider's bytes
        except httptools.HttpParserError as error:
            self._fail(FailureKind.MALFORMED, f"not an HTTP/1.1 answer: {error}")
        else:
            if self._mode != IDLE and self._dry_bytes > self._settings.head_max_bytes:
                self._fail(FailureKind.MALFORMED, "the answer's headers or chunk framing are too large")

    def eof_received(self) -> bool | None:
        self._ended(None)
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        del self._parser  # it holds our methods: without this, only the garbage collector would free us

    # llhttp tells us

    def on_message_begin(self) -> None:
        """The first byte of an answer; behind a complete one, nobody has asked for it, and the next request must not get it."""
        if self._mode == IDLE:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or, after the body, a trailer, which is dropped."""
        headers = self._headers
        name = name.lower()
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        """The head of an answer, perhaps an interim one."""
        headers, self._headers = self._headers, {}
        if self._mode == IDLE:
            return
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._status = status
        self._answer_headers = headers
        self._keep = self._parser.should_keep_alive()
        limit = self._settings.head_max_bytes
        if self._dry_bytes > limit < head_bytes(headers):
            self._fail(FailureKind.MALFORMED, f"the answer's headers exceed {limit} bytes")
        elif status == 407 and self._pool.via_proxy:
            self._fail(FailureKind.PROXY_FAILED, "the proxy asks for credentials (407)", sent=False)
        elif self._mode == STREAM:
            self._hand_over_stream(status, headers)
        elif int(headers.get(b"content-length", b"0")) > self._settings.answer_max_bytes and not self._request_is_head:
            self._fail_too_large()
        if self._request_is_head and self._mode != IDLE:
            self._keep = False  # llhttp cannot be told that this length announces no body
            self._complete()

    def _hand_over_stream(self, status: int, headers: HeaderMap) -> None:
        stream = OutboundStream(self, self._loop, self._settings.unread_max_bytes, status, headers)
        waiter = cast("asyncio.Future[OutboundStream]", self._waiter)
        self._waiter = None
        self._stream = stream
        self.deadline_s = _FOREVER
        if waiter.done():  # its task was cancelled and will close us when it runs
            self.close()
        else:
            waiter.set_result(stream)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._dry_bytes = 0
        if self._mode == WHOLE:
            self._body.append(data)
            self._body_bytes += len(data)
            if self._body_bytes > self._settings.answer_max_bytes:
                self._fail_too_large()
        elif self._stream is not None and self._stream.push(data) and not self.paused:
            self.paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._status and self._mode != IDLE:
            self._complete()

    # Ends

    def _complete(self) -> None:
        """Hand over what is left, and the connection back to the pool."""
        mode, self._mode = self._mode, IDLE
        self.deadline_s = _FOREVER
        if mode == WHOLE:
            waiter = cast("asyncio.Future[HttpAnswer]", self._waiter)
            self._waiter = None
            if not waiter.done():
                self._deliver(waiter)
        elif self._stream is not None:
            self._stream.end()
            self._stream = None
        if self._headers:  # trailers
            self._headers = {}
        self._clear_answer()
        self.used = True
        if self.paused:
            self.resume_reading()
        if self._keep and self.usable and not self._transport.get_write_buffer_size():
            self._pool.give_back(self)
        else:
            self.close()

    def _deliver(self, waiter: asyncio.Future[HttpAnswer]) -> None:
        headers = self._answer_headers
        pieces = self._body
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if b"content-encoding" in headers and body:
            inflater = inflater_for(headers)
            if inflater is not None:
                try:
                    body = inflate_whole(inflater, body, self._settings.answer_max_bytes)
                except TransportFailure as failure:
                    waiter.set_exception(failure)
                    return
        waiter.set_result(HttpAnswer(status=self._status, headers=headers, body=body))

    def _ended(self, error: Exception | None) -> None:
        """No more bytes will come."""
        mode = self._mode
        if mode == IDLE or self.lost:
            self._leave_pool()
            return
        if self._status and error is None and self._ends_with_connection():
            self._keep = False
            self._complete()
            return
        reason = f": {error}" if error is not None else ""
        if self._status or self._dry_bytes:
            self._fail(FailureKind.TRUNCATED, f"the connection ended within the answer{reason}")
        else:
            self._fail(FailureKind.CONNECTION_LOST, f"the connection ended before any answer{reason}", stale=self.used)

    def _ends_with_connection(self) -> bool:
        """Whether the end of the connection is this body's proper end (RFC 9112, 6.3)."""
        headers = self._answer_headers
        coding = headers.get(b"transfer-encoding")
        if coding is None:
            return b"content-length" not in headers
        return not coding.lower().rstrip().endswith(b"chunked")

    def _fail_too_large(self) -> None:
        limit = self._settings.answer_max_bytes
        self._fail(FailureKind.ANSWER_TOO_LARGE, f"the answer exceeds {limit} bytes")

    def _fail(self, kind: FailureKind, message: str, *, sent: bool = True, stale: bool = False) -> None:
        """Tell whoever waits, and close."""
        waiter, stream = self._waiter, self._stream
        failure = (StaleConnection if stale else TransportFailure)(kind, message, sent=sent)
        self.close()
        if stream is not None:
            stream.end(failure)
        elif waiter is not None and not waiter.done():
            waiter.set_exception(failure)

    def _leave_pool(self) -> None:
        if not self.lost:
            self.lost = True
            self._pool.forget(self)

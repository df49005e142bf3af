"""One client's connection: its requests are handed to the handler one at a time, and bounded in time.

Life of a connection:

    IDLE --first byte--> HEAD --headers end--> BODY --complete--> (an exchange is in flight) --handler done--> IDLE

While an exchange is in flight, further bytes wait unparsed. Reading goes on (up to a bound), because a client that leaves
is noticed by reading only. A client that closes its sending side counts as gone, as it does for nginx: a half-closed
connection cannot be told from an abandoned one, and an abandoned one costs money.

A refusal (a request that no handler will see) is answered, then input is read and dropped for a moment (CLOSING): closing
with unread input would make the kernel send a reset, and the client would never see the answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from understudy.core.failure import FailureKind
from understudy.transport.exchange import STARTED, UNANSWERED, ServerExchange
from understudy.transport.request import Problem, RequestParser
from understudy.transport.wire import field_lines, status_line

if TYPE_CHECKING:
    from understudy.transport.server import Server

IDLE, HEAD, BODY, CLOSING = range(4)

_HELD_MAX_BYTES = 64 * 1024  # unparsed bytes behind a request in flight, above which reading pauses
_FOREVER = float("inf")


class InboundConnection(asyncio.Protocol):
    """An accepted connection."""

    __slots__ = (
        "_drain_waiter",
        "_exchange",
        "_held",
        "_held_bytes",
        "_loop",
        "_lost",
        "_parser",
        "_pending_bytes",
        "_pending_since_s",
        "_phase",
        "_queue",
        "_reading_paused",
        "_settings",
        "_task",
        "_transport",
        "_wake",
        "choked",
        "deadline_s",
        "peer",
        "server",
    )

    _transport: asyncio.Transport

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._settings = server.settings
        self._loop = loop
        self._parser = RequestParser(server, self._request_complete)
        self._phase = IDLE
        self.deadline_s = _FOREVER
        self.peer = ""
        self.choked = False
        self._lost = False
        self._reading_paused = False
        self._drain_waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._exchange: ServerExchange | None = None
        self._queue: deque[ServerExchange] = deque()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._pending_bytes = 0
        self._pending_since_s = 0.0

    # The transport tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self.deadline_s = self._loop.time() + self._settings.head_s
        if not self.server.admit(self):
            self._refuse((503, FailureKind.BUSY, "too many connections"))

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            if self._phase != CLOSING:
                self._parse(data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _HELD_MAX_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        if self._exchange is not None:
            self._client_left()
            self._transport.abort()
        return None  # the transport closes itself when it has flushed

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  how it was lost makes no difference
        self._lost = True
        self.server.forget(self)
        self._client_left()
        self.resume_writing()
        self._parser.close()

    def pause_writing(self) -> None:
        self.choked = True

    def resume_writing(self) -> None:
        self.choked = False
        waiter, self._drain_waiter = self._drain_waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # What an exchange may do

    def send(self, data: bytes) -> None:
        """Hand bytes to the transport, unless the client is gone."""
        if not self._lost:
            self.server.outbox.write(self._transport, data)

    def send_pieces(self, pieces: tuple[bytes, ...]) -> None:
        """Hand over pieces too large to be worth joining.

        Not by `writelines`: in the standard loop of early 3.12 and 3.13 it knows no back-pressure (CVE-2024-12254).
        """
        for piece in pieces:
            self.send(piece)

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was sent, or is gone."""
        while self.choked and not self._lost:
            waiter = self._drain_waiter
            if waiter is None or waiter.done():
                waiter = self._drain_waiter = self._loop.create_future()
            await waiter

    def abort(self) -> None:
        """Close without waiting for the client to take what was sent."""
        self.server.outbox.flush()
        self._transport.abort()

    # What the server asks of it

    @property
    def answering(self) -> bool:
        """Whether a handler is at work, or requests wait for it."""
        return self._exchange is not None

    def sweep(self, now_s: float) -> None:
        """Enforce the time limits."""
        pending = self._transport.get_write_buffer_size()
        if pending != self._pending_bytes:
            self._pending_bytes = pending
            self._pending_since_s = now_s
        elif pending and now_s - self._pending_since_s >= self._settings.stall_s:
            self.abort()
            return
        if self._exchange is None and now_s >= self.deadline_s:
            self._expire(now_s)

    def dismiss(self, kind: FailureKind) -> None:
        """Cancel the handler, telling it why; it may still end its answer with a last word."""
        exchange = self._exchange
        if exchange is not None and exchange.left is None and self._task is not None:
            exchange.left = kind
            self._task.cancel()

    def close_if_idle(self) -> None:
        """Close, unless part of a request is here."""
        if self._exchange is None and self._phase == IDLE:
            self._close()

    # Requests

    def _parse(self, data: bytes) -> None:
        if self._phase == IDLE:
            self._phase = HEAD
            self.deadline_s = self._loop.time() + self._settings.head_s
        parser = self._parser
        parser.feed(data)
        if parser.problem is not None:
            parser.release()
            if self._exchange is None:  # else it waits for the answers that come first
                self._refuse(parser.problem)
        elif self._exchange is None:
            self._await_more()

    def _await_more(self) -> None:
        """A request is here in part."""
        parser = self._parser
        if parser.method is not None and self._phase != BODY:
            self._phase = BODY
            self.deadline_s = self._loop.time() + self._settings.body_s
            if parser.continue_owed and not parser.body_bytes:
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _request_complete(self) -> None:
        """The parser has a whole request."""
        parser = self._parser
        exchange = ServerExchange(self, parser)
        if self._exchange is None:
            self._begin(exchange)
        elif len(self._queue) < self._settings.pipeline_max:
            self._queue.append(exchange)
        else:  # HTTP lets a server close at any time; what was not answered will be sent again
            exchange.release_body()
            self._queue[-1].keep_alive = False

    # One exchange at a time

    def _begin(self, exchange: ServerExchange) -> None:
        self._exchange = exchange
        self._phase = IDLE
        if self._task is None:
            self._task = self._loop.create_task(self._serve())
        elif self._wake is not None:
            wake, self._wake = self._wake, None
            if not wake.done():
                wake.set_result(None)

    async def _serve(self) -> None:
        """Hand every request of this connection to the handler, in order. One task, since creating one costs more."""
        handler = self.server.handler
        while True:
            exchange = self._exchange
            assert exchange is not None  # _begin sets it before it starts or wakes this task
            try:
                work = handler(exchange)
                if work is not None:
                    await work
            except asyncio.CancelledError:
                if exchange.left is None:  # not by us: the loop is being torn down
                    self.abort()
                    raise
            except Exception as error:  # noqa: BLE001  whatever a handler raises must not end the worker
                self.server.on_error(error)
            exchange.release_body()
            if not self._complete(exchange):
                return
            del exchange  # and with it the request: an idle connection keeps none
            if self._exchange is None:
                self._wake = self._loop.create_future()
                await self._wake

    def _complete(self, exchange: ServerExchange) -> bool:
        """Whether the connection goes on after this exchange; what the handler left open is settled."""
        if self._lost:
            return False
        if exchange.progress == STARTED:
            self.abort()
            return False
        if exchange.progress == UNANSWERED:
            self._exchange = None
            self._refuse((500, FailureKind.INTERNAL, "the request could not be answered"), exchange.path)
            return False
        if not exchange.keep_alive or exchange.left is not None or self.server.draining:
            self._exchange = None
            self._close()
            return False
        self._exchange = self._queue.popleft() if self._queue else None
        if self._exchange is None:
            self._next_request()
        return self._phase != CLOSING

    def _next_request(self) -> None:
        parser = self._parser
        if parser.problem is not None:  # found while parsing ahead
            self._refuse(parser.problem)
            return
        self._phase = IDLE
        self.deadline_s = self._loop.time() + self._settings.idle_s
        if parser.begun:  # while parsing ahead
            self._phase = HEAD
            self.deadline_s = self._loop.time() + self._settings.head_s
            self._await_more()
        if self._held:
            held, self._held, self._held_bytes = b"".join(self._held), [], 0
            if self._reading_paused:
                self._reading_paused = False
                self._transport.resume_reading()
            self._parse(held)

    # Ends

    def _client_left(self) -> None:
        for waiting in self._queue:
            waiting.release_body()
        self._queue.clear()
        self._parser.release()
        exchange = self._exchange
        if exchange is None:
            if self._task is not None:
                self._task.cancel()  # it waits for a request that cannot come
            return
        exchange.release_body()
        self.dismiss(FailureKind.CLIENT_LEFT)

    def _refuse(self, problem: Problem, path: str | None = None) -> None:
        """Answer without a handler, then close."""
        status, kind, message = problem
        headers, body = self.server.render(self._parser.path if path is None else path, kind, message)
        head = status_line(status) + self.server.date_line + field_lines(headers)
        self.send(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)
        self._parser.release()
        self._phase = CLOSING
        self.deadline_s = self._loop.time() + self._settings.linger_s
        self._held.clear()
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self.server.outbox.flush()
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def _close(self) -> None:
        """Close once everything is sent; the sweep ends it if the client takes nothing."""
        self._phase = CLOSING
        self.deadline_s = self._loop.time() + self._settings.stall_s
        self.server.outbox.flush()
        self._transport.close()

    def _expire(self, now_s: float) -> None:
        if self._phase == CLOSING or (self._phase == IDLE and self._pending_bytes):
            self.abort()
        elif self._phase == IDLE:
            self._close()
        elif self._phase == HEAD:
            self._refuse((408, FailureKind.REQUEST_TIMEOUT, "the headers took too long"))
        else:
            earned_s = self._parser.body_bytes / self._settings.body_bytes_per_s
            if now_s >= self.deadline_s + earned_s:
                self._refuse((408, FailureKind.REQUEST_TIMEOUT, "the body took too long"))

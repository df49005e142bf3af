"""One client's connection: its requests are parsed, handed to the handler one at a time, and bounded in size and time.

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
import re
from collections import deque
from typing import TYPE_CHECKING, NoReturn, cast
from urllib.parse import unquote_to_bytes

import httptools

from understudy.core.failure import FailureKind
from understudy.ports import HeaderMap
from understudy.transport.exchange import STARTED, UNANSWERED, ServerExchange
from understudy.transport.wire import field_lines, head_bytes, status_line

if TYPE_CHECKING:
    from understudy.transport.server import Server

IDLE, HEAD, BODY, CLOSING = range(4)

_HELD_MAX_BYTES = 64 * 1024  # unparsed bytes behind a request in flight, above which reading pauses
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")
_HOP_BY_HOP_OF_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_METHODS = {name.encode(): name for name in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")}
_FOREVER = float("inf")

Problem = tuple[int, FailureKind, str]
"""Why a request is refused: HTTP status, kind of failure, message."""


class _Refused(Exception):
    """Stops llhttp from inside a callback; never leaves this file."""


class InboundConnection(asyncio.Protocol):
    """An accepted connection."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_continue_owed",
        "_drain_waiter",
        "_dry_bytes",
        "_exchange",
        "_headers",
        "_held",
        "_held_bytes",
        "_host",
        "_http_1_0",
        "_keep_alive",
        "_loop",
        "_lost",
        "_method",
        "_parser",
        "_pending_bytes",
        "_pending_since_s",
        "_phase",
        "_problem",
        "_queue",
        "_reading_paused",
        "_repeated_fields",
        "_settings",
        "_task",
        "_transport",
        "_upgrade_offered",
        "_url",
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
        self._parser = httptools.HttpRequestParser(self)
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
        self._problem: Problem | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._host = b""
        self._pending_bytes = 0
        self._pending_since_s = 0.0
        self._dry_bytes = 0  # received since the request began, or since the last byte of its body
        self._clear_request()

    def _clear_request(self) -> None:
        self._url = b""
        self._headers: HeaderMap = {}
        self._repeated_fields = 0
        self._method: str | None = None  # known once the headers are complete
        self._http_1_0 = False
        self._keep_alive = True
        self._continue_owed = False
        self._upgrade_offered = False
        self._body: bytes | bytearray = b""
        self._body_bytes = 0

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
        del self._parser  # it holds our methods: without this, only the garbage collector would free us

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
            self._transport.write(data)

    def send_pieces(self, pieces: tuple[bytes, ...]) -> None:
        """Hand over pieces too large to be worth joining."""
        if not self._lost:
            self._transport.writelines(pieces)

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was sent, or is gone."""
        while self.choked and not self._lost:
            waiter = self._drain_waiter
            if waiter is None or waiter.done():
                waiter = self._drain_waiter = self._loop.create_future()
            await waiter

    def abort(self) -> None:
        """Close without flushing."""
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

    # Parsing

    def _parse(self, data: bytes) -> None:
        if self._phase == IDLE:
            self._phase = HEAD
            self.deadline_s = self._loop.time() + self._settings.head_s
        self._dry_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            self._note_problem(self._problem or _problem_of(error))
        else:
            if self._phase != CLOSING and self._exchange is None:
                self._await_more()

    def _await_more(self) -> None:
        """A request is here in part."""
        if self._dry_bytes > self._settings.head_max_bytes:
            status, what = (431, "headers are") if self._method is None else (400, "chunk framing is")
            self._note_problem((status, FailureKind.BAD_REQUEST, f"the {what} too large"))
        elif self._method is not None and self._phase != BODY:
            self._phase = BODY
            self.deadline_s = self._loop.time() + self._settings.body_s
            if self._continue_owed and not self._body_bytes:
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_url(self, url: bytes) -> None:
        """llhttp: a piece of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp: a header, or a trailer, which is ignored."""
        if self._method is not None:
            return
        name = name.lower()
        headers = self._headers
        if name not in headers:
            headers[name] = value
            return
        self._repeated_fields += 1
        if name == b"host":
            self._stop(400, FailureKind.BAD_REQUEST, "more than one Host header")
        headers[name] += (b"; " if name == b"cookie" else b", ") + value

    def on_headers_complete(self) -> None:
        """llhttp: the head is here; refuse it now if it will not be served."""
        parser = self._parser
        headers = self._headers
        settings = self._settings
        version = parser.get_http_version()
        if len(headers) + self._repeated_fields > settings.fields_max:
            self._stop(431, FailureKind.BAD_REQUEST, f"more than {settings.fields_max} header fields")
        if self._dry_bytes > settings.head_max_bytes < head_bytes(headers) + len(self._url):
            self._stop(431, FailureKind.BAD_REQUEST, f"headers exceed {settings.head_max_bytes} bytes")
        if version == "1.1":
            host = headers.get(b"host")
            if host is None:
                self._stop(400, FailureKind.BAD_REQUEST, "the Host header is missing")
            elif host != self._host:
                if _HOST.fullmatch(host) is None:
                    self._stop(400, FailureKind.BAD_REQUEST, "the Host header is not a host")
                self._host = host
        elif version == "1.0":
            self._http_1_0 = True
        else:
            self._stop(505, FailureKind.BAD_REQUEST, f"HTTP/{version} is not spoken here, HTTP/1.1 is")
        if b"transfer-encoding" in headers:
            self._check_transfer_encoding(headers[b"transfer-encoding"])
        elif int(headers.get(b"content-length", b"0")) > settings.body_max_bytes:
            self._stop_too_large()
        if b"expect" in headers:
            self._check_expectation(headers[b"expect"])
        if b"upgrade" in headers:
            self._upgrade_offered = parser.should_upgrade()
        method = parser.get_method()
        if method == b"CONNECT":
            self._stop(405, FailureKind.METHOD_NOT_ALLOWED, "CONNECT is not offered: this is no proxy")
        self._keep_alive = parser.should_keep_alive()
        self._method = _METHODS.get(method) or method.decode("ascii")

    def _check_transfer_encoding(self, value: bytes) -> None:
        if self._http_1_0:
            self._stop(400, FailureKind.BAD_REQUEST, "HTTP/1.0 knows no Transfer-Encoding")
        if value.strip().lower() != b"chunked":
            self._stop(501, FailureKind.BAD_REQUEST, "the only Transfer-Encoding understood is chunked")

    def _check_expectation(self, value: bytes) -> None:
        if value.strip().lower() != b"100-continue":
            self._stop(417, FailureKind.BAD_REQUEST, "the only expectation understood is 100-continue")
        self._continue_owed = not self._http_1_0

    def on_body(self, data: bytes) -> None:
        """llhttp: a piece of the body."""
        self._dry_bytes = 0
        received = len(data)
        self._body_bytes += received
        self.server.bodies_bytes += received
        if self._body_bytes > self._settings.body_max_bytes:
            self._stop_too_large()
        if self.server.bodies_bytes > self._settings.bodies_max_bytes:
            self._stop(503, FailureKind.BUSY, "the request bodies held here have reached their limit")
        body = self._body
        if not body:
            self._body = data
            return
        if isinstance(body, bytes):
            body = self._body = bytearray(body)
        body += data

    def on_message_complete(self) -> None:
        """llhttp: the request is whole."""
        if self._upgrade_offered or self._problem is not None:
            return
        method = self._method
        assert method is not None  # llhttp completes no message before its head
        exchange = ServerExchange(
            self,
            method,
            self._target(),
            self._headers,
            bytes(self._body),
            keep_alive=self._keep_alive,
            http_1_0=self._http_1_0,
        )
        self._clear_request()
        self._dry_bytes = 0
        if self._exchange is None:
            self._begin(exchange)
        elif len(self._queue) < self._settings.pipeline_max:
            self._queue.append(exchange)
        else:  # HTTP lets a server close at any time; what was not answered will be sent again
            exchange.release_body()
            self._queue[-1].keep_alive = False

    def _target(self) -> tuple[str, str]:
        url = self._url
        if url[:1] != b"/" and b"://" in url:  # absolute-form, as sent to a proxy
            _, _, rest = url.partition(b"://")
            url = b"/" + rest.partition(b"/")[2]
        path, _, query = url.partition(b"?")
        if b"%" not in path:
            return path.decode("ascii"), query.decode("ascii")
        try:
            return unquote_to_bytes(path).decode(), query.decode("ascii")
        except UnicodeDecodeError:
            self._stop(400, FailureKind.BAD_REQUEST, "the path is not UTF-8")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Serve the request as if no other protocol had been offered.

        Java's client offers h2c with every first request. llhttp takes what follows the head for the other protocol,
        so the head is parsed again without the offer.
        """
        assert self._upgrade_offered  # CONNECT, the other reason for llhttp to stop here, has been refused
        kept = [(name, value) for name, value in self._headers.items() if name not in _HOP_BY_HOP_OF_UPGRADE]
        closing = b"connection: close\r\n" if not self._keep_alive else b""
        head = b"%b %b HTTP/1.1\r\n%b%b\r\n" % (
            (self._method or "").encode("ascii"), self._url, field_lines(kept), closing,
        )  # fmt: skip
        self._clear_request()
        self._dry_bytes = 0
        self._parser = httptools.HttpRequestParser(self)
        self._parse(head + rest)

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
                await handler(exchange)
            except asyncio.CancelledError:
                if exchange.left is None:  # not by us: the loop is being torn down
                    self.abort()
                    raise
            except Exception as error:  # noqa: BLE001  whatever a handler raises must not end the worker
                self.server.on_error(error)
            exchange.release_body()
            if not self._complete(exchange):
                return
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
        if self._problem is not None:  # found while parsing ahead
            self._refuse(self._problem)
            return
        self._phase = IDLE
        self.deadline_s = self._loop.time() + self._settings.idle_s
        if self._url:  # parsing ahead has begun it
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
        self._release_partial_body()
        exchange = self._exchange
        if exchange is None:
            if self._task is not None:
                self._task.cancel()  # it waits for a request that cannot come
            return
        exchange.release_body()
        self.dismiss(FailureKind.CLIENT_LEFT)

    def _release_partial_body(self) -> None:
        self.server.bodies_bytes -= self._body_bytes
        self._body = b""
        self._body_bytes = 0

    def _stop(self, status: int, kind: FailureKind, message: str) -> NoReturn:
        """Stop llhttp inside a callback; the refusal follows outside of it."""
        self._problem = (status, kind, message)
        raise _Refused

    def _stop_too_large(self) -> NoReturn:
        limit = self._settings.body_max_bytes
        self._stop(413, FailureKind.BODY_TOO_LARGE, f"the body exceeds {limit} bytes")

    def _note_problem(self, problem: Problem) -> None:
        """Refuse now, or after the answers that come first."""
        self._problem = problem
        self._release_partial_body()
        if self._exchange is None:
            self._refuse(problem)

    def _refuse(self, problem: Problem, path: str | None = None) -> None:
        """Answer without a handler, then close."""
        status, kind, message = problem
        if path is None:
            path = self._url.partition(b"?")[0].decode("ascii", "replace")
        headers, body = self.server.render(path, kind, message)
        head = status_line(status) + self.server.date_line + field_lines(headers)
        self.send(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)
        self._release_partial_body()
        self._phase = CLOSING
        self.deadline_s = self._loop.time() + self._settings.linger_s
        self._held.clear()
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def _close(self) -> None:
        """Close once everything is sent; the sweep ends it if the client takes nothing."""
        self._phase = CLOSING
        self.deadline_s = self._loop.time() + self._settings.stall_s
        self._transport.close()

    def _expire(self, now_s: float) -> None:
        if self._phase == CLOSING or (self._phase == IDLE and self._pending_bytes):
            self.abort()
        elif self._phase == IDLE:
            self._close()
        elif self._phase == HEAD:
            self._refuse((408, FailureKind.REQUEST_TIMEOUT, "the headers took too long"))
        else:
            earned_s = self._body_bytes / self._settings.body_bytes_per_s
            if now_s >= self.deadline_s + earned_s:
                self._refuse((408, FailureKind.REQUEST_TIMEOUT, "the body took too long"))


def _problem_of(error: httptools.HttpParserError) -> Problem:
    return 400, FailureKind.BAD_REQUEST, f"not a valid HTTP/1.1 request: {error}"

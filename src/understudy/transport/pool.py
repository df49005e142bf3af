"""The connections to one origin: kept for the next request, bounded in number and age."""

from __future__ import annotations

import asyncio
from collections import deque

from understudy.core.failure import FailureKind
from understudy.ports import Header, HttpRequest, TransportFailure
from understudy.transport.dial import Dialer, Way
from understudy.transport.outbound import OutboundConnection
from understudy.transport.outbox import Outbox
from understudy.transport.settings import ClientSettings
from understudy.transport.wire import field_lines

_JOIN_MAX_BYTES = 64 * 1024  # above this, copying a body to send it with its head costs more than a second buffer
_START_LINES_MAX = 256
_REMEMBERED_MAX_BYTES = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Pool:
    """Connections to one origin, over one proxy and one set of TLS settings.

    The connection used last is used next (LIFO), so that a lull lets the others grow old and go. `open`: connections
    that exist or are being made.
    """

    __slots__ = (
        "_dialer",
        "_fields",
        "_head",
        "_idle",
        "_loop",
        "_start_lines",
        "_waiting",
        "connections",
        "open",
        "outbox",
        "settings",
        "way",
    )

    def __init__(
        self, way: Way, dialer: Dialer, settings: ClientSettings, loop: asyncio.AbstractEventLoop, outbox: Outbox
    ) -> None:
        self.way = way
        self.outbox = outbox
        self.settings = settings
        self.open = 0
        self.connections: dict[OutboundConnection, None] = {}
        self._dialer = dialer
        self._loop = loop
        self._idle: list[OutboundConnection] = []
        self._waiting: deque[asyncio.Future[OutboundConnection | None]] = deque()
        self._start_lines: dict[tuple[str, str], bytes] = {}
        self._fields: dict[tuple[Header, ...], bytes] = {}
        self._head: tuple[str, str, tuple[Header, ...], bytes] = (
            "",
            "",
            (),
            b"",
        )  # of the request before, and its bytes

    @property
    def via_proxy(self) -> bool:
        """Whether a proxy reads our requests (and may answer them itself)."""
        return self.way.proxy is not None and self.way.tls is None

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost by dropping this pool."""
        return not self.open and not self._waiting

    # Requests as bytes

    def encode(self, request: HttpRequest) -> tuple[bytes, ...]:
        """The request as it goes over the wire, in one piece unless its body is large.

        Raises `ValueError` when method, path or headers would break out of their place.
        """
        method, path, headers, head = self._head
        if headers is not request.headers or path != request.path or method != request.method:
            method, path, headers = request.method, request.path, request.headers
            start = self._start_lines.get((method, path)) or self._start_line(request)
            head = start + (self._fields.get(headers) or self._field_block(headers))
            self._head = (method, path, headers, head)
        body = request.body
        if not body and method in ("GET", "HEAD"):
            return (head + b"\r\n",)
        head = b"%bcontent-length: %d\r\n\r\n" % (head, len(body))
        if len(body) <= _JOIN_MAX_BYTES:
            return (head + body,)
        return (head, body)

    def _field_block(self, headers: tuple[Header, ...]) -> bytes:
        """The header lines, remembered because a target's seldom change."""
        fields = field_lines(headers)
        if b"accept-encoding:" not in fields.lower():
            fields += b"accept-encoding: identity\r\n"
        if len(fields) <= _REMEMBERED_MAX_BYTES:  # some of them may be a caller's own
            if len(self._fields) >= _START_LINES_MAX:
                self._fields.clear()
            self._fields[headers] = fields
        return fields

    def _start_line(self, request: HttpRequest) -> bytes:
        """Request line and `host`, remembered because they seldom change."""
        method, path = request.method, request.path
        if not method.isalpha() or not method.isascii():
            raise ValueError(f"{method!r} is not a method")
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
            raise ValueError(f"{path!r} is not a path")
        origin = self.way.origin
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        if origin.port != _DEFAULT_PORTS[origin.scheme]:
            host = f"{host}:{origin.port}"
        target = f"{origin.scheme}://{host}{path}" if self.via_proxy else path
        line = f"{method} {target} HTTP/1.1\r\n".encode("ascii") + field_lines(((b"host", host.encode("ascii")),))
        proxy = self.way.proxy
        if self.via_proxy and proxy is not None and proxy.authorization is not None:
            line += field_lines(((b"proxy-authorization", proxy.authorization),))
        if len(self._start_lines) >= _START_LINES_MAX:
            self._start_lines.clear()
        self._start_lines[(method, path)] = line
        return line

    # Connections

    def take(self) -> OutboundConnection | None:
        """A kept connection, if there is one."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def connect(self, bound_s: float) -> OutboundConnection:
        """A new connection, or the first that becomes free, by `bound_s` (loop time).

        Raises `TransportFailure` with `sent=False`; CONNECT_TIMEOUT when the time is over.
        """
        try:
            async with asyncio.timeout_at(bound_s):
                if self.open < self.settings.connections_max:
                    self.open += 1
                elif (connection := await self._turn()) is not None:
                    return connection
                return await self._dial()
        except TimeoutError as error:
            origin = self.way.origin
            full = self.open >= self.settings.connections_max
            why = f": all {self.open} connections are busy" if full else ""
            message = f"no connection to {origin.host}:{origin.port} in time{why}"
            raise TransportFailure(FailureKind.CONNECT_TIMEOUT, message, sent=False) from error

    async def _turn(self) -> OutboundConnection | None:
        """Wait for a free connection, or (None) for the right to open one."""
        turn: asyncio.Future[OutboundConnection | None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was our turn, but we are gone: pass it on
                self._pass_on(turn.result())
            else:
                self._waiting.remove(turn)
            raise
        return connection if connection is None or connection.usable else await self._turn_after_loss()

    async def _turn_after_loss(self) -> OutboundConnection | None:
        """The connection we were given died before we ran; its place may be taken if it is free."""
        if self.open < self.settings.connections_max:
            self.open += 1
            return None
        return await self._turn()

    def _pass_on(self, connection: OutboundConnection | None) -> None:
        if connection is None:
            self._place_free()
        elif connection.usable:
            self.give_back(connection)

    async def _dial(self) -> OutboundConnection:
        """Open a connection in a place that is already counted."""
        try:
            connection = await self._dialer.dial(self.way, lambda: OutboundConnection(self, self._loop))
            if connection.lost:
                raise TransportFailure(FailureKind.CONNECTION_LOST, "the connection ended at once", sent=False)
        except BaseException:
            self._place_free()
            raise
        self.connections[connection] = None
        return connection

    def give_back(self, connection: OutboundConnection) -> None:
        """A request is complete: the next one in line gets its connection, or it is kept."""
        now_s = self._loop.time()
        if now_s - connection.born_s >= self.settings.life_s:
            connection.close()
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if len(self._idle) >= self.settings.idle_max:
            connection.close()
            return
        connection.idle_since_s = now_s
        self._idle.append(connection)

    def forget(self, connection: OutboundConnection) -> None:
        """A connection has ended."""
        if connection not in self.connections:  # it ended while it was being made; whoever dialled it knows
            return
        del self.connections[connection]
        if connection in self._idle:
            self._idle.remove(connection)
        self._place_free()

    def _place_free(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)  # the place stays counted: it is theirs now
                return
        self.open -= 1

    def sweep(self, now_s: float) -> None:
        """Enforce deadlines, and let go of what has been idle for long."""
        for connection in [each for each in self.connections if now_s >= each.deadline_s]:
            connection.expire()
        settings = self.settings
        idle = self._idle
        while idle and (now_s - idle[0].idle_since_s >= settings.idle_s or now_s - idle[0].born_s >= settings.life_s):
            idle[0].close()

    def close(self) -> None:
        """Close every connection; requests under way fail as lost."""
        for connection in list(self.connections):
            connection.interrupt()

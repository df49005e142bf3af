"""The data plane's HTTP/1.1 server: listens, counts, bounds and drains."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate

from understudy.core.failure import FailureKind
from understudy.ports import Handler, Header, Refusal
from understudy.transport.inbound import InboundConnection
from understudy.transport.outbox import Outbox
from understudy.transport.settings import ServerSettings


class Server:
    """Serves one handler on one listening socket.

    `handler` answers exchanges; `refusal` renders what no handler will see; `on_error` is told what a handler raised.
    """

    def __init__(
        self,
        handler: Handler,
        refusal: Refusal,
        settings: ServerSettings | None = None,
        *,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.handler = handler
        self._refusal = refusal
        self.settings = settings or ServerSettings()
        self.on_error = on_error
        self.port = 0  # where it listens, once it does
        self.draining = False
        self.outbox = Outbox()
        self.bodies_bytes = 0
        self.date_line = _date_line()
        self._connections: dict[InboundConnection, None] = {}
        self._listener: asyncio.Server | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None

    async def listen(
        self,
        *,
        sock: socket.socket | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        backlog: int = 2048,
    ) -> None:
        """Start to accept on a bound socket, or on `host` and `port` (0: any free one)."""
        loop = asyncio.get_running_loop()

        def accept() -> InboundConnection:
            return InboundConnection(self, loop)

        handshake_s = self.settings.head_s if tls is not None else None
        if sock is not None:
            self._listener = await loop.create_server(
                accept, sock=sock, ssl=tls, backlog=backlog, ssl_handshake_timeout=handshake_s
            )
        else:
            self._listener = await loop.create_server(
                accept, host, port, ssl=tls, backlog=backlog, ssl_handshake_timeout=handshake_s
            )
        self.port = int(self._listener.sockets[0].getsockname()[1])
        self._sweep(loop)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def admit(self, connection: InboundConnection) -> bool:
        """Take a connection into account; False when it is one too many."""
        self._connections[connection] = None
        return len(self._connections) <= self.settings.connections_max

    def forget(self, connection: InboundConnection) -> None:
        """A connection has ended."""
        self._connections.pop(connection, None)
        if not self._connections and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def render(self, path: str, kind: FailureKind, message: str) -> tuple[tuple[Header, ...], bytes]:
        """A refusal as headers and body; empty when not even that can be made."""
        try:
            return self._refusal(path, kind, message)
        except Exception as error:  # noqa: BLE001  whoever waits for this answer must get one
            self.on_error(error)
            return (), b""

    async def drain(self, grace_s: float) -> None:
        """Stop accepting, let answers finish for `grace_s`, then have their handlers say so and end.

        Returns when no connection is left. What is still there `farewell_s` after the grace is cut off.
        """
        self.draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._connections):
            connection.close_if_idle()
        if not await self._emptied(grace_s):
            for connection in list(self._connections):
                connection.dismiss(FailureKind.DRAINING)
                if not connection.answering:
                    connection.abort()
            if not await self._emptied(self.settings.farewell_s):
                for connection in list(self._connections):
                    connection.abort()
                await self._emptied(self.settings.farewell_s)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None

    async def close(self) -> None:
        """End now: no grace, only the handlers' last words."""
        await self.drain(0.0)

    async def _emptied(self, within_s: float) -> bool:
        if self._connections and within_s >= 0:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._empty,), timeout=within_s)
        return not self._connections

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Enforce every time limit; one timer for all connections, since one per request would cost 8 us each."""
        self._sweep_timer = loop.call_later(self.settings.sweep_s, self._sweep, loop)
        self.date_line = _date_line()
        now_s = loop.time()
        for connection in list(self._connections):
            connection.sweep(now_s)


def _date_line() -> bytes:
    return b"date: %b\r\n" % formatdate(usegmt=True).encode("ascii")

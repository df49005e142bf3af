"""Where the mock listens: an open door, one that refuses everybody, or one before which packets vanish; and what certificate it shows."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from enum import Enum

from understudy.mock.wire import Connection

_BACKLOG = 2048


class Door(Enum):
    """What happens to those who knock."""

    OPEN = "open"
    REFUSING = "refusing"  # nobody listens
    DEAF = "deaf"  # somebody listens and never answers: the backlog is full


class Doorway:
    """One address, kept for as long as the mock lives. `admit`: makes the protocol of a new connection."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, admit: Callable[[], Connection]) -> None:
        self._host = host
        self._tls = tls
        self._admit = admit
        # Bound and never listening, it keeps the port ours while the mock refuses connections.
        self._anchor = _bound(host, port)
        self.port = int(self._anchor.getsockname()[1])
        self.door = Door.REFUSING
        self._listener: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._hole: tuple[socket.socket, ...] = ()

    def become(self, door: Door) -> None:
        """Open, close or wall up."""
        if door is self.door:
            return
        self.door = door
        if door is not Door.OPEN:
            self._shut()
        if door is not Door.DEAF:
            self._fill_in()
        if door is Door.OPEN and self._opening is None:
            listening = _bound(self._host, self.port)
            listening.listen(_BACKLOG)  # from here on nobody is refused, even before the loop has taken it over
            self._opening = asyncio.get_running_loop().create_task(self._open(listening))
        elif door is Door.DEAF:
            self._hole = _deaf(self._host, self.port)

    async def opened(self) -> None:
        """Until a door that is being opened is open."""
        if self._opening is not None:
            await self._opening

    async def close(self) -> None:
        """Give the address up."""
        await self.opened()
        self._shut()
        self._fill_in()
        self._anchor.close()

    async def _open(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._admit, sock=listening, ssl=self._tls, backlog=_BACKLOG)
        self._opening = None
        if self.door is not Door.OPEN:
            self._shut()

    def _shut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _fill_in(self) -> None:
        for sock in self._hole:
            sock.close()
        self._hole = ()


def _deaf(host: str, port: int) -> tuple[socket.socket, ...]:
    """A listener with a full backlog: Linux then drops whatever knocks, and whoever knocks waits as before a lost network.

    Its own connections fill it; elsewhere than on Linux a few more may get in, and are never served either.
    """
    listening = _bound(host, port)
    listening.listen(0)
    fillers = []
    for _ in range(2):
        filler = socket.socket(listening.family, socket.SOCK_STREAM)
        filler.setblocking(False)
        filler.connect_ex(listening.getsockname())
        fillers.append(filler)
    return (listening, *fillers)


def _bound(host: str, port: int) -> socket.socket:
    """A socket of our own on this address, beside others of ours."""
    [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so named, it gets TCP_NODELAY from asyncio
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.setblocking(False)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound

"""Peers for the transport's tests: raw clients, scripted providers, and short ways to make requests."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable

from understudy.core.failure import FailureKind
from understudy.ports import HttpRequest, Origin
from understudy.transport.client import Client
from understudy.transport.server import Server

SOON_S = 2.0  # nothing here takes longer, unless it hangs


def refusal(path: str, kind: FailureKind, message: str) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    return ((b"x-kind", kind.encode()),), f"{path}|{message}".encode()


async def eventually(condition: Callable[[], bool], within_s: float = SOON_S) -> None:
    """Wait until something that happens on another connection has happened."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while not condition():
        assert loop.time() < until_s, "this should have happened by now"
        await asyncio.sleep(0.002)


class Reply:
    """One parsed answer of our server."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Wire:
    """A client of our server that sends exactly the bytes it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, *, to_head: bool = False) -> Reply:
        """Read one answer, by its own framing."""
        return await asyncio.wait_for(self._reply(to_head=to_head), SOON_S)

    async def _reply(self, *, to_head: bool) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.strip().split("\r\n")
        status = int(line.split(" ")[1])
        headers = {name: text for name, _, text in (field.partition(": ") for field in fields)}
        if to_head or status < 200 or status in (204, 304):
            return Reply(status, headers, b"")
        if "content-length" in headers:
            return Reply(status, headers, await self.reader.readexactly(int(headers["content-length"])))
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, await self._chunks())
        return Reply(status, headers, await self.reader.read())

    async def _chunks(self) -> bytes:
        pieces: list[bytes] = []
        while size := int(await self.reader.readline(), 16):
            pieces.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return b"".join(pieces)

    async def ended(self) -> bytes:
        """What comes until the server closes."""
        with contextlib.suppress(ConnectionResetError):
            return await asyncio.wait_for(self.reader.read(), SOON_S)
        return b""

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Door:
    """A running server, and ways to reach it."""

    def __init__(self, server: Server, errors: list[BaseException]) -> None:
        self.server = server
        self.errors = errors
        self.wires: list[Wire] = []

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.server.port)

    async def wire(self, **options: object) -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port, **options)
        wire = Wire(reader, writer)
        self.wires.append(wire)
        return wire


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; lets a test split the input at will."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


class Provider:
    """A server that does exactly what its script says, on every connection."""

    def __init__(self, script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._script = script
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.opened = 0
        self.closed = 0
        self.requests: list[bytes] = []

    async def start(self, tls: object = None, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def origin(self) -> Origin:
        return Origin("http", "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except RuntimeError:  # what uvloop says to whoever writes to a client that has left
            if not writer.is_closing():
                raise
        finally:
            self.closed += 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request (with a content-length, or without a body); returns its head, and keeps it whole."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        self.requests.append(head + body)
        return head

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=SOON_S)


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Take what comes until the peer closes."""
    while await reader.read(65536):
        pass


def request(
    origin: Origin, method: str = "POST", path: str = "/v1/x", body: bytes = b"{}", **headers: str
) -> HttpRequest:
    fields = tuple((name.replace("_", "-").encode(), text.encode()) for name, text in headers.items())
    return HttpRequest(method=method, origin=origin, path=path, headers=fields, body=body)


def soon(within_s: float = SOON_S) -> float:
    return asyncio.get_running_loop().time() + within_s


OpenDoor = Callable[..., Awaitable[Door]]
Provide = Callable[..., Awaitable[Provider]]
MakeClient = Callable[..., Client]

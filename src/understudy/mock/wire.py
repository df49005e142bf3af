"""One connection of the mock: HTTP/1.1 in, and out whatever the script wants, which need not be HTTP.

The data plane's own server keeps every rule; a provider that breaks them needs the bare connection.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import cast

import httptools

Headers = Iterable[tuple[str, str]]

_BODY_MAX_BYTES = 64 * 1024 * 1024
_HEAD_MAX_BYTES = 64 * 1024

WAITING_MAX = 16
"""Requests that a client may send ahead on a connection, before those in front are answered. Their bodies count as one."""

_LINGER_NOT_AT_ALL = struct.pack("ii", 1, 0)


class Incoming:
    """One request as it came. `headers`: lower-case names; the last of repeated ones."""

    __slots__ = ("body", "headers", "keep_alive", "method", "path")

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes, *, keep_alive: bool) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive


class Connection(asyncio.Protocol):
    """Reads requests and hands them to `serve`, one after another; `serve` answers through the methods here.

    When the connection ends, whoever ends it, `serve` is cancelled.
    """

    def __init__(self, serve: Callable[[Connection, Incoming], Awaitable[None]], connections: set[Connection]) -> None:
        self._serve = serve
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Incoming] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._chunked = False
        self.ended_here = False  # by the script, not by the client
        self.hushed = False
        self._clear()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own kind of it is no subclass
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, or was sent away."""
        del exc
        self._connections.discard(self)
        self._writable.set()
        self._gone.set()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            status = 400 if self._head_bytes <= _HEAD_MAX_BYTES else 431
            self.head(status, [("content-type", "text/plain"), ("connection", "close")], length=0)
            self.close()

    # llhttp's side

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._hold_head(len(url))
        self._path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._hold_head(len(name) + len(value))
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Nothing is refused here: a mock looks at what it is sent."""
        if self._headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += body
        if len(self._body) + sum(len(one.body) for one in self._waiting) > _BODY_MAX_BYTES:
            self.reset()

    def on_message_complete(self) -> None:
        """The request is whole."""
        method = self._parser.get_method().decode("latin-1")
        keep_alive = self._parser.should_keep_alive()
        if len(self._waiting) == WAITING_MAX:
            self.reset()
            return
        self._waiting.append(Incoming(method, self._path, self._headers, bytes(self._body), keep_alive=keep_alive))
        self._clear()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def _hold_head(self, size: int) -> None:
        """More of a request's head. Raises `HttpParserError` when that is too much."""
        self._head_bytes += size
        if self._head_bytes > _HEAD_MAX_BYTES:
            raise httptools.HttpParserError

    def _clear(self) -> None:
        self._head_bytes = 0
        self._path = ""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def _run(self) -> None:
        while self._waiting:
            incoming = self._waiting.popleft()
            try:
                await self._serve(self, incoming)
            except Exception:
                self.reset()  # a fault of the mock itself must not look like a silent provider
                raise
            if not incoming.keep_alive:
                self.close()
        self._task = None

    # The script's side

    def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        """Status line and headers. `length`: of the body; None: it comes chunked."""
        reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {text}" for name, text in headers)]
        self._chunked = length is None
        lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
        self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """A piece of the body; waits while the client reads too slowly."""
        if data:
            self.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            await self._writable.wait()

    def finish(self) -> None:
        """The proper end of the body."""
        if self._chunked:
            self.write(b"0\r\n\r\n")

    def write(self, data: bytes) -> None:
        """Bytes as they are."""
        if not self._transport.is_closing() and not self.hushed:
            self._transport.write(data)

    async def gone(self) -> None:
        """Until it is closed and nothing of it goes on."""
        await self._gone.wait()
        if self._task is not None:
            await asyncio.wait((self._task,))

    def close(self) -> None:
        """Close once everything is sent: within a body, that cuts it. Nobody hears it of a hushed one."""
        if self.hushed:
            return
        self.ended_here = True
        self._transport.close()

    def hush(self) -> None:
        """From now on nothing that is said here arrives, the end of the connection neither."""
        self.hushed = True

    def reset(self) -> None:
        """Throw away what waits to be sent, and have the client see a reset. Nobody sees it of a hushed one."""
        if not self.hushed:
            self.drop()

    def drop(self) -> None:
        """A reset, hushed or not: nothing of it stays."""
        self.ended_here = True
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            # The transport lends no socket that may be set up; a duplicate is the same connection.
            with socket.socket(fileno=os.dup(sock.fileno())) as duplicate:
                duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT_AT_ALL)
        self._transport.abort()

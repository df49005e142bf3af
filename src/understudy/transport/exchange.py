"""One request at our own door and the way to answer it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from understudy.core.failure import FailureKind
from understudy.ports import Header
from understudy.transport.wire import BODILESS, field_lines, status_line

if TYPE_CHECKING:
    from understudy.transport.inbound import InboundConnection
    from understudy.transport.request import RequestParser

_JOIN_MAX_BYTES = 64 * 1024  # above this, copying a body to send it with its head costs more than a second buffer

# How far an answer has come.
UNANSWERED, STARTED, FINISHED = 0, 1, 2


class ServerExchange:
    """`understudy.ports.Exchange` over one HTTP/1.1 connection.

    Once the client has left, everything that would send is silently without effect: the handler learns of it by its
    cancellation. Answering twice, or writing before `start`, is a fault of the handler and raises `RuntimeError`.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "body",
        "body_held_bytes",
        "headers",
        "http_1_0",
        "keep_alive",
        "left",
        "method",
        "path",
        "peer",
        "progress",
        "query",
    )

    def __init__(self, connection: InboundConnection, request: RequestParser) -> None:
        """Take over the request that the parser has just completed."""
        assert request.method is not None  # none is complete without a head
        self._connection = connection
        self.method = request.method
        self.path, self.query = request.target
        self.headers = request.headers
        self.body = bytes(request.body)
        self.body_held_bytes = request.body_bytes
        self.peer = connection.peer
        self.left: FailureKind | None = None
        self.keep_alive = request.keep_alive
        self.http_1_0 = request.http_1_0
        self.progress = UNANSWERED
        self._chunked = False

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Answer as a whole, in one write."""
        if self.progress != UNANSWERED:
            raise RuntimeError("this exchange has already been answered")
        connection = self._connection
        lines = [status_line(status), connection.server.date_line, field_lines(headers), self._persistence()]
        self.progress = FINISHED
        lines.append(b"\r\n" if status in BODILESS else b"content-length: %d\r\n\r\n" % len(body))
        if status in BODILESS or self.method == "HEAD":
            connection.send(b"".join(lines))
        elif len(body) <= _JOIN_MAX_BYTES:
            lines.append(body)
            connection.send(b"".join(lines))
        else:
            connection.send_pieces((b"".join(lines), body))

    def start(self, status: int, headers: Iterable[Header]) -> None:
        """Send the head now; the pieces follow by `write`."""
        if self.progress != UNANSWERED:
            raise RuntimeError("this exchange has already been answered")
        connection = self._connection
        head = status_line(status) + connection.server.date_line + field_lines(headers)
        if status in BODILESS or self.method == "HEAD":
            head += self._persistence()
        elif self.http_1_0:
            self.keep_alive = False  # the end of the connection is the end of the answer
            head += b"connection: close\r\n"
        else:
            self._chunked = True
            head += b"transfer-encoding: chunked\r\n" + self._persistence()
        self.progress = STARTED
        connection.send(head + b"\r\n")

    async def write(self, data: bytes) -> None:
        """Send a piece of a started answer; waits only while the client reads too slowly."""
        if self.progress != STARTED:
            raise RuntimeError("write needs a started and unfinished answer")
        if not data:
            return  # an empty chunk would end the answer
        connection = self._connection
        if self._chunked:
            if len(data) <= _JOIN_MAX_BYTES:
                connection.send(b"%x\r\n%b\r\n" % (len(data), data))
            else:
                connection.send_pieces((b"%x\r\n" % len(data), data, b"\r\n"))
        elif self.http_1_0 and self.method != "HEAD":
            connection.send(data)
        if connection.choked:
            await connection.drained()

    def finish(self) -> None:
        """End a started answer properly."""
        if self.progress != STARTED:
            raise RuntimeError("finish needs a started and unfinished answer")
        self.progress = FINISHED
        if self._chunked:
            self._connection.send(b"0\r\n\r\n")

    def abort(self) -> None:
        """Close the connection at once, so that the client sees a broken transfer."""
        self.progress = FINISHED
        self._connection.abort()

    def forget_body(self) -> None:
        """Give the body's bytes back to the worker's budget."""
        self.body = b""
        self.release_body()

    def release_body(self) -> None:
        """Take the body out of the account; whoever still reads it may do so."""
        self._connection.server.bodies_bytes -= self.body_held_bytes
        self.body_held_bytes = 0

    def _persistence(self) -> bytes:
        """The `connection` line, where the version's default is not what happens."""
        if self._connection.server.draining:
            self.keep_alive = False
        if not self.keep_alive:
            return b"connection: close\r\n"
        return b"connection: keep-alive\r\n" if self.http_1_0 else b""

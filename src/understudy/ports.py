"""Every Protocol that the engine and the doors need, and the plain values that cross them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from understudy.core.failure import FailureKind
from understudy.core.value import value

Header = tuple[bytes, bytes]
"""One outgoing header line: name and value, both without line ends."""


class HeaderLines:
    """Header lines as they go out, known to be proper: `written` with their line ends. Iterated, the pairs that they tell."""

    __slots__ = ("written",)

    def __init__(self, written: bytes) -> None:
        self.written = written

    def __iter__(self) -> Iterator[Header]:
        for line in self.written.split(b"\r\n")[:-1]:
            name, _, text = line.partition(b": ")
            yield name, text


HeaderMap = dict[bytes, bytes]
"""Incoming headers: lower-case name to value; repeated lines joined by `, `."""


class Origin(NamedTuple):
    """Where a connection goes."""

    scheme: str  # http or https
    host: str
    port: int


@value
class HttpRequest:
    """One request to a provider. `path` starts with `/` and holds the query; `host` and `content-length` are added."""

    method: str
    origin: Origin
    path: str
    headers: tuple[Header, ...]
    body: bytes


@value
class HttpAnswer:
    """A whole answer, body in memory, decoded from its transfer encoding and from gzip and deflate."""

    status: int
    headers: HeaderMap
    body: bytes


class TransportFailure(Exception):
    """The exchange broke below the provider's API.

    `kind`: which row of the failure table. `sent`: whether the body had been handed to the operating system, so that the
    provider may have acted on it (and billed it).
    """

    def __init__(self, kind: FailureKind, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.sent = sent


class HttpStream(Protocol):
    """An answer whose body is read as it comes."""

    status: int
    headers: HeaderMap

    async def read(self, until_s: float) -> bytes:
        """The next bytes of the body, `b""` at its proper end.

        Raises `TransportFailure`: IDLE_TIMEOUT when nothing came until `until_s` (loop time), TRUNCATED when the
        connection ended early, MALFORMED when it was not HTTP any more.
        """
        ...

    def close(self) -> None:
        """Let go of it. Unless the answer was complete the connection is closed, at once."""
        ...


class HttpClient(Protocol):
    """Carries requests to providers over pooled keep-alive connections."""

    async def send(self, request: HttpRequest, *, connect_s: float, until_s: float) -> HttpAnswer:
        """The whole answer. `connect_s`: bound on connecting. `until_s`: loop time by which all of it must be here."""
        ...

    async def stream(self, request: HttpRequest, *, connect_s: float, until_s: float) -> HttpStream:
        """The answer from its headers on. `until_s`: loop time by which the headers must be here."""
        ...


class Sink(Protocol):
    """Who hears an answer: our own door's exchange, or a caller inside this process.

    `left`: why the performance was cancelled: the caller went away (CLIENT_LEFT) or the server is shutting down
    (DRAINING); None while all is well.
    """

    left: FailureKind | None

    def respond(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Answer as a whole; an HTTP door adds `content-length` and `connection`."""
        ...

    def start(self, status: int, headers: Iterable[Header]) -> None:
        """Begin an answer that comes in pieces (chunked, or delimited by close for an HTTP/1.0 client)."""
        ...

    async def write(self, data: bytes) -> None:
        """Send a piece of a started answer; waits while the caller reads too slowly, never otherwise."""
        ...

    def finish(self) -> None:
        """End a started answer properly."""
        ...

    def abort(self) -> None:
        """End a started answer improperly: the caller sees a broken transfer, not a complete one."""
        ...

    def forget_body(self) -> None:
        """Give the request body's bytes back to the worker's budget: nobody will need them again."""
        ...


class Exchange(Sink, Protocol):
    """One request at our own door and the way to answer it."""

    method: str
    path: str  # without the query, percent-decoded
    query: str
    headers: HeaderMap
    body: bytes
    peer: str  # the client's address


Handler = Callable[[Exchange], Awaitable[object] | None]
"""Answers one exchange. An exception that escapes it becomes a 500."""

Refusal = Callable[[str, FailureKind, str], tuple[tuple[Header, ...], bytes]]
"""Renders an error for (path, kind, message) as (headers, body): used where no handler could run."""

"""From bytes to requests: llhttp, and the checks that it leaves to us. Touches no socket."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote_to_bytes

import httptools

from understudy.core.failure import FailureKind
from understudy.ports import HeaderMap
from understudy.transport.wire import field_lines, head_bytes

if TYPE_CHECKING:
    from understudy.transport.server import Server

Problem = tuple[int, FailureKind, str]
"""Why a request is refused: HTTP status, kind of failure, message."""

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")
_HOP_BY_HOP_OF_UPGRADE = frozenset({b"upgrade", b"connection", b"http2-settings"})
_REMEMBERED_MAX_BYTES = 256  # of a host or a target, by every connection for as long as it lasts
_METHODS = {name.encode(): name for name in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")}


class _Refused(Exception):
    """Stops llhttp from inside a callback; never leaves this file."""


class RequestParser:
    """Parses the requests of one connection and calls `complete` for each whole one, whose parts are then its fields.

    A request that will not be served leaves a `problem`; nothing may be fed after that. Body bytes are counted in the
    server's account; those of a complete request belong to whoever took it, the others are given back by `release`.
    """

    __slots__ = (
        "_complete",
        "_dry_bytes",
        "_host",
        "_llhttp",
        "_repeated_fields",
        "_server",
        "_settings",
        "_split",
        "_upgrade_offered",
        "_url",
        "body",
        "body_bytes",
        "continue_owed",
        "headers",
        "http_1_0",
        "keep_alive",
        "method",
        "problem",
        "target",
    )

    def __init__(self, server: Server, complete: Callable[[], None]) -> None:
        self._server = server
        self._settings = server.settings
        self._complete = complete
        self._llhttp = httptools.HttpRequestParser(self)
        self._host = b""  # the last one that was found proper
        self._split = (b"", ("", ""))  # the last target, as it came and as path and query
        self.problem: Problem | None = None
        self._clear()

    def _clear(self) -> None:
        self._url = b""
        self._repeated_fields = 0
        self._upgrade_offered = False
        self._dry_bytes = 0  # received since the request began, or since the last byte of its body
        self.method: str | None = None  # known once the headers are complete
        self.target = ("", "")  # path, decoded, and query; known once the request is complete
        self.headers: HeaderMap = {}
        self.http_1_0 = False
        self.keep_alive = True
        self.continue_owed = False
        self.body: bytes | bytearray = b""
        self.body_bytes = 0

    @property
    def begun(self) -> bool:
        """Whether part of a request is here (from its target on)."""
        return bool(self._url)

    @property
    def path(self) -> str:
        """The path as far as it is known, for a refusal."""
        return self._url.partition(b"?")[0].decode("ascii", "replace")

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._dry_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline_upgrade(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            if self.problem is None:
                if isinstance(error, httptools.HttpParserCallbackError):
                    raise  # a fault of ours, not of the client's bytes
                self.problem = (400, FailureKind.BAD_REQUEST, f"not a valid HTTP/1.1 request: {error}")
        else:
            if self._dry_bytes > self._settings.head_max_bytes:
                status, what = (431, "headers are") if self.method is None else (400, "chunk framing is")
                self.problem = (status, FailureKind.BAD_REQUEST, f"the {what} too large")

    def release(self) -> None:
        """Forget the partial body."""
        self._server.bodies_bytes -= self.body_bytes
        self.body = b""
        self.body_bytes = 0

    def close(self) -> None:
        """Let go of llhttp, which holds our methods: without this, only the garbage collector would free us."""
        del self._llhttp

    # llhttp calls

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is ignored."""
        if self.method is not None:
            return
        name = name.lower()
        headers = self.headers
        if name not in headers:
            headers[name] = value
            return
        self._repeated_fields += 1
        if name == b"host":
            self._refuse(400, "more than one Host header")
        headers[name] += (b"; " if name == b"cookie" else b", ") + value

    def on_headers_complete(self) -> None:
        """The head is here; refuse it now if it will not be served."""
        llhttp = self._llhttp
        headers = self.headers
        settings = self._settings
        if len(headers) + self._repeated_fields > settings.fields_max:
            self._refuse(431, f"more than {settings.fields_max} header fields")
        if self._dry_bytes > settings.head_max_bytes < head_bytes(headers) + len(self._url):
            self._refuse(431, f"headers exceed {settings.head_max_bytes} bytes")
        self._check_version(llhttp.get_http_version())
        if b"transfer-encoding" in headers:
            self._check_transfer_encoding(headers[b"transfer-encoding"])
        elif int(headers.get(b"content-length", b"0")) > settings.body_max_bytes:
            self._refuse_size()
        if b"expect" in headers:
            self._check_expectation(headers[b"expect"])
        if b"upgrade" in headers:
            self._upgrade_offered = llhttp.should_upgrade()
        method = llhttp.get_method()
        if method == b"CONNECT":
            self._refuse(405, "CONNECT is not offered: this is no proxy", FailureKind.METHOD_NOT_ALLOWED)
        self.keep_alive = llhttp.should_keep_alive()
        self.method = _METHODS.get(method) or method.decode("ascii")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._dry_bytes = 0
        received = len(data)
        self.body_bytes += received
        self._server.bodies_bytes += received
        if self.body_bytes > self._settings.body_max_bytes:
            self._refuse_size()
        if self._server.bodies_bytes > self._settings.bodies_max_bytes:
            self._refuse(503, "the request bodies held here have reached their limit", FailureKind.BUSY)
        body = self.body
        if not body:
            self.body = data
            return
        if isinstance(body, bytes):
            body = self.body = bytearray(body)
        body += data

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._upgrade_offered:  # not yet: llhttp has taken its body for the other protocol
            return
        url, self.target = self._split
        if url != self._url:
            self.target = self._split_target()
            if len(self._url) <= _REMEMBERED_MAX_BYTES:
                self._split = (self._url, self.target)
        self._complete()
        self._clear()

    # Checks

    def _check_version(self, version: str) -> None:
        if version == "1.1":
            host = self.headers.get(b"host")
            if host is None:
                self._refuse(400, "the Host header is missing")
            if host != self._host:
                if _HOST.fullmatch(host) is None:
                    self._refuse(400, "the Host header is not a host")
                if len(host) <= _REMEMBERED_MAX_BYTES:
                    self._host = host
        elif version == "1.0":
            self.http_1_0 = True
        else:
            self._refuse(505, f"HTTP/{version} is not spoken here, HTTP/1.1 is")

    def _check_transfer_encoding(self, value: bytes) -> None:
        if self.http_1_0:
            self._refuse(400, "HTTP/1.0 knows no Transfer-Encoding")
        if value.strip().lower() != b"chunked":
            self._refuse(501, "the only Transfer-Encoding understood is chunked")

    def _check_expectation(self, value: bytes) -> None:
        if value.strip().lower() != b"100-continue":
            self._refuse(417, "the only expectation understood is 100-continue")
        self.continue_owed = not self.http_1_0

    def _split_target(self) -> tuple[str, str]:
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
            self._refuse(400, "the path is not UTF-8")

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on as if no other protocol had been offered.

        Java's client offers h2c with every first request. llhttp takes what follows the head for the other protocol,
        so the head is parsed again without the offer.
        """
        assert self._upgrade_offered  # CONNECT, the other reason for llhttp to stop here, has been refused
        kept = [(name, value) for name, value in self.headers.items() if name not in _HOP_BY_HOP_OF_UPGRADE]
        closing = b"connection: close\r\n" if not self.keep_alive else b""
        version = b"1.0" if self.http_1_0 else b"1.1"
        line = b"%b %b HTTP/%b\r\n" % ((self.method or "").encode("ascii"), self._url, version)
        self._clear()
        self._llhttp = httptools.HttpRequestParser(self)
        self.feed(line + field_lines(kept) + closing + b"\r\n" + rest)

    def _refuse(self, status: int, message: str, kind: FailureKind = FailureKind.BAD_REQUEST) -> NoReturn:
        self.problem = (status, kind, message)
        raise _Refused

    def _refuse_size(self) -> NoReturn:
        limit = self._settings.body_max_bytes
        self._refuse(413, f"the body exceeds {limit} bytes", FailureKind.BODY_TOO_LARGE)

"""Message heads as bytes. A name or value that would split the head is refused, whoever supplied it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from understudy.ports import Header, HeaderLines, HeaderMap

STATUS_LINES: dict[int, bytes] = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode("ascii")) for status in HTTPStatus
}
BODILESS = frozenset({204, 304})
"""Statuses whose answers have no body and no length."""


def status_line(status: int) -> bytes:
    """The first line of an answer; providers may use numbers that the standard does not know."""
    return STATUS_LINES.get(status) or b"HTTP/1.1 %d Status\r\n" % status


def field_lines(headers: Iterable[Header]) -> bytes:
    """Header lines, each with its line end.

    Raises `ValueError` when a name or value holds CR, LF or NUL: written out, it would start another header or message.
    """
    if headers.__class__ is HeaderLines:
        return headers.written
    lines = [b": ".join(header) for header in headers]
    if not lines:
        return b""
    block = b"\r\n".join(lines)
    ends = len(lines) - 1
    if block.count(b"\n") != ends or block.count(b"\r") != ends or b"\0" in block:
        raise ValueError("a header name or value holds a line end or NUL")
    return block + b"\r\n"


def head_bytes(headers: HeaderMap) -> int:
    """About what the headers took on the wire."""
    return sum(map(len, headers)) + sum(map(len, headers.values())) + 4 * len(headers)

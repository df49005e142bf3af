"""Server-sent events: bytes to events and back, as the WHATWG HTML standard frames them (section 9.2.6).

The parser keeps the raw bytes of each event beside its data, so that a stream can pass through untouched, event by event,
and a cut one never forwards half an event. What comes out does not depend on how the bytes were cut into reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

EVENT_BYTES_MAX = 16 * 1024 * 1024
"""A single event may hold a picture in base64; nothing sensible is larger."""

# Two line ends in a row, each of them CR LF, LF or CR. Possessive, so that one CR LF is never taken for two line ends.
_BLANK_LINE = re.compile(rb"(?:\r\n?+|\n)(?:\r\n?+|\n)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_LF, _CR = 10, 13
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_new = tuple.__new__  # what SseEvent(...) does, without the Python function around it


class SseEvent(NamedTuple):
    """One event. `raw`: its bytes with the blank line that ends it. `event`: its type, `b""` when unnamed.

    `data`: its data lines joined by line feeds; None for an event without any, such as a comment (a ping, in practice).
    """

    raw: bytes
    event: bytes
    data: bytes | None


class EventTooLarge(Exception):
    """One event exceeds `EVENT_BYTES_MAX`."""


class SseParser:
    """Feed it bytes as they come; it gives the events that are complete.

    Blank lines between events are dropped, and so is a byte order mark; all other bytes are in some event's `raw`.
    """

    __slots__ = ("_begun", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the event under way: joined once, when it is complete
        self._size = 0
        self._begun = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that `data` completes, in order.

        Raises `EventTooLarge` when the next event is; the ones before it have been given by then.
        """
        if self._begun and not self._pieces:
            end = len(data) - 2
            # One unnamed event of one line per read is the rule, and this is all it costs (bytes are searched for a number
            # at a fifth of the price of searching them for bytes).
            if data.find(_LF) == end > 5 and data[-1] == _LF and data[:6] == b"data: " and _CR not in data:
                if end > EVENT_BYTES_MAX - 2:
                    raise EventTooLarge
                return [_new(SseEvent, (data, b"", data[6:end]))]
        elif not self._may_complete(data):
            return []
        return self._split(data)

    def flush(self) -> list[SseEvent]:
        """At the end of the bytes: a last event whose blank line never came, if it has data."""
        events = self._split(b"", at_end=True)
        rest = b"".join(self._pieces).strip(b"\r\n")
        self._pieces, self._size = [], 0
        event = _event(rest + b"\n\n", rest)
        return events if event.data is None else [*events, event]

    def _may_complete(self, data: bytes) -> bool:
        """Keep a piece of an event that it does not end: the bytes before it are not searched again."""
        if self._begun and self._size + len(data) <= EVENT_BYTES_MAX:
            tail = (self._pieces[-1] if len(self._pieces[-1]) >= 3 else b"".join(self._pieces[-3:]))[-3:]
            if not _BLANK_LINE.search(tail + data):
                if data:
                    self._pieces.append(data)
                    self._size += len(data)
                return False
        return True

    def _split(self, data: bytes, *, at_end: bool = False) -> list[SseEvent]:
        """Cut what is complete off everything that is here."""
        if self._pieces:
            data = b"".join((*self._pieces, data))
        if not self._begun:
            if len(data) < 3 and _BYTE_ORDER_MARK.startswith(data) and not at_end:
                self._keep(data)  # perhaps a mark, cut in two
                return []
            self._begun = True
            data = data.removeprefix(_BYTE_ORDER_MARK)
        events: list[SseEvent] = []
        begin = 0
        for start, end in _blank_lines(data):
            if end == len(data) and data[-1] == _CR and not at_end:
                break  # a line feed may follow, and would belong to this line end
            if end - begin > EVENT_BYTES_MAX:
                break
            if block := data[begin:start].lstrip(b"\r\n"):
                events.append(_event(data[start - len(block) : end], block))
            begin = end
        self._keep(data[begin:])
        if self._size > EVENT_BYTES_MAX and not events:
            raise EventTooLarge
        return events

    def _keep(self, rest: bytes) -> None:
        self._pieces = [rest] if rest else []
        self._size = len(rest)


def _blank_lines(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each blank line begins (with the line end before it) and ends."""
    if _CR in data:
        yield from (found.span() for found in _BLANK_LINE.finditer(data))
        return
    start = data.find(b"\n\n")
    while start >= 0:
        yield start, start + 2
        start = data.find(b"\n\n", start + 2)


def _event(raw: bytes, block: bytes) -> SseEvent:
    if _CR not in block:
        first, _, second = block.partition(b"\n")
        if not second and first[:6] == b"data: ":
            return _new(SseEvent, (raw, b"", first[6:]))
        if first[:7] == b"event: " and second[:6] == b"data: " and _LF not in second:
            return _new(SseEvent, (raw, first[7:], second[6:]))
    name = b""
    lines: list[bytes] = []
    for line in _LINE_END.split(block) if _CR in block else block.split(b"\n"):
        field, _, content = line.partition(b":")
        if content[:1] == b" ":
            content = content[1:]
        if field == b"data":
            lines.append(content)
        elif field == b"event":
            name = content
    return SseEvent(raw, name, b"\n".join(lines) if lines else None)


def write_event(data: bytes, event: bytes = b"") -> bytes:
    """One event's bytes. `event` must hold no line ends; each line of `data` becomes a line of its own."""
    if _LF in data or _CR in data:
        data = b"\ndata: ".join(_LINE_END.split(data))
    if event:
        return b"event: " + event + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"

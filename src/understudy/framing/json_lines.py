"""JSON lines (NDJSON): bytes to events and back, one JSON text a line.

The events are those of `framing.sse`, without a name: raw bytes beside the data, so that nothing above has to know how a stream was
framed. What comes out does not depend on how the bytes were cut into reads. Lines end with a line feed, with or without a
carriage return; blank ones mean nothing, and neither does a byte order mark.
"""

from __future__ import annotations

import json

from understudy.framing.sse import EVENT_BYTES_MAX, EventTooLarge, SseEvent

_LF = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r"


class JsonLinesParser:
    """Feed it bytes as they come; it gives the lines that are complete. Holds at most `EVENT_BYTES_MAX` and one read."""

    __slots__ = ("_begun", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the line under way: joined once, when it is complete
        self._size = 0
        self._begun = False

    def feed(self, data: bytes) -> list[SseEvent]:
        """The lines that `data` completes, in order.

        Raises `EventTooLarge` when the next line is; the ones before it have been given by then.
        """
        if self._size + len(data) <= EVENT_BYTES_MAX and _LF not in data:
            if data:
                self._pieces.append(data)
                self._size += len(data)
            return []
        return self._split(b"".join((*self._pieces, data)) if self._pieces else data)

    def flush(self) -> list[SseEvent]:
        """At the end of the bytes: a last line without its end, if it is a whole JSON text."""
        events = self._split(b"".join(self._pieces))
        rest = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return [*events, *self._line(rest)] if _is_json(rest) else events

    def _split(self, data: bytes) -> list[SseEvent]:
        """Cut the lines that are complete off everything that is here."""
        events: list[SseEvent] = []
        begin = 0
        while 0 <= (end := data.find(_LF, begin)) <= begin + EVENT_BYTES_MAX:
            events += self._line(data[begin:end])
            begin = end + 1
        left = data[begin:]
        self._pieces = [left] if left else []
        self._size = len(left)
        if self._size > EVENT_BYTES_MAX and not events:
            raise EventTooLarge
        return events

    def _line(self, line: bytes) -> tuple[SseEvent, ...]:
        if not self._begun:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        said = line.strip(_BLANK)
        if not said:
            return ()
        self._begun = True
        return (SseEvent(line + b"\n", b"", said),)


def _is_json(text: bytes) -> bool:
    """Whether nothing is missing. A line that was cut in the middle is no event: the stream was cut, and is not malformed."""
    try:
        json.loads(text.removeprefix(_BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return False
    return True


def write_line(data: bytes) -> bytes:
    """One line's bytes. `data`: one JSON text, without line feeds."""
    return data + b"\n"

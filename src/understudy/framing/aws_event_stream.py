"""Amazon's binary event streams: bytes to messages and back, as the type `application/vnd.amazon.eventstream` frames them.

A message is: its length and that of its headers (4 bytes each, big-endian), a CRC-32 of these 8 bytes, the headers, the payload, and a
CRC-32 of everything before it. A header is: the length of its name (1 byte), the name, the type of its value (1 byte), the value. The
specification: smithy.io/2.0/aws/amazon-eventstream.html. What comes out does not depend on how the bytes were cut into reads.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from understudy.framing.sse import EVENT_BYTES_MAX, EventTooLarge

HEADERS_BYTES_MAX: Final = 128 * 1024
MESSAGE_BYTES_MAX: Final = EVENT_BYTES_MAX + HEADERS_BYTES_MAX
"""The bounds of the specification, where the payload's is 16 MiB, too."""

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CRC.size

HeaderValue = bool | int | bytes | str | datetime | UUID


class Message(NamedTuple):
    """One message. `raw`: all of its bytes. `headers`: by name, as in `:event-type`; of repeated ones the last."""

    raw: bytes
    headers: Mapping[str, HeaderValue]
    payload: bytes


class NotEventStream(Exception):
    """The bytes are no such messages, or were damaged on the way. The message says what is wrong."""


class EventStreamParser:
    """Feed it bytes as they come; it gives the messages that are complete."""

    __slots__ = ("_pieces", "_size", "_wanted")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the message under way: joined once, when it is complete
        self._size = 0
        self._wanted = _PRELUDE.size  # bytes that must be here before anything more can be told

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order.

        Raises `EventTooLarge` and `NotEventStream` for the next one; those before it have been given by then, and nothing can follow.
        """
        if data:
            self._pieces.append(data)
            self._size += len(data)
        if self._size < self._wanted:
            return []
        data = b"".join(self._pieces)
        messages: list[Message] = []
        begin = 0
        try:
            while (length := self._length(data, begin)) is not None:
                messages.append(_message(data[begin : begin + length]))
                begin += length
        except (EventTooLarge, NotEventStream):
            if not messages:
                raise
            self._wanted = 0  # told by the next call, even by an empty one
        self._pieces = [data[begin:]] if begin < len(data) else []
        self._size = len(data) - begin
        return messages

    def _length(self, data: bytes, begin: int) -> int | None:
        """The length of the message that begins there; None while it is not complete."""
        if len(data) - begin < _PRELUDE.size:
            self._wanted = _PRELUDE.size
            return None
        total, headers, checksum = _PRELUDE.unpack_from(data, begin)
        if crc32(data[begin : begin + 8]) != checksum:
            raise NotEventStream("the checksum of a message's prelude is wrong")
        if total > MESSAGE_BYTES_MAX or headers > HEADERS_BYTES_MAX:
            raise EventTooLarge
        if total < _LEAST + headers:
            raise NotEventStream("a message is shorter than its headers")
        if len(data) - begin < total:
            self._wanted = total
            return None
        return int(total)


def _message(raw: bytes) -> Message:
    if crc32(raw[:-4]) != _CRC.unpack_from(raw, len(raw) - 4)[0]:
        raise NotEventStream("the checksum of a message is wrong")
    headers_end = _PRELUDE.size + int.from_bytes(raw[4:8], "big")
    return Message(raw, _headers(raw[_PRELUDE.size : headers_end]), raw[headers_end:-4])


# Headers

_TRUE, _FALSE, _BYTES, _STRING, _TIME, _UUID = 0, 1, 6, 7, 8, 9
_INTEGERS = {2: 1, 3: 2, 4: 4, 5: 8}  # type -> bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_REMEMBERED_BYTES_MAX = 512
"""A stream's events have a handful of heads, each as long as an address: they are read once."""


def _headers(block: bytes) -> Mapping[str, HeaderValue]:
    return _remembered(block) if len(block) <= _REMEMBERED_BYTES_MAX else _read(block)


def _read(block: bytes) -> Mapping[str, HeaderValue]:
    found: dict[str, HeaderValue] = {}
    rest = _Reader(block)
    while rest.left:
        try:
            name = rest.take(rest.number(1)).decode()
            found[name] = _value(rest, rest.number(1))
        except (UnicodeDecodeError, OverflowError) as error:
            raise NotEventStream(f"a header cannot be read: {error}") from None
    return found


_remembered = lru_cache(maxsize=64)(_read)


def _value(rest: _Reader, kind: int) -> HeaderValue:
    if kind in {_TRUE, _FALSE}:
        return kind == _TRUE
    if kind in _INTEGERS:
        return rest.number(_INTEGERS[kind], signed=True)
    if kind == _STRING:
        return rest.take(rest.number(2)).decode()
    if kind == _BYTES:
        return rest.take(rest.number(2))
    if kind == _TIME:
        return _EPOCH + timedelta(milliseconds=rest.number(8, signed=True))
    if kind == _UUID:
        return UUID(bytes=rest.take(16))
    raise NotEventStream(f"a header has the unknown type {kind}")


class _Reader:
    """Takes bytes off the front."""

    __slots__ = ("_at", "_block")

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._at = 0

    @property
    def left(self) -> bool:
        return self._at < len(self._block)

    def take(self, count: int) -> bytes:
        begin, self._at = self._at, self._at + count
        if self._at > len(self._block):
            raise NotEventStream("a header is longer than the headers")
        return self._block[begin : self._at]

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "big", signed=signed)


# And back


def write_message(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """One message's bytes. Whole numbers are written as 64-bit ones. Raises `ValueError` for what is too large."""
    block = b"".join([_written(name, held) for name, held in headers.items()])
    total = _LEAST + len(block) + len(payload)
    if len(block) > HEADERS_BYTES_MAX or total > MESSAGE_BYTES_MAX:
        raise ValueError("the message is too large")
    lengths = struct.pack(">II", total, len(block))
    message = lengths + _CRC.pack(crc32(lengths)) + block + payload
    return message + _CRC.pack(crc32(message))


def _written(name: str, held: HeaderValue) -> bytes:
    label = name.encode()
    if not 0 < len(label) < 256:
        raise ValueError(f"the name of a header has 1 to 255 bytes, not {len(label)}")
    return bytes((len(label),)) + label + _typed(held)


def _typed(held: HeaderValue) -> bytes:
    match held:
        case bool():
            return bytes((_TRUE if held else _FALSE,))
        case int():
            return b"\x05" + held.to_bytes(8, "big", signed=True)
        case str() | bytes():
            content = held.encode() if isinstance(held, str) else held
            if len(content) > 0x7FFF:
                raise ValueError("the value of a header has at most 32767 bytes")
            return bytes((_STRING if isinstance(held, str) else _BYTES,)) + len(content).to_bytes(2, "big") + content
        case datetime():
            since = held - _EPOCH
            milliseconds = since // timedelta(milliseconds=1)
            return bytes((_TIME,)) + milliseconds.to_bytes(8, "big", signed=True)
        case UUID():
            return bytes((_UUID,)) + held.bytes

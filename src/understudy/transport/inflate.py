"""Undoes gzip and deflate piece by piece, never making more bytes at once than asked for."""

from __future__ import annotations

import zlib

from understudy.core.failure import FailureKind
from understudy.ports import HeaderMap, TransportFailure

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_KNOWN = frozenset({b"gzip", b"x-gzip", b"deflate"})


class Inflater:
    """One compressed body on its way to being plain."""

    __slots__ = ("_began", "_stream", "_waiting")

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._began = False
        self._waiting = b""

    def feed(self, data: bytes) -> None:
        """Add compressed bytes."""
        self._waiting += data

    def take(self, max_bytes: int) -> bytes:
        """Up to `max_bytes` plain bytes of what was fed; empty when more input is needed.

        Raises `TransportFailure` MALFORMED when the bytes are not what their header said.
        """
        try:
            while len(self._waiting) > (
                0 if self._began else 1
            ):  # zlib is told from raw deflate by the first two bytes
                if plain := self._inflate(max_bytes):
                    return plain
            return b""
        except zlib.error as error:
            raise TransportFailure(
                FailureKind.MALFORMED, f"the compressed body is corrupt: {error}", sent=True
            ) from error

    def _inflate(self, max_bytes: int) -> bytes:
        data = self._waiting
        try:
            plain = self._stream.decompress(data, max_bytes)
        except zlib.error:
            if self._began:
                raise
            # `deflate` should mean zlib, but some servers send it without zlib's frame.
            self._stream = zlib.decompressobj(_RAW)
            plain = self._stream.decompress(data, max_bytes)
        self._began = True
        self._waiting = self._stream.unconsumed_tail
        if self._stream.eof and self._stream.unused_data[:2] == b"\x1f\x8b":  # gzip members may follow one another
            self._waiting = self._stream.unused_data
            self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        return plain

    def finish(self) -> None:
        """No more input will come.

        Raises `TransportFailure` TRUNCATED when the compressed data had not come to its own end.
        """
        if self._waiting or (self._began and not self._stream.eof):
            raise TransportFailure(FailureKind.TRUNCATED, "the compressed body ended early", sent=True)


def inflater_for(headers: HeaderMap) -> Inflater | None:
    """What undoes this answer's content encoding; its headers then no longer mention it.

    None when there is none to undo, or one that we never ask for and cannot undo: such a body is passed on as it is.
    """
    coding = headers.get(b"content-encoding")
    if coding is None or coding.strip().lower() not in _KNOWN:
        return None
    del headers[b"content-encoding"]
    headers.pop(b"content-length", None)
    return Inflater()


def inflate_whole(inflater: Inflater, body: bytes, max_bytes: int) -> bytes:
    """The whole plain body.

    Raises `TransportFailure`: ANSWER_TOO_LARGE above `max_bytes`, TRUNCATED when it ends early, MALFORMED when corrupt.
    """
    inflater.feed(body)
    pieces: list[bytes] = []
    size = 0
    while piece := inflater.take(max_bytes - size + 1):
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise TransportFailure(
                FailureKind.ANSWER_TOO_LARGE, f"the decompressed answer exceeds {max_bytes} bytes", sent=True
            )
    inflater.finish()
    return b"".join(pieces)

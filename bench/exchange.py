"""One HTTP exchange at a time over a kept connection, with the moment of the first content."""

import socket
import time
from dataclasses import dataclass
from typing import Self

from bench.traffic import CALLER_KEY, STREAM_FIRST_WORD

ANSWER_MAX_S = 10.0


class WrongAnswerError(Exception):
    """A program answered what it must not, or not at all."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """`size` counts head and body as they came over the wire; `body` still holds its chunk sizes, if it had any."""

    status: int
    body: bytes
    size: int
    first_content_ms: float


class Caller:
    """A blocking client without anything in its way: what it adds to a figure, it adds to every program's."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ANSWER_MAX_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, path: str, body: bytes) -> Exchange:
        request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {CALLER_KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        began_s = time.perf_counter()
        self._socket.sendall(request)
        received = bytearray()
        # A stream opens with a role and no words. Whoever holds a stream back until it says something is timed by its words.
        wanted = STREAM_FIRST_WORD.encode() if b'"stream":true' in body else b""
        while (head_end := received.find(b"\r\n\r\n") + 4) < 4 or len(received) == head_end or wanted not in received:
            received += self._receive()
        first_content_ms = (time.perf_counter() - began_s) * 1000
        head = bytes(received[:head_end]).lower()
        while not self._is_whole(head, received, head_end):
            received += self._receive()
        return Exchange(int(head.split(b" ", 2)[1]), bytes(received[head_end:]), len(received), first_content_ms)

    @staticmethod
    def _is_whole(head: bytes, received: bytearray, head_end: int) -> bool:
        if b"\r\ntransfer-encoding: chunked" in head:
            return received.endswith(b"\r\n0\r\n\r\n")
        _, found, rest = head.partition(b"\r\ncontent-length:")
        if not found:
            raise WrongAnswerError("an answer without a length")
        return len(received) - head_end >= int(rest.split(b"\r\n", 1)[0])

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(65536)
        except TimeoutError as silence:
            raise WrongAnswerError(f"no answer within {ANSWER_MAX_S:g} s") from silence
        if not data:
            raise WrongAnswerError("the connection was closed in the middle of an answer")
        return data

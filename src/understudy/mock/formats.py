"""The wire formats that the mock speaks: written for itself, so that it shares no mistake with the router's own codecs."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, Said


class Piece(NamedTuple):
    """Some bytes of a stream. `content`: whether they hold a piece of content (what a plan counts)."""

    data: bytes
    content: bool = False


class Events:
    """What formats share whose streams are server-sent events."""

    stream_type = "text/event-stream; charset=utf-8"

    def framed(self, event: bytes, name: str) -> bytes:
        """An event of its streams. `name`: its type, "" for none."""
        return (f"event: {name}\n".encode() if name else b"") + b"data: " + event + b"\n\n"


class Format(Protocol):
    """One wire format, written by the provider's side."""

    dialect: str
    stream_type: str
    """The content type of its streams."""

    def framed(self, event: bytes, name: str) -> bytes:
        """An event of its streams. `name`: its type, "" for none."""
        ...

    def read(self, read: JsonObject) -> Asked:
        """What a request asks. Raises `BadRequest` for what the real provider would refuse."""
        ...

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A whole answer. `number`: of the request, for ids. `said`: one per alternative."""
        ...

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """The same as a stream of events, framing included; pieces of content are marked."""
        ...

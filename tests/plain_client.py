"""A client that believes nothing: it tells how an answer ended, and what of it came."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httptools

from understudy.mock import Mock

PATIENCE_S = 0.25  # how long a client waits for the next bytes before it calls the mock silent


@dataclass
class Look:
    """What a client saw. `ended`: complete, cut, reset, silent, refused or not_http. `reads`: the body as it came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    reads: list[bytes] = field(default_factory=list)
    ended: str = ""

    @property
    def body(self) -> bytes:
        return b"".join(self.reads)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of a stream's whole events, parsed where it is JSON."""
        blocks = self.body.decode().split("\n\n")[:-1]
        datas = [line[6:] for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [data if data == "[DONE]" else json.loads(data) for data in datas]


class _Reading:
    """llhttp's callbacks."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.parser = httptools.HttpResponseParser(self)
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.look.headers[name.decode()] = value.decode()

    def on_headers_complete(self) -> None:
        self.look.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.look.reads.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


async def ask(
    mock: Mock,
    body: dict[str, Any] | bytes | None = None,
    path: str = "/v1/chat/completions",
    method: str = "POST",
    *,
    patience_s: float = PATIENCE_S,
    **headers: str,
) -> Look:
    """One request on a connection of its own."""
    look = Look()
    reading = _Reading(look)
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = [f"{name.replace('_', '-')}: {line}\r\n" for name, line in headers.items()]
    head = f"{method} {path} HTTP/1.1\r\nhost: mock\r\ncontent-length: {len(sent)}\r\n{''.join(lines)}\r\n"
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    except ConnectionRefusedError:
        look.ended = "refused"
        return look
    try:
        writer.write(head.encode() + sent)
        while not reading.complete:
            data = await asyncio.wait_for(reader.read(65536), patience_s)
            if not data:
                look.ended = "cut"
                return look
            reading.parser.feed_data(data)
        look.ended = "complete"
    except TimeoutError:
        look.ended = "silent"
    except ConnectionError:
        look.ended = "reset"
    except httptools.HttpParserError:
        look.ended = "not_http"
    finally:
        writer.close()
    return look


def chat(model: str = "mock-small", text: str = "Why is the sky blue?", **more: Any) -> dict[str, Any]:
    """A Chat Completions request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def message(model: str = "mock-small", text: str = "Why is the sky blue?", **more: Any) -> dict[str, Any]:
    """A Messages request."""
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}

"""A cloud on loopback for the tests of sources: real sockets, and whatever answers a test writes down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from understudy.core.failure import FailureKind
from understudy.ports import Exchange
from understudy.transport.server import Server

NOW_S = 1_800_000_000.0


def refusal(path: str, kind: FailureKind, message: str) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    return (), message.encode()


class Cloud:
    """`answers`: method and path -> status, headers and body (JSON unless it is bytes), or a function of the exchange.

    `asked`: what came, in order. `gate`: while it is not set, nothing is answered.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.errors: list[BaseException] = []
        self.server = Server(self, refusal, on_error=self.errors.append)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    async def __call__(self, exchange: Exchange) -> None:
        self.asked.append(
            {
                "at": f"{exchange.method} {exchange.path}",
                "query": exchange.query,
                "headers": {name.decode(): text.decode() for name, text in exchange.headers.items()},
                "body": exchange.body.decode(),
            }
        )
        await self.gate.wait()
        found = self.answers.get(f"{exchange.method} {exchange.path}", (404, {}, b"nothing is here"))
        status, headers, body = found(exchange) if callable(found) else found
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        exchange.respond(status, [(name.encode(), text.encode()) for name, text in headers.items()], data)


def token(text: str = "ya29.fresh", **more: Any) -> tuple[int, dict[str, str], Mapping[str, Any]]:
    """A good OAuth answer."""
    return 200, {}, {"access_token": text, "expires_in": 3600, "token_type": "Bearer", **more}

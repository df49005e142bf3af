"""A model server in this process, in front of a model that is told what to say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx2
import pytest

from reciter import SECRET, Reciter
from understudy.local.chat import ChatServer
from understudy.transport.server import Server

Open = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def open_house() -> AsyncIterator[Open]:
    """Give `open_house(speaker, queue=8)`: a client with the secret, in front of a server for that speaker."""
    async with AsyncExitStack() as stack:

        async def begin(speaker: Reciter, queue: int = 8) -> httpx2.AsyncClient:
            chat = ChatServer(speaker, SECRET, queue)

            def broken(error: BaseException) -> None:
                raise AssertionError from error

            server = Server(chat, chat.refusal, on_error=broken)
            await server.listen()
            stack.push_async_callback(server.drain, 0.0)
            return await stack.enter_async_context(
                httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{server.port}",
                    headers={"authorization": f"Bearer {SECRET}"},
                    timeout=10,
                )
            )

        yield begin

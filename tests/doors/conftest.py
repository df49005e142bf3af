"""A whole data plane in this process for each test that asks, and mock providers behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2
import pytest

from stage import Raise, Stage
from understudy import wiring
from understudy.config.load import loads
from understudy.mock import Mock, start_mock
from understudy.transport.client import Client
from understudy.transport.dns import Resolve


@pytest.fixture
async def raise_curtain() -> AsyncIterator[Raise]:
    """Give `raise_curtain(yaml, **environment)`: a data plane for a configuration, closed after the test.

    `resolve`: how the names of providers are looked up, instead of the system's way.
    """
    async with AsyncExitStack() as stack:

        async def begin(text: str, *, resolve: Resolve | None = None, **environment: str) -> Stage:
            configuration = loads(text, env={"KEY": "sk-test", **environment})
            client = wiring.make_client(configuration)
            if resolve is not None:
                client = Client(configuration.client, tls=configuration.tls, resolve=resolve)
            stack.push_async_callback(client.close)
            engine = wiring.make_engine(configuration, client, env={"KEY": "sk-test", **environment})
            server = wiring.make_server(configuration, engine)
            await server.listen()
            stack.push_async_callback(server.drain, 0.0)
            http = await stack.enter_async_context(httpx2.AsyncClient(timeout=20))
            return Stage(engine, server, client, http)

        yield begin


@pytest.fixture
async def mocks() -> AsyncIterator[tuple[Mock, Mock]]:
    """Two providers that answer; tests tell them how to fail."""
    async with await start_mock() as lead, await start_mock() as understudy:
        yield lead, understudy

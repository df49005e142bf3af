"""Servers, clients and scripted providers on real loopback sockets, under uvloop and under the standard loop.

Everything a test opens is closed at its end, and then nothing may be left over: no connection, no held body byte.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import uvloop

from transport.peers import Door, MakeClient, OpenDoor, Provide, Provider, refusal
from understudy.ports import Exchange
from understudy.transport.client import Client
from understudy.transport.server import Server
from understudy.transport.settings import ClientSettings, ServerSettings


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


class _Complaints(logging.Handler):
    """What event loops log because they have nobody to raise it to."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, asyncio.CancelledError):  # Python 3.11's streams complain of servers that were stopped
            self.heard.append(f"{record.getMessage()}: {error!r}")


@pytest.fixture(autouse=True)
def _loops_have_nothing_to_complain_of() -> Iterator[None]:
    """Fail a test whose callbacks raised, or whose tasks failed unread: a loop only logs that, and all else may look well."""
    complaints, told = _Complaints(), logging.getLogger("asyncio")
    told.addHandler(complaints)
    yield
    told.removeHandler(complaints)
    assert complaints.heard == []


@pytest.fixture
async def open_door() -> AsyncIterator[OpenDoor]:
    """Start our server: `await open_door(handler, **settings)`."""
    doors: list[Door] = []

    async def start(handler: Callable[[Exchange], Awaitable[None]], *, tls: object = None, **settings: object) -> Door:
        errors: list[BaseException] = []
        bounds = ServerSettings(**{"sweep_s": 0.01, "farewell_s": 0.3, **settings})
        server = Server(handler, refusal, bounds, on_error=errors.append)
        await server.listen(tls=tls)
        doors.append(Door(server, errors))
        return doors[-1]

    yield start
    for door in doors:
        for wire in door.wires:
            await wire.close()
        await door.server.drain(0.0)
        assert door.server.connections == 0
        assert door.server.bodies_bytes == 0


@pytest.fixture
async def provide() -> AsyncIterator[Provide]:
    """Start a provider. `await provide(b"HTTP/1.1 200 ...")` answers every request so; `close=True` closes after the
    first answer. Or give a script: `async def script(provider, reader, writer)`, run for every connection.
    """
    providers: list[Provider] = []

    async def start(
        script: bytes | Callable[[Provider, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        *,
        close: bool = False,
        tls: object = None,
    ) -> Provider:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if callable(script):
                await script(provider, reader, writer)
                return
            while True:
                await provider.request(reader)
                writer.write(script)
                await writer.drain()
                if close:
                    return

        provider = Provider(answer)
        await provider.start(tls)
        providers.append(provider)
        return provider

    yield start
    for provider in providers:
        await provider.stop()


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Make a client: `make_client(idle_s=1)`; options that are no settings go to its constructor."""
    clients: list[Client] = []
    names = set(ClientSettings.__dataclass_fields__)

    def make(**options: object) -> Client:
        settings = {"sweep_s": 0.01, **{name: each for name, each in options.items() if name in names}}
        rest = {name: each for name, each in options.items() if name not in names}
        clients.append(Client(ClientSettings(**settings), **rest))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()
        assert client.stats.open == 0
        assert client.stats.idle == 0


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()

"""Whatever bytes come, in whatever pieces: no exception, no hang, nothing left over. Method: mutated proper messages."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transport.peers import MemoryTransport, refusal
from understudy.ports import Exchange, HttpAnswer, Origin, TransportFailure
from understudy.transport.dial import Way
from understudy.transport.inbound import InboundConnection
from understudy.transport.outbound import OutboundConnection
from understudy.transport.outbox import Outbox
from understudy.transport.pool import Pool
from understudy.transport.server import Server
from understudy.transport.settings import ClientSettings, ServerSettings

pytestmark = pytest.mark.no_cover

PARTS = [
    b"GET / HTTP/1.1\r\n", b"POST /v1/x?y HTTP/1.1\r\n", b"HEAD * HTTP/1.0\r\n", b"CONNECT a:1 HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No\r\n",
    b"HTTP/1.1 101 Switching\r\n", b"Host: a\r\n", b"Content-Length: 3\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n", b"Content-Encoding: gzip\r\n", b"X: " + b"y" * 300 + b"\r\n", b"\r\n", b"\n", b"\r",
    b"abc", b"3\r\nabc\r\n", b"0\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b":", b" ", b"\0", b"\xff",
]  # fmt: skip
ASKS = st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST /p HTTP/1.1\r\nHost: a\r\n"])
ANSWERS = st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 103 Early\r\n\r\n"])
REST = st.lists(st.sampled_from(PARTS) | st.binary(max_size=3), max_size=24).map(b"".join)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=10)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    pieces, start, turn = [], 0, 0
    while start < len(data):
        end = start + cuts[turn % len(cuts)]
        pieces.append(data[start:end])
        start, turn = end, turn + 1
    return pieces


async def take(data: bytes, cuts: list[int]) -> tuple[bytes, int, list[BaseException]]:
    """What our server writes for these bytes, the body bytes it still holds at the end, and what went wrong."""
    errors: list[BaseException] = []

    async def handler(exchange: Exchange) -> None:
        if len(exchange.body) % 2:
            await asyncio.sleep(0)
        exchange.respond(200, (), exchange.body)

    bounds = ServerSettings(head_max_bytes=1000, fields_max=8, body_max_bytes=20, pipeline_max=2)
    server = Server(handler, refusal, bounds, on_error=errors.append)
    connection = InboundConnection(server, asyncio.get_running_loop())
    transport = MemoryTransport()
    connection.connection_made(transport)
    for piece in split(data, cuts):
        connection.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.sleep(0)
    return transport.written, server.bodies_bytes, errors


@given(ASKS, REST, CUTS)
@settings(max_examples=400)
def test_server_survives_any_bytes(start: bytes, rest: bytes, cuts: list[int]) -> None:
    written, held, errors = asyncio.run(take(start + rest, cuts))
    assert held == 0
    assert errors == []
    assert written == b"" or written.startswith(b"HTTP/1.1 ")


@given(ASKS, REST, CUTS, CUTS)
@settings(max_examples=200)
def test_server_takes_the_same_bytes_for_the_same_requests_however_split(
    start: bytes, rest: bytes, cuts: list[int], others: list[int]
) -> None:
    """Statuses and bodies; a request that comes in one piece with its body needs no `100 Continue`."""
    one, two = (
        asyncio.run(take(start + rest, each))[0].replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
        for each in (cuts, others)
    )
    assert [line for line in one.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")] == [
        line for line in two.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")
    ]


async def ask(data: bytes, cuts: list[int], *, stream: bool) -> HttpAnswer | bytes | TransportFailure:
    """What our client makes of these bytes as an answer, after which the connection ends."""
    loop = asyncio.get_running_loop()
    bounds = ClientSettings(head_max_bytes=1000, answer_max_bytes=20)
    pool = Pool(Way(origin=Origin("http", "a", 80), proxy=None, tls=None), None, bounds, loop, Outbox())
    connection = OutboundConnection(pool, loop)
    pool.open = 1
    pool.connections[connection] = None
    connection.connection_made(MemoryTransport())
    begin = connection.open if stream else connection.fetch
    waiter = begin((b"request",), loop.time() + 60, "GET")
    for piece in split(data, cuts):
        if not connection.lost:
            connection.data_received(piece)
    if not connection.lost:
        connection.eof_received()
    connection.connection_lost(None)
    assert waiter.done()
    assert pool.empty
    assert pool.idle == 0
    try:
        if not stream:
            return await waiter
        answer = await waiter
        body = b""
        while piece := await answer.read(loop.time() + 60):
            body += piece
        return body
    except TransportFailure as failure:
        return failure


@given(ANSWERS, REST, CUTS)
@settings(max_examples=400)
def test_client_survives_any_bytes_and_always_has_an_answer_or_a_failure(
    start: bytes, rest: bytes, cuts: list[int]
) -> None:
    data = start + rest
    whole = asyncio.run(ask(data, cuts, stream=False))
    streamed = asyncio.run(ask(data, cuts, stream=True))
    if isinstance(whole, HttpAnswer):
        assert whole.status >= 200
        assert whole.body == streamed

"""Which connection a request goes over: reuse, expiry, bounds, and the one repetition."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from transport.peers import SOON_S, MakeClient, Provide, Provider, eventually, request, soon, until_closed
from understudy.core.failure import FailureKind
from understudy.ports import HttpAnswer, HttpRequest, Origin, TransportFailure
from understudy.transport.client import Client
from understudy.transport.dial import Way
from understudy.transport.outbox import Outbox
from understudy.transport.pool import Pool
from understudy.transport.settings import ClientSettings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


async def send(client: Client, origin: Origin, connect_s: float = 1.0, within_s: float = SOON_S) -> HttpAnswer:
    return await client.send(request(origin), connect_s=connect_s, until_s=soon(within_s))


class Gate:
    """A provider that answers when it is told, and names the connection it answers on."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.in_flight = 0

    async def __call__(self, provider: Provider, reader: Reader, writer: Writer) -> None:
        number = provider.opened
        while True:
            await provider.request(reader)
            self.in_flight += 1
            await self.go.wait()
            self.in_flight -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)


async def test_concurrent_requests_have_a_connection_each_and_the_last_used_is_used_next(
    client: Client, provide: Provide
) -> None:
    gate = Gate()
    provider = await provide(gate)
    asking = [asyncio.create_task(send(client, provider.origin)) for _ in range(3)]
    await eventually(lambda: gate.in_flight == 3)
    gate.go.set()
    assert sorted([(await task).body for task in asking]) == [b"1", b"2", b"3"]
    assert (client.stats.open, client.stats.idle) == (3, 3)
    last = (await send(client, provider.origin)).body
    for _ in range(3):
        assert (await send(client, provider.origin)).body == last
    assert provider.opened == 3


async def test_origins_do_not_share_connections(client: Client, provide: Provide) -> None:
    first, second = await provide(OK), await provide(OK)
    await send(client, first.origin)
    await send(client, second.origin)
    assert (first.opened, second.opened, client.stats.origins) == (1, 1, 2)


async def test_idle_connection_is_closed_after_its_time_and_nothing_is_watched_then(
    make_client: MakeClient, provide: Provide
) -> None:
    client = make_client(idle_s=0.05)
    provider = await provide(OK)
    await send(client, provider.origin)
    await eventually(lambda: provider.closed == 1)
    assert client.stats.origins == client.stats.open == 0
    assert client._sweep_timer is None
    assert (await send(client, provider.origin)).body == b"hi"


async def test_old_connection_is_not_used_again(make_client: MakeClient, provide: Provide) -> None:
    client = make_client(life_s=0.05)
    provider = await provide(OK)
    await send(client, provider.origin)
    await send(client, provider.origin)
    assert provider.opened == 1
    await eventually(lambda: client.stats.open == 0)  # found idle by the sweep
    gate = Gate()
    slow = await provide(gate)
    asking = asyncio.create_task(send(client, slow.origin))
    await eventually(lambda: gate.in_flight == 1)
    await asyncio.sleep(0.06)
    gate.go.set()
    await asking
    assert client.stats.open == 0  # found when it was given back


async def test_idle_connections_are_bounded_in_number(make_client: MakeClient, provide: Provide) -> None:
    client = make_client(idle_max=2)
    gate = Gate()
    provider = await provide(gate)
    asking = [asyncio.create_task(send(client, provider.origin)) for _ in range(5)]
    await eventually(lambda: gate.in_flight == 5)
    gate.go.set()
    await asyncio.gather(*asking)
    assert (client.stats.open, client.stats.idle) == (2, 2)
    await eventually(lambda: provider.closed == 3)


async def test_connections_are_bounded_and_the_next_request_gets_the_first_free_one(
    make_client: MakeClient, provide: Provide
) -> None:
    client = make_client(connections_max=2)
    gate = Gate()
    provider = await provide(gate)
    asking = [asyncio.create_task(send(client, provider.origin)) for _ in range(6)]
    await eventually(lambda: gate.in_flight == 2)
    await asyncio.sleep(0.02)
    assert (provider.opened, client.stats.open) == (2, 2)
    gate.go.set()
    await asyncio.gather(*asking)
    assert (provider.opened, client.stats.open, client.stats.idle) == (2, 2, 2)


async def test_waiting_for_a_connection_ends_with_the_connect_time(make_client: MakeClient, provide: Provide) -> None:
    client = make_client(connections_max=1)
    gate = Gate()
    provider = await provide(gate)
    first = asyncio.create_task(send(client, provider.origin))
    await eventually(lambda: gate.in_flight == 1)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin, connect_s=0.05)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECT_TIMEOUT, False)
    assert "all 1 connections are busy" in failure.value.message
    gate.go.set()
    await first
    assert (await send(client, provider.origin)).status == 200  # the one who gave up took no place with it


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_place_of_a_connection_that_dies_goes_to_whoever_waits(
    how: str, make_client: MakeClient, provide: Provide
) -> None:
    client = make_client(connections_max=1)
    served = 0

    async def once(provider: Provider, reader: Reader, writer: Writer) -> None:
        nonlocal served
        await provider.request(reader)
        served += 1
        if served == 1:
            await (until_closed(reader) if how == "cancel" else asyncio.sleep(0.05))
            return
        writer.write(OK)
        await until_closed(reader)

    provider = await provide(once)
    first = asyncio.create_task(send(client, provider.origin))
    await eventually(lambda: served == 1)
    second = asyncio.create_task(send(client, provider.origin))
    await asyncio.sleep(0.01)
    if how == "cancel":
        first.cancel()
    await asyncio.wait((first,))
    assert (await second).body == b"hi"
    assert client.stats.open == 1
    if how == "close":
        assert isinstance(first.exception(), TransportFailure)


async def test_cancelled_waiter_passes_its_turn_on(make_client: MakeClient, provide: Provide) -> None:
    client = make_client(connections_max=1)
    gate = Gate()
    provider = await provide(gate)
    for turns in range(6):
        gate.go.clear()
        asking = [asyncio.create_task(send(client, provider.origin)) for _ in range(3)]
        await eventually(lambda: gate.in_flight == 1)
        gate.go.set()
        await asking[0]
        for _ in range(turns):
            await asyncio.sleep(0)
        asking[1].cancel()
        await asyncio.wait((asking[1],))
        assert (await asking[2]).status == 200
    await eventually(lambda: client.stats.open == client.stats.idle)
    assert client.stats.open <= 1


# A kept connection that has died


class Fickle:
    """Answers `good` requests on a connection, then does `then` to the next one; later connections are good for ever."""

    def __init__(self, then: bytes, good: int = 1, bad_connections: int = 1) -> None:
        self.then = then
        self.good = good
        self.bad_connections = bad_connections

    async def __call__(self, provider: Provider, reader: Reader, writer: Writer) -> None:
        bad = provider.opened <= self.bad_connections
        for number in range(1_000_000):
            await provider.request(reader)
            if bad and number == self.good:
                writer.write(self.then)
                await writer.drain()
                return
            writer.write(OK)


@pytest.mark.parametrize("how", ["send", "stream"])
async def test_kept_connection_that_dies_before_any_byte_is_replaced_once(
    how: str, client: Client, provide: Provide
) -> None:
    provider = await provide(Fickle(b""))
    await send(client, provider.origin)
    if how == "send":
        assert (await send(client, provider.origin)).body == b"hi"
    else:
        stream = await client.stream(request(provider.origin), connect_s=1, until_s=soon())
        assert await stream.read(soon()) == b"hi"
        stream.close()
    assert len(provider.requests) == 3
    assert provider.opened == 2


async def test_fresh_connection_that_dies_is_not_replaced(client: Client, provide: Provide) -> None:
    provider = await provide(Fickle(b"", good=0))
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECTION_LOST, True)
    assert len(provider.requests) == 1


async def test_request_is_repeated_once_and_no_more(client: Client, provide: Provide) -> None:
    class Vanishing(Fickle):
        async def __call__(self, provider: Provider, reader: Reader, writer: Writer) -> None:
            self.good = 1 if provider.opened == 1 else 0
            await super().__call__(provider, reader, writer)

    provider = await provide(Vanishing(b"", bad_connections=9))
    await send(client, provider.origin)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert failure.value.kind is FailureKind.CONNECTION_LOST
    assert len(provider.requests) == 3


async def test_request_whose_answer_had_begun_is_not_repeated(client: Client, provide: Provide) -> None:
    provider = await provide(Fickle(b"HTTP/1.1 200"))
    await send(client, provider.origin)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert failure.value.kind is FailureKind.TRUNCATED
    assert len(provider.requests) == 2


async def test_failure_to_reconnect_still_says_that_the_request_was_sent(client: Client, provide: Provide) -> None:
    async def script(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(OK)
        await provider.request(reader)
        assert provider._server is not None
        provider._server.close()
        await asyncio.sleep(0.02)

    provider = await provide(script)
    await send(client, provider.origin)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECTION_REFUSED, True)


async def test_connection_closed_by_the_provider_while_idle_is_noticed(client: Client, provide: Provide) -> None:
    provider = await provide(OK, close=True)
    await send(client, provider.origin)
    await eventually(lambda: client.stats.open == 0)
    await send(client, provider.origin)
    assert len(provider.requests) == 2  # so nothing had to be repeated


EVIL = b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("length", [1, 11, 17, 25, len(EVIL) - 6, len(EVIL)])
@pytest.mark.parametrize("apart", [True, False], ids=["later", "together"])
async def test_answer_that_nobody_asked_for_is_never_given_to_the_next_request(
    apart: bool, length: int, client: Client, provide: Provide
) -> None:
    """Nor is the beginning of one, whose rest would be what the next request is answered."""

    async def chatty(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        if apart:
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(EVIL[:length] if apart else OK + EVIL[:length])
        await until_closed(reader)

    provider = await provide(chatty)
    assert (await send(client, provider.origin)).body == b"hi"
    await eventually(lambda: client.stats.open == 0, within_s=0.5)
    assert (await send(client, provider.origin)).body == b"hi"
    assert provider.opened == 2


# Turns, moment by moment: a pool whose connections do nothing


class StillConnection:
    """What a pool needs to see of a connection."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.lost = False
        self.born_s = self.idle_since_s = asyncio.get_running_loop().time()

    @property
    def usable(self) -> bool:
        return not self.lost

    def close(self) -> None:
        self.lost = True
        self.pool.forget(self)


class StillDialer:
    """Makes connections at once, or fails as told."""

    def __init__(self) -> None:
        self.pool: Pool | None = None
        self.fails = False

    async def dial(self, way: Way, protocol: object) -> StillConnection:
        assert self.pool is not None
        if self.fails:
            raise TransportFailure(FailureKind.CONNECTION_REFUSED, "no", sent=False)
        return StillConnection(self.pool)


@pytest.fixture
async def still() -> tuple[Pool, StillDialer]:
    dialer = StillDialer()
    way = Way(origin=Origin("http", "a.test", 80), proxy=None, tls=None)
    pool = dialer.pool = Pool(way, dialer, ClientSettings(connections_max=1), asyncio.get_running_loop(), Outbox())
    return pool, dialer


async def test_connection_given_to_a_waiter_who_was_just_cancelled_goes_to_the_next(
    still: tuple[Pool, StillDialer],
) -> None:
    pool, _ = still
    connection = await pool.connect(soon())
    first, second = [asyncio.create_task(pool.connect(soon())) for _ in range(2)]
    await asyncio.sleep(0)
    pool.give_back(connection)
    first.cancel()
    await asyncio.wait((first,))
    assert first.cancelled()
    assert await second is connection
    assert (pool.open, pool.idle) == (1, 0)


async def test_place_given_to_a_waiter_who_was_just_cancelled_goes_to_the_next(
    still: tuple[Pool, StillDialer],
) -> None:
    pool, _ = still
    connection = await pool.connect(soon())
    first, second = [asyncio.create_task(pool.connect(soon())) for _ in range(2)]
    await asyncio.sleep(0)
    connection.close()
    first.cancel()
    await asyncio.wait((first,))
    assert await second is not connection
    (await second).close()
    assert pool.empty


async def test_connection_that_dies_on_its_way_to_a_waiter_is_replaced(still: tuple[Pool, StillDialer]) -> None:
    pool, _ = still
    connection = await pool.connect(soon())
    waiter = asyncio.create_task(pool.connect(soon()))
    await asyncio.sleep(0)
    pool.give_back(connection)
    connection.close()
    assert await waiter is not connection
    assert pool.open == 1


async def test_waiter_whose_connection_died_queues_again_if_others_were_faster(
    still: tuple[Pool, StillDialer],
) -> None:
    pool, _ = still
    connection = await pool.connect(soon())
    first, second = [asyncio.create_task(pool.connect(soon())) for _ in range(2)]
    await asyncio.sleep(0)
    pool.give_back(connection)  # to the first
    connection.close()  # its place goes to the second
    replacement = await second
    await asyncio.sleep(0)
    assert not first.done()
    pool.give_back(replacement)
    assert await first is replacement
    assert pool.open == 1


async def test_failed_dial_frees_its_place_for_whoever_waits(still: tuple[Pool, StillDialer]) -> None:
    pool, dialer = still
    connection = await pool.connect(soon())
    first, second = [asyncio.create_task(pool.connect(soon())) for _ in range(2)]
    await asyncio.sleep(0)
    dialer.fails = True
    connection.close()
    await asyncio.wait((first, second))
    assert isinstance(first.exception(), TransportFailure)
    assert isinstance(second.exception(), TransportFailure)
    assert pool.empty


async def test_kept_connection_that_is_no_longer_usable_is_not_taken(still: tuple[Pool, StillDialer]) -> None:
    pool, _ = still
    connection = await pool.connect(soon())
    pool.give_back(connection)
    connection.lost = True
    assert pool.take() is None


async def test_heads_that_callers_make_large_are_not_remembered(client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    await send(client, provider.origin)
    tracemalloc.start()
    try:
        for number in range(60):
            asked = request(provider.origin, traceparent=f"{number:030000}")
            await client.send(asked, connect_s=1.0, until_s=soon())
            del asked
        provider.requests.clear()
        assert tracemalloc.get_traced_memory()[0] < 600_000
    finally:
        tracemalloc.stop()


async def test_one_requests_head_is_never_sent_with_another_ones_path_or_headers(
    client: Client, provide: Provide
) -> None:
    provider = await provide(OK)
    keys = ((b"authorization", b"Bearer one"),), ((b"authorization", b"Bearer two"),), ()
    asked = [
        HttpRequest(method, provider.origin, path, headers, body)
        for method in ("POST", "GET")
        for path in ("/a", "/b")
        for headers in keys
        for body in (b"", b"abc")
    ]
    for one in asked + asked[::-1] + asked[::5]:
        await client.send(one, connect_s=1.0, until_s=soon())
    for one, raw in zip(asked + asked[::-1] + asked[::5], provider.requests, strict=True):
        head, _, body = raw.partition(b"\r\n\r\n")
        assert head.startswith(f"{one.method} {one.path} HTTP/1.1\r\n".encode())
        assert [line for line in head.split(b"\r\n") if b"authorization" in line] == [
            b"authorization: " + said for _, said in one.headers
        ]
        assert body == one.body

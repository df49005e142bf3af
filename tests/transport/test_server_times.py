"""Time limits of our server, the number of its connections, and how it drains."""

from __future__ import annotations

import asyncio

import pytest

from transport.peers import SOON_S, OpenDoor, eventually
from understudy.core.failure import FailureKind
from understudy.ports import Exchange

GET = b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n"


async def answer(exchange: Exchange) -> None:
    exchange.respond(200, (), b"ok")


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("part", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX: y", b"\r\n"])
async def test_half_a_head_then_silence_is_a_408(part: bytes, open_door: OpenDoor) -> None:
    door = await open_door(answer, head_s=0.1)
    wire = await door.wire()
    await wire.send(part)
    started = now()
    reply = await wire.reply()
    assert (reply.status, reply.headers["x-kind"]) == (408, "request_timeout")
    assert 0.05 < now() - started < 0.5
    assert await wire.ended() == b""


async def test_head_that_trickles_in_is_a_408_all_the_same(open_door: OpenDoor) -> None:
    door = await open_door(answer, head_s=0.1)
    wire = await door.wire()

    async def trickle() -> None:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000:
            await wire.send(bytes([byte]))
            await asyncio.sleep(0.005)

    trickling = asyncio.create_task(trickle())
    assert (await wire.reply()).status == 408
    trickling.cancel()


async def test_connection_that_never_says_anything_is_closed(open_door: OpenDoor) -> None:
    door = await open_door(answer, head_s=0.05)
    wire = await door.wire()
    assert await wire.ended() == b""


async def test_connection_idle_between_requests_is_closed_later(open_door: OpenDoor) -> None:
    door = await open_door(answer, head_s=0.05, idle_s=0.25)
    wire = await door.wire()
    await wire.send(GET)
    await wire.reply()
    started = now()
    assert await wire.ended() == b""
    assert now() - started > 0.15


async def test_body_that_stops_is_a_408(open_door: OpenDoor) -> None:
    door = await open_door(answer, body_s=0.1)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
    assert (await wire.reply()).status == 408
    assert door.server.bodies_bytes == 0


async def test_body_that_comes_slowly_but_at_the_least_rate_is_accepted(open_door: OpenDoor) -> None:
    door = await open_door(answer, body_s=0.05, body_bytes_per_s=1000.0)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 800\r\n\r\n")
    for _ in range(8):
        await wire.send(b"x" * 100)
        await asyncio.sleep(0.03)
    assert (await wire.reply()).status == 200


async def test_refused_client_that_never_closes_is_cut_off(open_door: OpenDoor) -> None:
    door = await open_door(answer, linger_s=0.05)
    wire = await door.wire()
    await wire.send(b"nonsense\r\n\r\n")
    assert (await wire.reply()).status == 400
    for _ in range(3):
        await wire.send(GET)  # read and dropped
    await eventually(lambda: door.server.connections == 0)


async def test_one_connection_too_many_is_a_503(open_door: OpenDoor) -> None:
    door = await open_door(answer, connections_max=2)
    wires = [await door.wire() for _ in range(2)]
    for wire in wires:
        await wire.send(GET)
        assert (await wire.reply()).status == 200
    third = await door.wire()
    reply = await third.reply()
    assert (reply.status, reply.headers["x-kind"], reply.body) == (503, "busy", b"|too many connections")
    await third.close()
    await eventually(lambda: door.server.connections == 2)
    await wires[0].close()
    await eventually(lambda: door.server.connections == 1)
    fourth = await door.wire()
    await fourth.send(GET)
    assert (await fourth.reply()).status == 200


# Drain


class Held:
    """Begins an answer and ends it when told; says a last word when the server goes away."""

    def __init__(self) -> None:
        self.started = 0
        self.go = asyncio.Event()
        self.left: FailureKind | None = None

    async def __call__(self, exchange: Exchange) -> None:
        exchange.start(200, ())
        self.started += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.left = exchange.left
            await exchange.write(b"event: error\n\n")
        exchange.finish()


async def test_drain_lets_running_answers_finish_and_closes_idle_connections(open_door: OpenDoor) -> None:
    handler = Held()
    door = await open_door(handler)
    handler.go.set()
    idle, busy = await door.wire(), await door.wire()
    await idle.send(GET)
    await idle.reply()
    handler.go.clear()
    await busy.send(GET)
    await eventually(lambda: handler.started == 2)
    draining = asyncio.create_task(door.server.drain(SOON_S))
    assert await idle.ended() == b""
    with pytest.raises(OSError):
        await door.wire()
    assert not draining.done()
    handler.go.set()
    await draining
    assert (await busy.reply()).body == b""
    assert await busy.ended() == b""
    assert handler.left is None
    assert door.server.connections == 0


async def test_drain_marks_answers_that_begin_later_with_connection_close(open_door: OpenDoor) -> None:
    go = asyncio.Event()

    async def late(exchange: Exchange) -> None:
        await go.wait()
        exchange.respond(200, (), b"ok")

    door = await open_door(late)
    wire, partial = await door.wire(), await door.wire()
    await wire.send(GET)
    await partial.send(GET[:10])
    await asyncio.sleep(0.02)
    draining = asyncio.create_task(door.server.drain(SOON_S))
    await asyncio.sleep(0.01)
    go.set()
    assert (await wire.reply()).headers["connection"] == "close"
    await partial.send(GET[10:])  # a request that was on its way is still served
    assert (await partial.reply()).headers["connection"] == "close"
    await draining


async def test_answers_still_running_after_the_grace_may_say_a_last_word(open_door: OpenDoor) -> None:
    handler = Held()
    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    await eventually(lambda: handler.started == 1)
    started = now()
    await door.server.drain(0.05)
    assert now() - started < 0.5
    assert handler.left is FailureKind.DRAINING
    assert (await wire.reply()).body == b"event: error\n\n"
    assert await wire.ended() == b""


async def test_drain_cuts_off_handlers_that_do_not_listen(open_door: OpenDoor) -> None:
    release = asyncio.Event()

    async def deaf(exchange: Exchange) -> None:
        exchange.start(200, ())
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    door = await open_door(deaf, farewell_s=0.05)
    wire = await door.wire()
    await wire.send(GET)
    await asyncio.sleep(0.02)
    await door.server.drain(0.01)
    assert door.server.connections == 0
    release.set()
    await asyncio.sleep(0.01)


async def test_drain_of_a_quiet_server_returns_at_once(open_door: OpenDoor) -> None:
    door = await open_door(answer)
    started = now()
    await door.server.drain(SOON_S)
    assert now() - started < 0.1


async def test_drain_cuts_off_a_client_that_takes_nothing(open_door: OpenDoor) -> None:
    async def huge(exchange: Exchange) -> None:
        exchange.respond(200, (), bytes(20_000_000))

    door = await open_door(huge, farewell_s=0.05)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    await asyncio.sleep(0.05)
    await door.server.drain(0.05)
    assert door.server.connections == 0

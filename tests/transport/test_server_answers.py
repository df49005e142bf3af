"""How our server answers: framing per version and method, handlers that fail, clients that read slowly or leave."""

from __future__ import annotations

import asyncio
import socket

import pytest

from transport.peers import OpenDoor, eventually
from understudy.core.failure import FailureKind
from understudy.ports import Exchange

GET = b"GET /p HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET /p HTTP/1.0\r\n\r\n"
PLAIN = ((b"content-type", b"text/plain"),)


async def whole(exchange: Exchange) -> None:
    exchange.respond(200, PLAIN, b"whole")


async def pieces(exchange: Exchange) -> None:
    exchange.start(200, PLAIN)
    for piece in (b"one ", b"", b"two ", b"x" * 100_000):
        await exchange.write(piece)
    exchange.finish()


async def test_whole_answer_has_length_date_and_the_handlers_headers(open_door: OpenDoor) -> None:
    wire = await (await open_door(whole)).wire()
    await wire.send(GET)
    reply = await wire.reply()
    assert (reply.status, reply.body) == (200, b"whole")
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers["content-length"] == "5"
    assert "date" in reply.headers
    assert "connection" not in reply.headers


async def test_streamed_answer_is_chunked_and_the_connection_goes_on(open_door: OpenDoor) -> None:
    wire = await (await open_door(pieces)).wire()
    for _ in range(2):
        await wire.send(GET)
        reply = await wire.reply()
        assert reply.headers["transfer-encoding"] == "chunked"
        assert reply.body == b"one two " + b"x" * 100_000


@pytest.mark.parametrize(
    ("ask", "connection"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"),
    ],
)
async def test_connection_persists_as_the_client_wishes(
    ask: bytes, connection: str | None, open_door: OpenDoor
) -> None:
    wire = await (await open_door(whole)).wire()
    await wire.send(ask)
    reply = await wire.reply()
    assert reply.headers.get("connection") == connection
    if connection == "close":
        assert await wire.ended() == b""
    else:
        await wire.send(ask)
        assert (await wire.reply()).body == b"whole"


async def test_streamed_answer_to_http_1_0_ends_with_the_connection(open_door: OpenDoor) -> None:
    wire = await (await open_door(pieces)).wire()
    await wire.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    reply = await wire.reply()
    assert "transfer-encoding" not in reply.headers
    assert reply.headers["connection"] == "close"
    assert reply.body == b"one two " + b"x" * 100_000


@pytest.mark.parametrize("handler", [whole, pieces])
async def test_answer_to_head_has_no_body(handler: object, open_door: OpenDoor) -> None:
    wire = await (await open_door(handler)).wire()
    await wire.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    await wire.reply(to_head=True)
    assert (await wire.reply()).body


@pytest.mark.parametrize("status", [204, 304])
async def test_bodiless_status_has_no_body(status: int, open_door: OpenDoor) -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.respond(status, (), b"")

    wire = await (await open_door(handler)).wire()
    await wire.send(GET + GET)
    for _ in range(2):
        reply = await wire.reply()
        assert (reply.status, "content-length" in reply.headers) == (status, False)


async def test_status_unknown_to_the_standard_is_passed_on(open_door: OpenDoor) -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.respond(529, (), b"overloaded")

    wire = await (await open_door(handler)).wire()
    await wire.send(GET)
    assert (await wire.reply()).status == 529


async def test_large_whole_answer_arrives(open_door: OpenDoor) -> None:
    body = bytes(range(256)) * 40_000

    async def handler(exchange: Exchange) -> None:
        exchange.respond(200, (), body)

    wire = await (await open_door(handler)).wire()
    await wire.send(GET)
    assert (await wire.reply()).body == body


# Handlers at fault


async def crash(exchange: Exchange) -> None:
    raise LookupError("a secret")


async def crash_midway(exchange: Exchange) -> None:
    exchange.start(200, ())
    await exchange.write(b"half")
    raise LookupError("a secret")


async def say_nothing(exchange: Exchange) -> None:
    pass


async def leave_open(exchange: Exchange) -> None:
    exchange.start(200, ())
    await exchange.write(b"half")


async def split_the_head(exchange: Exchange) -> None:
    exchange.respond(200, ((b"x", b"a\r\nset-cookie: b"),), b"")


async def answer_twice(exchange: Exchange) -> None:
    exchange.respond(200, (), b"once")
    exchange.respond(200, (), b"twice")


async def write_before_start(exchange: Exchange) -> None:
    await exchange.write(b"x")


async def finish_before_start(exchange: Exchange) -> None:
    exchange.finish()


@pytest.mark.parametrize("handler", [crash, say_nothing, split_the_head, write_before_start, finish_before_start])
async def test_handler_that_does_not_answer_becomes_a_500_that_tells_nothing(
    handler: object, open_door: OpenDoor
) -> None:
    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    reply = await wire.reply()
    assert (reply.status, reply.headers["x-kind"]) == (500, "internal")
    assert b"secret" not in reply.body
    assert reply.body.startswith(b"/p|")
    assert await wire.ended() == b""
    assert len(door.errors) == (0 if handler is say_nothing else 1)


@pytest.mark.parametrize("handler", [crash_midway, leave_open])
async def test_answer_left_unfinished_is_seen_as_broken(handler: object, open_door: OpenDoor) -> None:
    wire = await (await open_door(handler)).wire()
    await wire.send(GET)
    assert not (await wire.ended()).endswith(b"0\r\n\r\n")


async def test_second_answer_is_an_error_and_never_sent(open_door: OpenDoor) -> None:
    door = await open_door(answer_twice)
    wire = await door.wire()
    await wire.send(GET)
    assert (await wire.reply()).body == b"once"
    assert isinstance(door.errors[0], RuntimeError)


async def test_aborted_answer_is_seen_as_broken(open_door: OpenDoor) -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.start(200, ())
        await exchange.write(b"half")
        await asyncio.sleep(0.01)
        exchange.abort()

    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    assert not (await wire.ended()).endswith(b"0\r\n\r\n")
    assert not door.errors


async def test_500_reaches_a_client_that_has_sent_far_ahead(open_door: OpenDoor) -> None:
    go = asyncio.Event()

    async def crash_late(exchange: Exchange) -> None:
        await go.wait()
        raise LookupError

    door = await open_door(crash_late, linger_s=0.2)
    wire = await door.wire()
    await wire.send(GET)
    sending = asyncio.create_task(wire.send(GET * 200_000))  # so much that reading has been paused
    await asyncio.sleep(0.05)
    go.set()
    assert (await wire.reply()).status == 500
    sending.cancel()
    await eventually(lambda: door.server.connections == 0)


async def test_connection_whose_task_is_cancelled_from_outside_is_closed(open_door: OpenDoor) -> None:
    handler = Endless(start=False)
    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    await eventually(lambda: handler.exchange is not None)
    (task,) = [task for task in asyncio.all_tasks() if "InboundConnection" in repr(task)]
    task.cancel()  # as `asyncio.run` does with what is left at its end
    assert await wire.ended() == b""
    await eventually(lambda: door.server.connections == 0)


async def test_error_of_the_refusal_itself_does_not_hang_the_client(open_door: OpenDoor) -> None:
    door = await open_door(whole)

    def broken(path: str, kind: FailureKind, message: str) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
        raise KeyError(kind)

    door.server._refusal = broken
    wire = await door.wire()
    await wire.send(b"GET / HTTP/1.1\r\n\r\n")
    assert (await wire.reply()).status == 400
    assert isinstance(door.errors[0], KeyError)


# Clients that leave


class Endless:
    """Streams until it is stopped, and tells how it ended."""

    def __init__(self, *, start: bool, piece: bytes = b"x" * 10) -> None:
        self.start = start
        self.piece = piece
        self.exchange: Exchange | None = None
        self.ended_at: float | None = None
        self.left: FailureKind | None = None
        self.written = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        try:
            if self.start:
                exchange.start(200, PLAIN)
            while True:
                if self.start:
                    await exchange.write(self.piece)
                    self.written += len(self.piece)
                await asyncio.sleep(0.001 if len(self.piece) < 100 else 0)
        finally:
            self.ended_at = asyncio.get_running_loop().time()
            self.left = exchange.left


@pytest.mark.parametrize("start", [True, False], ids=["mid-stream", "before headers"])
@pytest.mark.parametrize("way", ["close", "reset", "half-close"])
async def test_client_that_leaves_cancels_its_handler_at_once(start: bool, way: str, open_door: OpenDoor) -> None:
    handler = Endless(start=start)
    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    await eventually(lambda: handler.exchange is not None)
    await asyncio.sleep(0.01)
    left_at = asyncio.get_running_loop().time()
    if way == "half-close":
        wire.writer.write_eof()
    else:
        if way == "reset":
            raw = wire.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wire.writer.transport.abort()
    await eventually(lambda: handler.ended_at is not None)
    assert handler.ended_at is not None
    assert handler.ended_at - left_at < 0.1
    assert handler.left is FailureKind.CLIENT_LEFT
    assert not door.errors


async def test_client_that_leaves_while_its_answer_is_stuck_cancels_the_handler(open_door: OpenDoor) -> None:
    handler = Endless(start=True, piece=b"x" * 65536)
    door = await open_door(handler)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    await eventually(lambda: handler.written > 100_000)
    await asyncio.sleep(0.05)
    stuck_at = handler.written
    await asyncio.sleep(0.05)
    assert handler.written == stuck_at
    await wire.close()
    await eventually(lambda: handler.left is FailureKind.CLIENT_LEFT)


async def test_client_that_leaves_within_a_body_leaves_nothing_behind(open_door: OpenDoor) -> None:
    door = await open_door(whole)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"a" * 500)
    await eventually(lambda: door.server.bodies_bytes == 500)
    await wire.close()
    await eventually(lambda: door.server.bodies_bytes == 0)


async def test_client_that_leaves_with_requests_waiting_has_none_of_them_handled(open_door: OpenDoor) -> None:
    handler = Endless(start=False)
    door = await open_door(handler)
    wire = await door.wire()
    await wire.send((b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde") * 3)
    await eventually(lambda: door.server.bodies_bytes == 15)
    first = handler.exchange
    await wire.close()
    await eventually(lambda: handler.ended_at is not None)
    await asyncio.sleep(0.01)
    assert handler.exchange is first
    assert door.server.bodies_bytes == 0


async def test_answering_a_client_that_left_is_without_effect(open_door: OpenDoor) -> None:
    ended = asyncio.Event()

    async def stubborn(exchange: Exchange) -> None:
        exchange.start(200, ())
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)  # the transport is gone by now
            await exchange.write(b"last words")
            exchange.finish()
            exchange.abort()
            ended.set()

    door = await open_door(stubborn)
    wire = await door.wire()
    await wire.send(GET)
    await asyncio.sleep(0.02)
    await wire.close()
    await asyncio.wait_for(ended.wait(), 1)
    assert not door.errors


# Clients that read slowly


async def test_client_that_stops_reading_an_endless_stream_stops_its_handler(open_door: OpenDoor) -> None:
    handler = Endless(start=True, piece=b"x" * 16_384)
    door = await open_door(handler)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    await asyncio.sleep(0.2)
    stuck_at = handler.written
    await asyncio.sleep(0.1)
    assert handler.written == stuck_at
    (connection,) = door.server._connections
    assert connection._transport.get_write_buffer_size() < 256 * 1024
    await wire.reader.readexactly(stuck_at)  # it reads again, and gets on
    await eventually(lambda: handler.written > stuck_at)


async def test_client_that_takes_nothing_for_too_long_is_cut_off(open_door: OpenDoor) -> None:
    handler = Endless(start=True, piece=b"x" * 65_536)
    door = await open_door(handler, stall_s=0.1)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    await eventually(lambda: handler.left is FailureKind.CLIENT_LEFT)
    assert door.server.connections == 0


async def test_client_that_reads_slowly_but_steadily_is_kept(open_door: OpenDoor) -> None:
    handler = Endless(start=True, piece=b"x" * 65_536)
    door = await open_door(handler, stall_s=0.15)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    for _ in range(20):
        await asyncio.sleep(0.02)
        await wire.reader.readexactly(400_000)
    assert handler.left is None


async def test_client_that_never_takes_a_finished_answer_is_cut_off(open_door: OpenDoor) -> None:
    async def huge(exchange: Exchange) -> None:
        exchange.respond(200, (), bytes(20_000_000))

    door = await open_door(huge, stall_s=0.1, idle_s=0.05)
    wire = await door.wire(limit=1024)
    await wire.send(GET)
    await eventually(lambda: door.server.connections == 1)
    await eventually(lambda: door.server.connections == 0)
    assert wire


async def test_small_pieces_go_out_at_once(open_door: OpenDoor) -> None:
    go = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        exchange.start(200, PLAIN)
        for _ in range(3):
            await go.wait()
            go.clear()
            await exchange.write(b"data: 1\n\n")
        exchange.finish()

    door = await open_door(handler)
    wire = await door.wire()
    await wire.send(GET)
    assert b"chunked" in await wire.reader.readuntil(b"\r\n\r\n")  # the head does not wait for the first piece
    for _ in range(3):
        go.set()
        started = asyncio.get_running_loop().time()
        assert await wire.reader.readexactly(14) == b"9\r\ndata: 1\n\n\r\n"
        assert asyncio.get_running_loop().time() - started < 0.03  # Nagle's algorithm would wait 40 ms for an ACK


async def test_nagle_is_off_on_accepted_connections(open_door: OpenDoor) -> None:
    door = await open_door(whole)
    wire = await door.wire()
    await wire.send(GET)
    await wire.reply()
    (connection,) = door.server._connections
    raw = connection._transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

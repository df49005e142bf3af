"""What our server makes of requests, proper and improper, however their bytes are split."""

from __future__ import annotations

import asyncio
import re
import tracemalloc
from typing import NamedTuple

import pytest

from transport.peers import Door, MemoryTransport, OpenDoor, eventually, refusal
from understudy.ports import Exchange
from understudy.transport.inbound import InboundConnection
from understudy.transport.server import Server

H = b"Host: a\r\n"
CHUNKED = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Odd(NamedTuple):
    """A request, the statuses it gets, and what of it reaches the handler: method, path, body."""

    name: str
    raw: bytes
    statuses: list[int]
    seen: list[tuple[str, str, bytes]]


def refused(name: str, raw: bytes, status: int = 400) -> Odd:
    return Odd(name, raw, [status], [])


def served(name: str, raw: bytes, *seen: tuple[str, str, bytes]) -> Odd:
    return Odd(name, raw, [200] * len(seen), list(seen))


BATTERY = [
    # two readings of where the body ends: the stuff of request smuggling
    refused("length and chunked", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused("chunked and length", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    refused("two lengths", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    refused("the same length twice", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    refused("a list of lengths", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 3, 3\r\n\r\nabc"),
    refused("a signed length", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: +3\r\n\r\nabc"),
    refused("a negative length", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: -3\r\n\r\nabc"),
    refused("a hexadecimal length", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 0x3\r\n\r\nabc"),
    refused("a length with an underscore", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1_0\r\n\r\n0123456789"),
    refused("an empty length", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: \r\n\r\nabc"),
    refused("a length beyond 64 bits", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 99999999999999999999999\r\n\r\nabc"),
    refused("space before the length's colon", b"POST / HTTP/1.1\r\n" + H + b"Content-Length : 3\r\n\r\nabc"),
    refused("chunked in HTTP/1.0", b"POST / HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused("chunked twice", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused("chunked, then identity", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    refused("identity, then chunked", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501),
    refused("gzip, then chunked", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    refused("gzip alone", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: gzip\r\n\r\nabc", 501),
    refused("xchunked", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    refused("an empty coding", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n"),
    refused("vertical tab before chunked", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    refused("space before the coding's colon", b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    served("chunked in capitals", b"POST /x HTTP/1.1\r\n" + H + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", ("POST", "/x", b"a")),
    # chunks
    served("chunks with an extension", CHUNKED + b"3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", ("POST", "/x", b"abc0123456789")),
    served("trailers are dropped", CHUNKED + b"3\r\nabc\r\n0\r\nHost: evil\r\nX: y\r\n\r\n", ("POST", "/x", b"abc")),
    refused("a chunk size that is no number", CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"),
    refused("a negative chunk size", CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n"),
    refused("a chunk size with 0x", CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    refused("a chunk size beyond 64 bits", CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    refused("space after a chunk size", CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    refused("a chunk size line ended by LF", CHUNKED + b"3\nabc\r\n0\r\n\r\n"),
    refused("a chunk extension ended by LF", CHUNKED + b"3;a=b\nabc\r\n0\r\n\r\n"),
    refused("a chunk longer than its size", CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n"),
    refused("a chunk without its line end", CHUNKED + b"3\r\nabc0\r\n\r\n"),
    refused("a length among the trailers", CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"),
    # lines
    refused("LF alone after the request line", b"GET / HTTP/1.1\nHost: a\n\n"),
    refused("LF alone after a header", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    refused("CR alone inside a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    refused("a folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    refused("a first header that is indented", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    served("empty lines before a request", b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/x", b"")),
    # names and values
    refused("NUL in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    refused("a control character in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01b\r\n\r\n"),
    refused("a tab in a name", b"GET / HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n"),
    refused("an empty name", b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
    refused("a name beyond ASCII", b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: b\r\n\r\n"),
    refused("a header without a colon", b"GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n"),
    served("a value beyond ASCII", b"GET /x HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n", ("GET", "/x", b"")),
    served("an empty value", b"GET /x HTTP/1.1\r\nHost: a\r\nX:\r\nY: \r\n\r\n", ("GET", "/x", b"")),
    # host
    refused("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    refused("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    refused("the same Host twice", b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
    refused("a Host with a space", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    refused("a Host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    refused("a Host with a user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    served("a Host that is an address", b"GET /x HTTP/1.1\r\nHost: [::1]:8484\r\n\r\n", ("GET", "/x", b"")),
    # versions and other protocols
    refused("HTTP/0.9", b"GET /\r\n\r\n", 505),
    refused("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    refused("HTTP/2.0 in words", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    refused("a SOCKS hello", b"\x05\x01\x00"),
    served("an offer of h2c", b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\nContent-Length: 3\r\n\r\nabc", ("POST", "/x", b"abc")),
    served("an offer of a web socket", b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", ("GET", "/x", b"")),
    refused("two lengths behind an offer", b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    # methods and targets
    refused("a method that nobody knows", b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("a method in small letters", b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("CONNECT", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
    served("a known but unusual method", b"PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n", ("PROPFIND", "/x", b"")),
    served("absolute form", b"GET http://b/x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/x", b"")),
    served("absolute form without a path", b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/", b"")),
    served("asterisk form", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ("OPTIONS", "*", b"")),
    served("a percent-encoded path", b"GET /m%2Fn%20o HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", "/m/n o", b"")),
    refused("a path that is not UTF-8", b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("a target without a slash", b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("a space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("a byte beyond ASCII in the target", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("a control character in the target", b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    # expectations
    refused("an unknown expectation", b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na", 417),
    # one request after another
    served("two at once", b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nz", ("GET", "/1", b""), ("POST", "/2", b"z")),
    Odd("a good one, then a bad one", b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n", [200, 400], [("GET", "/1", b"")]),
    Odd("a body that looks like a request", b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 32\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n", [200], [("POST", "/1", b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n")]),
    Odd("more after Connection: close", b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", [200], [("GET", "/1", b"")]),
]  # fmt: skip


class Recorder:
    """A handler that remembers what it got."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes]] = []

    async def __call__(self, exchange: Exchange) -> None:
        self.seen.append((exchange.method, exchange.path, exchange.body))
        exchange.respond(200, (), b"ok")


def statuses_in(output: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", output)]


@pytest.mark.parametrize("odd", BATTERY, ids=lambda odd: odd.name)
async def test_odd_request_gets_its_verdict(odd: Odd, open_door: OpenDoor) -> None:
    handler = Recorder()
    door = await open_door(handler, linger_s=0.05, idle_s=0.05)
    wire = await door.wire()
    await wire.send(odd.raw)
    output = await wire.ended()  # a refusal closes; what was served is closed as idle
    assert statuses_in(output) == odd.statuses, output
    assert handler.seen == odd.seen
    assert not door.errors


@pytest.mark.no_cover
@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("odd", BATTERY, ids=lambda odd: odd.name)
async def test_verdict_does_not_depend_on_how_bytes_are_split(odd: Odd, size: int) -> None:
    handler = Recorder()
    errors: list[BaseException] = []
    server = Server(handler, refusal, on_error=errors.append)
    connection = InboundConnection(server, asyncio.get_running_loop())
    transport = MemoryTransport()
    connection.connection_made(transport)
    for start in range(0, len(odd.raw), size):
        connection.data_received(odd.raw[start : start + size])
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert statuses_in(transport.written) == odd.statuses, transport.written
    assert handler.seen == odd.seen
    assert not errors
    connection.connection_lost(None)
    assert server.bodies_bytes == 0
    await asyncio.sleep(0)


async def echo(exchange: Exchange) -> None:
    exchange.respond(200, ((b"x-method", exchange.method.encode()),), exchange.body)


async def post(door: Door, head: bytes, body: bytes = b"") -> int:
    wire = await door.wire()
    await wire.send(b"POST /v1/x HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n" + body)
    return (await wire.reply()).status


async def test_request_arrives_with_all_its_parts(open_door: OpenDoor) -> None:
    seen: list[Exchange] = []

    async def keep(exchange: Exchange) -> None:
        seen.append(exchange)
        exchange.respond(200, (), b"")

    door = await open_door(keep)
    wire = await door.wire()
    await wire.send(
        b"POST /v1/a%20b?x=%20&y HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nx-one: 2\r\nCookie: a\r\nCookie: b\r\n"
        b"Content-Length: 2\r\n\r\nhi"
    )
    await wire.reply()
    (exchange,) = seen
    assert (exchange.method, exchange.path, exchange.query) == ("POST", "/v1/a b", "x=%20&y")
    assert exchange.headers == {b"host": b"h", b"x-one": b"1, 2", b"cookie": b"a; b", b"content-length": b"2"}
    assert (exchange.peer, exchange.left) == ("127.0.0.1", None)


async def test_requests_on_one_connection_do_not_mix(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    for number in range(5):
        body = b"%d" % number * number
        await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        assert (await wire.reply()).body == body
    assert door.server.connections == 1


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(open_door: OpenDoor) -> None:
    running = 0

    async def slow(exchange: Exchange) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.002)
        exchange.respond(200, (), exchange.path.encode())
        running -= 1

    door = await open_door(slow)
    wire = await door.wire()
    await wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(8)))
    await asyncio.sleep(0.004)
    await wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(8, 16)))
    assert [(await wire.reply()).body for _ in range(16)] == [b"/%d" % number for number in range(16)]
    assert not door.errors


async def test_too_many_pipelined_requests_are_dropped_with_the_connection(open_door: OpenDoor) -> None:
    handler = Recorder()
    door = await open_door(handler, pipeline_max=4)
    wire = await door.wire()
    await wire.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
    assert statuses_in(await wire.ended()) == [200] * 5
    assert [path for _, path, _ in handler.seen] == ["/0", "/1", "/2", "/3", "/4"]


async def test_bytes_behind_a_request_in_flight_are_bounded(open_door: OpenDoor) -> None:
    done = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        await done.wait()
        exchange.respond(200, (), b"")

    door = await open_door(wait)
    wire = await door.wire()
    await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.02)
    flood = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n" + bytes(20_000_000)
    sending = asyncio.create_task(wire.send(flood))
    await asyncio.sleep(0.1)
    (connection,) = door.server._connections
    assert connection._held_bytes < 512 * 1024
    assert not sending.done()
    done.set()
    assert (await wire.reply()).status == 200
    assert (await wire.reply()).status == 200
    await sending


async def test_headers_beyond_the_limit_are_refused(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    assert await post(door, b"X: " + b"a" * 200_000 + b"\r\n") == 431
    assert await post(door, b"".join(b"X-%d: a\r\n" % number for number in range(5000))) == 431
    assert await post(door, b"X: a\r\n" * 129) == 431
    assert await post(door, b"".join(b"X-%d: %b\r\n" % (number, b"a" * 1000) for number in range(70))) == 431
    assert await post(door, b"".join(b"X-%d: %b\r\n" % (number, b"a" * 1000) for number in range(50))) == 200


async def test_endless_request_target_is_refused(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    await wire.send(b"GET /" + b"a" * 80_000)
    assert (await wire.reply()).status == 431


@pytest.mark.parametrize("framing", [b"Content-Length: 2000\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_body_beyond_the_limit_is_refused(framing: bytes, open_door: OpenDoor) -> None:
    door = await open_door(echo, body_max_bytes=1000)
    body = b"a" * 2000 if b"Length" in framing else b"3e8\r\n" + b"a" * 1000 + b"\r\n1\r\na\r\n0\r\n\r\n"
    assert await post(door, framing, body) == 413
    assert await post(door, b"Content-Length: 1000\r\n", b"a" * 1000) == 200
    assert await post(door, b"Transfer-Encoding: chunked\r\n", b"3e8\r\n" + b"a" * 1000 + b"\r\n0\r\n\r\n") == 200


@pytest.mark.parametrize("filler", [b"0;" + b"x" * 200_000, b"0\r\nX: " + b"x" * 200_000])
async def test_endless_chunk_framing_is_refused(filler: bytes, open_door: OpenDoor) -> None:
    door = await open_door(echo)
    assert await post(door, b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n" + filler) == 400


async def test_bodies_of_all_requests_together_are_bounded(open_door: OpenDoor) -> None:
    done = asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        await done.wait()
        exchange.respond(200, (), b"")

    door = await open_door(hold, bodies_max_bytes=2500)
    wires = [await door.wire() for _ in range(3)]
    for wire in wires[:2]:
        await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000)
    await eventually(lambda: door.server.bodies_bytes == 2000)
    await wires[2].send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000)
    reply = await wires[2].reply()
    assert (reply.status, reply.headers["x-kind"]) == (503, "busy")
    done.set()
    assert [(await wire.reply()).status for wire in wires[:2]] == [200, 200]
    assert door.server.bodies_bytes == 0


async def test_forgotten_body_makes_room_for_others(open_door: OpenDoor) -> None:
    done = asyncio.Event()

    async def forget(exchange: Exchange) -> None:
        assert len(exchange.body) == 1000
        exchange.forget_body()
        exchange.forget_body()
        assert exchange.body == b""
        await done.wait()
        exchange.respond(200, (), b"")

    door = await open_door(forget, bodies_max_bytes=1500)
    wires = [await door.wire() for _ in range(3)]
    for wire in wires:
        await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000)
        await asyncio.sleep(0.01)
    done.set()
    assert [(await wire.reply()).status for wire in wires] == [200, 200, 200]


async def test_expect_100_continue_is_answered_before_the_body(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert (await wire.reply()).status == 100
    await wire.send(b"abc")
    assert (await wire.reply()).body == b"abc"


async def test_expect_100_continue_is_not_answered_when_the_body_is_already_here(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
    assert (await wire.reply()).status == 200


async def test_expect_100_continue_of_a_pipelined_request_waits_for_its_turn(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    await wire.send(
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        b"POST /2 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    )
    assert (await wire.reply()).status == 200
    assert (await wire.reply()).status == 100
    await wire.send(b"abc")
    assert (await wire.reply()).body == b"abc"


async def test_too_large_body_is_refused_before_it_is_sent(open_door: OpenDoor) -> None:
    door = await open_door(echo, body_max_bytes=1000)
    wire = await door.wire()
    await wire.send(b"POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n")
    reply = await wire.reply()
    assert reply.status == 413
    assert reply.headers["connection"] == "close"
    assert reply.body.startswith(b"/p|")


async def test_refusal_reaches_a_client_that_is_still_sending(open_door: OpenDoor) -> None:
    door = await open_door(echo, body_max_bytes=1000, linger_s=1.0)
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
    await wire.send(b"a" * 3_000_000)  # unread, this would turn into a reset that eats the answer
    assert (await wire.reply()).status == 413
    assert await wire.ended() == b""


async def test_large_body_arrives_whole(open_door: OpenDoor) -> None:
    door = await open_door(echo)
    wire = await door.wire()
    body = bytes(range(256)) * 4 * 5000
    sending = asyncio.create_task(
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    )
    assert (await wire.reply()).body == body
    await sending


async def test_an_offer_of_another_protocol_makes_no_later_client_of_one_that_speaks_http_1_0(
    open_door: OpenDoor,
) -> None:
    async def stream(exchange: Exchange) -> None:
        exchange.start(200, ())
        await exchange.write(b"piece")
        exchange.finish()

    door = await open_door(stream)
    wire = await door.wire()
    await wire.send(b"GET /x HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    answer = await wire.ended()
    assert b"chunked" not in answer
    assert answer.endswith(b"\r\n\r\npiece")


async def test_an_idle_connection_keeps_nothing_of_a_giant_request(open_door: OpenDoor) -> None:
    async def answer(exchange: Exchange) -> None:
        exchange.respond(200, (), b"")

    door = await open_door(answer)
    wires = [await door.wire() for _ in range(20)]
    tracemalloc.start()
    try:
        for wire in wires:
            head = b"POST /x?%b HTTP/1.1\r\nHost: %b\r\nContent-Length: 100000\r\n\r\n" % (b"y" * 30_000, b"a" * 30_000)
            await wire.send(head + b"z" * 100_000)
            assert (await wire.reply()).status == 200
        assert tracemalloc.get_traced_memory()[0] / len(wires) < 15_000
    finally:
        tracemalloc.stop()

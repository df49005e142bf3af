"""What our client makes of answers, proper and improper, of silence and of cuts."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from typing import TYPE_CHECKING

import pytest

from transport.peers import SOON_S, MakeClient, Provide, Provider, eventually, request, soon, until_closed
from understudy.core.failure import FailureKind
from understudy.ports import HttpAnswer, Origin, TransportFailure
from understudy.transport.client import Client
from understudy.transport.outbound import OutboundConnection

if TYPE_CHECKING:
    from understudy.transport.stream import OutboundStream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


async def send(client: Client, origin: Origin, within_s: float = SOON_S, **options: object) -> HttpAnswer:
    return await client.send(request(origin, **options), connect_s=1.0, until_s=soon(within_s))


async def open_stream(client: Client, origin: Origin, within_s: float = SOON_S) -> OutboundStream:
    return await client.stream(request(origin), connect_s=1.0, until_s=soon(within_s))


async def read_all(stream: OutboundStream, within_s: float = SOON_S) -> bytes:
    body = b""
    while data := await stream.read(soon(within_s)):
        body += data
    return body


async def streamed(client: Client, origin: Origin) -> tuple[int, bytes]:
    stream = await open_stream(client, origin)
    try:
        return stream.status, await read_all(stream)
    finally:
        stream.close()


# Requests as they go out


async def test_request_goes_out_with_host_length_and_its_own_headers(client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    await send(client, provider.origin, path="/v1/x?y=1", body=b"abc", authorization="Bearer k")
    (raw,) = provider.requests
    assert raw == (
        b"POST /v1/x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer k\r\naccept-encoding: identity\r\n"
        b"content-length: 3\r\n\r\nabc" % provider.port
    )


async def test_get_has_no_length_and_the_callers_accept_encoding_stands(client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    await send(client, provider.origin, method="GET", body=b"", Accept_Encoding="gzip")
    (raw,) = provider.requests
    assert raw == b"GET /v1/x HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nAccept-Encoding: gzip\r\n\r\n" % provider.port


async def test_large_body_arrives_whole(client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    body = bytes(range(256)) * 20_000
    await send(client, provider.origin, body=body)
    assert provider.requests[0].endswith(body)


@pytest.mark.parametrize(
    "bad",
    [
        {"method": "GET / HTTP/1.1\r\nX:"},
        {"method": ""},
        {"path": "/a b"},
        {"path": "/a\r\nx: y"},
        {"path": "v1"},
        {"path": "/é"},
        {"x": "a\r\nb: c"},
        {"x": "a\nb"},
        {"x": "a\0b"},
        {"x\r\ny": "a"},
    ],
)
async def test_request_that_would_split_is_never_sent(bad: dict[str, str], client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    with pytest.raises(ValueError, match=r"is not a|holds a line end"):
        await send(client, provider.origin, **bad)
    assert provider.opened == 0


async def test_nagle_is_off(client: Client, provide: Provide) -> None:
    await send(client, (await provide(OK)).origin)
    (pool,) = client._pools.values()
    (connection,) = pool.connections
    raw = connection._transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# Answers

PROPER = [
    ("length", OK, 200, b"hi"),
    ("chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n", 200, b"hi"),
    ("trailers", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n", 200, b"hi"),
    ("no body", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    ("not modified", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
    ("empty", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    ("an odd status", b"HTTP/1.1 529 Site Overloaded\r\nContent-Length: 2\r\n\r\nhi", 529, b"hi"),
    ("no reason phrase", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
    ("interim answers", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"hi"),
    ("keep-alive of HTTP/1.0", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
]  # fmt: skip
ENDING = [
    ("end of connection", b"HTTP/1.1 200 OK\r\n\r\nhi", 200, b"hi"),
    ("end of connection, HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Type: x\r\n\r\nhi", 200, b"hi"),
    ("empty until the end of connection", b"HTTP/1.1 200 OK\r\n\r\n", 200, b""),
    ("announced close", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi"),
    ("announced close, chunks", b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, b"hi"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "status", "body"), [row[1:] for row in PROPER], ids=[row[0] for row in PROPER])
async def test_proper_answer_is_read_and_its_connection_reused(
    raw: bytes, status: int, body: bytes, client: Client, provide: Provide
) -> None:
    provider = await provide(raw)
    for _ in range(2):
        answer = await send(client, provider.origin)
        assert (answer.status, answer.body) == (status, body)
        assert await streamed(client, provider.origin) == (status, body)
    assert provider.opened == 1
    assert (client.stats.open, client.stats.idle) == (1, 1)


@pytest.mark.parametrize(("raw", "status", "body"), [row[1:] for row in ENDING], ids=[row[0] for row in ENDING])
async def test_answer_that_ends_with_its_connection_is_whole_and_the_next_gets_another(
    raw: bytes, status: int, body: bytes, client: Client, provide: Provide
) -> None:
    provider = await provide(raw, close=True)
    answer = await send(client, provider.origin)
    assert (answer.status, answer.body) == (status, body)
    assert await streamed(client, provider.origin) == (status, body)
    assert provider.opened == 2
    assert client.stats.open == 0


@pytest.mark.parametrize("row", PROPER + ENDING, ids=lambda row: row[0])
async def test_answer_does_not_depend_on_how_bytes_are_split(
    row: tuple[str, bytes, int, bytes], client: Client, provide: Provide
) -> None:
    _, raw, status, body = row

    async def trickle(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        for byte in raw:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await writer.drain()

    provider = await provide(trickle)
    answer = await send(client, provider.origin)
    assert (answer.status, answer.body) == (status, body)
    assert await streamed(client, provider.origin) == (status, body)


async def test_answer_headers_are_lower_case_and_repeated_ones_joined(client: Client, provide: Provide) -> None:
    provider = await provide(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nEmpty:\r\nContent-Length: 0\r\n\r\n")
    answer = await send(client, provider.origin)
    assert answer.headers == {b"x-a": b"1, 2", b"empty": b"", b"content-length": b"0"}


async def test_answer_to_head_has_headers_only(client: Client, provide: Provide) -> None:
    provider = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    answer = await send(client, provider.origin, method="HEAD", body=b"")
    assert (answer.body, answer.headers[b"content-length"]) == (b"", b"5000")
    stream = await client.stream(request(provider.origin, "HEAD", body=b""), connect_s=1, until_s=soon())
    assert await read_all(stream) == b""


async def test_answer_that_comes_before_the_request_is_all_sent_is_kept(client: Client, provide: Provide) -> None:
    async def hasty(provider: Provider, reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(0.05)

    provider = await provide(hasty)
    answer = await send(client, provider.origin, body=bytes(20_000_000))
    assert (answer.status, answer.body) == (413, b"no")
    assert client.stats.open == 0  # half a request is still in its buffer


# Failures

FAILING = [
    ("garbage", b"\x00\x01\x02 nothing of the kind\r\n\r\n", FailureKind.MALFORMED),
    ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n", FailureKind.MALFORMED),
    ("a bad status line", b"HTTP/1.1 OK 200\r\n\r\n", FailureKind.MALFORMED),
    ("a bad length", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhi", FailureKind.MALFORMED),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", FailureKind.MALFORMED),
    ("length and chunks", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", FailureKind.MALFORMED),
    ("a bad chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", FailureKind.MALFORMED),
    ("LF line ends", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", FailureKind.MALFORMED),
    ("switched protocols", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", FailureKind.MALFORMED),
    ("endless headers", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, FailureKind.MALFORMED),
    ("too large headers", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\nContent-Length: 2\r\n\r\nhi", FailureKind.MALFORMED),
    ("endless trailers", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 200_000, FailureKind.MALFORMED),
    ("nothing at all", b"", FailureKind.CONNECTION_LOST),
    ("half a status line", b"HTTP/1.1 2", FailureKind.TRUNCATED),
    ("half a head", b"HTTP/1.1 200 OK\r\nContent-", FailureKind.TRUNCATED),
    ("an interim answer only", b"HTTP/1.1 100 Continue\r\n\r\n", FailureKind.TRUNCATED),
    ("head only", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", FailureKind.TRUNCATED),
    ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", FailureKind.TRUNCATED),
    ("no last chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", FailureKind.TRUNCATED),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "kind"), [row[1:] for row in FAILING], ids=[row[0] for row in FAILING])
async def test_improper_answer_is_named(raw: bytes, kind: FailureKind, client: Client, provide: Provide) -> None:
    provider = await provide(raw, close=True)
    with pytest.raises(TransportFailure) as whole:
        await send(client, provider.origin)
    assert (whole.value.kind, whole.value.sent) == (kind, True), whole.value.message
    with pytest.raises(TransportFailure) as piecewise:
        await streamed(client, provider.origin)
    assert (piecewise.value.kind, piecewise.value.sent) == (kind, True)
    assert provider.opened == 2  # nothing is repeated on a fresh connection
    assert client.stats.open == 0


@pytest.mark.parametrize(
    ("first", "kind"),
    [(b"", FailureKind.CONNECTION_LOST), (b"HTTP/1.1 200 OK\r\n\r\nhi", FailureKind.TRUNCATED)],
)
async def test_reset_is_never_taken_for_an_end(
    first: bytes, kind: FailureKind, client: Client, provide: Provide
) -> None:
    async def reset(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(first)
        await writer.drain()
        await asyncio.sleep(0.02)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    provider = await provide(reset)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert failure.value.kind is kind
    with pytest.raises(TransportFailure) as failure:
        await streamed(client, provider.origin)
    assert failure.value.kind is kind


async def test_bytes_before_a_cut_can_still_be_read(client: Client, provide: Provide) -> None:
    provider = await provide(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", close=True)
    stream = await open_stream(client, provider.origin)
    assert await stream.read(soon()) == b"hi"
    for _ in range(2):
        with pytest.raises(TransportFailure) as failure:
            await stream.read(soon())
        assert failure.value.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
    ],
    ids=["announced", "announced and here", "chunks", "chunks, all here", "until the end"],
)
async def test_answer_beyond_the_limit_is_given_up(raw: bytes, make_client: MakeClient, provide: Provide) -> None:
    async def script(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(raw)
        await until_closed(reader)  # the client hangs up: it does not wait for more

    client = make_client(answer_max_bytes=1000)
    with pytest.raises(TransportFailure) as failure:
        await send(client, (await provide(script)).origin)
    assert failure.value.kind is FailureKind.ANSWER_TOO_LARGE
    whole = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    assert len((await send(client, whole.origin)).body) == 1000


async def test_refused_connection_is_named_at_once(client: Client, free_port: int) -> None:
    origin = Origin("http", "127.0.0.1", free_port)
    started = asyncio.get_running_loop().time()
    with pytest.raises(TransportFailure) as failure:
        await send(client, origin)
    assert asyncio.get_running_loop().time() - started < 0.1
    assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECTION_REFUSED, False)
    assert client.stats.open == 0


# Time


async def silent(provider: Provider, reader: Reader, writer: Writer) -> None:
    await provider.request(reader)
    await until_closed(reader)


async def test_silence_ends_at_the_deadline_and_closes_the_connection(client: Client, provide: Provide) -> None:
    provider = await provide(silent)
    started = asyncio.get_running_loop().time()
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin, within_s=0.1)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.ANSWER_TIMEOUT, True)
    assert 0.09 < asyncio.get_running_loop().time() - started < 0.3
    await eventually(lambda: provider.closed == 1, within_s=0.1)
    with pytest.raises(TransportFailure) as failure:
        await open_stream(client, provider.origin, within_s=0.1)
    assert (failure.value.kind, failure.value.sent) == (FailureKind.HEADERS_TIMEOUT, True)
    await eventually(lambda: provider.closed == 2, within_s=0.1)


async def test_whole_answer_that_trickles_past_its_deadline_is_an_answer_timeout(
    client: Client, provide: Provide
) -> None:
    async def trickle(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    provider = await provide(trickle)
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin, within_s=0.1)
    assert failure.value.kind is FailureKind.ANSWER_TIMEOUT


async def test_stalled_stream_is_an_idle_timeout_of_the_read_that_waited(client: Client, provide: Provide) -> None:
    async def stall(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"1\r\nx\r\n")
            await asyncio.sleep(0.05)
        await until_closed(reader)

    provider = await provide(stall)
    stream = await open_stream(client, provider.origin)
    for _ in range(3):
        assert await stream.read(soon(0.2)) == b"x"
    with pytest.raises(TransportFailure) as failure:
        await stream.read(soon(0.1))
    assert failure.value.kind is FailureKind.IDLE_TIMEOUT
    await eventually(lambda: provider.closed == 1, within_s=0.1)


async def test_time_between_reads_does_not_count(client: Client, provide: Provide) -> None:
    async def slow(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh")
        await asyncio.sleep(0.15)
        writer.write(b"i")
        await until_closed(reader)

    stream = await open_stream(client, (await provide(slow)).origin)
    assert await stream.read(soon(0.05)) == b"h"
    await asyncio.sleep(0.1)  # the reader is busy elsewhere, and the deadline of its last read passes
    assert await stream.read(soon(0.3)) == b"i"
    assert await stream.read(soon()) == b""


async def test_connection_that_is_not_accepted_in_time_is_a_connect_timeout(client: Client) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)  # its backlog is full after the first; further SYNs are ignored
        place = listener.getsockname()
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(place)
        started = asyncio.get_running_loop().time()
        with pytest.raises(TransportFailure) as failure:
            await client.send(request(Origin("http", *place)), connect_s=0.1, until_s=soon())
        assert (failure.value.kind, failure.value.sent) == (FailureKind.CONNECT_TIMEOUT, False)
        assert asyncio.get_running_loop().time() - started < 0.5
        for filler in fillers:
            filler.close()
    assert client.stats.open == 0


# Cancellation


@pytest.mark.parametrize("phase", ["whole", "headers", "reading"])
async def test_cancelling_closes_the_upstream_connection_at_once(phase: str, client: Client, provide: Provide) -> None:
    async def begin(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        if phase == "reading":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await until_closed(reader)

    provider = await provide(begin)

    async def call() -> None:
        if phase == "whole":
            await send(client, provider.origin)
        stream = await open_stream(client, provider.origin)
        try:
            await stream.read(soon())
        finally:
            stream.close()

    task = asyncio.create_task(call())
    await eventually(lambda: len(provider.requests) == 1)
    await asyncio.sleep(0.02)
    task.cancel()
    await eventually(lambda: provider.closed == 1, within_s=0.1)
    assert task.cancelled()
    assert client.stats.open == 0


@pytest.mark.parametrize("how", ["send", "stream"])
async def test_cancelling_when_the_answer_has_just_come_leaks_nothing(
    how: str, client: Client, provide: Provide
) -> None:
    """Cancelled at each of the loop's turns from the answer's arrival on: the connection is in the pool, or closed."""
    provider = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    for turns in range(12):
        ask = client.send if how == "send" else client.stream
        task = asyncio.create_task(ask(request(provider.origin), connect_s=1, until_s=soon()))
        await eventually(lambda count=turns: len(provider.requests) > count)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and how == "stream":
            task.result().close()
        await asyncio.sleep(0.005)
        assert client.stats.open == client.stats.idle
    assert (await send(client, provider.origin)).body == b"abc"


@pytest.mark.parametrize("rest", [b"", b"bc"], ids=["in part", "whole"])
@pytest.mark.parametrize("how", ["fetch", "open"])
async def test_cancelling_in_the_very_turn_of_the_answers_arrival_leaks_nothing(
    how: str, rest: bytes, client: Client, provide: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begin(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na" + rest)
        await until_closed(reader)

    provider = await provide(begin)
    real = getattr(OutboundConnection, how)

    def watched(*args: object) -> asyncio.Future[object]:
        waiter: asyncio.Future[object] = real(*args)
        waiter.add_done_callback(lambda _: task.cancel())  # runs before the one that waits does
        return waiter

    monkeypatch.setattr(OutboundConnection, how, watched)
    ask = client.send if how == "fetch" else client.stream
    until_s = soon() if rest or how == "open" else soon(0.05)
    task = asyncio.ensure_future(ask(request(provider.origin), connect_s=1, until_s=until_s))
    await asyncio.wait((task,))
    assert task.cancelled()
    kept = 1 if rest else 0  # nothing is wrong with a connection whose answer is complete
    await eventually(lambda: (client.stats.open, client.stats.idle) == (kept, kept), within_s=0.1)


async def test_cancelling_after_a_failure_has_come_is_still_cancelling(client: Client, provide: Provide) -> None:
    """Its connection is another request's by then."""
    provider = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nx")
    stream = await open_stream(client, provider.origin)
    (connection,) = client._pools[provider.origin].connections
    waiter: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()
    waiter.set_exception(TransportFailure(FailureKind.MALFORMED, "the compressed body is corrupt", sent=True))
    connection.abandon(waiter)
    assert connection.usable
    stream.close()


async def test_cancelling_while_connecting_leaks_nothing(client: Client, provide: Provide) -> None:
    provider = await provide(OK)
    for turns in range(8):
        task = asyncio.create_task(send(client, provider.origin))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
    await eventually(lambda: provider.opened - provider.closed == client.stats.open == client.stats.idle)


async def test_stream_closed_early_closes_its_connection_and_a_complete_one_is_reused(
    client: Client, provide: Provide
) -> None:
    provider = await provide(OK)
    stream = await open_stream(client, provider.origin)
    await asyncio.sleep(0.01)
    stream.close()  # complete, though nobody has read it
    assert (client.stats.open, client.stats.idle) == (1, 1)
    endless = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nx")
    stream = await open_stream(client, endless.origin)
    stream.close()
    stream.close()
    await eventually(lambda: endless.closed == 1, within_s=0.1)


async def test_closing_a_stream_tells_its_reader(client: Client, provide: Provide) -> None:
    stream = await open_stream(client, (await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")).origin)
    reading = asyncio.create_task(stream.read(soon()))
    await asyncio.sleep(0)
    stream.close()
    for read in (reading, stream.read(soon())):
        with pytest.raises(TransportFailure) as failure:
            await read
        assert failure.value.kind is FailureKind.TRUNCATED  # never a proper end


# Back-pressure


async def test_unread_bytes_of_a_stream_are_bounded(client: Client, provide: Provide) -> None:
    sent = 0

    async def flood(provider: Provider, reader: Reader, writer: Writer) -> None:
        nonlocal sent
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(3000):
            writer.write(b"x" * 10_000)
            await writer.drain()
            sent += 10_000
        await until_closed(reader)

    stream = await open_stream(client, (await provide(flood)).origin)
    await asyncio.sleep(0.1)
    assert stream._unread_bytes <= 64 * 1024 + 256 * 1024
    stuck_at = sent
    assert stuck_at < 20_000_000  # the rest is held back by the sockets
    await asyncio.sleep(0.05)
    assert sent == stuck_at
    assert len(await read_all(stream)) == 30_000_000
    assert (client.stats.open, client.stats.idle) == (1, 1)


# Content encoding


def compressed(coding: str, body: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(body, mtime=0)
    if coding == "two gzip members":
        return gzip.compress(b"", mtime=0) + gzip.compress(body[:10], mtime=0) + gzip.compress(body[10:], mtime=0)
    if coding == "deflate":
        return zlib.compress(body)
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return raw.compress(body) + raw.flush()


def answer_with(encoded: bytes, name: str = "gzip") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\nContent-Length: {len(encoded)}\r\n\r\n"
    return head.encode() + encoded


@pytest.mark.parametrize("coding", ["gzip", "two gzip members", "deflate", "raw deflate"])
async def test_compressed_answer_comes_out_plain(coding: str, client: Client, provide: Provide) -> None:
    body = b"data: \xc3\xa9\n\n" * 20_000
    name = "gzip" if "gzip" in coding else "deflate"
    provider = await provide(answer_with(compressed(coding, body), name))
    answer = await send(client, provider.origin)
    assert answer.body == body
    assert b"content-encoding" not in answer.headers
    stream = await open_stream(client, provider.origin)
    assert b"content-encoding" not in stream.headers
    assert await read_all(stream) == body
    assert client.stats.idle == 1


async def test_compressed_stream_is_plain_piece_by_piece(client: Client, provide: Provide) -> None:
    go = asyncio.Event()

    async def script(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        packer = zlib.compressobj(wbits=31)
        for number in range(3):
            piece = packer.compress(b"data: %d\n\n" % number) + packer.flush(zlib.Z_SYNC_FLUSH)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await go.wait()
            go.clear()
        piece = packer.flush()
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(piece), piece))
        await until_closed(reader)

    stream = await open_stream(client, (await provide(script)).origin)
    for number in range(3):
        assert await stream.read(soon()) == b"data: %d\n\n" % number
        go.set()
    assert await stream.read(soon()) == b""


async def test_decompression_is_bounded(make_client: MakeClient, provide: Provide) -> None:
    client = make_client(answer_max_bytes=1_000_000)
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1, mtime=0)
    provider = await provide(answer_with(bomb))
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert failure.value.kind is FailureKind.ANSWER_TOO_LARGE
    stream = await open_stream(client, provider.origin)
    for _ in range(10):
        assert 0 < len(await stream.read(soon())) <= 64 * 1024
    stream.close()


@pytest.mark.parametrize(
    ("encoded", "kind"),
    [
        (gzip.compress(b"hello" * 100, mtime=0)[:-10], FailureKind.TRUNCATED),
        (b"not gzip at all", FailureKind.MALFORMED),
        (b"\x1f", FailureKind.TRUNCATED),
    ],
)
async def test_broken_compression_is_named(encoded: bytes, kind: FailureKind, client: Client, provide: Provide) -> None:
    provider = await provide(answer_with(encoded))
    with pytest.raises(TransportFailure) as failure:
        await send(client, provider.origin)
    assert failure.value.kind is kind
    with pytest.raises(TransportFailure) as failure:
        await streamed(client, provider.origin)
    assert failure.value.kind is kind


async def test_coding_that_we_never_asked_for_is_passed_on_as_it_is(client: Client, provide: Provide) -> None:
    answer = await send(client, (await provide(answer_with(b"xyz", "br"))).origin)
    assert (answer.body, answer.headers[b"content-encoding"]) == (b"xyz", b"br")


# Life of the client


async def test_closing_the_client_tells_whoever_waits(make_client: MakeClient, provide: Provide) -> None:
    client = make_client()
    quiet = await provide(silent)
    until_end = await provide(b"HTTP/1.1 200 OK\r\n\r\nhi")
    waiting = asyncio.create_task(send(client, quiet.origin))
    stream = await open_stream(client, until_end.origin)
    assert await stream.read(soon()) == b"hi"
    reading = asyncio.create_task(stream.read(soon()))
    await eventually(lambda: len(quiet.requests) == 1)
    await client.close()
    with pytest.raises(TransportFailure) as failure:
        await waiting
    assert failure.value.kind is FailureKind.CONNECTION_LOST
    with pytest.raises(TransportFailure) as failure:
        await reading  # never as if the answer had come to its end
    assert failure.value.kind is FailureKind.TRUNCATED
    with pytest.raises(RuntimeError, match="closed"):
        await send(client, Origin("http", "127.0.0.1", 1))


async def test_client_refuses_another_event_loop(client: Client, provide: Provide) -> None:
    await send(client, (await provide(OK)).origin)
    other = Origin("http", "127.0.0.2", 1)
    with pytest.raises(RuntimeError, match="belongs to the event loop"):
        await asyncio.to_thread(lambda: asyncio.run(send(client, other)))


async def test_client_refuses_schemes_it_does_not_speak(client: Client) -> None:
    with pytest.raises(ValueError, match="ftp"):
        await send(client, Origin("ftp", "127.0.0.1", 21))

"""Server and client back to back: whole answers, streams, leaving, back-pressure from end to end, and no leaks."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import pytest

from transport.peers import Door, MakeClient, OpenDoor, Provide, Provider, eventually, request, soon, until_closed
from understudy.ports import Origin
from understudy.transport.client import Client
from understudy.transport.relay import Relay, main, origin_of

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
ASK = b'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n{"stream":true}'


async def events(provider: Provider, reader: Reader, writer: Writer) -> None:
    while True:
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")


async def test_whole_answers_and_streams_pass_unchanged(
    client: Client, make_client: MakeClient, open_door: OpenDoor, provide: Provide
) -> None:
    whole = await provide(b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno")
    streaming = await provide(events)
    outside = make_client()
    door = await open_door(Relay(client, whole.origin))
    answer = await outside.send(request(door.origin, path="/v1/y?z=1", authorization="k"), connect_s=1, until_s=soon())
    assert (answer.status, answer.headers[b"content-type"], answer.body) == (503, b"text/plain", b"no")
    assert whole.requests[0].startswith(b"POST /v1/y?z=1 HTTP/1.1\r\n")
    assert b"authorization: k" in whole.requests[0]
    door = await open_door(Relay(client, streaming.origin))
    for _ in range(3):
        answer = await outside.send(request(door.origin, body=b'{"stream":true}'), connect_s=1, until_s=soon())
        assert answer.body == b"".join(b"data: %d\n\n" % number for number in range(5))
    assert (streaming.opened, client.stats.open, client.stats.idle) == (1, 2, 2)


async def test_unreachable_upstream_is_told(
    client: Client, make_client: MakeClient, open_door: OpenDoor, free_port: int
) -> None:
    door = await open_door(Relay(client, Origin("http", "127.0.0.1", free_port)))
    answer = await make_client().send(request(door.origin), connect_s=1, until_s=soon())
    assert (answer.status, answer.body.partition(b":")[0]) == (502, b"connection_refused")


async def test_cut_stream_is_seen_as_cut(client: Client, open_door: OpenDoor, provide: Provide) -> None:
    upstream = await provide(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", close=True)
    wire = await (await open_door(Relay(client, upstream.origin))).wire()
    await wire.send(ASK)
    seen = await wire.ended()
    assert seen.endswith(b"2\r\nhi\r\n") or not seen  # a reset may eat what was on its way; an end must not appear
    assert client.stats.open == 0


@pytest.mark.parametrize("when", ["before headers", "mid-stream"])
async def test_client_that_leaves_closes_the_upstream_connection_within_100_ms(
    when: str, client: Client, open_door: OpenDoor, provide: Provide
) -> None:
    async def endless(provider: Provider, reader: Reader, writer: Writer) -> None:
        await provider.request(reader)
        if when == "mid-stream":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
        await until_closed(reader)

    upstream = await provide(endless)
    wire = await (await open_door(Relay(client, upstream.origin))).wire()
    await wire.send(ASK)
    await eventually(lambda: len(upstream.requests) == 1)
    await asyncio.sleep(0.02)
    await wire.close()
    await eventually(lambda: upstream.closed == 1, within_s=0.1)
    assert client.stats.open == 0


async def test_slow_reader_slows_the_provider_down(client: Client, open_door: OpenDoor, provide: Provide) -> None:
    sent = 0

    async def flood(provider: Provider, reader: Reader, writer: Writer) -> None:
        nonlocal sent
        await provider.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5000):
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            await writer.drain()
            sent += 10_000
        writer.write(b"0\r\n\r\n")
        await until_closed(reader)

    upstream = await provide(flood)
    door = await open_door(Relay(client, upstream.origin))
    wire = await door.wire(limit=1024)
    await wire.send(ASK)
    await asyncio.sleep(0.3)
    stuck_at = sent
    assert stuck_at < 30_000_000  # what four kernel buffers hold, and our two
    await asyncio.sleep(0.1)
    assert sent == stuck_at
    assert held_bytes(door, client) < 1_000_000
    assert len((await wire.reply()).body) == 50_000_000
    assert client.stats.idle == 1


def held_bytes(door: Door, client: Client) -> int:
    """What the relay itself keeps, outside of the kernel."""
    held = 0
    for inbound in door.server._connections:
        held += inbound._transport.get_write_buffer_size()
    for pool in client._pools.values():
        for outbound in pool.connections:
            held += outbound._stream._unread_bytes if outbound._stream is not None else 0
    return held


async def test_slow_provider_gets_a_large_request_whole(client: Client, open_door: OpenDoor, provide: Provide) -> None:
    async def sip(provider: Provider, reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 5000000" in head
        left = 5_000_000
        while left:
            left -= len(await reader.read(min(left, 200_000)))
            await asyncio.sleep(0.001)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await until_closed(reader)

    door = await open_door(Relay(client, (await provide(sip)).origin))
    wire = await door.wire()
    await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000))
    assert (await wire.reply()).body == b"ok"


async def test_many_requests_of_all_kinds_leave_nothing_behind(
    client: Client, open_door: OpenDoor, provide: Provide
) -> None:
    """Streams, whole answers, leavers and broken requests, mixed; the fixtures then look for what is left over."""
    streaming = await provide(events)
    door = await open_door(Relay(client, streaming.origin))

    async def visit(number: int) -> None:
        wire = await door.wire()
        for _ in range(4):
            await wire.send(ASK if number % 2 else ASK.replace(b"true", b"null"))
            if number % 5 == 0:
                await asyncio.sleep(0.001 * number)
                break
            assert len((await wire.reply()).body) == 45
        if number % 7 == 0:
            await wire.send(b"nonsense\r\n\r\n")
        await wire.close()

    await asyncio.gather(*(visit(number) for number in range(40)))
    await eventually(lambda: door.server.connections == 0)
    await eventually(lambda: client.stats.open == client.stats.idle)
    assert door.server.bodies_bytes == 0
    assert not door.errors
    await eventually(lambda: not [task for task in asyncio.all_tasks() if "InboundConnection" in repr(task)])


def test_upstream_is_given_as_a_url() -> None:
    assert origin_of("http://h") == Origin("http", "h", 80)
    assert origin_of("https://h") == Origin("https", "h", 443)
    assert origin_of("http://[::1]:9") == Origin("http", "::1", 9)
    with pytest.raises(argparse.ArgumentTypeError, match="is not http"):
        origin_of("ftp://h")
    with pytest.raises(SystemExit):
        main(["--upstream", "h:1"])


@pytest.mark.parametrize("loop", ["", "--stock-loop"])
async def test_relay_runs_as_a_program_and_drains_on_sigterm(
    loop: str, make_client: MakeClient, provide: Provide
) -> None:
    upstream = await provide(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "understudy.transport.relay",
        "--upstream", f"http://127.0.0.1:{upstream.port}", *filter(None, [loop]),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        line = (await asyncio.wait_for(program.stdout.readline(), 20)).decode()
        origin = Origin("http", "127.0.0.1", int(line.rpartition(":")[2]))
        answer = await make_client().send(request(origin), connect_s=1, until_s=soon(5))
        assert answer.body == b"hi"
    finally:
        program.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.wait(), 20) == 0

"""Whoever leaves, leaves nothing behind: callers in the middle of anything, and the server itself."""

from __future__ import annotations

import asyncio

import pytest

from stage import QUESTION, Raise, Stage, two_targets, until
from understudy.core.failure import FailureKind
from understudy.mock import Mock


async def begin(stage: Stage, *, stream: bool = True) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A caller on a bare socket, who can hang up."""
    import json

    body = json.dumps({"model": "default", "stream": stream, **QUESTION}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.server.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    return reader, writer


def outcomes(stage: Stage) -> list[FailureKind | None]:
    return [one.failure.kind if one.failure else None for result in stage.ended for one in result.attempts]


@pytest.mark.parametrize(
    "fault",
    ["silence", {"silence": {"after": "headers"}}, {"stalled_stream": {"after_chunks": 2}}],
    ids=["before headers", "before content", "mid-stream"],
)
async def test_a_caller_that_leaves_closes_the_provider_at_once(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], fault: object
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy))
    lead.set(fault)
    reader, writer = await begin(stage)
    assert await until(lambda: len(lead.requests) == 1, 2)
    if fault != "silence" and "stalled_stream" in fault:
        assert b"data:" in await reader.readuntil(b"data:")
    await asyncio.sleep(0.02)
    writer.close()
    # 100 ms are promised and a few are taken; the rest is for a busy machine
    assert await until(lambda: not lead.connections, 0.3), "the provider's connection is closed at once"
    assert await until(stage.nothing_is_held, 0.1)
    assert outcomes(stage) == [FailureKind.CLIENT_LEFT]
    assert not understudy.requests, "nothing is tried for nobody"


async def test_a_caller_that_leaves_while_we_wait_ends_the_wait(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    lead, understudy = mocks
    text = two_targets(lead, understudy).replace("retry: {kind: none}", "retry: {kind: linear, initial_s: 30}")
    stage = await raise_curtain(text)
    for mock in mocks:
        mock.set({"error_burst": {"problem": "overloaded"}})
    _, writer = await begin(stage)
    assert await until(lambda: len(understudy.requests) == 1, 2)
    await asyncio.sleep(0.02)
    writer.close()
    assert await until(lambda: stage.server.connections == 0, 0.2)
    assert [len(mock.requests) for mock in mocks] == [1, 1]


async def test_a_drain_ends_a_stream_with_the_error_event(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy))
    lead.set({"stalled_stream": {"after_chunks": 2}})
    reader, writer = await begin(stage)
    await reader.readuntil(b"data:")
    await stage.server.drain(0.05)
    rest = await reader.read()
    writer.close()
    assert b"draining" in rest or b"shutting down" in rest
    assert b"[DONE]" not in rest
    assert b'"finish_reason":"stop"' not in rest
    assert stage.nothing_is_held()


async def test_an_endless_stream_to_a_caller_that_does_not_read_is_not_kept_in_memory(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    """The provider is stopped by TCP itself: what it could send is bounded by socket buffers, not by its will."""
    sent = 0
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 4000 + b'"}}]}\n\n'

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        try:
            while True:
                writer.write(chunk)
                await writer.drain()
                sent += len(chunk)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    provider = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = provider.sockets[0].getsockname()[1]
    text = two_targets(*mocks).replace(str(mocks[0].port), str(port))
    stage = await raise_curtain(text)
    _, writer = await begin(stage)
    seen = [-1, sent]
    async with asyncio.timeout(10):  # noqa: TID251  a test's own bound
        while seen[-1] == 0 or len(set(seen[-3:])) > 1:
            await asyncio.sleep(0.04)
            seen.append(sent)
    assert sent < 20 * 1024 * 1024, "it stands still, and soon"
    writer.close()
    assert await until(stage.nothing_is_held, 1)
    provider.close()

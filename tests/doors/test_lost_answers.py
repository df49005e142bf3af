"""What answers lose on their way into another wire format, what strict routes refuse, and streams that end oddly, on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from stage import Raise
from understudy.core.failure import FailureKind

Serve = Callable[[str, bytes], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Give `serve(content_type, body)`: a provider that answers everything with these bytes, and closes; its origin."""
    servers: list[asyncio.Server] = []

    async def begin(content_type: str, body: bytes) -> str:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n".encode()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readuntil(b"\r\n\r\n")
            size = next(
                line.split(b":")[1] for line in asked.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            await reader.readexactly(int(size))
            writer.write(head + body)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield begin
    for server in servers:
        server.close()


def one_target(origin: str, provider: str = "openai_compatible", policy: str = "strict: false") -> str:
    return f"""
targets:
  lead: {{provider: {provider}, model: m, base_url: "{origin}/v1", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [lead]}}, policy: {{retry: {{kind: none}}, wait_max_s: 0, {policy}}}}}
"""


LOGPROBS = {"content": [{"token": "a", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}
HEAD = {"id": "i", "created": 5, "model": "m", "system_fingerprint": "fp"}
SOUND = {"id": "s", "data": "AAAA", "transcript": "a"}
LOST = {"answer.system_fingerprint", "answer.choices.logprobs", "answer.choices.message.audio"}


def whole(**message: Any) -> bytes:
    said = {"role": "assistant", "content": "a", **message}
    choice = {"index": 0, "message": said, "logprobs": LOGPROBS, "finish_reason": "stop"}
    return json.dumps({**HEAD, "object": "chat.completion", "choices": [choice]}).encode()


def streamed(*choices: dict[str, Any], end: bytes = b"data: [DONE]\n\n") -> bytes:
    chunks = [{**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, **one}]} for one in choices]
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + end


SPOKEN = streamed(
    {"delta": {"content": "a"}, "logprobs": LOGPROBS}, {"delta": {"audio": SOUND}, "finish_reason": "stop"}
)


@pytest.mark.parametrize("caller", ["anthropic", "responses", "gemini"])
@pytest.mark.parametrize("policy", ["strict: false", "strict: true"])
async def test_what_a_whole_answer_loses_stands_in_the_header(
    raise_curtain: Raise, serve: Serve, caller: str, policy: str
) -> None:
    origin = await serve("application/json", whole(audio=SOUND))
    stage = await raise_curtain(one_target(origin, policy=policy))
    told = await stage.ask(caller)
    assert told.text == "a"
    names = told.headers["x-understudy-dropped"].split(", ")
    assert set(names) >= LOST
    assert "answer.created" not in names
    assert stage.result(told).attempts[-1].dropped == tuple(names)


@pytest.mark.parametrize("caller", ["anthropic", "responses", "gemini"])
async def test_what_a_stream_loses_stands_in_its_decision(raise_curtain: Raise, serve: Serve, caller: str) -> None:
    stage = await raise_curtain(one_target(await serve("text/event-stream", SPOKEN)))
    told = await stage.ask(caller, stream=True)
    assert told.text == "a"
    assert told.finished
    assert "answer." not in told.headers.get("x-understudy-dropped", "")  # it was sent before
    assert set(stage.result(told).attempts[-1].dropped) >= LOST


async def test_a_whole_answer_for_who_asked_for_a_stream_tells_it_in_the_header(
    raise_curtain: Raise, serve: Serve
) -> None:
    stage = await raise_curtain(one_target(await serve("application/json", whole())))
    told = await stage.ask("anthropic", stream=True)
    assert told.text == "a"
    assert "answer.choices.logprobs" in told.headers["x-understudy-dropped"].split(", ")


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_of_the_callers_own_format_loses_nothing(
    raise_curtain: Raise, serve: Serve, stream: bool
) -> None:
    origin = await (serve("text/event-stream", SPOKEN) if stream else serve("application/json", whole(audio=SOUND)))
    stage = await raise_curtain(one_target(origin))
    told = await stage.ask("openai", stream=stream)
    assert told.text == "a"
    assert "x-understudy-dropped" not in told.headers
    assert stage.result(told).attempts[-1].dropped == ()


@pytest.mark.parametrize("caller", ["anthropic", "responses", "gemini"])
@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
async def test_a_finish_reason_on_every_chunk_ends_the_stream_once(
    raise_curtain: Raise, serve: Serve, caller: str, end: bytes
) -> None:
    chunks = [{"delta": {"content": text}, "finish_reason": "stop"} for text in "abc"]
    stage = await raise_curtain(one_target(await serve("text/event-stream", streamed(*chunks, end=end))))
    told = await stage.ask(caller, stream=True)
    assert (told.text, told.finished, told.error) == ("abc", True, None)
    assert stage.result(told).attempts[-1].good


async def test_a_choice_that_never_said_why_it_ended_was_cut(raise_curtain: Raise, serve: Serve) -> None:
    chunks = [{"delta": {"content": "a"}, "finish_reason": "stop"}, {"delta": {"content": "b"}, "index": 1}]
    stage = await raise_curtain(one_target(await serve("text/event-stream", streamed(*chunks, end=b""))))
    told = await stage.ask("anthropic", stream=True)
    assert not told.finished
    assert stage.result(told).attempts[-1].failure.kind is FailureKind.TRUNCATED


async def test_an_answer_without_words_whose_bytes_end_behind_its_reason_is_an_answer(
    raise_curtain: Raise, serve: Serve
) -> None:
    said = streamed({"delta": {"content": ""}, "finish_reason": "length"}, end=b"")
    stage = await raise_curtain(one_target(await serve("text/event-stream", said)))
    told = await stage.ask("anthropic", stream=True)
    assert told.finished
    assert [event["delta"]["stop_reason"] for event in told.events if event["type"] == "message_delta"] == [
        "max_tokens"
    ]


@pytest.mark.parametrize(
    ("asked", "status", "dropped"),
    [
        ({"user": "me"}, 200, "user"),
        ({"store": True, "logprobs": False}, 200, "logprobs, store"),
        ({"verbosity": "medium"}, 200, "verbosity"),
        ({"logit_bias": {"7": 1}}, 400, None),
        ({"user": "me", "verbosity": "low"}, 400, None),
    ],
)
async def test_a_strict_route_refuses_its_own_format_for_what_matters_only(
    raise_curtain: Raise, serve: Serve, asked: dict[str, Any], status: int, dropped: str | None
) -> None:
    origin = await serve("application/json", whole())
    stage = await raise_curtain(one_target(origin, "mistral", "strict: true"))
    told = await stage.ask("openai", **asked)
    assert (told.status, told.headers.get("x-understudy-dropped")) == (status, dropped)

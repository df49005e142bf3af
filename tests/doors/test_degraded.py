"""When no ordinary target can answer: wait, degraded tiers, one panic attempt, an honest error; always labelled."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from stage import CALLERS, Raise, until
from understudy.core.failure import FailureKind
from understudy.core.outcome import Purpose
from understudy.core.resilience.breaker import Event
from understudy.engine.cache import BYTES_MAX
from understudy.mock import Mock


def one_target(mock: Mock, tiers: str, policy: str = "retry: {kind: none}, wait_max_s: 0", more: str = "") -> str:
    return f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{mock.base_url}", key: env:KEY}}
  sorry: {{provider: static, text: "Please try again shortly."}}
  {more}
routes:
  default:
    tiers: {tiers}
    policy: {{{policy}}}
"""


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_fixed_text_stands_in_and_says_so(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, *, stream: bool
) -> None:
    stage = await raise_curtain(one_target(mocks[0], "{primary: [lead], local: [sorry]}"))
    mocks[0].set("outage")
    answered = await stage.ask(caller, stream=stream)
    assert answered.status == 200
    assert answered.text == "Please try again shortly."
    assert answered.finished
    assert answered.headers["x-understudy-degraded"] == "true"
    assert answered.headers["x-understudy-target"] == "sorry"
    result = stage.result(answered)
    assert result.degraded
    assert [one.good for one in result.attempts] == [False, True]


@pytest.mark.parametrize("asked", [False, True], ids=["asked whole", "asked streamed"])
@pytest.mark.parametrize("told", [False, True], ids=["told whole", "told streamed"])
async def test_an_earlier_answer_stands_in_however_it_was_given(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], *, asked: bool, told: bool
) -> None:
    stage = await raise_curtain(one_target(mocks[0], "{primary: [lead], emergency: [stale_cache]}"))
    first = await stage.ask(stream=told)
    assert "x-understudy-cache" not in first.headers
    mocks[0].set("outage")
    again = await stage.ask(stream=asked)
    assert again.status == 200
    assert again.text == first.text
    assert again.finished
    assert again.headers["x-understudy-cache"] == "stale"
    assert again.headers["x-understudy-degraded"] == "true"
    other = await stage.ask(messages=[{"role": "user", "content": "Something else?"}])
    assert other.status != 200, "only the same question has the same answer"


async def test_an_earlier_answer_of_another_route_stands_in_for_none(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    """Gemini's callers name the model in the address: their bodies are the same."""
    text = one_target(mocks[0], "{primary: [lead], emergency: [stale_cache]}")
    stage = await raise_curtain(text + "  other: {tiers: {primary: [lead], emergency: [stale_cache]}}\n")
    assert (await stage.ask("gemini")).status == 200
    mocks[0].set("outage")
    assert (await stage.ask("gemini", model="other")).status == 502
    assert (await stage.ask("gemini")).headers["x-understudy-cache"] == "stale"


async def test_an_earlier_answer_stands_in_for_a_question_that_we_cannot_read_in_full(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(one_target(mocks[0], "{primary: [lead], emergency: [stale_cache]}"))
    body = b'{"model": "default", "messages": [{"role": "user", "content": "hi"}], "metadata": {"x": 1e999}}'
    url = stage.url + "/v1/chat/completions"
    assert (await stage.http.post(url, content=body)).status_code == 200
    assert len(stage.ended) == 1
    mocks[0].set("outage")
    assert (await stage.http.post(url, content=body)).headers["x-understudy-cache"] == "stale"


async def test_a_stream_larger_than_the_cache_is_not_copied_for_it(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 60_000 + b'"}}]}\n\n'

    async def long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for _ in range(2 * BYTES_MAX // len(chunk)):
            writer.write(chunk)
            await writer.drain()
        writer.write(b"data: [DONE]\n\n")
        writer.close()

    provider = await asyncio.start_server(long, "127.0.0.1", 0)
    text = one_target(mocks[0], "{primary: [lead], emergency: [stale_cache]}")
    stage = await raise_curtain(text.replace(str(mocks[0].port), str(provider.sockets[0].getsockname()[1])))
    question = {"model": "default", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    received = 0
    tracemalloc.start()
    try:
        async with stage.http.stream("POST", stage.url + "/v1/chat/completions", json=question) as answer:
            async for piece in answer.aiter_raw():
                received += len(piece)
        assert tracemalloc.get_traced_memory()[1] < BYTES_MAX * 1.3
    finally:
        tracemalloc.stop()
        provider.close()
    assert received > BYTES_MAX


async def test_all_breakers_open_is_one_panic_attempt_then_an_error(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(one_target(mocks[0], "{primary: [lead]}"))
    mocks[0].set("outage")
    for _ in range(5):
        assert (await stage.ask()).status == 502
    assert stage.engine.board.standing("lead").breakers[0].state == "open"
    mocks[0].set()
    answered = await stage.ask()
    assert answered.status == 200
    assert [one.purpose for one in stage.result(answered).attempts] == [Purpose.PANIC]


async def test_a_forced_open_breaker_gets_no_panic_attempt(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(one_target(mocks[0], "{primary: [lead]}"))
    stage.engine.board.operate("lead", Event.FORCE_OPEN, 0.0)
    answered = await stage.ask()
    assert answered.status == 503
    assert stage.result(answered).failure.kind is FailureKind.CIRCUIT_OPEN
    assert not mocks[0].requests


async def test_a_recovery_within_reach_is_waited_for(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    text = one_target(mocks[0], "{primary: [lead], local: [sorry]}", "retry: {kind: linear, initial_s: 0.05, max: 2}")
    stage = await raise_curtain(text)
    mocks[0].set({"error_burst": {"problem": "overloaded"}})
    asking = asyncio.create_task(stage.ask())
    assert await until(lambda: len(mocks[0].requests) == 1, 1)
    mocks[0].set()
    answered = await asking
    assert answered.headers["x-understudy-target"] == "lead"
    assert answered.headers["x-understudy-attempts"] == "2"
    assert "x-understudy-degraded" not in answered.headers


async def test_what_a_target_cannot_carry_is_told_or_refused(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    def text(strict: str) -> str:
        return f"""
targets:
  lead: {{provider: anthropic_compatible, model: m, base_url: "{mocks[0].origin}", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [lead]}}, policy: {{strict: {strict}}}}}
"""

    lenient = await (await raise_curtain(text("false"))).ask(seed=7)
    assert lenient.status == 200
    assert "seed" in lenient.headers["x-understudy-dropped"]
    strict = await (await raise_curtain(text("true"))).ask(seed=7)
    assert strict.status == 400
    many = await (await raise_curtain(text("false"))).ask(n=3)
    assert many.status == 400
    assert "many" in many.error["message"] or "n" in many.error["message"]

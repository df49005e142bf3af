"""A slow provider and a quick one on sockets: the quick one answers, the slow one is hung up on."""

from __future__ import annotations

import asyncio
import time

import pytest

from stage import CALLERS, Raise, until
from understudy.core.failure import FailureKind
from understudy.core.outcome import Purpose
from understudy.mock import Mock

REQUESTS = 250


def configuration(mocks: tuple[Mock, Mock], hedge: str) -> str:
    return f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{mocks[0].base_url}", key: env:KEY}}
  second: {{provider: openai_compatible, model: m, base_url: "{mocks[1].base_url}", key: env:KEY}}
routes:
  default:
    tiers: {{primary: [lead], secondary: [second]}}
    policy: {{{hedge}}}
"""


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_the_quick_one_answers_and_the_slow_one_is_hung_up_on(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, *, stream: bool
) -> None:
    stage = await raise_curtain(configuration(mocks, "hedge: {after_s: 0.03, share: 1.0}"))
    mocks[0].set({"latency": {"headers_s": 5.0}})
    begun_s = time.monotonic()
    answered = await stage.ask(caller, stream=stream)
    assert time.monotonic() - begun_s < 2.0
    assert answered.status == 200
    assert answered.finished
    assert answered.headers["x-understudy-target"] == "second"
    result = stage.result(answered)
    assert [one.purpose for one in result.attempts] == [Purpose.FIRST, Purpose.HEDGE]
    assert result.attempts[0].failure is not None
    assert result.attempts[0].failure.kind is FailureKind.LOST_RACE
    await until(lambda: mocks[0].requests[0].ended == "left", 0.5)
    assert stage.nothing_is_held()


@pytest.mark.no_cover
async def test_the_tail_is_cut_for_few_calls_more(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    slow = [
        {"latency": {"headers_s": 0.004}},
        {"latency": {"headers_s": 1.5, "share": 0.04}},
    ]
    for mock in mocks:
        mock.set(*slow)
    p98_s = {}
    for hedge in ("", "hedge: {}"):
        stage = await raise_curtain(configuration(mocks, hedge))
        waits_s: list[float] = []
        turns = iter(range(REQUESTS))

        async def ask_on(stage=stage, waits_s=waits_s, turns=turns) -> None:
            for _ in turns:
                begun_s = time.monotonic()
                assert (await stage.ask(stream=True)).finished
                waits_s.append(time.monotonic() - begun_s)

        await asyncio.gather(*(ask_on() for _ in range(5)))
        p98_s[hedge] = sorted(waits_s)[int(0.98 * REQUESTS)]
        attempts = sum(len(result.attempts) for result in stage.ended)
        assert attempts <= 1.05 * REQUESTS
    assert p98_s["hedge: {}"] <= 0.5 * p98_s[""]

"""What docs/operations.md says of processes, signals and breakers by hand, on the whole program."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from served import Served, serve
from stage import QUESTION
from understudy.config.load import loads
from understudy.mock import Mock, start_mock
from understudy.supervisor.supervisor import DEATHS_MAX, CannotServe, Supervisor

CONFIGURATION = """
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{url}", key: env:KEY, limits: {{in_flight: 4}}}}
  sorry: {{provider: static, text: "Later."}}
routes:
  default:
    tiers: {{primary: [lead], local: [sorry]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0, timeouts: {{idle_s: 100}}, breaker: {{failures: 1, half_open: 1}}}}
health: {{probe: "off"}}
"""
BODY = {"model": "default", **QUESTION}


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    async with await start_mock() as one:
        yield one


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=10) as client:
        yield client


async def stands(served: Served, http: httpx2.AsyncClient) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await http.get(served.control + "/api/breakers")).json()["lead"]
    return told


async def player(served: Served, http: httpx2.AsyncClient) -> str:
    answer = await http.post(served.url + "/v1/chat/completions", json=BODY)
    return str(answer.headers["x-understudy-target"])


async def test_limits_are_divided_by_the_workers_and_cool_downs_shared(
    tmp_path: Path, mock: Mock, http: httpx2.AsyncClient
) -> None:
    mock.set({"error_burst": {"problem": "rate_limit", "retry_after_s": 300.0}})
    async with serve(tmp_path, CONFIGURATION.format(url=mock.base_url), "--workers", "2") as served:
        assert [one["in_flight_max"] for one in await stands(served, http)] == [2, 2]
        assert await player(served, http) == "sorry"
        for _ in range(100):
            rests = [one["cool_down_s"] > 200 for one in await stands(served, http)]
            if all(rests):
                break
            await asyncio.sleep(0.02)
        assert rests == [True, True], "one of them was told by the provider, the other by its sibling"


async def test_a_good_probe_by_hand_makes_an_open_breaker_test_now(
    tmp_path: Path, mock: Mock, http: httpx2.AsyncClient
) -> None:
    mock.set({"error_burst": {"problem": "server_error"}})
    async with serve(tmp_path, CONFIGURATION.format(url=mock.base_url)) as served:
        assert [await player(served, http) for _ in range(2)] == ["sorry"] * 2
        mock.set()
        assert await player(served, http) == "sorry", "it rests for a minute"
        await http.post(served.control + "/api/breakers/lead", json={"action": "probe_good"})
        [one] = await stands(served, http)
        assert one["breakers"][0]["state"] == "half-open"
        assert await player(served, http) == "lead"
        [one] = await stands(served, http)
        assert one["breakers"][0]["state"] == "closed"


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/v1/chat/completions", BODY, b'data: {"error"'),
        ("/v1/messages", {**BODY, "max_tokens": 9}, b"event: error"),
    ],
    ids=["openai", "anthropic"],
)
async def test_who_is_not_done_when_the_drain_is_over_is_told_so_in_its_own_dialect(
    tmp_path: Path, mock: Mock, http: httpx2.AsyncClient, path: str, body: dict[str, Any], error: bytes
) -> None:
    mock.set({"latency": {"chunk_s": 5.0}})
    async with serve(tmp_path, CONFIGURATION.format(url=mock.base_url), "--drain-s", "0.1") as served:
        async with http.stream("POST", served.url + path, json={**body, "stream": True}) as answer:
            pieces = answer.aiter_bytes()
            seen = await anext(pieces)
            served.process.send_signal(signal.SIGTERM)
            async for piece in pieces:
                seen += piece
        assert error in seen
        assert b"[DONE]" not in seen
        assert await asyncio.wait_for(served.process.wait(), 10) == 0


async def test_a_second_signal_ends_everything_at_once(tmp_path: Path, mock: Mock, http: httpx2.AsyncClient) -> None:
    mock.set({"latency": {"chunk_s": 120.0}})
    async with serve(tmp_path, CONFIGURATION.format(url=mock.base_url), "--drain-s", "60") as served:
        async with http.stream("POST", served.url + "/v1/chat/completions", json={**BODY, "stream": True}) as answer:
            pieces = answer.aiter_bytes()  # kept: the end of it would be the caller's leaving
            await anext(pieces)
            served.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.05)  # two at the same time would be one
            assert served.process.returncode is None
            served.process.send_signal(signal.SIGINT)
            await asyncio.wait_for(served.process.wait(), 10)
        assert served.process.returncode == 0


async def test_a_worker_that_dies_again_and_again_ends_the_program_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lives = []

    async def dies(_: Supervisor, child: Any) -> int:
        lives.append(child.index)
        return -9

    monkeypatch.setattr(Supervisor, "_run", dies)
    told: list[str] = []
    supervisor = Supervisor(
        loads("targets: {sorry: {provider: static, text: Later.}}", env={}),
        host="127.0.0.1",
        port=0,
        on_change=told.append,
    )
    with pytest.raises(CannotServe, match=r"worker 0 died 5 times within 10 s \(signal 9\)"):
        await supervisor.start()
    await supervisor.stop(0.0)
    assert len(lives) == DEATHS_MAX
    assert told[0] == "worker 0 ended (signal 9); starting another"

"""A model server beside the workers: one for all of them, never in their way, gone with the supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from served import Served, serve
from stage import QUESTION, until

CONFIGURATION = """
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "http://127.0.0.1:9/v1", key: env:KEY}}
  tiny: {{provider: onnx, model: {model}, threads: 1}}
  sorry: {{provider: static, text: "Later."}}
routes:
  default:
    tiers: {{primary: [lead], local: [tiny, sorry]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0, breaker: {{failures: 1}}}}
"""


@pytest.fixture
def text(tiny_model: Path, tmp_path: Path) -> str:
    (tmp_path / "models").symlink_to(tiny_model.parent)
    return CONFIGURATION.format(model="models/tiny")  # beside the configuration


async def who(served: Served) -> str:
    """Over a new connection, so that any worker may get it."""
    async with httpx2.AsyncClient(timeout=10) as fresh:
        answer = await fresh.post(served.url + "/v1/chat/completions", json={"model": "default", **QUESTION})
    return str(answer.headers["x-understudy-target"])


async def plays(served: Served, times: int = 8) -> bool:
    """Whether the model answers, in whatever worker."""
    return [await who(served) for _ in range(times)] == ["tiny"] * times


async def played(served: Served, within_s: float = 20.0) -> bool:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while not await plays(served):
        if loop.time() > end_s:
            return False
        await asyncio.sleep(0.05)
    return True


def model_servers(served: Served) -> list[int]:
    command = ["ps", "-o", "pid=,args=", "--ppid", str(served.process.pid)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in told.stdout.splitlines() if "understudy.local.server" in line]


def gone(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not told.strip() or told.strip().startswith("Z")


async def test_one_server_for_all_workers_back_after_a_kill_and_gone_at_the_end(tmp_path: Path, text: str) -> None:
    async with serve(tmp_path, text, "--workers", "2") as served:
        assert await who(served) in {"tiny", "sorry"}  # somebody answers from the beginning
        assert await played(served)
        [pid] = model_servers(served)
        os.kill(pid, signal.SIGKILL)
        assert await until(lambda: pid not in model_servers(served), 5)
        assert await played(served)
        [second] = model_servers(served)
        assert second != pid
        served.process.terminate()
        assert await asyncio.wait_for(served.process.wait(), 10) == 0
        assert gone(second)


async def test_it_ends_with_a_supervisor_that_is_killed(tmp_path: Path, text: str) -> None:
    async with serve(tmp_path, text) as served:
        assert await played(served)
        [pid] = model_servers(served)
        served.process.kill()
        await served.process.wait()
        assert await until(lambda: gone(pid), 5)

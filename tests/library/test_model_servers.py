"""The library keeps the model servers of its targets while a router is entered."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from stage import until
from understudy import RequestFailed, Router, SyncRouter
from understudy.core.failure import FailureKind

SAYS = "The show goes on. 🎭"


async def test_entering_waits_for_no_model_and_a_first_question_is_repeated_until_it_is_up(tiny_model: Path) -> None:
    async with Router(targets={"tiny": {"provider": "onnx", "model": str(tiny_model)}}) as router:
        answer = await router.chat("tiny", "Hello.")
        assert answer.text == SAYS
        assert answer.attempts[0].failure is None or answer.attempts[0].failure.kind is FailureKind.NOT_READY
        assert answer.usage is not None
        chunks = [chunk.text async for chunk in router.stream("tiny", "Hello.")]
        assert len(chunks) > 3
        assert "".join(chunks) == SAYS


async def test_who_wants_to_can_wait_for_it(tiny_model: Path) -> None:
    async with Router(targets={"tiny": {"provider": "onnx", "model": str(tiny_model)}}) as router:
        assert await router.ready()
        assert len((await router.chat("tiny", "Hello.")).attempts) == 1


async def test_a_model_that_is_none_is_told(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime_genai")
    async with Router(targets={"tiny": {"provider": "onnx", "model": str(tmp_path)}}) as router:
        assert not await router.ready()
        with pytest.raises(RequestFailed) as raised:
            await router.chat("tiny", "Hello.")
        [attempt] = raised.value.attempts  # repeating it would not help
        assert attempt.failure is not None
        assert attempt.failure.kind is FailureKind.KEPT_DOWN
        assert "holds no genai_config.json" in attempt.failure.message


def model_servers() -> list[int]:
    command = ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in told.stdout.splitlines() if "understudy.local.server" in line]


async def test_a_server_that_is_back_is_tested_at_once_however_long_its_breaker_would_rest(tiny_model: Path) -> None:
    breaker = {"failures": 1, "recovery_s": 600, "half_open": 1, "counts": {"not_ready": True}}
    route = {"tiers": {"primary": ["tiny"]}, "policy": {"retry": {"kind": "none"}, "wait_max_s": 5, "breaker": breaker}}
    targets = {"tiny": {"provider": "onnx", "model": str(tiny_model)}}
    async with Router(targets=targets, routes={"default": route}) as router:
        assert await router.ready()
        [first] = model_servers()
        os.kill(first, signal.SIGKILL)
        assert await until(lambda: not model_servers(), 5)
        with pytest.raises(RequestFailed):
            await router.chat("default", "Hello.")
        assert router.health()["tiny"].breaker == "open"
        assert await until(lambda: bool(model_servers()), 10)  # until then the first one counts as up
        assert await router.ready()
        assert router.health()["tiny"].breaker == "half-open"
        assert (await router.chat("default", "Hello.")).text == SAYS
        assert router.health()["tiny"].breaker == "closed"


async def test_without_such_targets_there_is_nothing_to_wait_for() -> None:
    async with Router(
        targets={"sorry": {"provider": "static", "text": "Later."}, "play": {"provider": "simulated"}}
    ) as one:
        assert await one.ready()


def test_the_router_for_threads_has_it_too(tiny_model: Path) -> None:
    with SyncRouter(targets={"tiny": {"provider": "onnx", "model": str(tiny_model)}}) as router:
        assert router.ready()
        assert router.chat("tiny", "Hello.").text == SAYS


async def test_a_model_that_does_not_come_up_is_logged_as_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Router(targets={"tiny": {"provider": "onnx", "model": str(tmp_path)}}) as router:
        assert not await router.ready()
    [told] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert told.getMessage().startswith("tiny: its model server is kept down: ")

"""Model servers as processes: up, dead, up again, kept down, and gone with whoever started them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from stage import until
from understudy.config.load import loads
from understudy.local import keeper as keeping
from understudy.local.keeper import Keeper
from understudy.local.places import Whereabouts, hosted_targets

ASKED = {"messages": [{"role": "user", "content": "Hello."}]}


class Kept:
    """A keeper, and all that it told. `lives`: the processes that said they were up."""

    def __init__(self, text: str) -> None:
        self.places: list[Whereabouts] = []
        self.said: list[str] = []
        self.keeper = Keeper(loads(text, env={}), self.places.append, say=self.said.append, warn=self.said.append)

    @property
    def pid(self) -> int:
        told = [line for line in self.said if "is up" in line]
        return int(told[-1].partition("process ")[2].partition(",")[0])

    @property
    def place(self) -> Whereabouts:
        return self.places[-1]


@asynccontextmanager
async def kept(folder: Path, *, more: str = "") -> AsyncIterator[Kept]:
    one = Kept(f"targets: {{tiny: {{provider: onnx, model: '{folder}', threads: 1{more}}}}}")
    one.keeper.start()
    try:
        yield one
    finally:
        await one.keeper.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose parent has not looked yet is dead enough.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


async def ask(place: Whereabouts) -> str:
    async with httpx2.AsyncClient(timeout=10) as http:
        answer = await http.post(
            f"http://127.0.0.1:{place.port}/v1/chat/completions",
            json=ASKED,
            headers={"authorization": f"Bearer {place.secret}"},
        )
    return str(answer.json()["choices"][0]["message"]["content"])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses worth the name."""
    monkeypatch.setattr(keeping, "PAUSE_S", 0.001)


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Another program in the server's place."""
    monkeypatch.setattr(keeping, "COMMAND", (sys.executable, "-c", text))


async def test_a_server_is_up_within_seconds_answers_and_ends_with_its_keeper(tiny_model: Path) -> None:
    async with kept(tiny_model) as one:
        assert one.places == []  # starting it waits for nothing
        assert await asyncio.wait_for(one.keeper.settled(), 20)
        assert one.places[0].why == "its model server is loading the model"
        assert await ask(one.place) == "The show goes on. 🎭"
        pid = one.pid
        assert alive(pid)
    assert not alive(pid)


async def test_a_server_that_was_killed_is_started_again_with_another_secret(tiny_model: Path, hasty: None) -> None:
    async with kept(tiny_model) as one:
        await asyncio.wait_for(one.keeper.settled(), 20)
        first, pid = one.place, one.pid
        os.kill(pid, signal.SIGKILL)
        assert await until(lambda: one.place.port is None, 5)
        assert await until(lambda: one.place.port is not None, 20)
        assert one.pid != pid
        assert one.place.secret != first.secret
        assert await ask(one.place) == "The show goes on. 🎭"
        assert any("ended (signal 9); another one is started after" in line for line in one.said)


async def test_the_first_pause_is_told_and_kept(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "raise SystemExit(7)")
    async with kept(tiny_model) as one:
        assert await until(lambda: len(one.places) == 2, 10)
        assert one.place.why == "its model server ended (exit status 7); another one is started after 0.5 s"


async def test_a_server_that_dies_again_and_again_is_kept_down_with_its_last_reason(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    program(monkeypatch, "raise SystemExit(7)")
    async with kept(tiny_model) as one:
        assert not await asyncio.wait_for(one.keeper.settled(), 20)
        assert one.place.why == "its model server is kept down after 5 deaths in a row: exit status 7"
        assert sum("another one is started" in line for line in one.said) == 4


async def test_a_server_that_lived_for_long_begins_a_new_row_of_deaths(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    monkeypatch.setattr(keeping, "LIVED_S", 0.0)
    program(monkeypatch, """print('{"what":"ready","port":1}')""")
    async with kept(tiny_model) as one:
        assert await until(lambda: sum("is up" in line for line in one.said) > 6, 20)


async def test_what_another_start_would_not_mend_is_not_tried_again(tmp_path: Path) -> None:
    async with kept(tmp_path / "nothing") as one:
        assert not await asyncio.wait_for(one.keeper.settled(), 20)
        assert "its model server is kept down: " in one.place.why
        assert "holds no genai_config.json" in one.place.why
        assert len(one.said) == 1


async def test_a_missing_library_is_told_with_what_to_install(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        monkeypatch,
        "import sys; sys.modules['onnxruntime_genai'] = None\n"
        "from understudy.local.server import main\nsys.exit(main())",
    )
    async with kept(tiny_model) as one:
        assert not await asyncio.wait_for(one.keeper.settled(), 20)
        assert "pip install 'understudy[onnx]'" in one.place.why


@pytest.mark.parametrize(
    "output", ["'loading...'", "'x' * 1_000_000", "chr(255)", """'{"what":"ready","port":"up"}'"""]
)
async def test_a_server_that_says_what_nobody_understands_is_started_again(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, hasty: None, output: str
) -> None:
    program(monkeypatch, f"print({output}, flush=True); import time; time.sleep(600)")
    monkeypatch.setattr(keeping, "END_S", 0.05)
    async with kept(tiny_model) as one:
        assert not await asyncio.wait_for(one.keeper.settled(), 20)
        assert "after 5 deaths in a row: what it says cannot be understood" in one.place.why


async def test_a_server_that_never_loads_its_model_is_ended_with_that_reason(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(keeping, "LOAD_S", 0.01)
    monkeypatch.setattr(keeping, "END_S", 0.01)
    async with kept(tiny_model) as one:
        assert await until(lambda: any("not loaded the model within 0.01 s" in line for line in one.said), 10)


async def test_a_server_that_hangs_is_ended_and_started_again(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, hasty: None
) -> None:
    monkeypatch.setattr(keeping, "WATCH_S", 0.02)
    monkeypatch.setattr(keeping, "HUNG_S", 0.5)
    async with kept(tiny_model) as one:
        await asyncio.wait_for(one.keeper.settled(), 20)
        pid = one.pid
        await asyncio.sleep(0.05)
        assert one.pid == pid
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(keeping, "END_S", 0.01)
        assert await until(lambda: any("it does not answer any more" in line for line in one.said), 10)
        assert await until(lambda: one.place.port is not None and one.pid != pid, 20)
        assert not alive(pid)
        assert await ask(one.place) == "The show goes on. 🎭"


async def test_a_server_whose_libraries_flood_its_output_goes_on(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        monkeypatch,
        """print('{"what":"ready","port":1}', flush=True)\n"""
        "for _ in range(100): print('x' * 100_000)\nraise SystemExit(7)",
    )
    async with kept(tiny_model) as one:
        assert await until(lambda: any("exit status 7" in line for line in one.said), 10)


async def test_a_program_that_cannot_be_started_is_told(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "COMMAND", ("/nowhere/python",))
    async with kept(tiny_model) as one:
        assert await until(lambda: len(one.places) > 1, 10)
        assert "cannot be started: No such file" in one.place.why


async def test_a_server_that_does_not_end_by_itself_is_ended(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "END_S", 0.05)
    program(
        monkeypatch,
        """import os, time; print('{"what":"ready","port":1}', flush=True); time.sleep(600)""",
    )
    async with kept(tiny_model) as one:
        await asyncio.wait_for(one.keeper.settled(), 10)
        pid = one.pid
    assert not alive(pid)


async def test_a_server_ends_with_its_keeper_even_when_that_is_killed(tiny_model: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, sys\n"
        "from understudy.config.load import loads\n"
        "from understudy.local.keeper import Keeper\n"
        "async def main():\n"
        "    text = \"targets: {tiny: {provider: onnx, model: '%s'}}\" % sys.argv[1]\n"
        "    keeper = Keeper(loads(text, env={}), lambda place: None, say=lambda line: print(line, flush=True))\n"
        "    keeper.start()\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, str(script), str(tiny_model), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    line = (await asyncio.wait_for(parent.stdout.readline(), 20)).decode()
    pid = int(line.partition("process ")[2].partition(",")[0])
    assert alive(pid)
    parent.kill()
    await parent.wait()
    assert await until(lambda: not alive(pid), 5)


async def test_the_keys_of_the_configuration_are_not_in_the_servers_environment(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    text = f"targets: {{tiny: {{provider: onnx, model: '{tiny_model}'}}, gpt: {{provider: openai, model: m, key: env:MY_KEY}}}}"
    one = Kept(text)
    one.keeper.start()
    try:
        await asyncio.wait_for(one.keeper.settled(), 20)
        environment = Path(f"/proc/{one.pid}/environ")
        if not environment.exists():
            pytest.skip("no /proc to look into")
        assert b"MY_KEY" not in environment.read_bytes()
        assert b"PATH=" in environment.read_bytes()
    finally:
        await one.keeper.close()


def test_only_targets_without_an_address_of_their_own_are_hosted() -> None:
    configuration = loads(
        "targets:\n"
        "  a: {provider: onnx, model: m}\n"
        "  A: {provider: onnx, model: m}\n"
        "  b: {provider: onnx, model: m, base_url: 'http://gpu-1:9000/v1'}\n"
        "  c: {provider: llama_cpp, model: m}\n",
        env={},
    )
    assert [target.name for target in hosted_targets(configuration)] == ["a", "A"]
    assert configuration.targets["a"].base_url != configuration.targets["A"].base_url

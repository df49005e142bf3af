"""The local tier with a real model in a process of its own: it answers when the others fail, and says why when it cannot."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from stage import PATHS, QUESTION, Raise, Stage, until
from understudy import wiring
from understudy.core.failure import FailureKind
from understudy.local import keeper as keeping
from understudy.local.client import HostedClient
from understudy.local.keeper import Keeper
from understudy.mock import Mock

SAYS = "The show goes on. 🎭"


def text(mock: Mock, model: Path, more: str = "") -> str:
    return f"""
targets:
  lead: {{provider: openai_compatible, model: m, base_url: "{mock.base_url}", key: env:KEY}}
  tiny: {{provider: onnx, model: "{model}", threads: 1{more}}}
  sorry: {{provider: static, text: "Please try again shortly."}}
routes:
  default:
    tiers: {{primary: [lead], local: [tiny, sorry]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0}}
"""


class House(Stage):
    """A data plane whose model servers are kept, as they are by `serve` and by `Router`."""

    keeper: Keeper
    said: list[str]

    @property
    def pid(self) -> int:
        return int(self.said[-1].partition("process ")[2].partition(",")[0])


Build = Callable[..., Awaitable[House]]


@pytest.fixture
async def build(raise_curtain: Raise, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Build]:
    """Give `build(yaml, up=True)`: a data plane with its model servers; `up`: wait for them."""
    monkeypatch.setattr(keeping, "PAUSE_S", 0.01)
    async with AsyncExitStack() as stack:

        async def begin(text: str, *, up: bool = True) -> House:
            house = await raise_curtain(text)
            house.__class__ = House
            assert isinstance(house, House)
            assert isinstance(house.client, HostedClient)
            house.said = []
            configuration = house.engine.snapshot.configuration
            house.keeper = Keeper(configuration, house.client.place, say=house.said.append, warn=house.said.append)
            house.keeper.start()
            stack.push_async_callback(house.keeper.close)
            if up:
                assert await asyncio.wait_for(house.keeper.settled(), 20)
            return house

        yield begin


@pytest.mark.no_cover
@pytest.mark.parametrize("caller", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_the_model_answers_when_the_primary_is_down_and_says_so(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path, caller: str, *, stream: bool
) -> None:
    house = await build(text(mocks[0], tiny_model))
    assert (await house.ask(caller, stream=stream)).headers["x-understudy-target"] == "lead"
    mocks[0].set("outage")
    answered = await house.ask(caller, stream=stream)
    assert answered.status == 200
    assert answered.text == SAYS
    assert answered.finished
    assert answered.headers["x-understudy-target"] == "tiny"
    assert answered.headers["x-understudy-tier"] == "local"
    assert answered.headers["x-understudy-degraded"] == "true"
    # The caller has it all a moment before the model server has said that this was all.
    assert await until(lambda: len(house.ended) == 2, 5)
    result = house.result(answered)
    assert [one.good for one in result.attempts] == [False, True]
    usage = result.attempts[-1].usage
    assert usage is not None
    assert (usage.output, usage.estimated) == (11, False)
    mocks[0].set()
    assert house.nothing_is_held()


async def test_settings_go_along_and_what_cannot_is_told(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    house = await build(text(mocks[0], tiny_model))
    bound = await house.ask(model="tiny", max_completion_tokens=2, frequency_penalty=1, logit_bias={"1": 2})
    assert bound.text == "The show"
    assert bound.json["choices"][0]["finish_reason"] == "length"
    assert bound.headers["x-understudy-dropped"] == "frequency_penalty, logit_bias"
    stopped = await house.ask(model="tiny", stop=[" goes"], temperature=0)
    assert stopped.text == "The show"
    assert stopped.json["choices"][0]["finish_reason"] == "stop"
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]} | {
        "additionalProperties": False
    }
    shaped = await house.ask(
        model="tiny", response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    )
    assert json.loads(shaped.text) == {"a": 0}


async def test_a_question_too_long_for_it_is_known_as_that(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    house = await build(text(mocks[0], tiny_model))
    mine = {"messages": [{"role": "user", "content": "x" * 5000}]}
    answered = await house.ask(model="tiny", **mine)
    assert answered.status == 400
    assert answered.json["error"]["code"] == "context_length_exceeded"


async def test_it_is_not_asked_for_what_it_cannot_do(build: Build, mocks: tuple[Mock, Mock], tiny_model: Path) -> None:
    house = await build(text(mocks[0], tiny_model))
    mocks[0].set("outage")
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    answered = await house.ask(tools=[tool])
    assert answered.headers["x-understudy-target"] == "sorry"
    assert [one.target for one in house.result(answered).attempts] == ["lead", "sorry"]


async def test_until_it_is_up_others_answer_and_the_reason_is_known(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    house = await build(text(mocks[0], tiny_model), up=False)
    mocks[0].set("outage")
    answered = await house.ask()
    assert answered.headers["x-understudy-target"] == "sorry"
    failure = house.result(answered).attempts[1].failure
    assert failure is not None
    assert failure.kind is FailureKind.NOT_READY
    assert failure.message.startswith("tiny: its model server ")
    for _ in range(5):
        await house.ask()
    assert await asyncio.wait_for(house.keeper.settled(), 20)

    async def plays() -> bool:
        return (await house.ask()).headers["x-understudy-target"] == "tiny"

    for _ in range(100):  # it rests for a second after each such answer, and no breaker holds it back
        if await plays():
            return
        await asyncio.sleep(0.02)
    pytest.fail("it is up and was not asked")


async def test_without_the_library_its_target_says_what_to_install(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = (
        "import sys; sys.modules['onnxruntime_genai'] = None\n"
        "from understudy.local.server import main\nsys.exit(main())"
    )
    monkeypatch.setattr(keeping, "COMMAND", (sys.executable, "-c", without))
    house = await build(text(mocks[0], tiny_model), up=False)
    assert not await asyncio.wait_for(house.keeper.settled(), 20)
    answered = await house.ask(model="tiny")
    assert answered.status == 503
    message = answered.json["error"]["message"]
    assert "its model server is kept down" in message
    assert "pip install 'understudy[onnx]'" in message


async def test_a_server_that_dies_while_it_speaks_breaks_the_stream_and_is_back_for_the_next(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    house = await build(text(mocks[0], tiny_model))
    endless = {"model": "tiny", "messages": [{"role": "user", "content": "*"}], "stream": True}
    told = b""
    async with house.http.stream("POST", house.url + PATHS["openai"], json=endless) as answer:
        async for piece in answer.aiter_bytes():
            if not told:
                os.kill(house.pid, signal.SIGKILL)
            told += piece
    assert b"[DONE]" not in told
    assert b'"error"' in told
    assert await until(lambda: any("ended (signal 9)" in line for line in house.said), 5)
    assert await asyncio.wait_for(house.keeper.settled(), 20)
    assert (await house.ask(model="tiny")).text == SAYS


async def test_a_caller_who_leaves_frees_it_for_the_next(
    build: Build, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    house = await build(text(mocks[0], tiny_model, ", queue: 0"))
    endless = {"model": "tiny", "messages": [{"role": "user", "content": "*"}], "stream": True}
    async with house.http.stream("POST", house.url + PATHS["openai"], json=endless) as answer:
        async for _ in answer.aiter_bytes():
            break
    assert await until(house.nothing_is_held, 5)
    assert (await house.ask(model="tiny", **QUESTION)).text == SAYS


async def test_an_address_of_its_own_is_asked_like_any_other(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], tiny_model: Path
) -> None:
    stage = await raise_curtain(text(mocks[0], tiny_model, f', base_url: "{mocks[1].base_url}"'))
    assert not isinstance(stage.client, HostedClient)
    assert wiring.make_keeper(stage.engine.snapshot.configuration, stage.client) is None
    assert (await stage.ask(model="tiny")).status == 200
    assert len(mocks[1].requests) == 1

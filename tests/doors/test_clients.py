"""The official SDKs as they are, over either upstream: sync, async, streaming helpers, tools, structured output, errors.

Nothing is patched: they are given our address. SDK imports take seconds, so all of it lives in one module.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from stage import PROVIDERS, Raise, Stage, two_targets
from understudy.mock import Mock

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()

OPENAI_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ANTHROPIC_TOOL: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": OPENAI_TOOL["function"]["parameters"],
}


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=PROVIDERS)
async def stage(request: pytest.FixtureRequest, raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> Stage:
    """A data plane over an upstream of each dialect."""
    return await raise_curtain(two_targets(*mocks, request.param))


def asks_openai(stage: Stage) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0)


def asks_anthropic(stage: Stage) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=stage.url, api_key="any", max_retries=0)


QUESTION: Any = [{"role": "user", "content": "What is the weather in Paris?"}]


async def test_openai_asks_and_streams(stage: Stage) -> None:
    async with asks_openai(stage) as client:
        answer = await client.chat.completions.create(model="default", messages=QUESTION)
        assert answer.choices[0].message.content
        assert answer.choices[0].finish_reason == "stop"
        assert answer.created > 1_700_000_000
        assert answer.usage is not None
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
        text, usage = "", None
        stream = await client.chat.completions.create(
            model="default", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
        async for chunk in stream:
            assert chunk.created > 1_700_000_000
            usage = chunk.usage or usage
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
        assert text == answer.choices[0].message.content
        assert usage is not None


async def test_openai_is_not_told_the_usage_that_it_did_not_ask_for(stage: Stage) -> None:
    async with asks_openai(stage) as client:
        stream = await client.chat.completions.create(model="default", messages=QUESTION, stream=True)
        assert [chunk async for chunk in stream if not chunk.choices] == []


async def test_openai_streaming_helper_and_tools(stage: Stage) -> None:
    async with (
        asks_openai(stage) as client,
        client.chat.completions.stream(
            model="default", messages=QUESTION, tools=[OPENAI_TOOL], tool_choice="required"
        ) as stream,
    ):
        async for _ in stream:
            pass
        final = await stream.get_final_completion()
        [call] = final.choices[0].message.tool_calls or []
        assert call.function.name == "get_weather"
        assert final.choices[0].finish_reason == "tool_calls"
        turn: Any = {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": call.function.arguments},
                }
            ],
        }
        result: Any = {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}
        again = await client.chat.completions.create(
            model="default", messages=[*QUESTION, turn, result], tools=[OPENAI_TOOL], parallel_tool_calls=False
        )
        assert again.choices[0].message.content


async def test_openai_structured_output(stage: Stage) -> None:
    async with asks_openai(stage) as client:
        answer = await client.chat.completions.parse(model="default", messages=QUESTION, response_format=Weather)
        assert isinstance(answer.choices[0].message.parsed, Weather)


async def test_openai_pictures(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    content: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    async with asks_openai(stage) as client:
        answer = await client.chat.completions.create(model="default", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content
    assert PIXEL in mocks[0].requests[-1].body.decode()


async def test_openai_raises_what_it_should(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    async with asks_openai(stage) as client:
        with pytest.raises(openai.NotFoundError, match="default"):
            await client.chat.completions.create(model="nobody", messages=QUESTION)
        for mock in mocks:
            mock.set({"error_burst": {"problem": "rate_limit", "retry_after_s": 30.0}})
        with pytest.raises(openai.RateLimitError) as limited:
            await client.chat.completions.create(model="default", messages=QUESTION)
        assert int(limited.value.response.headers["retry-after"]) > 20


async def test_openai_raises_for_a_stream_that_breaks(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    mocks[0].set({"truncated_stream": {"after_chunks": 3}})
    async with asks_openai(stage) as client:
        stream = await client.chat.completions.create(model="default", messages=QUESTION, stream=True)
        with pytest.raises(openai.APIError):
            async for _ in stream:
                pass


async def test_anthropic_asks_and_streams(stage: Stage) -> None:
    async with asks_anthropic(stage) as client:
        answer = await client.messages.create(model="default", max_tokens=200, messages=QUESTION, system="Be brief.")
        assert answer.content[0].type == "text"
        assert answer.stop_reason == "end_turn"
        assert answer.usage.input_tokens > 0
        async with client.messages.stream(
            model="default", max_tokens=200, messages=QUESTION, system="Be brief."
        ) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        assert text == answer.content[0].text
        assert final.stop_reason == "end_turn"
        assert final.usage.output_tokens > 0


async def test_anthropic_tools(stage: Stage) -> None:
    async with (
        asks_anthropic(stage) as client,
        client.messages.stream(
            model="default", max_tokens=200, messages=QUESTION, tools=[ANTHROPIC_TOOL], tool_choice={"type": "any"}
        ) as stream,
    ):
        final = await stream.get_final_message()
        [call] = [block for block in final.content if block.type == "tool_use"]
        assert call.name == "get_weather"
        assert isinstance(call.input, dict)
        assert final.stop_reason == "tool_use"
        result: Any = {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "21 degrees"}],
        }
        turn: Any = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in final.content]}
        again = await client.messages.create(
            model="default", max_tokens=200, messages=[*QUESTION, turn, result], tools=[ANTHROPIC_TOOL]
        )
        assert again.content


async def test_anthropic_pictures(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    content: Any = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "text", "text": "What is this?"},
    ]
    async with asks_anthropic(stage) as client:
        await client.messages.create(model="default", max_tokens=50, messages=[{"role": "user", "content": content}])
    assert PIXEL in mocks[0].requests[-1].body.decode()


async def test_anthropic_raises_what_it_should(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    async with asks_anthropic(stage) as client:
        with pytest.raises(anthropic.NotFoundError, match="default"):
            await client.messages.create(model="nobody", max_tokens=5, messages=QUESTION)
        mocks[0].set({"in_band_error": {"after_chunks": 3}})
        with pytest.raises(anthropic.APIStatusError):
            async with client.messages.stream(model="default", max_tokens=50, messages=QUESTION) as stream:
                await stream.get_final_message()


async def test_the_sync_clients_work_too(stage: Stage) -> None:
    def ask() -> tuple[Any, Any, str]:
        with (
            openai.OpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0) as left,
            anthropic.Anthropic(base_url=stage.url, api_key="any", max_retries=0) as right,
        ):
            first = left.chat.completions.create(model="default", messages=QUESTION)
            models = [one.id for one in left.models.list()]
            assert models[:3] == ["default", "lead", "understudy"]
            assert left.models.retrieve("lead").id == "lead"
            assert [one.id for one in right.models.list()] == models
            second = right.messages.create(model="default", max_tokens=200, messages=QUESTION)
            stream = left.chat.completions.create(model="default", messages=QUESTION, stream=True)
            return first, second, "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    first, second, streamed = await asyncio.to_thread(ask)
    assert first.choices[0].message.content == streamed
    assert second.content[0].text

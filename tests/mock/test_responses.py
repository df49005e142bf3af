"""What the mock says in Responses, read by OpenAI's own SDK; what it refuses is what OpenAI refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from plain_client import ask
from understudy.mock import Mock

TOOL: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": False}
QUESTION = "Why is the sky blue?"


@pytest.fixture
async def responses(mock: Mock) -> AsyncIterator[Any]:
    async with openai.AsyncOpenAI(base_url=mock.base_url, api_key="sk-any", max_retries=0) as client:
        yield client.responses


async def test_the_sdk_reads_an_answer_and_the_same_as_a_stream(responses: Any) -> None:
    whole = await responses.create(model="m", input=QUESTION)
    async with responses.stream(model="m", input=QUESTION) as stream:
        said = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
        final = await stream.get_final_response()
    assert whole.output_text == said == final.output_text
    assert said.startswith("You said: 'Why is the sky blue?'.")
    assert whole.usage == final.usage
    counted = await responses.input_tokens.count(model="m", input=QUESTION)
    assert counted.input_tokens == whole.usage.input_tokens


@pytest.mark.parametrize(
    ("question", "choice", "called"),
    [
        ("How is the weather in Rome?", "auto", True),
        ("Tell me a joke.", "auto", False),
        ("Tell me a joke.", "required", True),
        ("Tell me a joke.", {"type": "function", "name": "get_weather"}, True),
        ("How is the weather in Rome?", "none", False),
    ],
)
async def test_tools_are_called_when_demanded_or_brought_up(
    responses: Any, question: str, choice: Any, called: bool
) -> None:
    answer = await responses.create(model="m", input=question, tools=[TOOL], tool_choice=choice)
    assert ("function_call" in {item.type for item in answer.output}) == called


async def test_a_tools_result_is_answered_in_words(responses: Any) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    turns = [
        {"role": "user", "content": "The weather?"},
        call,
        {"type": "function_call_output", "call_id": "c", "output": "sunny"},
    ]
    assert (await responses.create(model="m", input=turns, tools=[TOOL])).output_text


async def test_a_thought_comes_sealed(responses: Any) -> None:
    answer = await responses.create(model="m", input=QUESTION, reasoning={"effort": "low"})
    assert answer.output[0].encrypted_content.startswith("gAAAA")
    assert answer.usage.output_tokens_details.reasoning_tokens > 0


async def test_any_json_may_be_asked_for(responses: Any) -> None:
    answer = await responses.create(model="m", input=QUESTION, text={"format": {"type": "json_object"}})
    assert answer.output_text.startswith("{")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{"role": "tool", "content": "x"}]}, "Supported values"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "No tool call found"),
        ({"input": "x", "max_output_tokens": 5}, ">= 16"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "text": {"format": {"type": "json_schema"}}}, "text.format.name"),
    ],
)
async def test_what_openai_refuses_is_refused(mock: Mock, body: Any, told: str) -> None:
    look = await ask(mock, {"model": "m", **body}, "/v1/responses")
    assert look.status == 400
    assert told in look.json["error"]["message"]


async def test_earlier_state_may_stand_for_an_input(mock: Mock) -> None:
    look = await ask(mock, {"model": "m", "input": [], "previous_response_id": "resp_1"}, "/v1/responses")
    assert look.status == 200

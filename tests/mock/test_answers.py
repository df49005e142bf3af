"""What the mock says, read by the providers' own SDKs: they are strict about shapes, and know nothing of us."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from plain_client import ask, chat, message
from understudy.mock import Mock, start_mock

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": WEATHER}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}}, "required": ["name", "age"], "additionalProperties": False}  # fmt: skip


def openai_client(mock: Mock) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=mock.base_url, api_key="sk-any", max_retries=0)


def anthropic_client(mock: Mock) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=mock.origin, api_key="sk-any", max_retries=0)


async def test_openai_reads_an_answer_and_the_same_as_a_stream(mock: Mock) -> None:
    async with openai_client(mock) as client:
        whole = await client.chat.completions.create(**chat())
        stream = await client.chat.completions.create(**chat(stream=True, stream_options={"include_usage": True}))
        chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert whole.choices[0].message.content == text
    assert text.startswith("You said: 'Why is the sky blue?'.")
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert whole.usage == chunks[-1].usage
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


async def test_usage_is_streamed_only_where_asked_for(mock: Mock) -> None:
    look = await ask(mock, chat(stream=True))
    assert not any("usage" in event for event in look.events[:-1])


async def test_anthropic_reads_an_answer_and_the_same_as_a_stream(mock: Mock) -> None:
    async with anthropic_client(mock) as client:
        whole = await client.messages.create(**message())
        async with client.messages.stream(**message()) as stream:
            text = "".join([part async for part in stream.text_stream])
            streamed = await stream.get_final_message()
        counted = await client.messages.count_tokens(model="m", messages=message()["messages"])
    assert whole.content[0].text == text
    assert streamed.content[0].text == text
    assert (whole.stop_reason, streamed.stop_reason) == ("end_turn", "end_turn")
    assert whole.usage.output_tokens == streamed.usage.output_tokens
    assert whole.usage.input_tokens == streamed.usage.input_tokens == counted.input_tokens


@pytest.mark.parametrize(
    ("question", "choice", "called"),
    [
        ("How is the weather in Rome?", "auto", True),
        ("Tell me a joke.", "auto", False),
        ("Tell me a joke.", "required", True),
        ("Tell me a joke.", {"type": "function", "function": {"name": "get_weather"}}, True),
        ("How is the weather in Rome?", "none", False),
    ],
)
async def test_openai_tools_are_called_when_demanded_or_brought_up(
    mock: Mock, question: str, choice: Any, called: bool
) -> None:
    asked = chat(text=question, tools=[OPENAI_TOOL], tool_choice=choice)
    async with openai_client(mock) as client:
        whole = await client.chat.completions.create(**asked)
        async with client.chat.completions.stream(**asked) as stream:
            streamed = await stream.get_final_completion()
    for answer in (whole, streamed):
        assert answer.choices[0].finish_reason == ("tool_calls" if called else "stop")
        if called:
            [call] = answer.choices[0].message.tool_calls or ()
            assert call.function.name == "get_weather"
            assert '"days": 7' in call.function.arguments
            assert answer.choices[0].message.content is None
        else:
            assert not answer.choices[0].message.tool_calls


@pytest.mark.parametrize(
    ("question", "choice", "called"),
    [
        ("How is the weather in Rome?", {"type": "auto"}, True),
        ("Tell me a joke.", {"type": "auto"}, False),
        ("Tell me a joke.", {"type": "any"}, True),
        ("Tell me a joke.", {"type": "tool", "name": "get_weather"}, True),
        ("How is the weather in Rome?", {"type": "none"}, False),
    ],
)
async def test_anthropic_tools_are_called_when_demanded_or_brought_up(
    mock: Mock, question: str, choice: Any, called: bool
) -> None:
    asked = message(text=question, tools=[ANTHROPIC_TOOL], tool_choice=choice)
    async with anthropic_client(mock) as client:
        whole = await client.messages.create(**asked)
        async with client.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()
    for answer in (whole, streamed):
        assert answer.stop_reason == ("tool_use" if called else "end_turn")
        if called:
            [block] = answer.content
            assert (block.type, block.name, block.input["days"]) == ("tool_use", "get_weather", 7)


async def test_a_tools_result_is_answered_in_words(mock: Mock) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    openai_turn = chat(text="How is the weather?", tools=[OPENAI_TOOL])
    openai_turn["messages"] += [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "sunny"}]  # fmt: skip
    anthropic_turn = message(text="How is the weather?", tools=[ANTHROPIC_TOOL])
    anthropic_turn["messages"] += [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "sunny"}]},
    ]
    assert (await ask(mock, openai_turn)).json["choices"][0]["finish_reason"] == "stop"
    assert (await ask(mock, anthropic_turn, "/v1/messages")).json["stop_reason"] == "end_turn"


async def test_a_shape_is_kept(mock: Mock) -> None:
    openai_format = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}}
    anthropic_format = {"format": {"type": "json_schema", "schema": PERSON}}
    answers = [
        (await ask(mock, chat(response_format=openai_format))).json["choices"][0]["message"]["content"],
        (await ask(mock, message(output_config=anthropic_format), "/v1/messages")).json["content"][0]["text"],
    ]
    for answer in answers:
        assert '"age": 18' in answer
    anything = await ask(mock, chat(response_format={"type": "json_object"}))
    assert anything.json["choices"][0]["message"]["content"].startswith('{"answer": ')


async def test_thinking_is_shown_signed_or_only_counted(mock: Mock) -> None:
    async with anthropic_client(mock) as client:
        asked = message(thinking={"type": "enabled", "budget_tokens": 1024})
        whole = await client.messages.create(**asked)
        async with client.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()
    assert [block.type for block in whole.content] == ["thinking", "text"]
    assert whole.content[0].signature
    assert whole.content[0] == streamed.content[0]
    assert whole.content[1].text == streamed.content[1].text
    usage = (await ask(mock, chat(reasoning_effort="high"))).json["usage"]
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]


async def test_bounds_and_stop_sequences_end_an_answer(mock: Mock) -> None:
    short = (await ask(mock, chat(max_completion_tokens=2))).json["choices"][0]
    assert (short["message"]["content"], short["finish_reason"]) == ("You said: ", "length")
    stopped = (await ask(mock, chat(stop=["zebra", "sky"]))).json["choices"][0]
    assert (stopped["message"]["content"], stopped["finish_reason"]) == ("You said: 'Why is the ", "stop")
    anthropic_stopped = (await ask(mock, message(stop_sequences=["sky"]), "/v1/messages")).json
    assert (anthropic_stopped["stop_reason"], anthropic_stopped["stop_sequence"]) == ("stop_sequence", "sky")
    assert (await ask(mock, message(max_tokens=1), "/v1/messages")).json["stop_reason"] == "max_tokens"


async def test_alternatives_differ(mock: Mock) -> None:
    whole = await ask(mock, chat(n=3))
    texts = [choice["message"]["content"] for choice in whole.json["choices"]]
    assert len(set(texts)) == 3
    streamed = await ask(mock, chat(n=3, stream=True))
    for index, text in enumerate(texts):
        pieces = [each["delta"].get("content") or "" for event in streamed.events[:-1] for each in event["choices"] if each["index"] == index]  # fmt: skip
        assert "".join(pieces) == text


async def test_the_same_question_gets_the_same_answer_and_a_text_of_ones_own_is_said() -> None:
    async with await start_mock("seed: 4") as one, await start_mock("seed: 4\nwords: 24") as two:
        await ask(two, chat(text="something else"))
        answers = [(await ask(each, chat())).json["choices"][0]["message"]["content"] for each in (one, two)]
        assert answers[0] == answers[1]
    async with await start_mock("text: The show goes on.") as mock:
        look = await ask(mock, message(), "/v1/messages")
        assert look.json["content"] == [{"type": "text", "text": "The show goes on.", "citations": []}]

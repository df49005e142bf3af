"""The official openai SDK asking in Responses, over an upstream of each dialect: sync, async, streams, tools, structured output, errors.

Nothing is patched: it is given our address. What one provider holds, and what it sealed, is watched on its way.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest

from stage import PROVIDERS, Raise, Stage, two_targets
from understudy.config.load import loads
from understudy.mock import Mock

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
QUESTION = "What is the weather in Paris?"
TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
SEALED: Any = {"include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"}, "store": False}


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=PROVIDERS)
async def stage(request: pytest.FixtureRequest, raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> Stage:
    """A data plane over an upstream of each dialect."""
    return await raise_curtain(two_targets(*mocks, request.param))


def client_of(stage: Stage) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0)


@pytest.fixture
async def responses(stage: Stage) -> AsyncIterator[Any]:
    async with client_of(stage) as client:
        yield client.responses


async def test_it_asks(responses: Any) -> None:
    answer = await responses.create(
        model="default", input=QUESTION, instructions="Be brief.", temperature=0.5, max_output_tokens=100
    )
    assert answer.output_text
    assert (answer.status, answer.error, answer.incomplete_details) == ("completed", None, None)
    assert answer.created_at > 1_700_000_000
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert len({item.id for item in answer.output}) == len(answer.output)


async def test_it_streams(responses: Any) -> None:
    whole = await responses.create(model="default", input=QUESTION)
    events = [event async for event in await responses.create(model="default", input=QUESTION, stream=True)]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == whole.output_text
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == whole.output_text
    assert last.response.usage.total_tokens > 0
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.id for item in done] == [item.id for item in last.response.output]


async def test_the_streaming_helper_puts_the_same_together(responses: Any) -> None:
    whole = await responses.create(model="default", input=QUESTION)
    async with responses.stream(model="default", input=QUESTION) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert final.output_text == whole.output_text
    assert kinds[-1] == "response.completed"
    for kind in ("content_part.added", "output_text.done", "content_part.done", "output_item.done"):
        assert f"response.{kind}" in kinds


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_it_calls_tools_and_gives_results_back(
    responses: Any, mocks: tuple[Mock, Mock], *, streamed: bool
) -> None:
    asked: Any = {"model": "default", "input": QUESTION, "tools": [TOOL], "tool_choice": "required"}
    if streamed:
        async with responses.stream(**asked) as stream:
            pieces = [event.delta async for event in stream if event.type == "response.function_call_arguments.delta"]
            answer = await stream.get_final_response()
    else:
        answer, pieces = await responses.create(**asked), []
    [call] = [item for item in answer.output if item.type == "function_call"]
    assert call.name == "get_weather"
    assert isinstance(json.loads(call.arguments)["city"], str)
    assert not streamed or "".join(pieces) == call.arguments
    assert call.id != call.call_id
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
    turns = [
        {"role": "user", "content": QUESTION},
        *(item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in answer.output),
        result,
    ]
    again = await responses.create(model="default", input=turns, tools=[TOOL])
    assert again.output_text
    assert "21 degrees" in mocks[0].requests[-1].body.decode()
    assert "_understudy_" not in mocks[0].requests[-1].body.decode().replace(call.call_id, "")


async def test_a_named_tool_is_called_or_that_it_cannot_be_named_is_said(
    responses: Any, mocks: tuple[Mock, Mock]
) -> None:
    raw = await responses.with_raw_response.create(
        model="default",
        input="Hello.",
        tools=[{**TOOL, "name": "look_up"}, TOOL],
        tool_choice={"type": "function", "name": "get_weather"},
    )
    if "tool_choice" in raw.headers.get("x-understudy-dropped", ""):
        assert mocks[0].requests[-1].dialect in {"cohere_chat", "ollama_chat"}
    else:
        assert [item.name for item in raw.parse().output if item.type == "function_call"] == ["get_weather"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_what_the_provider_sealed_comes_back_to_it(
    responses: Any, mocks: tuple[Mock, Mock], *, streamed: bool
) -> None:
    if streamed:
        async with responses.stream(model="default", input="Think it over.", **SEALED) as stream:
            said = "".join(
                [event.delta async for event in stream if event.type == "response.reasoning_summary_text.delta"]
            )
            answer = await stream.get_final_response()
    else:
        answer = await responses.create(model="default", input="Think it over.", **SEALED)
        said = "".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary)
    turns = [
        {"role": "user", "content": "Think it over."},
        *(item.model_dump(exclude_none=True) for item in answer.output),
        {"role": "user", "content": "Go on."},
    ]
    await responses.create(model="default", input=turns, **SEALED)
    request = mocks[0].requests[-1]
    if request.dialect == "openai_responses":
        [thought] = [item for item in request.json["input"] if item.get("type") == "reasoning"]
        [sent] = [item for item in answer.output if item.type == "reasoning"]
        assert (thought["id"], thought["encrypted_content"]) == (sent.id, sent.encrypted_content)
    if request.dialect == "anthropic_messages":
        [block] = [block for block in request.json["messages"][1]["content"] if block["type"] == "thinking"]
        assert block["thinking"] == said == "The user wants an answer, so I shall give one. "
        assert block["signature"] == "bW9jay1zaWduYXR1cmU="
    assert "understudy" not in request.body.decode()


async def test_it_gets_structured_output(responses: Any) -> None:
    answer = await responses.parse(model="default", input=QUESTION, text_format=Weather)
    assert isinstance(answer.output_parsed, Weather)
    async with responses.stream(model="default", input=QUESTION, text_format=Weather) as stream:
        async for _ in stream:
            pass
        assert isinstance((await stream.get_final_response()).output_parsed, Weather)


async def test_it_shows_pictures(responses: Any, mocks: tuple[Mock, Mock]) -> None:
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
    ]
    answer = await responses.create(model="default", input=[{"role": "user", "content": content}])
    assert answer.output_text
    assert PIXEL in mocks[0].requests[-1].body.decode()


async def test_an_answer_that_met_its_bound_is_incomplete(responses: Any) -> None:
    answer = await responses.create(model="default", input="x " * 60, max_output_tokens=16)
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    events = [
        event
        async for event in await responses.create(model="default", input="x " * 60, max_output_tokens=16, stream=True)
    ]
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"


async def test_it_raises_what_it_should(responses: Any, mocks: tuple[Mock, Mock]) -> None:
    with pytest.raises(openai.NotFoundError, match="default") as unknown:
        await responses.create(model="nobody", input=QUESTION)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="input"):
        await responses.create(model="default", input=7)
    for mock in mocks:
        mock.set({"error_burst": {"problem": "rate_limit", "retry_after_s": 30.0}})
    with pytest.raises(openai.RateLimitError) as limited:
        await responses.create(model="default", input=QUESTION)
    assert 20 < float(limited.value.response.headers["retry-after"]) <= 31


@pytest.mark.parametrize("fault", ["truncated_stream", "in_band_error"])
async def test_it_raises_for_a_stream_that_breaks(responses: Any, mocks: tuple[Mock, Mock], fault: str) -> None:
    mocks[0].set({fault: {"after_chunks": 3}})
    said = ""
    with pytest.raises(openai.APIError):
        async for event in await responses.create(model="default", input=QUESTION, stream=True):
            assert event.type not in {"response.completed", "response.incomplete"}
            said += event.delta if event.type == "response.output_text.delta" else ""
    assert said


async def test_the_next_target_answers_before_anything_was_said(responses: Any, mocks: tuple[Mock, Mock]) -> None:
    mocks[0].set({"in_band_error": {"after_chunks": 0}})
    raw = await responses.with_raw_response.create(model="default", input=QUESTION, stream=True)
    events = [event async for event in raw.parse()]
    assert raw.headers["x-understudy-target"] == "understudy"
    assert events[-1].type == "response.completed"


async def test_the_sync_client_works_too(stage: Stage) -> None:
    def ask() -> tuple[str, str, str, Any]:
        with openai.OpenAI(base_url=stage.url + "/v1", api_key="any", max_retries=0) as client:
            whole = client.responses.create(model="default", input=QUESTION)
            with client.responses.stream(model="default", input=QUESTION) as stream:
                streamed = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
                final = stream.get_final_response().output_text
            return (
                whole.output_text,
                streamed,
                final,
                client.responses.parse(model="default", input=QUESTION, text_format=Weather).output_parsed,
            )

    whole, streamed, final, parsed = await asyncio.to_thread(ask)
    assert whole == streamed == final
    assert isinstance(parsed, Weather)


# What one provider holds


def at_home(mocks: tuple[Mock, Mock], understudy: str = "openai_compatible, api: responses", policy: str = "") -> str:
    """A lead that speaks Responses, another model of it, and an understudy elsewhere."""
    url = mocks[1].base_url if understudy.startswith("openai") else mocks[1].origin
    return f"""
targets:
  lead: {{provider: openai_compatible, api: responses, model: m, base_url: "{mocks[0].base_url}", key: env:KEY}}
  same: {{provider: openai_compatible, api: responses, model: n, base_url: "{mocks[0].base_url}", key: env:KEY}}
  other: {{provider: {understudy}, model: o, base_url: "{url}", key: env:KEY}}
routes:
  default:
    tiers: {{primary: [lead, other]}}
    policy: &policy {{retry: {{kind: none}}, wait_max_s: 0, {policy or "strict: false"}}}
  family:
    tiers: {{primary: [lead, other, same]}}
    policy: *policy
"""


HELD: dict[str, Any] = {
    "previous_response_id": {"previous_response_id": "resp_1"},
    "conversation": {"conversation": "conv_1"},
    "background": {"background": True},
    "prompt": {"prompt": {"id": "pmpt_1"}},
    "a file": {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
    "a picture": {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1", "detail": "auto"}]}]},
    "a file in a result": {
        "input": [
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_file", "file_id": "file-1"}]},
        ]
    },
    "an item": {"input": [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "Go on."}]},
    "a compaction": {
        "input": [{"type": "compaction", "encrypted_content": "gAAAAx"}, {"role": "user", "content": "Go on."}]
    },
    "a vector store": {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    "a container": {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "understudy", ["openai_compatible, api: responses", "anthropic_compatible", "openai_compatible"]
)
@pytest.mark.parametrize("held", HELD)
async def test_what_a_provider_holds_is_never_asked_for_elsewhere(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], held: str, understudy: str
) -> None:
    stage = await raise_curtain(at_home(mocks, understudy))
    asked = {"input": QUESTION, **HELD[held]}
    answered = await stage.ask("responses", **asked)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "lead")
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    answered = await stage.ask("responses", **asked)
    assert answered.status >= 500
    assert not mocks[1].requests
    # anything else goes there
    answered = await stage.ask("responses", input=QUESTION, store=True)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "other")


async def test_another_model_of_the_holder_may_answer(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(at_home(mocks).replace("model: m,", "model: mock-500,"))
    answered = await stage.ask("responses", model="family", input=QUESTION, previous_response_id="resp_1")
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "same")
    assert [request.json["previous_response_id"] for request in mocks[0].requests] == ["resp_1"] * 2
    assert not mocks[1].requests


async def test_why_nobody_else_was_asked_is_told(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(at_home(mocks))
    mocks[0].set("outage")
    answered = await stage.ask("responses", input=QUESTION, conversation="conv_1")
    assert answered.error is not None
    assert "other: held_state: what the request refers to is held by openai_compatible" in answered.error["message"]


async def test_who_speaks_no_responses_says_what_it_lacks(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    answered = await stage.ask("responses", input=QUESTION, previous_response_id="resp_1")
    assert answered.status == 400
    assert answered.error is not None
    assert "cannot do stored" in answered.error["message"]
    kept = await stage.ask("responses", input=QUESTION, store=True)
    assert kept.headers["x-understudy-dropped"] == "store"
    assert kept.json["store"] is False


# Asked natively, and asked in translation


async def test_a_caller_of_responses_is_passed_through_untouched(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_targets(*mocks, "responses"))
    body = {"input": [{"role": "user", "content": QUESTION}], "metadata": {"a": "b"}, "x_new": [1, 2.50]}
    answered = await stage.ask("responses", **body)
    assert mocks[0].requests[0].json == {"model": "m", **body}
    assert answered.json["id"].startswith("resp_mock")
    streamed = await stage.ask("responses", stream=True, **body)
    assert streamed.events[-1]["response"]["id"].startswith("resp_mock")


async def test_a_provider_that_has_both_is_asked_in_the_callers_own(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(
        f'targets: {{gpt: {{provider: openai, model: gpt-5.1, base_url: "{mocks[0].base_url}", key: env:KEY}}}}'
    )
    for dialect in ("responses", "openai", "anthropic"):
        assert (await stage.ask(dialect, model="gpt")).status == 200
    assert [request.dialect for request in mocks[0].requests] == ["openai_responses", "openai_chat", "openai_chat"]


async def test_a_translated_request_is_not_kept_and_its_thinking_comes_sealed(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    line = f'provider: openai, api: responses, base_url: "{mocks[0].base_url}", key: env:KEY'
    stage = await raise_curtain(f"targets: {{new: {{{line}, model: gpt-5.1}}, old: {{{line}, model: gpt-4o}}}}")
    for model in ("new", "old"):
        assert (await stage.ask("openai", model=model)).status == 200
    new, old = (request.json for request in mocks[0].requests)
    assert (new["store"], new["include"]) == (False, ["reasoning.encrypted_content"])
    assert old["store"] is False
    assert "include" not in old


async def test_tokens_are_counted_where_the_provider_does(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(
        f'targets: {{gpt: {{provider: openai, model: gpt-5.1, base_url: "{mocks[0].base_url}", key: env:KEY}}}}'
    )
    async with client_of(stage) as client:
        counted = await client.responses.input_tokens.count(model="gpt", input=QUESTION, instructions="Be brief.")
    assert counted.object == "response.input_tokens"
    assert counted.input_tokens > 0
    assert mocks[0].requests[0].path == "/v1/responses/input_tokens"


async def test_tokens_are_estimated_elsewhere(stage: Stage) -> None:
    async with client_of(stage) as client:
        counted = await client.responses.input_tokens.count(model="default", input=QUESTION)
    assert counted.object == "response.input_tokens"
    assert counted.input_tokens > 0


# Seals of one account at another


def two_accounts(mocks: tuple[Mock, Mock], api: str = "responses", policy: str = "strict: false") -> str:
    """Two resources of one cloud: neither can read what the other sealed."""
    line = f"provider: azure, model: gpt-5, api: {api}, key: env:KEY"
    return f"""
targets:
  lead: {{{line}, base_url: "{mocks[0].origin}"}}
  other: {{{line}, base_url: "{mocks[1].origin}"}}
routes:
  default: {{tiers: {{primary: [lead, other]}}, policy: {{retry: {{kind: none}}, wait_max_s: 0, {policy}}}}}
"""


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAx"}
TURNS = [{"role": "user", "content": "Hello."}, THOUGHT, {"role": "assistant", "content": "Well."}, {"role": "user", "content": "And?"}]  # fmt: skip


async def test_what_one_account_sealed_is_not_sent_to_another(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_accounts(mocks))
    answered = await stage.ask("responses", input=TURNS)
    assert THOUGHT in mocks[0].requests[0].json["input"]
    assert "x-understudy-dropped" not in answered.headers
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    answered = await stage.ask("responses", input=TURNS)
    assert (answered.status, answered.headers["x-understudy-dropped"]) == (200, "input.reasoning")
    assert mocks[1].requests[0].json["input"] == [one for one in TURNS if one is not THOUGHT]


async def test_a_strict_route_goes_no_further_than_the_thinking_can(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_accounts(mocks, policy="strict: true"))
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    assert (await stage.ask("responses", input=TURNS)).status >= 400
    assert not mocks[1].requests


async def test_nor_is_it_in_translation(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_accounts(mocks))
    first = await stage.ask("openai", reasoning_effort="low")
    turn = first.json["choices"][0]["message"]
    assert turn["reasoning_details"][0]["data"].startswith("gAAAA")
    messages = [{"role": "user", "content": "Hello."}, turn, {"role": "user", "content": "And?"}]
    await stage.ask("openai", messages=messages)
    assert [item["type"] for item in mocks[0].requests[-1].json["input"]].count("reasoning") == 1
    mocks[0].set({"error_burst": {"problem": "server_error"}})
    answered = await stage.ask("openai", messages=messages)
    assert "messages.reasoning" in answered.headers["x-understudy-dropped"]
    assert "gAAAA" not in mocks[1].requests[-1].body.decode()


# The guide


GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "responses.md").read_text(encoding="utf-8")


async def test_the_guides_example_runs(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    [example] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    await asyncio.to_thread(exec, example.replace("http://127.0.0.1:8484", stage.url), {})
    assert "And at night?" in capsys.readouterr().out


def test_the_guides_configuration_can_be_used() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    made = loads(text, env={})
    assert made.targets["new"].dialects == made.targets["mantle"].dialects == ("openai_responses",)
    assert made.targets["gpt"].dialects == ("openai_chat", "openai_responses")

"""The official google-genai SDK as it is, over an upstream of each dialect: sync, async, streams, tools, structured output, errors.

Nothing is patched: it is given our address. Its import takes seconds, so all of it lives in one module.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

import pydantic
import pytest
from google import genai
from google.genai import errors, types

from stage import PROVIDERS, Raise, Stage, two_targets
from understudy.mock import Mock

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(40)
QUESTION = "What is the weather in Paris?"
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="The weather in a city",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
            ),
        )
    ]
)


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=PROVIDERS)
async def stage(request: pytest.FixtureRequest, raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> Stage:
    """A data plane over an upstream of each dialect."""
    return await raise_curtain(two_targets(*mocks, request.param))


def client_of(stage: Stage, key: str = "any", version: str = "v1beta") -> genai.Client:
    options = types.HttpOptions(base_url=stage.url, api_version=version)
    return genai.Client(api_key=key, http_options=options, vertexai=False)


@pytest.fixture
async def models(stage: Stage) -> AsyncIterator[Any]:
    async with client_of(stage).aio as client:
        yield client.models


async def test_it_asks(models: Any) -> None:
    answer = await models.generate_content(
        model="default",
        contents=QUESTION,
        config=types.GenerateContentConfig(
            system_instruction="Be brief.", temperature=0.5, top_k=3, max_output_tokens=50, stop_sequences=["\n\n"]
        ),
    )
    assert answer.text
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    assert answer.model_version
    assert answer.response_id
    usage = answer.usage_metadata
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count


async def test_it_streams(models: Any) -> None:
    whole = await models.generate_content(model="default", contents=QUESTION)
    chunks = [one async for one in await models.generate_content_stream(model="default", contents=QUESTION)]
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert len(chunks) > 3
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count > 0


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_it_calls_tools_and_gives_results_back(models: Any, mocks: tuple[Mock, Mock], *, streamed: bool) -> None:
    config = types.GenerateContentConfig(
        tools=[TOOL],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        ),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    if streamed:
        stream = await models.generate_content_stream(model="default", contents=QUESTION, config=config)
        contents = [chunk.candidates[0].content async for chunk in stream]
    else:
        contents = [
            (await models.generate_content(model="default", contents=QUESTION, config=config)).candidates[0].content
        ]
    [call] = [part.function_call for content in contents for part in content.parts or [] if part.function_call]
    assert call.name == "get_weather"
    assert isinstance(call.args["city"], str)
    assert call.id or mocks[0].requests[-1].dialect == "gemini"  # Gemini's own calls mostly have none
    # the SDK's own constructor of a result takes no id: the name must do
    result = types.Part.from_function_response(name="get_weather", response={"result": "21 degrees"})
    again = await models.generate_content(
        model="default",
        contents=[types.UserContent(QUESTION), *contents, types.Content(role="user", parts=[result])],
        config=types.GenerateContentConfig(tools=[TOOL]),
    )
    assert again.text
    assert "21 degrees" in mocks[0].requests[-1].body.decode()


async def test_a_signature_of_the_provider_comes_back_to_it(models: Any, mocks: tuple[Mock, Mock]) -> None:
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2000), max_output_tokens=3000
    )
    chunks = [
        one
        async for one in await models.generate_content_stream(model="default", contents="Think it over.", config=config)
    ]
    contents = [chunk.candidates[0].content for chunk in chunks if chunk.candidates]
    await models.generate_content(model="default", contents=[*contents, types.UserContent("Go on.")], config=config)
    request = mocks[0].requests[-1]
    if request.dialect == "anthropic_messages":
        [thinking] = [block for block in request.json["messages"][0]["content"] if block["type"] == "thinking"]
        assert thinking["thinking"] == "The user wants an answer, so I shall give one. "
        assert thinking["signature"] == "bW9jay1zaWduYXR1cmU="


async def test_it_gets_structured_output(models: Any) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Weather)
    answer = await models.generate_content(model="default", contents=QUESTION, config=config)
    assert isinstance(answer.parsed, Weather)
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=Weather.model_json_schema()
    )
    answer = await models.generate_content(model="default", contents=QUESTION, config=config)
    Weather.model_validate_json(answer.text)


async def test_it_shows_pictures(models: Any, mocks: tuple[Mock, Mock]) -> None:
    contents = ["What is this?", types.Part.from_bytes(data=PIXEL, mime_type="image/png")]
    answer = await models.generate_content(model="default", contents=contents)
    assert answer.text
    assert base64.b64encode(PIXEL).decode() in mocks[0].requests[-1].body.decode()


def words_in(node: Any) -> Iterator[str]:
    """Every text of a request, in whatever format, in order."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if name in {"text", "content"} and isinstance(inner, str):
                yield inner
            else:
                yield from words_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from words_in(inner)


async def test_a_chat_keeps_its_history(stage: Stage, mocks: tuple[Mock, Mock]) -> None:
    async with client_of(stage).aio as client:
        chat = client.chats.create(model="default")
        first = "".join([chunk.text or "" async for chunk in await chat.send_message_stream("Hello.")])
        await chat.send_message("And then?")
    assert first in "".join(words_in(mocks[0].requests[-1].json))


async def test_it_raises_what_it_should(models: Any, mocks: tuple[Mock, Mock]) -> None:
    with pytest.raises(errors.ClientError, match="default") as unknown:
        await models.generate_content(model="nobody", contents=QUESTION)
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    for mock in mocks:
        mock.set({"error_burst": {"problem": "rate_limit", "retry_after_s": 30.0}})
    with pytest.raises(errors.ClientError) as limited:
        await models.generate_content(model="default", contents=QUESTION)
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    [info] = [one for one in limited.value.details["error"]["details"] if one["@type"].endswith("RetryInfo")]
    assert 20 < float(info["retryDelay"].removesuffix("s")) <= 31


async def test_it_raises_for_a_stream_that_breaks(models: Any, mocks: tuple[Mock, Mock]) -> None:
    mocks[0].set({"truncated_stream": {"after_chunks": 3}})
    said = ""
    with pytest.raises(errors.APIError):
        async for chunk in await models.generate_content_stream(model="default", contents=QUESTION):
            said += chunk.text or ""
    assert said


async def test_models_are_listed(stage: Stage) -> None:
    def listed() -> tuple[list[str | None], str | None, list[str | None]]:
        with client_of(stage) as client, client_of(stage, version="v1") as older:
            names = [one.name for one in client.models.list()]
            return names, client.models.get(model="lead").name, [one.name for one in older.models.list()]

    names, one, older = await asyncio.to_thread(listed)
    assert names == older
    assert names[:3] == ["models/default", "models/lead", "models/understudy"]
    assert one == "models/lead"


async def test_the_sync_client_works_too(stage: Stage) -> None:
    def ask() -> tuple[str, str]:
        with client_of(stage, version="v1") as client:
            whole = client.models.generate_content(model="default", contents=QUESTION)
            stream = client.models.generate_content_stream(model="default", contents=QUESTION)
            return whole.text or "", "".join(chunk.text or "" for chunk in stream)

    whole, streamed = await asyncio.to_thread(ask)
    assert whole == streamed
    assert whole


# The key: in Google's header, or in the address


async def test_the_key_is_the_callers_and_goes_no_further(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    key = "the-callers-own-key"
    principals = f'principals: [{{name: app, key_sha256: "{sha256(key.encode()).hexdigest()}"}}]\n'
    stage = await raise_curtain(two_targets(*mocks, "gemini") + principals)
    async with client_of(stage, key).aio as client, client_of(stage, "another").aio as stranger:
        assert (await client.models.generate_content(model="default", contents=QUESTION)).text
        with pytest.raises(errors.ClientError) as refused:
            await stranger.models.generate_content(model="default", contents=QUESTION)
    assert (refused.value.code, refused.value.status) == (401, "UNAUTHENTICATED")
    body = {"contents": [{"parts": [{"text": "Hello"}]}]}
    inside = await stage.http.post(f"{stage.url}/v1beta/models/default:generateContent?key={key}", json=body)
    assert inside.status_code == 200
    outside = await stage.http.post(f"{stage.url}/v1beta/models/default:generateContent?key=other", json=body)
    assert outside.status_code == 401
    assert outside.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    for request in mocks[0].requests:
        assert request.headers["x-goog-api-key"] == "sk-test"
        assert key not in str(request.headers) + request.path


# Streams without `alt=sse`


@pytest.mark.parametrize("upstream", PROVIDERS)
async def test_without_events_a_stream_is_an_array(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], upstream: str
) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    url = f"{stage.url}/v1beta/models/default:streamGenerateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    told = await stage.http.post(url, json=body)
    assert told.headers["content-type"] == "application/json"
    parts = [one["candidates"][0]["content"]["parts"][0] for one in told.json()]
    whole = await stage.ask("gemini", **body)
    assert "".join(part.get("text", "") for part in parts) == whole.text
    assert len(parts) > 3
    assert told.json()[-1]["candidates"][0]["finishReason"] == "STOP"
    mocks[0].set({"truncated_stream": {"after_chunks": 3}})
    broken = (await stage.http.post(url, json=body)).json()
    assert broken[-1]["error"]["status"] == "UNAVAILABLE"
    assert not any("finishReason" in candidate for one in broken for candidate in one.get("candidates", []))
    for mock in mocks:
        mock.set({"error_burst": {"problem": "server_error"}})
    refused = await stage.http.post(url, json=body)
    assert refused.status_code >= 500
    assert refused.json()["error"]["code"] == refused.status_code

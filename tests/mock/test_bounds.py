"""No request, whatever figures stand in it, holds the mock up or fills its memory: it is refused as the provider would refuse it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from plain_client import Look, ask, chat, message
from understudy.mock import BadScript, Mock, Script, read_script, server, start_mock, wire

HUGE = 10**9
AT_ONCE_S = 5.0  # what is not bounded takes minutes here, or the memory of the machine


async def at_once(mock: Mock, body: dict[str, Any] | bytes, path: str = "/v1/chat/completions", **headers: str) -> Look:
    begun_s = time.perf_counter()
    look = await ask(mock, body, path, patience_s=20.0, **headers)
    assert time.perf_counter() - begun_s < AT_ONCE_S
    return look


def said(look: Look) -> str:
    """The error's words, in whichever provider's form."""
    error = look.json.get("error", look.json)
    return str(error["message"])


def nested(depth: int, width: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema, "minItems": width}
    return schema


BRANCHING = {
    "type": "object",
    "properties": {name: {"$ref": "#"} for name in "abcdefghij"},
    "required": list("abcdefghij"),
}
TOO_LARGE = {
    "items": nested(1, HUGE),
    "items-in-items": nested(6, 100),
    "itself": BRANCHING,
    "letters": {"type": "string", "minLength": HUGE},
    "letters-in-items": {"type": "array", "items": {"type": "string", "minLength": 60_000}, "minItems": 9_000},
    "one-value-many-times": {"type": "array", "items": {"const": "x" * 100_000}, "minItems": 9_000},
    "one-choice-many-times": {"type": "array", "items": {"enum": ["x" * 100_000]}, "minItems": 9_000},
    "names": {"type": "array", "items": {"properties": {"x" * 100_000: {}}}, "minItems": 9_000},
}


def shaped(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    form = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    return chat(response_format=form, **more)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("n", "words"),
    [
        (HUGE, "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 1000000000 instead."),
        (129, "Expected a value <= 128, but got 129 instead."),
        (0, "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        (-1, "Expected a value >= 1, but got -1 instead."),
    ],
)
async def test_alternatives_are_as_many_as_openai_gives(mock: Mock, n: int, words: str, stream: bool) -> None:
    look = await at_once(mock, chat(n=n, stream=stream))
    assert look.status == 400
    assert look.json["error"]["type"] == "invalid_request_error"
    assert words in said(look)


async def test_as_many_alternatives_as_there_may_be_are_given(mock: Mock) -> None:
    assert len((await at_once(mock, chat(n=128))).json["choices"]) == 128
    look = await ask(mock, chat(text="a " * 100, n=128, stream=True), patience_s=20.0)
    assert len({choice["index"] for event in look.events[:-1] for choice in event["choices"]}) == 128


@pytest.mark.parametrize("count", [HUGE, 9, 0, -1])
async def test_candidates_are_as_many_as_google_gives(mock: Mock, count: int) -> None:
    body = {"contents": [{"parts": [{"text": "Hi."}]}], "generationConfig": {"candidateCount": count}}
    look = await at_once(mock, body, "/v1beta/models/m:generateContent")
    assert look.status == 400
    assert look.json["error"]["status"] == "INVALID_ARGUMENT"
    assert f"a candidateCount value of {count}" in said(look)


async def test_alternatives_of_a_long_answer_are_refused_when_they_are_too_much_together() -> None:
    async with await start_mock(Script(words=9_000)) as mock:
        assert (await at_once(mock, chat(n=2))).status == 200
        look = await at_once(mock, chat(n=128))
        assert look.status == 400
        assert "at most 20,000 tokens" in said(look)
        bounded = await at_once(mock, chat(n=128, max_tokens=100))
        assert bounded.status == 200


@pytest.mark.parametrize("schema", TOO_LARGE.values(), ids=list(TOO_LARGE))
async def test_what_fits_a_schema_only_when_it_is_giant_is_refused(mock: Mock, schema: dict[str, Any]) -> None:
    look = await at_once(mock, shaped(schema))
    assert look.status == 400
    assert look.json["error"]["type"] == "invalid_request_error"
    assert said(look).startswith("Invalid schema: what fits it is larger than")
    tool = {"name": "get_weather", "input_schema": schema}
    refused = await at_once(
        mock, message(tools=[tool], tool_choice={"type": "any"}), "/v1/messages", anthropic_version="1"
    )
    assert (refused.status, refused.json["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "schema",
    [
        b'{"type": "array", "minItems": 1e999}',
        b'{"type": "number", "minimum": 1e999}',
        b'{"type": "integer", "minimum": 1' + b"0" * 400 + b"}",
        b'{"type": "string", "minLength": 1e999}',
        b'{"properties": {"a": {}}, "required": 1}',
    ],
)
async def test_figures_beyond_all_numbers_are_no_schema(mock: Mock, schema: bytes) -> None:
    body = json.dumps(shaped({"HERE": 0})).encode().replace(b'{"HERE": 0}', schema)
    look = await at_once(mock, body)
    expected = schema.find(b"required") < 0  # at the top nobody asks what is required
    assert look.status == (400 if expected else 200)


async def test_one_choice_beside_many_names_takes_no_square_of_the_time(mock: Mock) -> None:
    names = [f"n{number}" for number in range(20_000)]
    inner: dict[str, Any] = {
        "type": "object",
        "properties": {name: {} for name in names},
        "required": ["m", *names[::-1]],
    }
    for _ in range(7):
        inner = {"type": "object", "properties": {"a": inner}, "required": ["a"]}
    assert (await at_once(mock, shaped(inner))).status == 400


async def test_blanks_before_a_stop_sequence_take_no_square_of_the_time(mock: Mock) -> None:
    look = await at_once(mock, shaped({"const": "so" + " " * 200_000 + "END"}, stop=["END"]))
    assert look.status == 200
    assert look.json["choices"][0]["message"]["content"].strip() == '"so'


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bound_of_any_size_costs_nothing(mock: Mock, stream: bool) -> None:
    assert (await at_once(mock, chat(max_tokens=10**30, stream=stream))).status == 200
    look = await at_once(mock, message(stream=stream) | {"max_tokens": 10**30}, "/v1/messages", anthropic_version="1")
    assert look.status == 200


EMBEDDINGS = {
    "/v1/embeddings": [
        {"model": "m", "input": "x", "dimensions": HUGE},
        {"model": "m", "input": "x", "dimensions": -1},
        {"model": "m", "input": ["x"] * 2049},
        {"model": "m", "input": ["x"] * 2048, "dimensions": 3072},
    ],
    "/v1beta/models/m:batchEmbedContents": [
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": "x"}]}, "outputDimensionality": HUGE}]},
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": "x"}]}, "outputDimensionality": "x"}]},
        {"requests": [{"model": "models/m", "content": {"parts": [{"text": "x"}]}}] * 2049},
        {"requests": [1]},
        {"requests": [{"model": "models/m"}]},
    ],
    "/v2/embed": [
        {"model": "m", "input_type": "search_query", "texts": ["x"], "output_dimension": HUGE},
        {"model": "m", "input_type": "search_query", "texts": ["x"] * 2049},
        {"model": "m", "input_type": "search_query", "texts": [1]},
    ],
}


@pytest.mark.parametrize(("path", "body"), [(path, body) for path, bodies in EMBEDDINGS.items() for body in bodies])
async def test_vectors_are_bounded_in_length_and_number(mock: Mock, path: str, body: dict[str, Any]) -> None:
    look = await at_once(mock, body, path)
    assert look.status == 400
    assert said(look)


FAULTS = [
    {"latency": {"headers_s": 1e308}},
    {"latency": {"headers_s": -1.0}},
    {"error_burst": {"problem": "rate_limit", "retry_after_s": 1e308, "hint": "retry_after_date"}},
    {"clock_skew": {"skew_s": 1e308}},
    {"giant_answers": {"mib": 1e308}},
    {"truncated_stream": {"after_chunks": 10**30}},
    {"slow_trickle": {"bytes": -1}},
]


@pytest.mark.parametrize("fault", FAULTS, ids=json.dumps)
async def test_a_fault_that_a_request_asks_for_has_figures_of_this_world(mock: Mock, fault: dict[str, Any]) -> None:
    look = await at_once(mock, chat(stream=True), x_mock_faults=json.dumps([fault]))
    assert look.status == 400
    assert "x-mock-faults" in said(look)


async def test_a_request_asks_for_so_many_faults_at_most(mock: Mock) -> None:
    assert (await at_once(mock, chat(), x_mock_faults=json.dumps(["latency"] * 100))).status == 200
    look = await at_once(mock, chat(), x_mock_faults=json.dumps(["latency"] * 101))
    assert (look.status, "at most 100 faults" in said(look)) == (400, True)


@pytest.mark.parametrize(
    "source",
    ["words: 100001", "words: -1", "faults: [{latency: {headers_s: .nan}}]", "faults: [{silence: {from_s: .nan}}]"],
)
def test_a_script_of_figures_that_cannot_be_meant_is_refused(source: str) -> None:
    with pytest.raises(BadScript):
        read_script(source)


async def test_a_text_of_the_scripts_own_is_as_long_as_it_is() -> None:
    async with await start_mock(Script(text="word " * 30_000)) as mock:
        assert (await at_once(mock, chat())).json["usage"]["completion_tokens"] == 30_000
        assert (await at_once(mock, chat(n=2))).status == 400


async def test_json_that_is_nested_beyond_reading_is_refused(mock: Mock) -> None:
    deep = b'{"a":' * 700 + b"1" + b"}" * 700
    body = json.dumps(chat(tools=[])).encode().replace(b"[]}", b'[{"type":"function","function":{"name":"x","parameters":%b}}]}' % deep)  # fmt: skip
    assert (await at_once(mock, body)).status in (200, 400)
    told = (
        b'{"contents":[{"parts":[{"text":"Hi."}]}],"tools":[{"functionDeclarations":[{"name":"x","parameters":%b}]}]}'
    )
    look = await at_once(mock, told % deep, "/v1beta/models/m:generateContent")
    assert look.status == 400
    assert "nested too deeply" in said(look)


async def test_what_is_remembered_of_requests_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REMEMBERED_BYTES", 10_000)
    async with await start_mock() as mock:
        for number in range(5):
            await ask(mock, chat(text=f"{number}" * 4_000))
        assert [received.body.count(b"3") > 3_000 for received in mock.requests] == [True, False]
        mock.forget()
        await ask(mock, chat(text="x" * 20_000))
        assert len(mock.requests) == 1, "the latest is there, whatever its size"


async def test_requests_sent_ahead_are_bounded(mock: Mock) -> None:
    mock.set("silence")
    body = json.dumps(chat()).encode()
    one = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    try:
        writer.write(one * (wire.WAITING_MAX + 2))
        with pytest.raises(ConnectionError):
            assert await asyncio.wait_for(reader.read(1), 5) == b"never"
    finally:
        writer.close()


async def test_headers_without_end_are_refused(mock: Mock) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    try:
        writer.write(b"POST / HTTP/1.1\r\n" + b"x-more: and more\r\n" * 20_000)
        told = await asyncio.wait_for(reader.read(12), 5)
    finally:
        writer.close()
    assert told == b"HTTP/1.1 431"

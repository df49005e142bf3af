"""What only Ollama's and Cohere's own formats have: JSON lines, model lists of their own, refusals, recordings of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plain_client import ask
from understudy.framing.json_lines import JsonLinesParser
from understudy.mock import Mock, start_mock

ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def lines(body: bytes) -> list[dict[str, Any]]:
    parser = JsonLinesParser()
    return [json.loads(event.data or b"") for event in [*parser.feed(body), *parser.flush()]]


async def test_ollama_streams_lines_unless_told_otherwise(mock: Mock) -> None:
    streamed = await ask(mock, ASKED, "/api/chat")
    whole = await ask(mock, {**ASKED, "stream": False}, "/api/chat")
    assert streamed.headers["content-type"] == "application/x-ndjson"
    told = lines(streamed.body)
    assert [one["done"] for one in told] == [False] * (len(told) - 1) + [True]
    assert "".join(one["message"]["content"] for one in told) == whole.json["message"]["content"]
    assert told[-1]["eval_count"] == whole.json["eval_count"]


async def test_ollama_thinks_and_calls_tools(mock: Mock) -> None:
    asked = {**ASKED, "messages": [{"role": "user", "content": "How is the weather?"}], "tools": [TOOL], "think": True}
    whole = await ask(mock, {**asked, "stream": False}, "/api/chat")
    assert whole.json["message"]["thinking"]
    [call] = whole.json["message"]["tool_calls"]
    assert call == {"function": {"name": "get_weather", "arguments": {}}}
    told = lines((await ask(mock, asked, "/api/chat")).body)
    assert [one["message"]["tool_calls"] for one in told if "tool_calls" in one["message"]] == [[call]]


async def test_ollama_lists_its_models(mock: Mock) -> None:
    listed = await ask(mock, None, "/api/tags", "GET")
    assert [model["name"] for model in listed.json["models"]] == list(mock.script.models)


@pytest.mark.parametrize(
    ("path", "changes", "member"),
    [
        ("/api/chat", {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "error"),
        ("/api/chat", {"tools": [{}]}, "error"),
        ("/v2/chat", {"tools": [{}]}, "message"),
        ("/v2/chat", {"tools": [TOOL], "response_format": {"type": "json_object"}}, "message"),
    ],
)
async def test_what_the_real_one_refuses_is_refused_in_its_words(
    mock: Mock, path: str, changes: dict[str, Any], member: str
) -> None:
    refused = await ask(mock, {**ASKED, **changes}, path)
    assert refused.status == 400
    assert isinstance(refused.json[member], str)


async def test_cohere_plans_before_it_calls_and_counts_twice(mock: Mock) -> None:
    asked = {**ASKED, "tools": [TOOL], "tool_choice": "REQUIRED", "thinking": {"type": "enabled"}}
    whole = await ask(mock, asked, "/v2/chat")
    message = whole.json["message"]
    assert message["tool_plan"]
    assert message["content"][0]["type"] == "thinking"
    assert whole.json["finish_reason"] == "TOOL_CALL"
    usage = whole.json["usage"]
    assert usage["tokens"]["input_tokens"] > usage["billed_units"]["input_tokens"]
    told = await ask(mock, {**asked, "stream": True}, "/v2/chat")
    kinds = [event["type"] for event in told.events if isinstance(event, dict)]
    assert kinds[0] == "message-start"
    assert kinds[-1] == "message-end"
    assert {"content-start", "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end"} <= set(kinds)


async def test_recordings_of_both_are_replayed(tmp_path: Path) -> None:
    stream = b'{"message":{"role":"assistant","content":"Hi"},"done":false}\n{"message":{"content":""},"done":true}\n'
    records = [
        {"api": "ollama_chat", "id": "o", "stream": True, "request": {"body": ASKED}, "response": {"status": 200, "body_text": stream.decode()}},
        {"api": "cohere_chat", "id": "c", "stream": False, "request": {"body": ASKED}, "response": {"status": 200, "body_text": '{"id":"c1"}'}},
    ]  # fmt: skip
    recording = tmp_path / "both.jsonl"
    recording.write_text("\n".join(map(json.dumps, records)))
    async with await start_mock(f"recording: {recording}") as replaying:
        ollama, cohere = await ask(replaying, ASKED, "/api/chat"), await ask(replaying, ASKED, "/v2/chat")
    assert ollama.body == stream
    assert ollama.headers["content-type"] == "application/x-ndjson"
    assert cohere.json == {"id": "c1"}

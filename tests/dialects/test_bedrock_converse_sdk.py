"""Requests and answers against Amazon's own description of the service, as its library carries it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EventStreamError
from botocore.validate import ParamValidator
from hypothesis import given

from conftest import read_recordings
from strategies import conversations
from understudy.core.conversation import Extra, Opaque, OpaqueTool, Stored
from understudy.core.projection import project_request
from understudy.dialects import Dialect
from understudy.dialects.bedrock_converse import DIALECT
from understudy.mock import Mock, Script, start_mock
from understudy.registry import Registry

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")
OTHERS = {"chat_completions": "openai_chat", "messages": "anthropic_messages", "generate_content": "gemini"}
SESSION = botocore.session.get_session()
SESSION.set_credentials("AKIDEXAMPLE", "secret")
SHAPES = SESSION.get_service_model("bedrock-runtime")
REQUEST = SHAPES.operation_model("Converse").input_shape


def complaints(body: dict[str, Any]) -> str:
    report = ParamValidator().validate({"modelId": "m", **body}, REQUEST)
    return str(report.generate_report())


def holds_own(node: Any) -> bool:
    """Whether something in it stands there in the words of this dialect: what its own callers add, nobody can check."""
    if isinstance(node, Extra | Opaque | OpaqueTool | Stored):
        return node.dialect == DIALECT.name
    if isinstance(node, tuple):
        return any(map(holds_own, node))
    slots = getattr(node, "__slots__", ())
    return not isinstance(node, str) and any(holds_own(getattr(node, name)) for name in slots)


@pytest.mark.no_cover
@given(conversations)
def test_whatever_is_asked_is_asked_as_the_service_describes_it(conversation):
    projected, _ = project_request(conversation, DIALECT.request_carries)
    if holds_own(projected):
        return
    found = complaints(json.loads(DIALECT.render_request(projected)))
    wrong = [line for line in found.splitlines() if "min length: 1" not in line]  # names that nobody would give
    assert not wrong


def recorded() -> Iterator[tuple[str, bytes]]:
    for name, dialect in OTHERS.items():
        for record in read_recordings(name):
            body = (record["request"] or {}).get("body")
            if isinstance(body, dict) and record["error"] is None:
                yield dialect, json.dumps({"model": "m", **body}).encode()


@pytest.mark.no_cover
@pytest.mark.shared("recordings")
def test_every_recorded_request_of_another_format_is_asked_as_the_service_describes_it():
    checked = 0
    for dialect, body in recorded():
        conversation = DIALECTS.entry(dialect).parse_request(body)
        projected, losses = project_request(conversation, DIALECT.request_carries)
        if any(loss.weight == "essential" for loss in losses) or projected.settings.max_tokens == 0:
            continue  # no answer at all is not to be had
        checked += 1
        assert not complaints(json.loads(DIALECT.render_request(projected)))
    assert checked > 1000


# The mock, read by Amazon's own client

QUESTION = {"role": "user", "content": [{"text": "What is the weather in Paris?"}]}
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
            }
        }
    ]
}


async def converse(mock: Mock, *, stream: bool = False, **asked: Any) -> Any:
    """What Amazon's client reads: an answer, or the events of a stream."""

    def ask() -> Any:
        client = SESSION.create_client("bedrock-runtime", region_name="us-east-1", endpoint_url=mock.origin)
        try:
            if not stream:
                return client.converse(**asked)
            with closing(client.converse_stream(**asked)["stream"]) as events:
                return [*events]
        finally:
            client.close()

    return await asyncio.to_thread(ask)


async def test_amazons_client_reads_the_mocks_answers():
    async with await start_mock(Script(text="Rain. All day.")) as mock:
        asked = {
            "modelId": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/p",
            "messages": [QUESTION],
            "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        }
        whole = await converse(mock, **asked)
        streamed = await converse(mock, stream=True, **asked)
        assert mock.requests[0].model == asked["modelId"]
    thought, said = whole["output"]["message"]["content"]
    assert said["text"] == "Rain. All day."
    assert thought["reasoningContent"]["reasoningText"]["signature"]
    assert whole["stopReason"] == "end_turn"
    deltas = [event["contentBlockDelta"]["delta"] for event in streamed if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas) == said["text"]
    assert streamed[0]["messageStart"]["role"] == "assistant"
    assert streamed[-1]["metadata"]["usage"] == whole["usage"]


async def test_amazons_client_reads_the_mocks_calls_and_its_errors():
    async with await start_mock() as mock:
        asked = {"modelId": "amazon.nova-lite-v1:0", "messages": [QUESTION], "toolConfig": TOOLS}
        whole = await converse(mock, **asked)
        (call,) = whole["output"]["message"]["content"]
        assert call["toolUse"]["name"] == "get_weather"
        assert call["toolUse"]["input"].keys() <= {"city"}
        streamed = await converse(mock, stream=True, **asked)
        inputs = [event["contentBlockDelta"]["delta"] for event in streamed if "contentBlockDelta" in event]
        assert json.loads("".join(delta["toolUse"]["input"] for delta in inputs)) == call["toolUse"]["input"]
        mock.set({"error_burst": {"problem": "invalid_request"}})
        with pytest.raises(ClientError, match="Malformed input request"):
            await converse(mock, **asked)
        mock.set({"in_band_error": {"problem": "rate_limit"}})
        with pytest.raises(EventStreamError, match="Too many requests"):
            await converse(mock, stream=True, **asked)


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([{"role": "assistant", "content": [{"text": "x"}]}], "must start with a user message"),
        ([{"role": "user", "content": [{"text": " "}]}], "is blank"),
        ([{"role": "user", "content": []}], "is empty"),
        (
            [QUESTION, {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}]}],
            "toolConfig",
        ),
    ],
)
async def test_the_mock_refuses_what_the_service_refuses(messages, why):
    async with await start_mock() as mock:
        with pytest.raises(ClientError, match=why):
            await converse(mock, modelId="m", messages=messages)

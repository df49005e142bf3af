"""Anything in any place: what cannot be read is refused by name, never with another exception.

Method: requests, answers and events that are in order, with one value somewhere in them replaced by any JSON.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import values
from understudy.core.request import Call
from understudy.dialects import BadAnswer, BadBody, Quirks
from understudy.dialects.openai_responses import DIALECT
from understudy.framing.sse import SseEvent

pytestmark = pytest.mark.no_cover

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAAAx"}  # fmt: skip
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"}
MESSAGE = {
    "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "final_answer",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}, {"type": "refusal", "refusal": "no"}],
}  # fmt: skip
REQUEST = {
    "model": "m",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [
            {"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "https://x", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
        ]},
        THOUGHT, CALL, MESSAGE,
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]},
        {"type": "item_reference", "id": "msg_0"},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}, {"type": "code_interpreter", "container": {"file_ids": []}}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["message.output_text.logprobs"],
    "temperature": 1,
    "max_output_tokens": 20,
    "previous_response_id": None,
}  # fmt: skip
RESPONSE = {
    "id": "resp_1", "created_at": 9, "model": "m", "status": "incomplete", "incomplete_details": {"reason": "content_filter"},
    "output": [THOUGHT, MESSAGE, CALL], "error": None,
    "usage": {"input_tokens": 2, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 1, "output_tokens_details": {}},
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_item.added", "output_index": 0, "item": THOUGHT},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "hm"},
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
    {"type": "response.output_item.added", "output_index": 1, "item": MESSAGE},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "hi"},
    {"type": "response.content_part.done", "output_index": 1, "content_index": 0, "part": MESSAGE["content"][0]},
    {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 2, "item": CALL},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"},
    {"type": "response.output_item.done", "output_index": 2, "item": CALL},
    {"type": "response.completed", "response": RESPONSE},
]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value: what holds it, and under which key."""
    found = []
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in pairs:
        found.append((node, key))
        found += places(inner)
    return found


def spoiled(node: Any, data: st.DataObject) -> Any:
    node = copy.deepcopy(node)
    holder, key = data.draw(st.sampled_from(range(len(places(node)))).map(places(node).__getitem__))
    holder[key] = data.draw(values)
    return node


@given(st.data())
def test_a_request_with_anything_in_it_is_read_or_refused(data):
    body = json.dumps(spoiled(REQUEST, data)).encode()
    with suppress(BadBody):
        DIALECT.parse_request(body)
    with suppress(BadBody):
        DIALECT.retarget(
            Call(dialect=DIALECT.name, needs=DIALECT.needs(body), body=body),
            "m",
            Quirks(
                drop=("include.x", "store"),
                seals="x",
                efforts=("low",),
                refuses_thinking=("temperature",),
                roles=(("developer", "system"),),
            ),
        )


@given(st.data())
def test_an_answer_with_anything_in_it_is_read_or_refused(data):
    body = json.dumps(spoiled(RESPONSE, data)).encode()
    for read in (DIALECT.parse_answer, DIALECT.glance):
        with suppress(BadAnswer):
            read(body)


@given(st.data())
def test_a_stream_with_anything_in_it_is_read_or_refused(data):
    decoder, watcher = DIALECT.decoder(), DIALECT.watcher(hide_usage=False)
    for event in spoiled(EVENTS, data):
        for read in (decoder.decode, watcher.see):
            with suppress(BadAnswer):
                read(SseEvent(b"", b"", json.dumps(event).encode()))

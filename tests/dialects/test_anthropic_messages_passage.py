"""Requests that stay within the Messages API: their needs, and their own bytes for another target."""

from __future__ import annotations

import json

import pytest

from understudy.core.conversation import Message, Reasoning, Role, Text, ToolCall
from understudy.core.request import Call, Needs
from understudy.dialects import BY_THE_BOOK, BadBody, Quirks
from understudy.dialects.anthropic_messages import DIALECT
from understudy.dialects.anthropic_messages.blocks import write_blocks

HI = {"role": "user", "content": "hi"}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD" * 10_000}}


def body(*messages: dict, **fields) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages) or [HI], **fields}).encode()


def needs(*messages: dict, **fields) -> Needs:
    return DIALECT.needs(body(*messages, **fields))


def retarget(raw: bytes, quirks: Quirks = BY_THE_BOOK) -> tuple[dict, tuple[str, ...]]:
    call = Call(dialect=DIALECT.name, needs=Needs(model="m"), body=raw)
    sent, dropped = DIALECT.retarget(call, "other", quirks)
    return json.loads(sent), dropped


# Needs


def test_needs_of_a_plain_request():
    raw = body(max_tokens=7, stream=True)
    assert DIALECT.needs(raw) == Needs(model="m", stream=True, max_tokens=7, tokens_in=len(raw) // 4)


@pytest.mark.parametrize(
    ("fields", "features"),
    [
        ({"tools": [{"name": "f"}]}, ("tools",)),
        ({"tools": []}, ()),
        ({"tools": None, "thinking": None, "output_config": None, "stream": None, "container": None}, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, ("reasoning",)),
        ({"thinking": {"type": "disabled"}}, ()),
        ({"output_config": {"effort": "high"}}, ("reasoning",)),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, ("json_schema",)),
        ({"output_format": {"type": "json_schema", "schema": {}}, "tools": [1]}, ("json_schema", "tools")),
        ({"container": "container_1"}, ("stored",)),
    ],
)
def test_features_of_the_settings(fields, features):
    assert needs(**fields).features == features


@pytest.mark.parametrize(
    ("block", "features"),
    [
        (PICTURE, ("images",)),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, ("images", "stored")),
        ({"type": "document", "source": {"type": "url", "url": "u"}}, ("documents",)),
        ({"type": "container_upload", "file_id": "f"}, ("stored",)),
        ({"type": "tool_result", "tool_use_id": "t", "content": [PICTURE]}, ("images",)),
        ({"type": "tool_result", "tool_use_id": "t", "content": "image"}, ()),
        ({"type": "tool_result", "tool_use_id": "t", "content": None}, ()),
        ({"type": "text", "text": '{"type": "image"}'}, ()),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"type": "image"}}, ()),
        ({"type": "search_result", "source": "image", "content": []}, ()),
    ],
)
def test_features_of_the_messages(block, features):
    assert needs({"role": "user", "content": [block]}).features == features


def test_a_picture_counts_as_a_picture_and_not_as_text():
    assert 1500 < needs({"role": "user", "content": [PICTURE]}).tokens_in < 2000


@pytest.mark.parametrize(
    "raw",
    [
        b'{"messages": []}',
        b'{"model": 3, "messages": []}',
        b'{"model": "m"}',
        b'{"model": "m", "messages": {}}',
        b'{"model": "m", "messages": [{"content": 3}]}',
        b'{"model": "m", "messages": [], "stream": "yes"}',
        b'{"model": "m", "messages": [], "metadata": "\xff"}',
    ],
)
def test_a_body_whose_needs_cannot_be_read_is_refused(raw):
    with pytest.raises(BadBody):
        DIALECT.needs(raw)


# Another target


def test_only_the_model_changes():
    raw = b'{"model":"m","messages":[ {"role":"user","content":"\\u00fc"} ],"max_tokens":1.0e1,"novel":{"x" : 1}}'
    call = Call(dialect=DIALECT.name, needs=Needs(model="m"), body=raw)
    assert DIALECT.retarget(call, "other", BY_THE_BOOK) == (raw.replace(b'"m"', b'"other"'), ())


def test_a_repeated_model_collapses_into_one():
    raw = b'{"model":"a","model":"b","messages":[]}'
    sent = DIALECT.retarget(Call(dialect=DIALECT.name, needs=Needs(model="b"), body=raw), "other", BY_THE_BOOK)[0]
    assert sent == b'{"model":"other","messages":[]}'


def test_a_provider_may_refuse_fields_and_insist_on_others():
    quirks = Quirks(drop=("model", "top_k", "absent"), fields=(("anthropic_version", "v"),), max_tokens_field="limit")
    sent, dropped = retarget(body(top_k=3, max_tokens=9), quirks)
    assert sent == {"messages": [HI], "limit": 9, "anthropic_version": "v"}
    assert dropped == ("top_k",)


def test_a_provider_may_know_roles_by_another_name():
    sent, _ = retarget(body({"role": "system", "content": "x"}, HI), Quirks(roles=(("system", "user"),)))
    assert [turn["role"] for turn in sent["messages"]] == ["user", "user"]


def test_cache_marks_are_taken_off_blocks_but_not_out_of_the_callers_own_data():
    mark = {"type": "ephemeral"}
    schema = {"type": "object", "properties": {"cache_control": {"type": "string"}}}
    raw = body(
        {"role": "user", "content": [
            {"type": "text", "text": "x", "cache_control": mark},
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "y", "cache_control": mark}]},
        ]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"cache_control": 1}}]},
        system=[{"type": "text", "text": "s", "cache_control": mark}],
        tools=[{"name": "f", "input_schema": schema, "cache_control": mark}],
        cache_control=mark,
    )  # fmt: skip
    sent, dropped = retarget(raw, Quirks(cache_marks=False))
    assert dropped == ("cache_control",)
    assert json.dumps(sent).count("cache_control") == 2
    assert sent["tools"][0]["input_schema"] == schema
    assert sent["messages"][1]["content"][0]["input"] == {"cache_control": 1}


def test_without_marks_nothing_is_reported():
    assert retarget(body(), Quirks(cache_marks=False))[1] == ()


def assistant(*parts) -> dict:
    return {"role": "assistant", "content": write_blocks(Message(Role.ASSISTANT, parts).parts)}


OWN = Reasoning("mine", "sig", None, "anthropic_messages")
CALL = ToolCall("t", "f", {})


@pytest.mark.parametrize("foreign", [Reasoning("unsigned"), Reasoning("x", "sig", None, "generate_content")])
def test_thinking_that_this_api_would_refuse_is_left_out(foreign):
    sent, dropped = retarget(body(HI, assistant(foreign, Text("so")), HI, assistant(OWN, Text("a")), HI))
    assert [[block["type"] for block in turn["content"]] for turn in sent["messages"][1::2]] == [
        ["text"], ["thinking", "text"],
    ]  # fmt: skip
    assert dropped == ("messages.reasoning",)


def test_a_turn_of_foreign_thinking_alone_disappears():
    sent, _ = retarget(body(HI, assistant(Reasoning("unsigned")), HI))
    assert sent["messages"] == [HI, HI]


def test_without_its_thinking_a_tool_turn_goes_on_without_thinking():
    thinking = {"type": "enabled", "budget_tokens": 2000}
    sent, dropped = retarget(body(HI, assistant(Reasoning("unsigned"), CALL), HI, thinking=thinking))
    assert "thinking" not in sent
    assert dropped == ("messages.reasoning", "reasoning")


def test_a_provider_that_takes_unsigned_thinking_gets_it():
    raw = body(HI, assistant(Reasoning("unsigned"), Text("so")), HI)
    assert retarget(raw, Quirks(reasoning_field="thinking"))[0]["messages"] == json.loads(raw)["messages"]


@pytest.mark.parametrize("raw", [b"[]", b"nonsense", b"", b'{"a":' + b"[" * 100_000])
def test_a_body_that_is_no_object_cannot_be_sent_on(raw):
    with pytest.raises(BadBody):
        retarget(raw)


@pytest.mark.parametrize(
    "messages", [[3], [{"role": ["x"], "content": [{"type": ["y"], "signature": ""}]}], {"a": 1}, "x"]
)
def test_messages_of_a_strange_shape_are_the_providers_to_judge(messages):
    raw = json.dumps(
        {"model": "m", "messages": messages, "thinking": {"type": "enabled"}, "x": {"signature": ""}}
    ).encode()
    quirks = Quirks(roles=(("system", "user"),), cache_marks=False)
    assert retarget(raw, quirks)[0]["messages"] == messages

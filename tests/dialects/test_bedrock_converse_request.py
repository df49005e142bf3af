"""Requests of Converse: how each is read and written, and what becomes of what the API cannot say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.conversation import (
    Audio,
    Conversation,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Opaque,
    OpaqueTool,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Role,
    Settings,
    Stored,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)
from understudy.core.projection import COSMETIC, ESSENTIAL, LOSSY, Loss, project_request
from understudy.core.request import Call, Needs
from understudy.dialects import BadBody, Quirks, carried_by
from understudy.dialects.bedrock_converse import DIALECT

NAME = "bedrock_converse"
MARK = {"type": "ephemeral"}
TOOL = Tool("look_up", "Looks a word up.", {"type": "object", "properties": {}})
HI = Message(Role.USER, (Text("hi"),))


def asked(*messages: Message, quirks: Quirks = Quirks(), **fields: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:  # noqa: B008
    """The body for a conversation, and what it lost."""
    conversation = Conversation(model="m", messages=messages or (HI,), **fields)
    projected, losses = project_request(conversation, carried_by(DIALECT, quirks))
    return json.loads(DIALECT.render_request(projected, quirks)), [(loss.name, loss.weight) for loss in losses]


def read(*content: dict[str, Any], **fields: Any) -> Conversation:
    return DIALECT.parse_request(
        json.dumps({"messages": [{"role": "user", "content": list(content)}], **fields}).encode()
    )


def settings(**given: Any) -> dict[str, Any]:
    return {"settings": Settings(**given)}


# Turns


def test_the_system_prompt_stands_outside_the_messages_in_order_with_its_cache_points():
    system = Message(Role.SYSTEM, (Text("Be brief."), Text("Be kind.", {"type": "ephemeral", "ttl": "1h"})))
    body, lost = asked(system, Message(Role.DEVELOPER, (Text("Be true."),)), HI)
    assert body["system"] == [
        {"text": "Be brief."},
        {"text": "Be kind."},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"text": "Be true."},
    ]
    assert not lost


def test_a_late_system_turn_keeps_its_place_and_its_words():
    body, _ = asked(HI, Message(Role.ASSISTANT, (Text("yes"),)), Message(Role.SYSTEM, (Text("Now whisper."),)))
    assert "system" not in body
    assert body["messages"][2] == {"role": "user", "content": [{"text": "Now whisper."}]}


def test_a_system_prompt_alone_becomes_what_a_user_says():
    body, lost = asked(Message(Role.SYSTEM, (Text("Say hello."),)))
    assert body == {"messages": [{"role": "user", "content": [{"text": "Say hello."}]}]}
    assert lost == [("messages.role", LOSSY)]


def test_turns_alternate_and_parallel_results_come_first_in_one_of_them():
    calls = Message(Role.ASSISTANT, (ToolCall("a", "look_up", {}), ToolCall("b", "look_up", {})))
    body, lost = asked(
        HI,
        HI,
        calls,
        Message(Role.TOOL, (ToolResult("a", (Text("1"),)),)),
        HI,
        Message(Role.TOOL, (ToolResult("b", (Text("2"),), True),)),
        tools=(TOOL,),
    )
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "1"}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": "2"}], "status": "error"}},
        {"text": "hi"},
    ]
    assert not lost


def test_texts_of_white_space_are_left_out():
    body, lost = asked(Message(Role.USER, (Text(" \n"), Text("hi"))))
    assert body["messages"][0]["content"] == [{"text": "hi"}]
    assert lost == [("messages.text", COSMETIC)]


def test_refusals_are_words():
    body, _ = asked(HI, Message(Role.ASSISTANT, (Refusal("I will not."),)), HI)
    assert body["messages"][1]["content"] == [{"text": "I will not."}]


def test_a_body_without_messages_or_with_other_roles_is_refused():
    for body, why in (
        ({}, "messages is missing"),
        ({"messages": [{"role": "system", "content": []}]}, "must be user or assistant"),
        ({"messages": [{"role": "user"}]}, "content is missing"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "is empty"),
        ({"messages": [{"role": "user", "content": ["text"]}]}, "must be an object"),
        ({"messages": [], "toolConfig": {"toolChoice": {"none": {}}}}, "auto, any or tool"),
        ({"messages": [], "outputConfig": {"textFormat": {"type": "yaml"}}}, "must be json_schema"),
        ({"messages": [], "inferenceConfig": {"stopSequences": [1]}}, "list of strings"),
        ({"messages": [], "inferenceConfig": {"maxTokens": "many"}}, "an integer"),
    ):
        with pytest.raises(BadBody, match=why):
            DIALECT.parse_request(json.dumps(body).encode())


# Tools


def test_a_tool_is_written_with_its_schema_and_its_cache_point():
    bare, cached = Tool("bare", " "), Tool("cached", "c", {"properties": {}}, True, MARK)
    body, lost = asked(tools=(bare, cached))
    assert body["toolConfig"]["tools"] == [
        {"toolSpec": {"name": "bare", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
        {
            "toolSpec": {
                "name": "cached",
                "description": "c",
                "inputSchema": {"json": {"type": "object", "properties": {}, "additionalProperties": False}},
                "strict": True,
            }
        },
        {"cachePoint": {"type": "default"}},
    ]
    assert not lost


def test_tools_that_the_service_runs_are_kept_for_it_alone():
    system = {"systemTool": {"name": "nova_grounding"}}
    conversation = read({"text": "hi"}, toolConfig={"tools": [{"cachePoint": {"type": "default"}}, system]})
    assert conversation.tools[1] == OpaqueTool(NAME, "systemTool", system)
    projected, _ = project_request(conversation, DIALECT.request_carries)
    assert DIALECT.parse_request(DIALECT.render_request(projected)) == conversation


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("named", ("look_up",)), {"tool": {"name": "look_up"}}),
    ],
)
def test_a_choice_in_the_words_of_the_api(choice, written):
    body, lost = asked(tools=(TOOL,), **settings(tool_choice=choice))
    assert body["toolConfig"]["toolChoice"] == written
    assert not lost
    assert DIALECT.parse_request(json.dumps(body).encode()).settings.tool_choice == choice


def test_no_tool_may_be_called_means_that_there_is_none():
    body, lost = asked(tools=(TOOL,), **settings(tool_choice=ToolChoice("none")))
    assert "toolConfig" not in body
    assert not lost


def test_no_tool_may_be_called_cannot_be_said_where_one_was():
    turns = (HI, Message(Role.ASSISTANT, (ToolCall("a", "look_up", {}),)), Message(Role.TOOL, (ToolResult("a", ()),)))
    body, lost = asked(*turns, tools=(TOOL,), **settings(tool_choice=ToolChoice("none")))
    assert body["toolConfig"]["tools"][0]["toolSpec"]["name"] == "look_up"
    assert "toolChoice" not in body["toolConfig"]
    assert lost == [("tool_choice", LOSSY)]


def test_calls_of_tools_that_are_no_longer_offered_are_declared_all_the_same():
    turns = (HI, Message(Role.ASSISTANT, (ToolCall("a", "gone", {}),)), Message(Role.TOOL, (ToolResult("a", ()),)))
    body, lost = asked(*turns)
    assert body["toolConfig"]["tools"] == [
        {"toolSpec": {"name": "gone", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
    ]
    assert lost == [("tools", COSMETIC)]


def test_that_calls_may_not_be_parallel_cannot_be_said():
    assert asked(tools=(TOOL,), **settings(parallel_tools=False))[1] == [("parallel_tools", LOSSY)]
    assert not asked(tools=(TOOL,), **settings(parallel_tools=True))[1]


def test_ids_that_the_api_takes_stay_and_others_are_replaced_in_call_and_result_alike():
    for id_, stays in (("tooluse_FiC04U", True), ("functions.look_up:0", True), ("call|1", False), ("x" * 65, False)):
        turns = (HI, Message(Role.ASSISTANT, (ToolCall(id_, "f", {}),)), Message(Role.TOOL, (ToolResult(id_, ()),)))
        body, _ = asked(*turns, tools=(TOOL,))
        (call,), (result,) = body["messages"][1]["content"], body["messages"][2]["content"]
        assert call["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
        assert (call["toolUse"]["toolUseId"] == id_) is stays


def test_arguments_are_objects():
    for arguments, written in (
        ({}, {}),
        ({"a": 1}, {"a": 1}),
        ("broken {", {"INVALID_JSON": "broken {"}),
        ([1], {"INVALID_JSON": [1]}),
    ):
        body, _ = asked(HI, Message(Role.ASSISTANT, (ToolCall("a", "f", arguments),)), tools=(TOOL,))
        assert body["messages"][1]["content"][0]["toolUse"]["input"] == written
    whole = read({"toolUse": {"toolUseId": "t", "name": "f"}}).messages[0].parts[0]
    assert whole == ToolCall("t", "f", {})


def test_json_in_a_result_is_text_elsewhere_and_json_here():
    result = {"toolUseId": "t", "content": [{"json": {"a": [1, None]}}, {"text": "b"}], "status": "success"}
    conversation = read({"toolResult": result})
    assert conversation.messages[0] == Message(
        Role.TOOL,
        (ToolResult("t", (Text('{"a":[1,null]}', None, Extra(NAME, {"format": "json"})), Text("b")), False),),
    )
    projected, _ = project_request(conversation, DIALECT.request_carries)
    (turn,) = json.loads(DIALECT.render_request(projected))["messages"]
    assert turn["content"] == [{"toolResult": result}]


# Media


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (Image(Inline("image/jpeg", "QUJD")), {"image": {"format": "jpeg", "source": {"bytes": "QUJD"}}}),
        (Video(Inline("video/3gpp", "QUJD")), {"video": {"format": "three_gp", "source": {"bytes": "QUJD"}}}),
        (Audio("QUJD", "mp3"), {"audio": {"format": "mp3", "source": {"bytes": "QUJD"}}}),
        (
            Document(Inline("application/pdf", "QUJD"), "a play", "by night", True),
            {
                "document": {
                    "format": "pdf", "name": "a play", "source": {"bytes": "QUJD"}, "context": "by night",
                    "citations": {"enabled": True},
                }
            },
        ),
        (Document(Plain("words"), "w"), {"document": {"format": "txt", "name": "w", "source": {"text": "words"}}}),
        (
            Image(Stored(NAME, "s3://b/i.png"), None, None, Extra(NAME, {"format": "png"})),
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/i.png"}}}},
        ),
    ],
)  # fmt: skip
def test_media_in_the_words_of_the_api(part, written):
    body, lost = asked(Message(Role.USER, (part, Text("See?"))))
    assert body["messages"][0]["content"] == [written, {"text": "See?"}]
    assert not lost
    assert read(written).messages[0].parts == (part,)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Image(Remote("https://host/a.png")), "messages.image"),
        (Image(Inline("image/tiff", "QUJD")), "messages.image"),
        (Image(Stored("gemini", "files/1")), "messages.image"),
        (Document(Remote("https://host/a.pdf")), "messages.document"),
    ],
)
def test_nothing_is_fetched_for_the_model(part, name):
    assert (name, ESSENTIAL) in asked(Message(Role.USER, (Text("see"), part)))[1]


def test_media_stay_in_a_result_and_sound_goes_behind_it():
    inner = (Text("see"), Image(Inline("image/png", "QUJD")), Audio("QUJD", "wav"))
    turns = (HI, Message(Role.ASSISTANT, (ToolCall("a", "f", {}),)), Message(Role.TOOL, (ToolResult("a", inner),)))
    body, lost = asked(*turns, tools=(TOOL,))
    result, sound = body["messages"][2]["content"]
    assert [*map(list, result["toolResult"]["content"])] == [["text"], ["image"]]
    assert list(sound) == ["audio"]
    assert not lost


def test_a_turn_of_documents_alone_says_their_names():
    two = (Document(Plain("a"), "one"), Document(Plain("b")))
    body, lost = asked(Message(Role.USER, two))
    assert body["messages"][0]["content"][2] == {"text": "one, document"}
    assert len(body["messages"][0]["content"]) == 3
    assert not lost
    worded, _ = asked(Message(Role.USER, (*two, Text("Compare."))))
    assert [block["text"] for block in worded["messages"][0]["content"] if "text" in block] == ["Compare."]


def test_documents_have_names_of_their_own():
    parts = tuple(
        Document(Inline("text/csv", "QUJD"), title) for title in (None, "Akt  1.pdf", "Akt  1.pdf", None, "é" * 300)
    )
    body, lost = asked(Message(Role.USER, (*parts, Text("Compare."))))
    names = [block["document"]["name"] for block in body["messages"][0]["content"][:-1]]
    assert names == ["document", "Akt -1-pdf", "Akt -1-pdf (2)", "document (2)", "-"]
    assert lost == [("messages.document.title", COSMETIC)]


@pytest.mark.parametrize(
    "block",
    [
        {"guardContent": {"text": {"text": "Tokyo", "qualifiers": ["query"]}}},
        {"searchResult": {"source": "s", "title": "t", "content": [{"text": "c"}]}},
        {"image": {"format": "heic", "source": {"bytes": "QUJD"}}},
        {"document": {"name": "d", "source": {"content": [{"text": "c"}]}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/v", "bucketOwner": "1"}}}},
        {"cachePoint": {"type": "default"}},
        {"cachePoint": {"type": "new"}},
        {"reasoningContent": {"novel": 1}},
        {"audio": {"format": "mp3", "source": {"s3Location": {"uri": "s3://b/a"}}}},
    ],
)
def test_what_has_no_place_elsewhere_is_kept_whole(block):
    conversation = read(block, {"text": "hi"})
    assert conversation.messages[0].parts[0] == Opaque(NAME, next(iter(block)), block)
    projected, lost = project_request(conversation, DIALECT.request_carries)
    assert json.loads(DIALECT.render_request(projected))["messages"][0]["content"] == [block, {"text": "hi"}]
    assert not lost


# Cache points


def test_a_cache_point_is_the_mark_of_what_stands_before_it():
    conversation = read(
        {"text": "a"}, {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default"}}, {"text": "b"},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
    )  # fmt: skip
    first, second, third = conversation.messages[0].parts
    assert first == Text("a", MARK)
    assert second == Opaque(NAME, "cachePoint", {"cachePoint": {"type": "default"}})
    assert third == Text("b", {"type": "ephemeral", "ttl": "1h"})


def test_marks_of_other_formats_become_cache_points_and_one_inside_a_result_stands_behind_it():
    odd = {"type": "ephemeral", "ttl": "2d", "x": 1}
    turns = (
        HI,
        Message(Role.ASSISTANT, (ToolCall("a", "f", {}, odd),)),
        Message(Role.TOOL, (ToolResult("a", (Text("1", {"type": "ephemeral", "ttl": "5m"}), Text("2"))),)),
    )
    body, lost = asked(*turns, tools=(TOOL,))
    assert body["messages"][1]["content"][1] == {"cachePoint": {"type": "default"}}
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "a", "content": [{"text": "1"}, {"text": "2"}]}},
        {"cachePoint": {"type": "default", "ttl": "5m"}},
    ]
    assert not lost


# Thinking


def test_thinking_that_the_service_sealed_returns_unchanged_and_no_other():
    ours, hidden = Reasoning("so", "c2VhbA==", None, NAME), Reasoning("", None, "ZGF0YQ==", NAME)
    theirs, bare = Reasoning("so", "x", None, "anthropic_messages"), Reasoning("so")
    body, lost = asked(HI, Message(Role.ASSISTANT, (ours, hidden, theirs, bare, Text("yes"))))
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "so", "signature": "c2VhbA=="}}},
        {"reasoningContent": {"redactedContent": "ZGF0YQ=="}},
        {"text": "yes"},
    ]
    assert lost == [("messages.reasoning", LOSSY)]
    again = DIALECT.parse_request(json.dumps(body).encode()).messages[1].parts
    assert again == (ours, hidden, Text("yes"))


def test_thinking_without_a_seal_is_read_and_kept_where_a_model_wants_it_back():
    unsealed = {"reasoningContent": {"reasoningText": {"text": "so"}}}
    assert read(unsealed).messages[0].parts == (Reasoning("so"),)
    body, lost = asked(
        HI, Message(Role.ASSISTANT, (Reasoning("so"),)), quirks=Quirks(reasoning_field="reasoningContent")
    )
    assert body["messages"][1]["content"] == [unsealed]
    assert not lost


def test_a_thought_with_two_seals_becomes_two():
    both = Reasoning("so", "sign", "data", NAME)
    odd = Reasoning("so", None, "data", NAME)
    body, lost = asked(HI, Message(Role.ASSISTANT, (both, odd)))
    assert [list(block["reasoningContent"]) for block in body["messages"][1]["content"]] == [
        ["reasoningText"],
        ["redactedContent"],
        ["redactedContent"],
    ]
    assert lost == [("messages.reasoning", LOSSY)]


@pytest.mark.parametrize(
    ("reasoning", "name", "additional"),
    [
        (ReasoningSettings("high", 2000, "enabled", "summarized"), "thinking",
         {"thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}, "output_config": {"effort": "high"}}),
        (ReasoningSettings(mode="adaptive"), "thinking", {"thinking": {"type": "adaptive"}}),
        (ReasoningSettings("low"), "thinking", {"output_config": {"effort": "low"}}),
        (ReasoningSettings("high"), "reasoning_effort", {"reasoning_effort": "high"}),
        (ReasoningSettings("high"), "reasoning_config", {"reasoning_config": "high"}),
        (ReasoningSettings("low"), "reasoningConfig", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (ReasoningSettings("none"), "reasoningConfig", {"reasoningConfig": {"type": "disabled"}}),
    ],
)  # fmt: skip
def test_thinking_is_asked_for_as_the_model_spells_it(reasoning, name, additional):
    body, lost = asked(quirks=Quirks(names=(("thinking", name),)), **settings(reasoning=reasoning))
    assert body["additionalModelRequestFields"] == additional
    assert not lost
    assert DIALECT.parse_request(json.dumps(body).encode()).settings.reasoning == reasoning


def test_thinking_that_is_switched_off_is_no_word_at_all_for_some():
    quirks = Quirks(names=(("thinking", "reasoning_effort"),))
    assert (
        "additionalModelRequestFields" not in asked(quirks=quirks, **settings(reasoning=ReasoningSettings("none")))[0]
    )


@pytest.mark.parametrize("names", [(), (("top_k", "inferenceConfig.topK"),)])
def test_top_k_stands_where_the_model_looks_for_it(names):
    body, _ = asked(quirks=Quirks(names=names), **settings(top_k=20))
    additional = {"inferenceConfig": {"topK": 20}} if names else {"top_k": 20}
    assert body == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "additionalModelRequestFields": additional,
    }
    assert DIALECT.parse_request(json.dumps(body).encode()).settings.top_k == 20


# Settings


def test_bounds_and_sampling():
    given = {"max_tokens": 9, "temperature": 1.5, "top_p": 0.5, "stop": ("END",)}
    body, lost = asked(**settings(**given))
    assert body["inferenceConfig"] == {"maxTokens": 9, "temperature": 1, "topP": 0.5, "stopSequences": ["END"]}
    assert lost == [("temperature", LOSSY)]
    assert "inferenceConfig" not in asked()[0], "no bound is needed, and none is made up"


@pytest.mark.parametrize(
    ("given", "loss"),
    [
        ({"n": 2}, ("n", ESSENTIAL)),
        ({"logprobs": True}, ("logprobs", ESSENTIAL)),
        ({"seed": 1}, ("seed", LOSSY)),
        ({"frequency_penalty": 1}, ("frequency_penalty", LOSSY)),
        ({"user": "u"}, ("user", COSMETIC)),
        ({"format": Format("json_object")}, ("response_format", LOSSY)),
    ],
)
def test_what_the_api_has_no_word_for_is_told(given, loss):
    assert asked(**settings(**given))[1] == [loss]


def test_a_shape_is_a_schema_in_a_string():
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    body, lost = asked(**settings(format=Format("json_schema", schema, "number", True, "One number.")))
    shape = body["outputConfig"]["textFormat"]
    assert shape["type"] == "json_schema"
    told = shape["structure"]["jsonSchema"]
    assert (told["name"], told["description"]) == ("number", "One number.")
    fitted = {**schema, "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
    assert json.loads(told["schema"]) == fitted
    assert lost == [("response_format.strict", COSMETIC), ("response_format.minimum", LOSSY)]
    again = DIALECT.parse_request(json.dumps(body).encode()).settings.format
    assert again == Format("json_schema", fitted, "number", None, "One number.")


@pytest.mark.parametrize("schema", ["{", "[]", '"x"'])
def test_a_schema_that_is_none_is_refused(schema):
    shape = {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema}}}
    with pytest.raises(BadBody):
        read({"text": "hi"}, outputConfig={"textFormat": shape})


def test_what_only_the_service_knows_returns_to_where_it_was():
    fields = {
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
        "performanceConfig": {"latency": "optimized"},
        "inferenceConfig": {"maxTokens": 5, "novel": 1},
        "outputConfig": {"effort": "high"},
        "additionalModelRequestFields": {
            "thinking": {"type": "enabled", "novel": 2}, "output_config": {"novel": 3}, "inferenceConfig": {"topK": 4, "novel": 5},
            "reasoningConfig": {"novel": 6}, "own": [7],
        },
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}], "novel": 8},
    }  # fmt: skip
    conversation = read({"text": "hi"}, **fields)
    assert conversation.settings.max_tokens == 5
    assert conversation.settings.top_k == 4
    quirks = Quirks(names=(("top_k", "inferenceConfig.topK"),))
    assert json.loads(DIALECT.render_request(conversation, quirks)) == {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        **fields,
    }


@pytest.mark.parametrize("additional", [[1], "x", None])
def test_fields_for_the_model_may_be_anything(additional):
    conversation = read({"text": "hi"}, additionalModelRequestFields=additional)
    assert json.loads(DIALECT.render_request(conversation)).get("additionalModelRequestFields") == additional


# What a request needs, and staying in this format


def needs(body: dict[str, Any], path: str = "/model/m/converse") -> Needs:
    return DIALECT.needs(json.dumps({"messages": [], **body}).encode(), path)


def test_the_path_says_the_model_and_whether_to_stream():
    assert needs({}, "/model/arn:aws:x/y/converse-stream").model == "arn:aws:x/y"
    assert needs({}, "/model/m/converse-stream").stream
    assert not needs({}, "/model/m/converse").stream
    assert needs({"model": "named"}, "/").model == "named"
    with pytest.raises(BadBody, match="neither the path nor the body"):
        needs({}, "/")


@pytest.mark.parametrize(
    ("body", "features"),
    [
        ({"toolConfig": {"tools": [{"systemTool": {"name": "x"}}]}}, ("tools",)),
        ({"toolConfig": {"tools": []}, "outputConfig": {}}, ()),
        ({"outputConfig": {"textFormat": {"type": "json_schema"}}}, ("json_schema",)),
        ({"additionalModelRequestFields": {"thinking": {"type": "enabled"}}}, ("reasoning",)),
        ({"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}, ()),
    ],
)
def test_features_of_the_settings(body, features):
    assert needs(body).features == features


def test_media_are_counted_as_such():
    blocks = [
        {"image": {"format": "png", "source": {"bytes": "Q" * 40_000}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/v"}}}},
        {"toolResult": {"toolUseId": "t", "content": [{"document": {"name": "d", "source": {"text": "t"}}}]}},
        {"audio": {"format": "mp3", "source": {"bytes": ""}}},
    ]
    found = needs({"messages": [{"role": "user", "content": blocks}]})
    assert found.features == ("audio", "documents", "images", "stored", "video")
    assert 3000 < found.tokens_in < 3500
    assert needs({"inferenceConfig": {"maxTokens": 7}}).max_tokens == 7


def test_a_body_for_the_same_format_loses_what_the_provider_refuses():
    call = Call(
        dialect=NAME, needs=Needs(model="m"), body=b'{"messages":[],"model":"m","outputConfig":{},"serviceTier":null}'
    )
    quirks = Quirks(drop=("outputConfig", "topK"), fields=(("performanceConfig", {"latency": "standard"}),))
    body, lost = DIALECT.retarget(call, "m2", quirks)
    assert json.loads(body) == {"messages": [], "serviceTier": None, "performanceConfig": {"latency": "standard"}}
    assert lost == ("outputConfig",)
    with pytest.raises(BadBody):
        DIALECT.retarget(Call(dialect=NAME, needs=Needs(model="m"), body=b"["), "m", quirks)


def test_rules_of_a_model_run_behind_those_of_the_format():
    def hushed(conversation: Conversation) -> tuple[Conversation, tuple[Loss, ...]]:
        assert conversation.messages[0].parts == (Text("hi"),), "white space is gone by then"
        return conversation, (Loss("hushed", LOSSY),)

    assert asked(Message(Role.USER, (Text(" "), Text("hi"))), quirks=Quirks(rules=(hushed,)))[1][-1] == (
        "hushed",
        LOSSY,
    )

"""Chat Completions requests, in every spelling that clients and compatible servers have for one thing."""

from __future__ import annotations

import json

import pytest

from understudy.core.conversation import (
    Audio,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Opaque,
    OpaqueTool,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Role,
    Stored,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Video,
)
from understudy.core.projection import project_request
from understudy.dialects import BadBody, Quirks, carried_by
from understudy.dialects.openai_chat import DIALECT

NAME = "openai_chat"


def read(*messages, **members):
    return DIALECT.parse_request(json.dumps({"model": "m", "messages": list(messages), **members}).encode())


def content(*parts):
    (message,) = read({"role": "user", "content": list(parts)}).messages
    return message.parts


def written(conversation, quirks=None):
    quirks = quirks or Quirks()
    projected, _ = project_request(conversation, carried_by(DIALECT, quirks))
    return json.loads(DIALECT.render_request(projected, quirks))


# Content


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        ({"type": "text", "text": "a"}, Text("a")),
        ({"text": "a", "image_url": None}, Text("a")),
        ("a", Text("a")),
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}, "x": 1}, Text("a", {"type": "ephemeral"}, Extra(NAME, {"x": 1}))),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        ({"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}}, Image(Remote("https://h/a.png"), "low")),
        ({"type": "image_url", "image_url": "https://h/a.png"}, Image(Remote("https://h/a.png"))),
        ({"type": "image_url", "image_url": {"url": "data:image/PNG;base64,QUJD"}}, Image(Inline("image/png", "QUJD"))),
        ({"type": "image_url", "image_url": {"url": "data:image/png;name=x;base64,QUJD"}}, Image(Inline("image/png", "QUJD"))),
        ({"type": "image_url", "image_url": {"url": "data:,plain"}}, Image(Remote("data:,plain"))),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"}}, Document(Inline("application/pdf", "QUJD"), "a.pdf")),
        ({"type": "file", "file": {"file_data": "QUJD"}}, Document(Inline("application/pdf", "QUJD"))),
        ({"type": "file", "file": {"file_data": "QUJD", "filename": "a.csv"}}, Document(Inline("text/csv", "QUJD"), "a.csv")),
        ({"type": "file", "file": {"file_data": "https://h/a.pdf"}}, Document(Remote("https://h/a.pdf"))),
        ({"type": "file", "file": {"file_id": "file-1"}}, Document(Stored(NAME, "file-1"))),
        ({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}, Audio("QUJD", "wav")),
        ({"type": "video_url", "video_url": {"url": "https://h/a.mp4"}}, Video(Remote("https://h/a.mp4"))),
        ({"type": "document_url", "document_url": "https://h/a.pdf", "document_name": "a"}, Document(Remote("https://h/a.pdf"), "a")),
        ({"type": "document_url", "document_url": {"url": "https://h/a.pdf"}}, Document(Remote("https://h/a.pdf"))),
        ({"type": "thinking", "thinking": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, Reasoning("ab")),
        ({"type": "thinking", "thinking": "a"}, Reasoning("a")),
        ({"type": "novel", "a": 1}, Opaque(NAME, "novel", {"type": "novel", "a": 1})),
        ({"type": 3}, Text("")),
    ],
)  # fmt: skip
def test_a_part_is_read_in_each_of_its_spellings(part, read_as):
    assert content(part) == (() if read_as == Text("") else (read_as,))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": None},
        {"type": "image_url", "image_url": {"url": "u", "novel": 1}},
        {"type": "file", "file": {"file_id": "a", "file_data": "b"}},
        {"type": "file", "file": {"novel": 1}},
        {"type": "file", "file": "x"},
        {"type": "input_audio", "input_audio": "x"},
        {"type": "video_url", "video_url": 3},
        {"type": "document_url", "document_url": 3},
    ],
)
def test_a_part_of_an_unknown_shape_is_kept_whole(part):
    assert content(part) == (Opaque(NAME, part["type"], part),)


@pytest.mark.parametrize("nothing", [None, "", [], [{"type": "text", "text": ""}]])
def test_a_content_that_says_nothing_has_no_parts(nothing):
    assert read({"role": "user", "content": nothing}).messages == (Message(Role.USER, ()),)


# Turns


def test_roles_and_their_fields_are_kept():
    messages = read(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": "b", "name": "dev"},
        {"role": "user", "content": "c", "cache_control": {"type": "ephemeral"}},
        {"role": "assistant", "content": None, "audio": {"id": "x"}, "refusal": "no"},
    ).messages
    assert messages == (
        Message(Role.SYSTEM, (Text("a"),)),
        Message(Role.DEVELOPER, (Text("b"),), Extra(NAME, {"name": "dev"})),
        Message(Role.USER, (Text("c", {"type": "ephemeral"}),)),
        Message(Role.ASSISTANT, (Refusal("no"),), Extra(NAME, {"audio": {"id": "x"}})),
    )


def test_a_cache_mark_without_a_bearer_is_forgotten():
    assert read({"role": "user", "content": "", "cache_control": {"type": "ephemeral"}}).messages == (
        Message(Role.USER, ()),
    )


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def test_results_of_one_turn_are_gathered():
    messages = read(
        {"role": "assistant", "content": "", "tool_calls": [CALL, {**CALL, "id": "call_2", "cache_control": {"type": "ephemeral"}}]},
        {"role": "tool", "tool_call_id": "call_2", "content": "b", "name": "f"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "a"}], "cache_control": {"type": "ephemeral"}},
    ).messages  # fmt: skip
    assert messages == (
        Message(Role.ASSISTANT, (ToolCall("call_1", "f", {"a": 1}), ToolCall("call_2", "f", {"a": 1}, {"type": "ephemeral"}))),
        Message(
            Role.TOOL,
            (
                ToolResult("call_2", (Text("b"),), name="f"),
                ToolResult("call_1", (Text("a"),), cache={"type": "ephemeral"}),
            ),
        ),
    )  # fmt: skip


def test_older_functions_get_ids_that_match():
    messages = read(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}},
        {"role": "function", "name": "f", "content": "a"},
    ).messages
    (call,), (result,) = messages[0].parts, messages[1].parts
    assert call.arguments == {}
    assert call.id == result.call_id
    assert call.id.startswith("call_")


def test_calls_without_ids_get_different_ones_and_results_follow_in_order():
    nameless = [{"function": {"name": "f", "arguments": "{}"}}] * 2
    messages = read(
        {"role": "assistant", "tool_calls": nameless},
        {"role": "tool", "content": "a"},
        {"role": "tool", "content": "b"},
    ).messages
    first, second = messages[0].parts
    assert first.id != second.id
    assert [result.call_id for result in messages[1].parts] == [first.id, second.id]


def test_a_result_of_nothing_is_refused():
    with pytest.raises(BadBody, match=r"messages\[0\].tool_call_id is missing"):
        read({"role": "tool", "content": "a"})


def test_a_custom_call_is_kept_whole_among_the_calls():
    custom = {"id": "call_9", "type": "custom", "custom": {"name": "g", "input": "free"}}
    conversation = read({"role": "assistant", "content": "x", "tool_calls": [custom, CALL]})
    assert written(conversation)["messages"][0]["tool_calls"] == [
        custom,
        {**CALL, "function": {"name": "f", "arguments": '{"a":1}'}},
    ]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_are_read_under_both_names(field):
    (message,) = read({"role": "assistant", "content": "a", field: "Hm."}).messages
    assert message == Message(Role.ASSISTANT, (Reasoning("Hm."), Text("a")))


def test_seals_are_read_and_go_back_unchanged_where_a_provider_takes_them():
    details = [
        {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.summary", "summary": "So.", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
        {"type": "reasoning.encrypted", "data": "ZW5j", "id": "rs_1", "format": "openai-responses-v1", "index": 2},
        {"type": "reasoning.text", "text": "Plain.", "format": "unknown", "index": 3},
    ]
    conversation = read(
        {"role": "assistant", "content": "a", "reasoning": "Hm.So.Plain.", "reasoning_details": details}
    )
    assert [part.signed_by for part in conversation.messages[0].parts[:4]] == [NAME, NAME, NAME, None]
    back = written(conversation, Quirks(reasoning_field="reasoning"))["messages"][0]
    del details[3]["format"]
    assert back["reasoning_details"] == details
    assert back["reasoning"] == "Hm.So.Plain."
    assert "reasoning" not in written(conversation)["messages"][0]


def test_seals_of_another_dialect_come_through_an_openai_client_whole():
    sealed = Reasoning("Hm.", "c2ln", None, "anthropic_messages")
    redacted = Reasoning("", None, "ZW5j", "anthropic_messages")
    from understudy.core.answer import Answer, Choice

    body = DIALECT.render_answer(Answer(id="i", model="m", choices=(Choice(parts=(sealed, redacted, Text("a"))),)))
    message = json.loads(body)["choices"][0]["message"]
    assert message["reasoning_content"] == "Hm."
    (again,) = read(message).messages
    assert again.parts == (sealed, redacted, Text("a"))


# Tools and settings


def test_tools_are_read_in_both_forms():
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True, "type": "function"}
    tools = read(
        tools=[{"type": "function", "function": {**function, "novel": 1}, "cache_control": {"type": "ephemeral"}, "x": 1}, {"type": "web_search", "a": 1}],
        functions=[{"name": "g"}],
    ).tools  # fmt: skip
    extra = Extra(NAME, {"x": 1, "function": {"novel": 1}})
    assert tools == (
        Tool("f", "d", {"type": "object"}, True, {"type": "ephemeral"}, extra),
        OpaqueTool(NAME, "web_search", {"type": "web_search", "a": 1}),
        Tool("g"),
    )
    assert written(read(tools=[{"type": "function", "function": function}]))["tools"] == [
        {"type": "function", "function": {key: held for key, held in function.items() if key != "type"}}
    ]


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", ("f",))),
        ({"function": {"name": "f"}}, ToolChoice("named", ("f",))),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}},
            ToolChoice("required", ("f",)),
        ),
    ],
)  # fmt: skip
def test_a_tool_choice_is_read_and_written(wire, choice):
    conversation = read(tools=[{"function": {"name": "f"}}], tool_choice=wire)
    assert conversation.settings.tool_choice == choice
    assert DIALECT.parse_request(json.dumps(written(conversation)).encode()).settings.tool_choice == choice


def test_the_older_function_choice_is_read():
    assert read(function_call={"name": "f"}).settings.tool_choice == ToolChoice("named", ("f",))


def test_a_choice_of_a_tool_that_the_provider_runs_is_kept():
    for wire in (
        {"type": "web_search"},
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "mcp"}]}},
        "novel",
    ):
        conversation = read(tool_choice=wire)
        assert conversation.settings.tool_choice is None
        assert written(conversation)["tool_choice"] == wire


@pytest.mark.parametrize(
    ("wire", "form"),
    [
        ({"type": "text"}, Format("text")),
        ({"type": "json_object"}, Format("json_object")),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True, "description": "d"}}, Format("json_schema", {}, "n", True, "d")),
    ],
)  # fmt: skip
def test_a_response_format_is_read_and_written(wire, form):
    conversation = read(response_format=wire)
    assert conversation.settings.format == form
    assert written(conversation)["response_format"] == wire


@pytest.mark.parametrize(
    "wire", [{"type": "grammar", "x": 1}, {"type": "json_schema", "json_schema": {"novel": 1}}, {"type": ["odd"]}]
)
def test_a_response_format_that_nobody_else_knows_is_kept(wire):
    conversation = read(response_format=wire)
    assert conversation.settings.format is None
    assert written(conversation)["response_format"] == wire


@pytest.mark.parametrize(
    ("members", "asked"),
    [
        ({"reasoning_effort": "high"}, ReasoningSettings("high")),
        ({"reasoning": {"effort": "low", "enabled": True}}, ReasoningSettings("low", None, "enabled")),
        ({"reasoning": {"max_tokens": 2000}}, ReasoningSettings(None, 2000)),
        ({"reasoning": {"enabled": False}}, ReasoningSettings(mode="disabled")),
        ({"thinking": {"type": "enabled", "budget_tokens": 3000}}, ReasoningSettings(None, 3000, "enabled")),
        ({"thinking": {"clear_thinking": False}, "reasoning": "odd"}, None),
    ],
)
def test_how_much_to_think_is_read_in_each_spelling(members, asked):
    assert read(**members).settings.reasoning == asked


def test_leftovers_of_the_thinking_switches_are_kept():
    assert read(thinking={"type": "enabled", "clear_thinking": False}).extra == Extra(
        NAME, {"thinking": {"clear_thinking": False}}
    )
    assert read(reasoning={"enabled": True, "exclude": True}).extra == Extra(NAME, {"reasoning": {"exclude": True}})


def test_the_newer_bound_counts():
    assert read(max_tokens=5).settings.max_tokens == 5
    assert read(max_tokens=5, max_completion_tokens=7).settings.max_tokens == 7
    assert written(read(max_tokens=5))["max_completion_tokens"] == 5
    assert written(read(max_tokens=5), Quirks(max_tokens_field="max_tokens"))["max_tokens"] == 5


def test_one_stop_sequence_may_stand_alone():
    assert read(stop="a").settings.stop == ("a",)
    assert read(stop=["a", ""]).settings.stop == ("a",)
    assert read(stop=None).settings.stop == ()


def test_a_stream_is_asked_for_its_usage_unless_the_provider_refuses_the_question():
    conversation = read(stream=True, stream_options={"include_usage": False, "include_obfuscation": False})
    assert conversation.include_usage is False
    assert written(conversation)["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert written(read(stream=True), Quirks(ask_usage=False)).get("stream_options") is None


def test_text_alone_is_no_modality_to_ask_for():
    assert read(modalities=["text"]).extra is None
    assert read(modalities=["text", "audio"]).extra == Extra(NAME, {"modalities": ["text", "audio"]})


def test_quirks_apply_to_what_is_written():
    conversation = read(
        {"role": "developer", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": "b", "reasoning_content": "Hm."},
        seed=1, store=True,
    )  # fmt: skip
    quirks = Quirks(
        drop=("seed", "store"),
        roles=(("developer", "system"),),
        cache_marks=False,
        reasoning_field="reasoning",
        fields=(("x", 1),),
    )
    body = written(conversation, quirks)
    assert body["messages"] == [
        {"role": "system", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning": "Hm."},
    ]
    assert "seed" not in body
    assert "store" not in body
    assert body["x"] == 1


def test_a_document_gets_a_name_when_it_has_none():
    body = written(
        read({"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,QUJD"}}]})
    )
    assert body["messages"][0]["content"][0]["file"]["filename"] == "document.pdf"


def test_an_assistant_that_says_nothing_still_has_a_content():
    body = written(read({"role": "assistant", "content": None, "audio": {"id": "x"}}))
    assert body["messages"] == [{"role": "assistant", "content": "", "audio": {"id": "x"}}]


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"messages": [3]}, r"messages\[0\] must be an object"),
        ({"messages": [{"content": "a"}]}, r"messages\[0\].role is missing"),
        ({"messages": [{"role": "narrator"}]}, r"messages\[0\].role must be one of system, developer"),
        ({"messages": [{"role": "user", "content": 3}]}, r"messages\[0\].content must be a string or a list"),
        ({"messages": [{"role": "user", "content": [3]}]}, r"messages\[0\].content\[0\] must be an object"),
        ({"messages": [{"role": "assistant", "tool_calls": [3]}]}, r"messages\[0\].tool_calls\[0\] must be an object"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"n": True}, "n must be an integer"),
        ({"stop": [3]}, "stop must be a string or a list of strings"),
        ({"stop": 3}, "stop must be a string or a list"),
        ({"tools": [3]}, r"tools\[0\] must be an object"),
        ({"tools": [{"type": "function"}]}, r"tools\[0\].function is missing"),
        (
            {"tools": [{"function": {"name": "f", "parameters": 3}}]},
            r"tools\[0\].function.parameters must be an object",
        ),
        ({"response_format": "json"}, "response_format must be an object"),
    ],
)
def test_a_bad_field_is_named_with_its_place(members, complaint):
    with pytest.raises(BadBody, match=complaint):
        DIALECT.parse_request(json.dumps({"model": "m", "messages": [], **members}).encode())


def test_half_a_surrogate_pair_is_mended():
    body = rb'{"model":"m","messages":[{"role":"user","content":"a\ud83d!"}]}'
    assert DIALECT.parse_request(body).messages[0].parts == (Text("a\ufffd!"),)

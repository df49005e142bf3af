"""Requests of the Messages API, by hand: what each field means, and that it comes back."""

from __future__ import annotations

import json

import pytest

from understudy.core.conversation import (
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
    Remote,
    Role,
    Settings,
    Stored,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.dialects import BadBody, Quirks
from understudy.dialects.anthropic_messages import DIALECT

NAME = "anthropic_messages"
MARK = {"type": "ephemeral", "ttl": "1h"}


def parse(**fields) -> Conversation:
    body = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], **fields}
    return DIALECT.parse_request(json.dumps(body).encode())


def render(*messages: Message, **fields) -> dict:
    return json.loads(DIALECT.render_request(Conversation(model="m", messages=messages, **fields)))


def user(*blocks) -> tuple[Message, ...]:
    return parse(messages=[{"role": "user", "content": list(blocks)}]).messages


# Messages


def test_a_system_string_is_a_leading_system_message():
    assert parse(system="Be brief.").messages[0] == Message(Role.SYSTEM, (Text("Be brief."),))


def test_system_blocks_keep_their_order_and_their_cache_marks():
    blocks = [{"type": "text", "text": "a", "cache_control": MARK}, {"type": "text", "text": "b"}]
    messages = parse(system=blocks).messages
    assert messages[0] == Message(Role.SYSTEM, (Text("a", MARK), Text("b")))
    assert render(*messages)["system"] == blocks


def test_a_system_turn_inside_the_conversation_stays_where_it_is():
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": "now in French"}]
    messages = parse(system="first", messages=turns).messages
    assert [message.role for message in messages] == [Role.SYSTEM, Role.USER, Role.SYSTEM]
    body = render(*messages)
    assert body["system"] == "first"
    assert body["messages"] == turns


def test_a_leading_system_turn_with_more_than_text_stays_among_the_messages():
    addition = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "t"}}
    turns = [{"role": "system", "content": [addition]}, {"role": "user", "content": "a"}]
    messages = parse(system="first", messages=turns).messages
    assert messages[0] == Message(Role.SYSTEM, (Text("first"), Opaque(NAME, "tool_addition", addition)))
    body = render(*messages)
    assert (body["system"], body["messages"]) == ("first", turns)


def test_a_user_turn_with_tool_results_is_cut_into_a_tool_and_a_user_message():
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "22", "is_error": False}
    messages = user(result, {"type": "text", "text": "go on"})
    assert messages == (
        Message(Role.TOOL, (ToolResult("t1", (Text("22"),), is_error=False),)),
        Message(Role.USER, (Text("go on"),)),
    )
    assert render(*messages)["messages"] == [
        {"role": "user", "content": [result, {"type": "text", "text": "go on"}]},
    ]


def test_tool_results_of_neighbouring_turns_are_gathered():
    turns = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": name}]} for name in ("a", "b")]
    messages = parse(messages=turns).messages
    assert messages == (Message(Role.TOOL, (ToolResult("a", ()), ToolResult("b", ()))),)


def test_a_tool_result_may_hold_pictures_documents_and_an_error():
    content = [
        {"type": "text", "text": "see"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
        {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}},
        {"type": "tool_reference", "tool_name": "t"},
    ]
    block = {"type": "tool_result", "tool_use_id": "t1", "content": content, "is_error": True, "cache_control": MARK}
    (message,) = user(block)
    (result,) = message.parts
    assert result.parts == (
        Text("see"),
        Image(Inline("image/png", "QUJD")),
        Document(Remote("https://x.test/a.pdf")),
        Opaque(NAME, "tool_reference", content[3]),
    )
    assert (result.is_error, result.cache) == (True, MARK)
    assert render(message)["messages"][0]["content"] == [block]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "base64", "media_type": "application/pdf", "data": "QUJD"}, Inline("application/pdf", "QUJD")),
        ({"type": "text", "media_type": "text/plain", "data": "words"}, Plain("words")),
        ({"type": "url", "url": "https://x.test/a.pdf"}, Remote("https://x.test/a.pdf")),
        ({"type": "file", "file_id": "file_1"}, Stored(NAME, "file_1")),
    ],
)
def test_a_document_keeps_its_source_title_context_and_citations(source, expected):
    block = {
        "type": "document", "source": source, "title": "T", "context": "C", "citations": {"enabled": True},
        "cache_control": MARK,
    }  # fmt: skip
    (message,) = user(block)
    assert message.parts == (Document(expected, "T", "C", True, MARK),)
    assert render(message)["messages"][0]["content"] == [block]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "content", "content": "words"}},
        {"type": "container_upload", "file_id": "file_1"},
        {"type": "search_result", "source": "https://x.test", "title": "T", "content": []},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "E"}]},
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "n", "server_name": "s", "input": {}},
        {"type": "compaction", "content": "summary"},
    ],
)
def test_a_block_of_this_api_alone_is_kept_whole(block):
    (message,) = user(block)
    assert message.parts == (Opaque(NAME, block["type"], block),)
    assert render(message)["messages"][0]["content"] == [block]


def test_thinking_goes_back_with_its_signature_and_redacted_thinking_with_its_data():
    blocks = [
        {"type": "thinking", "thinking": "hmm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "cipher"},
        {"type": "text", "text": "so"},
    ]
    (message,) = parse(messages=[{"role": "assistant", "content": blocks}]).messages
    assert message.parts == (
        Reasoning("hmm", "sig", None, NAME),
        Reasoning("", None, "cipher", NAME),
        Text("so"),
    )
    assert render(message)["messages"][0]["content"] == blocks


@pytest.mark.parametrize("part", [
    Reasoning("t", "sig", None, "generate_content"),
    Reasoning("t", None, "cipher", "openai_responses"),
    Reasoning("", "sig", "cipher", "openai_chat"),
    Reasoning("t", "sig", "cipher", NAME),
    Reasoning("unsigned"),
])  # fmt: skip
def test_thinking_that_another_provider_sealed_crosses_the_format_unharmed(part):
    rendered = render(Message(Role.ASSISTANT, (part,)))["messages"]
    assert rendered[0]["content"][0]["type"] == "thinking"
    assert parse(messages=rendered).messages[0].parts == (part,)


def test_neighbouring_turns_of_one_role_become_one_on_the_wire():
    body = render(
        Message(Role.USER, (Text("a"),)), Message(Role.TOOL, (ToolResult("t", ()),)), Message(Role.USER, (Text("b"),))
    )
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert [block["type"] for block in body["messages"][0]["content"]] == ["text", "tool_result", "text"]


# Tool calls


@pytest.mark.parametrize(
    "call_id",
    ["toolu_01", "call-1", "functions.get:0", "ünï", "", "usid_eA", "usid_", "a b", "usid_Zm9v.", "chatcmpl-tool-1"],
)
def test_any_tool_call_id_fits_the_api_and_comes_back(call_id):
    call = Message(Role.ASSISTANT, (ToolCall(call_id, "f", {}),))
    result = Message(Role.TOOL, (ToolResult(call_id, ()),))
    turns = render(call, result)["messages"]
    wire_id = turns[0]["content"][0]["id"]
    assert wire_id.replace("-", "a").replace("_", "a").isalnum()
    assert wire_id.isascii()
    assert turns[1]["content"][0]["tool_use_id"] == wire_id
    assert parse(messages=turns).messages == (call, result)


@pytest.mark.parametrize("call_id", ["usid_", "usid_!!", "usid_Zm9v", "usid_eHg", "usid_--__"])
def test_an_id_of_somebody_else_that_looks_escaped_survives(call_id):
    wire = [{"role": "assistant", "content": [{"type": "tool_use", "id": call_id, "name": "f", "input": {}}]}]
    messages = parse(messages=wire).messages
    assert parse(messages=render(*messages)["messages"]).messages == messages


@pytest.mark.parametrize(
    "arguments",
    [{}, {"a": 1}, [1], 3, None, True, '{"broken": ', {"INVALID_JSON": "x"}, {"INVALID_JSON": {"INVALID_JSON": 1}}],
)
def test_tool_arguments_are_an_object_on_the_wire_and_come_back_as_they_were(arguments):
    message = Message(Role.ASSISTANT, (ToolCall("t", "f", arguments),))
    turns = render(message)["messages"]
    assert isinstance(turns[0]["content"][0]["input"], dict)
    assert parse(messages=turns).messages == (message,)


def test_absent_tool_arguments_are_an_empty_object():
    wire = [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": None}]}]
    assert parse(messages=wire).messages[0].parts == (ToolCall("t", "f", {}),)


def test_a_direct_caller_is_the_default_and_another_one_is_kept():
    code = {"type": "code_execution_20250825", "tool_id": "srv"}
    for caller, extra in (({"type": "direct"}, None), (code, Extra(NAME, {"caller": code}))):
        block = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": caller}
        (message,) = parse(messages=[{"role": "assistant", "content": [block]}]).messages
        assert message.parts[0].extra == extra


# Tools and settings


def test_tools_keep_their_schema_strictness_marks_and_fields():
    tool = {
        "name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True, "cache_control": MARK,
        "defer_loading": True,
    }  # fmt: skip
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    tools = parse(tools=[{**tool, "type": "custom"}, search]).tools
    assert tools == (
        Tool("f", "d", {"type": "object"}, True, MARK, Extra(NAME, {"defer_loading": True})),
        OpaqueTool(NAME, "web_search_20250305", search),
    )
    assert render(tools=tools)["tools"] == [tool, search]


@pytest.mark.parametrize(
    ("wire", "choice", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": False}, ToolChoice("named", ("f",)), True),
        ({"type": "none"}, ToolChoice("none"), None),
    ],
)
def test_tool_choice_and_its_inverted_parallel_switch(wire, choice, parallel):
    settings = parse(tool_choice=wire).settings
    assert (settings.tool_choice, settings.parallel_tools) == (choice, parallel)
    assert render(settings=settings)["tool_choice"] == wire


def test_output_config_is_format_and_effort_and_the_rest_of_it_is_kept():
    output = {
        "format": {"type": "json_schema", "schema": {"type": "object"}},
        "effort": "high",
        "task_budget": {"total": 1},
    }
    conversation = parse(output_config=output)
    assert conversation.settings.format == Format("json_schema", {"type": "object"})
    assert conversation.settings.reasoning == ReasoningSettings(effort="high")
    assert conversation.extra == Extra(NAME, {"output_config": {"task_budget": {"total": 1}}})
    assert json.loads(DIALECT.render_request(conversation))["output_config"] == output


def test_the_older_output_format_is_read():
    settings = parse(output_format={"type": "json_schema", "schema": {"type": "object"}}).settings
    assert settings.format == Format("json_schema", {"type": "object"})


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [
        ({"type": "enabled", "budget_tokens": 3000}, ReasoningSettings(None, 3000, "enabled")),
        ({"type": "adaptive", "display": "summarized"}, ReasoningSettings(None, None, "adaptive", "summarized")),
        ({"type": "disabled"}, ReasoningSettings(None, None, "disabled")),
    ],
)
def test_thinking_modes(thinking, expected):
    settings = parse(thinking=thinking).settings
    assert settings.reasoning == expected
    assert render(settings=settings)["thinking"] == thinking


def test_every_other_setting_and_unknown_fields_come_back():
    fields = {
        "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["END"], "stream": True,
        "metadata": {"user_id": "u", "team": "x"}, "service_tier": "auto", "cache_control": MARK, "container": "c",
        "mcp_servers": [{"name": "s"}], "context_management": {"edits": []},
    }  # fmt: skip
    conversation = parse(**fields)
    assert conversation.settings == Settings(
        max_tokens=10, temperature=0.5, top_p=0.9, top_k=4, stop=("END",), user="u"
    )
    assert conversation.stream
    rendered = json.loads(DIALECT.render_request(conversation))
    assert {name: rendered[name] for name in fields} == fields


def test_nulls_are_absent():
    nulls = dict.fromkeys(
        ["system", "tools", "tool_choice", "thinking", "stop_sequences", "temperature", "stream", "metadata"]
    )
    assert parse(**nulls) == parse()


def test_quirks_of_a_provider_are_applied_to_a_rendered_body():
    conversation = parse(system=[{"type": "text", "text": "s", "cache_control": MARK}], top_k=3)
    quirks = Quirks(drop=("model", "top_k"), fields=(("anthropic_version", "v"),), cache_marks=False)
    body = json.loads(DIALECT.render_request(conversation, quirks))
    assert body == {
        "max_tokens": 10, "system": [{"type": "text", "text": "s"}], "messages": [{"role": "user", "content": "hi"}],
        "anthropic_version": "v",
    }  # fmt: skip


# Bad bodies


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"model": None}, "model is missing"),
        ({"model": 3}, "model must be a string"),
        ({"messages": None}, "messages is missing"),
        ({"messages": {}}, "messages must be a list"),
        ({"messages": ["x"]}, r"messages\[0\] must be an object"),
        ({"messages": [{"role": "robot", "content": "x"}]}, r"messages\[0\].role must be user, assistant or system"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, r"messages\[0\].role must be a string"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\].content is missing"),
        ({"messages": [{"role": "user", "content": 3}]}, r"messages\[0\].content must be a string or a list"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, r"messages\[0\].content\[0\].type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            r"messages\[0\].content\[0\].text is missing",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, r"content\[0\].source.type"),
        ({"max_tokens": True}, "max_tokens must be an integer"),
        ({"temperature": "hot"}, "temperature must be a number"),
        ({"stop_sequences": [1]}, "stop_sequences must be a list of strings"),
        ({"tools": [{"type": ["x"]}]}, r"tools\[0\].type must be a string"),
        ({"tools": [{}]}, r"tools\[0\].name is missing"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type must be"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type must be json_schema"),
        ({"stream": "yes"}, "stream must be true or false"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_with_its_place(fields, place):
    with pytest.raises(BadBody, match=place):
        parse(**fields)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'{"model": "\xff"}',
        b'{"a":' + b"[" * 100_000,
        b'{"model": "\\ud800"}',
        b'{"a": 1e999}',
    ],
)
def test_bytes_that_are_no_json_object_are_refused(body):
    for read in (DIALECT.parse_request, DIALECT.needs):
        with pytest.raises(BadBody):
            read(body)

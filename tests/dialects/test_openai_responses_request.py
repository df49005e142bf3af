"""Requests of Responses: what is read of them, what is written for them, in the shapes that recorded traffic and the API show."""

from __future__ import annotations

import json
from typing import Any

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
)
from understudy.core.projection import project_request
from understudy.dialects import BadBody, Quirks, carried_by
from understudy.dialects.anthropic_messages import DIALECT as MESSAGES
from understudy.dialects.gemini import DIALECT as GEMINI
from understudy.dialects.openai_chat import DIALECT as CHAT
from understudy.dialects.openai_responses import DIALECT
from understudy.dialects.openai_responses.wire import NAME


def parsed(input_: Any = "hi", **fields: Any) -> Conversation:
    return DIALECT.parse_request(json.dumps({"model": "m", "input": input_, **fields}).encode())


def needs(input_: Any = "hi", **fields: Any) -> tuple[str, ...]:
    return DIALECT.needs(json.dumps({"model": "m", "input": input_, **fields}).encode()).features


def written(conversation: Conversation, quirks: Quirks | None = None) -> dict[str, Any]:
    projected, _ = project_request(conversation, DIALECT.request_carries)
    return json.loads(DIALECT.render_request(projected, quirks or Quirks()))


def said(*messages: Message, **settings: Any) -> Conversation:
    return Conversation(model="m", messages=messages, settings=Settings(**settings))


def losses(conversation: Conversation, carries: Any = DIALECT.request_carries) -> dict[str, str]:
    return {loss.name: loss.weight for loss in project_request(conversation, carries)[1]}


USER = Message(Role.USER, (Text("hi"),))


# Turns


def test_a_string_is_what_the_user_says():
    assert parsed("hi").messages == (USER,)
    assert parsed("").messages == ()


def test_instructions_are_the_first_system_turn_and_go_back_there():
    conversation = parsed([{"role": "system", "content": "b"}, {"role": "user", "content": "hi"}], instructions="a")
    assert [(turn.role, turn.parts) for turn in conversation.messages[:2]] == [
        (Role.SYSTEM, (Text("a"),)),
        (Role.SYSTEM, (Text("b"),)),
    ]
    body = written(conversation)
    assert body["instructions"] == "a"
    assert [item["role"] for item in body["input"]] == ["system", "user"]


def test_a_system_turn_in_the_middle_stays_where_it_is():
    body = written(said(USER, Message(Role.SYSTEM, (Text("now rhyme"),)), USER))
    assert "instructions" not in body
    assert [item["role"] for item in body["input"]] == ["user", "system", "user"]


def test_a_system_turn_alone_is_an_input_for_there_must_be_one():
    body = written(said(Message(Role.SYSTEM, (Text("a"),))))
    assert body["input"] == [{"type": "message", "role": "system", "content": "a"}]


def test_developers_stay_developers_unless_the_provider_knows_none():
    conversation = parsed([{"role": "developer", "content": "a"}, {"role": "user", "content": "hi"}])
    assert written(conversation)["input"][0]["role"] == "developer"
    assert written(conversation, Quirks(roles=(("developer", "system"),)))["input"][0]["role"] == "system"


THOUGHT = {
    "type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAAAx",
}  # fmt: skip
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}', "status": "completed"}  # fmt: skip
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "one"}


def test_a_run_of_the_assistants_items_is_one_turn_and_so_are_neighbouring_results():
    items = [
        {"role": "user", "content": "hi"},
        THOUGHT,
        {"role": "assistant", "content": "well"},
        CALL,
        {**CALL, "call_id": "call_2", "id": "fc_2"},
        RESULT,
        {**RESULT, "call_id": "call_2"},
        {"role": "user", "content": "and?"},
    ]
    conversation = parsed(items)
    assert [turn.role for turn in conversation.messages] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.USER]
    assert [type(part) for part in conversation.messages[1].parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert [part.call_id for part in conversation.messages[2].parts] == ["call_1", "call_2"]
    assert [item.get("type") for item in written(conversation)["input"]] == [
        "message", "reasoning", "message", "function_call", "function_call", "function_call_output",
        "function_call_output", "message",
    ]  # fmt: skip


def test_a_result_belongs_to_the_call_id_and_not_to_the_items_id():
    (turn,) = parsed([CALL]).messages
    assert turn.parts == (ToolCall("call_1", "f", {"a": 1}, extra=Extra(NAME, {"id": "fc_1"})),)
    (_, results) = as_chat([CALL, RESULT])
    assert (results["role"], results["tool_call_id"]) == ("tool", "call_1")


def as_chat(items: list[Any]) -> list[Any]:
    projected, _ = project_request(parsed(items), CHAT.request_carries)
    return json.loads(CHAT.render_request(projected))["messages"]


@pytest.mark.parametrize(
    ("arguments", "read"),
    [("", {}), ("{}", {}), ("null", {}), ('"{\\"a\\": 1}"', {"a": 1}), ("{nonsense", "{nonsense")],
)
def test_arguments_are_read_leniently(arguments, read):
    (turn,) = parsed([{**CALL, "arguments": arguments}]).messages
    assert turn.parts[0].arguments == read


def test_no_arguments_are_written_as_an_empty_object():
    assert written(said(Message(Role.ASSISTANT, (ToolCall("c", "f", {}),))))["input"][0]["arguments"] == "{}"


def test_an_id_that_is_too_long_is_replaced_in_call_and_result_alike():
    long = "functions." + "x" * 80
    body = written(
        said(Message(Role.ASSISTANT, (ToolCall(long, "f", {}),)), Message(Role.TOOL, (ToolResult(long, (Text("1"),)),)))
    )
    call, result = body["input"]
    assert call["call_id"] == result["call_id"] != long
    assert len(call["call_id"]) <= 64


def test_a_refusal_of_an_earlier_turn_is_a_refusal():
    items = [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]
    conversation = parsed(items)
    assert conversation.messages[0].parts == (Refusal("no"),)
    assert written(conversation)["input"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_what_a_message_says_of_itself_stays_on_its_first_text():
    item = {
        "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
        "content": [{"type": "output_text", "text": "a", "annotations": []}, {"type": "output_text", "text": "b"}],
    }  # fmt: skip
    (turn,) = parsed([item]).messages
    about = {"item": {"id": "msg_1", "phase": "commentary"}}
    assert turn.parts == (Text("a", extra=Extra(NAME, about)), Text("b"))
    first, second = written(parsed([item]))["input"]
    assert (first["id"], first["phase"], first["status"]) == ("msg_1", "commentary", "completed")
    assert second == {"type": "message", "role": "assistant", "content": "b"}


# Thinking


def test_sealed_thinking_returns_whole_to_the_same_provider():
    assert written(parsed([THOUGHT]))["input"] == [THOUGHT]
    (turn,) = parsed([THOUGHT]).messages
    assert turn.parts == (Reasoning("hm", "rs_1", "gAAAAx", NAME),)


def test_it_returns_without_an_id_where_the_caller_gave_none():
    thought = {name: held for name, held in THOUGHT.items() if name != "id"}
    assert written(parsed([thought]))["input"] == [thought]


@pytest.mark.parametrize(
    "shown",
    [
        {"summary": []},
        {"summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]},
        {"summary": [], "content": [{"type": "reasoning_text", "text": "a"}]},
        {"summary": [{"type": "summary_text", "text": "a"}], "content": [{"type": "reasoning_text", "text": "b"}]},
    ],
)
def test_a_thought_keeps_its_shape(shown):
    thought = {"type": "reasoning", "id": "rs_1", **shown, "encrypted_content": "gAAAAx"}
    assert written(parsed([thought]))["input"] == [thought]


def test_parts_of_a_summary_stand_apart():
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    (turn,) = parsed([{"type": "reasoning", "summary": summary}]).messages
    assert turn.parts[0].text == "a\n\nb"


def test_thinking_itself_goes_on_as_text_where_a_server_takes_it_back():
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    conversation = parsed([{"role": "user", "content": "hi"}, thought, {"role": "assistant", "content": "well"}])
    takes = carried_by(CHAT, Quirks(reasoning_field="reasoning"))
    projected, lost = project_request(conversation, takes)
    assert projected.messages[1].parts == (Reasoning("hm"), Text("well"))
    assert {loss.weight for loss in lost} == {"cosmetic"}


def test_thinking_that_nobody_sealed_stays_behind_and_that_is_said():
    conversation = said(USER, Message(Role.ASSISTANT, (Reasoning("hm"), Text("a"))))
    assert losses(conversation) == {"messages.reasoning": "lossy"}


@pytest.mark.parametrize("target", [CHAT, MESSAGES, GEMINI], ids=lambda one: one.name)
def test_sealed_thinking_goes_to_no_other_provider(target):
    conversation = parsed([{"role": "user", "content": "hi"}, THOUGHT, {"role": "assistant", "content": "well"}])
    body = target.render_request(project_request(conversation, target.request_carries)[0])
    assert b"gAAAAx" not in body
    assert "messages.reasoning" in losses(conversation, target.request_carries)


def test_what_another_provider_sealed_does_not_come_here():
    conversation = said(USER, Message(Role.ASSISTANT, (Reasoning("hm", "sig", None, "anthropic_messages"), Text("a"))))
    assert [item["type"] for item in written(conversation)["input"]] == ["message", "message"]


# Media


def test_pictures_and_files_from_wherever_they_come():
    content = [
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "high"},
        {"type": "input_image", "image_url": "https://host/a.png"},
        {"type": "input_image", "file_id": "file-1", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
        {"type": "input_file", "file_url": "https://host/a.pdf"},
        {"type": "input_file", "file_id": "file-2"},
    ]
    (turn,) = parsed([{"role": "user", "content": content}]).messages
    assert turn.parts == (
        Image(Inline("image/png", "QUJD"), "high"),
        Image(Remote("https://host/a.png")),
        Image(Stored(NAME, "file-1"), "auto"),
        Document(Inline("application/pdf", "QUJD"), "a.pdf"),
        Document(Remote("https://host/a.pdf")),
        Document(Stored(NAME, "file-2")),
    )
    assert written(Conversation(model="m", messages=(turn,)))["input"][0]["content"] == content


def test_bytes_without_a_name_get_one_also_in_a_result():
    document = Document(Inline("application/pdf", "QUJD"))
    body = written(said(Message(Role.USER, (document,)), Message(Role.TOOL, (ToolResult("c", (document,)),))))
    assert body["input"][0]["content"][0]["filename"] == "document.pdf"
    assert body["input"][1]["output"][0]["filename"] == "document.pdf"


@pytest.mark.parametrize("data", ["QUJD", "data:text/plain;base64,QUJD"])
def test_bare_base64_is_what_its_name_says(data):
    (turn,) = parsed(
        [{"role": "user", "content": [{"type": "input_file", "filename": "a.txt", "file_data": data}]}]
    ).messages
    assert turn.parts == (Document(Inline("text/plain", "QUJD"), "a.txt"),)


def test_a_picture_as_chat_writes_it_is_understood():
    content = [{"type": "input_image", "image_url": {"url": "https://host/a.png", "detail": "low"}}]
    (turn,) = parsed([{"role": "user", "content": content}]).messages
    assert turn.parts == (Image(Remote("https://host/a.png"), "low"),)


def test_a_results_picture_stays_in_the_result():
    picture = Image(Inline("image/png", "QUJD"))
    (item,) = written(said(Message(Role.TOOL, (ToolResult("c", (Text("see"), picture)),))))["input"]
    assert [part["type"] for part in item["output"]] == ["input_text", "input_image"]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": "https://x", "file_id": "file-1"},
        {"type": "input_file", "file_url": "https://x", "file_id": "file-1"},
        {"type": "input_file", "filename": 3, "file_id": "file-1"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
    ],
)
def test_what_is_said_in_no_known_way_is_kept_whole(part):
    (turn,) = parsed([{"role": "user", "content": [part]}]).messages
    assert turn.parts == (Opaque(NAME, part["type"], part),)


# Tools and settings


def test_a_function_is_not_strict_unless_it_was_said_to_be():
    body = written(Conversation(model="m", messages=(USER,), tools=(Tool("f"), Tool("g", strict=True))))
    assert body["tools"] == [
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False},
        {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": True},
    ]


def test_tools_of_the_provider_are_kept_whole_and_go_nowhere_else():
    custom = {"type": "custom", "name": "patch", "format": {"type": "text"}}
    conversation = parsed(tools=[{"type": "web_search"}, custom])
    assert conversation.tools == (
        OpaqueTool(NAME, "web_search", {"type": "web_search"}),
        OpaqueTool(NAME, "custom", custom),
    )
    assert losses(conversation, CHAT.request_carries) == {"tools.web_search": "lossy", "tools.custom": "lossy"}
    assert written(conversation)["tools"] == [{"type": "web_search"}, custom]


def test_what_a_custom_tool_was_called_with_and_gave_back_is_kept_whole():
    items = [
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "patch", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
    ]
    conversation = parsed(items)
    assert [turn.role for turn in conversation.messages] == [Role.ASSISTANT, Role.TOOL]
    assert written(conversation)["input"] == items
    lost = {"messages.custom_tool_call": "lossy", "messages.custom_tool_call_output": "lossy"}
    assert losses(parsed([{"role": "user", "content": "hi"}, *items]), MESSAGES.request_carries) == lost
    assert losses(conversation, MESSAGES.request_carries) == lost | {"messages": "essential"}  # nothing would be left


def test_an_item_that_says_whose_it_is_is_kept_whole():
    item = {"type": "additional_tools", "role": "developer", "tools": []}
    conversation = parsed([item, {"role": "user", "content": "hi"}])
    assert conversation.messages[0] == Message(Role.DEVELOPER, (Opaque(NAME, "additional_tools", item),))
    assert written(conversation)["input"][0] == item


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", ("f",))),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("required", ("f",)),
        ),
    ],
)
def test_the_choice_of_tools_goes_both_ways(choice, read):
    conversation = parsed(
        tools=[{"type": "function", "name": "f"}, {"type": "function", "name": "g"}], tool_choice=choice
    )
    assert conversation.settings.tool_choice == read
    assert written(conversation)["tool_choice"] == choice


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "web_search"},
        {"type": "custom", "name": "patch"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]},
        {"type": "allowed_tools", "mode": "auto", "tools": 3},
        "something",
    ],
)
def test_another_choice_is_kept_as_it_is(choice):
    conversation = parsed(tool_choice=choice)
    assert conversation.settings.tool_choice is None
    assert written(conversation)["tool_choice"] == choice


def test_a_schema_is_flat_here_and_has_a_name():
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True, "description": "d"}
    conversation = parsed(text={"format": form, "verbosity": "low"})
    assert conversation.settings.format == Format("json_schema", {"type": "object"}, "n", True, "d")
    assert written(conversation)["text"] == {"format": form, "verbosity": "low"}
    nameless = said(USER, format=Format("json_schema", {"type": "object"}))
    assert written(nameless)["text"]["format"]["name"] == "answer"


@pytest.mark.parametrize(
    "form", [{"type": "grammar", "definition": "x"}, {"type": "json_schema", "x": 1}, {"type": "text", "x": 1}]
)
def test_a_form_that_is_not_known_is_kept_as_it_is(form):
    conversation = parsed(text={"format": form})
    assert conversation.settings.format is None
    assert written(conversation)["text"] == {"format": form}


def test_the_bound_has_its_own_name_and_a_smallest_value():
    assert parsed(max_output_tokens=20).settings.max_tokens == 20
    assert written(said(USER, max_tokens=20))["max_output_tokens"] == 20
    assert written(said(USER, max_tokens=5))["max_output_tokens"] == 16
    assert losses(said(USER, max_tokens=5)) == {"max_tokens": "lossy"}


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (ReasoningSettings("low"), {"effort": "low"}),
        (ReasoningSettings("low", display="summarized"), {"effort": "low", "summary": "auto"}),
        (ReasoningSettings(display="summarized"), {"summary": "auto"}),
        (ReasoningSettings("low", display="omitted"), {"effort": "low"}),
        (ReasoningSettings(budget_tokens=9000), {"effort": "medium"}),
        (ReasoningSettings(mode="disabled"), {"effort": "none"}),
    ],
)
def test_how_much_to_think_in_its_words(asked, sent):
    assert written(said(USER, reasoning=asked))["reasoning"] == sent


def test_nothing_is_said_of_thinking_that_is_only_not_to_be_shown():
    assert "reasoning" not in written(said(USER, reasoning=ReasoningSettings(display="omitted")))


def test_the_length_of_a_summary_is_kept_here_and_shown_elsewhere():
    conversation = parsed(reasoning={"effort": "high", "summary": "detailed", "context": "all_turns"})
    assert conversation.settings.reasoning == ReasoningSettings("high", display="summarized")
    assert written(conversation)["reasoning"] == {"effort": "high", "summary": "detailed", "context": "all_turns"}


def test_log_probabilities_are_asked_for_by_an_entry_of_include():
    conversation = parsed(include=["reasoning.encrypted_content", "message.output_text.logprobs"], top_logprobs=2)
    assert (conversation.settings.logprobs, conversation.settings.top_logprobs) == (True, 2)
    assert written(conversation)["include"] == ["reasoning.encrypted_content", "message.output_text.logprobs"]
    assert "include" not in written(said(USER, logprobs=False))
    assert needs(include=["message.output_text.logprobs"]) == ("logprobs",)


@pytest.mark.parametrize(
    ("setting", "weight"),
    [({"n": 2}, "essential"), ({"stop": ("x",)}, "lossy"), ({"seed": 1}, "lossy"), ({"top_k": 3}, "lossy")],
)
def test_what_it_cannot_be_told_is_said(setting, weight):
    assert list(losses(said(USER, **setting)).values()) == [weight]


# What the provider holds


@pytest.mark.parametrize(
    ("field", "held"),
    [("previous_response_id", "resp_1"), ("conversation", {"id": "c"}), ("background", True), ("prompt", {"id": "p"})],
)
@pytest.mark.parametrize("target", [CHAT, MESSAGES, GEMINI], ids=lambda one: one.name)
def test_a_request_that_goes_on_from_what_is_held_makes_no_sense_elsewhere(target, field, held):
    conversation = parsed(**{field: held})
    assert losses(conversation, target.request_carries) == {field: "essential"}
    assert needs(**{field: held}) == ("stored",)
    assert written(conversation)[field] == held


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "background", "prompt"])
def test_saying_nothing_of_it_is_no_such_request(field):
    assert needs(**{field: None}) == ()
    assert losses(parsed(**{field: None}), CHAT.request_carries) == {}


def test_state_may_stand_for_an_input():
    body = json.dumps({"model": "m", "previous_response_id": "resp_1"}).encode()
    assert DIALECT.parse_request(body).messages == ()
    assert DIALECT.needs(body).features == ("stored",)


def test_whether_to_keep_the_answer_is_said_but_changes_no_answer():
    assert losses(parsed(store=True), CHAT.request_carries) == {"store": "cosmetic"}
    assert needs(store=True) == ()


def test_where_a_request_was_translated_the_provider_is_told_not_to_keep_it():
    quirks = Quirks(translated=(("store", False), ("include", ("reasoning.encrypted_content",))))
    body = written(said(USER, logprobs=True), quirks)
    assert body["store"] is False
    assert body["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]


# Needs


@pytest.mark.parametrize(
    ("fields", "features"),
    [
        ({"tools": [{"type": "web_search"}]}, ("tools",)),
        ({"tools": []}, ()),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, ("stored", "tools")),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, ("tools",)),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["f"]}}]}, ("stored", "tools")),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}}, ("json_schema",)),
        ({"text": {"verbosity": "low"}}, ()),
        ({"reasoning": {"effort": "low"}}, ("reasoning",)),
        ({"reasoning": {"effort": "none"}}, ()),
        ({"reasoning": {"summary": "auto"}}, ()),
    ],
)  # fmt: skip
def test_what_a_request_asks_of_a_target(fields, features):
    assert needs(**fields) == features


def test_media_are_seen_and_their_bytes_are_not_taken_for_text():
    data = "data:image/png;base64," + "A" * 400_000
    items = [
        {"role": "user", "content": [{"type": "input_image", "image_url": data}, {"type": "input_text", "text": "?"}]}
    ]
    found = DIALECT.needs(json.dumps({"model": "m", "input": items}).encode())
    assert found.features == ("images",)
    assert 1000 <= found.tokens_in < 2000
    result = {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_file", "file_data": data}]}
    assert needs([result]) == ("documents",)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"input": "x"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": 3}, "input"),
        ({"model": "m", "input": "x", "max_output_tokens": "y"}, "max_output_tokens"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_name(body, told):
    for read in (DIALECT.needs, DIALECT.parse_request):
        with pytest.raises(BadBody, match=told):
            read(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (3, r"input\[0\] must be an object"),
        ({"role": "nobody", "content": "x"}, r"input\[0\]\.role must be one of"),
        ({"content": "x"}, r"input\[0\]\.role must be one of"),
        ({"type": 3}, r"input\[0\]\.type must be a string"),
        ({"role": "user", "content": 3}, r"input\[0\]\.content must be"),
        ({"role": "user", "content": [3]}, r"input\[0\]\.content\[0\] must be an object"),
        ({"role": "assistant", "content": 3}, r"input\[0\]\.content must be"),
        ({"role": "assistant", "content": [3]}, r"input\[0\]\.content\[0\] must be an object"),
        ({"type": "function_call_output", "output": "x"}, r"input\[0\]\.call_id is missing"),
    ],
)
def test_an_item_that_cannot_be_read_is_named(item, told):
    with pytest.raises(BadBody, match=told):
        parsed([item])


def test_texts_may_stand_bare_in_a_list():
    items = [{"role": "user", "content": ["hi"]}, {"role": "assistant", "content": ["well"]}]
    assert [turn.parts for turn in parsed(items).messages] == [(Text("hi"),), (Text("well"),)]


def test_a_tool_that_is_no_object_is_named():
    with pytest.raises(BadBody, match=r"tools\[0\] must be an object"):
        parsed(tools=[3])

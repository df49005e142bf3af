"""What real providers want of requests that a translator stumbles over, between Chat Completions, Messages and generateContent.

One section a trap. What belongs to one format alone is tested beside that format.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from crossings import ALL, ANTHROPIC, GEMINI, OPENAI, answered, asked, chat_answer, gemini_answer, message_answer

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


# The system prompt


SYSTEM_TWICE = [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}]


def test_instructions_are_joined_in_order() -> None:
    user = {"role": "user", "content": "Hello"}
    messages, _ = asked(OPENAI, ANTHROPIC, messages=[*SYSTEM_TWICE, user])
    assert json.dumps(messages["system"]).index("brief") < json.dumps(messages["system"]).index("kind")
    assert [one["role"] for one in messages["messages"]] == ["user"]
    contents, _ = asked(OPENAI, GEMINI, messages=[*SYSTEM_TWICE, user])
    assert json.dumps(contents["systemInstruction"]).index("brief") < json.dumps(contents["systemInstruction"]).index(
        "kind"
    )
    assert [one["role"] for one in contents["contents"]] == ["user"]


def test_instructions_inside_a_conversation_stay_where_they_are() -> None:
    late = {"role": "system", "content": "From now on in French."}
    greeting = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    turns = [*greeting, late, {"role": "user", "content": "Go on"}]
    assert asked(OPENAI, ANTHROPIC, messages=turns)[0]["messages"][2] == late
    told, _ = asked(OPENAI, GEMINI, messages=turns)  # which knows no such turn: the user says it
    parts = [{"text": "From now on in French."}, {"text": "Go on"}]
    assert told["contents"][2] == {"role": "user", "parts": parts}


def test_a_system_string_and_blocks_become_instructions() -> None:
    blocks = [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}},
    ]
    chat, _ = asked(ANTHROPIC, OPENAI, system=blocks, messages=[{"role": "user", "content": "Hello"}])
    assert chat["messages"][0]["role"] in {"system", "developer"}
    assert json.dumps(chat["messages"][0]).index("One.") < json.dumps(chat["messages"][0]).index("Two.")
    told, _ = asked(ANTHROPIC, ANTHROPIC, system=blocks, messages=[{"role": "user", "content": "Hello"}])
    assert told["system"][1]["cache_control"] == {"type": "ephemeral"}


# Roles, tool results, ids


CALLS = [
    {"id": "call_a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}},
]
PARALLEL: list[dict[str, Any]] = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "call_a", "content": "21"},
    {"role": "tool", "tool_call_id": "call_b", "content": "25"},
    {"role": "user", "content": "And?"},
]


def test_parallel_results_go_into_one_turn_of_the_user_before_its_words() -> None:
    told, _ = asked(OPENAI, ANTHROPIC, messages=PARALLEL)
    assert [one["role"] for one in told["messages"]] == ["user", "assistant", "user"]
    kinds = [block["type"] for block in told["messages"][2]["content"]]
    assert kinds == ["tool_result", "tool_result", "text"]
    calls = [block["id"] for block in told["messages"][1]["content"]]
    assert [block["tool_use_id"] for block in told["messages"][2]["content"][:2]] == calls


def test_gemini_gets_two_roles_alone_and_results_in_the_order_of_their_calls() -> None:
    shuffled = [*PARALLEL[:2], PARALLEL[3], PARALLEL[2], PARALLEL[4]]
    for turns in (PARALLEL, shuffled):
        told, _ = asked(OPENAI, GEMINI, messages=turns)
        assert [one["role"] for one in told["contents"]] == ["user", "model", "user"]
        calls = [part["functionCall"] for one in told["contents"] for part in one["parts"] if "functionCall" in part]
        results = [
            part["functionResponse"] for one in told["contents"] for part in one["parts"] if "functionResponse" in part
        ]
        assert [call["args"] for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
        assert [one["name"] for one in results] == ["get_weather", "get_weather"]
        by_id = {one["id"]: one["response"] for one in results}
        assert [by_id[call["id"]] for call in calls] == [{"output": "21"}, {"output": "25"}]


def test_neighbours_of_one_role_are_one_turn_where_the_format_wants_that() -> None:
    turns = [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}]
    for target in (ANTHROPIC, GEMINI):
        told, _ = asked(OPENAI, target, messages=turns)
        [only] = told.get("messages") or told["contents"]
        assert json.dumps(only).index("One.") < json.dumps(only).index("Two.")


@pytest.mark.parametrize("target", ["openai", "anthropic"])
def test_calls_without_ids_get_different_ones_the_same_each_time(target: str) -> None:
    body = gemini_answer({"functionCall": {"name": "f", "args": {}}}, {"functionCall": {"name": "f", "args": {}}})
    first, second = answered(GEMINI, ALL[target], body), answered(GEMINI, ALL[target], body)
    calls = first["choices"][0]["message"]["tool_calls"] if target == "openai" else first["content"]
    ids = [call["id"] for call in calls]
    assert len(set(ids)) == 2
    assert all(ids)
    assert first == second


@pytest.mark.parametrize(
    "id_", ["call_abc", "toolu_bdrk_1", "name-tool-6f", "functions.name:0", "call-uuid-1", "x" * 32, "abcdefghi"]
)
def test_ids_of_every_provider_return_as_they_were(id_: str) -> None:
    call = {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    told = answered(OPENAI, ANTHROPIC, chat_answer({"tool_calls": [call]}, "tool_calls"))
    [block] = told["content"]
    result = {"type": "tool_result", "tool_use_id": block["id"], "content": "x"}
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [block]},
        {"role": "user", "content": [result]},
    ]
    back, _ = asked(ANTHROPIC, OPENAI, messages=turns)
    assert back["messages"][1]["tool_calls"][0]["id"] == id_
    assert back["messages"][2]["tool_call_id"] == id_


def test_calls_of_two_turns_under_one_id_are_told_apart_where_they_must_be() -> None:
    def turn(*results: str) -> list[dict[str, Any]]:
        calls = [{"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}} for _ in results]
        said = [{"role": "tool", "tool_call_id": "call_0", "content": result} for result in results]
        return [{"role": "assistant", "content": None, "tool_calls": calls}, *said]

    turns = [{"role": "user", "content": "?"}, *turn("one"), *turn("two", "three")]
    told, losses = asked(OPENAI, ANTHROPIC, messages=turns)
    calls = [block["id"] for one in told["messages"][1::2] for block in one["content"]]
    results = {block["tool_use_id"]: block["content"] for one in told["messages"][2::2] for block in one["content"]}
    assert calls[0] == "call_0"
    assert len(set(calls)) == 3
    assert [results[id_] for id_ in calls] == ["one", "two", "three"]
    assert not losses
    assert asked(OPENAI, ANTHROPIC, messages=turns[:3])[0]["messages"] == told["messages"][:3]
    alike, _ = asked(OPENAI, OPENAI, messages=turns)
    assert alike["messages"][3]["tool_calls"][0]["id"] == "call_0"


def test_an_unanswered_call_keeps_no_others_result() -> None:
    call = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    calls = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "call_0", "content": "two"}
    user = {"role": "user", "content": "?"}
    told, _ = asked(OPENAI, ANTHROPIC, messages=[user, calls, user, calls, result, user])
    assert told["messages"][4]["content"][0]["tool_use_id"] == told["messages"][3]["content"][0]["id"]
    told, _ = asked(OPENAI, ANTHROPIC, messages=[user, calls, result, calls, result, result])
    assert told["messages"][4]["content"][1]["tool_use_id"] == "call_0"  # one too many: the provider will say so


# Tool arguments, choices, parallel calls


@pytest.mark.parametrize("arguments", ["{}", "", None, "null", {}])
@pytest.mark.parametrize("target", ["openai", "anthropic", "gemini"])
def test_no_arguments_are_an_empty_object(arguments: Any, target: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    told = answered(OPENAI, ALL[target], chat_answer({"tool_calls": [call]}, "tool_calls"))
    if target == "openai":
        assert told["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    elif target == "anthropic":
        assert told["content"][0]["input"] == {}
    else:
        assert told["candidates"][0]["content"]["parts"][0]["functionCall"].get("args", {}) == {}


@pytest.mark.parametrize("source", ["anthropic", "gemini"])
def test_arguments_are_encoded_once(source: str) -> None:
    body = (
        message_answer({"type": "tool_use", "id": "a", "name": "f", "input": {"text": 'say "hi"'}}, stop="tool_use")
        if source == "anthropic"
        else gemini_answer({"functionCall": {"name": "f", "args": {"text": 'say "hi"'}}})
    )
    told = answered(ALL[source], OPENAI, body)
    [call] = told["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"text": 'say "hi"'}


NAMED = {"type": "function", "function": {"name": "get_weather"}}
CHOICES = [
    ("auto", {"type": "auto"}, "AUTO"),
    ("none", {"type": "none"}, "NONE"),
    ("required", {"type": "any"}, "ANY"),
    (NAMED, {"type": "tool", "name": "get_weather"}, "ANY"),
]


@pytest.mark.parametrize(("chat", "messages", "mode"), CHOICES, ids=["auto", "none", "any", "named"])
def test_a_tool_choice_crosses(chat: Any, messages: Any, mode: str) -> None:
    question = [{"role": "user", "content": "Weather?"}]
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": TOOL}}]
    told, _ = asked(OPENAI, ANTHROPIC, messages=question, tools=tools, tool_choice=chat)
    assert told["tool_choice"] == messages
    told, _ = asked(OPENAI, GEMINI, messages=question, tools=tools, tool_choice=chat)
    calling = told["toolConfig"]["functionCallingConfig"]
    assert calling["mode"] == mode
    assert calling.get("allowedFunctionNames") == (["get_weather"] if chat is NAMED else None)
    back, _ = asked(
        ANTHROPIC,
        OPENAI,
        messages=question,
        tools=[{"name": "get_weather", "input_schema": TOOL}],
        tool_choice=messages,
    )
    assert back["tool_choice"] == chat
    calling = {"mode": mode} | ({"allowedFunctionNames": ["get_weather"]} if chat is NAMED else {})
    declared = [{"functionDeclarations": [{"name": "get_weather", "parametersJsonSchema": TOOL}]}]
    contents = [{"role": "user", "parts": [{"text": "Weather?"}]}]
    back, _ = asked(GEMINI, OPENAI, contents=contents, tools=declared, toolConfig={"functionCallingConfig": calling})
    assert back["tool_choice"] == chat


def test_the_parallel_switch_is_inverted_or_reported() -> None:
    question = [{"role": "user", "content": "Weather?"}]
    tools = [{"type": "function", "function": {"name": "f", "parameters": TOOL}}]
    told, losses = asked(OPENAI, ANTHROPIC, messages=question, tools=tools, parallel_tool_calls=False)
    assert told["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert not losses
    told, losses = asked(OPENAI, GEMINI, messages=question, tools=tools, parallel_tool_calls=False)
    assert losses == {"parallel_tools"}


# Pictures and files


def test_a_picture_is_split_off_its_address_and_put_together_again() -> None:
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    told, _ = asked(OPENAI, ANTHROPIC, messages=[{"role": "user", "content": content}])
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert told["messages"][0]["content"][0] == {"type": "image", "source": source}
    told, _ = asked(OPENAI, GEMINI, messages=[{"role": "user", "content": content}])
    assert told["contents"][0]["parts"][0]["inlineData"] == {"mimeType": "image/png", "data": "AAAA"}
    told, _ = asked(ANTHROPIC, OPENAI, messages=[{"role": "user", "content": [{"type": "image", "source": source}]}])
    assert told["messages"][0]["content"][0]["image_url"]["url"] == "data:image/png;base64,AAAA"


@pytest.mark.parametrize("source", ["image/jpg", "image/JPG", "image/pjpeg", "image/jpeg"])
def test_a_picture_by_another_name_of_its_type_is_a_picture(source: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": f"data:{source};base64,AAAA"}}]
    told, losses = asked(OPENAI, ANTHROPIC, messages=[{"role": "user", "content": content}])
    assert told["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"
    assert not losses


@pytest.mark.parametrize(
    "spelt",
    [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inline_data": {"mime_type": "image/png", "data": "AAAA"}},
    ],
)
def test_gemini_is_read_in_both_of_its_spellings(spelt: dict[str, Any]) -> None:
    told, losses = asked(GEMINI, OPENAI, contents=[{"role": "user", "parts": [spelt]}])
    assert told["messages"][0]["content"][0]["image_url"]["url"] == "data:image/png;base64,AAAA"
    assert not losses


def test_a_picture_with_an_address_keeps_it() -> None:
    content = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    told, _ = asked(OPENAI, ANTHROPIC, messages=[{"role": "user", "content": content}])
    assert told["messages"][0]["content"][1]["source"] == {"type": "url", "url": "https://example.com/a.png"}
    told, losses = asked(OPENAI, GEMINI, messages=[{"role": "user", "content": content}])
    assert told["contents"][0]["parts"][1]["fileData"]["fileUri"] == "https://example.com/a.png"
    assert not losses


def test_a_picture_in_a_tools_result_follows_it_in_the_users_turn() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "QUFBQQ=="}
    result = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [{"type": "text", "text": "here"}, {"type": "image", "source": source}],
    }
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    told, losses = asked(ANTHROPIC, OPENAI, messages=turns)
    assert [one["role"] for one in told["messages"]] == ["user", "assistant", "tool", "user"]
    assert told["messages"][3]["content"][0]["image_url"]["url"] == "data:image/png;base64,QUFBQQ=="
    told, more = asked(ANTHROPIC, GEMINI, messages=turns)
    assert told["contents"][2]["parts"][1]["inlineData"]["data"] == "QUFBQQ=="
    assert not losses | more


# The shape of the answer, bounds, alternatives


def test_a_shape_crosses() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    question = [{"role": "user", "content": "?"}]
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    told, _ = asked(OPENAI, ANTHROPIC, messages=question, response_format=shape)
    assert told["output_config"]["format"] == {"type": "json_schema", "schema": schema}
    told, _ = asked(OPENAI, GEMINI, messages=question, response_format=shape)
    config = told["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert (config.get("responseJsonSchema") or config["responseSchema"])["properties"]["a"]["type"].lower() == "string"
    config = {
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
    }
    told, _ = asked(GEMINI, OPENAI, contents=[{"parts": [{"text": "?"}]}], generationConfig=config)
    assert told["response_format"]["json_schema"]["schema"]["properties"] == {"a": {"type": "string"}}


def test_a_bound_goes_by_each_formats_name() -> None:
    question = [{"role": "user", "content": "?"}]
    for name in ("max_tokens", "max_completion_tokens"):
        assert asked(OPENAI, ANTHROPIC, messages=question, **{name: 7})[0]["max_tokens"] == 7
        assert asked(OPENAI, GEMINI, messages=question, **{name: 7})[0]["generationConfig"]["maxOutputTokens"] == 7
    assert asked(ANTHROPIC, OPENAI, messages=question)[0]["max_completion_tokens"] == 100
    assert asked(OPENAI, ANTHROPIC, messages=question)[0]["max_tokens"] > 0


@pytest.mark.parametrize(
    "field", [{"n": 3}, {"logprobs": True, "top_logprobs": 2}, {"seed": 7}, {"logit_bias": {"1": 5}}]
)
def test_what_anthropic_has_not_is_reported(field: dict[str, Any]) -> None:
    _, losses = asked(OPENAI, ANTHROPIC, messages=[{"role": "user", "content": "?"}], **field)
    assert losses == set(field)

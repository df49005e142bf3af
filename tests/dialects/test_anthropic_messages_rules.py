"""The rules of the Messages API: what a conversation loses or gains on its way there, and what is told of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import (
    Audio,
    Conversation,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.projection import project_answer, project_request
from understudy.core.usage import Usage
from understudy.dialects.anthropic_messages import DIALECT
from understudy.dialects.anthropic_messages.carries import MAX_TOKENS

NAME = "anthropic_messages"
HI = Message(Role.USER, (Text("hi"),))
TOOL = Tool("f", None, {"type": "object", "properties": {}})


def project(*messages: Message, tools=(), **settings) -> tuple[Conversation, dict[str, str]]:
    """The projected conversation and its losses, which rendering and parsing must not change."""
    asked = Conversation(model="m", messages=messages or (HI,), tools=tools, settings=Settings(**settings))
    projected, losses = project_request(asked, DIALECT.request_carries)
    assert DIALECT.parse_request(DIALECT.render_request(projected)) == projected
    assert project_request(projected, DIALECT.request_carries) == (projected, ())
    return projected, {loss.name: loss.weight for loss in losses}


# Settings


def test_max_tokens_has_a_default_since_the_api_insists_on_one():
    projected, losses = project()
    assert projected.settings.max_tokens == MAX_TOKENS
    assert losses == {}


def test_a_temperature_above_one_is_cut_and_reported():
    projected, losses = project(temperature=1.7)
    assert projected.settings.temperature == 1
    assert losses == {"temperature": "lossy"}


@pytest.mark.parametrize(("top_p", "weight"), [(0.5, "lossy"), (1, "cosmetic")])
def test_of_temperature_and_top_p_the_temperature_stays(top_p, weight):
    projected, losses = project(temperature=0.5, top_p=top_p)
    assert (projected.settings.temperature, projected.settings.top_p) == (0.5, None)
    assert losses == {"top_p": weight}


def test_stop_sequences_of_white_space_are_dropped():
    projected, losses = project(stop=("\n", "END"))
    assert projected.settings.stop == ("END",)
    assert losses == {"stop": "lossy"}


@pytest.mark.parametrize(
    ("setting", "weight"),
    [
        ({"n": 2}, "essential"),
        ({"logprobs": True}, "essential"),
        ({"seed": 1}, "lossy"),
        ({"logit_bias": {"1": 1}}, "lossy"),
    ],
)
def test_what_the_api_has_not_is_reported(setting, weight):
    assert project(**setting)[1] == {next(iter(setting)): weight}


def test_json_mode_has_no_counterpart():
    projected, losses = project(format=Format("json_object"))
    assert projected.settings.format is None
    assert list(losses.values()) == ["lossy"]


def test_the_name_of_a_schema_is_cosmetic():
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    projected, losses = project(format=Format("json_schema", schema, name="answer", strict=True))
    assert projected.settings.format == Format("json_schema", schema)
    assert set(losses.values()) == {"cosmetic"}


def test_a_schema_is_closed_and_loses_the_bounds_that_the_api_refuses():
    schema = {
        "type": "object",
        "properties": {
            "maximum": {"type": "integer", "minimum": 1, "maximum": 5},
            "more": {"type": ["object", "null"], "additionalProperties": True, "properties": {"x": {"const": {"maximum": 1}}}},
        },
    }  # fmt: skip
    projected, losses = project(format=Format("json_schema", schema))
    assert projected.settings.format.schema == {
        "type": "object",
        "properties": {
            "maximum": {"type": "integer"},
            "more": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {"x": {"const": {"maximum": 1}}},
            },
        },
        "additionalProperties": False,
    }
    assert sorted(losses) == [f"response_format.{name}" for name in ("additionalProperties", "maximum", "minimum")]


def test_a_tool_without_a_schema_gets_an_empty_one_and_a_loose_schema_a_type():
    projected, losses = project(tools=(Tool("a"), Tool("b", None, {"properties": {"x": {"minimum": 1}}})))
    assert [tool.parameters for tool in projected.tools] == [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"x": {"minimum": 1}}},
    ]
    assert losses == {}


def test_the_schema_of_a_strict_tool_is_held_to_what_the_api_compiles():
    tool = Tool("a", None, {"type": "object", "properties": {"x": {"minimum": 1}}}, strict=True)
    projected, losses = project(tools=(tool,))
    assert projected.tools[0].parameters == {
        "type": "object", "properties": {"x": {}}, "additionalProperties": False,
    }  # fmt: skip
    assert losses == {"tools.parameters.minimum": "lossy"}


def test_a_tool_choice_without_tools_is_dropped_and_a_parallel_switch_makes_one():
    assert project(tool_choice=ToolChoice("auto"), parallel_tools=False)[0].settings.tool_choice is None
    projected, losses = project(tools=(TOOL,), parallel_tools=False)
    assert projected.settings.tool_choice == ToolChoice("auto")
    assert json.loads(DIALECT.render_request(projected))["tool_choice"] == {
        "type": "auto", "disable_parallel_tool_use": True,
    }  # fmt: skip
    assert losses == {}


# Thinking


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "max"])
def test_an_effort_becomes_a_budget_below_max_tokens(effort):
    projected, losses = project(reasoning=ReasoningSettings(effort=effort), max_tokens=100)
    reasoning = projected.settings.reasoning
    assert (reasoning.mode, reasoning.effort) == ("enabled", None)
    assert 1024 <= reasoning.budget_tokens < projected.settings.max_tokens
    assert projected.settings.max_tokens == 100 + reasoning.budget_tokens
    assert losses == {"reasoning.effort": "lossy", "max_tokens": "lossy"}


def test_more_effort_is_a_larger_budget():
    efforts = ["low", "medium", "high", "xhigh"]
    budgets = [
        project(reasoning=ReasoningSettings(effort=effort))[0].settings.reasoning.budget_tokens for effort in efforts
    ]
    assert budgets == sorted(set(budgets))


def test_max_tokens_above_the_budget_stays():
    projected, losses = project(reasoning=ReasoningSettings(None, 2000, "enabled"), max_tokens=3000)
    assert projected.settings.max_tokens == 3000
    assert losses == {}


def test_no_effort_is_no_thinking():
    assert project(reasoning=ReasoningSettings(effort="none"))[0].settings.reasoning == ReasoningSettings(
        mode="disabled"
    )


def test_an_effort_beside_adaptive_thinking_is_the_apis_own():
    asked = ReasoningSettings(effort="xhigh", mode="adaptive", display="summarized")
    assert project(reasoning=asked)[0].settings.reasoning == asked


def test_a_budget_too_small_for_the_api_is_raised():
    projected, losses = project(reasoning=ReasoningSettings(budget_tokens=200))
    assert projected.settings.reasoning == ReasoningSettings(None, 1024, "enabled")
    assert losses == {"reasoning.budget_tokens": "lossy"}


def test_thinking_wins_over_temperature_and_top_k():
    projected, losses = project(
        reasoning=ReasoningSettings(None, 2000, "enabled"), temperature=0.2, top_k=5, top_p=0.97, max_tokens=4000
    )
    settings = projected.settings
    assert (settings.temperature, settings.top_k, settings.top_p) == (None, None, 0.97)
    assert losses == {"temperature": "lossy", "top_k": "lossy"}


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", ("f",))])
def test_a_forced_tool_wins_over_thinking_by_budget(choice):
    projected, losses = project(tools=(TOOL,), tool_choice=choice, reasoning=ReasoningSettings(None, 2000, "enabled"))
    assert projected.settings.reasoning is None
    assert losses == {"reasoning": "lossy"}


def test_adaptive_thinking_goes_with_a_forced_tool():
    # as recorded: the API answers it
    asked = ReasoningSettings(mode="adaptive")
    projected, losses = project(tools=(TOOL,), tool_choice=ToolChoice("required"), reasoning=asked)
    assert projected.settings.reasoning == asked
    assert losses == {}


CALL = ToolCall("t", "f", {})
RESULT = Message(Role.TOOL, (ToolResult("t", (Text("22"),)),))
SIGNED = Reasoning("hm", "sig", None, NAME)


@pytest.mark.parametrize(
    ("messages", "thinks"),
    [
        ((HI, Message(Role.ASSISTANT, (CALL,)), RESULT), False),
        ((HI, Message(Role.ASSISTANT, (SIGNED, CALL)), RESULT), True),
        ((HI, Message(Role.ASSISTANT, (CALL,)), RESULT, HI), True),
        ((HI, Message(Role.ASSISTANT, (Text("x"),)), HI), True),
        ((HI, Message(Role.ASSISTANT, (Text("It is"),))), False),
        ((HI, Message(Role.ASSISTANT, (SIGNED, Text("It is")))), True),
    ],
)
def test_a_turn_that_goes_on_must_have_its_own_thinking(messages, thinks):
    projected, losses = project(*messages, reasoning=ReasoningSettings(None, 2000, "enabled"))
    assert (projected.settings.reasoning is not None) is thinks
    assert losses == ({} if thinks else {"reasoning": "lossy"})


def test_thinking_that_is_not_sealed_by_this_api_is_not_sent_to_it():
    parts = (Reasoning("a"), Reasoning("b", "sig", None, "generate_content"), Text("c"))
    projected, losses = project(HI, Message(Role.ASSISTANT, parts), HI)
    assert projected.messages[1].parts == (Text("c"),)
    assert losses == {"messages.reasoning": "lossy"}


# Messages


def test_tool_results_go_before_the_words_of_their_turn():
    projected, losses = project(HI, Message(Role.ASSISTANT, (CALL,)), HI, RESULT)
    assert [message.role for message in projected.messages] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.USER]
    assert losses == {}


def test_developers_speak_as_system_and_leading_system_turns_are_one():
    projected, _ = project(Message(Role.SYSTEM, (Text("a"),)), Message(Role.DEVELOPER, (Text("b"),)), HI)
    assert projected.messages == (Message(Role.SYSTEM, (Text("a"), Text("b"))), HI)


def test_a_conversation_of_system_turns_alone_is_spoken_by_the_user():
    projected, losses = project(Message(Role.SYSTEM, (Text("Write a poem."),)))
    assert projected.messages == (Message(Role.USER, (Text("Write a poem."),)),)
    assert losses == {"messages.role": "lossy"}


def test_texts_of_white_space_are_left_out():
    projected, losses = project(
        HI, Message(Role.ASSISTANT, (Text(" \n"), CALL)), RESULT, Message(Role.USER, (Text(" "),))
    )
    assert projected.messages == (HI, Message(Role.ASSISTANT, (CALL,)), RESULT)
    assert losses == {"messages.text": "cosmetic"}


def test_sound_is_essential_and_a_text_file_is_read_out():
    parts = (Text("hi"), Audio("QUJD", "wav"), Document(Inline("text/csv", "YSxi"), title="t.csv"))
    projected, losses = project(Message(Role.USER, parts))
    assert projected.messages[0].parts == (Text("hi"), Document(Plain("a,b"), title="t.csv"))
    assert losses == {"messages.audio": "essential"}


def test_a_closer_look_at_a_picture_cannot_be_asked_for():
    projected, losses = project(Message(Role.USER, (Image(Inline("image/png", "QUJD"), detail="high"),)))
    assert projected.messages[0].parts == (Image(Inline("image/png", "QUJD")),)
    assert losses == {"messages.image.detail": "lossy"}


# Answers


def project_back(**fields) -> Answer:
    answer = Answer(**{"id": "a", "model": "m", "choices": (Choice(parts=(Text("x"),), stop=Stop.END),), **fields})
    projected, _ = project_answer(answer, DIALECT.answer_carries)
    assert DIALECT.parse_answer(DIALECT.render_answer(projected)) == projected
    assert project_answer(projected, DIALECT.answer_carries) == (projected, ())
    return projected


def test_a_refusal_is_text_with_the_reason_refusal():
    projected = project_back(choices=(Choice(parts=(Refusal("I cannot."),), stop=Stop.END),))
    assert projected.choices == (Choice(parts=(Text("I cannot."),), stop=Stop.REFUSAL),)


def test_a_content_filter_stops_as_a_refusal():
    projected = project_back(choices=(Choice(parts=(), stop=Stop.CONTENT_FILTER),))
    assert projected.choices[0].stop is Stop.REFUSAL


def test_an_answer_without_usage_or_choices_still_is_a_message():
    projected = project_back(choices=(), usage=None)
    assert (projected.usage, len(projected.choices)) == (Usage(), 1)


def test_sound_tokens_are_counted_with_their_neighbours():
    assert project_back(usage=Usage(input=1, audio_in=2, output=3, audio_out=4)).usage == Usage(input=3, output=7)


def test_fields_of_an_answer_and_of_its_choice_are_one_messages_fields():
    choice = Choice(parts=(Text("x"),), stop=Stop.END, extra=Extra(NAME, {"container": {"id": "c"}}))
    projected = project_back(choices=(choice,), extra=Extra(NAME, {"context_management": {}}))
    assert projected.extra is None
    assert projected.choices == (
        replace(choice, extra=Extra(NAME, {"context_management": {}, "container": {"id": "c"}})),
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [((Text("The answer is \n"),), (Text("The answer is"),)), ((Text("a "), Text("b\t")), (Text("a "), Text("b")))],
)
def test_a_turn_to_go_on_with_does_not_end_in_white_space(said, kept):
    projected, losses = project(HI, Message(Role.ASSISTANT, said))
    assert projected.messages == (HI, Message(Role.ASSISTANT, kept))
    assert losses == {"messages.text": "cosmetic"}


def test_white_space_at_the_end_of_any_other_turn_stays():
    turns = (HI, Message(Role.ASSISTANT, (Text("a "),)), Message(Role.USER, (Text("b "),)))
    assert project(*turns) == (replace(project()[0], messages=turns), {})
    called = Message(Role.ASSISTANT, (Text("a "), ToolCall("1", "f", {})))
    assert project(HI, called)[0].messages == (HI, called)

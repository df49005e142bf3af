"""Names of tools that a format does not take: others in the request, the caller's own in the answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import conversations
from understudy.core.answer import Answer, Choice, Field, PartBegin, PartDelta
from understudy.core.conversation import (
    Conversation,
    Message,
    OpaqueTool,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.projection import AS_THEY_ARE, Carries, fit_request, own_name, own_names, project_request
from understudy.core.projection.names import with_tool_names

EVERYTHING = dict.fromkeys(Role, ("text", "tool_call", "tool_result"))
NARROW = Carries(
    dialect="narrow",
    parts=EVERYTHING,
    settings=("tool_choice",),
    tool_choices=("auto", "named", "none", "required"),
    tool_subsets=True,
    fields={"tool_result": ("name",)},
    tool_names=r"[a-z_][a-z0-9_]{0,63}",
)
SAYS_ANYTHING = replace(NARROW, tool_names=None)


def asked(*names: str, choice: ToolChoice | None = None) -> Conversation:
    """A conversation in which each of these was offered and called, and answered."""
    calls = tuple(ToolCall(f"id{place}", name, {}) for place, name in enumerate(names))
    results = tuple(ToolResult(call.id, (Text("21"),), name=call.name) for call in calls)
    return Conversation(
        model="m",
        messages=(
            Message(Role.USER, (Text("weather?"),)),
            Message(Role.ASSISTANT, calls),
            Message(Role.TOOL, results),
        ),
        tools=tuple(map(Tool, names)),
        settings=Settings(tool_choice=choice),
    )


def offered(conversation: Conversation) -> list[str]:
    return [tool.name for tool in conversation.tools if isinstance(tool, Tool)]


def test_names_that_fit_are_left_alone() -> None:
    conversation = asked("get_weather", "x1")
    assert with_tool_names(conversation, NARROW) == (conversation, AS_THEY_ARE)
    assert with_tool_names(conversation, NARROW)[0] is conversation


def test_a_format_without_a_rule_takes_any_name() -> None:
    conversation = asked("a.b/c d", "")
    assert fit_request(conversation, SAYS_ANYTHING) == (conversation, (), AS_THEY_ARE)


def test_a_name_is_the_same_wherever_a_tool_is_named() -> None:
    conversation = asked("weather.get", "fine", choice=ToolChoice("named", ("weather.get",)))
    fitted, losses, names = fit_request(conversation, NARROW)
    [sent] = names
    assert names == {sent: "weather.get"}
    assert sent.startswith("weather_get_")
    assert offered(fitted) == [sent, "fine"]
    assert fitted.settings.tool_choice == ToolChoice("named", (sent,))
    assert [part.name for part in fitted.messages[1].parts] == [sent, "fine"]
    assert [part.name for part in fitted.messages[2].parts] == [sent, "fine"]
    assert not losses
    assert project_request(conversation, NARROW) == (fitted, ())


def test_a_name_is_the_same_in_every_turn() -> None:
    first = fit_request(asked("weather.get"), NARROW)[2]
    later = fit_request(asked("other", "weather.get", "b/c"), NARROW)[2]
    assert first.items() <= later.items()


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.b", "a_b_"),
        ("namespace/a b", "namespace_a_b_"),
        ("7days", "tool_7days_"),
        ("天気", "tool_"),
        ("", "tool_"),
        ("!!", "tool_"),
        ("\ud800", "tool_"),
        ("x" * 100, "x" * 55 + "_"),
    ],
)
def test_what_can_be_kept_of_a_name_is(name: str, begins: str) -> None:
    [(sent, own)] = fit_request(asked(name), replace(NARROW, tool_names="[a-z_]{1,9}"))[2].items()
    assert own == name
    assert sent.startswith(begins)
    assert re.fullmatch("[a-z][a-z0-9_]{0,63}", sent)


def test_names_that_differ_only_in_what_is_lost_stay_apart() -> None:
    names = fit_request(asked("a.b", "a/b", "a b"), NARROW)[2]
    assert sorted(names.values()) == ["a b", "a.b", "a/b"]
    assert len(names) == 3


def test_a_tool_that_has_the_name_already_keeps_it() -> None:
    [taken] = fit_request(asked("a.b"), NARROW)[2]
    fitted, _, names = fit_request(asked("a.b", taken), NARROW)
    [sent] = names
    assert sent != taken
    assert names == {sent: "a.b"}
    assert offered(fitted) == [sent, taken]


def test_a_tool_of_the_provider_keeps_its_name() -> None:
    server_tool = OpaqueTool("narrow", "x", {"name": "a.b"})
    conversation = replace(asked("a.b"), tools=(Tool("a.b"), server_tool))
    assert fit_request(conversation, NARROW)[0].tools[1] is server_tool


def test_a_result_without_a_name_has_none_still() -> None:
    conversation = asked("a.b")
    bare = Message(Role.TOOL, (ToolResult("id0", ()),))
    fitted, _, _ = fit_request(replace(conversation, messages=(*conversation.messages[:2], bare)), NARROW)
    assert fitted.messages[2] == bare


@pytest.mark.no_cover
@given(
    conversations, st.sampled_from([r"[a-zA-Z0-9_-]{1,64}", r"[a-zA-Z_][a-zA-Z0-9_]{0,63}", r"[a-z]{1,3}_[a-f0-9]{8}"])
)
def test_fitting_names_is_reversible(conversation: Conversation, pattern: str) -> None:
    fitted, names = with_tool_names(conversation, replace(NARROW, tool_names=pattern))
    back = [names.get(name, name) for name in offered(fitted)]
    assert back == offered(conversation)
    assert len(dict.fromkeys(offered(fitted))) == len(dict.fromkeys(offered(conversation)))


# The way back

NAMES = {"a_b_1234": "a.b"}


def test_a_whole_answer_has_the_callers_names() -> None:
    said = (Text("a_b_1234"), ToolCall("1", "a_b_1234", {}), ToolCall("2", "fine", {}))
    answer = Answer(id="i", model="m", choices=(Choice(parts=said), Choice(parts=())))
    told = own_names(answer, NAMES)
    assert told.choices[0].parts == (Text("a_b_1234"), ToolCall("1", "a.b", {}), ToolCall("2", "fine", {}))
    assert told.choices[1] == answer.choices[1]
    assert own_names(answer, AS_THEY_ARE) is answer


def test_a_streamed_call_has_the_callers_name() -> None:
    assert own_name(PartBegin(0, 1, ToolCall("1", "a_b_1234", "")), NAMES) == PartBegin(0, 1, ToolCall("1", "a.b", ""))
    for other in (
        PartBegin(0, 1, ToolCall("1", "fine", "")),
        PartBegin(0, 1, Text("a_b_1234")),
        PartDelta(0, 1, Field.TEXT, "a_b_1234"),
    ):
        assert own_name(other, NAMES) is other

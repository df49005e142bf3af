"""A wire format as one provider's model takes it: what thinking excludes, and budgets that become efforts."""

from __future__ import annotations

import pytest

from understudy.core.conversation import Conversation, Message, ReasoningSettings, Role, Settings, Text
from understudy.core.projection import Carries, narrowed, project_request, with_thinking

BOOK = Carries(
    dialect="d",
    parts={Role.USER: ("text",)},
    settings=("logit_bias", "reasoning", "temperature"),
    wire_names={"heat": "temperature"},
    reasoning=("budget_tokens", "display", "effort", "mode"),
    efforts=("none", "low", "medium", "high"),
)


def fit(carries: Carries, **settings):
    said = (Message(Role.USER, (Text("hi"),)),)
    projected, losses = project_request(Conversation(model="m", messages=said, settings=Settings(**settings)), carries)
    again, more = project_request(projected, carries)
    assert (again, more) == (projected, ())
    return projected.settings, {loss.name: loss.weight for loss in losses}


@pytest.mark.parametrize(
    ("asked", "becomes", "lost"),
    [
        (None, None, {}),
        (ReasoningSettings(effort="none"), ReasoningSettings(effort="none"), {}),
        (ReasoningSettings(mode="disabled"), ReasoningSettings(mode="disabled"), {}),
        (ReasoningSettings(mode="adaptive"), ReasoningSettings(mode="adaptive"), {}),
        (ReasoningSettings(effort="low"), ReasoningSettings(effort="low", mode="adaptive"), {}),
        (
            ReasoningSettings(mode="enabled", display="omitted"),
            ReasoningSettings(mode="adaptive", display="omitted"),
            {},
        ),
        (
            ReasoningSettings(mode="enabled", budget_tokens=16384),
            ReasoningSettings(effort="high", mode="adaptive"),
            {"reasoning.budget_tokens": "lossy"},
        ),
        (
            ReasoningSettings(mode="adaptive", effort="low", budget_tokens=16384),
            ReasoningSettings(effort="low", mode="adaptive"),
            {"reasoning.budget_tokens": "lossy"},
        ),
    ],
)
def test_a_model_that_thinks_as_it_likes_takes_an_effort_for_a_budget(asked, becomes, lost):
    carries = with_thinking(BOOK, adaptive=True, refuses=(), unasked=False)
    settings, losses = fit(carries, reasoning=asked)
    assert (settings.reasoning, losses) == (becomes, lost)


@pytest.mark.parametrize(
    ("effort", "unasked", "refused"),
    [(None, False, False), (None, True, True), ("none", True, False), ("low", False, True)],
)
def test_what_thinking_excludes_is_left_out_while_the_model_thinks(effort, unasked, refused):
    carries = with_thinking(BOOK, adaptive=False, refuses=("heat", "logit_bias"), unasked=unasked)
    asked = None if effort is None else ReasoningSettings(effort=effort)
    settings, losses = fit(carries, reasoning=asked, temperature=0.5)
    assert settings.temperature == (None if refused else 0.5)
    assert losses == ({"temperature": "lossy"} if refused else {})


def test_a_request_without_any_of_it_stays_as_it_is():
    carries = with_thinking(BOOK, adaptive=False, refuses=("heat",), unasked=True)
    assert fit(carries) == (Settings(), {})
    assert with_thinking(BOOK, adaptive=False, refuses=(), unasked=True).request_rules == ()


def test_ids_and_efforts_are_those_of_the_provider():
    carries = narrowed(BOOK, tool_ids=("[a-z]{3}", 3), efforts=("low",))
    assert (carries.tool_ids, carries.tool_id_length, carries.efforts) == ("[a-z]{3}", 3, ("low",))
    assert (narrowed(BOOK).tool_ids, narrowed(BOOK).efforts) == (None, BOOK.efforts)
    settings, losses = fit(carries, reasoning=ReasoningSettings(effort="high"))
    assert (settings.reasoning, losses) == (ReasoningSettings(effort="low"), {"reasoning.effort": "lossy"})

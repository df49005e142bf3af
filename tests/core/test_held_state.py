"""What one provider holds or sealed is no other's: who is asked for it, and what a conversation is without it."""

from __future__ import annotations

import pytest

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.compile import compile_route, holders_of
from understudy.core.conversation import Conversation, Extra, Message, Reasoning, Role, Text
from understudy.core.dice import Dice
from understudy.core.eligibility.held_state import CONDITION
from understudy.core.projection import Carries, project_request, with_seals, without_seals
from understudy.core.request import Needs
from understudy.core.resilience.breaker import BreakerSettings
from understudy.core.route import Route, Tier
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target

LEAD = Target(name="lead", provider="p", base_url="https://p", model="m", dialects=("chat", "held"))
SAME = Target(name="same", provider="p", base_url="https://p", model="n", key="env:OTHER", dialects=("held",))
MOVED = Target(name="moved", provider="p", base_url="https://elsewhere", model="m", dialects=("held",))
OTHER = Target(name="other", provider="o", base_url="https://o", model="m", dialects=("held",), counts=("count",))
FIXED = Target(name="fixed", provider="static", model="static", stand_in=True)


def excluded(target: Target, holder: Target | None = LEAD, *features: str, dialect: str = "held") -> str | None:
    board = Scoreboard()
    slot, breaker = board.register(target, BreakerSettings())
    holders = {} if holder is None else {"held": holder}
    entry = Entry(target, "primary", False, 0, slot, breaker, None, holders)
    ask = Ask(Needs(model="m", features=features), dialect, 0.0, Dice(1), 0, {})
    out = CONDITION.excludes(Candidate(entry, board.standings[slot]), ask)
    return None if out is None else out.detail


@pytest.mark.parametrize("target", [OTHER, MOVED])
def test_what_a_provider_holds_is_asked_of_nobody_else(target):
    assert excluded(target, LEAD, "stored") == "what the request refers to is held by p, as lead is asked"


@pytest.mark.parametrize("target", [LEAD, SAME, FIXED])
def test_the_holder_may_be_asked_under_any_model_and_key_and_stand_ins_stand_in(target):
    assert excluded(target, LEAD, "stored") is None


def test_anything_else_may_be_asked_of_everybody():
    assert excluded(OTHER, LEAD, "tools") is None
    assert excluded(OTHER, None, "stored") is None
    assert excluded(OTHER, LEAD, "stored", dialect="chat") is None


def test_the_holder_of_a_route_is_the_first_that_speaks_the_format():
    targets = {one.name: one for one in (LEAD, OTHER, FIXED)}
    tiers = (Tier(name="primary", targets=("fixed", "other")), Tier(name="secondary", targets=("lead",)))
    route = Route(name="r", tiers=tiers)
    assert holders_of(route, targets.__getitem__) == {"held": OTHER, "count": OTHER, "chat": LEAD}
    plan = compile_route(route, targets.__getitem__, Scoreboard(), None, None, (), "1")  # type: ignore[arg-type]
    guests = {entry.target.name: entry.is_guest("held") for tier in plan.tiers for entry in tier.entries}
    assert guests == {"fixed": True, "other": False, "lead": True}


# Seals

MINE = Reasoning("hm", "rs_1", "mine", "d")
THEIRS = Reasoning("hm", "rs_2", "theirs", "d")
FOREIGN = Reasoning("hm", "sig", None, "elsewhere")


def talk(*parts, extra: Extra | None = None) -> Conversation:
    return Conversation(model="m", messages=(Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, parts, extra)))


def test_a_provider_is_sent_the_thinking_that_it_can_read():
    carries = with_seals(
        Carries(dialect="d", parts={Role.USER: ("text",), Role.ASSISTANT: ("reasoning", "text")}), "mine"
    )
    projected, losses = project_request(talk(MINE, THEIRS, Text("well")), carries)
    assert projected.messages[1].parts == (MINE, Text("well"))
    assert [(loss.name, loss.weight) for loss in losses] == [("messages.reasoning", "lossy")]
    assert project_request(projected, carries) == (projected, ())


def test_without_seals_nothing_of_the_dialect_is_left_and_everything_else_is():
    bare, losses = without_seals(talk(MINE, FOREIGN, Reasoning("plain"), Text("well")), "d")
    assert bare.messages[1].parts == (FOREIGN, Reasoning("plain"), Text("well"))
    assert losses
    assert without_seals(bare, "d") == (bare, ())


def test_a_turn_of_which_nothing_is_left_goes_unless_it_says_something_else():
    assert len(without_seals(talk(MINE), "d")[0].messages) == 1
    assert len(without_seals(talk(MINE, extra=Extra("d", {"x": 1})), "d")[0].messages) == 2

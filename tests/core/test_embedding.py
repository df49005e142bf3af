"""Fitting texts to a format: what is removed is reported, with its weight; and which targets may embed them."""

from __future__ import annotations

import pytest

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.compile import space_of
from understudy.core.conversation import Extra
from understudy.core.dice import Dice
from understudy.core.eligibility.capability import CONDITION as CAPABILITY
from understudy.core.eligibility.context_window import CONDITION as WINDOW
from understudy.core.eligibility.operation import CONDITION as OPERATION
from understudy.core.eligibility.vector_space import CONDITION as SPACE
from understudy.core.embedding import Embeds, Encoding, Purpose, Texts, narrowed_embeds, project_texts
from understudy.core.policy import BreakerSettings
from understudy.core.projection import COSMETIC, ESSENTIAL, LOSSY, Loss
from understudy.core.request import Needs, Operation
from understudy.core.route import Route, Tier
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target

ALL = Embeds(
    dialect="ours",
    tokens=True,
    purposes=tuple(Purpose),
    user=True,
    encodings=(Encoding.FLOAT, Encoding.BASE64),
)
ASKED = Texts(
    model="m",
    inputs=("one", (2, 3)),
    dimensions=5,
    purpose=Purpose.QUERY,
    user="me",
    encoding=Encoding.BASE64,
    extra=Extra("ours", {"odd": 1}),
)


def test_a_format_that_carries_everything_loses_nothing():
    assert project_texts(ASKED, ALL) == (ASKED, ())


@pytest.mark.parametrize(
    ("carries", "loss"),
    [
        (Embeds(dialect="ours", purposes=tuple(Purpose), user=True), Loss("input", ESSENTIAL)),
        (
            Embeds(dialect="ours", tokens=True, inputs_max=1, purposes=tuple(Purpose), user=True),
            Loss("input", ESSENTIAL),
        ),
        (
            Embeds(dialect="ours", tokens=True, dimensions=False, purposes=tuple(Purpose), user=True),
            Loss("dimensions", ESSENTIAL),
        ),
        (Embeds(dialect="ours", tokens=True, user=True), Loss("input_type", LOSSY)),
        (Embeds(dialect="ours", tokens=True, purposes=tuple(Purpose)), Loss("user", COSMETIC)),
        (Embeds(dialect="theirs", tokens=True, purposes=tuple(Purpose), user=True), Loss("odd", LOSSY)),
    ],
)
def test_what_a_format_does_not_carry_is_told_with_its_weight(carries, loss):
    projected, losses = project_texts(ASKED, carries)
    assert losses == (loss,)
    assert projected.encoding is Encoding.FLOAT
    assert project_texts(projected, carries)[0] == projected


def test_a_purpose_that_a_model_must_be_told_is_assumed():
    carries = Embeds(dialect="ours", purposes=(Purpose.QUERY, Purpose.DOCUMENT), purpose=Purpose.DOCUMENT)
    assert project_texts(Texts(model="m", inputs=("x",)), carries)[0].purpose is Purpose.DOCUMENT
    assert project_texts(Texts(model="m", inputs=("x",), purpose=Purpose.QUERY), carries)[0].purpose is Purpose.QUERY


def test_what_a_provider_refuses_of_its_format_narrows_it():
    assert narrowed_embeds(ALL, ()) == ALL
    left = narrowed_embeds(ALL, ("dimensions", "input_type", "user"))
    assert (left.user, left.dimensions, left.purposes) == (False, False, ())


# Which targets are asked

CHATS = Target(name="chats", provider="p", model="m", dialects=("chat",))
COUNTS = Target(name="counts", provider="p", model="m", dialects=("chat",), counts=("count",))
EMBEDS = Target(name="embeds", provider="p", model="m", dialects=("embed",), embeds="a")


@pytest.mark.parametrize(
    ("target", "offered"),
    [(CHATS, {Operation.CHAT}), (COUNTS, {Operation.CHAT, Operation.COUNT}), (EMBEDS, {Operation.EMBED})],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_target_offers_what_it_is_for(target, offered):
    assert {operation for operation in Operation if target.offers(operation)} == offered
    for operation in Operation:
        out = OPERATION.excludes(candidate(target), ask(operation))
        assert (out is None) == (operation in offered)
        assert out is None or out.detail == f"does not {operation}"


def candidate(target: Target, space: str | None = None) -> Candidate:
    board = Scoreboard()
    slot, breaker = board.register(target, BreakerSettings())
    return Candidate(Entry(target, "primary", False, 0, slot, breaker, space), board.standings[slot])


def ask(operation: Operation, **changes) -> Ask:
    needs = Needs(model="m", tokens_in=1000, operation=operation, features=changes.pop("features", ()))
    return Ask(needs, changes.pop("dialect", "embed"), 0.0, Dice(1), 0, {}, **changes)


@pytest.mark.parametrize(
    ("space", "operation", "left_out"),
    [
        ("a", Operation.EMBED, False),
        ("b", Operation.EMBED, True),
        (None, Operation.EMBED, False),
        ("b", Operation.CHAT, False),
    ],
)
def test_vectors_of_another_space_leave_a_target_out(space, operation, left_out):
    out = SPACE.excludes(candidate(EMBEDS, space), ask(operation))
    assert (out is not None) == left_out


def test_a_routes_space_is_that_of_its_first_target_that_embeds():
    other = Target(name="other", provider="p", model="n", embeds="b")
    targets = {one.name: one for one in (CHATS, EMBEDS, other)}

    def route(*names: tuple[str, ...]) -> Route:
        return Route(name="r", tiers=tuple(Tier(name="primary", targets=each) for each in names))

    assert space_of(route(("chats", "other"), ("embeds",)), targets.__getitem__) == "b"
    assert space_of(route(("chats",), ("embeds", "other")), targets.__getitem__) == "a"
    assert space_of(route(("chats",)), targets.__getitem__) is None


def test_the_size_of_a_whole_batch_is_held_against_nobody():
    small = Target(name="small", provider="p", model="m", context_tokens=10, embeds="a", counts=("count",))
    assert WINDOW.excludes(candidate(small), ask(Operation.CHAT)) is not None
    for operation in (Operation.EMBED, Operation.COUNT):
        assert WINDOW.excludes(candidate(small), ask(operation)) is None
        assert WINDOW.excludes(candidate(small), ask(operation, larger_than=10)) is not None


def test_who_counts_in_the_callers_format_translates_nothing():
    one = Target(
        name="one", provider="p", model="m", dialects=("chat",), counts=("count",), lacks_in_translation=("video",)
    )
    asked = {"operation": Operation.COUNT, "features": ("video",)}
    assert CAPABILITY.excludes(candidate(one), ask(**asked, dialect="count")) is None
    assert CAPABILITY.excludes(candidate(one), ask(**asked, dialect="other")) is not None

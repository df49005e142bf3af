"""Whose turn it is when requests choose more than once: every balancer that takes turns shares evenly then, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from choosing import House, target
from understudy.core.action import Drafted, Ended, Failed, Held, Ready, Reserve, Start, Started, Timer, Walk
from understudy.core.cascade import cascade
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.policy import Cascade, Retry
from understudy.core.request import Needs
from understudy.core.walk import walk

TAKE_TURNS = ["least_in_flight", "least_latency", "performance", "round_robin", "token_aware"]


def play(
    house: House, number: int, failing: tuple[str, ...] = (), begin: Callable[..., Walk] = walk, session: str = ""
) -> Result:
    """One request, without a clock: the board learns nothing from it, so that nothing but turns tells requests apart."""
    decision = Decision(number, f"x{number}", "r", "v1", Needs(model="r"), "d", 7919 * number, 0.0, session)
    steps = begin(house.plan, decision, house.board, 0.0, 600.0)
    started: list[Start] = []
    now_s, reply = 0.0, None
    try:
        while True:
            action = steps.send(reply)
            now_s += 0.001
            if isinstance(action, Reserve):
                reply = Held(now_s, False)
            elif isinstance(action, Start):
                started.append(action)
                reply = Started(now_s, action.number)
            elif not started:
                reply = Timer(now_s)
            else:
                start = started[-1]
                failed = start.entry.target.name in failing
                outcome = Outcome(
                    start.number,
                    start.entry.target.name,
                    start.tier,
                    start.purpose,
                    0.0,
                    now_s,
                    Failure(FailureKind.SERVER_ERROR, "no") if failed else None,
                )
                if type(action).__name__ == "Relay":
                    reply = Ended(now_s, outcome)
                    continue
                if start.purpose is Purpose.DRAFT:
                    reply = Drafted(now_s, start.number, start.entry.target.name, 3)
                    started.pop()
                elif failed:
                    reply = Failed(now_s, start.number, outcome)
                else:
                    reply = Ready(now_s, start.number)
    except StopIteration as done:
        return done.value


def winners(house: House, failing: tuple[str, ...] = (), begin: Callable[..., Walk] = walk) -> Counter[str]:
    return Counter(play(house, number, failing, begin).winner.target for number in range(6000))  # type: ignore[union-attr]


@pytest.mark.parametrize("balancer", TAKE_TURNS)
def test_those_who_answer_share_evenly_what_a_failing_one_leaves(balancer: str) -> None:
    house = House(*map(target, ("bad", "a", "b", "c")), strategy="priority", balancer=balancer)
    shares = winners(house, ("bad",))
    assert all(shares[name] == pytest.approx(2000, rel=0.05) for name in "abc"), shares


@pytest.mark.parametrize("balancer", TAKE_TURNS)
def test_two_failing_ones_make_no_pattern(balancer: str) -> None:
    house = House(*map(target, ("bad", "a", "worse", "b", "c")), strategy="priority", balancer=balancer)
    shares = winners(house, ("bad", "worse"))
    assert all(shares[name] == pytest.approx(2000, rel=0.05) for name in "abc"), shares


@pytest.mark.no_cover
@pytest.mark.parametrize("balancer", TAKE_TURNS)
def test_those_who_are_asked_after_drafts_share_evenly(balancer: str) -> None:
    house = House(*map(target, ("cheap", "small", "a", "b")), strategy="priority", balancer=balancer)
    house.plan.policy = replace(house.plan.policy, cascade=Cascade(ask=("cheap", "small")), retry=Retry(kind="none"))
    shares = winners(house, begin=cascade)
    assert all(shares[name] == pytest.approx(3000, rel=0.05) for name in "ab"), shares


def test_a_session_is_warm_where_a_model_answered_it_and_not_where_something_stood_in() -> None:
    house = House(target("a"), target("sorry", stand_in=True), strategy="arbitrage")
    house.plan.policy = replace(house.plan.policy, retry=Retry(kind="none"), wait_max_s=0.0)
    assert play(house, 1, session="s").winner.target == "a"  # type: ignore[union-attr]
    assert play(house, 2, ("a",), session="s").winner.target == "sorry"  # type: ignore[union-attr]
    warm = house.board.sessions.warm("s", 1.0)
    assert warm is not None
    assert warm.slot == house.slots["a"]

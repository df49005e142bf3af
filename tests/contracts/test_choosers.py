"""What every strategy and every balancer promises, ours and third parties'."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from math import inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choosing import NOW_S, House, target
from pasts import PAIRS, houses, situations
from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Ask
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.select import choose, dice_of, replay, sift
from understudy.registry import BadSettings, Registry

pytestmark = pytest.mark.no_cover

BY_CHANCE = {"shuffle"}
"""Whoever leaves moves the draws of the others."""

SETTLED = {"arbitrage", "capability", "cost", "cost_quality", "failover", "priority", "quality"}
"""They rank by what asking does not change (lists, prices, profiles, ratings): who comes last is meant to come last."""


@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
@settings(max_examples=30)
@given(data=st.data())
def test_all_who_are_eligible_and_nobody_else_stand_in_one_order(
    strategy: str, balancer: str, data: st.DataObject
) -> None:
    house = data.draw(houses(strategy, balancer))
    situation = data.draw(situations(house))
    eligible = sorted(one.entry.target.name for one in house.candidates(house.ask(**situation)))
    scores = house.scores(**situation)
    order = house.order(**situation)
    assert sorted(order) == eligible
    assert not any(isnan(score) for score in scores.values())
    ranked = [scores[name] for name in order]
    assert ranked == sorted(ranked), "a balancer orders equals and nobody else"


@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_kept_decision_is_made_again_bit_for_bit(strategy: str, balancer: str, data: st.DataObject) -> None:
    house = data.draw(houses(strategy, balancer))
    situation = data.draw(situations(house))
    seed = situation.pop("seed")
    kept = [situation[name] for name in ("session", "principal", "budget_left")]
    decision = Decision(1, "d1", "r", "v1", situation["needs"], "d", seed, NOW_S, *kept)
    for number in range(2):
        ask: Ask = house.ask(**situation)
        choose(house.tier, house.plan, replace(ask, dice=dice_of(decision, number)), house.board.standings, decision)
    for name in house.targets:  # the world goes on
        house.attempt(name, 3.0, ended_s=situation["now_s"])
    assert replay(decision, house.plan) == []


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES.names() if name not in BY_CHANCE])
@settings(max_examples=40)
@given(data=st.data())
def test_whoever_leaves_turns_no_two_others_around(strategy: str, data: st.DataObject) -> None:
    house = data.draw(houses(strategy, "round_robin"))
    ask = house.ask(**data.draw(situations(house)))
    candidates = sift(house.tier, ask, house.board.standings)[0]
    if len(candidates) < 2:
        return
    scores = house.plan.strategy.scores(candidates, ask)
    gone = data.draw(st.integers(0, len(candidates) - 1))
    left = candidates[:gone] + candidates[gone + 1 :]
    assert house.plan.strategy.scores(left, ask) == scores[:gone] + scores[gone + 1 :]


def test_a_hash_moves_only_the_sessions_of_who_left_and_to_all_the_others() -> None:
    names = [f"t{number}" for number in range(10)]
    whole = House(*map(target, names), strategy="priority", balancer="consistent_hash")
    rest = House(*map(target, names[:-1]), strategy="priority", balancer="consistent_hash")
    moved: Counter[str] = Counter()
    for number in range(5000):
        before, after = whole.order(session=f"s{number}"), rest.order(session=f"s{number}")
        assert [name for name in before if name != "t9"] == after
        if before[0] == "t9":
            moved[after[0]] += 1
    assert sum(moved.values()) / 5000 == pytest.approx(0.1, rel=0.15)
    assert set(moved) == set(names[:-1])
    assert max(moved.values()) < 2 * min(moved.values())


WEIGHTS = {"t0": 1.0, "t1": 2.0, "t2": 3.0}
EVENLY = dict.fromkeys(WEIGHTS, 1 / 3)
BY_WEIGHT = {name: weight / 6 for name, weight in WEIGHTS.items()}
STATED = {
    "adaptive_weights": BY_WEIGHT,
    "consistent_hash": BY_WEIGHT,
    "least_in_flight": BY_WEIGHT,
    "least_latency": BY_WEIGHT,
    "performance": EVENLY,
    "round_robin": EVENLY,
    "token_aware": BY_WEIGHT,
    "weighted": BY_WEIGHT,
}
"""What share each is to give to targets that do equally well, with many requests in flight."""


@pytest.mark.parametrize("balancer", BALANCERS.names())
def test_shares_are_within_five_percent_of_what_is_stated(balancer: str) -> None:
    stated = STATED[balancer]
    weights = WEIGHTS if stated is BY_WEIGHT else dict.fromkeys(WEIGHTS, 1.0)
    house = House(*(target(name, weight=weights[name]) for name in weights), strategy="priority", balancer=balancer)
    for name in weights:
        house.attempt(name, 1.0, count=400)
    count, firsts, dice = 20_000, Counter[str](), Dice(11)
    waiting = []
    for number in range(count):
        first = house.order(turn=number, seed=dice.next(), session=f"s{number}")[0]
        firsts[first] += 1
        if balancer != "consistent_hash":  # its bound moves sessions away from their shares, on purpose
            waiting.append(house.hold(first))
        if len(waiting) > 300:
            house.board.release(waiting.pop(dice.below(len(waiting))), NOW_S)
    for name, share in stated.items():
        assert firsts[name] / count == pytest.approx(share, rel=0.05), name


def test_shuffle_gives_every_order_its_share() -> None:
    house = House(target("a"), target("b"), target("c"), strategy="shuffle")
    orders = Counter(tuple(house.order(seed=seed * 7919)) for seed in range(12_000))
    assert len(orders) == 6
    assert all(count / 12_000 == pytest.approx(1 / 6, rel=0.1) for count in orders.values())


@pytest.mark.parametrize("balancer", BALANCERS.names())
def test_no_equal_starves_at_a_balancer(balancer: str) -> None:
    house = House(*(target(f"t{number}") for number in range(5)), strategy="priority", balancer=balancer)
    house.attempt("t0", 30.0, count=5)
    house.attempt("t1", failure=FailureKind.SERVER_ERROR, count=3)
    firsts: Counter[str] = Counter()
    for number in range(3000):
        now_s = NOW_S + number
        first = house.order(turn=number, seed=number * 7919, session=f"s{number}", now_s=now_s)[0]
        firsts[first] += 1
        house.attempt(first, 1.0, ended_s=now_s)
    assert len(firsts) == 5, "everyone is asked, also who did badly once"
    assert min(firsts.values()) >= 10


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES.names() if name not in SETTLED])
def test_who_did_badly_and_recovered_is_asked_again(strategy: str) -> None:
    house = House(target("lame"), *(target(f"t{number}") for number in range(4)), strategy=strategy)
    for name in house.targets:
        house.attempt(name, 1.0, count=20)
    house.attempt("lame", 60.0, count=4)
    house.attempt("lame", failure=FailureKind.SERVER_ERROR, count=3)
    asked = 0
    for number in range(3600):
        now_s = NOW_S + 60 + number
        first = house.order(turn=number, seed=number * 7919, now_s=now_s)[0]
        asked += first == "lame"
        house.attempt(first, 1.0, ended_s=now_s)
    assert asked >= 10


def test_every_entry_is_under_one_of_these_promises() -> None:
    assert set(STATED) == set(BALANCERS.names())
    assert set(STRATEGIES.names()) >= SETTLED | BY_CHANCE


ODD = [-1.0, 0.0, 1e-9, 0.5, 1.0, 7.0, 1e9, 1e300, inf, -inf, nan]


@pytest.mark.parametrize(
    ("registry", "name", "setting"),
    [
        (registry, name, setting.name)
        for registry in (STRATEGIES, BALANCERS)
        for name in registry.names()
        for setting in fields(registry.entry(name))
        if "float" in str(setting.type)
    ],
)
def test_a_number_is_refused_by_its_name_or_works(registry: Registry[Any], name: str, setting: str) -> None:
    refused, told = [], []
    for number in ODD:
        try:
            entry = registry.build(name, {setting: number})
        except BadSettings as trouble:
            refused.append(number)
            told.append((trouble.setting, str(trouble).startswith(f"{registry.kind} {name}: {setting}: must be ")))
            continue
        targets = [target("a"), target("b", weight=0.0), target("c", weight=1e6), target("d", price=None)]
        if registry is STRATEGIES:
            house = House(*targets, strategy=entry)
        else:
            house = House(*targets, strategy="priority", balancer=entry)
        house.attempt("a", 0.001, count=5)
        house.attempt("c", 1e4, failure=FailureKind.SERVER_ERROR, count=4)
        for seed in range(20):
            assert sorted(house.order(seed=seed, budget_left=0.0)) == ["a", "b", "c", "d"]
        assert not any(isnan(score) for score in house.scores().values())
    assert {-1.0, -inf, inf} <= set(refused)
    assert told == [(setting, True)] * len(refused)


@pytest.mark.parametrize("balancer", BALANCERS.names())
def test_those_of_weight_zero_share_evenly_when_nobody_else_is_left(balancer: str) -> None:
    house = House(*(target(name, weight=0.0) for name in "abc"), strategy="priority", balancer=balancer)
    firsts = Counter(house.order(turn=number, seed=number * 7919, session=f"s{number}")[0] for number in range(3000))
    assert all(firsts[name] == pytest.approx(1000, rel=0.1) for name in "abc"), firsts

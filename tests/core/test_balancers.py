"""Who among equals, balancer by balancer."""

from __future__ import annotations

from collections import Counter

import pytest

from choosing import NOW_S, House, target
from understudy.config.registries import BALANCERS
from understudy.core.balancers.adaptive_weights import AdaptiveWeights
from understudy.core.balancers.consistent_hash import ConsistentHash
from understudy.core.balancers.least_latency import LeastLatency
from understudy.core.balancers.performance import Performance
from understudy.core.failure import FailureKind
from understudy.core.request import Needs
from understudy.core.usage import Usage

STREAM = Needs(model="r", tokens_in=500, stream=True)
NAMES = ("a", "b", "c")


def equals(balancer: object, **fields: dict[str, object]) -> House:
    return House(*(target(name, **fields.get(name, {})) for name in NAMES), strategy="priority", balancer=balancer)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [LeastLatency, Performance])
def test_the_faster_one_comes_first_and_ties_take_turns(kind: type) -> None:
    house = equals(kind(explore=0.0), c={"weight": 0.0})
    assert [house.order(turn=turn)[0] for turn in range(3)] == ["a", "b", "a"]
    assert house.order()[-1] == "c"
    house.attempt("a", 9.0, first_s=0.2, count=9)
    house.attempt("b", 2.0, first_s=1.0, count=9)
    assert house.order() == ["b", "a", "c"]
    assert house.order(needs=STREAM) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", [LeastLatency, Performance])
def test_turns_come_in_between_for_who_was_slow_once(kind: type) -> None:
    house = equals(kind(explore=0.2))
    house.attempt("a", 0.2, count=9)
    firsts = Counter(house.order(turn=turn, seed=turn * 7919)[0] for turn in range(3000))
    assert all(120 < firsts[name] < 280 for name in ("b", "c"))


def test_requests_that_wait_make_a_fast_target_slow() -> None:
    house = equals(LeastLatency(explore=0.0))
    house.attempt("a", 1.0, count=50)
    house.attempt("b", 2.2, count=50)
    house.attempt("c", 9.0, count=50)
    firsts = []
    for _ in range(9):
        firsts.append(house.order()[0])
        house.hold(firsts[-1])
    assert firsts[:3] == ["a", "a", "b"]
    assert Counter(firsts)["a"] > Counter(firsts)["b"] > Counter(firsts)["c"]


def test_performance_counts_the_failures_on_the_way() -> None:
    house = equals(Performance(explore=0.0))
    house.attempt("a", 1.0, count=2)
    house.attempt("a", failure=FailureKind.SERVER_ERROR, count=3)
    house.attempt("b", 1.5, count=5)
    house.attempt("c", 9.0, count=5)
    assert house.order() == ["b", "a", "c"]


def test_adaptive_weights_share_by_what_was_seen() -> None:
    house = equals(AdaptiveWeights(), a={"weight": 2.0}, c={"weight": 0.0})
    firsts = Counter(house.order(seed=seed * 7919)[0] for seed in range(3000))
    assert firsts["a"] / 3000 == pytest.approx(2 / 3, abs=0.03)
    assert firsts["c"] == 0
    house.attempt("a", 30.0, first_s=30.0, count=300)
    house.attempt("b", 0.3, first_s=0.3, count=300)
    for needs in (house.ask().needs, STREAM):
        later = Counter(house.order(seed=seed * 7919, needs=needs)[0] for seed in range(3000))
        assert 0 < later["a"] < firsts["a"] / 2, "less, but never nothing"
    plain = equals(AdaptiveWeights(sharpness=0.0))
    plain.attempt("a", 30.0, count=300)
    assert Counter(plain.order(seed=seed * 7919)[0] for seed in range(3000))["a"] / 3000 == pytest.approx(
        1 / 3, abs=0.03
    )


def test_a_session_stays_with_its_target() -> None:
    house = equals("consistent_hash")
    for session in ("one", "two", "three"):
        assert len({house.order(session=session, turn=turn, seed=turn)[0] for turn in range(20)}) == 1
    assert len({house.order(principal="app", turn=turn)[0] for turn in range(20)}) == 1
    assert len({house.order(turn=turn)[0] for turn in range(20)}) == 3, "without a session, turns"


def test_sessions_are_shared_out_by_weight() -> None:
    house = equals("consistent_hash", a={"weight": 2.0}, c={"weight": 0.0})
    firsts = Counter(house.order(session=f"s{number}")[0] for number in range(6000))
    assert firsts["a"] / 6000 == pytest.approx(2 / 3, rel=0.05)
    assert firsts["c"] == 0
    nobody = equals("consistent_hash", **{name: {"weight": 0.0} for name in NAMES})
    for _ in range(5):
        for name in NAMES:
            nobody.hold(name)
    assert sorted(nobody.order(session="s")) == list(NAMES)


def test_an_overloaded_target_comes_after_the_others() -> None:
    house = equals(ConsistentHash(bound=1.25))
    home, second, third = house.order(session="s")
    house.hold(home)
    house.hold(home)
    house.hold(home)
    assert house.order(session="s")[0] == home, "so few are no overload"
    house.hold(home)
    assert house.order(session="s") == [second, third, home]
    for _ in range(4):
        house.hold(second)
        house.hold(third)
    assert house.order(session="s")[0] == home, "the others are as busy"


def test_tokens_before_it_count_and_how_fast_it_makes_them() -> None:
    house = equals("token_aware", c={"weight": 0.0})
    house.hold("a", tokens=9000)
    assert house.order() == ["b", "a", "c"]
    fast = equals("token_aware")
    fast.attempt("c", 10.0, first_s=0.0, usage=Usage(input=10, output=2000), count=5)
    assert fast.order()[0] == "c", "200 tokens per second"
    firsts = Counter(fast.order(turn=turn, seed=turn * 7919)[0] for turn in range(3000))
    assert 10 < firsts["a"] < 50, "turns come in between"
    house.board.release(house.hold("b", tokens=300), NOW_S)
    assert house.board.standing("b").tokens_in_flight == 0


def test_every_balancer_says_when_not_to_use_it_and_what_its_settings_mean() -> None:
    for name in BALANCERS.names():
        entry = BALANCERS.entry(name)
        assert "Not " in (entry.__doc__ or ""), name
        assert all(setting.text for setting in BALANCERS.describe(name).settings), name


def test_the_idle_one_comes_first_for_its_weight_and_ties_take_turns() -> None:
    house = equals("least_in_flight", a={"weight": 2.0}, c={"weight": 0.0})
    assert [house.order(turn=turn) for turn in range(2)] == [["a", "b", "c"], ["b", "a", "c"]]
    house.hold("b")
    assert house.order(turn=1) == ["a", "b", "c"]
    for _ in range(3):
        house.hold("a")
    assert house.order() == ["b", "a", "c"], "three of two are more than one of one"


def test_a_draw_gives_each_its_weight_and_nothing_to_none() -> None:
    house = equals("weighted", b={"weight": 3.0}, c={"weight": 0.0})
    orders = Counter(tuple(house.order(seed=seed * 7919)) for seed in range(2000))
    assert set(orders) == {("a", "b", "c"), ("b", "a", "c")}
    assert orders["b", "a", "c"] / 2000 == pytest.approx(0.75, abs=0.05)


def test_a_draw_among_equals_gives_each_the_same() -> None:
    firsts = Counter(equals("weighted").order(seed=seed * 7919)[0] for seed in range(1500))
    assert all(count / 1500 == pytest.approx(1 / 3, abs=0.06) for count in (firsts[name] for name in NAMES))

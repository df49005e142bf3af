"""What each strategy prefers, sentence by sentence."""

from __future__ import annotations

import re
from math import inf
from typing import Any

import pytest

from choosing import NEEDS, NOW_S, House, target
from understudy.config.registries import STRATEGIES
from understudy.core.action import Ended, Held, Ready, Reserve, Started
from understudy.core.catalogue.profile import Profile
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.money import Price
from understudy.core.outcome import Outcome, Purpose
from understudy.core.parts import total
from understudy.core.request import Needs
from understudy.core.select import replay
from understudy.core.sessions import WARM_S, Warm
from understudy.core.strategies.adaptive import Adaptive
from understudy.core.strategies.arbitrage import Arbitrage
from understudy.core.strategies.composite import Composite
from understudy.core.strategies.cost import Cost
from understudy.core.strategies.cost_quality import CostQuality
from understudy.core.strategies.frugal import Frugal
from understudy.core.strategies.predictive import Predictive
from understudy.core.strategies.quality import Quality
from understudy.core.strategies.reliability import Reliability
from understudy.core.strategies.speed import Speed
from understudy.core.target import Limits
from understudy.core.usage import Usage
from understudy.core.walk import walk

CHEAP = Price(input=100_000, output=400_000, cache_read=10_000)
MIDDLE = Price(input=1_000_000, output=5_000_000, cache_read=100_000)
RICH = Price(input=15_000_000, output=75_000_000, cache_read=1_500_000)
STREAM = Needs(model="r", tokens_in=500, stream=True)


def test_cost_asks_the_cheapest_for_this_request() -> None:
    reader = target("reader", price=Price(input=100_000, output=9_000_000))
    writer = target("writer", price=Price(input=1_000_000, output=1_000_000))
    house = House(writer, reader, strategy="cost")
    assert house.order(needs=Needs(model="r", tokens_in=100_000))[0] == "reader"
    assert house.order(needs=Needs(model="r", tokens_in=10))[0] == "writer"
    assert house.order(needs=Needs(model="r", tokens_in=200, max_tokens=10))[0] == "reader"


@pytest.mark.parametrize("strategy", ["cost", "arbitrage", Composite(explore=0.0), Adaptive()], ids=str)
def test_what_a_long_request_costs_counts_for_long_requests(strategy: Any) -> None:
    double = Price(
        input=1_900_000, output=7_600_000, longer=Price(input=19_000_000, output=76_000_000), longer_above=200_000
    )
    steps = target("steps", price=double)
    house = House(target("flat", price=Price(input=2_000_000, output=8_000_000)), steps, strategy=strategy)
    assert house.order(needs=Needs(model="r", tokens_in=150_000))[0] == "steps"
    assert house.order(needs=Needs(model="r", tokens_in=250_000))[0] == "flat"


def test_an_unknown_price_comes_last_and_a_local_target_is_free() -> None:
    house = House(target("dark", price=None), target("paid"), target("here", price=None, local=True), strategy="cost")
    assert house.order() == ["here", "paid", "dark"]
    assert house.scores() == {"dark": inf, "paid": 500 * 1000 + 300 * 5000, "here": 0.0}


def test_cost_holds_the_quality_that_is_asked_for_before_it_saves() -> None:
    targets = [
        target("poor", price=CHEAP, profile=Profile(quality=0.4)),
        target("unknown", price=CHEAP, profile=Profile()),
        target("good", price=MIDDLE, profile=Profile(quality=0.8)),
        target("best", price=RICH, profile=Profile(quality=0.9)),
    ]
    assert House(*targets, strategy=Cost(min_quality=0.8)).order()[:2] == ["good", "best"]
    assert House(*targets, strategy=Cost(min_quality=0.8)).order()[-1] in {"poor", "unknown"}, (
        "still there for a fallback"
    )


def test_speed_goes_by_the_first_content_of_streams_and_by_whole_answers() -> None:
    house = House(target("starter"), target("finisher"), strategy=Speed(explore=0.0))
    house.attempt("starter", 20.0, first_s=0.1, count=5)
    house.attempt("finisher", 2.0, first_s=1.0, count=5)
    assert house.order(needs=STREAM)[0] == "starter"
    assert house.order()[0] == "finisher"


def test_before_any_answer_speed_goes_by_the_profiles_tier() -> None:
    big = target("big", profile=Profile(tier="flagship"))
    small = target("small", profile=Profile(tier="efficient"))
    assert House(big, target("who", profile=Profile()), small, strategy=Speed(explore=0.0)).order() == [
        "small",
        "who",
        "big",
    ]


def test_targets_that_are_nearly_as_fast_share_when_asked_to() -> None:
    house = House(target("a"), target("b"), strategy=Speed(explore=0.0, step=0.2))
    house.attempt("a", 1.0, count=50)
    house.attempt("b", 1.1, count=50)
    assert {house.order(turn=turn)[0] for turn in range(2)} == {"a", "b"}


def test_who_was_long_not_asked_is_looked_at_now_and_then() -> None:
    house = House(target("fast"), target("slow"), target("never_asked"), strategy=Speed(explore=0.1))
    house.attempt("fast", 0.2, count=50)
    house.attempt("slow", 9.0, count=5, ended_s=NOW_S - 600)
    house.attempt("never_asked", 30.0, ended_s=NOW_S - 10)
    firsts = [house.order(seed=Dice(seed).next())[0] for seed in range(2000)]
    assert 140 < firsts.count("slow") < 260
    assert "never_asked" not in firsts, "it was asked a moment ago"
    assert house.order(now_s=NOW_S - 560, seed=1)[0] == "fast", "nobody is stale"


def test_of_those_who_were_long_not_asked_the_most_hopeful_is_looked_at() -> None:
    house = House(target("fast"), target("slow"), target("slower"), strategy=Speed(explore=1.0))
    house.attempt("fast", 0.2, count=50)
    house.attempt("slow", 9.0, count=5, ended_s=NOW_S - 600)
    house.attempt("slower", 50.0, count=5, ended_s=NOW_S - 600)
    assert house.order() == ["slow", "fast", "slower"]
    house.attempt("slow", 9.0)
    house.attempt("slower", 50.0)
    assert house.order() == ["fast", "slow", "slower"], "everyone was asked a moment ago"


def test_a_shuffle_prefers_nobody() -> None:
    house = House(target("a"), target("b"), target("c"), strategy="shuffle")
    orders = {tuple(house.order(seed=seed * 7919)) for seed in range(100)}
    assert len(orders) == 6


def test_quality_is_the_profiles_until_ratings_outvote_it() -> None:
    house = House(
        target("a", profile=Profile(quality=0.9)),
        target("b", profile=Profile(quality=0.8)),
        target("u", profile=Profile()),
        strategy="quality",
    )
    assert house.order() == ["a", "b", "u"]
    for _ in range(30):
        house.board.rate("a", 0.2, NOW_S)
    assert house.order()[0] == "b"
    house.board.rate("u", 1.0, NOW_S)
    assert house.order()[-1] == "a", "one good rating is more than nothing known, thirty bad ones are not"
    house.board.rate("nobody", 1.0, NOW_S)  # of a configuration before this one


def test_quality_may_be_that_of_one_kind_of_work() -> None:
    coder = target("coder", profile=Profile(quality=0.5, scores=(("coding", 0.9), ("creativity", 0.2))))
    thinker = target("thinker", profile=Profile(quality=0.8, scores=(("reasoning", 0.9),)))
    assert House(thinker, coder, strategy=Quality(of="coding")).order()[0] == "coder"
    assert House(thinker, coder, strategy=Quality()).order()[0] == "thinker"
    assert House(coder, thinker, strategy=Quality(of="music")).order()[0] == "thinker", "nobody's kind: all in all"


def test_reliability_prefers_who_fails_least() -> None:
    house = House(target("a"), target("b"), target("c"), strategy=Reliability(explore=0.0))
    house.attempt("a", count=7)
    house.attempt("a", failure=FailureKind.SERVER_ERROR, count=3)
    house.attempt("b", count=20)
    house.attempt("c", count=19)
    house.attempt("c", failure=FailureKind.SERVER_ERROR)
    assert house.order() == ["b", "c", "a"]


def test_capability_counts_what_is_in_doubt() -> None:
    house = House(
        target(
            "translated",
            dialects=("other",),
            lacks_in_translation=("logprobs",),
            context_tokens=9999,
            max_output_tokens=999,
        ),
        target("small", context_tokens=600, max_output_tokens=999),
        target("native", context_tokens=9999, max_output_tokens=999),
        target("short", context_tokens=9999, max_output_tokens=5),
        strategy="capability",
    )
    needs = Needs(model="r", tokens_in=500, max_tokens=100, features=("json_schema",))
    assert house.scores(needs=needs) == {"translated": 1.0, "small": 1.0, "native": 0.0, "short": 1.0}
    assert house.scores() == {"translated": 1.0, "small": 1.0, "native": 0.0, "short": 0.0}


def test_load_prefers_room_by_the_tightest_limit() -> None:
    house = House(
        target("idle"),
        target("few", limits=Limits(in_flight=4)),
        target("rpm", limits=Limits(rpm=4)),
        target("tpm", limits=Limits(tpm=1000)),
        target("none", weight=0.0),
        strategy="load",
    )
    for name in ("idle", "few", "rpm", "tpm"):
        house.hold(name)
    assert house.scores() == {
        "idle": 0.01,
        "few": 0.25,
        "rpm": pytest.approx(0.25),
        "tpm": pytest.approx(0.5),
        "none": 1.0,
    }


def test_load_goes_by_the_places_where_requests_and_tokens_are_the_wider_limits() -> None:
    house = House(target("a", limits=Limits(rpm=1000, tpm=1e6, in_flight=4)), strategy="load")
    house.hold("a")
    assert house.scores() == {"a": 0.25}


def test_composite_mixes_by_its_weights() -> None:
    strong = target("strong", price=RICH, profile=Profile(quality=0.95))
    weak = target("weak", price=CHEAP, profile=Profile(quality=0.5))
    assert (
        House(strong, weak, strategy=Composite(cost=1, speed=0, quality=0, reliability=0, explore=0)).order()[0]
        == "weak"
    )
    assert House(weak, strong, strategy=Composite(cost=0.1, speed=0, quality=0.9, explore=0)).order()[0] == "strong"
    house = House(weak, strong, strategy=Composite(cost=0, speed=0, quality=0, reliability=0, load=1, explore=0))
    house.hold("weak")
    assert house.order() == ["strong", "weak"]
    nothing = Composite(cost=0, speed=0, quality=0, reliability=0, explore=0)
    assert set(House(weak, strong, strategy=nothing).order()) == {"weak", "strong"}


def test_ratings_count_in_a_mixture() -> None:
    house = House(target("a"), target("b"), target("u", profile=Profile()), strategy=Composite(explore=0))
    for _ in range(20):
        house.board.rate("b", 1.0, NOW_S)
        house.board.rate("u", 0.0, NOW_S)
    assert house.order() == ["b", "a", "u"]
    house.board.rate("a", 0.0, NOW_S + 3600)
    assert House(target("a"), strategy="failover").board.rate("a", 1.0, NOW_S) is None, "nobody reads it there"


def test_the_fixed_mixtures_are_sixty_forty_and_half_and_half() -> None:
    house = House(target("a"), strategy="cost_quality")
    dear = (house.scores()["a"] - 0.4 * 0.3) / 0.6
    half = House(target("a"), strategy="cost_speed")
    half.attempt("a", 10.0, count=300)
    assert half.scores(now_s=NOW_S)["a"] == pytest.approx(0.5 * dear + 0.5 * 2 / 3, abs=0.005)


def test_a_balance_holds_the_quality_that_is_asked_for() -> None:
    targets = [
        target("poor", price=CHEAP, profile=Profile(quality=0.4)),
        target("unknown", price=CHEAP, profile=Profile()),
        target("good", price=RICH, profile=Profile(quality=0.8)),
    ]
    assert House(*targets, strategy=CostQuality()).order()[0] == "unknown"
    assert House(*targets, strategy=CostQuality(min_quality=0.8)).order()[0] == "good"


def test_composite_gives_the_benefit_of_the_doubt_until_it_has_seen_enough() -> None:
    house = House(target("known"), target("unlucky"), strategy=Composite(explore=1e-9))
    house.attempt("known", count=200)
    house.attempt("known", failure=FailureKind.SERVER_ERROR, count=2)
    house.attempt("unlucky", count=10)
    house.attempt("unlucky", failure=FailureKind.SERVER_ERROR)
    assert house.order()[0] == "unlucky", "one failure of eleven says little"
    assert (
        House(target("a"), strategy=Composite(explore=0.0)).scores()["a"]
        > (House(target("a"), strategy=Composite(explore=1e-9)).scores()["a"])
    )
    for _ in range(30):
        house.attempt("unlucky", count=9)
        house.attempt("unlucky", failure=FailureKind.SERVER_ERROR)
    assert house.order()[0] == "known", "one of ten, three hundred times, says all"


def test_adaptive_does_not_look_again_at_who_cannot_become_the_best() -> None:
    dear = target("dear", price=RICH, profile=Profile(quality=0.3))
    house = House(target("good", price=CHEAP), dear, strategy=Adaptive())
    house.attempt("good", 0.5, count=100)
    assert house.order(now_s=NOW_S + 24 * 3600)[0] == "good"
    assert House(target("a"), target("b"), strategy=Adaptive(explore=0.0)).order()


def test_adaptive_believes_what_it_saw_and_doubts_what_it_did_not() -> None:
    house = House(target("good"), target("bad"), target("new"), strategy=Adaptive())
    house.attempt("good", 0.5, count=40)
    house.attempt("bad", failure=FailureKind.SERVER_ERROR, count=3)
    assert house.order()[-1] == "bad"
    assert house.order() == house.order(seed=99, turn=7), "chance plays no part"
    before = house.scores()["good"]
    assert house.scores(now_s=NOW_S + 3600)["good"] < before, (
        "what was long ago is doubted again: there is more to hope for"
    )
    holds = house.scores()["new"]
    house.hold("new")
    assert house.scores()["new"] > holds, "whom others wait for already promises less news"


def test_adaptive_weighs_what_it_is_told_to() -> None:
    cheap, good = target("cheap", price=CHEAP, profile=Profile(quality=0.2)), target("good", price=RICH)
    assert House(good, cheap, strategy=Adaptive(cost=1, speed=0, quality=0)).order()[0] == "cheap"
    assert House(cheap, good, strategy=Adaptive(cost=0, speed=0, quality=1)).order()[0] == "good"
    nothing = House(cheap, good, strategy=Adaptive(cost=0, speed=0, quality=0))
    assert set(nothing.order()) == {"cheap", "good"}
    streams = House(cheap, target("swift", price=CHEAP), strategy=Adaptive(cost=0, speed=1, quality=0))
    streams.attempt("swift", 5.0, first_s=0.1, count=9)
    streams.attempt("cheap", 5.0, first_s=3.0, count=9)
    assert streams.order(needs=STREAM)[0] == "swift"
    streams.board.rate("swift", 1.0, NOW_S)
    assert streams.order(needs=STREAM)[0] == "swift"


def test_arbitrage_asks_the_cheapest_place_of_the_same_model() -> None:
    house = House(
        target("home", price=MIDDLE, profile=Profile(same_as="sonnet")),
        target("cloud", price=Price(input=900_000, output=4_500_000), profile=Profile(same_as="sonnet")),
        target("other", price=CHEAP, profile=Profile(same_as="haiku")),
        target("dark", price=None, profile=Profile(same_as="sonnet")),
        strategy=Arbitrage(),
    )
    assert house.order()[:2] == ["cloud", "home"]
    assert house.order()[-1] in {"dark", "other"}


def test_arbitrage_stays_where_the_sessions_prompt_is_cached() -> None:
    home = target("home", price=MIDDLE)
    cloud = target("cloud", price=Price(input=900_000, output=4_500_000, cache_read=900_000))
    house = House(home, cloud, strategy=Arbitrage())
    long = Needs(model="r", tokens_in=10_000)
    assert house.order(needs=long)[0] == "cloud"
    warm = Warm(house.slots["home"], 9_000, NOW_S + 1)
    assert house.order(needs=long, warm=warm)[0] == "home"
    house.attempt("home", usage=Usage(input=100, cache_read=900, output=10), count=5)
    assert house.order(needs=long)[0] == "home", "nine tenths of its prompts come from the cache anyway"


def test_arbitrage_counts_what_failures_cost() -> None:
    house = House(
        target("home", price=MIDDLE),
        target("cloud", price=Price(input=900_000, output=4_500_000)),
        strategy="arbitrage",
    )
    house.attempt("cloud", failure=FailureKind.SERVER_ERROR, count=2)
    house.attempt("cloud", count=3)
    assert house.order()[0] == "home"


def test_a_session_is_warm_where_it_was_answered_if_the_route_reads_sessions() -> None:
    for strategy, warm in (("arbitrage", True), ("cost", False)):
        house = House(target("a"), target("b"), strategy=strategy)
        decision = Decision(1, "d1", "r", "v1", NEEDS, "d", 7, NOW_S, "chat-1")
        steps = walk(house.plan, decision, house.board, NOW_S, NOW_S + 60)
        reserve = next(steps)
        assert isinstance(reserve, Reserve)
        slot = reserve.entry.slot
        steps.send(Held(NOW_S, test=False))
        steps.send(Started(NOW_S, 1))
        steps.send(Ready(NOW_S + 1, 1))
        outcome = Outcome(1, "a", "primary", Purpose.FIRST, NOW_S, NOW_S + 1)
        with pytest.raises(StopIteration):
            steps.send(Ended(NOW_S + 1, outcome))
        found = house.board.sessions.warm("chat-1", NOW_S + 2)
        assert found == (Warm(slot, 500, NOW_S + 1 + WARM_S) if warm else None)
        assert replay(decision, house.plan) == []


def test_frugal_tightens_as_the_budget_runs_down() -> None:
    strong = target("strong", price=RICH, profile=Profile(quality=0.95))
    weak = target("weak", price=CHEAP, profile=Profile(quality=0.5))
    house = House(strong, weak, strategy=Frugal(cost=0.1, quality=0.9, explore=0.0))
    assert house.order()[0] == "strong", "no budget"
    assert house.order(budget_left=0.9)[0] == house.order(budget_left=0.5)[0] == "strong"
    assert house.order(budget_left=0.05)[0] == house.order(budget_left=-0.1)[0] == "weak"
    gaps = [(scores := house.scores(budget_left=left))["strong"] - scores["weak"] for left in (0.5, 0.4, 0.2, 0.0)]
    assert gaps == sorted(gaps), "the less is left, the more the strong one must be worth"


def test_predictive_keeps_the_order_while_nothing_is_foreseen() -> None:
    house = House(target("a"), target("b"), target("c"), strategy="predictive")
    house.attempt("a", count=50)
    assert house.order() == ["a", "b", "c"]


def test_predictive_leaves_a_target_that_fills_up() -> None:
    house = House(target("a", limits=Limits(in_flight=4)), target("b"), strategy="predictive")
    for _ in range(3):
        house.hold("a")
    assert house.order()[0] == "a"
    house.hold("a")
    assert "a" not in house.order(), "it is full"
    house = House(target("a", limits=Limits(in_flight=10)), target("b"), strategy="predictive")
    for _ in range(9):
        house.hold("a")
    assert house.order() == ["b", "a"]
    ask = house.ask()
    parts = house.plan.strategy.parts(house.candidates(ask), ask)
    assert [part.name for part in parts[0]] == ["position", "getting worse", "trouble"]
    assert [total(one) for one in parts] == list(house.scores().values())


@pytest.mark.parametrize("limits", [Limits(rpm=60), Limits(tpm=60 * 600)])
def test_predictive_leaves_a_target_whose_limit_runs_out_soon(limits: Limits) -> None:
    house = House(target("a", limits=limits), target("b"), strategy="predictive")
    for second in range(110):
        house.attempt("a", 0.5, ended_s=NOW_S + second / 2)
        if second == 2:
            assert house.order(now_s=NOW_S + 1)[0] == "a"
    assert house.order(now_s=NOW_S + 54.5)[0] == "b", "two a second against one a second, and little left"
    blind = House(target("a", limits=limits), target("b"), strategy=Predictive(horizon_s=0.0))
    for second in range(110):
        blind.attempt("a", 0.5, ended_s=NOW_S + second / 2)
    assert blind.order(now_s=NOW_S + 54.5)[0] == "a"


def test_predictive_leaves_a_target_that_is_getting_worse_and_comes_back() -> None:
    house = House(target("a"), target("b"), strategy="predictive")
    house.attempt("a", 1.0, count=60)
    assert house.order()[0] == "a"
    house.attempt("a", 6.0, count=6)
    assert house.order()[0] == "b"
    assert house.board.standing("a").breakers[0].state == "closed"
    assert house.order(now_s=NOW_S + 300)[0] == "a", "somebody must look how it is now"


def test_every_strategy_says_when_not_to_use_it_and_what_its_settings_mean() -> None:
    for name in STRATEGIES.names():
        entry = STRATEGIES.entry(name)
        assert re.search(r"\b[Nn]ot (for|where|alone|a limit)\b", entry.__doc__ or ""), name
        assert all(setting.text for setting in STRATEGIES.describe(name).settings), name

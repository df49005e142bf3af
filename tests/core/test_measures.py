"""What attempts teach: means that fade, quantiles, rates, and changes noticed early."""

from __future__ import annotations

import pytest

from choosing import NOW_S, House, target
from understudy.core.candidate import collected_for
from understudy.core.catalogue.profile import Profile
from understudy.core.catalogue.traits import shape, traits_of
from understudy.core.dice import Dice
from understudy.core.failure import FailureKind
from understudy.core.health.change import WARM, Failures, Times
from understudy.core.health.measures import HALF_LIFE_S, UNMEASURED, Learner, Measures
from understudy.core.money import Price
from understudy.core.outcome import Outcome, Purpose
from understudy.core.request import Operation
from understudy.core.scales import dear, slow, time_ms, tokens_out
from understudy.core.sessions import SESSIONS_MAX, WARM_S, Sessions
from understudy.core.target import Target
from understudy.core.usage import Usage


def house(*names: str) -> House:
    return House(*(target(name) for name in names or ("a",)), strategy="speed")


def seen(one: House, name: str = "a") -> Measures:
    return one.board.standing(name).measures


def test_nothing_is_collected_where_nobody_reads_it() -> None:
    idle = House(target("a"), target("b"))
    idle.attempt("a", count=3)
    assert seen(idle) is UNMEASURED
    held = idle.hold("a", tokens=77)
    assert idle.board.standing("a").tokens_in_flight == 0
    idle.board.measure(idle.slots["a"])
    idle.board.measure(idle.slots["a"])
    idle.board.release(held, NOW_S)
    assert idle.board.standing("a").tokens_in_flight == 0, "taken before anybody counted"
    idle.attempt("a")
    assert seen(idle).weight == 1.0


def test_means_follow_attempts_and_fade_with_time() -> None:
    one = house()
    one.attempt("a", 1.0, count=20)
    assert seen(one).whole == pytest.approx(slow(1000.0), abs=0.02)
    assert seen(one).weight == pytest.approx(20, rel=0.05)
    one.attempt("a", 10.0, ended_s=NOW_S + HALF_LIFE_S)
    assert seen(one).weight == pytest.approx(11, rel=0.05)
    one.attempt("a", 10.0, ended_s=NOW_S + 100 * HALF_LIFE_S)
    assert seen(one).weight == pytest.approx(1.0)
    assert seen(one).whole == pytest.approx(slow(10_000.0))


def test_what_was_known_stays_when_nothing_new_is_seen() -> None:
    one = house()
    one.attempt("a", 1.0, count=5)
    one.attempt("a", failure=FailureKind.SERVER_ERROR, ended_s=NOW_S + 1000 * HALF_LIFE_S)
    assert seen(one).whole == pytest.approx(slow(1000.0), abs=0.1)
    assert seen(one).failing == pytest.approx(0.51), "one failure against what is believed of anybody"
    fresh = house()
    fresh.attempt("a", failure=FailureKind.SERVER_ERROR, count=9)
    assert seen(fresh).first == UNMEASURED.first, "the prior"


def test_quantiles_rates_and_costs() -> None:
    one = house()
    for number in range(200):
        one.attempt(
            "a",
            2.0 if number % 10 else 8.0,
            first_s=0.5,
            ended_s=NOW_S + number,
            usage=Usage(input=400, cache_read=100, output=150),
        )
    measures = seen(one)
    assert measures.first_ms == (pytest.approx(500, rel=0.05), pytest.approx(500, rel=0.05))
    assert measures.whole_ms == (pytest.approx(2000, rel=0.05), pytest.approx(8000, rel=0.05))
    assert measures.tokens_per_s == pytest.approx(150 / (0.9 * 1.5 + 0.1 * 7.5), rel=0.1)
    assert measures.cached == pytest.approx(0.2)
    assert measures.requests_per_s == pytest.approx(1.0, rel=0.05)
    assert measures.tokens_used_per_s == pytest.approx(650, rel=0.05)
    assert measures.cost_per_success_nusd == pytest.approx(400 * 1000 + 100 * 1000 + 150 * 5000)


def test_failures_and_rate_limits_count_but_the_callers_own_do_not() -> None:
    one = house()
    one.attempt("a", count=10)
    for kind in (FailureKind.INVALID_REQUEST, FailureKind.LOST_RACE):
        one.attempt("a", failure=kind)
    assert seen(one).weight == pytest.approx(10, rel=0.05)
    one.attempt("a", failure=FailureKind.RATE_LIMIT, count=9)
    assert seen(one).failing > 0.4
    assert seen(one).worse < 0.5, "a limit is no sickness"


def test_a_failure_that_cost_money_makes_successes_dearer() -> None:
    learner = Learner(Profile())
    for failed in (False, True):
        outcome = _outcome(failed=failed, cost_nusd=100)
        (learner.failed if failed else learner.succeeded)(outcome, NOW_S)
    assert learner.now.cost_per_success_nusd == 200


def test_token_counts_teach_nothing_about_answers() -> None:
    learner = Learner(Profile(tier="efficient"))
    before = learner.now
    learner.succeeded(_outcome(operation=Operation.COUNT), NOW_S)
    learner.failed(_outcome(failed=True, operation=Operation.COUNT), NOW_S)
    assert learner.now is before


def _outcome(*, failed: bool = False, cost_nusd: int | None = None, operation: Operation = Operation.CHAT) -> Outcome:
    from understudy.core.failure import Failure

    failure = Failure(FailureKind.SERVER_ERROR, "x") if failed else None
    return Outcome(1, "a", "t", Purpose.FIRST, NOW_S - 1, NOW_S, failure, cost_nusd=cost_nusd, operation=operation)


def test_ratings_fade_by_weeks() -> None:
    one = house()
    one.board.rate("a", 1.0, NOW_S)
    one.board.rate("a", 0.0, NOW_S)
    assert (seen(one).rating, seen(one).ratings) == (0.5, 2.0)
    one.board.rate("a", 0.0, NOW_S + 14 * 24 * 3600)
    assert seen(one).rating == pytest.approx(0.25 / 1.5)


def test_a_target_back_from_the_dead_is_believed_after_three_good_answers() -> None:
    one = house()
    one.attempt("a", failure=FailureKind.SERVER_ERROR, count=30)
    one.attempt("a", count=2)
    assert seen(one).failing > 0.7
    one.attempt("a")
    assert seen(one).failing < 0.05


@pytest.mark.parametrize("first_s", [None, 1.0])
def test_a_target_that_slows_down_is_seen_as_it_is_now(first_s: float | None) -> None:
    one = house()
    one.attempt("a", 2.0, first_s=first_s, count=200)
    slower = None if first_s is None else 6 * first_s
    one.attempt("a", 12.0, first_s=slower, count=4)
    assert seen(one).worse == 1.0
    assert seen(one).whole == pytest.approx(slow(12_000.0)), "two hundred quick ones are no comfort"
    one.attempt("a", 2.0, first_s=first_s, count=12)
    assert seen(one).worse < 0.5, "and it is believed again"


def test_a_target_that_becomes_faster_is_seen_as_it_is_now() -> None:
    one = house()
    one.attempt("a", 10.0, count=200)
    one.attempt("a", 1.0, count=4)
    assert seen(one).whole == pytest.approx(slow(1000.0))
    assert seen(one).worse == 0.0


def test_failures_in_a_row_are_evidence_before_a_breaker_opens() -> None:
    one = house()
    one.attempt("a", count=100)
    one.attempt("a", failure=FailureKind.SERVER_ERROR, count=3)
    assert 0.5 < seen(one).worse < 1.0
    one.attempt("a", failure=FailureKind.SERVER_ERROR)
    assert seen(one).worse == 1.0
    assert seen(one).failing > 0.5
    assert one.board.standing("a").breakers[0].state == "closed"


def test_steady_times_raise_no_alarm_and_a_new_normal_is_accepted() -> None:
    times, dice = Times(), Dice(5)
    assert not any(times.add(dice.normal()) for _ in range(20_000) if times.worse < 2) or times.worse < 1
    shifted = Times()
    for _ in range(WARM):
        shifted.add(0.0)
    alarms = [shifted.add(1.0) for _ in range(3000)]
    assert alarms.count(True) == 1
    assert shifted.worse < 0.5, "what lasts for thousands of requests is how it is"


def test_who_always_fails_a_little_is_not_getting_worse() -> None:
    failures, dice = Failures(), Dice(7)
    alarms = sum(failures.add(failed=dice.chance(0.05)) for _ in range(20_000))
    assert alarms <= 2
    assert failures.run >= 0


def test_the_scales_have_fixed_anchors() -> None:
    assert (slow(50), slow(100), slow(1000), slow(1e9)) == (0.0, 0.0, pytest.approx(1 / 3), 1.0)
    assert time_ms(slow(750.0)) == pytest.approx(750.0)
    assert (dear(0), dear(200_000), dear(1e12)) == (0.0, pytest.approx(0.25), 1.0)
    assert [tokens_out(bound) for bound in (None, 10, 4096)] == [300, 10, 300]
    assert [shape(*tokens) for tokens in ((0, 0), (100, 0), (0, 100), (100, 100))] == [0, 0, 16, 8]


def test_traits_know_what_a_price_says() -> None:
    traits = traits_of(Target(name="a", provider="p", model="m", price=Price(input=1000, output=4000)), None)
    assert (traits.input, traits.output, traits.cache_read) == (1.0, 4.0, 1.0)
    assert traits.dear == tuple(sorted(traits.dear))
    assert not traits.equivalent


def test_a_reader_of_something_unheard_of_is_refused() -> None:
    class Reader:
        reads = ("minds",)

    assert collected_for(object()) == ()
    with pytest.raises(ValueError, match="'minds'"):
        collected_for(Reader())


def test_sessions_are_remembered_for_a_while_and_not_without_end() -> None:
    sessions = Sessions()
    for number in range(SESSIONS_MAX + 1):
        sessions.answered(f"s{number}", 1, 10, NOW_S)
    sessions.answered("s1", 2, 20, NOW_S + 1)
    assert sessions.warm("s0", NOW_S) is None
    warm = sessions.warm("s1", NOW_S + WARM_S)
    assert warm is not None
    assert (warm.slot, warm.tokens) == (2, 20)
    assert sessions.warm("s1", NOW_S + 1 + WARM_S) is None

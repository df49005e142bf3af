"""The learned bound on requests at the same time, window by window."""

from __future__ import annotations

import pytest

from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.policy import BreakerSettings
from understudy.core.resilience.concurrency import BACKOFF, BUSY, FIRST_LIMIT, LOOK_EVERY, Concurrency
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Limits, Target


def window(concurrency: Concurrency, took_ms: float, in_flight: int | None = None) -> None:
    """One whole window of answers; `in_flight`: as many as the limit allows unless told."""
    busiest = concurrency.limit if in_flight is None else in_flight
    before = concurrency._limit
    for _ in range(int(max(10, before)) + (before % 1 > 0)):
        concurrency.answered(took_ms, busiest)


def test_it_grows_while_answers_take_as_long_as_usual() -> None:
    concurrency = Concurrency(None)
    assert concurrency.limit == FIRST_LIMIT
    limits = []
    for _ in range(10):
        window(concurrency, 100.0)
        limits.append(concurrency.limit)
    assert limits == sorted(limits)
    assert limits[-1] > 2 * FIRST_LIMIT


def test_it_never_grows_beyond_the_operators_own_bound() -> None:
    concurrency = Concurrency(8)
    for _ in range(20):
        window(concurrency, 100.0)
    assert concurrency.limit == 8


def test_it_shrinks_while_requests_wait_for_each_other_to_one_at_the_least() -> None:
    concurrency = Concurrency(None)
    window(concurrency, 100.0)
    for _ in range(LOOK_EVERY - 1):
        window(concurrency, 1000.0)
    assert concurrency.limit == 2  # half of it, and the headroom


def test_what_is_idle_says_what_is_usual_and_nothing_about_the_limit() -> None:
    concurrency = Concurrency(None)
    window(concurrency, 100.0)
    for _ in range(30):
        window(concurrency, 300.0, in_flight=int(FIRST_LIMIT * BUSY))
    assert concurrency.limit == FIRST_LIMIT
    window(concurrency, 300.0)  # three times as long as once, and usual by now
    assert concurrency.limit > FIRST_LIMIT


def test_answers_that_come_sooner_slowly_become_what_is_usual() -> None:
    concurrency = Concurrency(20)
    window(concurrency, 200.0)
    for _ in range(LOOK_EVERY - 1):
        window(concurrency, 100.0)
    assert concurrency._usual_ms == pytest.approx(100 + 100 * 0.98 ** (LOOK_EVERY - 1))


def test_whoever_is_never_calm_looks_with_half_of_the_limit_now_and_then() -> None:
    concurrency = Concurrency(20)
    window(concurrency, 100.0)
    for _ in range(LOOK_EVERY):
        window(concurrency, 100.0)
    assert concurrency.limit == 10
    window(concurrency, 500.0)  # the first of the two empties what waits
    assert concurrency.limit == 10
    window(concurrency, 200.0)
    assert concurrency.limit == 20
    assert concurrency._usual_ms == pytest.approx(120.0)


def test_an_overload_backs_off_once_for_all_that_were_under_way() -> None:
    concurrency = Concurrency(None)
    for in_flight in (10, 9, 8):
        concurrency.overloaded(in_flight)
    assert concurrency.limit == int(10 * BACKOFF)
    for _ in range(8):
        concurrency.answered(100.0, 8)
    concurrency.overloaded(8)
    assert concurrency.limit == int(8 * BACKOFF)
    for _ in range(100):
        concurrency.overloaded(1)
    assert concurrency.limit == 1


def outcome(took_s: float, kind: FailureKind | None = None) -> Outcome:
    failure = None if kind is None else Failure(kind, "")
    return Outcome(1, "ada", "primary", Purpose.FIRST, 0.0, took_s, failure, None if kind else took_s / 2)


def test_the_scoreboard_learns_it_and_gives_it_out_as_the_bound() -> None:
    board = Scoreboard()
    target = Target(name="ada", provider="p", model="m", limits=Limits(in_flight=30, adaptive=True))
    slot, _ = board.register(target, BreakerSettings())
    assert board.standing("ada").bounds.in_flight == FIRST_LIMIT
    holds = [board.hold(slot, 1, 0.0) for _ in range(20)]
    board.settle(board.hold(slot, 1, 0.0), outcome(1.0, FailureKind.SERVER_ERROR), 1.0)
    assert board.standing("ada").bounds.in_flight == FIRST_LIMIT, "that says nothing about how many there were at once"
    for kind in (FailureKind.OVERLOADED, FailureKind.SERVER_ERROR, FailureKind.OVERLOADED):
        board.settle(holds.pop(), outcome(1.0, kind), 1.0)
    assert board.standing("ada").bounds.in_flight == int(FIRST_LIMIT * BACKOFF)
    for _ in range(60):
        holds.append(board.hold(slot, 1, 0.0))
        board.settle(holds.pop(0), outcome(0.1), 0.1)
    grown = board.standing("ada").bounds.in_flight
    assert grown is not None
    assert FIRST_LIMIT * BACKOFF < grown <= 30


@pytest.mark.parametrize(("first_s", "took_ms"), [(None, 200.0), (5.05, 50.0)])
def test_an_answer_took_until_its_first_content_or_its_end(first_s: float | None, took_ms: float) -> None:
    board = Scoreboard()
    slot, _ = board.register(
        Target(name="ada", provider="p", model="m", limits=Limits(adaptive=True)), BreakerSettings()
    )
    for _ in range(25):
        whole = Outcome(1, "ada", "primary", Purpose.FIRST, 5.0, 5.2, None, first_s)
        board.settle(board.hold(slot, 1, 5.0), whole, 5.2)
    concurrency = board._tracks[slot].concurrency
    assert concurrency is not None
    assert concurrency._usual_ms == pytest.approx(took_ms)

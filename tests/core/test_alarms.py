"""Alarms: a target that gets worse is told of once, with what was and what is, and once more when that is over."""

from __future__ import annotations

import pytest

from choosing import NOW_S, House, target
from understudy.core.balancers.round_robin import BALANCER as ROUND_ROBIN
from understudy.core.compile import compile_route
from understudy.core.eligibility import breaker, health, tried
from understudy.core.event import AlarmChanged
from understudy.core.failure import FailureKind
from understudy.core.health.change import WARM, Failures, Times
from understudy.core.policy import Policy
from understudy.core.route import Route, tiers_of
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import select
from understudy.core.strategies.failover import STRATEGY as FAILOVER


class Home(House):
    """A house whose route leaves early, and what its board told."""

    def __init__(self, *names: str, early: bool = True, measured: bool = True) -> None:
        self.told: list[AlarmChanged] = []
        self.board = Scoreboard(1.0, self._hear)
        self.targets = {name: target(name) for name in names}
        self.plan = compile_route(
            Route(name="r", tiers=tiers_of({"primary": names}), policy=Policy(leave_early=early)),
            self.targets.__getitem__,
            self.board,
            FAILOVER(),
            ROUND_ROBIN(),
            [breaker.CONDITION, health.CONDITION, tried.CONDITION],
            "v1",
        )
        self.tier = self.plan.tiers[0]
        self.slots = {entry.target.name: entry.slot for entry in self.tier.entries}
        if measured:
            self.board.measure(0)

    def _hear(self, event: object) -> None:
        if isinstance(event, AlarmChanged):
            self.told.append(event)

    def seconds(self, seconds: float, count: int, *, stream: bool = False, failure: FailureKind | None = None) -> None:
        self.attempt("a", seconds, count=count, failure=failure, first_s=seconds / 2 if stream else None)


def test_times_that_grow_raise_an_alarm_that_ends_when_they_are_as_before() -> None:
    times = Times()
    for _ in range(WARM + 20):
        times.add(5.0)
    assert times.level == times.ordinary == pytest.approx(5.0)
    began = [times.add(7.0) for _ in range(10)]
    assert began.count(True) == 1
    assert times.alarm
    assert times.level == pytest.approx(7.0)
    assert times.ordinary < 5.6
    for _ in range(30):
        times.add(times.ordinary)
    assert not times.alarm
    assert times.run == 0


def test_times_that_become_certainly_better_end_an_alarm_at_once() -> None:
    times = Times()
    for _ in range(WARM + 20):
        times.add(5.0)
    for _ in range(10):
        times.add(7.0)
    assert times.alarm
    while not times.add(1.0):
        pass
    assert not times.alarm


def test_failures_raise_one_too_and_it_ends_after_enough_good_answers() -> None:
    failures = Failures()
    assert failures.level == failures.ordinary == 0.02
    for _ in range(6):
        failures.add(failed=True)
    assert failures.alarm
    assert failures.level == 1.0
    for _ in range(60):
        failures.add(failed=False)
    assert not failures.alarm
    assert failures.run == 0


def test_an_alarm_is_told_once_with_what_was_and_what_is_and_once_more_when_it_is_over() -> None:
    home = Home("a", "b")
    home.seconds(1.0, WARM + 20, stream=True)
    home.seconds(6.0, 10, stream=True)
    [begun] = home.told
    assert (begun.target, begun.measure, begun.on) == ("a", "first_content_ms", True)
    assert begun.before < 1000.0
    assert begun.after > 2000.0
    assert [alarm.measure for alarm in home.board.alarms("a")] == ["first_content_ms"]
    assert home.board.standing("a").measures.alarm
    home.seconds(1.0, 60, stream=True)
    assert [event.on for event in home.told] == [True, False]
    assert home.told[1].before == begun.after
    assert home.board.alarms("a") == ()


def test_whole_answers_are_judged_by_their_pace_and_failures_by_their_share() -> None:
    home = Home("a", "b")
    home.seconds(1.0, WARM + 20)
    home.seconds(6.0, 10)
    assert [event.measure for event in home.told] == ["ms_per_token"]
    home.seconds(1.0, 1, failure=FailureKind.SERVER_ERROR)
    for _ in range(6):
        home.seconds(1.0, 1, failure=FailureKind.SERVER_ERROR)
    assert [event.measure for event in home.told] == ["ms_per_token", "failing"]
    assert home.told[1].after > home.told[1].before
    home.seconds(1.0, 200)
    assert [(event.measure, event.on) for event in home.told[2:]] == [("ms_per_token", False), ("failing", False)]


def test_nothing_is_told_where_nobody_measures() -> None:
    home = Home("a", "b", early=False, measured=False)
    home.seconds(1.0, 50)
    home.seconds(9.0, 50)
    assert not home.told
    assert home.board.alarms("a") == ()


def test_a_route_that_leaves_early_asks_others_first_until_it_is_time_to_look_again() -> None:
    home = Home("a", "b")
    assert home.order() == ["a", "b"]
    home.seconds(1.0, WARM + 20)
    home.seconds(6.0, 10)
    assert home.order() == ["b"]
    _, _, excluded = select(home.tier, home.plan, home.ask(), home.board.standings)
    assert [(out.target, out.reason) for out in excluded] == [("a", "health")]
    assert home.order(repeat=True, tried={99: None}) == ["a", "b"], "nobody else is left"
    assert home.order(now_s=NOW_S + 120.0) == ["a", "b"]
    assert home.board.standing("a").breakers[0].state == "closed"


def test_other_routes_take_no_notice_of_an_alarm() -> None:
    home = Home("a", "b", early=False)
    home.seconds(1.0, WARM + 20)
    home.seconds(6.0, 10)
    assert home.told
    assert home.order() == ["a", "b"]


def test_a_route_that_begins_to_leave_early_knows_the_alarm_that_is_on() -> None:
    home = Home("a", "b", early=False)
    home.seconds(1.0, WARM + 20)
    home.seconds(6.0, 10)
    assert home.board.standing("a").room > 0
    home.board.measure(0, wary=True)
    assert home.board.standing("a").room < 0

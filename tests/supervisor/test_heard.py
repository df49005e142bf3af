"""What the supervisor keeps of its workers' news, for those that start later."""

from __future__ import annotations

from understudy.core.event import BreakerChanged, CoolDownSet, ProbeExpected
from understudy.core.failure import FailureKind, Implicates
from understudy.core.policy import BreakerSettings
from understudy.core.resilience.breaker import Breaker, Event, State
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Target
from understudy.supervisor.heard import Heard

USUAL = Breaker(BreakerSettings()).label


def changed(state: State, rest_s: float = 0.0, *, target: str = "a", breaker: int = USUAL) -> BreakerChanged:
    return BreakerChanged(target, breaker, state, rest_s, 5.0)


def rests(rest_s: float, *, target: str = "a", scope: Implicates = Implicates.TARGET) -> CoolDownSet:
    return CoolDownSet(target, scope, FailureKind.RATE_LIMIT, rest_s, 5.0)


def heard(*events: BreakerChanged | CoolDownSet | ProbeExpected) -> Heard:
    one = Heard()
    for event in events:
        one.note(event, 100.0)
    return one


def test_an_open_breaker_is_told_with_what_is_left_of_its_rest() -> None:
    one = heard(changed(State.OPEN, 60.0))
    assert one.left(120.0) == (changed(State.OPEN, 40.0),)
    assert one.left(500.0) == (changed(State.OPEN, 0.0),), "it was never tested: it may be now, and no more than that"


def test_the_latest_news_of_each_breaker_counts() -> None:
    one = heard(changed(State.OPEN, 60.0), changed(State.OPEN, 60.0, breaker=1), changed(State.HALF_OPEN))
    assert one.left(100.0) == (changed(State.HALF_OPEN), changed(State.OPEN, 60.0, breaker=1))


def test_of_a_closed_breaker_nothing_is_kept() -> None:
    assert heard(changed(State.OPEN, 60.0), changed(State.CLOSED, 30.0)).left(100.0) == ()


def test_a_cool_down_is_told_until_it_is_over() -> None:
    one = heard(rests(10.0), rests(30.0, scope=Implicates.KEY))
    assert one.left(105.0) == (rests(5.0), rests(25.0, scope=Implicates.KEY))
    assert one.left(110.0) == (rests(20.0, scope=Implicates.KEY),)


def test_a_shorter_cool_down_ends_no_longer_one() -> None:
    one = heard(rests(30.0))
    one.note(rests(1.0), 101.0)
    assert one.left(102.0) == (rests(28.0),)


def test_a_probe_that_is_expected_is_told_after_the_breaker_that_it_is_for() -> None:
    look = ProbeExpected("a", 20.0, 5.0)
    one = heard(changed(State.OPEN, 60.0), look)
    one.note(changed(State.OPEN, 60.0), 110.0)  # opened again
    told = one.left(112.0)
    assert [type(event) for event in told] == [BreakerChanged, ProbeExpected]
    assert told[1] == ProbeExpected("a", 8.0, 5.0)
    assert len(one.left(121.0)) == 1, "a look that is over is no news"


def test_a_scoreboard_that_is_told_stands_like_the_one_it_was_heard_of() -> None:
    told = Heard()

    def hear(event: object) -> None:
        if isinstance(event, BreakerChanged | CoolDownSet | ProbeExpected):
            told.note(event, 100.0)

    first, second = Scoreboard(emit=hear), Scoreboard()
    target = Target(name="a", provider="p", model="m", dialects=("d",))
    for board in (first, second):
        board.register(target, BreakerSettings())
    first.operate("a", Event.TRIPPED, 100.0)
    for event in told.left(110.0):
        second.observe(event, 1000.0)  # every process has a clock of its own
    view = second.standing("a").breakers[0]
    assert (view.state, view.until_s) == (State.OPEN, 1000.0 + BreakerSettings().recovery_s - 10.0)

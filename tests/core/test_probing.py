"""Who is probed, and when: soon after a breaker opened, then more rarely, and never against anybody's wish."""

from __future__ import annotations

import pytest

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.dice import Dice
from understudy.core.eligibility import breaker as breaker_open
from understudy.core.event import BreakerChanged, Event, ProbeExpected
from understudy.core.failure import Failure, FailureKind
from understudy.core.health.probing import FIRST_S, JITTER, TOKENS, Health, Probes
from understudy.core.outcome import Outcome, Purpose
from understudy.core.policy import BreakerSettings
from understudy.core.request import Needs
from understudy.core.resilience.breaker import Event as Word
from understudy.core.resilience.breaker import State
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Limits, Probe, Target
from understudy.core.track import Hold
from understudy.core.usage import Usage

SETTINGS = BreakerSettings(failures=1, recovery_s=60.0, half_open=1, successes=1)
UNLIMITED = Limits()
AWAY = Failure(FailureKind.CONNECTION_REFUSED, "away")
BROKEN = Failure(FailureKind.SERVER_ERROR, "broken")


class Scene:
    """One target, and who probes it."""

    def __init__(self, way: Probe = Probe.MODELS, limits: Limits = UNLIMITED, **health: object) -> None:
        self.told: list[Event] = []
        self.board = Scoreboard(1.0, self.told.append)
        self.target = Target(name="a", provider="p", model="m", limits=limits)
        self.board.register(self.target, SETTINGS)
        self.probes = Probes(self.board, Health(**health), {"a": way, "nowhere": way, "b": Probe.OFF}, Dice(1))  # type: ignore[arg-type]

    def attempt(self, now_s: float, failure: Failure | None = None) -> None:
        self.board.settle(self.board.hold(0, 10, now_s), outcome(now_s, failure, Purpose.FIRST), now_s)

    def looks(self, from_s: float, to_s: float, failure: Failure | None = AWAY) -> list[float]:
        """When it is probed between these seconds, each probe failing at once."""
        found = []
        at_s = from_s
        while at_s < to_s:
            for name in self.probes.due(at_s):
                assert name == "a"
                self.probe(at_s, failure)
                found.append(at_s)
            at_s += 0.25
        return found

    def probe(self, now_s: float, failure: Failure | None = None, *, whole: bool = False) -> None:
        hold = self.board.hold(0, TOKENS if whole else 0, now_s)
        self.board.probed(hold, outcome(now_s, failure, Purpose.PROBE), now_s, whole=whole)
        self.probes.ended("a", now_s)

    @property
    def state(self) -> State:
        return self.board.standing("a").breakers[0].state


def outcome(now_s: float, failure: Failure | None, purpose: Purpose, usage: Usage | None = None) -> Outcome:
    return Outcome(1, "a", "", purpose, now_s, now_s, failure, usage=usage)


def test_who_is_well_is_not_probed_and_neither_is_who_is_off_or_unknown() -> None:
    scene = Scene()
    scene.board.register(Target(name="b", provider="p", model="m"), SETTINGS)
    scene.attempt(1.0)
    assert not scene.looks(0.0, 500.0)
    assert set(scene.probes.ways) == {"a", "nowhere"}


def test_probes_come_soon_after_the_opening_then_ever_more_rarely_and_at_the_longest_apart_for_good() -> None:
    scene = Scene()
    scene.attempt(100.0, AWAY)
    times = scene.looks(100.0, 400.0)
    gaps = [later - earlier for earlier, later in zip([100.0, *times], times, strict=False)]
    assert gaps[0] <= FIRST_S
    assert len(gaps) > 10
    for gap_s, longest_s in zip(gaps, [2.0, 4.0, 8.0, 16.0, *[30.0] * 20], strict=False):
        assert (1.0 - JITTER) * longest_s <= gap_s <= longest_s + 0.25, "recovery is seen within 30 s"


def test_who_failed_together_is_not_probed_together() -> None:
    first, second = Scene(), Scene()
    second.probes = Probes(second.board, Health(), {"a": Probe.MODELS}, Dice(2))
    for one in (first, second):
        one.attempt(0.0, AWAY)
    assert first.looks(0.0, 100.0) != second.looks(0.0, 100.0)


def test_one_probe_of_a_target_is_under_way_at_a_time() -> None:
    scene = Scene()
    scene.attempt(0.0, AWAY)
    assert scene.probes.due(0.0) == []
    assert scene.probes.due(5.0) == ["a"]
    assert scene.probes.due(50.0) == []
    scene.probes.ended("a", 50.0)
    assert scene.probes.due(60.0) == ["a"]


def test_a_good_probe_makes_it_half_open_and_what_fails_then_is_looked_at_later() -> None:
    scene = Scene()
    scene.attempt(0.0, AWAY)
    assert scene.probes.due(0.0) == []
    assert scene.probes.due(2.0) == ["a"]
    scene.probe(2.0)
    assert scene.state is State.HALF_OPEN
    assert not scene.looks(2.0, 50.0), "callers' test requests say more"
    scene.attempt(50.0, BROKEN)
    assert scene.state is State.OPEN
    assert scene.looks(50.0, 51.0), "the look that was due"
    scene.probe(51.0)
    scene.attempt(52.0)
    assert scene.state is State.CLOSED
    assert not scene.looks(52.0, 60.0)
    scene.attempt(60.0, AWAY)
    assert scene.looks(60.0, 70.0)[0] < 62.5, "a new trouble is watched from its beginning"


def test_a_look_is_no_passed_test_and_a_small_request_is_one() -> None:
    for whole, state in ((False, State.HALF_OPEN), (True, State.CLOSED)):
        scene = Scene()
        scene.attempt(0.0, AWAY)
        scene.probes.due(0.0)
        scene.probe(61.0, whole=whole)  # its rest is over: the place that it takes is a test
        assert scene.state is state
        assert scene.board.standing("a").breakers[0].tests_free == 1


@pytest.mark.parametrize(
    ("failure", "whole", "after"),
    [
        (AWAY, False, State.OPEN),
        (BROKEN, False, State.CLOSED),  # whoever cannot list models may answer all the same
        (BROKEN, True, State.OPEN),
        (Failure(FailureKind.LOST_RACE, "x"), True, State.CLOSED),
    ],
)
def test_what_a_failed_probe_of_an_idle_target_counts_for(failure: Failure, whole: bool, after: State) -> None:
    scene = Scene(idle_s=10.0)
    assert scene.probes.due(0.0) == []
    assert scene.probes.due(10.0) == ["a"]
    scene.probe(10.0, failure, whole=whole)
    assert scene.state is after
    assert scene.board.standing("a").error_rate is None
    assert scene.board.standing("a").seen == 0, "nothing of it speaks of answers to callers"


def test_a_hint_that_a_small_request_got_is_kept() -> None:
    scene = Scene(Probe.REQUEST)
    scene.attempt(0.0, AWAY)
    scene.probes.due(0.0)
    scene.probe(2.0, Failure(FailureKind.RATE_LIMIT, "x", retry_after_s=40.0), whole=True)
    assert scene.board.standing("a").cool_down_until_s == 42.0
    assert not scene.looks(2.0, 41.75)
    assert scene.looks(42.0, 42.25)


def test_idle_targets_are_probed_only_where_that_is_asked_for() -> None:
    scene = Scene(idle_s=20.0)
    scene.attempt(0.0)
    assert scene.looks(0.0, 70.0, None) == [20.0, 40.0, 60.0]
    scene.attempt(70.0)
    assert scene.looks(70.0, 95.0, None) == [90.0]


def test_nobody_is_probed_against_an_order_a_rest_or_a_limit() -> None:
    ordered = Scene()
    ordered.board.operate("a", Word.FORCE_OPEN, 0.0)
    assert not ordered.looks(0.0, 100.0)
    full = Scene(limits=Limits(in_flight=1))
    full.attempt(0.0, AWAY)
    hold = full.board.hold(0, 0, 0.0)
    assert not full.looks(0.0, 30.0)
    full.board.release(hold, 30.0)
    assert full.looks(30.0, 31.0)
    for limits in (Limits(rpm=1.0), Limits(tpm=10.0)):
        spent = Scene(Probe.REQUEST, limits)
        spent.attempt(0.0, AWAY)
        assert not spent.looks(0.0, 15.0)
    two = Scene()
    two.board.register(two.target, BreakerSettings(failures=9, half_open=1))
    two.board.register(two.target, BreakerSettings(failures=1, half_open=1, successes=1, recovery_s=1.0))
    two.attempt(0.0, AWAY)
    two.board.hold(0, 0, 1.5)  # the test of the third breaker is out
    assert [view.state for view in two.board.standing("a").breakers] == [State.OPEN, State.CLOSED, State.HALF_OPEN]
    assert not two.looks(1.5, 50.0)
    free = Scene(Probe.REQUEST, Limits(in_flight=5, rpm=600.0, tpm=100_000.0))
    free.attempt(0.0, AWAY)
    assert free.looks(0.0, 5.0)


def test_what_a_probe_takes_of_a_limit_on_tokens_is_what_it_took() -> None:
    scene = Scene(Probe.REQUEST, Limits(tpm=60_000.0))
    scene.board.measure(0)
    before = scene.board.standing("a").bounds.tokens
    assert before is not None
    hold: Hold = scene.board.hold(0, TOKENS, 1.0)
    used = outcome(1.0, None, Purpose.PROBE, Usage(input=20, output=2))
    scene.board.probed(hold, used, 1.0, whole=True)
    standing = scene.board.standing("a")
    assert before.level(standing.tokens_empty_s, 1.0) == pytest.approx(before.capacity - 22)
    assert standing.tokens_in_flight == standing.in_flight == 0


# Waiting for a look


def asked(scene: Scene, now_s: float) -> float | None:
    entry = Entry(scene.target, "primary", False, 0, 0, 0)
    ask = Ask(Needs(model="r"), "d", now_s, Dice(1), 0, {})
    found = breaker_open.CONDITION.excludes(Candidate(entry, scene.board.standing("a")), ask)
    assert found is not None
    return found.until_s


def test_the_next_look_is_worth_waiting_for_while_the_trouble_is_young() -> None:
    scene = Scene()
    scene.attempt(0.0, AWAY)
    assert asked(scene, 0.0) == 60.0
    assert scene.probes.due(0.0) == []
    look_s = asked(scene, 0.0)
    assert look_s is not None
    assert 1.6 <= look_s <= 2.0
    [expected] = [event for event in scene.told if isinstance(event, ProbeExpected)]
    assert expected.rest_s == look_s
    assert asked(scene, look_s + 0.5) == look_s + 1.5, "it is under way"
    assert asked(scene, look_s + 20.0) == 60.0, "it never came"
    scene.looks(0.5, 59.0)
    assert scene.board.standing("a").breakers[0].until_s == 60.0, "looks that fail do not prolong its rest"
    scene.looks(60.0, 300.0)
    assert len([event for event in scene.told if isinstance(event, ProbeExpected)]) == 4
    assert scene.board.standing("a").breakers[0].until_s > 270.0, "after it, a look that fails is a test that failed"


def test_a_sibling_hears_when_a_look_is_to_come() -> None:
    scene, sibling = Scene(), Scene()
    scene.attempt(0.0, AWAY)
    scene.probes.due(0.0)
    for event in scene.told:
        sibling.board.observe(event, 1000.0)
    news = [event for event in scene.told if isinstance(event, (BreakerChanged, ProbeExpected))]
    assert len(news) == 2
    until_s = asked(sibling, 1000.0)
    assert until_s is not None
    assert 1001.0 < until_s <= 1002.0
    sibling.board.observe(ProbeExpected("stranger", 1.0, 0.0), 1000.0)


def test_a_look_at_a_closed_breaker_is_not_waited_for() -> None:
    scene = Scene()
    scene.board.expect("a", 5.0, 0.0)
    assert scene.board.standing("a").breakers[0].look_s == 0.0

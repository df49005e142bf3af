"""A second attempt beside a slow one: when it begins, whom it asks, what it may cost, and how the race ends.

Method: the walk is driven by hand, one reply after another, so that every order of events can be written down.
"""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.action import (
    Action,
    Ended,
    Failed,
    Held,
    Next,
    Ready,
    Refused,
    Relay,
    Reserve,
    Start,
    Started,
    Timer,
)
from understudy.core.balancers.least_in_flight import LeastInFlight
from understudy.core.compile import compile_route
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.eligibility import breaker, tried
from understudy.core.failure import Failure, FailureKind
from understudy.core.health.quantiles import KEPT, Quantiles
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.plan import RoutePlan
from understudy.core.policy import Hedge, Policy, Retry
from understudy.core.request import Needs
from understudy.core.resilience.hedge_budget import SAVED_MAX, HedgeBudget
from understudy.core.route import Route, tiers_of
from understudy.core.scoreboard import TIMES_MIN, Scoreboard
from understudy.core.strategies.failover import Failover
from understudy.core.target import Target
from understudy.core.walk import walk

ALWAYS = Hedge(after_s=1.0, share=1.0)
DEADLINE_S = 60.0


class Race:
    """One walk, driven by hand."""

    def __init__(self, hedge: Hedge | None = ALWAYS, attempts_max: int = 6, **tiers: tuple[str, ...]) -> None:
        self.board = Scoreboard()
        names = tiers or {"primary": ("ada", "ben")}
        targets = {
            name: Target(name=name, provider=name, model="m", dialects=("d",), stand_in=name == "sorry")
            for tier in names.values()
            for name in tier
        }
        route = Route(
            name="r",
            tiers=tiers_of(names),
            policy=Policy(hedge=hedge, attempts_max=attempts_max, retry=Retry(kind="none")),
        )
        conditions = [breaker.CONDITION, tried.CONDITION]
        self.plan: RoutePlan = compile_route(
            route, targets.__getitem__, self.board, Failover(), LeastInFlight(), conditions, "v"
        )
        self.now_s = 0.0
        self.started: list[Start] = []
        self.result: Result | None = None

    def begin(self) -> Action:
        decision = Decision(1, "d", "r", "v", Needs(model="r"), "d", 1, self.now_s)
        self.steps = walk(self.plan, decision, self.board, self.now_s, self.now_s + DEADLINE_S)
        return self._through(next(self.steps))

    def send(self, reply: object) -> Action | None:
        try:
            return self._through(self.steps.send(reply))  # type: ignore[arg-type]
        except StopIteration as done:
            self.result = done.value
            return None

    def _through(self, action: Action) -> Action:
        """Past taking places and beginning attempts: the next action that something must happen for."""
        while True:
            if isinstance(action, Reserve) and action.entry.target.name != "full":
                action = self.steps.send(Held(self.now_s, False))
            elif isinstance(action, Start):
                self.started.append(action)
                action = self.steps.send(Started(self.now_s, len(self.started)))
            else:
                return action

    def passes(self, seconds: float) -> Action | None:
        self.now_s += seconds
        return self.send(Timer(self.now_s))

    def outcome(self, handle: int, kind: FailureKind | None = None) -> Outcome:
        start = self.started[handle - 1]
        failure = None if kind is None else Failure(kind, "it says")
        return Outcome(start.number, start.entry.target.name, start.tier, start.purpose, 0.0, self.now_s, failure)

    def fails(self, handle: int, kind: FailureKind = FailureKind.SERVER_ERROR) -> Action | None:
        return self.send(Failed(self.now_s, handle, self.outcome(handle, kind)))

    def answers(self, handle: int) -> Action | None:
        return self.send(Ready(self.now_s, handle))

    def ends(self, handle: int, *lost: int) -> Result:
        losers = tuple(self.outcome(one, FailureKind.LOST_RACE) for one in lost)
        assert self.send(Ended(self.now_s, self.outcome(handle), losers)) is None
        assert self.result is not None
        return self.result

    @property
    def asked(self) -> list[str]:
        return [start.entry.target.name for start in self.started]


def saved(race: Race) -> Race:
    """With something saved up from earlier requests."""
    for _ in range(3):
        race.board.hedge_budget("r", race.plan.policy.hedge or ALWAYS).deposit()
    return race


def test_a_route_that_does_not_hedge_waits_for_its_one_attempt() -> None:
    race = Race(hedge=None)
    assert race.begin() == Next(DEADLINE_S)
    assert race.asked == ["ada"]


def test_a_slow_attempt_gets_a_second_one_beside_it_and_the_first_content_wins() -> None:
    race = Race()
    assert race.begin() == Next(1.0)
    assert race.passes(1.0) == Next(DEADLINE_S)
    assert race.asked == ["ada", "ben"]
    assert [start.purpose for start in race.started] == [Purpose.FIRST, Purpose.HEDGE]
    assert race.answers(2) == Relay(2, DEADLINE_S)
    result = race.ends(2, 1)
    assert result.winner is not None
    assert result.winner.target == "ben"
    assert [(one.number, one.good) for one in result.attempts] == [(1, False), (2, True)]


def test_the_first_attempt_may_still_win() -> None:
    race = Race()
    race.begin()
    race.passes(1.0)
    race.answers(1)
    result = race.ends(1, 2)
    assert result.winner is not None
    assert result.winner.target == "ada"


def test_an_attempt_in_time_is_not_hedged_and_its_hedge_stays_saved() -> None:
    race = Race()
    race.begin()
    race.answers(1)
    assert len(race.ends(1).attempts) == 1
    assert race.board.hedge_budget("r", ALWAYS).withdraw()


def test_a_failure_of_one_of_two_leaves_the_other_in_the_race() -> None:
    race = Race(primary=("ada", "ben", "cleo"))
    race.begin()
    race.passes(1.0)
    assert race.fails(1) == Next(DEADLINE_S)
    assert race.asked == ["ada", "ben"]
    race.answers(2)
    assert [one.target for one in race.ends(2).attempts] == ["ada", "ben"]


def test_when_both_fail_the_walk_goes_on_with_whom_nobody_asked() -> None:
    race = saved(Race(primary=("ada", "ben", "cleo")))
    race.begin()
    race.passes(1.0)
    race.fails(2)
    assert race.fails(1) == Next(2.0)
    assert race.asked == ["ada", "ben", "cleo"]
    assert race.started[2].purpose is Purpose.FALLBACK


def test_the_callers_own_mistake_ends_the_race() -> None:
    race = Race()
    race.begin()
    race.passes(1.0)
    race.fails(2, FailureKind.BAD_REQUEST)
    assert race.result is not None
    assert race.result.failure is not None
    assert race.result.failure.kind is FailureKind.BAD_REQUEST


def test_a_later_tier_is_asked_when_the_first_has_nobody_else() -> None:
    race = Race(primary=("ada",), secondary=("ben",))
    race.begin()
    race.passes(1.0)
    assert race.asked == ["ada", "ben"]


@pytest.mark.parametrize(
    ("race", "why"),
    [
        (Race(primary=("ada",)), "nobody else is there"),
        (Race(primary=("ada",), local=("sorry",)), "a stand-in is no second opinion"),
        (Race(attempts_max=1), "the attempt budget is spent"),
        (Race(Hedge(after_s=1.0, share=0.5)), "the hedge budget is not there yet"),
        (Race(primary=("ada", "full")), "its place is gone"),
    ],
    ids=lambda one: one.replace(" ", "_") if isinstance(one, str) else "",
)
def test_without_a_second_the_first_has_all_of_the_time(race: Race, why: str) -> None:
    race.begin()
    action = race.passes(1.0)
    if why == "its place is gone":
        assert isinstance(action, Reserve)
        action = race.send(Refused(race.now_s, FailureKind.LOCAL_LIMIT, None))
    assert action == Next(DEADLINE_S)
    assert race.asked == ["ada"]
    assert race.passes(DEADLINE_S - 1.0) is None
    assert race.result is not None
    assert race.result.winner is None


def test_a_hedge_that_gets_no_place_gives_its_budget_back() -> None:
    race = Race(primary=("ada", "full", "ben"))
    race.begin()
    assert isinstance(race.passes(1.0), Reserve)
    race.send(Refused(race.now_s, FailureKind.LOCAL_LIMIT, None))
    race.answers(1)
    race.ends(1)
    budget = race.board.hedge_budget("r", ALWAYS)
    assert budget.withdraw(), "nothing was begun"
    assert not budget.withdraw()


def test_a_hedge_that_was_begun_is_paid_for_whatever_is_refused_later() -> None:
    race = Race(primary=("ada", "ben", "full"))
    race.begin()
    race.passes(1.0)
    race.fails(2)
    assert isinstance(race.fails(1), Reserve)
    race.send(Refused(race.now_s, FailureKind.LOCAL_LIMIT, None))
    assert race.result is not None
    assert not race.board.hedge_budget("r", ALWAYS).withdraw()


def test_what_is_given_back_is_not_saved_beyond_the_most() -> None:
    budget = HedgeBudget(1.0)
    for _ in range(20):
        budget.deposit()
    assert budget.withdraw()
    budget.deposit()
    budget.give_back()
    assert sum(budget.withdraw() for _ in range(1000)) == SAVED_MAX


def test_a_stand_in_is_not_hedged() -> None:
    race = Race(primary=("sorry", "ada"))
    race.begin()
    assert race.fails(1) == Next(DEADLINE_S)
    assert race.asked == ["ada", "sorry"]


def test_the_delay_is_learned_from_the_targets_own_times() -> None:
    race = Race(Hedge(quantile=0.9, share=1.0))
    assert race.begin() == Next(DEADLINE_S)  # too little is known
    race.answers(1)
    race.ends(1)
    for number in range(1, TIMES_MIN + 71):
        hold = race.board.hold(0, 1, race.now_s)
        took_s = number / 100
        outcome = Outcome(
            1, "ada", "primary", Purpose.FIRST, race.now_s, race.now_s + took_s, None, race.now_s + took_s
        )
        race.board.settle(hold, outcome, race.now_s)
    action = race.begin()
    assert isinstance(action, Next)
    assert action.until_s - race.now_s == pytest.approx(0.9, rel=0.05)


def test_a_lost_race_counts_as_long_as_it_lasted() -> None:
    board = Race(Hedge(quantile=0.5)).board
    for _ in range(TIMES_MIN):
        hold = board.hold(0, 1, 50.0)
        lost = Failure(FailureKind.LOST_RACE, "")
        board.settle(hold, Outcome(1, "ada", "primary", Purpose.FIRST, 50.0, 52.0, lost), 52.0)
    assert board.patience_s(0, Hedge(quantile=0.5)) == pytest.approx(2.0, rel=0.05)


def test_of_a_target_that_no_route_hedges_nothing_is_learned() -> None:
    board = Race(hedge=None).board
    assert board.patience_s(0, Hedge()) == float("inf")


@given(st.lists(st.sampled_from(["attempt", "hedge"]), max_size=400), st.sampled_from([0.01, 0.05, 0.5, 1.0]))
def test_hedges_never_exceed_their_share(wishes: list[str], share: float) -> None:
    budget = HedgeBudget(share)
    attempts = hedges = 0
    for wish in wishes:
        if wish == "attempt":
            budget.deposit()
            attempts += 1
        else:
            hedges += budget.withdraw()
        assert hedges <= share * attempts + 1e-9


def test_only_so_many_hedges_are_saved_up() -> None:
    budget = HedgeBudget(1.0)
    for _ in range(1000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(1000)) == SAVED_MAX


@given(st.lists(st.floats(0.01, 1e7), min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_a_quantile_is_a_sample_up_to_the_width_of_a_bucket(samples_ms: list[float], share: float) -> None:
    times = Quantiles()
    for sample_ms in samples_ms:
        times.add(sample_ms)
    found_ms = times.quantile(share)
    assert found_ms is not None
    below = sum(sample_ms <= found_ms * 1.05 for sample_ms in samples_ms)
    above = sum(sample_ms >= found_ms / 1.06 for sample_ms in samples_ms if sample_ms < 1.2e6)
    assert below >= share * len(samples_ms) - 1e-6 or found_ms > 1e6
    assert above or found_ms < 0.11 or found_ms > 1e6


def test_quantiles_follow_a_target_that_becomes_slower() -> None:
    times, dice = Quantiles(), Dice(5)
    assert times.quantile(0.5) is None
    for _ in range(KEPT):
        times.add(dice.exponential(100 / log(2)))
    assert times.quantile(0.5) == pytest.approx(100, rel=0.1)
    for _ in range(4 * KEPT):
        times.add(dice.exponential(1000 / log(2)))
    assert times.quantile(0.5) == pytest.approx(1000, rel=0.15)

"""The order of trying, sentence by sentence, on scripted targets in virtual time; and what choosing it rests on.

Method: `play` performs the four actions as the engine does (place, attempt, commit, settlement before the walk resumes);
each target has a script of what its next attempts come to, and succeeds after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core import panic
from understudy.core.action import Ended, Failed, Held, Next, Ready, Refused, Relay, Reserve, Start, Started, Timer
from understudy.core.balancers.least_in_flight import LeastInFlight
from understudy.core.compile import compile_route
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.eligibility import breaker, capability, context_window, cool_down, health, limits, tried
from understudy.core.event import BreakerChanged, CoolDownSet, Event, ProbeExpected
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates
from understudy.core.health.measures import UNMEASURED
from understudy.core.money import Price, cost_nusd, dollars
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.plan import RoutePlan
from understudy.core.policy import BreakerSettings, Hedge, Policy, Retry
from understudy.core.request import Needs, Operation
from understudy.core.resilience.backoff import delay_s
from understudy.core.resilience.breaker import Admission, Breaker, BreakerView, State
from understudy.core.resilience.breaker import Event as Word
from understudy.core.resilience.rate import FULL, per_minute
from understudy.core.resilience.retry_budget import RetryBudget
from understudy.core.route import Route, tiers_of
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import replay
from understudy.core.standing import NO_ROOM, ROOM, Bounds
from understudy.core.strategies.failover import Failover
from understudy.core.target import Limits, Target
from understudy.core.usage import Usage
from understudy.core.walk import walk

K = FailureKind
CONDITIONS = [module.CONDITION for module in (breaker, capability, context_window, cool_down, health, limits, tried)]
NOW_S = 1000.0


def target(name: str, **fields: object) -> Target:
    return Target(name=name, provider=fields.pop("provider", name), model="m", dialects=("d",), **fields)  # type: ignore[arg-type]


class Stage:
    """Targets, a route over them, and scripts: per target what its attempts come to (a kind, a Failure, None for well)."""

    def __init__(
        self, *targets: Target, policy: Policy | None = None, share: float = 1.0, **tiers: tuple[str, ...]
    ) -> None:
        self.events: list[Event] = []
        self.board = Scoreboard(share, self.events.append)
        self.targets = {one.name: one for one in targets}
        route = Route(
            name="r",
            tiers=tiers_of(tiers or {"primary": tuple(self.targets)}),
            policy=policy or Policy(retry=Retry(kind="none")),
        )
        self.plan: RoutePlan = compile_route(
            route, self.targets.__getitem__, self.board, Failover(), LeastInFlight(), CONDITIONS, "v1"
        )
        self.scripts: dict[str, list[object]] = {}
        self.took_s = 0.01
        self.place_s = self.begin_s = self.relay_s = (
            0.0  # how long it takes to get a place, to begin, and to give the answer
        )
        self.now_s = NOW_S
        self.log: list[str] = []
        self.decision: Decision
        self.count = 0
        self.outside = 0  # places taken by others

    def play(self, *, needs: Needs | None = None, deadline_s: float = 600.0, cut: bool = False) -> Result:
        self.count += 1
        begun_s = self.now_s
        self.decision = Decision(
            self.count, f"x{self.count}", "r", "v1", needs or Needs(model="r"), "d", 7 * self.count, begun_s
        )
        steps = walk(self.plan, self.decision, self.board, begun_s, begun_s + deadline_s)
        held: object = None
        started: Start | None = None
        try:
            action = next(steps)
            while True:
                if isinstance(action, Reserve):
                    self.now_s += self.place_s
                    refused = self.scripts.get(f"reserve {action.entry.target.name}")
                    if refused:
                        reply: object = Refused(self.now_s, refused.pop(0), None)
                    else:
                        held = self.board.hold(action.entry.slot, 10, self.now_s)
                        reply = Held(self.now_s, bool(held.tests[action.entry.breaker]))
                elif isinstance(action, Start):
                    started = action
                    self.now_s += self.begin_s
                    reply = Started(self.now_s, 1)
                elif isinstance(action, Next) and started is None:
                    assert action.until_s > self.now_s, "nobody waits for what is there"
                    self.log.append(f"wait {action.until_s - self.now_s:.3f}")
                    self.now_s = action.until_s
                    reply = Timer(self.now_s)
                elif isinstance(action, Next):
                    reply = self._attempted(started, held, action.until_s)
                    if not isinstance(reply, Ready):
                        started = None
                elif isinstance(action, Relay):
                    assert started is not None
                    self.now_s += self.relay_s
                    failure = Failure(K.TRUNCATED, "cut") if cut else None
                    outcome = self._outcome(started, failure, committed=True)
                    self.board.settle(held, outcome, self.now_s)  # type: ignore[arg-type]
                    reply, started = Ended(self.now_s, outcome), None
                action = steps.send(reply)  # type: ignore[arg-type]
        except StopIteration as done:
            result: Result = done.value
        assert result.ended_s == self.now_s
        assert replay(self.decision, self.plan) == []
        assert len(result.attempts) <= self.plan.policy.attempts_max + 2  # stand-ins are free
        assert sum(standing.in_flight for standing in self.board.standings) == self.outside
        return result

    def _attempted(self, started: Start, held: object, until_s: float) -> Ready | Failed | Timer:
        script = self.scripts.get(started.entry.target.name)
        self.log.append(started.entry.target.name)
        what = script.pop(0) if script else None
        if what == "silence":
            self.now_s = started.until_s
            what = K.HEADERS_TIMEOUT
        else:
            self.now_s += self.took_s
        if what == "beyond":
            self.now_s = until_s
            self.board.settle(held, self._outcome(started, Failure(K.LOST_RACE, "")), until_s)  # type: ignore[arg-type]
            return Timer(until_s)
        if what is None:
            self.board.commit(held, self.now_s)  # type: ignore[arg-type]
            return Ready(self.now_s, 1)
        failure = what if isinstance(what, Failure) else Failure(what, f"says {started.entry.target.name}")  # type: ignore[arg-type]
        outcome = self._outcome(started, failure)
        self.board.settle(held, outcome, self.now_s)  # type: ignore[arg-type]
        return Failed(self.now_s, 1, outcome)

    def _outcome(self, started: Start, failure: Failure | None, *, committed: bool = False) -> Outcome:
        return Outcome(
            number=started.number,
            target=started.entry.target.name,
            tier=started.entry.tier,
            purpose=started.purpose,
            started_s=self.now_s - self.took_s,
            ended_s=self.now_s,
            failure=failure,
            committed=committed,
        )


def ended(failure: Failure | None = None, **fields: object) -> Outcome:
    """An attempt at `a` that is over."""
    known = {"number": 1, "target": "a", "tier": "t", "purpose": Purpose.FIRST, "started_s": NOW_S, "ended_s": NOW_S}
    return Outcome(failure=failure, **known | fields)  # type: ignore[arg-type]


A, B, C = target("a"), target("b"), target("c")
SORRY = target("sorry", stand_in=True)


def test_a_request_ends_when_its_caller_has_all_of_the_answer() -> None:
    stage = Stage(A)
    stage.relay_s = 7.0
    result = stage.play()
    assert result.ended_s == NOW_S + stage.took_s + 7.0


def tried_by(result: Result) -> list[str]:
    return [one.target for one in result.attempts]


@pytest.mark.parametrize("kind", [K.SERVER_ERROR, K.RATE_LIMIT, K.AUTH, K.NOT_FOUND, K.MALFORMED, K.HEADERS_TIMEOUT])
def test_another_target_comes_before_anything_else(kind: FailureKind) -> None:
    stage = Stage(A, B, policy=Policy())
    stage.scripts["a"] = [kind]
    result = stage.play()
    assert tried_by(result) == ["a", "b"]
    assert [one.purpose for one in result.attempts] == [Purpose.FIRST, Purpose.FALLBACK]
    assert result.winner is result.attempts[1]
    assert stage.log == ["a", "b"]


def test_the_callers_own_mistake_stops_the_walk() -> None:
    stage = Stage(A, B, primary=("a",), secondary=("b",))
    mistake = Failure(K.INVALID_REQUEST, "temperature is too hot", status=400, body=b"{}")
    stage.scripts["a"] = [mistake]
    result = stage.play()
    assert tried_by(result) == ["a"]
    assert result.failure is mistake


def test_a_later_tier_comes_before_a_backoff() -> None:
    stage = Stage(A, B, policy=Policy(), primary=("a",), secondary=("b",))
    stage.scripts["a"] = [K.SERVER_ERROR]
    assert tried_by(stage.play()) == ["a", "b"]
    assert stage.log == ["a", "b"]


def test_the_same_target_again_only_when_nobody_else_is_left_and_after_its_backoff() -> None:
    stage = Stage(A, B, policy=Policy(retry=Retry(kind="linear", initial_s=2, jitter=0), attempts_max=4))
    stage.scripts = {"a": [K.SERVER_ERROR] * 2, "b": [K.AUTH]}
    result = stage.play()
    assert stage.log == ["a", "b", "wait 1.990", "a", "wait 4.000", "a"]
    assert [one.purpose for one in result.attempts][2:] == [Purpose.RETRY, Purpose.RETRY]
    assert result.winner is not None


def test_a_targets_own_retry_outranks_the_policys() -> None:
    stage = Stage(target("a", retry=Retry(kind="none")), policy=Policy())
    stage.scripts["a"] = [K.SERVER_ERROR]
    assert tried_by(stage.play()) == ["a"]


def test_attempts_never_exceed_their_budget() -> None:
    stage = Stage(A, B, C, policy=Policy(attempts_max=2))
    stage.scripts = {name: [K.SERVER_ERROR] * 9 for name in "abc"}
    result = stage.play()
    assert tried_by(result) == ["a", "b"]
    assert result.failure is not None


def test_every_tier_keeps_one_attempt() -> None:
    stage = Stage(A, B, C, policy=Policy(attempts_max=2), primary=("a", "b"), secondary=("c",))
    stage.scripts = {"a": [K.SERVER_ERROR], "b": [K.SERVER_ERROR]}
    assert tried_by(stage.play()) == ["a", "c"]


def test_everyone_keeps_a_share_of_the_time() -> None:
    stage = Stage(A, B, C)
    stage.scripts = {name: ["silence"] for name in "abc"}
    result = stage.play(deadline_s=9.0)
    assert [round(one.ended_s - NOW_S, 6) for one in result.attempts] == [3.0, 6.0, 9.0]
    assert result.failure is not None
    assert result.failure.kind is K.DEADLINE
    stage = Stage(A, B, C)
    stage.scripts["a"] = ["silence"]
    assert round(stage.play(deadline_s=600.0).attempts[0].ended_s - NOW_S) == 580, (
        "a long deadline is nearly all its own"
    )


def test_the_time_that_a_place_and_a_beginning_take_comes_out_of_the_deadline() -> None:
    stage = Stage(A, B)
    stage.place_s = 3.0
    stage.scripts["a"] = ["silence"]
    assert round(stage.play(deadline_s=9.0).attempts[0].ended_s - NOW_S, 6) == 6.0, "half of what the place left"
    late = Stage(A, B)
    late.place_s = 10.0
    late.scripts["reserve a"] = [K.LOCAL_LIMIT]
    told = late.play(deadline_s=9.0)
    assert (told.attempts, told.ended_s - NOW_S) == ((), 10.0), "nobody else is asked once the time is over"
    slow = Stage(A, policy=Policy(hedge=Hedge(after_s=2.0)))
    slow.begin_s, slow.took_s = 10.0, 0.0
    slow.scripts["a"] = [K.AUTH]
    assert slow.play().ended_s - NOW_S == 10.0


def test_an_attempt_still_open_at_the_deadline_ends_the_request() -> None:
    stage = Stage(A)
    stage.scripts["a"] = ["beyond"]
    result = stage.play(deadline_s=5.0)
    assert result.failure is not None
    assert result.failure.kind is K.DEADLINE


def test_whoever_finds_every_test_slot_taken_waits_for_the_tests_and_asks_no_stand_in() -> None:
    settings = BreakerSettings(failures=1, recovery_s=5.0, half_open=1, successes=1)
    policy = Policy(wait_max_s=10, retry=Retry(kind="none"), breaker=settings)
    stage = Stage(A, SORRY, policy=policy, primary=("a",), emergency=("sorry",))
    stage.scripts["a"] = [K.UNAVAILABLE]
    stage.play()
    stage.now_s += 5.0
    test = stage.board.hold(0, 10, stage.now_s)  # somebody else tests the recovery
    stage.outside = 1
    stage.log.clear()
    stage.took_s = 0.0
    assert stage.play().degraded, "the test is not over within `wait_max_s`"
    assert stage.log == ["wait 1.000"] * 9 + ["sorry"]
    stage.board.release(test, stage.now_s)
    stage.outside = 0
    assert stage.play().winner.target == "a"


def test_a_target_that_an_operator_holds_open_is_not_waited_for() -> None:
    stage = Stage(A, SORRY, policy=Policy(wait_max_s=10), primary=("a",), emergency=("sorry",))
    stage.board.operate("a", Word.FORCE_OPEN, stage.now_s)
    assert stage.play().degraded
    assert stage.log == ["sorry"]


def test_a_hint_rests_the_target_and_a_recovery_within_reach_is_waited_for() -> None:
    stage = Stage(A, policy=Policy(wait_max_s=10))
    stage.scripts["a"] = [Failure(K.RATE_LIMIT, "slow down", retry_after_s=6.0)]
    stage.play()
    assert stage.log == ["a", "wait 6.000", "a"]


def test_who_recovered_while_somebody_else_was_asked_is_asked_without_a_wait() -> None:
    stage = Stage(A, B, policy=Policy(wait_max_s=10, retry=Retry(kind="none")))
    stage.scripts = {"a": [Failure(K.RATE_LIMIT, "slow down", retry_after_s=0.5)], "b": [None, K.SERVER_ERROR]}
    assert tried_by(stage.play()) == ["a", "b"]
    stage.took_s = 1.0
    stage.log.clear()
    assert tried_by(stage.play()) == ["b", "a"]
    assert stage.log == ["b", "a"]


def test_a_recovery_beyond_reach_is_told_to_the_caller() -> None:
    stage = Stage(A, B, policy=Policy(wait_max_s=5, retry=Retry(kind="none")))
    for name, wait_s in (("a", 40.0), ("b", 30.0)):
        stage.scripts[name] = [Failure(K.RATE_LIMIT, "slow down", retry_after_s=wait_s)]
    first = stage.play()
    assert first.failure is not None
    assert first.failure.kind is K.RATE_LIMIT
    second = stage.play()
    assert second.attempts == ()
    assert second.failure is not None
    assert second.failure.kind is K.RATE_LIMIT
    assert second.failure.retry_after_s == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize(
    ("scope", "resting"),
    [
        (Implicates.TARGET, {"one"}),
        (Implicates.KEY, {"one", "same key"}),
        (Implicates.MODEL, {"one", "same model"}),
        (Implicates.PROVIDER, {"one", "same key", "same model"}),
    ],
)
def test_a_cool_down_reaches_exactly_its_scope(scope: Implicates, resting: set[str]) -> None:
    def at(name: str, model: str, key: str, provider: str = "p") -> Target:
        return Target(name=name, provider=provider, model=model, key=key, dialects=("d",))

    stage = Stage(
        at("one", "m", "k"), at("same key", "m2", "k"), at("same model", "m", "k2"), at("other", "m", "k", "q")
    )
    stage.scripts["one"] = [Failure(K.RATE_LIMIT, "", retry_after_s=50.0, scope=scope)]
    stage.play()
    assert {name for name in stage.targets if stage.board.standing(name).cool_down_until_s} == resting
    [told] = [event for event in stage.events if isinstance(event, CoolDownSet)]
    assert (told.scope, told.rest_s) == (scope, 50.0)
    sibling = Stage(*stage.targets.values())
    sibling.board.observe(told, NOW_S)
    assert {name for name in stage.targets if sibling.board.standing(name).cool_down_until_s == NOW_S + 50.0} == resting


def test_a_success_ends_a_rest_that_is_over() -> None:
    stage = Stage(A, policy=Policy(wait_max_s=10))
    stage.scripts["a"] = [Failure(K.RATE_LIMIT, "", retry_after_s=2.0)]
    stage.play()
    assert stage.board.standing("a").cool_down_until_s == 0.0
    assert stage.board.standing("a").room == ROOM


def test_degraded_tiers_come_last_and_are_labelled() -> None:
    stage = Stage(A, B, SORRY, primary=("a",), emergency=("b",), local=("sorry",))
    stage.scripts["a"] = [K.SERVER_ERROR]
    emergency = stage.play()
    assert (tried_by(emergency), emergency.degraded) == (["a", "b"], True)
    stage.scripts = {"a": [K.SERVER_ERROR], "b": [K.SERVER_ERROR]}
    local = stage.play()
    assert (tried_by(local), local.degraded) == (["a", "b", "sorry"], True)
    assert not stage.play().degraded


def test_a_stand_in_is_free_even_when_no_attempt_is_left() -> None:
    stage = Stage(A, SORRY, policy=Policy(attempts_max=1), primary=("a", "sorry"))
    stage.scripts["a"] = [K.SERVER_ERROR]
    result = stage.play()
    assert tried_by(result) == ["a", "sorry"]
    assert result.degraded


def broken(stage: Stage, name: str = "a") -> None:
    """Open a target's breaker."""
    stage.board.operate(name, Word.RELEASE, stage.now_s)
    stage.scripts[name] = [K.SERVER_ERROR] * 5
    while stage.board.standing(name).breakers[0].state is not State.OPEN:
        stage.play()


def test_five_in_a_row_open_the_breaker_and_only_a_panic_attempt_gets_through() -> None:
    stage = Stage(A)
    broken(stage)
    assert stage.count == 5
    panic = stage.play()
    assert [one.purpose for one in panic.attempts] == [Purpose.PANIC]
    assert stage.board.standing("a").breakers[0].state is State.HALF_OPEN, "it answered: it may be tested"


def test_panic_has_its_own_budget_and_spares_what_was_forced_open() -> None:
    stage = Stage(A)
    broken(stage)
    stage.scripts["a"] = [K.SERVER_ERROR] * 100
    kinds = []
    for _ in range(20):
        result = stage.play()
        kinds.append(len(result.attempts))
        assert result.failure is not None
    assert sum(kinds) < 15, "the budget runs out"
    assert kinds[-1] == 0
    assert result.failure.kind is K.CIRCUIT_OPEN
    assert result.retry_at_s is not None
    forced = Stage(A)
    forced.board.operate("a", Word.FORCE_OPEN, NOW_S)
    assert forced.play().attempts == ()


def test_a_panic_attempt_that_gets_no_place_gives_its_budget_back() -> None:
    stage = Stage(A)
    broken(stage)
    stage.scripts["reserve a"] = [K.NOT_PORTABLE] * 50
    for _ in range(50):
        assert stage.play().attempts == ()
    assert [one.purpose for one in stage.play().attempts] == [Purpose.PANIC], "nothing was begun so far"


def test_in_a_panic_those_that_fail_hardly_more_take_turns() -> None:
    stage = Stage(A, B)
    stage.scripts = {name: [K.SERVER_ERROR] * 40 for name in "ab"}
    while any(stage.board.standing(name).breakers[0].state is not State.OPEN for name in "ab"):
        stage.play()
    assert {tuple(tried_by(stage.play())) for _ in range(2)} == {("a",), ("b",)}


def test_who_alone_can_answer_is_asked_at_once_though_it_is_getting_worse() -> None:
    stage = Stage(A, policy=Policy(leave_early=True, retry=Retry(kind="none")))
    for took_s in [1.0] * 60 + [9.0] * 12:
        stage.took_s = took_s
        stage.play()
    assert stage.board.alarms("a")
    stage.log.clear()
    assert tried_by(stage.play()) == ["a"]
    assert stage.log == ["a"], "nobody waited"


def test_who_is_getting_worse_is_asked_after_the_others_and_before_anything_is_waited_for() -> None:
    stage = Stage(A, B, policy=Policy(leave_early=True, retry=Retry(kind="none")))
    for took_s in [1.0] * 60 + [9.0] * 12:
        stage.took_s = took_s
        assert tried_by(stage.play()) == ["a"] or stage.board.alarms("a")
    assert stage.board.alarms("a")
    assert tried_by(stage.play()) == ["b"]
    stage.scripts["b"] = [K.SERVER_ERROR]
    stage.log.clear()
    assert tried_by(stage.play()) == ["b", "a"]
    assert stage.log == ["b", "a"], "nobody waited"


def test_panic_takes_the_least_bad_that_nothing_else_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panic, "HARDLY_MORE", 0.0)
    stage = Stage(A, B, target("c", limits=Limits(in_flight=1)))
    for _ in range(15):
        assert tried_by(stage.play()) == ["a"]
    for name in "abc":
        stage.scripts = {each: [K.SERVER_ERROR] * 30 for each in ("abc" if name == "c" else name)}
        while stage.board.standing(name).breakers[0].state is not State.OPEN:
            stage.play()
    stage.scripts = {}
    hold = stage.board.hold(2, 1, stage.now_s)
    stage.outside = 1
    assert tried_by(stage.play()) == ["a"], "of those that may be asked it failed the least"
    stage.board.release(hold, stage.now_s)


def test_attempts_kept_for_a_tier_where_nobody_is_eligible_are_spent_before_giving_up() -> None:
    stage = Stage(
        A, B, target("c", lacks=("tools",)), policy=Policy(attempts_max=2), primary=("a", "b"), secondary=("c",)
    )
    stage.scripts["a"] = [K.SERVER_ERROR]
    assert tried_by(stage.play(needs=Needs(model="r", features=("tools",)))) == ["a", "b"]


def test_attempts_kept_for_nobody_are_spent_before_a_degraded_tier_is_asked() -> None:
    policy = Policy(attempts_max=3, retry=Retry(kind="none"))
    toolless = target("c", lacks=("tools",))
    stage = Stage(A, B, toolless, target("d"), policy=policy, primary=("a", "b"), secondary=("c",), emergency=("d",))
    stage.scripts["a"] = [K.SERVER_ERROR]
    result = stage.play(needs=Needs(model="r", features=("tools",)))
    assert (tried_by(result), result.degraded) == (["a", "b"], False)


def test_attempts_kept_for_nobody_are_spent_before_a_degraded_tier_is_asked_after_a_wait_too() -> None:
    policy = Policy(attempts_max=3, retry=Retry(kind="none"))
    toolless = target("c", lacks=("tools",))
    stage = Stage(A, B, toolless, target("d"), policy=policy, primary=("a", "b"), secondary=("c",), emergency=("d",))
    for slot in (0, 1):
        asked_too_much = ended(Failure(K.RATE_LIMIT, "", retry_after_s=2.0))
        stage.board.settle(stage.board.hold(slot, 0, NOW_S), asked_too_much, NOW_S)
    stage.scripts["a"] = [K.SERVER_ERROR]
    result = stage.play(needs=Needs(model="r", features=("tools",)))
    assert (stage.log, result.degraded) == (["wait 2.000", "a", "b"], False)


def test_attempts_that_no_degraded_tier_used_go_to_those_who_were_passed_over() -> None:
    policy = Policy(attempts_max=2, retry=Retry(kind="none"))
    toolless = target("c", lacks=("tools",))
    stage = Stage(A, B, toolless, policy=policy, primary=("a", "b"), emergency=("c",))
    stage.scripts["a"] = [K.SERVER_ERROR]
    result = stage.play(needs=Needs(model="r", features=("tools",)))
    assert (tried_by(result), result.degraded) == (["a", "b"], False)


def test_attempts_that_one_degraded_tier_did_not_use_go_to_the_rest_of_another() -> None:
    policy = Policy(attempts_max=3, retry=Retry(kind="none"))
    toolless = target("d", lacks=("tools",))
    stage = Stage(A, B, C, toolless, policy=policy, primary=("a",), emergency=("b", "c"), local=("d",))
    stage.scripts = {"a": [K.SERVER_ERROR], "b": [K.SERVER_ERROR]}
    result = stage.play(needs=Needs(model="r", features=("tools",)))
    assert (tried_by(result), result.degraded) == (["a", "b", "c"], True)


def test_after_its_rest_tests_close_it_or_one_failure_reopens_it() -> None:
    stage = Stage(A)
    broken(stage)
    stage.now_s += 61.0
    stage.scripts["a"] = [K.SERVER_ERROR]
    assert [one.purpose for one in stage.play().attempts] == [Purpose.TEST]
    assert stage.board.standing("a").breakers[0].state is State.OPEN
    stage.now_s += 61.0
    for _ in range(2):
        assert [one.purpose for one in stage.play().attempts] == [Purpose.TEST]
    assert stage.board.standing("a").breakers[0].state is State.CLOSED
    changes = [event.state for event in stage.events if isinstance(event, BreakerChanged)]
    assert changes == [State.OPEN, State.HALF_OPEN, State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_stream_that_breaks_after_its_commit_is_the_answer_and_a_failure() -> None:
    stage = Stage(A, B)
    result = stage.play(cut=True)
    assert tried_by(result) == ["a"]
    assert result.winner is not None
    assert result.failure is not None
    assert result.failure.kind is K.TRUNCATED


def test_too_long_goes_to_a_larger_window_only() -> None:
    small, unknown, large = target("a", context_tokens=100), B, target("c", context_tokens=1000)
    stage = Stage(small, unknown, large)
    stage.scripts["a"] = [K.CONTEXT_LENGTH]
    assert tried_by(stage.play()) == ["a", "c"]
    alone = Stage(target("a", context_tokens=100), B)
    alone.scripts["a"] = [K.CONTEXT_LENGTH]
    result = alone.play()
    assert result.failure is not None
    assert result.failure.kind is K.CONTEXT_LENGTH
    assert tried_by(Stage(small, large).play(needs=Needs(model="r", tokens_in=500))) == ["c"]


@pytest.mark.parametrize(
    ("one", "needs", "kind"),
    [
        (target("a", lacks=("tools",)), Needs(model="r", features=("tools",)), K.CAPABILITY_MISMATCH),
        (target("a", context_tokens=10), Needs(model="r", tokens_in=10_000), K.CONTEXT_LENGTH),
        (target("a", limits=Limits(rpm=1)), Needs(model="r"), K.LOCAL_LIMIT),
    ],
)
def test_who_cannot_be_asked_says_why(one: Target, needs: Needs, kind: FailureKind) -> None:
    stage = Stage(one, policy=Policy(wait_max_s=0))
    if one.limits.rpm:
        assert stage.play(needs=needs).failure is None
    result = stage.play(needs=needs)
    assert result.attempts == ()
    assert result.failure is not None
    assert result.failure.kind is kind
    assert "a" in result.failure.message
    assert "a" in str(stage.decision.explain())


def test_mixed_reasons_are_unavailable_and_no_reason_is_no_target() -> None:
    stage = Stage(A, B)
    stage.scripts = {"a": [K.SERVER_ERROR], "b": [K.AUTH]}
    result = stage.play()
    assert result.failure is not None
    assert result.failure.kind is K.UNAVAILABLE
    empty = Stage(A, SORRY, primary=("sorry",))
    empty.scripts["reserve sorry"] = [K.NO_TARGET]
    told = empty.play()
    assert told.failure is not None
    assert told.failure.kind is K.NO_TARGET


def test_a_place_that_is_refused_is_told_by_its_kind() -> None:
    stage = Stage(A)
    stage.scripts["reserve a"] = [K.NOT_PORTABLE]
    result = stage.play()
    assert result.failure is not None
    assert result.failure.kind is K.NOT_PORTABLE


def test_limits_are_shared_by_workers_and_refill() -> None:
    stage = Stage(target("a", limits=Limits(rpm=4, tpm=4000, in_flight=4)), policy=Policy(wait_max_s=0), share=0.5)
    assert [stage.play().failure is None for _ in range(3)] == [True, True, False]
    stage.now_s += 31.0
    assert stage.play().failure is None
    holds = [stage.board.hold(0, 10, stage.now_s) for _ in range(2)]
    stage.outside = 2
    full = stage.play()
    assert full.failure is not None
    assert full.failure.kind is K.LOCAL_LIMIT
    for hold in holds:
        stage.board.release(hold, stage.now_s)


def test_a_worker_has_its_share_of_each_bound_and_one_place_at_least() -> None:
    board = Scoreboard(1 / 3)
    board.register(target("a", limits=Limits(rpm=60, tpm=600, in_flight=9)), BreakerSettings())
    board.register(target("b", limits=Limits(in_flight=2)), BreakerSettings())
    assert board.standing("a").bounds == Bounds(3, per_minute(20), per_minute(200))
    assert board.standing("b").bounds == Bounds(1, None, None)


def test_there_is_no_room_where_a_place_or_a_request_is_missing() -> None:
    board = Scoreboard()
    slot, _ = board.register(target("a", limits=Limits(in_flight=2)), BreakerSettings())
    holds = [board.hold(slot, 0, NOW_S)]
    assert board.standing("a").room == ROOM
    holds.append(board.hold(slot, 0, NOW_S))
    assert board.standing("a").room == NO_ROOM
    board.release(holds.pop(), NOW_S)
    assert board.standing("a").room == ROOM
    slot, _ = board.register(target("b", limits=Limits(rpm=2)), BreakerSettings())
    board.hold(slot, 0, NOW_S)
    assert board.standing("b").room == ROOM, "one request is there still"
    board.hold(slot, 0, NOW_S)
    assert board.standing("b").room == NO_ROOM


def test_tokens_in_flight_are_counted_from_when_somebody_reads_them() -> None:
    board = Scoreboard()
    slot, _ = board.register(A, BreakerSettings())
    before = board.hold(slot, 500, NOW_S)
    board.measure(slot)
    first, second = board.hold(slot, 100, NOW_S), board.hold(slot, 30, NOW_S)
    board.settle(first, ended(), NOW_S)
    assert board.standing("a").tokens_in_flight == 30
    board.settle(before, ended(), NOW_S)
    assert board.standing("a").tokens_in_flight == 0
    board.settle(second, ended(), NOW_S)
    assert board.standing("a").tokens_in_flight == 0


def test_tokens_are_settled_by_what_was_used() -> None:
    stage = Stage(target("a", limits=Limits(tpm=600)))
    hold = stage.board.hold(0, 100, NOW_S)
    outcome = Outcome(
        number=1,
        target="a",
        tier="primary",
        purpose=Purpose.FIRST,
        started_s=NOW_S,
        ended_s=NOW_S,
        usage=Usage(input=400),
    )
    stage.board.settle(hold, outcome, NOW_S)
    standing = stage.board.standing("a")
    assert standing.bounds.tokens is not None
    assert standing.bounds.tokens.level(standing.tokens_empty_s, NOW_S) == pytest.approx(200)


def test_changed_limits_and_a_changed_target_are_taken_up_by_the_same_board() -> None:
    board = Scoreboard()
    settings = BreakerSettings()
    slot, _ = board.register(target("a"), settings)
    assert board.register(target("a", limits=Limits(rpm=5)), settings)[0] == slot
    assert board.standing("a").bounds.requests is not None
    assert board.register(target("a", provider="another"), settings)[0] != slot


def test_who_is_registered_again_unchanged_keeps_what_was_learned_of_it() -> None:
    board = Scoreboard()
    one = target("a", limits=Limits(rpm=60, adaptive=True))
    slot, index = board.register(one, BreakerSettings())
    board.learn_times(slot)
    board.measure(slot, wary=True)
    hold = board.hold(slot, 0, NOW_S)
    overloaded = Outcome(
        number=1,
        target="a",
        tier="t",
        purpose=Purpose.FIRST,
        started_s=NOW_S,
        ended_s=NOW_S,
        failure=Failure(K.OVERLOADED, "", scope=Implicates.TARGET),
    )
    board.settle(hold, overloaded, NOW_S)
    for _ in range(40):
        board.settle(board.hold(slot, 0, NOW_S), replace(overloaded, failure=None, ended_s=NOW_S + 2.0), NOW_S + 2.0)
    known = board.standing("a")
    assert known.bounds.in_flight is not None
    assert known.measures is not UNMEASURED
    assert board.register(one, BreakerSettings()) == (slot, index), "one breaker for the same settings"
    board.learn_times(slot)
    board.measure(slot)
    board.measure(slot, wary=True)
    again = board.standing("a")
    assert (again.bounds, again.measures, again.seen) == (known.bounds, known.measures, known.seen)
    assert len(again.breakers) == 1
    assert board.patience_s(slot, Hedge()) == pytest.approx(2.0, rel=0.1)


def test_a_board_of_its_own_has_the_whole_of_every_limit() -> None:
    board = Scoreboard()
    board.register(target("a", limits=Limits(in_flight=10)), BreakerSettings())
    assert board.standing("a").bounds.in_flight == 10


def test_turns_are_counted_for_each_rotation_from_zero() -> None:
    board = Scoreboard()
    assert [board.turn(key) for key in ("a", "a", "b", "a")] == [0, 1, 0, 2]


def test_a_test_slot_of_one_of_two_breakers_is_held_credited_and_given_back_there_alone() -> None:
    board = Scoreboard()
    one = target("a", limits=Limits(in_flight=9))
    quick = BreakerSettings(failures=1, recovery_s=5.0, half_open=2, successes=2)
    slot, _ = board.register(one, quick)
    board.settle(board.hold(slot, 0, NOW_S), ended(Failure(K.SERVER_ERROR, "")), NOW_S)
    board.register(one, BreakerSettings())
    now_s = NOW_S + 5.0

    def stands() -> list[tuple[State, int]]:
        return [(view.state, view.tests_free) for view in board.standing("a").breakers]

    calm = (State.CLOSED, BreakerSettings().half_open)
    first, second = board.hold(slot, 0, now_s), board.hold(slot, 0, now_s)
    assert (bool(first.tests[0]), first.tests[1]) == (True, 0)
    assert stands() == [(State.HALF_OPEN, 0), calm]
    board.release(second, now_s)
    assert stands() == [(State.HALF_OPEN, 1), calm]
    board.commit(first, now_s)
    board.settle(first, ended(committed=True), now_s)
    assert stands() == [(State.HALF_OPEN, 2), calm], "one success, though it was credited before its end"
    third = board.hold(slot, 0, now_s)
    board.commit(third, now_s)
    assert stands()[0][0] is State.CLOSED, "provisionally, while its stream goes on"
    board.settle(board.hold(slot, 0, now_s), ended(Failure(K.SERVER_ERROR, "")), now_s)
    assert [state for state, _ in stands()] == [State.OPEN, State.CLOSED]
    assert board.operate("a", Word.PROBE_GOOD, now_s), "one of them changed"
    assert not board.operate("a", Word.PROBE_GOOD, now_s)


@pytest.mark.parametrize("end", ["release", "commit", "settle", "probed"])
def test_a_breaker_that_another_route_adds_meanwhile_holds_no_test_of_a_place_taken_before(end: str) -> None:
    board = Scoreboard()
    quick = BreakerSettings(failures=1, recovery_s=5.0, half_open=1, successes=1)
    slot, _ = board.register(A, quick)
    board.settle(board.hold(slot, 0, NOW_S), ended(Failure(K.SERVER_ERROR, "")), NOW_S)
    hold = board.hold(slot, 0, NOW_S + 5.0)
    board.register(A, BreakerSettings())
    if end == "release":
        board.release(hold, NOW_S + 5.0)
    elif end == "probed":
        board.probed(hold, ended(), NOW_S + 5.0, whole=True)
    else:
        if end == "commit":
            board.commit(hold, NOW_S + 5.0)
        board.settle(hold, ended(committed=True), NOW_S + 5.0)
    standing = board.standing("a")
    assert [view.tests_free for view in standing.breakers] == [1, BreakerSettings().half_open]
    assert standing.breakers[0].state is (State.HALF_OPEN if end == "release" else State.CLOSED)
    assert standing.in_flight == 0


def test_an_estimate_is_corrected_either_way_and_a_place_given_back_takes_nothing() -> None:
    board = Scoreboard()
    slot, _ = board.register(target("a", limits=Limits(rpm=60, tpm=600)), BreakerSettings())
    board.measure(slot)

    def left() -> tuple[float, float]:
        standing = board.standing("a")
        assert standing.bounds.requests is not None
        assert standing.bounds.tokens is not None
        return (
            standing.bounds.requests.level(standing.requests_empty_s, NOW_S),
            standing.bounds.tokens.level(standing.tokens_empty_s, NOW_S),
        )

    for used, level in ((40, 560.0), (101, 459.0), (100, 359.0)):
        board.settle(board.hold(slot, 100, NOW_S), ended(usage=Usage(input=used)), NOW_S)
        assert left()[1] == pytest.approx(level)
    assert board.standing("a").room == pytest.approx(359.0), "what is surely there"
    before, hold, other = left(), board.hold(slot, 100, NOW_S), board.hold(slot, 30, NOW_S)
    assert board.standing("a").tokens_in_flight == 130
    board.release(hold, NOW_S)
    assert board.standing("a").tokens_in_flight == 30
    board.release(other, NOW_S)
    assert left() == pytest.approx(before)
    board.probed(board.hold(slot, 100, NOW_S), ended(usage=Usage(input=10)), NOW_S, whole=True)
    assert left()[1] == pytest.approx(before[1] - 10)
    board.probed(board.hold(slot, 100, NOW_S), ended(), NOW_S, whole=True)
    assert left()[1] == pytest.approx(before[1] - 10)
    standing = board.standing("a")
    assert (standing.tokens_in_flight, standing.in_flight) == (0, 0)


def test_only_what_a_target_answers_for_is_in_its_share_of_failures_and_its_time_to_content() -> None:
    board = Scoreboard()
    slot, _ = board.register(A, BreakerSettings())

    def after(outcome: Outcome) -> tuple[int, float | None, float | None]:
        board.settle(board.hold(slot, 0, NOW_S), outcome, NOW_S)
        standing = board.standing("a")
        return standing.seen, standing.error_rate, standing.latency_ms

    nothing = (0, None, None)
    assert after(ended(Failure(K.INVALID_REQUEST, ""))) == nothing
    assert after(ended(Failure(K.CLIENT_LEFT, ""))) == nothing
    assert after(ended(Failure(K.LOST_RACE, ""))) == nothing
    assert after(ended(ended_s=NOW_S + 9.0, operation=Operation.COUNT)) == (1, 0.0, None)
    assert after(ended(first_content_s=NOW_S + 0.5, ended_s=NOW_S + 9.0)) == (2, 0.0, 500.0)
    seen, error_rate, latency_ms = after(ended(Failure(K.SERVER_ERROR, ""), ended_s=NOW_S + 9.0))
    assert (seen, latency_ms) == (3, 500.0)
    assert error_rate == pytest.approx(1 / 3)


def test_a_rest_lasts_as_the_provider_asked_at_most_a_day_and_a_later_shorter_one_does_not_end_it() -> None:
    stage = Stage(A)
    board = stage.board

    def rests_s(failure: Failure) -> float:
        board.settle(board.hold(0, 0, NOW_S), ended(failure), NOW_S)
        return board.standing("a").cool_down_until_s - NOW_S

    assert rests_s(Failure(K.RATE_LIMIT, "", retry_after_s=0.0)) == -NOW_S, "no rest at all"
    assert rests_s(Failure(K.RATE_LIMIT, "")) == TABLE[K.RATE_LIMIT].cool_down_s > 0
    assert rests_s(Failure(K.RATE_LIMIT, "", retry_after_s=0.5)) == TABLE[K.RATE_LIMIT].cool_down_s
    assert rests_s(Failure(K.RATE_LIMIT, "", retry_after_s=30 * 86400.0)) == 86400.0
    assert rests_s(Failure(K.AUTH, "")) == 86400.0
    assert board.standing("a").cool_down_kind is K.RATE_LIMIT, "what set the rest that lasts"
    assert [event.rest_s for event in stage.events if isinstance(event, CoolDownSet)][-2:] == [86400.0, 60.0]
    board.settle(board.hold(0, 0, NOW_S), ended(), NOW_S + 86399.0)
    assert board.standing("a").cool_down_until_s - NOW_S == 86400.0, "a success before its end says nothing"
    board.settle(board.hold(0, 0, NOW_S), ended(), NOW_S + 86400.0)
    assert (board.standing("a").cool_down_until_s, board.standing("a").cool_down_kind) == (0.0, None)


@pytest.mark.parametrize(
    ("kind", "whole", "state", "rests"),
    [
        (None, False, State.HALF_OPEN, False),
        (
            K.CONNECTION_REFUSED,
            False,
            State.OPEN,
            False,
        ),  # the provider is away, and nothing new is said about its target
        (K.AUTH, False, State.OPEN, False),  # a look is not what the key is for
        (K.AUTH, True, State.OPEN, True),
        (K.INVALID_REQUEST, True, State.OPEN, False),
        (K.CLIENT_LEFT, True, State.OPEN, False),
    ],
)
def test_what_a_probe_of_an_open_breaker_says(kind: FailureKind | None, whole: bool, state: State, rests: bool) -> None:
    stage = Stage(A)
    stage.scripts["a"] = [K.SERVER_ERROR] * 5
    while stage.board.standing("a").breakers[0].state is not State.OPEN:
        stage.play()
    failure = (
        None if kind is None else Failure(kind, "", retry_after_s=7.0 if kind is not K.CONNECTION_REFUSED else None)
    )
    hold = stage.board.hold(0, 0, stage.now_s)
    before = stage.board.standing("a")
    stage.board.probed(hold, ended(failure, purpose=Purpose.PROBE), stage.now_s, whole=whole)
    standing = stage.board.standing("a")
    assert standing.breakers[0].state is state
    assert (standing.cool_down_until_s == stage.now_s + 7.0) is rests
    assert (standing.seen, standing.error_rate) == (before.seen, before.error_rate), "nobody was answered"


def test_when_a_target_is_looked_at_next_is_told_and_known_to_siblings() -> None:
    stage = Stage(A)
    stage.scripts["a"] = [K.SERVER_ERROR] * 5
    while stage.board.standing("a").breakers[0].state is not State.OPEN:
        stage.play()
    opened = stage.events[-1]
    assert isinstance(opened, BreakerChanged)
    assert (opened.state, opened.rest_s) == (State.OPEN, BreakerSettings().recovery_s)
    for look_s, rest_s in ((stage.now_s + 12.0, 12.0), (stage.now_s - 1.0, 0.0)):
        stage.board.expect("a", look_s, stage.now_s)
        assert stage.board.standing("a").breakers[0].look_s == look_s
        assert stage.events[-1] == ProbeExpected("a", rest_s, stage.now_s)
    assert [one.purpose for one in stage.play().attempts] == [Purpose.PANIC], "it is open all the same"
    sibling = Stage(A)
    sibling.board.observe(opened, NOW_S)
    sibling.board.observe(replace(opened, breaker=1), NOW_S)  # of a route that it has not been told of yet
    sibling.board.observe(ProbeExpected("a", 12.0, 0.0), NOW_S)
    view = sibling.board.standing("a").breakers[0]
    assert (view.state, view.until_s, view.look_s) == (State.OPEN, NOW_S + opened.rest_s, NOW_S + 12.0)
    assert sibling.events == [], "who sent the news has told everyone"


def test_a_watched_breaker_counts_and_stops_nobody() -> None:
    stage = Stage(A)
    stage.board.operate("a", Word.WATCH, NOW_S)
    stage.scripts["a"] = [K.SERVER_ERROR] * 20
    for _ in range(20):
        assert [one.purpose for one in stage.play().attempts] == [Purpose.FIRST]
    stage.board.observe(BreakerChanged("a", breaker_of(stage), State.OPEN, 60.0, 0.0), stage.now_s)
    assert stage.board.standing("a").breakers[0].state is State.WATCH_ONLY, "an order outlives a sibling's measurement"


def judged(
    settings: BreakerSettings, failure: Failure | None, took_s: float = 0.1, first_s: float | None = None
) -> bool | None:
    outcome = Outcome(
        number=1,
        target="a",
        tier="t",
        purpose=Purpose.FIRST,
        started_s=0.0,
        ended_s=took_s,
        failure=failure,
        first_content_s=first_s,
    )
    return Breaker(settings).verdict(outcome)


def test_what_breakers_count() -> None:
    book = BreakerSettings()
    assert judged(book, None) is False
    assert judged(book, Failure(K.OVERLOADED, "")) is True
    assert judged(book, Failure(K.INVALID_REQUEST, "")) is None
    assert judged(book, Failure(K.RATE_LIMIT, "")) is True
    assert judged(book, Failure(K.RATE_LIMIT, "", retry_after_s=3.0)) is None
    own = BreakerSettings(counts=((K.AUTH, True), (K.OVERLOADED, False)))
    assert judged(own, Failure(K.AUTH, "")) is True
    assert judged(own, Failure(K.OVERLOADED, "")) is None
    slow = BreakerSettings(slow_ms=500)
    assert judged(slow, None, took_s=0.6) is True
    assert judged(slow, None, took_s=0.6, first_s=0.2) is False


def outcomes(settings: BreakerSettings, pattern: str, gap_s: float = 1.0) -> State:
    """Feed a pattern of `.` (well) and `x` (failed)."""
    one = Breaker(settings)
    now_s = NOW_S
    for sign in pattern:
        now_s += gap_s
        failure = Failure(K.SERVER_ERROR, "") if sign == "x" else None
        slot = one.take(now_s)
        done = Outcome(
            number=1, target="a", tier="t", purpose=Purpose.FIRST, started_s=now_s, ended_s=now_s, failure=failure
        )
        one.settle(done, now_s, slot=slot, credited=False)
    return one.state


@pytest.mark.parametrize(
    ("pattern", "gap_s", "state"),
    [
        ("xxxx.xxxx.", 1.0, State.OPEN),  # half of the last ones and more
        ("xxxx" + "." * 10 + "x", 1.0, State.CLOSED),  # five, and not half
        ("xx.xx.", 1.0, State.CLOSED),  # half, and not five
        ("." * 30 + "xx." * 7, 1.0, State.OPEN),  # half of the last ones, whatever was before them
        ("." * 30 + "xxxx", 1.0, State.CLOSED),
        ("xxxx.", 400.0, State.CLOSED),
        ("x.x.x.x.x", 400.0, State.CLOSED),  # long ago does not count
        ("x.x.x.x.x", 1.0, State.OPEN),
    ],
)
def test_when_a_breaker_opens(pattern: str, gap_s: float, state: State) -> None:
    assert outcomes(BreakerSettings(), pattern, gap_s) is state


@pytest.mark.parametrize(
    ("state", "tests_free", "admission"),
    [
        (State.CLOSED, 0, Admission.FLOW),
        (State.WATCH_ONLY, 0, Admission.FLOW),
        (State.HALF_OPEN, 1, Admission.TEST),
        (State.HALF_OPEN, 0, Admission.NO),
        (State.FORCED_OPEN, 1, Admission.NO),
    ],
)
def test_how_a_call_gets_through(state: State, tests_free: int, admission: Admission) -> None:
    assert BreakerView(state, 0.0, tests_free).admission(NOW_S) is admission


def test_an_open_breaker_may_be_tested_from_the_very_moment_at_which_its_recovery_is_due() -> None:
    view = BreakerView(State.OPEN, NOW_S + 5.0, 1)
    assert [view.admission(NOW_S + s) for s in (4.99, 5.0)] == [Admission.NO, Admission.TEST]


def test_a_test_of_a_half_open_period_that_is_over_says_nothing_about_the_next() -> None:
    one = Breaker(BreakerSettings(failures=1, recovery_s=5.0, half_open=2, successes=1))
    assert one.take(NOW_S) == 0, "no test while it is closed"
    one.settle(ended(Failure(K.SERVER_ERROR, "")), NOW_S)
    late, early = one.take(NOW_S + 5.0), one.take(NOW_S + 5.0)
    one.settle(ended(Failure(K.SERVER_ERROR, "")), NOW_S + 5.0, slot=early)
    assert one.state is State.OPEN
    present = one.take(NOW_S + 10.0)
    for well in (None, Failure(K.SERVER_ERROR, "")):
        one.settle(ended(well), NOW_S + 10.0, slot=late)
    assert not one.commit(late, NOW_S + 10.0)
    assert (one.state, one.view.tests_free) == (State.HALF_OPEN, 1)
    one.settle(ended(), NOW_S + 10.0, slot=present)
    assert one.state is State.CLOSED


def breaker_of(stage: Stage, index: int = 0) -> int:
    """The label of one of the breakers of target a."""
    return stage.board._tracks[stage.board.slot("a")].breakers[index].label


def test_a_siblings_breaker_is_known_by_its_settings_not_by_its_place() -> None:
    other = BreakerSettings(failures=9)
    here, there = Stage(A), Scoreboard()
    there.register(A, other)  # a rule fired there first
    here.board.register(A, other)
    news = BreakerChanged("a", there._tracks[0].breakers[0].label, State.OPEN, 60.0, 0.0)
    here.board.observe(news, here.now_s)
    assert [one.state for one in here.board.standing("a").breakers] == [State.CLOSED, State.OPEN]


def test_a_sibling_that_tests_or_closes_is_followed() -> None:
    stage = Stage(A)
    broken(stage)
    for state in (State.HALF_OPEN, State.HALF_OPEN, State.CLOSED):
        stage.board.observe(BreakerChanged("a", breaker_of(stage), state, 0.0, 0.0), stage.now_s)
        assert stage.board.standing("a").breakers[0].state is state
    stage.board.observe(BreakerChanged("nobody", breaker_of(stage), State.OPEN, 9.0, 0.0), stage.now_s)
    stage.board.observe(BreakerChanged("a", 7, State.OPEN, 9.0, 0.0), stage.now_s)
    stage.board.observe(CoolDownSet("nobody", Implicates.KEY, K.AUTH, 9.0, 0.0), stage.now_s)
    assert stage.board.standing("a").room == ROOM


def test_a_place_given_back_unused_costs_nothing() -> None:
    stage = Stage(A, target("b", limits=Limits(rpm=3, tpm=300)))
    for slot in (0, 1):
        before = stage.board.standings[slot]
        stage.board.release(stage.board.hold(slot, 50, NOW_S), NOW_S)
        after = stage.board.standings[slot]
        assert after.in_flight == 0
        assert after.breakers == before.breakers
        bounds = after.bounds
        if bounds.requests is not None and bounds.tokens is not None:
            assert bounds.requests.level(after.requests_empty_s, NOW_S) == 3
            assert bounds.tokens.level(after.tokens_empty_s, NOW_S) == 300


def test_a_test_request_counts_once_provisionally_at_its_commit() -> None:
    one = Breaker(BreakerSettings(failures=1, successes=2))
    failed = Outcome(
        number=1,
        target="a",
        tier="t",
        purpose=Purpose.FIRST,
        started_s=0.0,
        ended_s=0.0,
        failure=Failure(K.OVERLOADED, ""),
    )
    one.settle(failed, 0.0, slot=0, credited=False)
    first, second = one.take(61.0), one.take(61.0)
    assert one.commit(first, 61.0)
    one.settle(failed, 62.0, slot=first, credited=True)
    assert one.state is State.OPEN, "it broke after its commit"
    assert not one.commit(second, 62.0), "its test belongs to a time that is over"


def test_a_test_request_that_never_committed_counts_when_it_is_over() -> None:
    one = Breaker(BreakerSettings(successes=2))
    one.adopt(State.OPEN, 0.0)
    well = Outcome(number=1, target="a", tier="t", purpose=Purpose.TEST, started_s=1.0, ended_s=1.0)
    for state in (State.HALF_OPEN, State.CLOSED):
        one.settle(well, 1.0, slot=one.take(1.0), credited=False)
        assert one.state is state


def test_two_percent_errors_at_ten_a_second_never_open_it() -> None:
    dice = Dice(4)
    assert (
        outcomes(BreakerSettings(), "".join("x" if dice.chance(0.02) else "." for _ in range(20_000)), 0.1)
        is State.CLOSED
    )


def test_an_error_rate_of_ones_own_opens_it() -> None:
    pattern = "..x" * 8
    assert outcomes(BreakerSettings(), pattern) is State.CLOSED
    assert outcomes(BreakerSettings(error_rate=0.3), pattern) is State.OPEN


def test_a_replay_notices_what_changed() -> None:
    stage = Stage(A, B)
    stage.play()
    other = Stage(B, A)
    assert any("order" in words for words in replay(stage.decision, other.plan))
    stage.decision.version = "v0"
    assert "configuration v0" in replay(stage.decision, stage.plan)[0]
    stage.decision.version = "v1"
    assert "no tier" in replay(stage.decision, Stage(A, primary=("a",)).plan)[0]


def test_a_condition_that_reads_something_unheard_of_is_refused() -> None:
    class Odd:
        name, reads = "odd", "tea leaves"

        def excludes(self, candidate: object, ask: object) -> None:
            return None

    with pytest.raises(ValueError, match="tea leaves"):
        compile_route(
            Route(name="r", tiers=tiers_of({"primary": ("a",)})),
            {"a": A}.__getitem__,
            Scoreboard(),
            Failover(),
            LeastInFlight(),
            [Odd()],
            "v",
        )


def test_combinations_of_features_are_not_remembered_without_bound() -> None:
    stage = Stage(A)
    for number in range(600):
        stage.play(needs=Needs(model="r", features=(f"f{number}",)))
    assert stage.plan.tiers[0].passing == ("breaker", "cool_down", "health", "limits")


@given(
    tokens=st.lists(st.integers(0, 10**7), min_size=8, max_size=8),
    rates=st.lists(st.integers(0, 10**9), min_size=2, max_size=2),
)
def test_money_is_rounded_once_half_to_even(tokens: Sequence[int], rates: Sequence[int]) -> None:
    names = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "audio_in", "audio_out")
    usage = Usage(**dict(zip(names, tokens, strict=True)))
    price = Price(input=rates[0], output=rates[1])
    assert cost_nusd(usage, price) == round(Fraction(usage.prompt * rates[0] + usage.completion * rates[1], 1000))
    assert usage.total == usage.prompt + usage.completion


@pytest.mark.parametrize(
    ("pico", "nano"),
    [(499, 0), (500, 0), (501, 1), (1499, 1), (1500, 2), (1501, 2), (2499, 2), (2500, 2), (2501, 3), (3500, 4)],
)
def test_half_a_unit_of_money_goes_to_the_even_one(pico: int, nano: int) -> None:
    assert cost_nusd(Usage(input=1), Price(input=pico, output=0)) == nano
    assert cost_nusd(Usage(reasoning=1), Price(input=0, output=pico)) == nano


def test_a_request_costs_more_once_it_reads_more_than_the_price_says() -> None:
    longest = Price(input=9000, output=0)
    longer = Price(input=3000, output=0, longer=longest, longer_above=200)
    price = Price(input=1000, output=0, longer=longer, longer_above=100)
    for read, cost in ((100, 100), (101, 303), (200, 600), (201, 1809)):
        assert cost_nusd(Usage(input=read), price) == cost
    assert cost_nusd(Usage(input=50, cache_read=51), price) == 303, "what comes from a cache is read, too"
    assert cost_nusd(Usage(input=100, output=100), price) == 100, "what is written is not"


def test_the_budget_of_panics_is_what_requests_saved_and_a_little_more_each_second() -> None:
    budget = RetryBudget()

    def granted(now_s: float) -> int:
        return next(number for number in range(100) if not budget.withdraw(now_s))

    assert granted(NOW_S) == 10
    assert granted(NOW_S + 3.0) == 3
    for _ in range(20):
        budget.deposit()
    assert granted(NOW_S + 3.0) == 2, "one for ten requests"
    for _ in range(1000):
        budget.deposit()
    assert granted(NOW_S + 3.0) == 10, "no more is saved up"
    assert granted(NOW_S + 3.0) == 0, "and it is spent once"


def test_a_bucket_holds_no_more_than_its_capacity_and_all_of_it_is_the_most_to_wait_for() -> None:
    rate = per_minute(60)
    full_s = rate.taken(FULL, 1.0, NOW_S)
    assert rate.level(full_s, NOW_S) == 59.0
    assert rate.level(full_s, NOW_S + 3600.0) == 60.0
    assert rate.level(rate.given_back(full_s, 50.0, NOW_S), NOW_S) == 60.0, "what was never taken is not given back"
    empty_s = rate.taken(full_s, 59.0, NOW_S)
    assert rate.ready_s(empty_s, 10.0, NOW_S) == NOW_S + 10.0
    assert rate.ready_s(empty_s, 1000.0, NOW_S) == NOW_S + 60.0, (
        "more than it ever holds is let through when it is full"
    )
    assert rate.ready_s(empty_s, 10.0, NOW_S + 10.0 - 1e-9) == NOW_S + 10.0 - 1e-9, "a float's rounding is no wait"
    assert rate.ready_s(empty_s, 10.0, NOW_S + 30.0) == NOW_S + 30.0


def test_unknown_prices_and_amounts_for_readers() -> None:
    assert cost_nusd(Usage(input=5), None) is None
    assert cost_nusd(None, Price(input=1, output=1)) is None
    assert cost_nusd(Usage(cache_read=1000), Price(input=1000, output=1, cache_read=100)) == 100
    assert dollars(0) == "$0.00"
    assert dollars(1_234_500_000) == "$1.2345"
    assert dollars(-5) == "-$0.000000005"


def test_backoff_grows_to_its_bound_with_jitter_on_both_sides() -> None:
    plain = Retry(jitter=0.0)
    assert [delay_s(plain, repeat, Dice(1)) for repeat in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    jittered = [delay_s(Retry(jitter=0.5), 0, Dice(seed)) for seed in range(200)]
    assert 0.5 <= min(jittered) < 0.6
    assert 1.4 < max(jittered) <= 1.5


# Recovery


def recovered(ramp_s: float) -> Stage:
    """Two targets, the first of which has failed, rested, passed its tests and was closed again just now."""
    settings = BreakerSettings(failures=1, recovery_s=5.0, half_open=1, successes=1, ramp_s=ramp_s)
    stage = Stage(A, B, policy=Policy(retry=Retry(kind="none"), breaker=settings))
    stage.took_s = 0.0
    stage.scripts["a"] = [K.OVERLOADED]
    stage.play()
    stage.now_s += 60
    assert stage.play().winner.target == "a", "it is tested"  # type: ignore[union-attr]
    assert stage.board.standing("a").breakers[0].state is State.CLOSED
    return stage


def share_of(stage: Stage, name: str, plays: int = 400) -> float:
    return sum(stage.play().winner.target == name for _ in range(plays)) / plays  # type: ignore[union-attr]


def test_one_test_at_a_time_may_have_to_pass_three_times() -> None:
    breaker = Breaker(BreakerSettings(half_open=1, successes=3))
    breaker.happen(Word.FORCE_OPEN, 0.0)
    breaker.happen(Word.RELEASE, 0.0)
    for now_s in (1.0, 2.0, 3.0):
        assert breaker.state is State.HALF_OPEN
        slot = breaker.take(now_s)
        assert breaker.view.tests_free == 0
        breaker.settle(Outcome(1, "a", "primary", Purpose.TEST, now_s, now_s), now_s, slot)
    assert breaker.state is State.CLOSED


def test_a_target_that_recovered_gets_its_traffic_back_little_by_little() -> None:
    stage = recovered(ramp_s=40)
    stage.now_s += 4
    assert share_of(stage, "a") == pytest.approx(0.1, abs=0.06)
    stage.now_s += 16
    assert share_of(stage, "a") == pytest.approx(0.5, abs=0.1)
    assert not stage.board.standing("a").breakers[0].calm
    stage.now_s += 20
    assert share_of(stage, "a") == 1.0
    assert stage.board.standing("a").breakers[0].calm


def test_without_a_ramp_it_gets_all_of_it_at_once() -> None:
    assert share_of(recovered(ramp_s=0), "a", 20) == 1.0


def test_a_target_that_recovered_is_asked_when_nobody_else_can_be() -> None:
    stage = recovered(ramp_s=1e6)
    stage.scripts["b"] = [K.SERVER_ERROR]
    result = stage.play()
    assert [outcome.target for outcome in result.attempts] == ["b", "a"]


def test_a_sibling_that_closed_its_breaker_ramps_here_too() -> None:
    stage = Stage(A, B)
    stage.board.observe(BreakerChanged("a", breaker_of(stage), State.HALF_OPEN, 0.0, 0.0), stage.now_s)
    stage.board.observe(BreakerChanged("a", breaker_of(stage), State.CLOSED, 30.0, 0.0), stage.now_s)
    assert stage.board.standing("a").breakers[0].until_s == stage.now_s + 30
    assert not stage.board.standing("a").breakers[0].calm


def test_a_ramp_that_a_sibling_takes_is_followed_by_a_worker_that_has_none() -> None:
    stage = Stage(A, B, policy=Policy(breaker=BreakerSettings(ramp_s=0)))
    stage.board.observe(BreakerChanged("a", breaker_of(stage), State.HALF_OPEN, 0.0, 0.0), stage.now_s)
    stage.board.observe(BreakerChanged("a", breaker_of(stage), State.CLOSED, 30.0, 0.0), stage.now_s)
    assert share_of(stage, "a", 20) == 0.0, "the sibling may know more of it"
    stage.now_s += 30.0
    assert share_of(stage, "a", 20) == 1.0


def test_a_refused_prompt_goes_elsewhere_only_where_the_policy_says_so() -> None:
    for policy, asked in (
        (Policy(retry=Retry(kind="none")), ["a"]),
        (Policy(retry=Retry(kind="none"), elsewhere_when_filtered=True), ["a", "b"]),
    ):
        stage = Stage(A, B, policy=policy)
        stage.scripts["a"] = [K.CONTENT_FILTER]
        assert [outcome.target for outcome in stage.play().attempts] == asked
    stage.scripts["a"] = stage.scripts["b"] = [K.CONTENT_FILTER, K.CONTENT_FILTER]
    failure = stage.play().failure
    assert failure is not None
    assert failure.kind is K.CONTENT_FILTER


def test_another_routes_open_breaker_is_nothing_to_ask_about() -> None:
    stage = Stage(A, B, policy=Policy(breaker=BreakerSettings(counts=((K.SERVER_ERROR, False),))))
    slot, _ = stage.board.register(A, BreakerSettings(failures=1))
    stage.scripts["a"] = [K.SERVER_ERROR]
    stage.play()
    calm = [view.calm for view in stage.board.standings[slot].breakers]
    assert calm == [True, False], "the route's own, and that of whoever counts such failures"
    assert stage.play().winner.target == "a"  # type: ignore[union-attr]

"""The engine itself in virtual time: hundreds of requests under faults, exact timeouts, and callers who leave anywhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from theatre import CONFIGURATION, Cut, Theatre
from understudy.core.dice import Dice
from understudy.core.event import AttemptEnded, Event, RequestEnded
from understudy.core.failure import FailureKind
from understudy.faults import FAULTS
from understudy.sim.client import Listener
from understudy.sim.invariants import Moment, Seen, Step, check
from understudy.sim.loop import run_virtual
from understudy.sim.watch import admitted

FAULTS_AT_WORK: dict[str, dict[str, Any]] = {
    "outage": {"where": ["ada"], "from_s": 5, "to_s": 40},
    "cascading_outage": {"spreads": ["ada", "ben", "cleo"], "from_s": 5, "step_s": 5, "lasts_s": 20},
    "partial_degradation": {"share": 0.5},
    "rate_limit_exhaustion": {"where": ["ada", "ben"], "requests": 5, "per_s": 10},
    "silence": {"where": ["ada"], "share": 0.5},
    "truncated_stream": {"share": 0.5},
    "stalled_stream": {"share": 0.3},
    "flapping": {"up_s": 5, "down_s": 5, "how": "reset"},
    "corrupt_answers": {"share": 0.5},
    "in_band_error": {"share": 0.5, "after_chunks": None},
    "error_burst": {"problem": "invalid_request", "share": 0.3},
    "reset": {"share": 0.5},
    "latency": {"where": ["ada"], "headers_s": 3.0, "kind": "pareto", "spread": 1.1},
    "slow_trickle": {"where": ["ada", "ben"], "pause_s": 0.7},
    "partition": {"where": ["ada"], "from_s": 5, "to_s": 40},
    "clock_skew": {"where": ["ada"], "skew_s": 400, "from_s": 5, "to_s": 20},
    "slow_death": {"where": ["ada"], "dies_in_s": 40},
    "overload": {"per_s": 1.0, "retry_after_s": 2},
    "quota_exhaustion": {"where": ["ada", "ben"], "requests": 20},
    "dns_failure": {"where": ["ada"], "from_s": 5, "to_s": 40, "takes_s": 0.5},
    "certificate_expiry": {"share": 0.5},
    "credential_revocation": {"where": ["ada", "ben"], "from_s": 10, "to_s": 40, "spreads_s": 10},
    "byzantine_answers": {"share": 0.5},
    "giant_answers": {"share": 0.5},
}
LATENCY = FAULTS.build("latency", {"kind": "lognormal", "headers_s": 0.3, "first_content_s": 0.1, "chunk_s": 0.1})
REQUESTS = 150


class Critic:
    """Asks the invariants of everything that the engine tells."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.booked: dict[str, list[Any]] = {}
        theatre.engine.events.observe(self)

    def __call__(self, _number: int, event: Event) -> None:
        if isinstance(event, AttemptEnded):
            self.booked.setdefault(event.decision, []).append(event.outcome)
            taken = self.theatre.board.settled
            assert taken is not None
            assert taken.outcome is event.outcome
            assert admitted(taken, 0, event.outcome.purpose) is None
            assert taken.target.stand_in or taken.at_s >= taken.rests_until_s - 1e-9
        elif isinstance(event, RequestEnded):
            self.judge(event)

    def judge(self, event: RequestEnded) -> None:
        result, engine = event.result, self.theatre.engine
        kept = engine.decisions.get(result.decision)
        assert kept is not None
        plan = engine.snapshot.plans[result.route]
        seen = Seen(plan, kept[0], result.started_s + plan.policy.deadline_s)
        seen.outcomes = self.booked.get(result.decision, [])
        entries = {entry.target.name: entry for tier in plan.tiers for entry in tier.entries}
        seen.started = [entries[outcome.target] for outcome in seen.outcomes]
        seen.results = [result]
        seen.left = result.failure is not None and result.failure.kind is FailureKind.CLIENT_LEFT
        step = Step(now_s=engine.now_s(), board=self.theatre.board, seen=seen)
        check(Moment.REQUEST, step)
        assert seen.paid <= plan.policy.attempts_max

    def final(self) -> None:
        theatre = self.theatre
        assert not theatre.errors, theatre.errors[0]
        assert not theatre.client.open
        assert not theatre.board.books.out
        assert not theatre.board.books.complaints
        assert all(theatre.board.standing(name).in_flight == 0 for name in theatre.board.targets())


def test_every_fault_is_at_work_here() -> None:
    assert set(FAULTS_AT_WORK) == set(FAULTS.names())


@pytest.mark.no_cover
@pytest.mark.parametrize("fault", FAULTS_AT_WORK)
def test_every_invariant_holds_in_the_engine_under(fault: str) -> None:
    async def evening() -> Theatre:
        theatre = Theatre((FAULTS.build(fault, FAULTS_AT_WORK[fault]), LATENCY), seed=len(fault))
        critic = Critic(theatre)
        dice = Dice(len(fault)).fork(1)
        listeners = []

        async def one(number: int) -> None:
            await asyncio.sleep(dice.between(0.0, 60.0))
            listener = Listener(pause_s=0.05 * (number % 3))
            listeners.append(listener)
            leaves = dice.exponential(1.0) if number % 7 == 0 else None
            await theatre.ask(
                listener, stream=number % 2 == 0, route="kind" if number % 5 == 0 else "default", leaves_after_s=leaves
            )

        await asyncio.gather(*(one(number) for number in range(REQUESTS)))
        critic.final()
        assert len(theatre.results()) == REQUESTS
        assert all(listener.finished or listener.left for listener in listeners)
        return theatre

    theatre, took_s = run_virtual(evening())
    assert took_s > 55
    assert sum(result.winner is not None for result in theatre.results()) > REQUESTS / 4


@pytest.mark.parametrize(
    ("fault", "settings", "stream", "kind", "after_s"),
    [
        ("outage", {"how": "timeout"}, False, FailureKind.CONNECT_TIMEOUT, 2.0),
        ("silence", {}, True, FailureKind.HEADERS_TIMEOUT, 5.0),
        ("silence", {}, False, FailureKind.ANSWER_TIMEOUT, 8.0),
        ("silence", {"after": "headers"}, True, FailureKind.FIRST_CONTENT_TIMEOUT, 6.0),
        ("partition", {}, False, FailureKind.CONNECT_TIMEOUT, 2.0),
        ("dns_failure", {"takes_s": 1.5}, True, FailureKind.DNS_FAILED, 1.5),
        ("certificate_expiry", {}, True, FailureKind.TLS_FAILED, 0.0),
        ("giant_answers", {}, False, FailureKind.ANSWER_TOO_LARGE, 0.0),
        ("giant_answers", {}, True, FailureKind.ANSWER_TOO_LARGE, 0.0),
    ],
)
def test_a_timeout_strikes_at_its_very_moment(
    fault: str, settings: dict[str, Any], stream: bool, kind: FailureKind, after_s: float
) -> None:
    async def main() -> None:
        text = CONFIGURATION.replace("{primary: [ada, ben], secondary: [cleo]}", "{primary: [ada], secondary: [cleo]}")
        theatre = Theatre((FAULTS.build(fault, {"where": ["ada"], **settings}),), text=text)
        result = await theatre.ask(Listener(), stream=stream)
        assert result is not None
        failed, answered = result.attempts
        assert failed.failure is not None
        assert failed.failure.kind is kind
        assert failed.ended_s - failed.started_s == pytest.approx(after_s, abs=1e-9)
        assert answered.good

    run_virtual(main())


def test_a_stream_that_stalls_is_cut_after_idle_s_with_an_error_event() -> None:
    async def main() -> None:
        theatre = Theatre((FAULTS.build("stalled_stream", {"after_chunks": 1}),))
        listener = Listener()
        result = await theatre.ask(listener, stream=True)
        assert result is not None
        assert result.failure is not None
        assert result.failure.kind is FailureKind.IDLE_TIMEOUT
        assert result.ended_s == pytest.approx(3.0, abs=1e-9)
        assert b'"error"' in listener.body
        assert b"[DONE]" not in listener.body
        assert not theatre.client.open

    run_virtual(main())


@pytest.mark.parametrize("stream", [False, True])
def test_all_silent_means_an_error_at_the_deadline(stream: bool) -> None:
    async def main() -> None:
        theatre = Theatre((FAULTS.build("silence", {}),))
        listener = Listener()
        result = await theatre.ask(listener, stream=stream, deadline_s=4.0)
        assert result is not None
        assert result.winner is None
        assert result.ended_s == pytest.approx(4.0, abs=1e-9)
        assert listener.status == 504
        assert not theatre.client.open

    run_virtual(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["latency", "outage", "truncated_stream", "rate_limit_exhaustion", "silence"])
def test_a_caller_may_leave_at_every_await_and_nothing_stays_behind(fault: str, stream: bool) -> None:
    async def leave_at(k: int) -> bool:
        faults = (FAULTS.build(fault, {"where": ["ada", "ben"]}), LATENCY)
        theatre = Theatre(faults)
        critic = Critic(theatre)
        listener = Listener(pause_s=0.01)
        cut = Cut(theatre.engine.handle(theatre.call(stream=stream), listener), k, listener)
        with suppress(asyncio.CancelledError):
            await cut
        critic.final()
        assert len(theatre.results()) == 1
        return cut.cut

    k = 1
    while run_virtual(leave_at(k))[0]:
        k += 1
    assert k > 2

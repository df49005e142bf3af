"""What will happen to an attempt: how faults combine, and what a caller with given timeouts sees of it."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.dice import Dice
from understudy.core.failure import FailureKind as K
from understudy.core.policy import Timeouts
from understudy.faults import (
    FAULTS,
    Arrivals,
    Connect,
    Content,
    Ending,
    Packing,
    Plan,
    Reply,
    Scene,
    Timeline,
    Trouble,
    aimed_at,
    plan_among,
    plan_attempt,
    risk,
    up,
)

PATIENT = Timeouts(connect_s=5, headers_s=30, first_content_s=60, idle_s=20, answer_s=300)
OVERLOADED = Trouble("overloaded")
STREAM = Plan(stream=True, chunks=4, headers_s=1, first_content_s=2, chunk_s=3)
WHOLE = Plan(chunks=4, headers_s=1, first_content_s=2, chunk_s=3)


def test_without_faults_the_answer_is_immediate_and_proper() -> None:
    plan = plan_attempt(Scene(now_s=5.0, stream=True, chunks=3), (), Dice(1))
    assert plan == Plan(stream=True, chunks=3)
    assert plan.timeline(PATIENT) == Timeline(headers_s=0, content_s=0, ended_s=0, chunks=3, failure=None)


def test_within_a_phase_the_first_fault_decides() -> None:
    plan = Plan().fails_with(OVERLOADED).replies(Reply.RESET)
    assert (plan.reply, plan.trouble) == (Reply.ERROR, OVERLOADED)
    assert Plan().cannot_connect(Connect.REFUSED).cannot_connect(Connect.TIMEOUT).connect is Connect.REFUSED
    assert Plan().holds(Content.EMPTY).holds(Content.HTML).content is Content.EMPTY
    assert Plan().ends(Ending.CUT, 2).ends(Ending.STALL, 1).ending_after == 2


def test_between_phases_the_earlier_one_decides_in_whatever_order_the_faults_stand() -> None:
    names = ["truncated_stream", "corrupt_answers", "error_burst", "outage"]
    faults = [FAULTS.build(name) for name in names]
    for ordered in (faults, faults[::-1]):
        plan = plan_attempt(Scene(now_s=0.0), ordered, Dice(3))
        assert plan.timeline(PATIENT).failure is K.CONNECTION_REFUSED


def test_times_add_up() -> None:
    latency = {"headers_s": 1.0, "connect_s": 0.5, "first_content_s": 0.25, "chunk_s": 0.125}
    twice = [FAULTS.build("latency", latency), FAULTS.build("latency", latency)]
    plan = plan_attempt(Scene(now_s=0.0, stream=True), twice, Dice(1))
    assert (plan.connect_s, plan.headers_s, plan.first_content_s, plan.chunk_s) == (1.0, 2.0, 0.5, 0.25)


def test_another_fault_changes_no_others_luck() -> None:
    burst = FAULTS.build("error_burst", {"share": 0.5})
    later = FAULTS.build("truncated_stream", {"share": 0.5})
    for seed in range(50):
        alone = plan_attempt(Scene(now_s=0.0), [burst], Dice(seed))
        beside = plan_attempt(Scene(now_s=0.0), [burst, later], Dice(seed))
        assert alone.reply is beside.reply


@pytest.mark.parametrize(
    ("plan", "seen"),
    [
        (STREAM, (1, 3, 12, 4, None)),
        (STREAM.cannot_connect(Connect.REFUSED), (inf, inf, 0, 0, K.CONNECTION_REFUSED)),
        (STREAM.cannot_connect(Connect.DNS_FAILED), (inf, inf, 0, 0, K.DNS_FAILED)),
        (STREAM.cannot_connect(Connect.TLS_FAILED), (inf, inf, 0, 0, K.TLS_FAILED)),
        (STREAM.cannot_connect(Connect.TIMEOUT), (inf, inf, 5, 0, K.CONNECT_TIMEOUT)),
        (STREAM.slower(connect_s=6), (inf, inf, 5, 0, K.CONNECT_TIMEOUT)),
        (STREAM.replies(Reply.SILENCE), (inf, inf, 30, 0, K.HEADERS_TIMEOUT)),
        (STREAM.slower(headers_s=30), (inf, inf, 30, 0, K.HEADERS_TIMEOUT)),
        (STREAM.replies(Reply.RESET), (inf, inf, 1, 0, K.CONNECTION_LOST)),
        (STREAM.replies(Reply.NOT_HTTP), (inf, inf, 1, 0, K.MALFORMED)),
        (STREAM.fails_with(OVERLOADED), (1, inf, 1, 0, K.OVERLOADED)),
        (STREAM.slower(first_content_s=60), (1, inf, 60, 0, K.FIRST_CONTENT_TIMEOUT)),
        (STREAM.slower(chunk_s=20), (1, 3, 23, 1, K.IDLE_TIMEOUT)),
        (STREAM.holds(Content.EMPTY), (1, inf, 3, 0, K.EMPTY)),
        (STREAM.holds(Content.BROKEN_JSON), (1, inf, 3, 0, K.MALFORMED)),
        (STREAM.holds(Content.HTML), (1, inf, 3, 0, K.MALFORMED)),
        (STREAM.ends(Ending.CUT, 0), (1, inf, 3, 0, K.TRUNCATED)),
        (STREAM.ends(Ending.CUT, 2), (1, 3, 6, 2, K.TRUNCATED)),
        (STREAM.ends(Ending.RESET, 99), (1, 3, 12, 4, K.TRUNCATED)),
        (STREAM.ends(Ending.UNFINISHED, 4), (1, 3, 12, 4, K.TRUNCATED)),
        (STREAM.ends(Ending.STALL, 0), (1, inf, 60, 0, K.FIRST_CONTENT_TIMEOUT)),
        (STREAM.ends(Ending.STALL, 2), (1, 3, 26, 2, K.IDLE_TIMEOUT)),
        (STREAM.ends(Ending.ERROR_EVENT, 0, OVERLOADED), (1, inf, 3, 0, K.OVERLOADED)),
        (STREAM.ends(Ending.ERROR_EVENT, 3, OVERLOADED), (1, 3, 9, 3, K.OVERLOADED)),
        (STREAM.holds(Content.EMPTY).ends(Ending.STALL, 2), (1, inf, 3, 0, K.EMPTY)),
        (STREAM.dies(0.5), (inf, inf, 0.5, 0, K.CONNECTION_LOST)),
        (STREAM.dies(2), (1, inf, 2, 0, K.TRUNCATED)),
        (STREAM.dies(7), (1, 3, 7, 2, K.TRUNCATED)),
        (STREAM.dies(12.5), (1, 3, 12, 4, None)),
        (STREAM.dies(9).dies(7), (1, 3, 7, 2, K.TRUNCATED)),
        (STREAM.hushed(0.0).slower(connect_s=1), (inf, inf, 5, 0, K.CONNECT_TIMEOUT)),
        (STREAM.hushed(0.5), (inf, inf, 30, 0, K.HEADERS_TIMEOUT)),
        (STREAM.hushed(2), (1, inf, 60, 0, K.FIRST_CONTENT_TIMEOUT)),
        (STREAM.hushed(7), (1, 3, 26, 2, K.IDLE_TIMEOUT)),
        (STREAM.hushed(12.5), (1, 3, 12, 4, None)),
        (STREAM.hushed(7).dies(8), (1, 3, 26, 2, K.IDLE_TIMEOUT)),
        (STREAM.dies(7).hushed(8), (1, 3, 7, 2, K.TRUNCATED)),
        (STREAM.fails_with(OVERLOADED).hushed(0.5), (inf, inf, 30, 0, K.HEADERS_TIMEOUT)),
        (STREAM.holds(Content.MISTYPED), (1, inf, 3, 0, K.MALFORMED)),
        (STREAM.holds(Content.FOREIGN), (1, inf, 3, 0, K.MALFORMED)),
        (STREAM.holds(Content.MISCOUNTED), (1, 3, 12, 4, None)),
        (STREAM.holds(Content.MISCOUNTED).ends(Ending.CUT, 2), (1, 3, 6, 2, K.TRUNCATED)),
        (STREAM.swells(1000, Packing.PLAIN), (1, inf, 3, 0, K.ANSWER_TOO_LARGE)),
        (WHOLE, (12, 12, 12, 4, None)),
        (WHOLE.hushed(11), (inf, inf, 300, 0, K.ANSWER_TIMEOUT)),
        (WHOLE.swells(1000, Packing.GZIP), (3, inf, 3, 0, K.ANSWER_TOO_LARGE)),
        (WHOLE.replies(Reply.SILENCE), (inf, inf, 300, 0, K.ANSWER_TIMEOUT)),
        (WHOLE.slower(headers_s=295), (inf, inf, 300, 0, K.ANSWER_TIMEOUT)),
        (WHOLE.fails_with(OVERLOADED), (1, inf, 1, 0, K.OVERLOADED)),
        (WHOLE.ends(Ending.CUT, 2), (6, inf, 6, 0, K.TRUNCATED)),
        (WHOLE.ends(Ending.UNFINISHED, 2), (6, inf, 6, 0, K.MALFORMED)),
        (WHOLE.ends(Ending.STALL, 2), (inf, inf, 300, 0, K.ANSWER_TIMEOUT)),
        (WHOLE.ends(Ending.ERROR_EVENT, 0, OVERLOADED), (3, inf, 3, 0, K.OVERLOADED)),
        (WHOLE.holds(Content.WRONG_SHAPE), (3, inf, 3, 0, K.MALFORMED)),
        (WHOLE.dies(11), (inf, inf, 11, 0, K.CONNECTION_LOST)),
    ],
)
def test_a_caller_sees_what_its_timeouts_let_it_see(
    plan: Plan, seen: tuple[float, float, float, int, K | None]
) -> None:
    headers_s, content_s, ended_s, chunks, failure = seen
    assert plan.timeline(PATIENT) == Timeline(
        headers_s=headers_s, content_s=content_s, ended_s=ended_s, chunks=chunks, failure=failure
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    seconds = st.floats(min_value=0, max_value=400)
    plan = Plan(stream=draw(st.booleans()), chunks=draw(st.integers(1, 20))).slower(
        connect_s=draw(seconds), headers_s=draw(seconds), first_content_s=draw(seconds), chunk_s=draw(seconds)
    )
    plan = plan.cannot_connect(draw(st.sampled_from(Connect))).holds(draw(st.sampled_from(Content)))
    plan = plan.replies(draw(st.sampled_from(Reply)), OVERLOADED)
    plan = plan.ends(draw(st.sampled_from(Ending)), draw(st.integers(0, 20)), OVERLOADED)
    plan = plan.hushed(draw(st.one_of(st.just(inf), seconds)))
    return plan.dies(draw(st.one_of(st.just(inf), seconds)))


@given(plans(), st.floats(0.1, 100), st.floats(0.1, 100))
def test_every_attempt_ends_in_time_and_in_order(plan: Plan, idle_s: float, whole_s: float) -> None:
    timeouts = Timeouts(connect_s=5, headers_s=30, first_content_s=60, idle_s=idle_s, answer_s=whole_s)
    seen = plan.timeline(timeouts)
    assert seen.ended_s < inf
    assert (seen.content_s < inf) == (seen.chunks > 0)
    if seen.content_s < inf:
        assert seen.headers_s <= seen.content_s <= seen.ended_s
        assert seen.content_s < plan.hushed_at_s
        assert seen.ended_s <= plan.dies_at_s or plan.hushed_at_s <= plan.dies_at_s
    assert seen.chunks <= plan.chunks
    if seen.failure is None:
        assert seen.chunks == plan.chunks
    if not plan.stream:
        assert seen.ended_s <= max(whole_s, timeouts.connect_s)


def test_arrivals_count_requests_and_tokens_since_a_time() -> None:
    arrivals = Arrivals()
    for second in range(5):
        arrivals.note(float(second), tokens=10)
    assert arrivals.since(2.0) == (3, 30)
    assert arrivals.since(9.0) == (0, 0)
    assert arrivals.between(1.0, 3.0) == (2, 20)
    assert arrivals.between(3.0, 1.0) == (0, 0)
    assert arrivals.until(3.0).since(2.0) == (1, 10), "a request that comes at that very time has not been seen"


def test_arrivals_take_bounded_memory() -> None:
    arrivals = Arrivals()
    for second in range(250_000):
        arrivals.note(float(second), tokens=1)
    assert arrivals.since(249_000.0) == (1000, 1000)
    assert len(arrivals._times_s) <= 100_000


def test_risks_of_independent_faults_combine() -> None:
    half = FAULTS.build("error_burst", {"share": 0.5})
    assert risk(Scene(now_s=0.0), [half, half], 1.0) == pytest.approx(0.75)
    assert risk(Scene(now_s=0.0), [], 1.0) == 0.0


def test_up_means_for_one_whole_attempt() -> None:
    outage = FAULTS.build("outage", {"from_s": 10, "to_s": 20})
    assert up(Scene(now_s=5.0), [outage], lasting_s=4.0)
    assert not up(Scene(now_s=5.0), [outage], lasting_s=6.0)
    assert not up(Scene(now_s=15.0), [outage], lasting_s=1.0)
    assert up(Scene(now_s=20.0), [outage], lasting_s=1.0)
    behind_a_gateway = FAULTS.build("outage", {"from_s": 10, "to_s": 20, "how": "unavailable"})
    assert up(Scene(now_s=5.0), [behind_a_gateway], lasting_s=6.0), "a gateway's 503 breaks no answer that is under way"


def test_who_is_aimed_at_keeps_the_numbers_and_so_the_luck_of_the_whole_schedule() -> None:
    schedule = [
        FAULTS.build(name, {"where": [where], "share": 0.5} if where else {"share": 0.5})
        for where in ("there", "here", "", "acme")
        for name in ("reset", "error_burst", "latency")
    ]
    schedule.insert(0, FAULTS.build("cascading_outage", {"spreads": ["there"]}))
    aimed = aimed_at(schedule, "here", "acme")
    assert [number for number, _ in aimed] == [0, *range(4, 13)]
    scene = Scene(now_s=5.0, target="here", provider="acme")
    plans = [plan_attempt(scene, schedule, Dice(seed)) for seed in range(50)]
    assert [plan_among(scene, aimed, Dice(seed)) for seed in range(50)] == plans
    assert len({repr(plan) for plan in plans}) > 1

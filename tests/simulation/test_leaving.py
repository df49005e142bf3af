"""Callers who leave at any moment of a cascade or a hedged request: every place is given back, and every cent is counted."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from theatre import Cut, Theatre
from understudy.core.failure import FailureKind
from understudy.core.resilience.breaker import Event, State
from understudy.faults import FAULTS
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

CONFIGURATION = """
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1", limits: &limits {rpm: 1000, tpm: 100000, in_flight: 5}, price: &price {input: 1, output: 1}}
  ben: {provider: anthropic_compatible, model: m, base_url: "http://ben:80", limits: *limits, price: *price}
  cleo: {provider: openai_compatible, model: m, base_url: "http://cleo:80/v1", price: *price}
routes:
  drafted:
    tiers: {primary: [ada, ben, cleo]}
    strategy: adaptive
    policy: &policy
      deadline_s: 30
      retry: {kind: none}
      timeouts: {connect_s: 2, headers_s: 5, first_content_s: 6, idle_s: 3, answer_s: 8}
      cascade: {ask: [ada, ben]}
  hedged:
    tiers: {primary: [ada, ben, cleo]}
    strategy: adaptive
    policy: {deadline_s: 30, retry: {kind: none}, hedge: {after_s: 0.2, share: 1.0}}
rules:
  - {name: rich, when: {cost_so_far: {of: everything, per: start, at_least_usd: 1000}}, then: {refuse: "that is enough"}}
"""
LATENCY = FAULTS.build("latency", {"kind": "lognormal", "headers_s": 0.3, "first_content_s": 0.1, "chunk_s": 0.1})


def open_halfway(theatre: Theatre) -> None:
    """Every breaker is half-open."""
    for name in theatre.board.targets():
        theatre.board.operate(name, Event.FORCE_OPEN, 0.0)
        theatre.board.operate(name, Event.RELEASE, 0.0)


def nothing_is_held(theatre: Theatre) -> None:
    for standing in theatre.board.standings:
        assert (standing.in_flight, standing.tokens_in_flight) == (0, 0)
        half_open = [view for view in standing.breakers if view.state is State.HALF_OPEN]
        assert all(view.tests_free == 3 for view in half_open)
    assert not theatre.client.open
    assert not theatre.board.books.out
    assert not theatre.errors


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [None, "silence", "truncated_stream"])
@pytest.mark.parametrize("route", ["drafted", "hedged"])
def test_whoever_cancels_a_request_leaves_nothing_behind_and_pays_for_what_was_asked(
    route: str, fault: str | None, stream: bool
) -> None:
    async def cancelled_at(k: int) -> bool:
        faults = (LATENCY,) if fault is None else (FAULTS.build(fault, {"where": ["ada", "ben"]}), LATENCY)
        theatre = Theatre(faults, text=CONFIGURATION)
        open_halfway(theatre)
        cut = Cut(theatre.engine.handle(theatre.call(stream=stream, route=route), Listener(0.01)), k)
        with suppress(asyncio.CancelledError):
            await cut
        await asyncio.sleep(0.1)  # tasks that were cancelled come to their ends
        nothing_is_held(theatre)
        (result,) = theatre.results()
        booked = theatre.outcomes(result.decision)
        assert sorted(one.number for one in booked) == sorted(one.number for one in result.attempts)
        if cut.cut:
            lost = [one for one in result.attempts if one.failure and one.failure.kind is FailureKind.LOST_RACE]
            assert len(lost) <= (route == "hedged"), "of two, one may have lost before"
        spent = theatre.engine.spending.spent("everything", "start", "", 0.0)
        assert spent == sum(one.cost_nusd or 0 for one in result.attempts)
        return cut.cut

    k = 1
    while run_virtual(cancelled_at(k))[0]:
        k += 1
    assert k > 2

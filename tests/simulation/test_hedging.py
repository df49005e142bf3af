"""What hedging is for, measured in virtual time: the tail, and what it costs."""

from __future__ import annotations

import asyncio

import pytest

from conftest import WHOLE
from theatre import Theatre
from understudy.core.dice import Dice
from understudy.core.event import AttemptEnded
from understudy.core.outcome import Billing, Purpose
from understudy.faults import FAULTS
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

pytestmark = pytest.mark.no_cover

CONFIGURATION = """
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1", price: {input: 3, output: 15}}
  ben: {provider: openai_compatible, model: m, base_url: "http://ben:80/v1", price: {input: 3, output: 15}}
routes:
  default:
    tiers: {primary: [ada, ben]}
    policy: {deadline_s: 120 HEDGE}
"""
HEAVY_TAILED = FAULTS.build("latency", {"kind": "pareto", "headers_s": 0.2, "spread": 1.1, "max_s": 25})
REQUESTS = 2000
SEEDS = range(1, 6 if WHOLE else 4)


def evening(hedge: str, seed: int) -> Theatre:
    async def main() -> Theatre:
        theatre = Theatre((HEAVY_TAILED,), seed=seed, text=CONFIGURATION.replace("HEDGE", hedge))
        dice = Dice(seed).fork(1)

        async def one(at_s: float) -> None:
            await asyncio.sleep(at_s)
            await theatre.ask(Listener(), stream=True)

        await asyncio.gather(*(one(dice.between(0.0, 600.0)) for _ in range(REQUESTS)))
        assert not theatre.errors
        assert all(theatre.board.standing(name).in_flight == 0 for name in theatre.board.targets())
        return theatre

    return run_virtual(main())[0]


def waits_s(theatre: Theatre) -> list[float]:
    found = [
        result.winner.first_content_s - result.started_s
        for result in theatre.results()
        if result.winner is not None and result.winner.first_content_s is not None
    ]
    assert len(found) == REQUESTS
    return found


def p99_s(theatres: list[Theatre]) -> float:
    every_s = sorted(wait_s for theatre in theatres for wait_s in waits_s(theatre))
    return every_s[int(0.99 * len(every_s))]


def test_the_slowest_percent_waits_half_as_long_for_at_most_one_call_in_twenty_more() -> None:
    alone = [evening("", seed) for seed in SEEDS]
    hedged = [evening(", hedge: {}", seed) for seed in SEEDS]
    for theatre in hedged:
        calls = [event.outcome for event in theatre.told if isinstance(event, AttemptEnded)]
        hedges = [outcome for outcome in calls if outcome.purpose is Purpose.HEDGE]
        assert 0 < len(hedges) <= 0.05 * REQUESTS
        assert len(calls) == REQUESTS + len(hedges)
    assert p99_s(hedged) <= 0.5 * p99_s(alone)


def test_the_loser_is_booked_and_what_it_may_have_cost() -> None:
    hedged = evening(", hedge: {after_s: 1.0, share: 1.0}", 1)
    outcomes = [event.outcome for event in hedged.told if isinstance(event, AttemptEnded)]
    lost = [outcome for outcome in outcomes if outcome.failure is not None]
    assert lost
    for outcome in lost:
        assert outcome.failure is not None
        assert outcome.failure.kind.value == "lost_race"
        assert outcome.billing is Billing.AMBIGUOUS
        assert outcome.usage is not None
        assert outcome.usage.estimated
        assert outcome.cost_nusd == outcome.usage.input * 3000
    standings = [hedged.board.standing(name) for name in ("ada", "ben")]
    assert all(not standing.error_rate for standing in standings), "a lost race implicates nobody"

"""Active probes by the engine itself, in virtual time: what is asked, how it is booked, and who does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from theatre import CONFIGURATION, Theatre
from understudy.core.event import BreakerChanged, TargetProbed
from understudy.core.failure import FailureKind
from understudy.core.outcome import Billing, Purpose
from understudy.core.resilience.breaker import State
from understudy.core.target import Probe
from understudy.engine.prober import Prober
from understudy.engine.small_question import look
from understudy.faults import FAULTS, Fault
from understudy.providers import listing
from understudy.sim.client import Listener
from understudy.sim.loop import run_virtual

OUTAGE = FAULTS.build("outage", {"where": ["ada"], "from_s": 5.0, "to_s": 20.0})
PATIENT = CONFIGURATION.replace("recovery_s: 5", "recovery_s: 60")


def evening(
    text: str, *faults: Fault, then: Callable[[Theatre, Prober], Awaitable[None]] | None = None, until_s: float = 45.0
) -> Theatre:
    """A request a second; whoever fails is probed."""

    async def play() -> Theatre:
        theatre = Theatre(faults, text=text)
        prober = Prober(theatre.engine, theatre.client)
        prober.start()
        loop = asyncio.get_running_loop()
        while loop.time() < until_s:
            await theatre.ask(Listener())
            await asyncio.sleep(1.0)
        if then is not None:
            await then(theatre, prober)
        await prober.close()
        assert not theatre.errors
        assert not theatre.client.open
        assert not theatre.board.books.out
        assert not theatre.board.books.complaints
        return theatre

    return run_virtual(play())[0]


def probes(theatre: Theatre) -> list[TargetProbed]:
    return [event for event in theatre.told if isinstance(event, TargetProbed)]


def states(theatre: Theatre, target: str = "ada") -> list[tuple[State, int]]:
    first = theatre.board._tracks[theatre.board.slot(target)].breakers[0].label
    return [
        (event.state, int(event.at_s))
        for event in theatre.told
        if isinstance(event, BreakerChanged) and (event.target, event.breaker) == (target, first)
    ]


def test_recovery_is_seen_long_before_the_breaker_would_have_looked_by_itself() -> None:
    theatre = evening(PATIENT, OUTAGE)
    [opened, half, closed] = states(theatre)
    assert [opened[0], half[0], closed[0]] == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    assert 20 <= half[1] <= closed[1] <= 40
    told = probes(theatre)
    assert all(event.way is Probe.MODELS and event.outcome.target == "ada" for event in told)
    assert [event.outcome.failure is None for event in told] == [False, False, True]
    assert {event.outcome.billing for event in told} == {Billing.NO}


def test_a_probe_is_an_outcome_of_its_own_in_nobodys_result() -> None:
    theatre = evening(PATIENT + "health: {probe: request}\n", OUTAGE)
    told = probes(theatre)
    assert told[-1].outcome.purpose is Purpose.PROBE
    assert told[-1].outcome.usage is not None
    assert told[-1].outcome.billing is Billing.YES
    assert told[0].outcome.failure is not None
    assert told[0].outcome.failure.kind is FailureKind.CONNECTION_REFUSED
    assert told[0].outcome.billing is Billing.NO
    purposes = {outcome.purpose for result in theatre.results() for outcome in result.attempts}
    assert Purpose.PROBE not in purposes
    assert theatre.board.standing("ada").seen == sum(
        outcome.target == "ada" for result in theatre.results() for outcome in result.attempts
    )


@pytest.mark.parametrize("said", ["health: {probe: off}", "target"])
def test_nobody_is_probed_where_that_is_switched_off(said: str) -> None:
    text = PATIENT + f"{said}\n" if said != "target" else PATIENT.replace("ada:80/v1", 'ada:80/v1", probe: "off')
    theatre = evening(text, OUTAGE)
    assert not probes(theatre)
    assert [state for state, _ in states(theatre)] == [State.OPEN]


def test_each_of_several_workers_probes_its_own_part() -> None:
    async def parts() -> list[set[str]]:
        theatre = Theatre(text=PATIENT + "health: {probe: request}\n")
        return [set(Prober(theatre.engine, theatre.client, index=index, workers=3).probes.ways) for index in range(3)]

    found = run_virtual(parts())[0]
    assert sum(len(one) for one in found) == 3
    assert set.union(*found) == {"ada", "ben", "cleo"}


def test_a_probe_that_is_broken_off_gives_its_place_back() -> None:
    silent = FAULTS.build("outage", {"where": ["ada"], "from_s": 5.0, "how": "silence"})

    async def leave(theatre: Theatre, prober: Prober) -> None:
        while not theatre.client.open:
            await asyncio.sleep(0.5)
        assert theatre.board.standing("ada").in_flight == 1

    theatre = evening(PATIENT + "health: {probe: request, interval_s: 5}\n", silent, then=leave, until_s=60.0)
    last = probes(theatre)[-1].outcome
    assert last.failure is not None
    assert last.failure.kind is FailureKind.DRAINING
    assert last.billing is Billing.AMBIGUOUS


@pytest.mark.parametrize(
    ("fault", "settings", "kind"),
    [
        ("error_burst", {"problem": "unavailable"}, FailureKind.UNAVAILABLE),
        ("error_burst", {"problem": "auth"}, FailureKind.AUTH),
        ("error_burst", {"problem": "overloaded"}, None),
        ("corrupt_answers", {}, None),
    ],
)
def test_a_list_of_models_tells_what_happens_at_the_door(
    fault: str, settings: dict[str, Any], kind: FailureKind | None
) -> None:
    async def ask() -> FailureKind | None:
        theatre = Theatre((FAULTS.build(fault, settings),))
        told = await look(theatre.client, theatre.engine.snapshot.upstreams["ada"], now_s=0.0, until_s=5.0)
        assert told.status is not None
        return told.failure.kind if told.failure else None

    assert run_virtual(ask())[0] is kind


def test_who_lists_no_models_cannot_be_looked_at() -> None:
    async def ask() -> None:
        theatre = Theatre()
        with pytest.raises(LookupError, match="ben lists no models"):
            await look(theatre.client, theatre.engine.snapshot.upstreams["ben"], now_s=0.0, until_s=5.0)
        assert listing(theatre.engine.snapshot.configuration.targets["ada"]) == "/v1/models"

    run_virtual(ask())

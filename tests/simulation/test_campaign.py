"""A thousand evenings in virtual time, every invariant asked at every step. More of them: UNDERSTUDY_SEEDS=5000.

As many under each fault as `test_mutations` needs at most to catch a flaw; four times as many in `make test-whole`.
"""

from __future__ import annotations

import os

import pytest

from conftest import WHOLE
from understudy.faults import FAULTS
from understudy.sim.campaign import Failing, faults, simulate
from understudy.sim.driver import Simulation
from understudy.sim.figures import Figures
from understudy.sim.invariants import INVARIANTS, Moment
from understudy.sim.scenario import compose

SEEDS = int(os.environ.get("UNDERSTUDY_SEEDS", "240" if WHOLE else "60"))
FIRST = int(os.environ.get("UNDERSTUDY_FIRST_SEED", "0"))
PARTS = 2


@pytest.mark.no_cover
@pytest.mark.timeout(60 + SEEDS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("fault", faults())
def test_every_invariant_holds_under(fault: str, part: int) -> None:
    figures = simulate(fault, range(FIRST + part, FIRST + SEEDS, PARTS))
    print(f"{fault}: {figures}")
    assert figures.seeds == len(range(part, SEEDS, PARTS))
    assert figures.answered + figures.broken + figures.left <= figures.requests
    assert figures.attempts >= figures.answered
    assert figures.opened
    assert figures.tests


def test_every_fault_there_is_is_simulated() -> None:
    assert set(faults()) == set(FAULTS.names())
    assert len(faults()) >= 15


def test_the_same_seed_gives_the_same_evening_event_by_event() -> None:
    def tell(seed: int) -> list[object]:
        simulation = Simulation(compose("flapping", seed))
        simulation.run()
        return [request.seen.results[0] for request in simulation.requests]

    assert tell(7) == tell(7)
    assert tell(7) != tell(8)


def test_an_evening_without_faults_answers_everyone_who_may_be_answered() -> None:
    total = Figures()
    for seed in range(60):
        scenario = compose("outage", seed)
        scenario.faults = ()
        total += Simulation(scenario).run()
    assert total.opened == 0
    assert total.broken == 0
    assert total.panics == 0
    assert total.mistaken == 0


def test_every_invariant_has_a_sentence_and_every_moment_an_invariant() -> None:
    assert all(one.sentence.endswith(".") for one in INVARIANTS)
    assert len({one.name for one in INVARIANTS}) == len(INVARIANTS)
    assert {one.moment for one in INVARIANTS} == set(Moment)


def test_a_failing_seed_says_how_to_run_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.sim.invariants.Seen.paid", property(lambda _seen: 99))
    with pytest.raises(Failing, match=r"(?s)attempts: .*understudy simulate --fault outage --first 0 --seeds 1"):
        simulate("outage", range(1))

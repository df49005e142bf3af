"""The invariants can fail: each mutant of the core is caught, and by the invariant that is about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from understudy.core import walk as walks
from understudy.core.eligibility import breaker, cool_down, limits
from understudy.core.failure import Then
from understudy.core.resilience.breaker import Admission, Breaker, BreakerView
from understudy.core.scoreboard import Scoreboard
from understudy.sim.driver import Simulation
from understudy.sim.invariants import Broken
from understudy.sim.scenario import compose
from understudy.sim.specs import SPECS

Patch = pytest.MonkeyPatch
SEEDS_MAX = 60


def admit_everyone(patch: Patch) -> None:
    patch.setattr(breaker.BreakerOpen, "excludes", lambda _self, _candidate, _ask: None)


def admit_any_number_of_tests(patch: Patch) -> None:
    true = BreakerView.admission

    def admission(self: BreakerView, now_s: float) -> Admission:
        return Admission.TEST if self.state.value == "half-open" else true(self, now_s)

    patch.setattr(BreakerView, "admission", admission)


def forget_cool_downs(patch: Patch) -> None:
    patch.setattr(cool_down.CoolingDown, "excludes", lambda _self, _candidate, _ask: None)


def forget_limits(patch: Patch) -> None:
    patch.setattr(limits.LimitsReached, "excludes", lambda _self, _candidate, _ask: None)


def never_trip(patch: Patch) -> None:
    patch.setattr(Breaker, "_suffices", lambda _self, _now_s: False)


def leak_test_slots(patch: Patch) -> None:
    patch.setattr(Breaker, "give_back", lambda self, slot: slot == self._epoch)


def leak_places(patch: Patch) -> None:
    true = Scoreboard.settle

    def settle(self: Scoreboard, hold, outcome, now_s: float) -> None:
        true(self, hold, outcome, now_s)
        if outcome.failure is not None and outcome.failure.kind.value == "client_left":
            self._tracks[hold.slot].in_flight += 1
            self._publish(hold.slot, now_s)

    patch.setattr(Scoreboard, "settle", settle)


def spend_without_counting(patch: Patch) -> None:
    patch.setattr(walks.Trip, "affordable", lambda _self, order, _kept, *, first: order[0] if order else None)


def give_up_early(patch: Patch) -> None:
    true = walks.Trip.affordable

    def affordable(self, order, kept, *, first):
        return None if len(self.attempts) >= 2 else true(self, order, kept, first=first)

    patch.setattr(walks.Trip, "affordable", affordable)


def fall_back_on_mistakes(patch: Patch) -> None:
    true = walks.Trip.goes_on

    def goes_on(self, entry, outcome):
        if outcome.failure.then is Then.STOP:
            patched = replace(outcome, failure=replace(outcome.failure, course=Then.OTHER))
            done = true(self, entry, patched)
            self.attempts[-1] = outcome
            return done
        return true(self, entry, outcome)

    patch.setattr(walks.Trip, "goes_on", goes_on)


def hide_degraded(patch: Patch) -> None:
    true = walks.Trip.result
    patch.setattr(
        walks.Trip, "result", lambda self, winner, failure, *, degraded: true(self, winner, failure, degraded=False)
    )


def lose_an_attempt(patch: Patch) -> None:
    true = walks.Trip.result

    def result(self, winner, failure, *, degraded):
        done = true(self, winner, failure, degraded=degraded)
        return replace(done, attempts=done.attempts[:1])

    patch.setattr(walks.Trip, "result", result)


def stand_ins_first(patch: Patch) -> None:
    true = walks.walk

    def walk(plan, *others):
        plan.once, plan.stand_ins = plan.stand_ins, plan.once
        return true(plan, *others)

    patch.setattr("understudy.sim.driver.walk", walk)


def draw_other_dice(patch: Patch) -> None:
    true = walks.dice_of
    patch.setattr(walks, "dice_of", lambda decision, number: true(decision, number + 1))


def ignore_the_deadline(patch: Patch) -> None:
    true = walks.walk
    patch.setattr(
        "understudy.sim.driver.walk",
        lambda plan, decision, board, now_s, deadline_s: true(plan, decision, board, now_s, deadline_s + 5.0),
    )


MUTANTS: tuple[tuple[Callable[[Patch], None], set[str]], ...] = (
    (admit_everyone, {"breaker", "tests"}),
    (admit_any_number_of_tests, {"tests"}),
    (forget_cool_downs, {"cool_down"}),
    (forget_limits, {"limits"}),
    (never_trip, {"trips"}),
    (leak_test_slots, {"nothing_held"}),
    (leak_places, {"nothing_held"}),
    (spend_without_counting, {"attempts"}),
    (give_up_early, {"found", "degraded_last"}),
    (fall_back_on_mistakes, {"no_fallback"}),
    (hide_degraded, {"labelled"}),
    (lose_an_attempt, {"one_result", "winner"}),
    (stand_ins_first, {"degraded_last"}),
    (draw_other_dice, {"replays"}),
    (ignore_the_deadline, {"ends_in_time", "begins_in_time"}),
)


@pytest.mark.no_cover
@pytest.mark.parametrize(("mutate", "caught_by"), MUTANTS, ids=lambda one: getattr(one, "__name__", ""))
def test_is_caught(mutate: Callable[[Patch], None], caught_by: set[str], monkeypatch: Patch) -> None:
    mutate(monkeypatch)
    names = tuple(SPECS)
    found = []
    for seed in range(SEEDS_MAX * 12):
        try:
            Simulation(compose(names[seed % len(names)], seed)).run()
        except Broken as broken:
            found.append(broken.invariant.name)
            if broken.invariant.name in caught_by:
                return
    pytest.fail(f"nothing of {caught_by} noticed; others did: {sorted(set(found))}")

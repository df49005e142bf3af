"""A tier of many targets that all have a past, and how long one choice among them takes."""

from __future__ import annotations

from time import perf_counter

from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Ask
from understudy.core.catalogue.profile import Profile
from understudy.core.compile import compile_route
from understudy.core.dice import Dice
from understudy.core.money import Price
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.request import Needs
from understudy.core.route import Route, tiers_of
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import select
from understudy.core.target import Limits, Target
from understudy.sim.scenario import CONDITIONS

PAIRS = (
    *((name, "round_robin") for name in STRATEGIES.names()),
    *(("priority", name) for name in BALANCERS.names()),
)
"""Every strategy beside a plain balancer, and every balancer where all are equals."""

LIMITED = {"load", "predictive", "token_aware"}
"""They weigh limits, so that their targets have some."""

NEEDS = Needs(model="r", tokens_in=500)


class Crowd:
    """So many targets under one strategy and one balancer, each with three answers behind it."""

    def __init__(self, count: int, strategy: str, balancer: str) -> None:
        limits = Limits(rpm=1e6, tpm=1e9, in_flight=100) if LIMITED & {strategy, balancer} else Limits()
        targets = {f"t{number}": _target(number, count, limits) for number in range(count)}
        self._board = Scoreboard()
        self._plan = compile_route(
            Route(name="r", tiers=tiers_of({"primary": tuple(targets)})),
            targets.__getitem__,
            self._board,
            STRATEGIES.build(strategy),
            BALANCERS.build(balancer),
            [CONDITIONS.build(name) for name in CONDITIONS.names()],
            "crowd",
        )
        for entry in self._plan.tiers[0].entries:
            took_s = 0.5 + (entry.position * 7 % count) / count
            for number in range(3):
                hold = self._board.hold(entry.slot, 500, float(number))
                outcome = Outcome(number, entry.target.name, "primary", Purpose.FIRST, number, number + took_s)
                self._board.settle(hold, outcome, number + took_s)

    def choice_us(self, rounds: int) -> float:
        """What one choice takes from the asking to the order: the best of some rounds of many."""
        best_s, tier, standings = 1e9, self._plan.tiers[0], self._board.standings
        times = max(1, 1000 // len(tier.entries))
        for _ in range(rounds):
            begun_s = perf_counter()
            for number in range(times):
                ask = Ask(NEEDS, "d", 5.0, Dice(number), number, {}, False, None, f"session{number}")
                select(tier, self._plan, ask, standings)
            best_s = min(best_s, (perf_counter() - begun_s) / times)
        return best_s * 1e6


def _target(number: int, count: int, limits: Limits) -> Target:
    return Target(
        name=f"t{number}",
        provider="p",
        model="m",
        dialects=("d",),
        price=Price(input=1_000_000 + number * 1000, output=5_000_000),
        profile=Profile(quality=0.3 + number / 2 / count, same_as="m"),
        limits=limits,
    )


def unit_us(rounds: int) -> float:
    """What making one value of nine fields takes: a measure of the machine."""
    best_s = 1e9
    for _ in range(rounds):
        begun_s = perf_counter()
        for _ in range(5000):
            Result("d", "r", (), None, None, False, 1.0, 2.0, None)
        best_s = min(best_s, (perf_counter() - begun_s) / 5000)
    return best_s * 1e6

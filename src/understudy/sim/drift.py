"""A world whose truth is known and drifts: targets that become slower, faster, worse and better while requests are sent to them.

Every strategy lives through the very same evening: what a target is at a moment, and what luck the request of that number has with it, do not
depend on who was asked before. Virtual time, no engine: only choosing and learning.
"""

from __future__ import annotations

import heapq
from math import exp

from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Ask
from understudy.core.catalogue.profile import Profile
from understudy.core.catalogue.traits import shape
from understudy.core.compile import compile_route
from understudy.core.dice import Dice, label_of
from understudy.core.failure import Failure, FailureKind
from understudy.core.money import Price, cost_nusd
from understudy.core.outcome import Outcome, Purpose
from understudy.core.plan import RoutePlan
from understudy.core.policy import BreakerSettings, Policy
from understudy.core.request import Needs
from understudy.core.route import Named, Route, tiers_of
from understudy.core.scales import dear, slow, tokens_out
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import select
from understudy.core.target import Target
from understudy.core.track import Hold
from understudy.core.usage import Usage
from understudy.core.value import JsonObject, keyword_value, value

SIGMA = 0.4
"""Deviation of the logarithm of a target's times."""

WEIGHTS = {"cost": 0.3, "speed": 0.25, "quality": 0.25, "reliability": 0.2}
"""What the truth of a target is judged by: the default weights of `composite`."""

WORTHS = {"cost": 0.3, "speed": 0.3, "quality": 0.4}
"""What an answer is worth: the default weights of `adaptive`."""


@value
class State:
    """A target from one moment on, until its next state. `median_ms`: of its whole answers. `failing`: share of failures."""

    from_s: float
    median_ms: float
    failing: float


@keyword_value
class World:
    """Targets and all their states to come. `calm_s`: mean time between two changes anywhere. `rate`: requests per second."""

    seed: int
    targets: int = 8
    hours: float = 2.0
    rate: float = 2.0
    calm_s: float = 900.0

    def stage(self) -> tuple[dict[str, Target], dict[str, list[State]]]:
        """Who is there, and what becomes of them."""
        dice = Dice(self.seed).fork(label_of("drift"))
        found: dict[str, Target] = {}
        states: dict[str, list[State]] = {}
        for number in range(self.targets):
            name = f"t{number}"
            input_rate = int(1e5 * 10 ** dice.between(0.0, 2.0))
            found[name] = Target(
                name=name,
                provider=f"p{number}",
                model="m",
                dialects=("d",),
                price=Price(input=input_rate, output=4 * input_rate),
                profile=Profile(quality=dice.between(0.5, 0.95)),
            )
            states[name] = [State(0.0, _median_ms(dice), _failing(dice))]
        at_s = dice.exponential(self.calm_s)
        while at_s < self.hours * 3600.0:
            name = dice.pick(tuple(found))
            last = states[name][-1]
            if dice.chance(0.5):
                states[name].append(State(at_s, _median_ms(dice), last.failing))
            else:
                states[name].append(State(at_s, last.median_ms, _failing(dice)))
            at_s += dice.exponential(self.calm_s)
        return found, states


def _median_ms(dice: Dice) -> float:
    return 300.0 * exp(dice.between(0.0, 3.9))


def _failing(dice: Dice) -> float:
    return dice.between(0.0, 0.03) if dice.chance(0.6) else dice.between(0.05, 0.6)


@value
class Played:
    """What came of one strategy's evening.

    `optimal`: share of the choices that were the best by its own measure of worth, or within `near`
    of it; `worth`: mean true worth of the choices, and `best` of the best ones. `regret`: true worth lost so far, at every 1/100 of the evening.
    """

    optimal: float
    near: float
    worth: float
    best: float
    regret: tuple[float, ...]


NEAR = 0.02
POINTS = 100


class _Truth:
    """What every target is worth at a moment, by the weights of the strategy under test."""

    def __init__(
        self, targets: dict[str, Target], states: dict[str, list[State]], needs: Needs, *, judged: str
    ) -> None:
        step = shape(needs.tokens_in, tokens_out(needs.max_tokens))
        self._targets, self._states, self._judged = targets, states, judged
        self._fixed: dict[str, tuple[float, float]] = {}
        for name, target in targets.items():
            price = target.price
            assert price is not None
            assert target.profile.quality is not None
            self._fixed[name] = (
                dear(price.input + (price.output - price.input) * step / 16),
                1.0 - target.profile.quality,
            )
        self._at = dict.fromkeys(targets, 0)
        self.now = {name: self._worth(name) for name in targets}

    def go_to(self, now_s: float) -> None:
        for name, states in self._states.items():
            at = self._at[name]
            if at + 1 < len(states) and states[at + 1].from_s <= now_s:
                self._at[name] = at + 1
                self.now[name] = self._worth(name)

    def state(self, name: str) -> State:
        return self._states[name][self._at[name]]

    def _worth(self, name: str) -> float:
        state = self.state(name)
        dear_, poor = self._fixed[name]
        lost = slow(state.median_ms)  # the mean of the logarithm is that of the median
        if self._judged == "composite":
            return 1.0 - (
                WEIGHTS["cost"] * dear_
                + WEIGHTS["speed"] * lost
                + WEIGHTS["quality"] * poor
                + WEIGHTS["reliability"] * state.failing
            )
        worth = 1.0 - (WORTHS["cost"] * dear_ + WORTHS["speed"] * lost + WORTHS["quality"] * poor)
        return (1.0 - state.failing) * worth


def play(world: World, strategy: str, settings: JsonObject | None = None, *, judged: str = "adaptive") -> Played:
    """One evening under one strategy. `judged`: by whose measure of worth, `adaptive` or `composite`."""
    targets, states = world.stage()
    board = Scoreboard()
    plan = _plan(targets, board, Named(strategy, settings or {}))
    needs = Needs(model="r", tokens_in=400, max_tokens=None)
    truth = _Truth(targets, states, needs, judged=judged)
    dice, arrivals = Dice(world.seed).fork(label_of("luck")), Dice(world.seed).fork(label_of("arrivals"))
    pending: list[tuple[float, int, Hold, Outcome]] = []
    now_s, number, end_s = 0.0, 0, world.hours * 3600.0
    best_so_far = worth_so_far = 0.0
    optimal = near = 0
    regret: list[float] = []
    tier = plan.tiers[0]
    while (now_s := now_s + arrivals.exponential(1.0 / world.rate)) < end_s:
        while pending and pending[0][0] <= now_s:
            ended_s, _, hold, outcome = heapq.heappop(pending)
            board.settle(hold, outcome, ended_s)
        truth.go_to(now_s)
        ask = Ask(needs, "d", now_s, Dice(world.seed + number * 977), number, {})
        entry = select(tier, plan, ask, board.standings)[0][0]
        worth, best = truth.now[entry.target.name], max(truth.now.values())
        number += 1
        optimal += worth == best
        near += worth >= best - NEAR
        worth_so_far += worth
        best_so_far += best
        while len(regret) < POINTS * now_s / end_s:
            regret.append(best_so_far - worth_so_far)
        luck = dice.fork(number)
        outcome = _attempt(number, entry.target, truth.state(entry.target.name), now_s, luck)
        heapq.heappush(pending, (outcome.ended_s, number, board.hold(entry.slot, needs.tokens_in, now_s), outcome))
    return Played(optimal / number, near / number, worth_so_far / number, best_so_far / number, tuple(regret))


def _attempt(number: int, target: Target, state: State, now_s: float, luck: Dice) -> Outcome:
    failed = luck.random() < state.failing
    took_s = state.median_ms / 1000.0 * exp(SIGMA * luck.normal())
    if failed:
        failure = Failure(FailureKind.SERVER_ERROR, "simulated")
        return Outcome(number, target.name, "primary", Purpose.FIRST, now_s, now_s + min(1.0, took_s), failure)
    usage = Usage(input=400, output=100 + luck.below(400))
    return Outcome(
        number,
        target.name,
        "primary",
        Purpose.FIRST,
        now_s,
        now_s + took_s,
        first_content_s=now_s + took_s,
        usage=usage,
        cost_nusd=cost_nusd(usage, target.price),
    )


def _plan(targets: dict[str, Target], board: Scoreboard, strategy: Named) -> RoutePlan:
    """A route of one tier that leaves nobody out: breakers would help every strategy to choose."""
    route = Route(name="r", tiers=tiers_of({"primary": tuple(targets)}), policy=Policy(breaker=BreakerSettings()))
    return compile_route(
        route,
        targets.__getitem__,
        board,
        STRATEGIES.build(strategy.name, strategy.settings),
        BALANCERS.build("round_robin"),
        (),
        "simulated",
    )

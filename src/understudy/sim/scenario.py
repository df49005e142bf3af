"""One fault and one seed made into a whole evening: targets, routes, faults, who comes when, and who leaves early."""

from __future__ import annotations

from dataclasses import field

from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Condition
from understudy.core.compile import compile_route
from understudy.core.dice import Dice, label_of
from understudy.core.health.probing import Health
from understudy.core.plan import RoutePlan
from understudy.core.policy import BreakerSettings, Hedge, Policy, Retry, Timeouts
from understudy.core.request import Needs
from understudy.core.resilience.breaker import Event as Word
from understudy.core.route import Named, Route, Tier
from understudy.core.scoreboard import Scoreboard
from understudy.core.target import Limits, Probe, Target
from understudy.core.value import JsonObject, keyword_value
from understudy.faults import FAULTS, Fault
from understudy.registry import Registry
from understudy.sim.specs import NAMES, SPECS

CONDITIONS: Registry[Condition] = Registry("understudy.core.eligibility", "CONDITION", kind="eligibility condition")

REQUESTS_MAX = 40
CACHE = "stale_cache"


@keyword_value
class Arrival:
    """One request to come. `leaves_after_s`: when its caller loses patience, None: never. `question`: what is asked.

    `pieces`: of content that its answer will have; None: as chance will have it.
    """

    at_s: float
    route: int
    needs: Needs
    question: int
    leaves_after_s: float | None = None
    deadline_s: float | None = None
    pieces: int | None = None


@keyword_value
class Order:
    """An operator's word, or an active probe's, to every breaker of a target."""

    at_s: float
    target: str
    word: Word


@keyword_value
class Scenario:
    """Everything that is decided before the curtain rises. `ways`: how each target is probed, of those that are."""

    name: str
    seed: int
    faults: tuple[Fault, ...]
    targets: dict[str, Target]
    routes: tuple[Route, ...]
    arrivals: tuple[Arrival, ...]
    orders: tuple[Order, ...] = ()
    health: Health = Health()
    ways: dict[str, Probe] = field(default_factory=dict)

    def plans(self, board: Scoreboard) -> list[RoutePlan]:
        """Its routes, made ready on this board."""
        conditions = [CONDITIONS.build(name) for name in CONDITIONS.names()]
        return [
            compile_route(
                route,
                self.targets.__getitem__,
                board,
                STRATEGIES.build(route.strategy.name, route.strategy.settings),
                BALANCERS.build(route.balancer.name, route.balancer.settings),
                conditions,
                "simulated",
            )
            for route in self.routes
        ]


def compose(fault: str, seed: int) -> Scenario:
    """The scenario of this fault and seed: always the same one. Raises `KeyError` for a fault that has no row."""
    dice = Dice(seed).fork(label_of(fault))
    horizon_s = dice.pick((20.0, 60.0, 300.0))
    specs = [(fault, SPECS[fault](dice.fork(1), horizon_s))]
    if dice.chance(0.25):
        second = dice.pick(tuple(SPECS))
        specs.append((second, SPECS[second](dice.fork(2), horizon_s)))
    specs.append(("latency", _latency(dice.fork(3))))
    targets = _targets(dice.fork(4))
    routes = _routes(dice.fork(5), targets)
    return Scenario(
        name=fault,
        seed=seed,
        faults=tuple(FAULTS.build(name, settings) for name, settings in specs),
        targets=targets,
        routes=routes,
        arrivals=_arrivals(dice.fork(6), horizon_s, len(routes)),
        orders=_orders(dice.fork(7), horizon_s, routes),
        health=_health(dice.fork(8)),
        ways=_ways(dice.fork(9), targets),
    )


def _latency(dice: Dice) -> JsonObject:
    return {
        "kind": dice.pick(("constant", "lognormal", "pareto")),
        "headers_s": dice.pick((0.01, 0.3, 2.0)),
        "spread": 1.5,
        "connect_s": dice.pick((0.0, 0.02)),
        "first_content_s": dice.pick((0.0, 0.5)),
        "chunk_s": dice.pick((0.0, 0.02, 0.3)),
    }


def _targets(dice: Dice) -> dict[str, Target]:
    shared = dice.chance(0.3)  # one provider and key for all, so that what one suffers concerns the others
    found = {
        name: Target(
            name=name,
            provider="house" if shared else f"house-{name}",
            model=f"model-{number % 2}",
            key="env:KEY",
            priority=1 + dice.below(2),
            weight=1.0 + dice.below(4),
            limits=Limits(
                in_flight=dice.pick((None, None, None, 1, 3)),
                rpm=dice.pick((None, None, None, 6.0, 60.0)),
                tpm=dice.pick((None, None, None, 5000.0)),
                adaptive=dice.chance(0.2),
            ),
            context_tokens=dice.pick((None, None, 1000, 8000)),
            lacks=("tools",) if dice.chance(0.1) else (),
        )
        for number, name in enumerate(NAMES[: 1 + dice.below(len(NAMES))])
    }
    found["sorry"] = Target(name="sorry", provider="static", model="static", stand_in=True)
    found["again"] = Target(name="again", provider=CACHE, model=CACHE, stand_in=True)
    return found


def _routes(dice: Dice, targets: dict[str, Target]) -> tuple[Route, ...]:
    return tuple(_route(dice.fork(number), number, targets) for number in range(1 + dice.below(2)))


def _route(dice: Dice, number: int, targets: dict[str, Target]) -> Route:
    names = dice.shuffled([name for name, target in targets.items() if not target.stand_in])
    cut, end = 1 + dice.below(len(names)), 1 + dice.below(len(names))
    primary, rest = names[:cut], names[cut:]
    tiers = [Tier(name="primary", targets=tuple(primary))]
    if rest and dice.chance(0.5):
        tiers.append(Tier(name="secondary", targets=tuple(rest[:end])))
        rest = rest[end:]
    last = [*rest[: dice.below(3)], *(name for name in ("again", "sorry") if dice.chance(0.3))]
    if last:
        tiers.append(Tier(name="emergency", targets=tuple(last), degraded=True))
    return Route(
        name=f"route-{number}",
        tiers=tuple(tiers),
        strategy=Named(dice.pick(STRATEGIES.names()), {}),
        balancer=Named(dice.pick(BALANCERS.names()), {}),
        policy=_policy(dice),
    )


def _policy(dice: Dice) -> Policy:
    return Policy(
        deadline_s=dice.pick((1.0, 10.0, 30.0, 120.0)),
        attempts_max=1 + dice.below(8),
        wait_max_s=dice.pick((0.0, 2.0, 10.0)),
        retry=Retry(
            kind=dice.pick(("exponential", "linear", "none")),
            max=dice.below(4),
            initial_s=dice.pick((0.0, 0.1, 1.0)),
            jitter=dice.pick((0.0, 0.2, 1.0)),
        ),
        timeouts=Timeouts(
            connect_s=dice.pick((1.0, 5.0)),
            headers_s=dice.pick((2.0, 30.0)),
            first_content_s=dice.pick((3.0, 60.0)),
            idle_s=dice.pick((1.0, 60.0)),
            answer_s=dice.pick((5.0, 300.0)),
        ),
        breaker=BreakerSettings(
            failures=1 + dice.below(5),
            window_s=dice.pick((10.0, 300.0)),
            recovery_s=dice.pick((1.0, 5.0, 60.0)),
            half_open=1 + dice.below(3),
            successes=1 + dice.below(3),
            error_rate=dice.pick((None, None, 0.3)),
        ),
        hedge=_hedge(dice) if dice.chance(0.4) else None,
    )


def _hedge(dice: Dice) -> Hedge:
    return Hedge(
        quantile=dice.pick((0.5, 0.95)),
        share=dice.pick((0.05, 0.5, 1.0)),
        after_s=dice.pick((None, 0.0, 0.05, 0.5, 5.0)),
    )


def _health(dice: Dice) -> Health:
    return Health(interval_s=dice.pick((1.0, 5.0, 30.0)), idle_s=dice.pick((None, 2.0, 20.0)))


def _ways(dice: Dice, targets: dict[str, Target]) -> dict[str, Probe]:
    return {
        name: dice.pick((Probe.OFF, Probe.MODELS, Probe.REQUEST))
        for name, target in targets.items()
        if not target.stand_in
    }


def _arrivals(dice: Dice, horizon_s: float, routes: int) -> tuple[Arrival, ...]:
    """Steady, or in bursts of ten at once: the order of the agenda, not of time, then decides who is first."""
    bursts = dice.chance(0.4)
    found: list[Arrival] = []
    now_s = 0.0
    mean_s = horizon_s / REQUESTS_MAX
    while now_s < horizon_s and len(found) < REQUESTS_MAX:
        now_s += dice.exponential(mean_s * (10 if bursts else 1))
        many = min(1 + dice.below(10) if bursts else 1, REQUESTS_MAX - len(found))
        found += [_arrival(dice, now_s, routes) for _ in range(many)]
    return tuple(found)


def _arrival(dice: Dice, at_s: float, routes: int) -> Arrival:
    return Arrival(
        at_s=at_s,
        route=dice.below(routes),
        needs=Needs(
            model="route",
            stream=dice.chance(0.5),
            tokens_in=dice.pick((10, 100, 900, 5000)),
            features=("tools",) if dice.chance(0.2) else (),
        ),
        question=dice.below(4),
        leaves_after_s=dice.exponential(3.0) if dice.chance(0.15) else None,
        deadline_s=dice.between(0.1, 5.0) if dice.chance(0.1) else None,
    )


def _orders(dice: Dice, horizon_s: float, routes: tuple[Route, ...]) -> tuple[Order, ...]:
    if not dice.chance(0.3):
        return ()
    words = (Word.FORCE_OPEN, Word.WATCH, Word.RELEASE, Word.RELEASE, Word.PROBE_GOOD)
    names = tuple(dict.fromkeys(name for route in routes for tier in route.tiers for name in tier.targets))
    return tuple(
        Order(at_s=dice.between(0.0, horizon_s), target=dice.pick(names), word=dice.pick(words))
        for _ in range(1 + dice.below(6))
    )

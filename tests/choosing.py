"""A tier to choose in: targets, a board that has seen things of them, and choices made as a walk makes them."""

from __future__ import annotations

from typing import Any

from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Ask, Balancer, Candidate, Strategy
from understudy.core.catalogue.profile import Profile
from understudy.core.compile import compile_route
from understudy.core.dice import Dice
from understudy.core.eligibility import breaker, capability, context_window, cool_down, limits, model, operation, tried
from understudy.core.failure import Failure, FailureKind
from understudy.core.money import Price, cost_nusd
from understudy.core.outcome import Outcome, Purpose
from understudy.core.plan import RoutePlan
from understudy.core.request import Needs
from understudy.core.route import Route, tiers_of
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import select as core_select
from understudy.core.select import sift
from understudy.core.target import Target
from understudy.core.track import Hold
from understudy.core.usage import Usage

CONDITIONS = [
    module.CONDITION for module in (breaker, capability, context_window, cool_down, limits, model, operation, tried)
]
NOW_S = 1000.0
NEEDS = Needs(model="r", tokens_in=500)


def target(name: str, **fields: Any) -> Target:
    """One with a price and a profile, unless told otherwise."""
    given: dict[str, Any] = {
        "provider": name,
        "model": "m",
        "dialects": ("d",),
        "price": Price(input=1_000_000, output=5_000_000),
        "profile": Profile(quality=0.7, same_as="m"),
    }
    return Target(name=name, **(given | fields))


class House:
    """One tier under one strategy and one balancer."""

    def __init__(
        self, *targets: Target, strategy: str | Strategy = "failover", balancer: str | Balancer = "round_robin"
    ) -> None:
        self.board = Scoreboard()
        self.targets = {one.name: one for one in targets}
        self.plan: RoutePlan = compile_route(
            Route(name="r", tiers=tiers_of({"primary": tuple(self.targets)})),
            self.targets.__getitem__,
            self.board,
            STRATEGIES.build(strategy) if isinstance(strategy, str) else strategy,
            BALANCERS.build(balancer) if isinstance(balancer, str) else balancer,
            CONDITIONS,
            "v1",
        )
        self.tier = self.plan.tiers[0]
        self.slots = {entry.target.name: entry.slot for entry in self.tier.entries}

    def ask(self, **changes: Any) -> Ask:
        """What a choice depends on; `seed`, and any field of `Ask`."""
        seed = changes.pop("seed", 1)
        given = {"needs": NEEDS, "dialect": "d", "now_s": NOW_S, "dice": Dice(seed), "turn": 0, "tried": {}}
        return Ask(**(given | changes))

    def order(self, **changes: Any) -> list[str]:
        """The targets' names, best first."""
        return [
            entry.target.name
            for entry in core_select(self.tier, self.plan, self.ask(**changes), self.board.standings)[0]
        ]

    def scores(self, **changes: Any) -> dict[str, float]:
        """What each target scores."""
        ask = self.ask(**changes)
        candidates = self.candidates(ask)
        scores = self.plan.strategy.scores(candidates, ask)
        return {one.entry.target.name: score for one, score in zip(candidates, scores, strict=True)}

    def candidates(self, ask: Ask) -> list[Candidate]:
        """Who is eligible."""
        return sift(self.tier, ask, self.board.standings)[0]

    def hold(self, name: str, *, tokens: int = 500, now_s: float = NOW_S) -> Hold:
        """A request in flight."""
        return self.board.hold(self.slots[name], tokens, now_s)

    def attempt(
        self,
        name: str,
        took_s: float = 1.0,
        *,
        count: int = 1,
        failure: FailureKind | None = None,
        ended_s: float = NOW_S,
        first_s: float | None = None,
        usage: Usage | None = Usage(input=500, output=100),  # noqa: B008  immutable
    ) -> None:
        """Attempts that ended at `ended_s`, each after `took_s`; streams if `first_s` says when their first content came."""
        for _ in range(count):
            hold = self.hold(name, now_s=ended_s)
            used = usage if failure is None else None
            self.board.settle(
                hold,
                Outcome(
                    number=1,
                    target=name,
                    tier="primary",
                    purpose=Purpose.FIRST,
                    started_s=ended_s - took_s,
                    ended_s=ended_s,
                    failure=None if failure is None else Failure(failure, "said so"),
                    first_content_s=None if first_s is None else ended_s - took_s + first_s,
                    stream=first_s is not None,
                    usage=used,
                    cost_nusd=cost_nusd(used, self.targets[name].price),
                ),
                ended_s,
            )

"""What every explanation promises, whatever strategy and balancer made the choice."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import pairwise
from math import inf, isclose
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choosing import NOW_S, House
from pasts import PAIRS, houses, situations
from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.core.candidate import Strategy
from understudy.core.decision import Decision
from understudy.core.explanation.explain import case_of
from understudy.core.explanation.search import turned
from understudy.core.plan import RoutePlan
from understudy.core.prompts.heads import FORMAT, Heads, Trained
from understudy.core.select import choose, dice_of, replay
from understudy.core.strategies.prompt_router import PromptRouter
from understudy.engine.record import read, replay_record, written

EAGER = {"explore": 0.5, "step": 0.1, "min_quality": 0.5, "load": 0.2}
"""Settings under which what is seldom happens often."""

TRAINED = Trained(
    format=FORMAT,
    reads="prompt",
    weak="t0",
    strong="t1",
    quality=0.98,
    thresholds=((0.98, 0.1),),
    heads=Heads(("one",), (0.0,), (1.0,), (0.0, -1.0), (0.0, 1.0), 4.0),
)


def eager(name: str) -> Strategy:
    if name == "prompt_router":
        return PromptRouter(trained=TRAINED)
    known = {field.name for field in fields(STRATEGIES.entry(name))}
    return STRATEGIES.build(name, {key: setting for key, setting in EAGER.items() if key in known})


class Origin:
    """As much of a snapshot as records ask for."""

    version = "v1"

    def __init__(self, plan: RoutePlan) -> None:
        self.plan = plan

    def plan_of(self, decision: Decision) -> RoutePlan:
        return self.plan

    def replay(self, decision: Decision) -> list[str]:
        return replay(decision, self.plan)


def decided(house: House, situation: dict[str, Any]) -> Decision:
    """Two choices of one request, after which the world goes on."""
    needs = replace(situation["needs"], traits=(0.3,))
    seed = situation["seed"]
    kept = [situation[name] for name in ("session", "principal", "budget_left")]
    decision = Decision(1, "d1", "r", "v1", needs, "d", seed, NOW_S, *kept)
    given = {name: one for name, one in situation.items() if name != "seed"} | {"needs": needs}
    for number in range(2):
        ask = replace(house.ask(**given), dice=dice_of(decision, number))
        choose(house.tier, house.plan, ask, house.board.standings, decision)
    for name in house.targets:
        house.attempt(name, 3.0, ended_s=situation["now_s"])
    return decision


@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
@settings(max_examples=12)
@given(data=st.data())
def test_an_explanation_is_of_the_very_choice(strategy: str, balancer: str, data: st.DataObject) -> None:
    house = data.draw(houses(eager(strategy), balancer))
    decision = decided(house, data.draw(situations(house)))
    told = decision.explain(flips=False)
    json.dumps(told.page(), allow_nan=False)
    assert str(told).startswith("decision d1")
    for choice, chosen in zip(decision.choices, told.choices, strict=True):
        assert tuple(one.target for one in chosen.candidates) == choice.order
        assert chosen.first == (choice.order[0] if choice.order else None)
        assert (chosen.strategy, chosen.balancer) == (strategy, balancer)
        assert chosen.excluded == choice.excluded
        for before, after in pairwise(chosen.candidates):
            assert before.score <= after.score or after.recovering
        for one in chosen.candidates if len(chosen.candidates) > 1 else ():
            assert one.parts, "who was preferred, or not, was so for a reason"
            added = 0.0
            for part in one.parts:
                assert part.adds is not None
                added += part.adds
                if part.weight is not None and part.loss is not None and strategy != "adaptive":
                    assert isclose(part.adds, part.weight * part.loss, abs_tol=1e-12)
            assert isclose(added, one.score, rel_tol=1e-9, abs_tol=1e-9)
        equals = [one.score for one in chosen.candidates]
        if len(equals) > 1 and equals.count(equals[0]) == len(equals):
            assert all(one.among_equals for one in chosen.candidates), "so was who stood where among equals"
    assert replay(decision, house.plan) == []


@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
@settings(max_examples=4)
@given(data=st.data())
def test_what_is_said_to_turn_the_choice_does_turn_it(strategy: str, balancer: str, data: st.DataObject) -> None:
    house = data.draw(houses(eager(strategy), balancer))
    decision = decided(house, data.draw(situations(house)))
    told = decision.explain().choices[0]
    case = case_of(decision, 0, decision.choices[0])
    assert case.first() == told.first
    looked = [flip.input for flip in told.flips] + list(told.held) + [name for name, _ in told.unsearched]
    assert len(looked) == len(set(looked)), "each input is told of once"
    for flip in told.flips:
        assert turned(case, flip).first() == flip.then != told.first
    sizes = [max(flip.factor, 1 / flip.factor) for flip in told.flips if flip.factor is not None and flip.then]
    assert sizes == sorted(sizes)
    assert all(size <= 10.0 for size in sizes)
    if len(told.candidates) > 1:
        assert "breaker" in [flip.input for flip in told.flips], "without the first there is a second"


@pytest.mark.no_cover
@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
@settings(max_examples=8)
@given(data=st.data())
def test_a_decision_read_back_from_json_is_the_same_decision(strategy: str, balancer: str, data: st.DataObject) -> None:
    house = data.draw(houses(eager(strategy), balancer))
    decision = decided(house, data.draw(situations(house)))
    page = json.loads(json.dumps(written(decision), allow_nan=False))
    origin: Any = Origin(house.plan)
    again = read(page, origin)
    assert replay_record(page, origin) == []
    assert again.explain(flips=False).page() == decision.explain(flips=False).page()
    assert json.loads(json.dumps(written(again), allow_nan=False)) == page


def test_every_entry_of_ours_tells() -> None:
    for registry in (STRATEGIES, BALANCERS):
        for name in registry.names():
            assert hasattr(registry.build(name), "parts"), name


class Silent:
    """A third party's: it ranks and says no more."""

    def scores(self, candidates, ask):
        return [inf if one.entry.target.name == "t0" else 1.0 for one in candidates]


@settings(max_examples=10)
@given(data=st.data())
def test_who_does_not_tell_is_shown_by_scores_alone(data: st.DataObject) -> None:
    house = data.draw(houses(Silent(), "round_robin"))
    decision = decided(house, data.draw(situations(house)))
    for chosen in decision.explain().choices:
        assert all(one.parts == () for one in chosen.candidates)

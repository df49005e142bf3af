"""Settings that cannot be meant are refused by their names, and nothing that asks "what if" sets them so."""

from __future__ import annotations

from math import inf, nan

import pytest

from choosing import House, target
from understudy.core.allowed import at_least, between, weights
from understudy.core.balancers.adaptive_weights import AdaptiveWeights
from understudy.core.explanation.case import Case
from understudy.core.explanation.knobs import setting
from understudy.core.strategies.frugal import Frugal
from understudy.core.strategies.speed import Speed


@pytest.mark.parametrize("number", [-0.1, 1.1, inf, -inf, nan])
def test_what_lies_outside_is_refused_by_its_name(number: float) -> None:
    with pytest.raises(ValueError, match=r"^share: must be between 0 and 1, not "):
        between(0.0, 1.0, fine=0.5, none=None, share=number)


@pytest.mark.parametrize("number", [-0.1, inf, -inf, nan])
def test_what_is_less_or_no_number_is_refused_by_its_name(number: float) -> None:
    with pytest.raises(ValueError, match=r"^explore: must be a finite number of at least 0, not "):
        at_least(0.0, fine=1e9, explore=number)


def test_a_weight_is_zero_or_more() -> None:
    weights(cost=0.0, speed=1e6)
    with pytest.raises(ValueError, match=r"^cost: must be between"):
        weights(speed=1.0, cost=-1.0)


def test_what_nobody_may_set_is_no_what_if() -> None:
    house = House(target("a"), target("b"), strategy=Speed(explore=0.4))
    case = Case(house.tier, house.plan, house.ask(), {})
    assert setting(case, "strategy.explore", 2.0).plan.strategy == Speed(explore=0.8)
    assert setting(case, "strategy.explore", 3.0) is case


def test_a_budget_that_is_overdrawn_is_spent_and_without_tightening_nothing_tightens() -> None:
    dear = target("dear")
    free = target("free", local=True, price=None)
    calm, tight = House(dear, free, strategy=Frugal(tighten=0.0)), House(dear, free, strategy=Frugal())
    assert calm.scores(budget_left=-0.5) == calm.scores(budget_left=None)
    assert tight.scores(budget_left=-0.5) == tight.scores(budget_left=0.0) != tight.scores(budget_left=None)


def test_where_nobody_has_a_weight_all_are_alike() -> None:
    house = House(
        *(target(name, weight=0.0) for name in "abc"), strategy="priority", balancer=AdaptiveWeights(sharpness=1.0)
    )
    assert {house.order(seed=seed)[0] for seed in range(40)} == {"a", "b", "c"}

"""Choosing in a world whose truth is known and drifts."""

from __future__ import annotations

from functools import cache

import pytest

from understudy.sim.drift import Played, World, play

SEEDS = range(40, 48)
"""Not those by which anything was tuned."""


@cache
def evenings(strategy: str, judged: str) -> tuple[Played, ...]:
    return tuple(play(World(seed=seed, hours=1.5), strategy, judged=judged) for seed in SEEDS)


def mean(played: tuple[Played, ...], of: str) -> float:
    return sum(float(getattr(one, of)) for one in played) / len(played)


@pytest.mark.no_cover
@pytest.mark.parametrize("strategy", ["adaptive", "composite"])
def test_nine_of_ten_choices_are_the_very_best(strategy: str) -> None:
    played = evenings(strategy, strategy)
    assert mean(played, "optimal") >= 0.9, [one.optimal for one in played]
    assert mean(played, "near") >= 0.94, [one.near for one in played]
    assert mean(played, "best") - mean(played, "worth") < 0.01


@pytest.mark.no_cover
def test_adaptive_is_better_than_a_fixed_order_by_more_than_fifteen_percent() -> None:
    assert mean(evenings("adaptive", "adaptive"), "worth") >= 1.15 * mean(evenings("failover", "adaptive"), "worth")


@pytest.mark.no_cover
def test_regret_grows_slower_than_that_of_a_fixed_order_from_the_start() -> None:
    learned, fixed = evenings("adaptive", "adaptive"), evenings("failover", "adaptive")
    for point in (20, 50, 99):
        assert sum(one.regret[point] for one in learned) < 0.1 * sum(one.regret[point] for one in fixed)


@pytest.mark.no_cover
def test_every_strategy_lives_through_the_same_evening() -> None:
    played = {
        strategy: play(World(seed=SEEDS[0], hours=1.5), strategy, judged="adaptive")
        for strategy in ("adaptive", "failover")
    }
    best = {strategy: one.best for strategy, one in played.items()}
    assert best["adaptive"] == best["failover"]


def test_an_evening_is_the_same_each_time() -> None:
    assert play(World(seed=1, hours=0.1), "adaptive") == play(World(seed=1, hours=0.1), "adaptive")
    assert len(play(World(seed=1, hours=0.1), "adaptive").regret) == 100

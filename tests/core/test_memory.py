"""Means that fade, and are dropped when what they are made of has changed."""

from __future__ import annotations

import pytest

from understudy.core.dice import Dice
from understudy.core.health.memory import PRIOR_FAILING, Level, Share


def levels(seed: int, count: int, mean: float, of: Level | None = None) -> tuple[Level, int]:
    """A memory of losses around a mean, and how often they were thought to have changed."""
    level, dice, changes = of or Level(0.5), Dice(seed), 0
    for _ in range(count):
        changes += level.add(mean + 0.06 * dice.normal()) is not None
    return level, changes


def test_a_steady_target_is_known_better_the_longer_it_is_known() -> None:
    few, _ = levels(1, 20, 0.3)
    many, changes = levels(1, 2000, 0.3)
    assert many.doubt < few.doubt / 5
    assert many.mean == pytest.approx(0.3, abs=4 * many.doubt)
    assert changes <= 2, "by chance, once in some thousands"


@pytest.mark.parametrize("to", [0.1, 0.5])
def test_a_change_of_times_either_way_is_believed_within_some_attempts(to: float) -> None:
    level, _ = levels(2, 500, 0.3)
    level, changes = levels(3, 8, to, of=level)
    assert changes >= 1
    assert level.mean == pytest.approx(to, abs=0.06)
    assert level.doubt > 0.01, "and little is known of how it is now"


def test_what_is_long_ago_weighs_little() -> None:
    level, _ = levels(4, 100, 0.3)
    before = level.doubt
    level.fade(0.01)
    assert level.weight == pytest.approx(1.0, rel=0.1)
    assert level.doubt > 2 * before


def shares(seed: int, count: int, failing: float, of: Share | None = None) -> tuple[Share, int]:
    share, dice, changes = of or Share(PRIOR_FAILING), Dice(seed), 0
    for _ in range(count):
        changes += share.add(failed=dice.chance(failing)) is not None
    return share, changes


@pytest.mark.parametrize("failing", [0.0, 0.02, 0.2, 0.5])
def test_a_steady_share_of_failures_is_learned_whatever_it_is(failing: float) -> None:
    mean = sum(shares(seed, 400, failing)[0].mean for seed in range(40)) / 40
    assert mean == pytest.approx(failing, abs=0.03)


@pytest.mark.parametrize(("before", "after"), [(0.02, 0.6), (0.6, 0.02), (0.01, 0.3)])
def test_a_change_of_failures_either_way_is_believed_within_some_attempts(before: float, after: float) -> None:
    errors = []
    for seed in range(30):
        share, _ = shares(seed, 300, before)
        share, _ = shares(seed + 1000, 25, after, of=share)
        errors.append(abs(share.mean - after))
    assert sorted(errors)[20] < 0.25


def test_what_is_believed_of_anybody_comes_back_with_time() -> None:
    share, _ = shares(1, 100, 0.6)
    share.fade(0.0)
    assert (share.mean, share.doubt) == (PRIOR_FAILING, Share(PRIOR_FAILING).doubt)

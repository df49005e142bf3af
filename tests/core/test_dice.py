"""SplitMix64 against the published sequences, and what is promised of every draw."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.dice import Dice, label_of

SEEDS = st.integers(min_value=0, max_value=2**64 - 1)


@pytest.mark.parametrize(
    ("seed", "published"),
    [
        (  # Vigna's reference implementation, also used to seed xoshiro
            1234567,
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821],
        ),
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC, 0x1B39896A51A8749B]),
    ],
)
def test_the_sequence_is_the_published_one(seed: int, published: list[int]) -> None:
    dice = Dice(seed)
    assert [dice.next() for _ in published] == published


def test_draws_of_every_kind_stay_what_they_are() -> None:
    """A recorded decision can be replayed by a later version only while these hold."""
    dice = Dice(42)
    assert dice.random() == 0.7415648787718233
    assert dice.below(1000) == 159
    assert dice.pick("abcdef") == "b"
    assert dice.shuffled(range(6)) == [5, 1, 4, 3, 0, 2]
    assert dice.fork(7).next() == Dice(42).fork(7).next()
    assert label_of("claude") == 2391361458


@given(SEEDS)
def test_the_seed_stays_and_replays_everything(seed: int) -> None:
    dice = Dice(seed)
    first = [dice.next() for _ in range(5)]
    assert dice.seed == seed
    assert repr(dice) == f"Dice({seed:#x})"
    again = Dice(dice.seed)
    assert [again.next() for _ in range(5)] == first


@given(SEEDS, st.integers(min_value=0, max_value=2**32))
def test_a_fork_depends_on_seed_and_label_alone(seed: int, label: int) -> None:
    fresh, used = Dice(seed), Dice(seed)
    for _ in range(3):
        used.next()
    assert fresh.fork(label).next() == used.fork(label).next()
    assert fresh.fork(label).seed != fresh.fork(label + 1).seed


def test_forks_and_their_parent_do_not_repeat_each_other() -> None:
    dice = Dice(1)
    family = [
        dice,
        *(Dice(1).fork(label) for label in range(50)),
        *(Dice(1).fork(0).fork(label) for label in range(50)),
    ]
    drawn = [member.next() for member in family for _ in range(20)]
    assert len(set(drawn)) == len(drawn)


def test_negative_and_wide_seeds_are_folded_into_64_bits() -> None:
    assert Dice(-1).seed == 2**64 - 1
    assert Dice(2**64 + 5).next() == Dice(5).next()


@given(SEEDS, st.integers(min_value=1, max_value=10**6))
def test_draws_stay_in_their_bounds(seed: int, n: int) -> None:
    dice = Dice(seed)
    assert 0 <= dice.below(n) < n
    assert 0.0 <= dice.random() < 1.0
    assert 2.0 <= dice.between(2.0, 3.0) < 3.0
    assert dice.pareto(2.0, 1.5) >= 2.0
    assert dice.lognormal(1.0, 2.0) > 0.0
    assert dice.exponential(1.0) >= 0.0
    assert sorted(dice.shuffled(range(10))) == list(range(10))
    assert not dice.chance(0.0)
    assert dice.chance(1.0)


@pytest.mark.parametrize("n", [0, -3])
def test_nothing_lies_below_zero(n: int) -> None:
    with pytest.raises(ValueError, match=f"below {n}"):
        Dice(1).below(n)


def test_distributions_have_their_moments() -> None:
    """20,000 draws; every bound is more than five standard errors wide, and the seed is fixed."""
    dice, n = Dice(2014), 20_000
    assert statistics.fmean(dice.random() for _ in range(n)) == pytest.approx(0.5, abs=0.011)
    assert statistics.fmean(dice.exponential(3.0) for _ in range(n)) == pytest.approx(3.0, rel=0.04)
    assert statistics.median(dice.lognormal(2.0, 0.5) for _ in range(n)) == pytest.approx(2.0, rel=0.03)
    normals = [dice.normal() for _ in range(n)]
    assert statistics.fmean(normals) == pytest.approx(0.0, abs=0.04)
    assert statistics.stdev(normals) == pytest.approx(1.0, rel=0.03)
    assert statistics.median(dice.pareto(1.0, 2.0) for _ in range(n)) == pytest.approx(math.sqrt(2), rel=0.02)
    counts = [0] * 7
    for _ in range(n):
        counts[dice.below(7)] += 1
    assert sum((count - n / 7) ** 2 / (n / 7) for count in counts) < 30  # chi-square, 6 degrees: p < 0.0001 above 27.9


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_many_at_once_are_as_many_as_asked_for_and_the_same_each_time(count: int) -> None:
    many = Dice(7).randoms(count)
    assert len(many) == len(set(many)) == count
    assert all(0.0 <= one < 1.0 for one in many)
    assert many == Dice(7).randoms(count)


def test_many_at_once_are_spread_evenly() -> None:
    many = Dice(2014).randoms(30_000)
    for third in range(3):  # of each 64 bits
        assert statistics.fmean(many[third::3]) == pytest.approx(0.5, abs=0.015)
        assert statistics.stdev(many[third::3]) == pytest.approx(math.sqrt(1 / 12), rel=0.03)

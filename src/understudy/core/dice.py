"""Chance as an argument: a small seeded generator, cheap to make, to fork and to replay.

The generator is SplitMix64 (Guy L. Steele Jr., Doug Lea, Christine H. Flood: "Fast Splittable Pseudorandom Number
Generators", OOPSLA 2014), with the mixing constants of Sebastiano Vigna's reference. It passes BigCrush, its whole state is
one integer, and making one costs a fraction of what `random.Random(seed)` does. Not for secrets.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_GAMMA = 0x9E37_79B9_7F4A_7C15  # 2**64 / golden ratio, made odd
_UNIT = 2.0**-53
_THIRD_UNIT = 2.0**-21


def _mix(state: int) -> int:
    state = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
    return state ^ (state >> 31)


def label_of(text: str) -> int:
    """A number for a name, the same in every process: what `Dice.fork` takes."""
    return zlib.crc32(text.encode())


class Dice:
    """One sequence of chance.

    `seed` never changes: together with how many values were drawn it says everything, so whoever records the seed can
    replay what was decided.
    """

    __slots__ = ("_state", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed & _MASK
        self._state = self.seed

    def __repr__(self) -> str:
        return f"Dice({self.seed:#x})"

    def fork(self, label: int) -> Dice:
        """A sequence of its own for one concern.

        It depends on the seed and the label alone, not on what was drawn before: a new consumer of chance disturbs none of
        the others.
        """
        return Dice(_mix((self.seed + _mix((label + _GAMMA) & _MASK)) & _MASK))

    def next(self) -> int:
        """The next 64 bits."""
        self._state = state = (self._state + _GAMMA) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
        return state ^ (state >> 31)

    def random(self) -> float:
        """Uniform in [0, 1), a multiple of 2**-53."""
        return (self.next() >> 11) * _UNIT

    def randoms(self, count: int) -> list[float]:
        """So many uniform values in [0, 1), multiples of 2**-21: three of each 64 bits, for who needs one per target."""
        found: list[float] = []
        state = self._state
        for _ in range((count + 2) // 3):
            state = (state + _GAMMA) & _MASK
            mixed = ((state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
            mixed ^= mixed >> 31
            found += (
                (mixed & 0x1F_FFFF) * _THIRD_UNIT,
                ((mixed >> 21) & 0x1F_FFFF) * _THIRD_UNIT,
                (mixed >> 43) * _THIRD_UNIT,
            )
        self._state = state
        return found if len(found) == count else found[:count]

    def below(self, n: int) -> int:
        """Uniform in 0..n-1, for n up to 2**32 without a bias that anyone could measure. Raises `ValueError` for n < 1."""
        if n < 1:
            raise ValueError(f"nothing lies below {n}")
        return (self.next() * n) >> 64

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.random()

    def chance(self, share: float) -> bool:
        """True in this share of cases: never for 0, always for 1."""
        return self.random() < share

    def pick(self, items: Sequence[T]) -> T:
        """One of them, all equally likely. Raises `ValueError` when there is none."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of them in a random order, each order equally likely (Fisher and Yates)."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled

    def exponential(self, mean: float) -> float:
        """Waiting time until the next of independent events that come `mean` apart."""
        return -mean * math.log(1.0 - self.random())

    def normal(self) -> float:
        """Standard normal, by Box and Muller's transform."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return radius * math.cos(math.tau * self.random())

    def lognormal(self, median: float, sigma: float) -> float:
        """Positive, half of it below `median`; `sigma` is the deviation of its logarithm."""
        return median * math.exp(sigma * self.normal())

    def pareto(self, least: float, alpha: float) -> float:
        """At least `least`, with a tail that falls as x**-alpha: heavier the smaller alpha is."""
        return least / float((1.0 - self.random()) ** (1.0 / alpha))

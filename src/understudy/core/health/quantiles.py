"""Quantiles of a target's times, from counts in buckets that grow by a constant factor.

The relative error is that of a bucket (as in DDSketch: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019). Old samples fade: when `KEPT` are there, all counts are halved.
"""

from __future__ import annotations

from itertools import accumulate
from math import log

SHORTEST_MS = 0.1
_GROWTH = 1.05
_BUCKETS = 336  # up to two hours and more
_SCALE = 1.0 / log(_GROWTH)
KEPT = 2000
REFRESHED_EVERY = 32
"""Samples between two readings of the same quantile: reading goes over all buckets."""


class Quantiles:
    """Times in ms, up to 2.5 % off."""

    __slots__ = ("_counts", "_read", "count", "seen")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._read: dict[float, tuple[int, float]] = {}  # quantile -> (samples seen by then, what it was)
        self.count = 0  # weight of what is remembered
        self.seen = 0

    def add(self, sample_ms: float) -> None:
        """One more sample."""
        index = int(log(sample_ms / SHORTEST_MS) * _SCALE) if sample_ms > SHORTEST_MS else 0
        self._counts[min(index, _BUCKETS - 1)] += 1
        self.seen += 1
        self.count += 1
        if self.count >= KEPT:
            self._counts = [count // 2 for count in self._counts]
            self.count = sum(self._counts)

    def quantile(self, share: float) -> float | None:
        """The time in ms that `share` (0 to 1) of the samples do not exceed; None without a sample."""
        if not self.count:
            return None
        known = self._read.get(share)
        if known is not None and self.seen - known[0] < REFRESHED_EVERY:
            return known[1]
        wanted = share * self.count
        found = next(index for index, below in enumerate(accumulate(self._counts)) if below >= wanted)
        value: float = SHORTEST_MS * _GROWTH ** (found + 0.5)
        self._read[share] = self.seen, value
        return value

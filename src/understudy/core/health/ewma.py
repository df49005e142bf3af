"""Exponentially weighted moving average whose memory is measured in time, not in samples."""

from __future__ import annotations

from math import exp


class Ewma:
    """A mean that forgets: a sample `half_life_s` old weighs half.

    Weights by elapsed time, so that a burst does not drown the past (W. Zumbach, "Operators on inhomogeneous time series",
    2001). None until the first sample. Samples come in the order of their times.
    """

    __slots__ = ("_at_s", "_rate", "_weight", "mean")

    def __init__(self, half_life_s: float) -> None:
        self._rate = 0.6931471805599453 / half_life_s
        self._at_s = 0.0
        self._weight = 0.0
        self.mean: float | None = None

    def add(self, sample: float, now_s: float) -> None:
        """One more sample at `now_s`."""
        if self.mean is None:
            self.mean = sample
            self._weight = 1.0
        else:
            self._weight = self._weight * exp(self._rate * (self._at_s - now_s)) + 1.0
            if sample != self.mean:  # the same float again: thousands of standings keep it
                self.mean += (sample - self.mean) / self._weight
        self._at_s = now_s

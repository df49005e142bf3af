"""Change detection: whether a target has become worse, told from chance as soon as the samples allow.

Cumulative sums (E. S. Page, "Continuous inspection schemes", Biometrika 1954): evidence for a change adds up, evidence against it
takes away, and an alarm is a sum that no ordinary run of bad luck reaches.
"""

from __future__ import annotations

from math import log, sqrt

WARM = 30
"""Samples from which a target's ordinary times are learned before anything is held against them."""

MEMORY = 200.0
"""Samples over which the ordinary creeps after what is: a new normal is accepted after some hundreds, a bad minute is not."""

SLACK = 0.75
"""Deviations beyond the ordinary that are nothing to speak of: requests differ, and large ones come in bursts."""

WORSE = 12.0
"""The sum that raises an alarm: four of the worst samples in a row, eight at twice the usual deviation."""

BETTER = 6.0
"""The same for an improvement, where a false alarm costs only a look."""

CLIP = 4.0
DEVIATION_MIN = 0.15
"""Times steadier than 15 % are not held to their own steadiness."""


class Times:
    """Whether a target's times have changed. Samples are logarithms: times are multiplied by trouble, not added to.

    `worse`: the evidence that they became longer, 0 to 1 (an alarm); `level`: their mean while that evidence grew, over `run` samples.
    `alarm`: one stands, from the evidence that makes it until nothing of that is left.
    """

    __slots__ = ("_better", "_grown", "_mean", "_seen", "_sum", "_variance", "alarm", "run")

    def __init__(self) -> None:
        self._seen = 0
        self._mean = 0.0
        self._variance = 0.0
        self._sum = 0.0
        self._better = 0.0
        self._grown = 0.0
        self.run = 0
        self.alarm = False

    @property
    def worse(self) -> float:
        """How near an alarm is."""
        return self._sum / WORSE

    @property
    def ordinary(self) -> float:
        """The mean that is taken for normal."""
        return self._mean

    @property
    def level(self) -> float:
        """The mean of the present run; the ordinary one without a run."""
        return self._grown / self.run if self.run else self._mean

    def add(self, sample: float) -> bool:
        """One more. True when an alarm begins, or an improvement is certain: what was learned before it is out of date."""
        self._seen += 1
        if self._seen <= WARM:
            self._learn(sample, 1.0 / self._seen)
            return False
        deviation = max(DEVIATION_MIN, sqrt(self._variance))
        off = min(CLIP, max(-CLIP, (sample - self._mean) / deviation))
        self._learn(self._mean + off * deviation, 1.0 / min(MEMORY, self._seen))
        calm = self._sum < WORSE
        self._sum = min(WORSE, max(0.0, self._sum + off - SLACK))
        self._better = max(0.0, self._better - off - SLACK)
        if self._sum or self._better:
            self.run += 1
            self._grown += sample
        else:
            self.run = 0
            self._grown = 0.0
        self.alarm = self._sum >= WORSE or (self.alarm and self._sum > 0.0)
        if self._better >= BETTER:
            self._seen = int(BETTER)  # the better level becomes the ordinary one soon
            self._better = self._sum = 0.0
            self.alarm = False
            return True
        return calm and self._sum >= WORSE

    def _learn(self, sample: float, share: float) -> None:
        off = sample - self._mean
        self._mean += share * off
        self._variance = (1.0 - share) * (self._variance + share * off * off)


ORDINARY = 0.02
"""The share of failures that is held to be ordinary at least (public traces: 2 to 7 %), and `ORDINARY_MAX` at most."""

ORDINARY_MAX = 0.1
TIMES_WORSE = 10.0
WORST = 0.5
CERTAIN = 9.0
"""Log-likelihood of an alarm: at an ordinary 2 %, four failures in a row or five of seventeen, as chance has it once in 50,000 requests."""

HABIT = 1000.0
"""Attempts over which a share of failures becomes the ordinary one: slower than an alarm, which it would talk away."""


class Failures:
    """Whether a target fails more than it ordinarily does: a sequential test of ten times the share against the share (A. Wald, 1945).

    `ordinary`: the share that is taken for normal; `level`: that of the present run. `alarm`: as `Times` has it.
    """

    __slots__ = ("_failed", "_sum", "alarm", "ordinary", "run")

    def __init__(self) -> None:
        self.ordinary = ORDINARY
        self._sum = 0.0
        self._failed = 0
        self.run = 0
        self.alarm = False

    @property
    def worse(self) -> float:
        """How near an alarm is, 0 to 1."""
        return self._sum / CERTAIN

    @property
    def level(self) -> float:
        """The share of failures in the present run; the ordinary one without a run."""
        return self._failed / self.run if self.run else self.ordinary

    def add(self, *, failed: bool) -> bool:
        """One more. True when an alarm begins."""
        ordinary = min(ORDINARY_MAX, max(ORDINARY, self.ordinary))
        bad = min(WORST, ordinary * TIMES_WORSE)
        calm = self._sum < CERTAIN
        evidence = log(bad / ordinary) if failed else log((1.0 - bad) / (1.0 - ordinary))
        self._sum = min(CERTAIN, max(0.0, self._sum + evidence))
        if self._sum:
            self.run += 1
            self._failed += failed
        else:
            self.run = self._failed = 0
        self.alarm = self._sum >= CERTAIN or (self.alarm and self._sum > 0.0)
        self.ordinary += (failed - self.ordinary) / HABIT
        return calm and self._sum >= CERTAIN

"""Means that fade with time, and are forgotten at once when what they are made of has changed.

A long memory tells apart what is nearly alike, a short one notices changes. Both are had by a long one that is dropped when the
latest samples contradict it: two cumulative sums (E. S. Page, "Continuous inspection schemes", Biometrika 1954) look for a rise and for a
fall, and each knows the samples since it was last at nothing, from which the mean begins anew.
"""

from __future__ import annotations

from math import log, sqrt

SLACK = 0.75
"""Deviations from the mean that are no evidence of a change: a sum grows by what goes beyond."""

CHANGED = 6.0
"""The sum that is a change: three of the most unusual samples in a row, by chance once in some thousands."""

CLIP = 4.0
USUAL = 0.06
"""The deviation of times, as losses, before it is known: a factor of 1.5. It weighs `USUAL_OF` samples."""

USUAL_OF = 4.0
DEVIATION_MIN = 0.02


class Level:
    """The mean of losses of times."""

    __slots__ = ("_fall", "_fallen", "_fallen_of", "_of", "_rise", "_risen", "_risen_of", "_squares", "_sum")

    def __init__(self, prior: float) -> None:
        self._sum, self._of = prior, 1.0
        self._squares = USUAL * USUAL * USUAL_OF
        self._rise = self._fall = 0.0
        self._risen = self._risen_of = self._fallen = self._fallen_of = 0.0

    @property
    def weight(self) -> float:
        """Of all samples that are remembered, the prior among them."""
        return self._of

    @property
    def mean(self) -> float:
        """Of what is remembered."""
        return self._sum / self._of

    @property
    def doubt(self) -> float:
        """The standard deviation of that mean."""
        return sqrt(self._squares / ((self._of + USUAL_OF) * (self._of + 1.0)))

    def fade(self, left: float) -> None:
        """Time has passed: the samples weigh less."""
        self._sum *= left
        self._of *= left
        self._squares = USUAL * USUAL * USUAL_OF * (1.0 - left) + self._squares * left

    def add(self, sample: float) -> float | None:
        """One more. The weight of the samples that are believed from now on, when those before them are out of date."""
        of = self._of
        off = sample - self._sum / of
        deviation = max(DEVIATION_MIN, sqrt(self._squares / (of + USUAL_OF) * (1.0 + 1.0 / of)))
        z = min(CLIP, max(-CLIP, off / deviation))
        self._sum += sample
        self._of = of + 1.0
        self._squares += min(abs(off), CLIP * deviation) ** 2 * of / (of + 1.0)
        rise, fall = self._rise + z - SLACK, self._fall - z - SLACK
        if rise > 0.0:
            self._rise, self._risen, self._risen_of = rise, self._risen + sample, self._risen_of + 1.0
            if rise >= CHANGED:
                return self._begin(self._risen, self._risen_of)
        else:
            self._rise = self._risen = self._risen_of = 0.0
        if fall > 0.0:
            self._fall, self._fallen, self._fallen_of = fall, self._fallen + sample, self._fallen_of + 1.0
            if fall >= CHANGED:
                return self._begin(self._fallen, self._fallen_of)
        else:
            self._fall = self._fallen = self._fallen_of = 0.0
        return None

    def _begin(self, total: float, of: float) -> float:
        deviation = self._squares / (self._of + USUAL_OF)
        self._sum, self._of = total, of
        self._squares = deviation * (of + USUAL_OF)
        self._rise = self._fall = 0.0
        self._risen = self._risen_of = self._fallen = self._fallen_of = 0.0
        return of


PRIOR_FAILING = 0.02
"""The share of failures before the first attempt, which weighs one attempt, and again as much as the attempts have faded."""

ODDS = 4.0
"""A change of the share of failures is sought at so many times its odds, and at their like part."""

SURE_RISE = 5.0
SURE_FALL = 3.5
"""Log-likelihoods of a change: four failures in a row from a target that hardly fails, three good answers from one that always did. A false
improvement costs a few attempts that show it, a false rise some minutes in the corner."""

LEAST = 0.01
MOST = 0.97


class Share:
    """The share of failures."""

    __slots__ = ("_fall", "_fallen", "_fallen_of", "_of", "_prior", "_rise", "_risen", "_risen_of", "_sum")

    def __init__(self, prior: float) -> None:
        self._prior = prior
        self._sum, self._of = prior, 1.0
        self._rise = self._fall = 0.0
        self._risen = self._risen_of = self._fallen = self._fallen_of = 0.0

    @property
    def mean(self) -> float:
        """Of what is remembered."""
        return self._sum / self._of

    @property
    def doubt(self) -> float:
        """The standard deviation of that mean."""
        share = self._sum / self._of
        return sqrt(share * (1.0 - share) / self._of)

    def fade(self, left: float) -> None:
        """Time has passed: the samples weigh less, and what was believed before them more."""
        self._sum = self._prior * (1.0 - left) + self._sum * left
        self._of = 1.0 - left + self._of * left

    def add(self, *, failed: bool) -> float | None:
        """One more; as `Level.add`."""
        share = min(MOST, max(LEAST, self._sum / self._of))
        more = share * ODDS / (1.0 - share + share * ODDS)
        less = share / (share + (1.0 - share) * ODDS)
        self._of += 1.0
        if failed:
            self._sum += 1.0
            rise, fall = self._rise + log(more / share), self._fall + log(less / share)
        else:
            rise, fall = self._rise + log((1.0 - more) / (1.0 - share)), self._fall + log((1.0 - less) / (1.0 - share))
        if rise > 0.0:
            self._rise, self._risen, self._risen_of = rise, self._risen + failed, self._risen_of + 1.0
            if rise >= SURE_RISE:
                return self._begin(self._risen, self._risen_of)
        else:
            self._rise = self._risen = self._risen_of = 0.0
        if fall > 0.0:
            self._fall, self._fallen, self._fallen_of = fall, self._fallen + failed, self._fallen_of + 1.0
            if fall >= SURE_FALL:
                return self._begin(self._fallen, self._fallen_of)
        else:
            self._fall = self._fallen = self._fallen_of = 0.0
        return None

    def _begin(self, total: float, of: float) -> float:
        self._sum, self._of = self._prior + total, 1.0 + of
        self._rise = self._fall = 0.0
        self._risen = self._risen_of = self._fallen = self._fallen_of = 0.0
        return of

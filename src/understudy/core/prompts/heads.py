"""What a trained model is when it is used: two logistic heads as plain numbers, and thresholds by quality.

Training needs numerical libraries (`understudy.learn`); using what came of it is 30 multiplications in plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from understudy.core.value import JsonObject, keyword_value, value

FORMAT = 2
"""Of the file. A file of another one is refused: numbers that mean something else must not choose."""

Z_MAX = 4.0
"""Inputs are cut at so many standard deviations: one odd prompt must not outweigh everything that was learned."""


@value
class Heads:
    """P(right) of a weak and of a strong answerer, from the same inputs.

    `names`: of the inputs. `mean`, `scale`: how they are standardised. `weak`, `strong`: a bias, then a weight per input.
    `reach`: the mean squared distance from what was seen in training, beyond which nothing is said.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weak: tuple[float, ...]
    strong: tuple[float, ...]
    reach: float

    def gain(self, inputs: Sequence[float]) -> float | None:
        """P(strong right) - P(weak right), -1 to 1. None for inputs unlike those of the training: abstain."""
        if len(inputs) != len(self.names):
            return None
        far = 0.0
        weak, strong = self.weak[0], self.strong[0]
        for number, mean, scale, for_weak, for_strong in zip(
            inputs, self.mean, self.scale, self.weak[1:], self.strong[1:], strict=True
        ):
            z = (number - mean) / scale
            far += z * z
            z = min(max(z, -Z_MAX), Z_MAX)
            weak += for_weak * z
            strong += for_strong * z
        if far > self.reach * len(inputs):
            return None
        return 1.0 / (1.0 + exp(-strong)) - 1.0 / (1.0 + exp(-weak))


@keyword_value
class Trained:
    """What `understudy train` writes. `reads`: what the inputs are made of, `prompt` or `drafts`.

    `weak`: whose answers are kept, and beside them `besides`: whoever was asked with it, for drafts; `strong`: who is asked
    otherwise. `quality`: the share of the strong one's quality that was aimed at. `thresholds`: pairs of such a share and the
    gain up to which the weak answer will do, rising. `provenance`: from what, when and how it was trained, for readers.
    """

    format: int
    reads: str
    weak: str
    strong: str
    quality: float
    thresholds: tuple[tuple[float, float], ...]
    heads: Heads
    besides: tuple[str, ...] = ()
    provenance: JsonObject | None = None

    def threshold(self, quality: float | None = None) -> float:
        """The gain up to which the weak answer will do: that of the next higher share that was calibrated, else none does."""
        wanted = self.quality if quality is None else quality
        for share, gain in self.thresholds:
            if share >= wanted:
                return gain
        return -2.0

    def problem(self, reads: str) -> str | None:
        """Why this cannot be used by whoever gives it inputs made of `reads`; None when it can."""
        if self.format != FORMAT:
            return f"is of format {self.format}, this version reads {FORMAT}: train it again"
        if self.reads != reads:
            return f"was trained on {self.reads}, not on {reads}"
        size = len(self.heads.names)
        wanted = (size, size, size + 1, size + 1)
        heads = self.heads
        if (len(heads.mean), len(heads.scale), len(heads.weak), len(heads.strong)) != wanted:
            return "is damaged: its lists of numbers do not fit together"
        return "is damaged: a scale is not above 0" if any(one <= 0 for one in heads.scale) else None

"""Fits the two logistic heads together, and finds thresholds that keep a share of the strong one's quality.

The heads are written as what they have in common plus and minus half a difference, and the difference is held back ten times
as much: with some thousand labels how right both are is learned well, which one is better for what hardly, and a penalty on
the two heads apart would spend itself on the former. Penalised maximum likelihood by Newton's method; the penalties are
those of a normal prior, so they do not change with the number of labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.core.prompts.heads import Z_MAX, Heads

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
"""Row numbers."""

Penalties = tuple[float, float]
"""On what the heads have in common, and on their difference."""

FOR_PROMPTS: Penalties = (120.0, 1200.0)
FOR_DRAFTS: Penalties = (5.0, 20.0)
"""Four inputs that speak of the answer itself need less holding back than thirty that guess at it."""

STEPS = 12
FOLDS = 5
REPEATS = 3
REACH_QUANTILE = 0.995
SLOPE = 1.1
DRAFTS_SLOPE = 0.9
SLOPE_WEIGHT = 28.0
"""Of a line of gains against what was lost: where it is sought, and how firmly (a deviation of 0.1 for right-or-wrong labels)."""

SHARES = (0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.975, 0.98, 0.985, 0.99, 0.995, 1.0)
"""Of the strong one's quality, for which thresholds are kept."""


def fit_heads(
    inputs: Floats,
    weak: Floats,
    strong: Floats,
    names: tuple[str, ...],
    penalties: Penalties = FOR_PROMPTS,
) -> Heads:
    """Heads from inputs (rows x inputs) and how right the two were on each row, 0 to 1."""
    mean = inputs.mean(axis=0)
    scale = inputs.std(axis=0)
    scale[scale < 1e-9] = 1.0
    z = (inputs - mean) / scale
    reach = float(np.quantile((z * z).mean(axis=1), REACH_QUANTILE)) * 2.0
    for_weak, for_strong = _fit(np.clip(z, -Z_MAX, Z_MAX), weak, strong, *penalties)
    return Heads(names, _floats(mean), _floats(scale), _floats(for_weak), _floats(for_strong), reach)


def gains_of(heads: Heads, inputs: Floats) -> Floats:
    """The gains of many rows; +inf, which no threshold reaches, where the heads abstain."""
    z = (inputs - np.array(heads.mean)) / np.array(heads.scale)
    unlike = (z * z).mean(axis=1) > heads.reach
    z = np.clip(z, -Z_MAX, Z_MAX)
    weak, strong = np.array(heads.weak), np.array(heads.strong)
    gains = _sigmoid(strong[0] + z @ strong[1:]) - _sigmoid(weak[0] + z @ weak[1:])
    return np.where(unlike, np.inf, gains)


def gains_apart(
    inputs: Floats,
    weak: Floats,
    strong: Floats,
    names: tuple[str, ...],
    seed: int,
    *,
    penalties: Penalties = FOR_PROMPTS,
    repeats: int = REPEATS,
) -> Floats:
    """Gains of rows by heads that never saw them: cross-validation, repeated with other folds and averaged."""
    rng = np.random.default_rng(seed)
    gains = np.zeros(len(inputs))
    for _ in range(repeats):
        fold = rng.permutation(len(inputs)) % FOLDS
        for one in range(FOLDS):
            seen, unseen = fold != one, fold == one
            heads = fit_heads(inputs[seen], weak[seen], strong[seen], names, penalties)
            gains[unseen] += gains_of(heads, inputs[unseen]) / repeats
    return gains


def smoothed_loss(gains: Floats, weak: Floats, strong: Floats, slope: float = SLOPE) -> Floats:
    """What is expected to be lost on each row by keeping the weak answer: a line through what was lost.

    Its height is the data's; its slope is the data's as far as they know it, else `slope`: near 1, as honest
    gains have it, a little above for heads that were held back much (of prompts), since they speak of smaller gains than there are. On 1,500
    labels of RouteLLM's MMLU the kept quality then varies half as much as with thresholds laid on the labels themselves.
    """
    lost = strong - weak
    known = np.isfinite(gains)
    if not known.any():
        return lost
    height, middle = lost[known].mean(), gains[known].mean()
    off = gains[known] - middle
    steep = (float(off @ (lost[known] - height)) + SLOPE_WEIGHT * slope) / (float(off @ off) + SLOPE_WEIGHT)
    expected = lost.copy()
    expected[known] = height + steep * off
    return expected


def thresholds_for(
    gains: Floats, weak: Floats, strong: Floats, shares: tuple[float, ...] = SHARES, slope: float = SLOPE
) -> tuple[tuple[float, float], ...]:
    """For each share of the strong one's quality the highest gain up to which the weak answer will do."""
    order = np.argsort(gains, kind="stable")
    order = order[np.isfinite(gains[order])]
    lost = np.cumsum(smoothed_loss(gains, weak, strong, slope)[order])
    found = []
    for share in shares:
        fine = np.flatnonzero(lost <= (1.0 - share) * strong.sum())
        found.append((share, float(gains[order[fine[-1]]]) if len(fine) else -2.0))
    return tuple(found)


def _fit(z: Floats, weak: Floats, strong: Floats, common: float, difference: float) -> tuple[Floats, Floats]:
    rows, count = z.shape
    size = count + 1
    ones = np.column_stack([np.ones(rows), z])
    design = np.vstack([np.hstack([ones, ones]), np.hstack([ones, -ones])])
    right = np.concatenate([strong, weak])
    penalty = np.diag([1e-6, *[common] * count, 1e-6, *[difference] * count])
    beta = np.zeros(2 * size)
    for _ in range(STEPS):
        p = _sigmoid(design @ beta)
        slope = design.T @ (p - right) + penalty @ beta
        bend = (design.T * (p * (1 - p))) @ design + penalty
        step = np.linalg.solve(bend, slope)
        beta = beta - step
        if float(np.abs(step).max()) < 1e-6:
            break
    return beta[:size] - beta[size:], beta[:size] + beta[size:]


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


def _floats(numbers: Floats) -> tuple[float, ...]:
    return tuple(float(f"{number:.9g}") for number in numbers)

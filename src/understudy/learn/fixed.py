"""Choices that look at no prompt: what the usual cost strategies do with the same models on the same rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.learn.fitting import Floats, Rows
from understudy.learn.policies import strongest
from understudy.learn.samples import Sample

ENOUGH = 0.85
"""Of the strong model's quality: below it, cheapest is no choice at all."""

SAME = 0.99
"""Of the strong model's quality: from there on, models count as equivalent."""

BUDGET = 0.8
FRUGAL_FROM = 0.85
"""Of what always asking the strong model costs; of the budget."""

Spent = tuple[Floats, Floats]
"""Dollars, and how right, row by row."""


def minimise_cost(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The cheapest model that keeps 85 % of the strong one's quality."""
    return _always(sample, _cheapest(sample, seen, ENOUGH), rows)


def balance(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The best by 60 % cost and 40 % quality, each as a share of the highest."""
    usd = {model: float(sample.usd[model][seen].mean()) for model in sample.priced}
    right = {model: float(sample.right[model][seen].mean()) for model in sample.priced}
    most, best = max(usd.values()), max(right.values())
    model = min(sample.priced, key=lambda one: 0.6 * usd[one] / most - 0.4 * right[one] / best)
    return _always(sample, model, rows)


def arbitrage(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The cheapest model that is as good as the strong one, to a hundredth."""
    return _always(sample, _cheapest(sample, seen, SAME), rows)


def budget_aware(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The strong model until 85 % of the budget is spent, then as for the least cost. The budget is 80 % of what it would cost."""
    strong_usd, strong_right = _always(sample, strongest(sample, seen), rows)
    cheap_usd, cheap_right = minimise_cost(sample, seen, rows)
    frugal = np.cumsum(strong_usd) > FRUGAL_FROM * BUDGET * strong_usd.sum()
    return np.where(frugal, cheap_usd, strong_usd), np.where(frugal, cheap_right, strong_right)


FIXED: dict[str, tuple[Callable[[Sample, Rows, Rows], Spent], float, float]] = {
    "minimise cost": (minimise_cost, 0.45, -0.15),
    "cost-quality balance": (balance, 0.25, -0.03),
    "dynamic arbitrage": (arbitrage, 0.30, -0.01),
    "budget aware": (budget_aware, 0.20, 0.0),
}
"""By name: how it chooses, and the cost reduction and change of quality that are commonly claimed for it."""


def _always(sample: Sample, model: str, rows: Rows) -> Spent:
    return sample.usd[model][rows], sample.right[model][rows]


def _cheapest(sample: Sample, seen: Rows, share: float) -> str:
    wanted = share * sample.right[strongest(sample, seen)][seen].mean()
    fine = [model for model in sample.priced if sample.right[model][seen].mean() >= wanted]
    return min(fine, key=lambda model: float(sample.usd[model][seen].mean()))

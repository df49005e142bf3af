"""Choices that look at no prompt: what the usual cost strategies do with the same models on the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from understudy.learn.fitting import Floats, Rows
from understudy.learn.policies import strongest
from understudy.learn.samples import Sample

ENOUGH = 0.85
"""Of the strong model's quality: below it, cheapest is no choice at all."""

SAME = 0.99
"""Of the strong model's quality: from there on, models count as equivalent."""

SAME_FOR_A_TASK = 0.93
"""The same for one kind of task, of which there are some hundred labels: they tell no more, and what one task loses others gain."""

FLOOR = 0.95
"""Of the strong model's quality, for `min_quality` of a balance."""

BUDGET = 0.8
FRUGAL_FROM = 0.85
"""Of what always asking the strong model costs; of the budget."""

TASK_MIN = 50
"""Labels of one kind of task without which it is judged by all."""

Spent = tuple[Floats, Floats]
"""Dollars, and how right, row by row."""


def minimise_cost(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The cheapest model that keeps 85 % of the strong one's quality."""
    return _always(sample, _cheapest(sample, strongest(sample, seen), seen, ENOUGH), rows)


def balance(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The best by 60 % cost and 40 % quality, each as a share of the highest."""
    return _always(sample, _balanced(sample, seen, sample.priced), rows)


def balance_above(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """For each kind of task the same, among the models that keep 95 % of the strong one's quality at it."""

    def chosen(strong: str, of: Rows) -> str:
        return _balanced(sample, of, _good_enough(sample, strong, of, FLOOR))

    return _task_by_task(sample, seen, rows, chosen)


def arbitrage(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The cheapest model that is as good as the strong one, to a hundredth."""
    return _always(sample, _cheapest(sample, strongest(sample, seen), seen, SAME), rows)


def arbitrage_by_task(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """For each kind of task the cheapest model that is as good at it as the strong one, to seven hundredths."""
    return _task_by_task(sample, seen, rows, lambda strong, of: _cheapest(sample, strong, of, SAME_FOR_A_TASK))


def budget_aware(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The strong model until 85 % of the budget is spent, then as for the least cost. The budget is 80 % of what it would cost."""
    strong_usd, strong_right = _always(sample, strongest(sample, seen), rows)
    cheap_usd, cheap_right = minimise_cost(sample, seen, rows)
    frugal = np.cumsum(strong_usd) > FRUGAL_FROM * BUDGET * strong_usd.sum()
    return np.where(frugal, cheap_usd, strong_usd), np.where(frugal, cheap_right, strong_right)


def budget_by_task(sample: Sample, seen: Rows, rows: Rows) -> Spent:
    """The strong model but for the kinds of task at which least is lost for a dollar saved: as many as the budget asks for."""
    strong = strongest(sample, seen)
    of = _tasks(sample, seen)
    usd = {task: {model: float(sample.usd[model][some].sum()) for model in sample.priced} for task, some in of.items()}
    right = {
        task: {model: float(sample.right[model][some].sum()) for model in sample.priced} for task, some in of.items()
    }
    chosen = dict.fromkeys(of, strong)
    total = float(sample.usd[strong][seen].sum())
    while sum(usd[task][model] for task, model in chosen.items()) > BUDGET * total:
        moves = [
            ((right[task][model] - right[task][other]) / (usd[task][model] - usd[task][other]), task, other)
            for task, model in chosen.items()
            for other in sample.priced
            if usd[task][other] < usd[task][model]
        ]
        if not moves:
            break
        _, task, other = min(moves)
        chosen[task] = other
    return _as_chosen(sample, chosen, rows, strong)


FIXED: dict[str, tuple[Callable[[Sample, Rows, Rows], Spent], float, float]] = {
    "minimise cost": (minimise_cost, 0.45, -0.15),
    "cost-quality balance": (balance, 0.25, -0.03),
    "cost-quality balance, 95 % at every task": (balance_above, 0.25, -0.03),
    "dynamic arbitrage": (arbitrage, 0.30, -0.01),
    "dynamic arbitrage, task by task": (arbitrage_by_task, 0.30, -0.01),
    "budget aware": (budget_aware, 0.20, 0.0),
    "budget aware, task by task": (budget_by_task, 0.20, 0.0),
}
"""By name: how it chooses, and the cost reduction and change of quality that are commonly claimed for it."""


def _always(sample: Sample, model: str, rows: Rows) -> Spent:
    return sample.usd[model][rows], sample.right[model][rows]


def _good_enough(sample: Sample, strong: str, seen: Rows, share: float) -> list[str]:
    wanted = share * sample.right[strong][seen].mean()
    return [model for model in sample.priced if sample.right[model][seen].mean() >= wanted]


def _cheapest(sample: Sample, strong: str, seen: Rows, share: float) -> str:
    fine = _good_enough(sample, strong, seen, share)
    return min(fine, key=lambda model: float(sample.usd[model][seen].mean()))


def _balanced(sample: Sample, seen: Rows, models: list[str]) -> str:
    usd = {model: float(sample.usd[model][seen].mean()) for model in sample.priced}
    right = {model: float(sample.right[model][seen].mean()) for model in sample.priced}
    most, best = max(usd.values()), max(right.values())
    return min(models, key=lambda one: 0.6 * usd[one] / most - 0.4 * right[one] / max(best, 1e-9))


def _tasks(sample: Sample, seen: Rows) -> dict[str, Rows]:
    """The rows seen of every kind of task that has enough of them; "" for the others."""
    names = np.array(sample.tasks)[seen]
    counts = Counter(names.tolist())
    found = {task: seen[names == task] for task in sorted(counts) if counts[task] >= TASK_MIN}
    rest = seen[[counts[name] < TASK_MIN for name in names.tolist()]]
    return found | ({"": rest} if len(rest) else {})


def _task_by_task(sample: Sample, seen: Rows, rows: Rows, choose: Callable[[str, Rows], str]) -> Spent:
    strong = strongest(sample, seen)
    chosen = {task: choose(strong, some if task else seen) for task, some in _tasks(sample, seen).items()}
    return _as_chosen(sample, chosen, rows, strong)


def _as_chosen(sample: Sample, chosen: dict[str, str], rows: Rows, otherwise: str) -> Spent:
    usd, right = np.zeros(len(rows)), np.zeros(len(rows))
    for place, row in enumerate(rows.tolist()):
        model = chosen.get(sample.tasks[row], chosen.get("", otherwise))
        usd[place], right[place] = sample.usd[model][row], sample.right[model][row]
    return usd, right

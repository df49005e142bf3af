"""Labelled rows as arrays, and what every model's answers to them cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from understudy.core.agreement import evidence, gist_of_text
from understudy.core.prompts.traits import TRAITS, traits
from understudy.core.value import value
from understudy.learn.fitting import Floats, Rows
from understudy.learn.labels import Row, models_of

Prices = Mapping[str, tuple[float, float]]
"""Dollars per million tokens, in and out, by model."""


@value
class Sample:
    """Rows that every one of `models` answered. Arrays by model have one number per row.

    `right`: 0 to 1. `usd`: what the answer cost; models without a price, and rows without token counts, have none.
    `written`: output tokens. `gists`: what can be compared.
    """

    name: str
    prompts: tuple[str, ...]
    tasks: tuple[str, ...]
    right: dict[str, Floats]
    usd: dict[str, Floats]
    written: dict[str, Floats]
    gists: dict[str, list[str | None]]

    def __len__(self) -> int:
        return len(self.prompts)

    def drawn(self, seed: int, share: float) -> tuple[Rows, Rows]:
        """All rows in an order of chance, parted in two: `share` of them, and the others. No prompt is on both sides."""
        order = np.random.default_rng(seed).permutation(len(self))
        places: dict[str, int] = {}
        first = [places.setdefault(self.prompts[row], place) for place, row in enumerate(order)]
        order = order[np.argsort(first, kind="stable")]
        cut = int(len(order) * share)
        while 0 < cut < len(order) and self.prompts[order[cut]] == self.prompts[order[cut - 1]]:
            cut += 1
        return order[:cut], order[cut:]

    @property
    def models(self) -> list[str]:
        """Everyone, best first."""
        return sorted(self.right, key=lambda model: (-float(self.right[model].mean()), model))

    @property
    def priced(self) -> list[str]:
        """Those whose cost is known, best first."""
        return [model for model in self.models if model in self.usd]

    def inputs(self) -> Floats:
        """The traits of the prompts, rows x traits; a prompt without words has none, and stands as zeros."""
        return _inputs(self.prompts)

    def evidence(self, drafts: Sequence[str]) -> Floats:
        """What the answers of some models tell of themselves, rows x evidence."""
        gists = zip(*(self.gists[model] for model in drafts), strict=True)
        written = zip(*(self.written[model] for model in drafts), strict=True)
        return np.array(
            [evidence(said, [int(one) for one in sizes]) for said, sizes in zip(gists, written, strict=True)]
        )


@lru_cache(maxsize=8)
def _inputs(prompts: tuple[str, ...]) -> Floats:
    """Read once for all the seeds and pairs that an evaluation goes through."""
    found = np.array([traits(prompt) or (0.0,) * len(TRAITS) for prompt in prompts])
    found.flags.writeable = False
    return found


def sample_of(name: str, rows: Sequence[Row], prices: Prices) -> Sample:
    """The rows that all models answered; a model that is missing from many rows is left out instead of those rows."""
    counts = {model: sum(model in row.right for row in rows) for model in models_of(rows)}
    names = [model for model, count in counts.items() if count > 0.9 * len(rows)]
    kept = [row for row in rows if all(model in row.right for model in names)]
    told = [model for model in names if all(model in row.written for row in kept)]
    priced = [model for model in told if model in prices and all(row.tokens_in is not None for row in kept)]
    read = np.array([row.tokens_in or 0 for row in kept], float)
    written = {model: np.array([row.written[model] for row in kept], float) for model in told}
    return Sample(
        name,
        tuple(row.prompt for row in kept),
        tuple(row.task for row in kept),
        {model: np.array([row.right[model] for row in kept]) for model in names},
        {model: (read * prices[model][0] + written[model] * prices[model][1]) / 1e6 for model in priced},
        written,
        {model: [gist_of_text(row.answer.get(model, "")) for row in kept] for model in told},
    )


def read_prices(path: Path) -> dict[str, tuple[float, float]]:
    """A price file: `{"usd_per_million_tokens": {"model": [in, out]}}`, or that mapping itself. Raises `ValueError`."""
    told = json.loads(path.read_bytes())
    told = told.get("usd_per_million_tokens", told) if isinstance(told, dict) else told
    try:
        return {str(model): (float(both[0]), float(both[1])) for model, both in told.items()}
    except (AttributeError, TypeError, IndexError, KeyError):
        raise ValueError(f"{path.name}: a price is written as a model's name and [input, output]") from None

"""Ways to answer a set of prompts, each with what it got right and what it cost, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from understudy.core.agreement import agreed, evidence_names
from understudy.core.prompts.traits import TRAITS
from understudy.core.value import keyword_value
from understudy.learn.fitting import FOR_DRAFTS, FOR_PROMPTS, Floats, Rows, fit_heads, gains_apart, gains_of
from understudy.learn.samples import Sample

ROUTER_ROWS = 1_500
"""Labels that a prompt router is trained on here: what a user can be expected to have."""


@keyword_value
class Way:
    """Ask `first`, keep its answer where `gain` is low enough, else ask the strong model as well, or instead.

    On the rows of one half: `kept`, `passed`: how right the kept answer is, and the strong one; `kept_usd`, `passed_usd`: what is paid in
    either case. `gain`: by which rows are ranked, lowest kept first. `steps`: a threshold may lie anywhere (a trained way), or only
    between 0 and 1 (agreement).
    """

    kind: str
    name: str
    gain: Floats
    kept: Floats
    passed: Floats
    kept_usd: Floats
    passed_usd: Floats
    steps: bool = True


def strongest(sample: Sample, rows: Rows) -> str:
    """The model with the best answers on these rows whose price is known."""
    return min(sample.priced, key=lambda model: (-sample.right[model][rows].mean(), sample.usd[model][rows].mean()))


def ways(sample: Sample, strong: str, seen: Rows, unseen: Rows, seed: int) -> Iterator[tuple[Way, Way]]:
    """Every way that may pay: on the rows seen (by heads that did not see the row in question), and on the others."""
    usd = {model: float(sample.usd[model][seen].mean()) for model in sample.priced}
    right = {model: float(sample.right[model][seen].mean()) for model in sample.priced}
    cheap = [model for model in sample.priced if usd[model] < 0.7 * usd[strong]]
    inputs = sample.inputs()
    for weak in cheap:
        yield _trained(sample, "router", (weak,), strong, inputs, TRAITS, seen, unseen, seed)
        if weak in sample.gists:
            yield _trained(sample, "gate", (weak,), strong, None, evidence_names(1), seen, unseen, seed)
    for one, other in combinations([model for model in cheap if model in sample.gists], 2):
        # The better one's answer is kept: the better one on the rows seen.
        drafts = (one, other) if right[one] >= right[other] else (other, one)
        if usd[one] + usd[other] < usd[strong]:
            yield _agreement(sample, drafts, strong, seen), _agreement(sample, drafts, strong, unseen)
            yield _trained(sample, "gate", drafts, strong, None, evidence_names(2), seen, unseen, seed)


def _agreement(sample: Sample, drafts: tuple[str, ...], strong: str, rows: Rows) -> Way:
    said = list(zip(*(sample.gists[model] for model in drafts), strict=True))
    gain = np.array([0.0 if agreed(said[int(row)]) is not None else 1.0 for row in rows])
    return _way(sample, "agreement", drafts, strong, rows, gain, steps=False)


def _trained(  # noqa: PLR0913, PLR0917  one line each
    sample: Sample, kind: str, drafts: tuple[str, ...], strong: str, inputs: Floats | None,
    names: tuple[str, ...], seen: Rows, unseen: Rows, seed: int,
) -> tuple[Way, Way]:  # fmt: skip
    penalties = FOR_PROMPTS if kind == "router" else FOR_DRAFTS
    inputs = sample.evidence(drafts) if inputs is None else inputs
    weak, right = sample.right[drafts[0]], sample.right[strong]
    taught = seen[:ROUTER_ROWS] if kind == "router" else seen
    heads = fit_heads(inputs[taught], weak[taught], right[taught], names, penalties)
    apart = np.concatenate(
        [
            gains_apart(inputs[taught], weak[taught], right[taught], names, seed, penalties=penalties, repeats=1),
            gains_of(heads, inputs[seen[len(taught) :]]) if len(taught) < len(seen) else np.zeros(0),
        ]
    )
    return (
        _way(sample, kind, drafts, strong, seen, apart),
        _way(sample, kind, drafts, strong, unseen, gains_of(heads, inputs[unseen])),
    )


def _way(
    sample: Sample, kind: str, drafts: tuple[str, ...], strong: str, rows: Rows, gain: Floats, *, steps: bool = True
) -> Way:
    drafted = sum(sample.usd[model][rows] for model in drafts)
    last = sample.usd[strong][rows]
    return Way(
        kind=kind,
        name=" + ".join(sorted(drafts)),
        gain=gain,
        kept=sample.right[drafts[0]][rows],
        passed=sample.right[strong][rows],
        kept_usd=np.asarray(drafted),
        passed_usd=last if kind == "router" else np.asarray(drafted + last),
        steps=steps,
    )

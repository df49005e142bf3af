"""Trains what a route goes by: a prompt router, or the gate of a cascade, from labelled outcomes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.core.agreement import evidence_names
from understudy.core.prompts.heads import FORMAT, Trained
from understudy.core.prompts.traits import TRAITS
from understudy.learn.fitting import (
    DRAFTS_SLOPE,
    FOR_DRAFTS,
    FOR_PROMPTS,
    SHARES,
    SLOPE,
    Floats,
    Rows,
    fit_heads,
    gains_apart,
    gains_of,
    thresholds_for,
)
from understudy.learn.labels import BadLabels
from understudy.learn.measures import apgr
from understudy.learn.samples import Sample

LABELS_MIN = 200
"""Rows without which nothing can be calibrated: two hundred leave the kept quality unknown by about 2 %."""


@dataclass
class Trial:
    """A trained file, and how it did on rows that it never saw. Shares are of the strong model's quality or calls."""

    trained: Trained
    rows: int
    kept: float
    avoided: float
    apgr: float


def train(
    sample: Sample, weak: str, strong: str, *, drafts: Sequence[str] = (), quality: float = 0.98, seed: int = 1,
    held_out: float = 0.3, provenance: dict[str, Any] | None = None,
) -> Trial:  # fmt: skip
    """Train on all rows but `held_out` of them, measure on those. Raises `BadLabels` when there are too few.

    `drafts`: empty for a prompt router; for a gate whoever is asked first, the weak one first among them.
    """
    for model in (weak, strong, *drafts):
        if model not in sample.right:
            raise BadLabels(f"nobody is called {model!r}; there are: {', '.join(sample.models)}")
    if len(sample) < LABELS_MIN:
        raise BadLabels(
            f"{len(sample)} rows answered by all are too few: {LABELS_MIN} at least, 1,500 for a good router"
        )
    if silent := [model for model in drafts if model not in sample.gists]:
        raise BadLabels(f"a gate needs `answer` and `out_tokens` of {', '.join(silent)}")
    inputs = sample.evidence(drafts) if drafts else sample.inputs()
    names = evidence_names(len(drafts)) if drafts else TRAITS
    penalties = FOR_DRAFTS if drafts else FOR_PROMPTS
    seen, unseen = sample.drawn(seed, 1.0 - held_out)
    for_weak, for_strong = sample.right[weak], sample.right[strong]
    heads = fit_heads(inputs[seen], for_weak[seen], for_strong[seen], names, penalties)
    apart = gains_apart(inputs[seen], for_weak[seen], for_strong[seen], names, seed, penalties=penalties)
    shares = tuple(sorted({*SHARES, quality}))
    thresholds = thresholds_for(apart, for_weak[seen], for_strong[seen], shares, DRAFTS_SLOPE if drafts else SLOPE)
    told = {
        **(provenance or {}),
        "rows": len(seen),
        "held_out": len(unseen),
        "seed": seed,
        "right": {weak: float(for_weak[seen].mean()), strong: float(for_strong[seen].mean())},
        "content_sha256": _digest(sample, seen),
    }
    trained = Trained(
        format=FORMAT, reads="drafts" if drafts else "prompt", weak=weak, strong=strong, besides=tuple(drafts[1:]),
        quality=quality, thresholds=thresholds, heads=heads, provenance=told,
    )  # fmt: skip
    return measured(trained, inputs[unseen], for_weak[unseen], for_strong[unseen])


def measured(trained: Trained, inputs: Floats, weak: Floats, strong: Floats) -> Trial:
    """How a trained file does on rows that it never saw."""
    if not len(inputs):
        return Trial(trained, 0, float("nan"), float("nan"), float("nan"))
    gains = gains_of(trained.heads, inputs)
    will_do = gains <= trained.threshold()
    kept = float(np.where(will_do, weak, strong).sum() / max(strong.sum(), 1e-9))
    return Trial(trained, len(inputs), kept, float(will_do.mean()), apgr(gains, weak, strong))


def _digest(sample: Sample, rows: Rows) -> str:
    content = hashlib.sha256()
    for row in sorted(int(one) for one in rows):
        content.update(sample.prompts[row].encode("utf-8", "replace") + b"\0")
    return content.hexdigest()[:16]

"""Measures on labelled data what routing by quality saves, against always asking the strong model and against static mixtures.

Everything is fitted and chosen on one half of the rows and measured on the other; both halves are drawn by seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.core.value import keyword_value
from understudy.learn.fitting import DRAFTS_SLOPE, SLOPE, Floats, Rows, gains_of, smoothed_loss
from understudy.learn.measures import apgr, calls_for, saved_at
from understudy.learn.policies import Way, strongest, ways
from understudy.learn.samples import Sample
from understudy.learn.training import train

STEPS = 60
"""Into so many parts the loss that is allowed is divided when it is shared out among sets."""


@keyword_value
class Measured:
    """One way on rows that it never saw.

    `saved`, `kept`: shares of the strong model's cost and quality. `mixture`: what the best static mixture of any two models saves at the same quality, in hindsight.
    """

    kind: str
    name: str
    saved: float
    kept: float
    mixture: float


@keyword_value
class RouterMeasured:
    """A prompt router for two models, on rows that it never saw. Shares of strong calls or of strong quality."""

    seed: int
    rows: int
    apgr: float
    cpt50: float
    cpt80: float
    kept: float
    avoided: float


def measure_router(
    sample: Sample, weak: str, strong: str, *, labels: int, quality: float, seed: int
) -> tuple[RouterMeasured, dict[float, float]]:
    """Train on `labels` rows, measure on all others. Also what could be avoided at some shares, in hindsight."""
    trial = train(sample, weak, strong, quality=quality, seed=seed, held_out=1.0 - labels / len(sample))
    unseen = np.concatenate(sample.drawn(seed, 1.0))[len(sample) - trial.rows :]
    gains = gains_of(trial.trained.heads, sample.inputs()[unseen])
    right = sample.right[weak][unseen], sample.right[strong][unseen]
    free, paid = np.zeros(len(unseen)), np.ones(len(unseen))
    told = RouterMeasured(
        seed=seed, rows=trial.rows, apgr=apgr(gains, *right), cpt50=calls_for(gains, *right, 0.5),
        cpt80=calls_for(gains, *right, 0.8), kept=trial.kept, avoided=trial.avoided,
    )  # fmt: skip
    return told, {share: saved_at(gains, *right, free, paid, share) for share in (0.97, 0.98, 0.99)}


def halves(sample: Sample, seed: int) -> tuple[Rows, Rows]:
    """The rows to learn from, and those to measure on."""
    return sample.drawn(seed, 0.5)


def measure_ways(sample: Sample, *, quality: float, seed: int) -> tuple[str, list[Measured]]:
    """Every way, with its threshold laid on the first half so as to keep `quality`, measured on the second."""
    seen, unseen = halves(sample, seed)
    strong = strongest(sample, seen)
    found = []
    for on_seen, on_unseen in ways(sample, strong, seen, unseen, seed):
        threshold = _threshold(on_seen, quality)
        saved, kept = outcome(on_unseen, threshold, sample.usd[strong][unseen])
        mixture = best_mixture(sample, strong, unseen, kept)
        found.append(Measured(kind=on_seen.kind, name=on_seen.name, saved=saved, kept=kept, mixture=mixture))
    return strong, found


def outcome(way: Way, threshold: float, strong_usd: Floats) -> tuple[float, float]:
    """The shares saved and kept with a threshold."""
    keep = way.gain <= threshold
    right = np.where(keep, way.kept, way.passed).sum() / max(way.passed.sum(), 1e-9)
    return float(1.0 - np.where(keep, way.kept_usd, way.passed_usd).sum() / strong_usd.sum()), float(right)


def best_mixture(sample: Sample, strong: str, rows: Rows, kept: float) -> float:
    """The most that asking one of two models by the throw of a coin saves, at that share of the strong one's quality.

    Where no model is as good, at the quality of the best one, which is kind to the mixture.
    """
    wanted = kept * sample.right[strong][rows].sum()
    points = [(float(sample.usd[m][rows].sum()), float(sample.right[m][rows].sum())) for m in sample.priced]
    wanted = min(wanted, max(right for _, right in points))
    best = float("inf")
    for usd, right in points:
        if right >= wanted:
            best = min(best, usd)
        for other_usd, other_right in points:
            if right < wanted < other_right:
                share = (wanted - right) / (other_right - right)
                best = min(best, usd + share * (other_usd - usd))
    return 1.0 - best / float(sample.usd[strong][rows].sum())


def _expected(way: Way) -> Floats:
    return smoothed_loss(way.gain, way.kept, way.passed, SLOPE if way.kind == "router" else DRAFTS_SLOPE)


def _threshold(way: Way, quality: float) -> float:
    if not way.steps:
        return 0.5
    lost = _expected(way)
    order = np.argsort(way.gain, kind="stable")
    fine = np.flatnonzero(np.cumsum(lost[order]) <= (1.0 - quality) * way.passed.sum())
    return float(way.gain[order[fine[-1]]]) if len(fine) else -2.0


# One quality target over several sets


@keyword_value
class Chosen:
    """What one price of a right answer chooses for one set, in dollars and right answers of the rows measured."""

    sample: str
    strong: str
    way: str
    usd: float
    right: float
    strong_usd: float
    strong_right: float


def measure_mixed(samples: Sequence[Sample], *, quality: float, seed: int) -> list[Chosen]:
    """For every set the way and the threshold with which all sets together save most, losing no more than is allowed.

    Nothing is chosen set by set to a target of its own: quality is given up where it buys most.
    """
    prepared = []
    for sample in samples:
        seen, unseen = halves(sample, seed)
        strong = strongest(sample, seen)
        usd = sample.usd[strong]
        prepared.append(
            (sample, strong, unseen, list(ways(sample, strong, seen, unseen, seed)), usd[seen], usd[unseen])
        )
    allowed = (1.0 - quality) * sum(float(pairs[0][0].passed.sum()) for _, _, _, pairs, _, _ in prepared)
    step = allowed / STEPS
    shared = _share_out([_frontier(pairs, usd, step) for _, _, _, pairs, usd, _ in prepared])
    chosen = []
    for (sample, strong, unseen, pairs, _, usd), (place, threshold) in zip(prepared, shared, strict=True):
        right = float(sample.right[strong][unseen].sum())
        name, spent, got = f"always {strong}", float(usd.sum()), right
        if place is not None:
            way = pairs[place][1]
            saved, kept = outcome(way, threshold, usd)
            name, spent, got = f"{way.kind}: {way.name}", float(usd.sum()) * (1.0 - saved), right * kept
        chosen.append(
            Chosen(
                sample=sample.name,
                strong=strong,
                way=name,
                usd=spent,
                right=got,
                strong_usd=float(usd.sum()),
                strong_right=right,
            )
        )
    return chosen


Stop = tuple[int | None, float]
"""A way's place and its threshold."""


def _frontier(pairs: list[tuple[Way, Way]], usd: Floats, step: float) -> list[tuple[float, Stop]]:
    """For a loss of at most -STEPS, ..., 0, ..., 2 STEPS steps: the most dollars that can be saved, and how."""
    nothing: Stop = (None, 0.0)
    best = [(-np.inf, nothing)] * STEPS + [(0.0, nothing)] * (2 * STEPS + 1)
    for place, (way, _) in enumerate(pairs):
        lost = _expected(way) if way.steps else way.passed - way.kept
        order = np.argsort(way.gain, kind="stable")
        order = order[np.isfinite(way.gain[order])]
        many = np.concatenate([[0.0], np.cumsum(lost[order])])
        saved = (
            usd.sum()
            - way.passed_usd.sum()
            + np.concatenate([[0.0], np.cumsum((way.passed_usd - way.kept_usd)[order])])
        )
        stops = range(len(order) + 1) if way.steps else [int((way.gain <= 0.5).sum())]
        for stop in stops:
            bin_ = max(0, int(np.ceil(many[stop] / step)) + STEPS)
            if bin_ < len(best) and saved[stop] > best[bin_][0]:
                threshold = 0.5 if not way.steps else float(way.gain[order[stop - 1]]) if stop else -2.0
                best[bin_] = (float(saved[stop]), (place, threshold))
    for bin_ in range(1, len(best)):
        if best[bin_ - 1][0] > best[bin_][0]:
            best[bin_] = best[bin_ - 1]
    return best


def _share_out(frontiers: list[list[tuple[float, Stop]]]) -> list[Stop]:
    """How much of the loss each set is given, so that most is saved: STEPS steps over all of them together."""
    reach: dict[int, tuple[float, tuple[Stop, ...]]] = {0: (0.0, ())}
    for frontier in frontiers:
        further: dict[int, tuple[float, tuple[Stop, ...]]] = {}
        for spent, (saved, stops) in reach.items():
            for bin_, (more, stop) in enumerate(frontier):
                total = spent + bin_ - STEPS
                if saved + more > further.get(total, (-np.inf, ()))[0]:
                    further[total] = (saved + more, (*stops, stop))
        reach = further
    return list(max((one for spent, one in reach.items() if spent <= STEPS), key=lambda one: one[0])[1])

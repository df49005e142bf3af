"""The evaluation as one page of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from understudy.core.value import keyword_value
from understudy.learn.evaluation import Measured, halves, measure_mixed, measure_router, measure_ways
from understudy.learn.fixed import FIXED
from understudy.learn.labels import BadLabels, files_below, holds_labels, read_rows
from understudy.learn.policies import strongest
from understudy.learn.samples import Prices, Sample, read_prices, sample_of

LEFT_OUT = ("o1-mini-2024-09-12",)
"""Its hidden reasoning is in no token count, so its cost is unknown."""

Say = Callable[[str], None]


@keyword_value
class Plan:
    """What is measured. `labels`: for prompt routers. `quality`: the share to keep of prompts' routers, `mixed` of everything together.

    `further`: seeds by which nothing was ever tuned, for the prompt router alone.
    """

    labels: int = 1500
    quality: float = 0.98
    mixed: float = 0.992
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    further: tuple[int, ...] = tuple(range(101, 131))
    command: str = "understudy evaluate"


def read_samples(folder: Path) -> list[Sample]:
    """Every set of labels below a folder, with the prices of any `prices*.json` in it. Raises `BadLabels` when there is none."""
    if not folder.is_dir():
        raise BadLabels(f"there is no folder {folder}: name one that holds labelled outcomes with --data")
    prices: Prices = {}
    for path in sorted(folder.rglob("prices*.json")):
        prices = {**prices, **read_prices(path)}
    prices = {model: rates for model, rates in prices.items() if model not in LEFT_OUT}
    found = []
    for path in files_below(folder):
        if holds_labels(path):
            name = str(path.relative_to(folder)).removesuffix(".gz").removesuffix(".jsonl")
            found.append(sample_of(name, read_rows(path), prices))
    if not found:
        raise BadLabels(f"no file below {folder} holds labelled outcomes (*.jsonl, *.jsonl.gz)")
    return found


def report(samples: Sequence[Sample], plan: Plan, say: Say = lambda _: None) -> str:
    """The page. `say`: told what is being measured. Deterministic for the same data and seeds."""
    pages = [_head(samples, plan)]
    priced = [sample for sample in samples if len(sample.priced) > 1 and len(sample) >= 200]
    for sample in samples:
        if len(sample.models) == 2 and len(sample) > plan.labels + 200:
            say(f"prompt router on {sample.name}")
            pages.append(_router(sample, plan))
    for sample in priced:
        say(f"every router and cascade on {sample.name}")
        pages.append(_ways(sample, plan))
    if priced:
        say("all sets together")
        pages.append(_mixed(priced, plan))
    return "\n\n".join(pages) + "\n"


def _head(samples: Sequence[Sample], plan: Plan) -> str:
    lines = [
        "# Routing by quality, measured",
        "",
        f"Written by `{plan.command}`; seeds of the halves and folds: {', '.join(map(str, plan.seeds))}. Everything is trained, calibrated and",
        "chosen on rows other than those it is measured on. *Saved* and *kept*: shares of what always asking the strong model costs, and of its quality.",
        "",
        "| set | rows | models | with known cost |",
        "|---|---|---|---|",
    ]
    lines += [f"| {one.name} | {len(one):,} | {len(one.models)} | {len(one.priced)} |" for one in samples]
    return "\n".join(lines)


def _router(sample: Sample, plan: Plan) -> str:
    strong, weak = sample.models
    lines = [
        f"## A prompt router on {sample.name}: {plan.labels:,} labels, aiming at {plan.quality:.0%}",
        "",
        f"Weak right {sample.right[weak].mean():.1%}, strong {sample.right[strong].mean():.1%}. Random: APGR 0.500, CPT 50 and 80. *Avoided*: strong calls not",
        "made; with a weak model at 5 % of the strong one's price, 95 % of that is saved. The last three columns are hindsight.",
        "",
        "| seed | APGR | CPT50 | CPT80 | kept | avoided | avoided at 97 % | at 98 % | at 99 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = []
    for seed in plan.seeds:
        told, at = measure_router(sample, weak, strong, labels=plan.labels, quality=plan.quality, seed=seed)
        rows.append([told.apgr, told.cpt50, told.cpt80, told.kept, told.avoided, *at.values()])
        lines.append(f"| {seed} | {_router_cells(rows[-1])} |")
    lines.append(f"| mean | {_router_cells([mean(column) for column in zip(*rows, strict=True)])} |")
    if plan.further:
        lines += ["", *_further(sample, plan)]
    return "\n".join(lines)


WIDE = 0.005, 0.01
"""How far below and above what was aimed at the kept quality is called on target."""

PAID = 0.95
"""Of a strong call, what is saved by avoiding it."""


def _further(sample: Sample, plan: Plan) -> list[str]:
    """How it does with seeds by which nothing was tuned, and what would have to be better known for it to do better."""
    strong, weak = sample.models
    told = [
        measure_router(sample, weak, strong, labels=plan.labels, quality=plan.quality, seed=seed)[0]
        for seed in plan.further
    ]
    low, high = plan.quality - WIDE[0], plan.quality + WIDE[1]
    kept, avoided = [one.kept for one in told], mean(one.avoided for one in told)
    gap = sample.right[strong] - sample.right[weak]
    blur = float(gap.std()) / plan.labels**0.5 * avoided / float(sample.right[strong].mean())
    return [
        (
            f"Seeds {plan.further[0]} to {plan.further[-1]}, by which nothing was tuned: APGR {mean(one.apgr for one in told):.3f}; kept {mean(kept):.1%} "
            f"({min(kept):.1%} to {max(kept):.1%}), within {low:.1%} to {high:.1%} for {sum(low <= one <= high for one in kept)} of {len(told)};"
        ),
        f"avoided {avoided:.1%}, which saves {PAID * avoided:.1%} of the cost. No calibration on so few labels can be much surer: how far apart the two models",
        f"are on the whole is itself known from {plan.labels:,} labels only so well that the kept quality is off by {blur:.1%} (one standard deviation),",
        "however prompts are ranked.",
    ]


def _router_cells(row: Sequence[float]) -> str:
    return " | ".join([f"{row[0]:.3f}", *(f"{one:.1%}" for one in row[1:])])


def _ways(sample: Sample, plan: Plan) -> str:
    found: dict[tuple[str, str], list[Measured]] = {}
    strongs = []
    for seed in plan.seeds:
        strong, measured = measure_ways(sample, quality=plan.quality, seed=seed)
        strongs.append(strong)
        for one in measured:
            found.setdefault((one.kind, one.name), []).append(one)
    lines = [
        f"## Every way on {sample.name}, trained ones aiming at {plan.quality:.0%}",
        "",
        f"Strong: {', '.join(sorted(set(strongs)))}. *router*: by the prompt; *agreement*: two are asked, the better one's answer is kept when they agree; *gate*:",
        "one or two are asked, a trained gate looks at agreement and lengths. *Mixture*: what the best static mixture of any two models saves at the",
        "same quality (or at the best quality that any model has), in hindsight. All pairs are listed; means over the seeds.",
        "",
        "| way | asked first | saved | kept | mixture saves | better by |",
        "|---|---|---|---|---|---|",
    ]
    rows = [
        (kind, name, mean(one.saved for one in all_), mean(one.kept for one in all_), mean(one.mixture for one in all_))
        for (kind, name), all_ in found.items()
    ]
    rows.sort(key=lambda row: (row[0], row[4] - row[2]))
    lines += [
        f"| {kind} | {name} | {saved:.1%} | {kept:.1%} | {mixture:.1%} | {100 * (saved - mixture):+.1f} |"
        for kind, name, saved, kept, mixture in rows
    ]
    ahead = sum(row[2] > row[4] for row in rows)
    lines += ["", f"{ahead} of {len(rows)} ways save more than the best static mixture of the same quality."]
    return "\n".join(lines)


def _mixed(samples: Sequence[Sample], plan: Plan) -> str:
    lines = [
        f"## All sets together: {', '.join(sample.name for sample in samples)}",
        "",
        "Costs and right answers of all sets added up. *Claimed*: figures that strategies of these names are advertised with. Routing by quality picks a way and a",
        "threshold for each set on the first half, so that all together lose no more than is allowed: quality is given up where it buys most, so a single set may lose more",
        "than all together. Every set's own figures stand below. The other rows look at no prompt. *Task by task*, *at every task*: the model is fixed for each kind of",
        "task (a set's own categories), as one does with a route or a rule per task. The first of each pair takes one model for everything, and there no cheaper one is as",
        "good as the strong one: arbitrage finds nothing to trade, and a budget can only be kept by giving up quality evenly; the claimed figures are out of reach for who",
        "looks at nothing. A balance of 60 to 40 with nothing to hold it buys the cheapest that is any good; `min_quality` holds it. How much worse a model may be at a",
        "task to count as good enough (5 % in a balance, 7 % in arbitrage) was picked on these very sets; the models are picked on the other half of the rows.",
        "",
        "| strategy | claimed: saved, quality | saved | quality |",
        "|---|---|---|---|",
    ]
    for name, (choose, saved, quality) in FIXED.items():
        got = mean_of([_fixed(samples, choose, seed) for seed in plan.seeds])
        lines.append(f"| {name} | {saved:.0%}, {quality:+.0%} | {got[0]:.1%} | {100 * (got[1] - 1):+.1f} % |")
    detail = ["", "| quality aimed at | seed | set | way | saved | kept |", "|---|---|---|---|---|---|"]
    for quality in (plan.mixed, plan.quality):
        totals = []
        for seed in plan.seeds:
            chosen = measure_mixed(samples, quality=quality, seed=seed)
            usd, right = sum(one.strong_usd for one in chosen), sum(one.strong_right for one in chosen)
            totals.append((1 - sum(one.usd for one in chosen) / usd, sum(one.right for one in chosen) / right))
            detail += [
                f"| {quality:.1%} | {seed} | {one.sample} | {one.way} | {1 - one.usd / one.strong_usd:.1%} | {one.right / one.strong_right:.1%} |"
                for one in chosen
            ]
            detail.append(f"| {quality:.1%} | {seed} | all | | {totals[-1][0]:.1%} | {totals[-1][1]:.1%} |")
        got = mean_of(totals)
        lines.append(
            f"| **routing by quality, {quality:.1%}** | | **{got[0]:.1%}** | **{100 * (got[1] - 1):+.1f} %** |"
        )
    return "\n".join(lines + detail)


def _fixed(samples: Sequence[Sample], choose: Callable[..., tuple[object, object]], seed: int) -> tuple[float, float]:
    usd = right = strong_usd = strong_right = 0.0
    for sample in samples:
        seen, unseen = halves(sample, seed)
        strong = strongest(sample, seen)
        spent, got = choose(sample, seen, unseen)
        usd += float(spent.sum())  # type: ignore[attr-defined]
        right += float(got.sum())  # type: ignore[attr-defined]
        strong_usd += float(sample.usd[strong][unseen].sum())
        strong_right += float(sample.right[strong][unseen].sum())
    return 1 - usd / strong_usd, right / strong_right


def mean_of(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The means of both."""
    return mean(one for one, _ in pairs), mean(other for _, other in pairs)

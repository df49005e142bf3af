"""Measure on labelled outcomes what routing by quality would save, against always asking the strong model and against static mixtures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli._output import ASKED_WRONGLY, Json, fail, tell, write


def command(
    data: Annotated[Path, typer.Option(help="A folder of labelled outcomes (*.jsonl, *.jsonl.gz) and `prices*.json`.")],
    out: Annotated[Path | None, typer.Option(help="Write the page here instead of printing it.")] = None,
    labels: Annotated[int, typer.Option(min=200, help="Labels that a prompt router is trained on.")] = 1500,
    quality: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="The share of the strong model's quality to keep.")
    ] = 0.98,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="How many times, with other halves each time.")] = 5,
    as_json: Json = False,
) -> None:
    """Every set below the folder, one page of Markdown."""
    try:
        from understudy.learn.labels import BadLabels
        from understudy.learn.report import Plan, read_samples, report
    except ModuleNotFoundError as missing:
        fail([f"{missing.name} is not installed: pip install 'understudy[learn]'"], as_json=as_json)
    plan = Plan(labels=labels, quality=quality, seeds=tuple(range(1, seeds + 1)))
    try:
        page = report(read_samples(data), plan, lambda what: print(what, file=sys.stderr))
    except (BadLabels, OSError, ValueError) as trouble:
        fail([str(trouble)], as_json=as_json, code=ASKED_WRONGLY)
    if out is not None:
        write(out, page, as_json=as_json)
        tell(f"written to {out}", {"written": str(out)}, as_json=as_json)
    else:
        tell(page, {"page": page}, as_json=as_json)

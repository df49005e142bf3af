"""Train a prompt router, or the gate of a cascade, on labelled outcomes of your own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli._output import ASKED_WRONGLY, Json, fail, tell, write


def command(  # noqa: PLR0917  the options of a command
    labels: Annotated[Path, typer.Argument(help="Labelled outcomes, one JSON object per line (*.jsonl, *.jsonl.gz).")],
    weak: Annotated[str, typer.Option(help="Whose answers are to be kept where they will do.")] = "weak",
    strong: Annotated[str, typer.Option(help="Who is asked otherwise.")] = "strong",
    drafts: Annotated[
        str | None, typer.Option(help="For the gate of a cascade: who is asked first, with commas; the weak one leads.")
    ] = None,
    quality: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="The share of the strong one's quality to keep.")
    ] = 0.98,
    out: Annotated[Path, typer.Option(help="Where what was trained is written.")] = Path("router.json"),
    seed: Annotated[int, typer.Option(help="Of the split between training and measuring.")] = 1,
    as_json: Json = False,
) -> None:
    """Train, measure on rows that were held out, and write a small JSON file."""
    try:
        import msgspec

        from understudy.learn.labels import BadLabels, read_rows
        from understudy.learn.samples import sample_of
        from understudy.learn.training import train
    except ModuleNotFoundError as missing:
        fail([f"{missing.name} is not installed: pip install 'understudy[learn]'"], as_json=as_json)
    asked = [name.strip() for name in drafts.split(",")] if drafts else []
    if asked and asked[0] != weak:
        asked = [weak, *(name for name in asked if name != weak)]
    told = {"from": labels.name, "trained_at": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        sample = sample_of(labels.name, read_rows(labels), {})
        trial = train(sample, weak, strong, drafts=asked, quality=quality, seed=seed, provenance=told)
    except OSError as trouble:
        fail([f"{labels}: cannot be read: {trouble.strerror or trouble}"], as_json=as_json, code=ASKED_WRONGLY)
    except BadLabels as trouble:
        fail([str(trouble)], as_json=as_json, code=ASKED_WRONGLY)
    write(out, json.dumps(msgspec.to_builtins(trial.trained), indent=1) + "\n", as_json=as_json)
    page = {"written": str(out), "rows": trial.rows, "kept": trial.kept, "avoided": trial.avoided, "apgr": trial.apgr}
    tell(
        f"written to {out}\non {trial.rows} rows held out: {trial.kept:.1%} of the strong one's quality kept (aimed at {quality:.1%}), "
        f"{trial.avoided:.1%} of its calls avoided, APGR {trial.apgr:.3f} (0.5: no better than chance)",
        page,
        as_json=as_json,
    )

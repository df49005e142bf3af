"""Labelled outcomes: prompts, and how well each model answered them.

One JSON object per line, files plain or gzip, in one of these shapes (other members are ignored):

    {"prompt": "...", "correct": {"model": 1, ...}}                 also `scores`, 0 to 1; besides, where known,
        "in_tokens": 120, "out_tokens": {"model": 40}, "answer": {"model": "B"}, and `task`, `category` or `domain`
    {"prompt": "...", "weak_correct": 0, "strong_correct": 1}        the models are then called weak and strong
    {"prompt": "...", "target": "gpt", "score": 0.9}                 one answer each, as rated through feedback: gathered by prompt
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from understudy.core.value import keyword_value

SUFFIXES = (".jsonl", ".jsonl.gz")


class BadLabels(ValueError):
    """The labels cannot be used. The message says which file and line, and what is wanted."""


@keyword_value
class Row:
    """One prompt. `right`: 0 to 1 by model. `written`: output tokens, `answer`: final answers, both as far as known."""

    prompt: str
    right: dict[str, float]
    task: str = ""
    tokens_in: int | None = None
    written: Mapping[str, int]
    answer: Mapping[str, str]


def read_rows(path: Path) -> list[Row]:
    """The rows of one file. Raises `BadLabels`, and `OSError` for a file that cannot be read."""
    rows: list[Row] = []
    single: dict[str, dict[str, list[float]]] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            told = json.loads(line)
            if not isinstance(told, dict) or not isinstance(told.get("prompt"), str):
                raise BadLabels("a row is an object with a `prompt`")
            if told.get("contaminated"):
                continue  # the publishers leave these out themselves
            if ("target" in told or "model" in told) and "correct" not in told:
                score = _score(told.get("score", told.get("rating")))
                by_model = single.setdefault(told["prompt"], {})
                by_model.setdefault(str(told.get("target") or told.get("model")), []).append(score)
            else:
                rows.append(_row(told))
        except ValueError as error:
            raise BadLabels(f"{path.name}:{number}: {error}") from None
    rows += [
        Row(
            prompt=prompt, right={name: sum(all_) / len(all_) for name, all_ in by_model.items()}, written={}, answer={}
        )
        for prompt, by_model in single.items()
    ]
    if not rows:
        raise BadLabels(f"{path.name}: holds no rows")
    return rows


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder that may hold labels, by path."""
    return sorted(path for path in folder.rglob("*") if path.name.endswith(SUFFIXES) and path.is_file())


def holds_labels(path: Path) -> bool:
    """Whether a file's first line is a row of labels: other data lies beside them."""
    try:
        told = json.loads(next(_lines(path), ""))
        return isinstance(told, dict) and isinstance(told.get("prompt"), str) and bool(_row(told).right)
    except ValueError:
        return False


def models_of(rows: Iterable[Row]) -> list[str]:
    """The models that answered every row, by name; all of those of any row when there are none such."""
    everyone: set[str] = set()
    always: set[str] | None = None
    for row in rows:
        names = set(row.right)
        everyone |= names
        always = names if always is None else always & names
    return sorted(always or everyone)


def _lines(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.name.endswith(".gz") else path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield line


def _row(told: dict[str, Any]) -> Row:
    right = told.get("correct") or told.get("scores")
    if right is None and "weak_correct" in told:
        right = {"weak": told["weak_correct"], "strong": told.get("strong_correct")}
    if not isinstance(right, dict) or not right:
        raise BadLabels("a row needs `correct`, `scores`, `weak_correct` and `strong_correct`, or `target` and `score`")
    tokens = told.get("in_tokens")
    return Row(
        prompt=told["prompt"],
        right={name: _score(one) for name, one in right.items()},
        task=str(told.get("task") or told.get("category") or told.get("domain") or ""),
        tokens_in=tokens if isinstance(tokens, int) else None,
        written=_mapping(told.get("out_tokens")),
        answer={name: str(one) for name, one in _mapping(told.get("answer")).items() if one not in (None, "")},
    )


def _mapping(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _score(given: Any) -> float:
    if isinstance(given, int | float) and 0 <= given <= 1:
        return float(given)
    raise BadLabels(f"a score lies between 0 and 1, {given!r} does not")

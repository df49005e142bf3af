"""What reading a task from the request is worth, on recorded outcomes of real models: figures with a floor under each.

The sets hold examination questions only, where hardness lies in the subject rather than in the words: small models are right less
often on what looks hard, but by far less than a trained router would tell. Kinds are known only where a set has one by construction.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from conftest import SHARED
from understudy.core.catalogue.task import read_task

pytestmark = pytest.mark.shared("data")


@cache
def rows(name: str) -> tuple[dict[str, Any], ...]:
    packed = (SHARED / "data" / f"{name}.jsonl.gz").read_bytes()
    return tuple(json.loads(line) for line in gzip.decompress(packed).splitlines())


def right(told: list[tuple[str | None, int]]) -> dict[str | None, float]:
    """The share of right answers by what the request looked like."""
    return {
        level: sum(ok for known, ok in told if known == level) / sum(known == level for known, _ in told)
        for level in {known for known, _ in told}
    }


def test_a_weak_model_is_right_more_often_on_what_looks_simple():
    """Mixtral-8x7B on MMLU, 14,037 questions: right on 76 % of the simple, 67 % of the medium, 59 % of the complex."""
    told = [
        (read_task(row["prompt"]).complexity, row["weak_correct"])
        for row in rows("routellm/mmlu")
        if not row["contaminated"]
    ]
    shares = right(told)
    assert shares["simple"] - shares["medium"] > 0.06
    assert shares["medium"] - shares["complex"] > 0.04
    assert sum(level is None for level, _ in told) < 0.02 * len(told)


@pytest.mark.parametrize("model", ["Meta-Llama-3_1-8B-Instruct", "gemini-1.5-flash-002"])
def test_so_are_others_on_harder_questions(model):
    """MMLU-Pro, 9,396 questions: Llama 3.1 8B 52/48/39 %, Gemini 1.5 Flash 66/66/61 %."""
    shares = right([(read_task(row["prompt"]).complexity, row["correct"][model]) for row in rows("mmlu_pro/dev")])
    assert shares["simple"] > shares["complex"] + 0.03
    assert shares["medium"] > shares["complex"] + 0.03


def test_what_is_hard_by_construction_is_not_called_simple():
    """ZeroEval, 771 problems (MATH level 5, CRUXEval): 83 % complex, 14 % medium, 3 % simple."""
    told = Counter(read_task(row["prompt"]).complexity for row in rows("zeroeval/dev"))
    assert told["complex"] > 0.75 * told.total()
    assert told["simple"] < 0.05 * told.total()


def test_kinds_are_told_where_a_set_has_one():
    """CRUXEval is code: 100 %. MATH level 5 is analysis: 88 %, and 9 % untold."""
    told = {task: Counter[str | None]() for task in ("crux", "math-l5")}
    for row in rows("zeroeval/dev"):
        told[row["task"]][read_task(row["prompt"]).kind] += 1
    assert told["crux"]["code"] == told["crux"].total()
    assert told["math-l5"]["analysis"] > 0.85 * told["math-l5"].total()
    assert told["math-l5"]["analysis"] + told["math-l5"][None] > 0.95 * told["math-l5"].total()


def test_examination_questions_are_rarely_taken_for_chats_or_stories():
    """MMLU-Pro outside of mathematics and computing: 2 % conversation or creative; law, with its stories, at worst 4 %."""
    told = Counter(read_task(row["prompt"]).kind for row in rows("mmlu_pro/dev"))
    assert told["conversation"] + told["creative"] < 0.04 * told.total()

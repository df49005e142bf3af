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

pytestmark = [pytest.mark.shared("data"), pytest.mark.no_cover]


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
    """Mixtral-8x7B on MMLU, 14,037 questions: right on 78 % of the simple, 68 % of the medium, 61 % of the complex."""
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
    """MMLU-Pro, 9,396 questions: Llama 3.1 8B 52/49/40 %, Gemini 1.5 Flash 69/66/62 %."""
    shares = right([(read_task(row["prompt"]).complexity, row["correct"][model]) for row in rows("mmlu_pro/dev")])
    assert shares["simple"] > shares["complex"] + 0.03
    assert shares["medium"] > shares["complex"] + 0.03


def test_what_is_hard_by_construction_is_not_called_simple():
    """ZeroEval, 771 problems (MATH level 5, CRUXEval): 85 % complex, 13 % medium, 2 % simple."""
    told = Counter(read_task(row["prompt"]).complexity for row in rows("zeroeval/dev"))
    assert told["complex"] > 0.75 * told.total()
    assert told["simple"] < 0.05 * told.total()


PAIRS = [
    ("mmlu_pro/dev", "gemini-1.5-flash-002", "gemini-1.5-pro-002", 0.90),
    ("mmlu_pro/dev", "Meta-Llama-3_1-8B-Instruct", "Meta-Llama-3_1-70B-Instruct", 0.70),
    ("zeroeval/dev", "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", 0.90),
]


@pytest.mark.parametrize(("name", "small", "large", "floor"), PAIRS, ids=[small for _, small, _, _ in PAIRS])
def test_what_looks_simple_costs_far_less_at_a_small_model_and_is_no_better_there_than_a_random_share(
    name, small, large, floor
):
    """Saved on what looks simple: 93, 73, 94 %. Against a random share at the same cost: -0.1, -0.1, +0.3 points."""
    prices = json.loads((SHARED / "data" / "prices_2024.json").read_bytes())["usd_per_million_tokens"]

    def sums(told: list[dict[str, Any]], model: str) -> tuple[float, float]:
        price_in, price_out = prices[model]
        cost = sum(row["in_tokens"] * price_in + row["out_tokens"][model] * price_out for row in told)
        return cost, sum(row["correct"][model] for row in told) / len(rows(name))

    every = list(rows(name))
    simple = [row for row in every if read_task(row["prompt"]).complexity == "simple"]
    (cheap, right_small), (dear, right_large) = sums(simple, small), sums(simple, large)
    assert 1 - cheap / dear > floor
    (all_cheap, all_small), (all_dear, all_large) = sums(every, small), sums(every, large)
    ruled = all_large - right_large + right_small
    random_share = all_large - (all_large - all_small) * (dear - cheap) / (all_dear - all_cheap)
    assert ruled > random_share - 0.006


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

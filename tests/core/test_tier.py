"""Tiers follow a maker's own range, cost tiers the price; what has no source has no tier."""

from __future__ import annotations

import pytest

from understudy.core.catalogue.tier import TIERS, blended, cost_tier, tier_of
from understudy.core.money import Price


@pytest.mark.parametrize(
    ("family", "tier"),
    [
        ("claude-opus", "flagship"),
        ("claude-sonnet", "balanced"),
        ("claude-haiku", "efficient"),
        ("text-embedding", "specialised"),
        ("qwen", None),  # of every size
        (None, None),
    ],
)
def test_a_family_stands_where_its_maker_placed_it(family, tier):
    assert tier_of(family) == tier
    assert tier is None or tier in TIERS


def test_a_model_that_gives_anything_but_text_is_specialised():
    assert tier_of("gemini-pro", writes_text=False) == tier_of(None, writes_text=False) == "specialised"


@pytest.mark.parametrize(
    ("read", "written", "word"),
    [(0, 0, "free"), (0.1, 0.4, "low"), (1, 5, "medium"), (3, 15, "high"), (15, 75, "premium"), (1, 1, "medium")],
)
def test_a_cost_tier_is_that_of_three_tokens_read_for_one_written(read, written, word):
    price = Price(input=int(read * 1e6), output=int(written * 1e6))
    assert blended(price) == (3 * price.input + price.output) // 4
    assert cost_tier(price) == word


def test_an_unknown_price_has_no_cost_tier():
    assert cost_tier(None) is None

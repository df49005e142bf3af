"""Tiers follow a maker's own range, cost tiers the price; what has no source has no tier."""

from __future__ import annotations

import pytest

from understudy.core.catalogue.tier import TIERS, Graded, blended, cost_tier, tier_by_price, tier_of
from understudy.core.money import Price


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("claude-opus-4-5-20251101", "flagship"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "balanced"),
        ("anthropic-claude-4.5-haiku", "efficient"),
        ("claude-haiku", "efficient"),  # a family
        ("gpt-5.4", "flagship"),
        ("gpt-4o", "flagship"),
        ("gpt-5.4-mini", "balanced"),
        ("gpt-4o-mini-2024-07-18", "efficient"),
        ("gpt-5-nano", "efficient"),
        ("o3", "flagship"),
        ("o4-mini-high", "balanced"),
        ("google/gemini-2.5-flash-lite-preview-09-2025", "efficient"),
        ("gemini-2.5-flash", "balanced"),
        ("grok-4.20-0309-non-reasoning", "flagship"),
        ("grok-3-mini", "efficient"),
        ("grok-4-fast", "efficient"),
        ("mistral-small-3.2-24b-instruct-2506", "efficient"),
        ("deepseek-v4-flash", "efficient"),
        ("deepseek-r1", "flagship"),
        ("qwen3-max", "flagship"),
        ("amazon.nova-premier-v1:0", "flagship"),
        ("gpt-5.1-codex", "specialised"),
        ("rerank-v4-pro", "specialised"),
        ("gpt-4o-mini-transcribe", "specialised"),
        ("llama-guard-4-12b", "specialised"),
    ],
)
def test_a_model_stands_where_its_maker_placed_it_and_the_reason_is_told(name, tier):
    graded = tier_of(name)
    assert graded is not None
    assert graded.tier == tier
    assert tier in TIERS
    assert graded.why


@pytest.mark.parametrize(
    "name",
    [
        None, "", "qwen", "gpt-oss-120b", "llama-3.3-70b-instruct", "gpt-3.5-turbo", "deepseek-r1-distill-llama-8b", "dmind-1-mini",
        "glm-4-32b", "glm-4.5v", "qwen2.5-7b-instruct-turbo", "mn-12b-mag-mell-r1", "k2-think", "acme/gpt-5.1", "duo-chat-opus-4-5", "small",
    ],
)  # fmt: skip
def test_where_no_maker_says_it_a_tier_is_unknown(name):
    assert tier_of(name) is None


def test_a_model_that_gives_anything_but_text_is_specialised():
    assert tier_of("gemini-2.5-pro", gives=("image", "text")) == Graded("specialised", "it gives image")
    assert tier_of(None, gives=("audio", "video")) == Graded("specialised", "it gives audio and video")


def test_a_price_tells_a_tier_only_at_the_ends_of_a_wide_range():
    others = [100_000, 400_000, 1_000_000, 3_000_000, 9_000_000, 30_000_000]
    assert tier_by_price(20_000_000, others) == Graded(
        "flagship", "$20 among 7 prices of its maker within a year, $0.1 to $30"
    )
    cheap = tier_by_price(110_000, others)
    assert cheap is not None
    assert cheap.tier == "efficient"
    assert tier_by_price(2_000_000, others) is None  # in the middle it tells nothing
    assert tier_by_price(20_000_000, others[-2:]) is None  # of few prices, too
    assert tier_by_price(600_000, [100_000, 200_000, 300_000, 400_000, 500_000, 600_000]) is None  # or of much the same
    assert tier_by_price(1, [0, 1, 2, 3, 4, 5, 6, 9]) is None


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

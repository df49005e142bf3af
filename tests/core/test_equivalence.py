"""One model has many names; two models never have one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.catalogue.equivalence import (
    can_be,
    comparable,
    one_name_each,
    plain,
    says_which,
    undated,
    written_maker,
)

SONNET = [
    "claude-sonnet-4-5",
    "anthropic/claude-sonnet-4.5",
    "Anthropic/Claude-Sonnet-4.5:free",
    "~anthropic/claude-sonnet-4.5",
]


@pytest.mark.parametrize("name", SONNET)
def test_the_names_of_one_model_compare_equal(name):
    assert comparable(name) == "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
        ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
        ("claude-opus-4-6@default", "claude-opus-4-6"),
        ("openai/gpt-oss-120b-maas", "gpt-oss-120b"),
        ("accounts/fireworks/models/glm-5p1", "glm-5p1"),
        ("cohere.embed-english-v3", "embed-english-v3"),
        ("text-embedding-3-v1", "text-embedding-3-v1"),  # a revision is told only behind Bedrock's maker
        ("meta.llama3-3-70b-instruct-v1:0", "llama3-3-70b-instruct"),
        ("us.secret", "us.secret"),
    ],
)
def test_only_what_says_nothing_of_the_model_is_taken_off_its_name(name, own):
    assert plain(name) == own


# What runs in several places, each as it is written there.
SAME = [
    ("claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),  # Bedrock, a profile of a region
    ("claude-sonnet-4-5-20250929", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("claude-sonnet-4-5-20250929", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    (
        "claude-sonnet-4-5-20250929",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"),  # Vertex
    ("claude-opus-4-6", "publishers/anthropic/models/claude-opus-4-6@default"),
    ("gemini-2.5-pro", "projects/p/locations/l/publishers/google/models/gemini-2.5-pro"),
    ("gemini-2.5-pro", "models/gemini-2.5-pro"),
    ("gpt-5.1", "openai/gpt-5.1"),
    ("gpt-oss-120b", "@cf/openai/gpt-oss-120b"),  # Cloudflare
    ("gpt-oss-120b", "openai.gpt-oss-120b-1:0"),
    ("gpt-oss-120b", "openai/gpt-oss-120b:free"),
    ("llama-3.3-70b-instruct", "meta-llama/Llama-3.3-70B-Instruct"),
    ("llama-3.3-70b-instruct", "hf:meta-llama/Llama-3.3-70B-Instruct"),
    ("deepseek-v3.2", "deepseek-ai/DeepSeek-V3.2"),
    ("deepseek-v3.2", "deepseek-ai/deepseek-v3.2-maas"),
    ("deepseek-r1", "us.deepseek.r1-v1:0"),
    ("glm-5.1", "accounts/fireworks/models/glm-5p1"),
    ("glm-5.1", "Pro/zai-org/GLM-5.1"),
    ("mistral-7b-instruct-v0.2", "mistral.mistral-7b-instruct-v0:2"),
]

# What only looks alike: somebody who asks for one is never to be answered by the other.
DIFFERENT = [
    ("gpt-5.1", "gpt-5.1-mini"),  # of another size
    ("gpt-5.1", "gpt-5.1-codex"),
    ("gpt-4o", "gpt-4o-mini"),
    ("o3", "o3-mini"),
    ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
    ("llama-3.3-70b-instruct", "llama-3.1-70b-instruct"),
    ("qwen3-32b", "qwen3-235b-a22b"),
    ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),  # of another day
    ("gpt-4o-2024-08-06", "gpt-4o"),
    ("claude-3-5-sonnet@20240620", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ("mistral-large-2411", "mistral-large-2512"),
    ("kimi-k2", "kimi-k2-0905"),
    ("qwen3-235b-a22b", "qwen3-235b-a22b-instruct-2507"),
    ("gemini-2.5-pro", "gemini-2.5-pro-preview-05-06"),
    ("gemini-3-pro", "gemini-3-pro-preview"),
    ("gemini-2.0-flash", "gemini-2.0-flash-exp"),
    ("grok-4.20-0309-reasoning", "grok-4.20-0309-non-reasoning"),  # that thinks, or not
    ("kimi-k2", "kimi-k2-thinking"),
    ("nemotron-3-super-120b-a12b", "nvidia/nemotron-3-super-120b-a12b:thinking"),
    ("llama-3.3-70b-instruct", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"),  # made smaller, or faster
    ("llama-3.3-70b-instruct", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("glm-5.1", "glm-5.1-6bit"),
    ("qwen3-32b", "qwen3-32b-awq"),
    ("kimi-k2.7-code", "kimi-k2.7-code-highspeed"),
    ("deepseek-r1", "deepseek-r1-distill-qwen-32b"),  # taught by it
    ("deepseek-r1", "deepseek-r1-distill-llama-70b"),
    ("llama-3.1-70b", "llama-3.1-70b-instruct"),  # before training to answer
    ("llama-3.1-70b-instruct", "nvidia/llama-3.1-nemotron-70b-instruct"),  # made from it
    ("gpt-4o-2024-08-06", "ft:gpt-4o-2024-08-06:acme::abc123"),
    ("gpt-oss-120b", "acme/gpt-oss-120b"),
    ("gemma-4-31b-it", "pearl-ai/gemma-4-31b-it"),
    ("llama-3.1-8b-instruct", "accounts/acme/models/llama-v3p1-8b-instruct"),
    ("gemini-2.5-pro", "tunedModels/gemini-2.5-pro"),
    ("claude-opus-4-6", "stealth/claude-opus-4.6"),
    ("embed-english-v3", "cohere.embed-english-v2"),
    ("mistral.mistral-7b-instruct-v0:2", "mistral.mistral-7b-instruct-v0:3"),
    ("cohere.rerank-v3-5:0", "cohere.rerank-v3"),
    ("amazon.titan-embed-text-v1", "amazon.titan-embed-text-v2:0"),
    ("anthropic.claude-v2:1", "anthropic.claude-v2"),
    ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0:48k"),
    ("gpt-51", "gpt-5.1"),
    ("llama3.3:latest", "llama3.3"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_model_compares_equal_wherever_it_runs(one, other):
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_models_never_compare_equal(one, other):
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai-gpt-52", "gpt-5.2"),
        ("databricks-gpt-5-1", "gpt-5.1"),
        ("zai-org-glm-5-1", "glm-5.1"),
        ("claude-opus4-8", "claude-opus-4-8"),
        ("glm-5.2-free", "glm-5.2"),
        ("nemotron-3-super", "nemotron-3-super-120b-a12b"),
        ("gemma4-31b", "gemma-4-31b-it"),
        ("claude-3.5-haiku", "claude-3-5-haiku-20241022"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("us.deepseek.r1-v1:0", "deepseek-r1"),
        ("us.meta.llama4-scout-17b-instruct-v1:0", "llama-4-scout-17b-instruct"),
    ],
)
def test_a_name_of_the_same_words_is_borne_out(name, model):
    assert can_be(name, model)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("deepseek-r1-distill-qwen-32b", "deepseek-r1"),
        ("databricks-claude-sonnet-4", "claude-sonnet-4-5"),
        ("glm-5.1-6bit", "glm-5.1"),
        ("kimi-k2.6-fast", "kimi-k2.6"),
        ("mimo-v2.5", "mimo-v2.5-pro"),
        ("mistral-small-2503", "mistral-small-2603"),
        ("mistral-small", "mistral-small-2506"),
        ("gemini-3-1-pro", "gemini-3.1-pro-preview-customtools"),
        ("gemini-3-flash", "gemini-3-flash-preview"),
        ("nvidia.nemotron-nano-12b-v2", "nemotron-nano-12b-v2-vl"),
        ("nemotron-3-super-120b-a12b:thinking", "nemotron-3-super-120b-a12b"),
        ("qwen3-235b-a22b-instruct-2507", "qwen3-235b-a22b"),
        ("qwen3.6-27b-202k", "qwen3.6-27b"),
        ("umans-coder", "kimi-k2.7-code"),
        ("snowflake-llama3.3-70b", "llama-3.3-70b-instruct"),
        ("gemma-4-12b", "gemma-4-31b-it"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"),
    ],
)
def test_what_the_name_does_not_bear_out_is_not_believed(name, model):
    assert not can_be(name, model)


def test_a_name_says_its_maker_or_none():
    assert (
        written_maker("meta-llama/Llama-3.3-70B-Instruct")
        == written_maker("us.meta.llama3-3-70b-instruct-v1:0")
        == "meta"
    )
    assert written_maker("gpt-5.1") is written_maker("acme/gpt-5.1") is written_maker("openai/a/b") is None


def test_a_date_is_the_same_in_both_spellings():
    assert comparable("gpt-5.1-2025-11-13") == comparable("gpt-5.1-20251113")
    assert undated("gpt-5.1-2025-11-13") == ("gpt-5.1", "20251113")
    assert undated("gpt-5.1") == ("gpt-5.1", "")


def test_a_dated_name_stands_for_the_undated_one_only_while_no_other_date_is_known():
    names = [
        "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929",
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "gpt-4o-2024-11-20",
        "x-20250101",
    ]
    assert one_name_each(names) == {
        "claude-sonnet-4-5": "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929": "claude-sonnet-4-5",
        "gpt-4o": "gpt-4o",
        "gpt-4o-2024-08-06": "gpt-4o-2024-08-06",
        "gpt-4o-2024-11-20": "gpt-4o-2024-11-20",
        "x-20250101": "x-20250101",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "one_model"),
    [("gpt-5.1", True), ("auto", False), ("mistral-large-latest", False), ("small", False), ("claude-3-7-latest", False), ("r2d2/small", False)],
)  # fmt: skip
def test_a_name_that_may_mean_another_model_tomorrow_says_nothing(name, one_model):
    assert says_which(name) is one_model


@given(st.text(max_size=60))
def test_any_text_has_a_comparable_form_that_stays_as_it_is(text):
    once = plain(text)
    assert once == once.lower()
    assert isinstance(comparable(text), str)


@given(st.lists(st.text("ab-@.0123456789", max_size=16), max_size=12))
def test_every_name_stands_for_one_that_stands_for_itself(names):
    made = one_name_each(names)
    assert set(made) == set(names)
    assert all(made[stands_for] == stands_for or undated(stands_for)[1] for stands_for in made.values())

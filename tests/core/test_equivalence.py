"""One model has many names; two models never have one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.catalogue.equivalence import comparable, one_name_each, plain, says_which, undated

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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"),
        ("mistral-large-2411", "mistral-large-2512"),
        ("gpt-5.1", "gpt-5.1-mini"),
        ("llama-3.3-70b-instruct", "llama-3.3-70b-instruct-turbo"),
        ("gpt-51", "gpt-5.1"),
    ],
)
def test_different_models_never_compare_equal(one, other):
    assert comparable(one) != comparable(other)


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
    [("gpt-5.1", True), ("auto", False), ("mistral-large-latest", False), ("small", False), ("claude-3-7-latest", False)],
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

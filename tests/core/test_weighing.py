"""What it means that a provider refuses a field of its own format."""

from __future__ import annotations

import json

import pytest

from understudy.core.embedding import Texts, weight_of_field
from understudy.core.projection import COSMETIC, ESSENTIAL, LOSSY, weight_of
from understudy.dialects.openai_chat import DIALECT
from understudy.dialects.openai_embeddings import DIALECT as EMBEDDINGS

TOOL = {"type": "function", "function": {"name": "f"}}


def weighed(name, **members):
    asked = DIALECT.parse_request(json.dumps({"model": "m", "messages": [], **members}).encode())
    return weight_of(name, asked, DIALECT.request_carries)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("user", {"user": "me"}),
        ("store", {"store": True}),
        ("prompt_cache_key", {"prompt_cache_key": "k"}),
        ("messages.cache_control", {}),
        ("tools.cache_control", {}),
        ("messages.name", {}),
        ("include.reasoning.encrypted_content", {}),
        ("frequency_penalty", {"frequency_penalty": 0}),
        ("logprobs", {"logprobs": False}),
        ("response_format", {"response_format": {"type": "text"}}),
        ("parallel_tool_calls", {"parallel_tool_calls": False}),
        ("verbosity", {"verbosity": "medium"}),
        ("prediction", {"prediction": {}}),
    ],
)
def test_marks_and_values_that_say_nothing_are_cosmetic(name, members):
    assert weighed(name, **members) == COSMETIC


@pytest.mark.parametrize(
    ("name", "members", "weight"),
    [
        ("temperature", {"temperature": 0.5}, LOSSY),
        ("seed", {"seed": 7}, LOSSY),
        ("logprobs", {"logprobs": True}, ESSENTIAL),
        ("response_format", {"response_format": {"type": "json_object"}}, LOSSY),
        ("reasoning_effort", {"reasoning_effort": "high"}, LOSSY),
        ("parallel_tool_calls", {"parallel_tool_calls": False, "tools": [TOOL]}, LOSSY),
        ("verbosity", {"verbosity": "low"}, LOSSY),
        ("web_search_options", {"web_search_options": {}}, LOSSY),
        ("modalities", {"modalities": ["audio"]}, ESSENTIAL),
        ("messages.reasoning", {}, LOSSY),
        ("thinking.budget_tokens", {}, LOSSY),
    ],
)
def test_what_steers_the_answer_matters(name, members, weight):
    assert weighed(name, **members) == weight


def test_of_embeddings_only_whom_they_are_for_is_cosmetic():
    asked = Texts(model="m", inputs=("a",), user="me")
    carries = EMBEDDINGS.request_carries
    names = ("user", "dimensions", "input_type")
    assert [weight_of_field(name, asked, carries) for name in names] == [COSMETIC, ESSENTIAL, LOSSY]

"""OpenAI Embeddings: every kind of input, what the size of it tells, and what is no request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.conversation import Extra
from understudy.core.embedding import Encoding, Purpose, project_texts
from understudy.dialects import BadBody, Quirks, carried_by
from understudy.dialects.openai_embeddings import DIALECT


def body(given: Any = "hello", **fields: Any) -> bytes:
    return json.dumps({"model": "m", "input": given, **fields}).encode()


@pytest.mark.parametrize(
    ("given", "inputs", "tokens"),
    [
        ("a" * 40, ("a" * 40,), 10),
        (["one", "two"], ("one", "two"), 3),
        ([1, 2, 3], ((1, 2, 3),), 3),
        ([[1, 2, 3], [4]], ((1, 2, 3), (4,)), 4),
    ],
)
def test_an_input_is_text_texts_or_tokens(given, inputs, tokens):
    assert DIALECT.parse_request(body(given)).inputs == inputs
    assert DIALECT.needs(body(given)).tokens_in == tokens


def test_blanks_before_tokens_do_not_make_them_text():
    assert DIALECT.needs(b'{"model": "m", "input": [ [ 1, 2 ], [ 3 ] ]}').tokens_in == 3


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        (body([1, "two"]), "input must be"),
        (body([[1], "two"]), "input must be"),
        (body([True]), "input must be"),
        (body(3), "input must be"),
        (body([]), "input must hold at least one text"),
        (body(encoding_format="int8"), "encoding_format must be float or base64"),
        (body(input_type="poem"), "input_type must be one of query"),
        (body(dimensions="many"), "dimensions must be an integer"),
        (body(user=1), "user must be a string"),
    ],
)
def test_what_cannot_be_told_to_another_provider_is_refused_by_name(told, complaint):
    with pytest.raises(BadBody, match=complaint):
        DIALECT.parse_request(told)


@pytest.mark.parametrize("word", ["passage", "document", "search_document"])
def test_purposes_of_compatible_servers_are_understood(word):
    assert DIALECT.parse_request(body(input_type=word)).purpose is Purpose.DOCUMENT


def test_what_only_this_format_knows_returns_to_it():
    asked = DIALECT.parse_request(body(x_new=1, encoding_format="base64"))
    assert asked.extra == Extra("openai_embeddings", {"x_new": 1})
    assert asked.encoding is Encoding.BASE64
    assert json.loads(DIALECT.render_request(asked))["x_new"] == 1


def test_what_a_provider_refuses_is_reported_when_it_is_translated_for_it():
    carries = carried_by(DIALECT, Quirks(drop=("user",)))
    _, losses = project_texts(DIALECT.parse_request(body(user="me")), carries)
    assert [loss.name for loss in losses] == ["user"]
    assert carried_by(DIALECT, Quirks()) is DIALECT.request_carries


def test_vectors_come_in_the_order_of_their_inputs():
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    assert DIALECT.parse_answer(json.dumps({"data": data}).encode()).vectors == ((1.0,), (2.0,))


def test_usage_of_zero_for_something_is_no_usage():
    data = [{"index": 0, "embedding": [2.0]}]
    for counts in ({"total_tokens": 0}, {"prompt_tokens": -1}, {}, None):
        told = json.dumps({"data": data, "usage": counts}).encode()
        assert DIALECT.glance(told).usage is None
        assert DIALECT.parse_answer(told).usage is None

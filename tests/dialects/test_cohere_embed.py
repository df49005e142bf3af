"""Cohere's embeddings: what its models must be told, and what is cut nowhere in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.embedding import Purpose, Texts, project_texts
from understudy.dialects import BadBody
from understudy.dialects.cohere_embed import DIALECT


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "texts": ["hello"], **fields}).encode()


def test_vectors_are_of_documents_unless_somebody_says_otherwise():
    for purpose, word in (
        (None, "search_document"),
        (Purpose.QUERY, "search_query"),
        (Purpose.FACT, "search_document"),
    ):
        projected, _ = project_texts(Texts(model="m", inputs=("x",), purpose=purpose), DIALECT.request_carries)
        written = json.loads(DIALECT.render_request(projected))
        assert (written["input_type"], written["truncate"]) == (word, "NONE")


def test_a_callers_own_way_of_cutting_returns_to_this_format_only():
    asked = DIALECT.parse_request(body(truncate="END"))
    assert json.loads(DIALECT.render_request(asked))["truncate"] == "END"
    assert DIALECT.parse_request(body(truncate="NONE")).extra is None


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"texts": [3]}, "texts must be a list of strings"),
        ({"input_type": "image"}, "input_type must be one of search_query"),
        ({"embedding_types": ["int8"]}, "embedding_types must be float"),
    ],
)
def test_what_cannot_be_told_to_another_provider_is_refused_by_name(fields, complaint):
    with pytest.raises(BadBody, match=complaint):
        DIALECT.parse_request(body(**fields))

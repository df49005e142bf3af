"""Gemini's embeddings: the model in the path, one setting for a batch, and single vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.embedding import Purpose
from understudy.core.request import Call, Needs
from understudy.dialects import BadBody, Quirks
from understudy.dialects.gemini_embeddings import DIALECT

PATH = "/v1beta/models/publishers/x:1:batchEmbedContents"


def one(text: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "models/m", "content": {"parts": [{"text": text}]}, **fields}


def body(*requests: Any, **fields: Any) -> bytes:
    return json.dumps({"requests": list(requests), **fields}).encode()


def test_the_path_names_the_model_whatever_is_in_it():
    needs = DIALECT.needs(body(one("x" * 40), one("y" * 40)), PATH)
    assert (needs.model, needs.tokens_in) == ("publishers/x:1", 20)
    assert DIALECT.needs(body(one()), "/elsewhere").model == "m"
    with pytest.raises(BadBody, match="names a model"):
        DIALECT.needs(body({"content": {}}), "")


def test_every_request_of_a_batch_is_sent_to_the_same_model():
    call = Call(dialect=DIALECT.name, needs=Needs("m"), body=body(one(), one("two"), model="models/m"))
    fitted, _ = DIALECT.retarget(call, "theirs", Quirks())
    told = json.loads(fitted)
    assert told["model"] == "models/theirs"
    assert [request["model"] for request in told["requests"]] == ["models/theirs", "models/theirs"]


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        (body(one(taskType="POETRY")), "taskType must be one of RETRIEVAL_QUERY"),
        (body(one(), one(taskType="CLUSTERING")), "must be of one model, one taskType"),
        (body(one(), one(outputDimensionality=3)), "must be of one model, one taskType"),
        (body(3), r"requests\[0\] must be an object"),
        (body({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}), "must be one text"),
        (body({"content": {"parts": [{"inlineData": {}}]}}), "must be one text"),
        (body({"content": {"parts": [{"text": 3}]}}), "must be one text"),
    ],
)
def test_what_cannot_be_told_to_another_provider_is_refused_by_name(told, complaint):
    with pytest.raises(BadBody, match=complaint):
        DIALECT.parse_request(told)


def test_an_unspecified_task_is_none_and_titles_return_to_this_format_only():
    asked = DIALECT.parse_request(body(one(taskType="TASK_TYPE_UNSPECIFIED", title="T"), one("two")))
    assert asked.purpose is None
    again = json.loads(DIALECT.render_request(asked))
    assert [request.get("title") for request in again["requests"]] == ["T", None]


def test_a_text_by_itself_and_its_vector_are_read():
    single = json.dumps(one(taskType="FACT_VERIFICATION")).encode()
    assert DIALECT.parse_request(single).purpose is Purpose.FACT
    answer = b'{"embedding": {"values": [0.5, 1]}, "usageMetadata": {"promptTokenCount": 3}}'
    assert DIALECT.parse_answer(answer).vectors == ((0.5, 1.0),)
    glance = DIALECT.glance(answer)
    assert glance.failure is None
    assert glance.usage is not None
    assert glance.usage.input == 3

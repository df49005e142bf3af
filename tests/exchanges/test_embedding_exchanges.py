"""Recorded embeddings and token counts: each one is read, crosses into every format of its operation, and comes back the same.

Method: a recorded request is projected onto each format, written and read again; a recorded answer is written in each caller's
format and read again: numbers as they were, base64 as 32-bit floats have them.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import replace
from typing import Any

import pytest

from conftest import read_recordings
from understudy.core.embedding import Encoding, project_texts
from understudy.core.request import Operation
from understudy.dialects._counting import Counting
from understudy.wiring import make_dialects

FORMATS = make_dialects()
EMBEDDERS = {name: one for name, one in FORMATS.items() if one.operation is Operation.EMBED}
OPENAI_FAMILY = ("azure", "mistral", "openai", "openrouter", "vllm", "voyageai")
# Recorded formats that nothing here speaks: Vertex AI's `predict`, Ollama's own `/api/embed` (it has `/v1/embeddings` beside it)
# and Perplexity's vectors of bytes.
MISC = [record for record in read_recordings("misc") if record["response"]["status"] == 200]
EMBEDDED = [record for record in MISC if record["api"] == "embeddings"]
COUNTED = [record for record in MISC if record["api"] == "count_tokens" and record["provider"] == "anthropic"]


def format_of(record: dict[str, Any]) -> str | None:
    url = record["request"]["url"]
    if record["provider"] in OPENAI_FAMILY:
        return "openai_embeddings"
    if "mbedContent" in url:
        return "gemini_embeddings"
    return "cohere_embed" if record["provider"] == "cohere" else None


def model_path(record: dict[str, Any]) -> str:
    return str(record["request"]["url"]).partition("?")[0]


def asks_base64(record: dict[str, Any]) -> bool:
    return record["request"]["body"].get("encoding_format") == "base64"


SPOKEN = [pytest.param(record, id=record["id"]) for record in EMBEDDED if format_of(record)]


@pytest.mark.shared("recordings")
def test_what_is_not_spoken_is_known():
    left = sorted({record["provider"] for record in EMBEDDED if format_of(record) is None})
    assert left == ["ollama", "perplexity", "vertexai"]
    assert len(SPOKEN) >= 20


@pytest.mark.parametrize("record", SPOKEN)
def test_a_recorded_request_crosses_and_returns(record: dict[str, Any]) -> None:
    source = EMBEDDERS[format_of(record) or ""]
    sent = {name: held for name, held in record["request"]["body"].items() if name not in VOYAGES_OWN}
    body = json.dumps(sent).encode()
    asked = source.parse_request(body)
    if "content" not in sent:  # one text by itself: read where a provider is asked so, but no door of ours
        needs = source.needs(body, model_path(record))
        assert needs.operation is Operation.EMBED
        assert needs.model == sent.get("model", asked.model).removeprefix("models/")
    for form in EMBEDDERS.values():
        projected, losses = project_texts(asked, form.request_carries)
        assert form.parse_request(form.render_request(projected)) == projected
        assert "essential" not in {loss.weight for loss in losses}
        assert projected.inputs == asked.inputs


VOYAGES_OWN = ("output_dimension", "output_dtype", "truncation")


@pytest.mark.parametrize("record", SPOKEN)
def test_a_recorded_answer_reaches_every_caller(record: dict[str, Any]) -> None:
    source = EMBEDDERS[format_of(record) or ""]
    body = record["response"]["body_text"].encode()
    glance, answer = source.glance(body), source.parse_answer(body)
    assert glance.failure is None
    assert glance.usage == answer.usage
    assert len(answer.vectors) == inputs_of(record)
    for form in EMBEDDERS.values():
        for encoding in form.request_carries.encodings:
            told = form.parse_answer(form.render_answer(replace(answer, encoding=encoding)))
            exact = encoding is Encoding.FLOAT
            assert told.vectors == (answer.vectors if exact else tuple(map(as_floats, answer.vectors)))
            assert told.usage == answer.usage


def inputs_of(record: dict[str, Any]) -> int:
    asked = record["request"]["body"]
    several = asked.get("input", asked.get("texts", asked.get("requests", "")))
    return len(several) if isinstance(several, list) else 1


def as_floats(vector: tuple[float, ...]) -> tuple[float, ...]:
    return struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector))


# An older vLLM packs 64-bit floats, and says so nowhere: its own clients are none the wiser, and we ask it for numbers.
PACKED = [one for one in SPOKEN if asks_base64(one.values[0]) and one.values[0]["provider"] != "vllm"]


@pytest.mark.parametrize("record", PACKED)
def test_recorded_base64_is_vectors_of_length_one(record: dict[str, Any]) -> None:
    vectors = FORMATS["openai_embeddings"].parse_answer(record["response"]["body_text"].encode()).vectors
    assert all(math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-3) for vector in vectors)


@pytest.mark.parametrize("record", [pytest.param(record, id=record["id"]) for record in COUNTED])
def test_a_recorded_count_is_asked_and_read(record: dict[str, Any]) -> None:
    form = FORMATS["anthropic_count_tokens"]
    assert isinstance(form, Counting)
    sent = record["request"]["body"]
    body = json.dumps(sent).encode()
    needs = form.needs(body)
    assert (needs.model, needs.operation, needs.max_tokens) == (sent["model"], Operation.COUNT, None)
    answer = record["response"]["body_text"].encode()
    assert form.glance(answer).failure is None
    assert form.parse_answer(form.render_answer(form.parse_answer(answer))) == json.loads(answer)["input_tokens"]
    again = json.loads(form.render_request(form.parse_request(body)))
    assert set(again) <= set(sent)
    assert again["messages"]

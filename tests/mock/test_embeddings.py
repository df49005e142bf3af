"""What the mock embeds, and what it refuses as the real providers do."""

from __future__ import annotations

import math
from typing import Any

import httpx2
import pytest

from understudy.mock import Mock
from understudy.mock.embeddings import vector_of


async def post(mock: Mock, path: str, body: Any) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.post(mock.origin + path, json=body)


def test_a_vector_is_of_length_one_and_belongs_to_its_model():
    vector = vector_of("m", "hello", 12)
    assert len(vector) == 12
    assert math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-6)
    assert vector == vector_of("m", "hello", 12)
    assert vector != vector_of("other", "hello", 12)


async def test_tokens_are_counted_as_they_are(mock: Mock) -> None:
    answer = await post(mock, "/v1/embeddings", {"model": "m", "input": [1, 2, 3]})
    assert len(answer.json()["data"]) == 1
    assert answer.json()["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "m", "input": []}),
        ("/v1/embeddings", {"model": "m", "input": [""]}),
        ("/v1/embeddings", {"input": "x"}),
        ("/v1beta/models/m:batchEmbedContents", {"requests": [{"model": "models/other", "content": {"parts": []}}]}),
        ("/v1beta/m:batchEmbedContents", {"requests": []}),
        ("/v2/embed", {"model": "m", "texts": ["x"]}),
        ("/v1/embeddings", []),
    ],
)
async def test_what_the_provider_would_refuse_is_refused(mock: Mock, path: str, body: Any) -> None:
    answer = await post(mock, path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]

"""Embeddings as OpenAI, Gemini and Cohere send them: the same vector for the same text and model, whoever asks."""

from __future__ import annotations

import re
import struct
from base64 import b64encode
from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple
from urllib.parse import unquote

from understudy.core.dice import Dice, label_of
from understudy.core.value import JsonObject
from understudy.mock.asked import BadRequest, want

DIMENSIONS = 8
DIMENSIONS_MAX = 3072
"""The most that OpenAI's and Google's models have."""
TEXTS_MAX = 2048
"""What OpenAI takes at once."""
NUMBERS_MAX = 1 << 18
"""In all vectors of an answer together: they are drawn at once, while others wait."""
_MODEL_IN_PATH = re.compile(r"/models/(?P<model>[^/]+):batchEmbedContents\Z")


class Embedded(NamedTuple):
    """What a request asks, and the answer to it. `empty`: an answer without vectors."""

    model: str
    whole: JsonObject
    empty: JsonObject
    tokens: int


def vector_of(model: str, text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1, as 32-bit floats have it: two models' vectors for a text have nothing to do with each other."""
    dice = Dice(label_of(f"{model}\n{text}"))
    found = [dice.normal() for _ in range(dimensions)]
    length = sqrt(sum(one * one for one in found))
    return list(struct.unpack(f"<{dimensions}f", struct.pack(f"<{dimensions}f", *[one / length for one in found])))


def embeds(path: str) -> bool:
    """Whether embeddings are asked for at this path."""
    return path.endswith(tuple(_ENDINGS))


def embed(path: str, read: JsonObject) -> Embedded:
    """The answer to a request at such a path. Raises `BadRequest`."""
    answer = next(answer for ending, answer in _ENDINGS.items() if path.endswith(ending))
    try:
        return answer(path, read)
    except (AttributeError, KeyError, TypeError):
        raise BadRequest("Invalid input: it is not made of texts as the API reference has them.") from None


def _vectors(model: str, wanted: list[tuple[str, int]]) -> list[list[float]]:
    """A vector for each text, of so many dimensions. Raises `BadRequest` where they are too many or too long."""
    if len(wanted) > TEXTS_MAX:
        raise BadRequest(
            f"Invalid 'input': array too long. Expected an array with maximum length {TEXTS_MAX}, but got {len(wanted)} instead."
        )
    for _, dimensions in wanted:
        if not 1 <= dimensions <= DIMENSIONS_MAX:
            raise BadRequest(f"Invalid value for 'dimensions' = {dimensions}. Must lie between 1 and {DIMENSIONS_MAX}.")
    if sum(dimensions for _, dimensions in wanted) > NUMBERS_MAX:
        raise BadRequest(
            f"This mock writes at most {NUMBERS_MAX:,} numbers at once: send fewer texts, or ask for fewer dimensions."
        )
    return [vector_of(model, text, dimensions) for text, dimensions in wanted]


def _openai(path: str, read: JsonObject) -> Embedded:
    del path
    model = want(read, "model", str, required=True)
    given = read.get("input")
    texts = [given] if isinstance(given, str) or (isinstance(given, list) and given and _is_number(given[0])) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str | list) and one for one in texts):
        raise BadRequest("'$.input' is invalid. Please check the API reference.")
    packed = want(read, "encoding_format", str) == "base64"
    dimensions = want(read, "dimensions", int) or DIMENSIONS
    vectors = _vectors(model, [(one if isinstance(one, str) else repr(one), dimensions) for one in texts])
    tokens = sum(len(one) if isinstance(one, list) else _tokens(one) for one in texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    body: JsonObject = {"object": "list", "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    return Embedded(model, body | {"data": data}, body | {"data": []}, tokens)


def _gemini(path: str, read: JsonObject) -> Embedded:
    found = _MODEL_IN_PATH.search(path)
    if found is None:
        raise BadRequest("Invalid resource name.")
    model = unquote(found["model"])
    requests = want(read, "requests", list, required=True)
    if any(one.get("model") != f"models/{model}" for one in requests):
        raise BadRequest(
            "* BatchEmbedContentsRequest.requests[0].model: the model of each request must match the path."
        )
    texts = [part["text"] for one in requests for part in one["content"]["parts"]]
    sizes = [one.get("outputDimensionality") or DIMENSIONS for one in requests]
    made = _vectors(model, list(zip(texts, sizes, strict=True)))
    vectors = [{"values": vector} for vector in made]
    tokens = sum(map(_tokens, texts))
    usage = {"usageMetadata": {"promptTokenCount": tokens}}
    return Embedded(model, {"embeddings": vectors} | usage, {"embeddings": []} | usage, tokens)


def _cohere(path: str, read: JsonObject) -> Embedded:
    del path
    model = want(read, "model", str, required=True)
    texts = want(read, "texts", list, required=True)
    if want(read, "input_type", str) is None:
        raise BadRequest("invalid request: valid input_type must be provided with the provided model")
    dimensions = want(read, "output_dimension", int) or DIMENSIONS
    vectors = _vectors(model, [(text, dimensions) for text in texts])
    tokens = sum(map(_tokens, texts))
    body: JsonObject = {
        "id": "mock",
        "texts": texts,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}},
        "response_type": "embeddings_by_type",
    }
    return Embedded(model, body | {"embeddings": {"float": vectors}}, body | {"embeddings": {"float": []}}, tokens)


_ENDINGS: dict[str, Callable[[str, JsonObject], Embedded]] = {
    "/embeddings": _openai,
    ":batchEmbedContents": _gemini,
    "/embed": _cohere,
}


def _is_number(found: Any) -> bool:
    return isinstance(found, int)


def _tokens(text: str) -> int:
    return 1 + len(text) // 4


def _base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

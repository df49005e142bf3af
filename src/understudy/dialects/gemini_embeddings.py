"""Gemini's embeddings (`batchEmbedContents`); the answer to `embedContent`, with its single vector, is read, too.

The model stands in the path. What a vector is for is the `taskType`. Each input of a batch is a request of its own.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from understudy.core.conversation import Extra
from understudy.core.diagnosis import classify_in_band
from understudy.core.embedding import Embeds, Purpose, Texts, Vectors
from understudy.core.request import Call, Needs, Operation
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, ErrorReport, Glance, Quirks
from understudy.dialects._embedding import (
    BYTES_PER_TOKEN,
    NO_VECTOR,
    apply_quirks,
    count_of,
    need,
    read_members,
    read_vector,
    take,
    value_of,
)
from understudy.dialects._errors import google_error
from understudy.dialects._reading import Unreadable, encode, read_object

NAME = "gemini_embeddings"
INPUTS_MAX = 100
"""Requests in one batch: the API refuses more."""

_TASKS = {
    "RETRIEVAL_QUERY": Purpose.QUERY,
    "RETRIEVAL_DOCUMENT": Purpose.DOCUMENT,
    "SEMANTIC_SIMILARITY": Purpose.SIMILARITY,
    "CLASSIFICATION": Purpose.CLASSIFICATION,
    "CLUSTERING": Purpose.CLUSTERING,
    "CODE_RETRIEVAL_QUERY": Purpose.CODE_QUERY,
    "QUESTION_ANSWERING": Purpose.QUESTION,
    "FACT_VERIFICATION": Purpose.FACT,
}
_WORDS = {purpose: word for word, purpose in _TASKS.items()}
_MODEL = re.compile(r"/models/(?P<model>.+):(?:batchEmbedContents|embedContent)\Z", re.DOTALL)


class _Seen(msgspec.Struct):
    embeddings: list[msgspec.Raw] | None = None
    embedding: dict[str, Any] | None = None
    usageMetadata: dict[str, Any] | None = None  # noqa: N815  the wire's name
    error: Any = None


_seen = msgspec.json.Decoder(_Seen).decode


class GeminiEmbeddings:
    """Gemini's embeddings (`POST /v1beta/models/{model}:batchEmbedContents`)."""

    name = NAME
    operation = Operation.EMBED
    inbound = ("/v1beta/models/{model}:batchEmbedContents", "/v1/models/{model}:batchEmbedContents")
    request_carries = Embeds(dialect=NAME, inputs_max=INPUTS_MAX, purposes=tuple(Purpose))

    def needs(self, body: bytes, path: str = "") -> Needs:
        members = read_members(body)
        requests = value_of(members, "requests", list)
        if not requests or not isinstance(requests[0], dict):
            raise BadBody("requests: there must be at least one")
        found = _MODEL.search(path)
        model = unquote(found["model"]) if found else _bare(requests[0].get("model"))
        if not model:
            raise BadBody("neither the path nor the first request names a model")
        texts = sum(len(text.encode()) for one in requests for text in _texts(one))
        return Needs(model=model, tokens_in=texts // BYTES_PER_TOKEN, operation=self.operation)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        members = read_members(call.body)
        if "model" in members:
            members["model"] = f"models/{model}"
        members["requests"] = [
            {**one, "model": f"models/{model}"} for one in value_of(members, "requests", list) if isinstance(one, dict)
        ]
        dropped = apply_quirks(members, quirks)
        return encode(members), dropped

    def parse_request(self, body: bytes) -> Texts:
        try:
            return _read_request(read_object(body))
        except Unreadable as error:
            raise BadBody(str(error)) from None

    def render_request(self, texts: Texts, quirks: Quirks = BY_THE_BOOK, /) -> bytes:
        each: JsonObject = {"model": f"models/{texts.model}"}
        if texts.purpose is not None:
            each["taskType"] = _WORDS[texts.purpose]
        if texts.dimensions is not None:
            each["outputDimensionality"] = texts.dimensions
        besides = [{} for _ in texts.inputs] if texts.extra is None else texts.extra.fields["requests"]
        members: JsonObject = {
            "requests": [
                {**each, "content": {"parts": [{"text": text}]}, **own}
                for text, own in zip(texts.inputs, besides, strict=True)
            ]
        }
        apply_quirks(members, quirks)
        return encode(members)

    def parse_answer(self, body: bytes) -> Vectors:
        try:
            fields = read_object(body)
            single = take(fields, "embedding", dict)
            found = need(fields, "embeddings", list) if single is None else [single]
            read = [_read_values(one, f"embeddings[{place}]") for place, one in enumerate(found)]
            usage = _usage(fields.get("usageMetadata"))
        except Unreadable as error:
            raise BadAnswer(str(error)) from None
        return Vectors(vectors=tuple(read), usage=usage)

    def render_answer(self, answer: Vectors, /) -> bytes:
        body: JsonObject = {"embeddings": [{"values": vector} for vector in answer.vectors]}
        if answer.usage is not None:
            body["usageMetadata"] = {"promptTokenCount": answer.usage.prompt}
        return encode(body)

    def glance(self, body: bytes) -> Glance:
        try:
            seen = _seen(body)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"the answer cannot be read: {error}") from None
        failure = None
        if not seen.embeddings and seen.embedding is None:
            if seen.error is not None:
                failure = classify_in_band(body)
            elif seen.embeddings is None:
                raise BadAnswer("the answer holds neither `embeddings` nor `embedding`")
            else:
                failure = NO_VECTOR
        return Glance(usage=_usage(seen.usageMetadata), failure=failure)

    def render_error(self, report: ErrorReport) -> bytes:
        return encode(google_error(report))


def _bare(name: Any) -> str:
    return name.removeprefix("models/") if isinstance(name, str) else ""


def _texts(request: Any) -> list[str]:
    """The texts of one request of a batch, as far as there are any."""
    content = request.get("content") if isinstance(request, dict) else None
    parts = content.get("parts") if isinstance(content, dict) else None
    found = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [text for text in found if isinstance(text, str)]


def _usage(counts: Any) -> Usage | None:
    return count_of(counts.get("promptTokenCount")) if isinstance(counts, dict) else None


def _read_values(found: Any, where: str) -> tuple[float, ...]:
    return read_vector(found.get("values") if isinstance(found, dict) else None, where)


def _read_request(fields: JsonObject) -> Texts:
    requests = need(fields, "requests", list) if "requests" in fields else [fields]
    inputs: list[str] = []
    besides: list[JsonObject] = []
    settings: list[tuple[str, str | None, int | None]] = []
    for place, request in enumerate(requests):
        where = f"requests[{place}]."
        if not isinstance(request, dict):
            raise Unreadable(f"{where[:-1]} must be an object")
        own = dict(request)
        inputs.append(_read_text(need(own, "content", dict, where), where))
        task, dimensions = take(own, "taskType", str, where), take(own, "outputDimensionality", int, where)
        settings.append((_bare(own.pop("model", None)), None if task == "TASK_TYPE_UNSPECIFIED" else task, dimensions))
        besides.append({name: held for name, held in own.items() if held is not None})
    if len(set(settings)) != 1:
        raise Unreadable("the requests of a batch must be of one model, one taskType and one outputDimensionality")
    model, task, dimensions = settings[0]
    if task is not None and task not in _TASKS:
        raise Unreadable(f"taskType must be one of {', '.join(_TASKS)}, not {task!r}")
    return Texts(
        model=model,
        inputs=tuple(inputs),
        dimensions=dimensions,
        purpose=None if task is None else _TASKS[task],
        extra=Extra(NAME, {"requests": besides}) if any(besides) else None,
    )


def _read_text(content: JsonObject, where: str) -> str:
    """The text of a content of one part: what several, or a picture, are to another provider nobody can say."""
    parts = content.get("parts")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict) and set(parts[0]) == {"text"}:
        text = parts[0]["text"]
        if isinstance(text, str):
            return text
    raise Unreadable(f"{where}content.parts must be one text")


DIALECT = GeminiEmbeddings()

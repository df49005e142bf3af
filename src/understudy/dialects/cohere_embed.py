"""Cohere's embeddings, second version of its API (`/v2/embed`).

`input_type` is required by its models, and decides how a text is embedded: for callers of formats that need not say what
vectors are for, they are those of documents. A text that is too long is refused rather than cut in silence (`truncate`).
"""

from __future__ import annotations

from typing import Any

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
from understudy.dialects._errors import about, told
from understudy.dialects._reading import Unreadable, encode, read_object

NAME = "cohere_embed"
INPUTS_MAX = 96
"""Texts in one request: the API refuses more."""

_PURPOSES = {
    "search_query": Purpose.QUERY,
    "search_document": Purpose.DOCUMENT,
    "classification": Purpose.CLASSIFICATION,
    "clustering": Purpose.CLUSTERING,
}
_WORDS = {purpose: word for word, purpose in _PURPOSES.items()}


class _Seen(msgspec.Struct):
    embeddings: dict[str, list[msgspec.Raw] | None] | None = None
    meta: dict[str, Any] | None = None
    message: Any = None


_seen = msgspec.json.Decoder(_Seen).decode


class CohereEmbed:
    """Cohere Embed (`POST /v2/embed`)."""

    name = NAME
    operation = Operation.EMBED
    inbound = ("/v2/embed",)
    request_carries = Embeds(dialect=NAME, inputs_max=INPUTS_MAX, purposes=tuple(_WORDS), purpose=Purpose.DOCUMENT)

    def needs(self, body: bytes, path: str = "") -> Needs:  # noqa: ARG002  all is in the body
        members = read_members(body)
        model = value_of(members, "model", str)
        if model is None:
            raise BadBody("the body lacks `model`")
        size = len(bytes(members.get("texts", b"")))
        return Needs(model=model, tokens_in=size // BYTES_PER_TOKEN, operation=self.operation)

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        members = read_members(call.body)
        members["model"] = model
        dropped = apply_quirks(members, quirks)
        return encode(members), dropped

    def parse_request(self, body: bytes) -> Texts:
        try:
            return _read_request(read_object(body))
        except Unreadable as error:
            raise BadBody(str(error)) from None

    def render_request(self, texts: Texts, quirks: Quirks = BY_THE_BOOK, /) -> bytes:
        members: JsonObject = {
            "model": texts.model,
            "texts": list(texts.inputs),
            "input_type": _WORDS[texts.purpose or Purpose.DOCUMENT],
            "embedding_types": ["float"],
            "truncate": "NONE",
        }
        if texts.dimensions is not None:
            members["output_dimension"] = texts.dimensions
        if texts.extra is not None:
            members |= texts.extra.fields
        apply_quirks(members, quirks)
        return encode(members)

    def parse_answer(self, body: bytes) -> Vectors:
        try:
            fields = read_object(body)
            found = need(need(fields, "embeddings", dict), "float", list, "embeddings.")
            read = [read_vector(one, f"embeddings.float[{place}]") for place, one in enumerate(found)]
        except Unreadable as error:
            raise BadAnswer(str(error)) from None
        return Vectors(vectors=tuple(read), usage=_usage(fields.get("meta")))

    def render_answer(self, answer: Vectors, /) -> bytes:
        body: JsonObject = {
            "id": "",
            "embeddings": {"float": answer.vectors},
            "texts": [],
            "response_type": "embeddings_by_type",
        }
        meta: JsonObject = {"api_version": {"version": "2"}}
        if answer.usage is not None:
            meta["billed_units"] = {"input_tokens": answer.usage.prompt}
        return encode(body | {"meta": meta})

    def glance(self, body: bytes) -> Glance:
        try:
            seen = _seen(body)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"the answer cannot be read: {error}") from None
        failure = None
        if seen.embeddings is None:
            if seen.message is None:
                raise BadAnswer("the answer has no `embeddings`")
            failure = classify_in_band(body)
        elif not any(seen.embeddings.values()):
            failure = NO_VECTOR
        return Glance(usage=_usage(seen.meta), failure=failure)

    def render_error(self, report: ErrorReport) -> bytes:
        return encode({"message": told(report), "understudy": about(report)})


def _usage(meta: Any) -> Usage | None:
    units = meta.get("billed_units") if isinstance(meta, dict) else None
    return count_of(units.get("input_tokens")) if isinstance(units, dict) else None


def _read_request(fields: JsonObject) -> Texts:
    model = need(fields, "model", str)
    texts = need(fields, "texts", list)
    if not all(isinstance(text, str) for text in texts):
        raise Unreadable("texts must be a list of strings")
    word = take(fields, "input_type", str)
    if word is not None and word not in _PURPOSES:
        raise Unreadable(f"input_type must be one of {', '.join(_PURPOSES)}, not {word!r}")
    if (kinds := take(fields, "embedding_types", list)) not in (None, ["float"]):
        raise Unreadable(f"embedding_types must be float where another provider answers, not {kinds!r}")
    dimensions = take(fields, "output_dimension", int)
    if fields.get("truncate") == "NONE":
        del fields["truncate"]  # nobody else cuts what is too long
    rest = {name: held for name, held in fields.items() if held is not None}
    return Texts(
        model=model,
        inputs=tuple(texts),
        dimensions=dimensions,
        purpose=None if word is None else _PURPOSES[word],
        extra=Extra(NAME, rest) if rest else None,
    )


DIALECT = CohereEmbed()

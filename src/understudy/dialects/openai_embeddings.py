"""OpenAI Embeddings, and everyone who speaks something like it.

Inputs are a text, several, or tokens; vectors come as numbers or, as OpenAI's own clients ask, as base64. `input_type` is no
field of OpenAI's, but of several servers of this family (Voyage, NVIDIA), and how a caller says here what the vectors are for.
"""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.conversation import Extra
from understudy.core.diagnosis import classify_in_band
from understudy.core.embedding import Embeds, Encoding, Input, Purpose, Texts, Vectors
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
    packed,
    read_members,
    read_vector,
    take,
    value_of,
)
from understudy.dialects._errors import openai_error
from understudy.dialects._reading import Unreadable, encode, read_object

NAME = "openai_embeddings"

_PURPOSES = {
    "query": Purpose.QUERY,
    "document": Purpose.DOCUMENT,
    "similarity": Purpose.SIMILARITY,
    "classification": Purpose.CLASSIFICATION,
    "clustering": Purpose.CLUSTERING,
    "code_query": Purpose.CODE_QUERY,
    "question": Purpose.QUESTION,
    "fact": Purpose.FACT,
}
_WORDS = {purpose: word for word, purpose in _PURPOSES.items()}
_OTHER_WORDS = {"passage": Purpose.DOCUMENT, "search_document": Purpose.DOCUMENT, "search_query": Purpose.QUERY}


class _Counts(msgspec.Struct):
    prompt_tokens: Any = None
    total_tokens: Any = None


class _Seen(msgspec.Struct):
    data: list[msgspec.Raw] | None = None
    model: str | None = None
    usage: _Counts | None = None
    error: Any = None
    object: Any = None


_seen = msgspec.json.Decoder(_Seen).decode


class OpenAiEmbeddings:
    """OpenAI Embeddings (`POST /v1/embeddings`)."""

    name = NAME
    operation = Operation.EMBED
    inbound = ("/v1/embeddings",)
    request_carries = Embeds(
        dialect=NAME,
        tokens=True,
        purposes=tuple(Purpose),
        user=True,
        encodings=(Encoding.FLOAT, Encoding.BASE64),
    )

    def needs(self, body: bytes, path: str = "") -> Needs:  # noqa: ARG002  all is in the body
        members = read_members(body)
        model = value_of(members, "model", str)
        if model is None:
            raise BadBody("the body lacks `model`")
        given = bytes(members.get("input", b"null")).strip()
        if given[:1] not in {b'"', b"["}:
            raise BadBody("input: it must be a text, a list of texts, or tokens")
        return Needs(model=model, tokens_in=_tokens(given), operation=self.operation)

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
        [*inputs] = texts.inputs
        fields: JsonObject = {
            "model": texts.model,
            "input": inputs,
            "encoding_format": texts.encoding.value,
            "dimensions": texts.dimensions,
            "input_type": None if texts.purpose is None else _WORDS[texts.purpose],
            "user": texts.user,
        }
        members = {name: held for name, held in fields.items() if held is not None}
        if texts.extra is not None:
            members |= texts.extra.fields
        apply_quirks(members, quirks)
        return encode(members)

    def parse_answer(self, body: bytes) -> Vectors:
        try:
            return _read_answer(read_object(body))
        except Unreadable as error:
            raise BadAnswer(str(error)) from None

    def render_answer(self, answer: Vectors, /) -> bytes:
        usage = answer.usage or Usage()
        plain = answer.encoding is Encoding.FLOAT
        data = [
            {"object": "embedding", "index": index, "embedding": vector if plain else packed(vector)}
            for index, vector in enumerate(answer.vectors)
        ]
        counts = {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}
        return encode({"object": "list", "data": data, "model": answer.model, "usage": counts})

    def glance(self, body: bytes) -> Glance:
        try:
            seen = _seen(body)
        except (RecursionError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise BadAnswer(f"the answer cannot be read: {error}") from None
        usage = None if seen.usage is None else count_of(seen.usage.prompt_tokens, seen.usage.total_tokens)
        failure = None
        if not seen.data:
            if seen.error is not None or seen.object == "error":
                failure = classify_in_band(body)
            elif seen.data is None:
                raise BadAnswer("the answer holds no embeddings: it has no list `data`")
            else:
                failure = NO_VECTOR
        return Glance(usage=usage, failure=failure, model=seen.model)

    def render_error(self, report: ErrorReport) -> bytes:
        return encode(openai_error(report))


def _tokens(given: bytes) -> int:
    """How many tokens an input is: counted where it is tokens already, else estimated from the size of the text."""
    inside = given.lstrip(b"[ \t\r\n")[:1]
    if given[:1] == b"[" and inside not in {b'"', b"]", b""}:
        return given.count(b",") + 1
    return len(given) // BYTES_PER_TOKEN


def _read_request(fields: JsonObject) -> Texts:
    model = need(fields, "model", str)
    inputs = _read_inputs(fields.pop("input", None))
    word = take(fields, "input_type", str)
    purpose = _PURPOSES.get(word) or _OTHER_WORDS.get(word) if word is not None else None
    if word is not None and purpose is None:
        raise Unreadable(f"input_type must be one of {', '.join([*_PURPOSES, *_OTHER_WORDS])}, not {word!r}")
    wanted = take(fields, "encoding_format", str) or Encoding.FLOAT
    if wanted not in tuple(Encoding):
        raise Unreadable(f"encoding_format must be float or base64, not {wanted!r}")
    dimensions = take(fields, "dimensions", int)
    user = take(fields, "user", str)
    rest = {name: held for name, held in fields.items() if held is not None}
    return Texts(
        model=model,
        inputs=inputs,
        dimensions=dimensions,
        purpose=purpose,
        user=user,
        encoding=Encoding(wanted),
        extra=Extra(NAME, rest) if rest else None,
    )


def _read_inputs(found: Any) -> tuple[Input, ...]:
    """A text, texts, the tokens of one, or the tokens of several."""
    if isinstance(found, str):
        return (found,)
    if found == []:
        raise Unreadable("input must hold at least one text")
    if isinstance(found, list):
        if all(isinstance(one, str) for one in found):
            return tuple(found)
        if all(map(_is_token, found)):
            return (tuple(found),)
        if all(isinstance(one, list) and all(map(_is_token, one)) for one in found):
            return tuple(map(tuple, found))
    raise Unreadable("input must be a text, a list of texts, or tokens")


def _is_token(found: Any) -> bool:
    return isinstance(found, int) and not isinstance(found, bool)


def _read_answer(fields: JsonObject) -> Vectors:
    data = need(fields, "data", list)
    read: list[tuple[int, tuple[float, ...]]] = []
    for place, item in enumerate(data):
        if not isinstance(item, dict):
            raise Unreadable(f"data[{place}] must be an object")
        index = item.get("index")
        vector = read_vector(item.get("embedding"), f"data[{place}].embedding")
        read.append((index if isinstance(index, int) else place, vector))
    read.sort(key=lambda one: one[0])  # servers that split a batch may answer out of order
    counts = fields.get("usage")
    usage = count_of(counts.get("prompt_tokens"), counts.get("total_tokens")) if isinstance(counts, dict) else None
    model = fields.get("model")
    return Vectors(
        vectors=tuple(vector for _, vector in read), model=model if isinstance(model, str) else "", usage=usage
    )


DIALECT = OpenAiEmbeddings()

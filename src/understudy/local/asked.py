"""Reads a Chat Completions request as a model server of ours needs it, and refuses what no such server can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from understudy.core.value import JsonObject
from understudy.dialects._openai import complaint
from understudy.local.speaker import Manner

STOPS_MAX = 16


class BadQuestion(Exception):
    """The request cannot be answered as it is. The message says what to change."""


class Message(msgspec.Struct):
    """One message. Tool calls of earlier turns are not shown to the model: its template need not know them."""

    role: str
    content: str | list[JsonObject] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_Count = Annotated[int, msgspec.Meta(ge=1)]


class Question(msgspec.Struct):
    """A request body. What it does not name is no concern of a small server, and ignored, as others do."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    model: str = ""
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: _Count | None = None
    max_completion_tokens: _Count | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    logprobs: bool | None = None
    tools: list[Any] | None = None
    response_format: JsonObject | None = None

    @property
    def include_usage(self) -> bool | None:
        """Whether a stream is to end with what it used."""
        return self.stream_options.include_usage if self.stream_options is not None else None

    @property
    def stops(self) -> Sequence[str]:
        """The sequences that end the answer."""
        return (self.stop,) if isinstance(self.stop, str) else self.stop or ()

    def manner(self) -> Manner:
        """How the answer is wanted. Raises `BadQuestion`."""
        bound = self.max_completion_tokens
        return Manner(
            max_tokens=self.max_tokens if bound is None else bound,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=self.seed,
            schema=_schema(self.response_format or {}),
        )

    def said(self) -> list[dict[str, str]]:
        """The messages as chat templates take them: roles and texts. Raises `BadQuestion`."""
        return [{"role": _ROLES.get(one.role, one.role), "content": _text(one.content)} for one in self.messages]


_ROLES = {"developer": "system"}
_read = msgspec.json.Decoder(Question).decode


def read_question(body: bytes) -> Question:
    """A request body. Raises `BadQuestion`."""
    try:
        asked = _read(body)
    except RecursionError:
        raise BadQuestion("the body is nested too deeply") from None
    except UnicodeDecodeError:
        raise BadQuestion("the body is not valid UTF-8") from None
    except msgspec.DecodeError as error:
        raise BadQuestion(complaint(error)) from None
    if asked.n is not None and asked.n != 1:
        raise BadQuestion("this server gives one answer to a question: leave out `n`")
    if asked.logprobs:
        raise BadQuestion("this server tells no `logprobs`")
    if asked.tools:
        raise BadQuestion("this server calls no tools: leave out `tools`")
    if len(asked.stops) > STOPS_MAX:
        raise BadQuestion(f"`stop` holds more than {STOPS_MAX} sequences")
    return asked


def _text(content: str | list[JsonObject] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for part in content:
        kind, text = part.get("type"), part.get("text")
        if kind != "text" or not isinstance(text, str):
            raise BadQuestion(f"this server reads text only, and no content of type {kind!r}")
        texts.append(text)
    return "".join(texts)


def _schema(wanted: JsonObject) -> str | None:
    """The JSON Schema that a `response_format` amounts to."""
    match wanted.get("type"):
        case None | "text":
            return None
        case "json_object":
            return '{"type":"object"}'
        case "json_schema":
            about = wanted.get("json_schema")
            schema = about.get("schema") if isinstance(about, dict) else None
            if not isinstance(schema, dict):
                raise BadQuestion("`response_format.json_schema.schema` must be an object")
            return msgspec.json.encode(schema).decode()
        case other:
            raise BadQuestion(f"`response_format.type` is text, json_object or json_schema, not {other!r}")

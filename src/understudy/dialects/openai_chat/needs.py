"""What a request asks of a target, in one cheap pass over its body."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from understudy.core.request import Needs
from understudy.core.value import JsonObject
from understudy.dialects import BadBody
from understudy.dialects._openai import complaint

Raw = msgspec.Raw
_ABSENT = Raw(b"null")


class _Options(msgspec.Struct):
    include_usage: bool | None = None


_options = msgspec.json.Decoder(_Options | None).decode


class _Turn(msgspec.Struct):
    role: Any = None
    content: Raw = _ABSENT
    tool_calls: Raw = _ABSENT
    cache_control: Raw = _ABSENT
    reasoning: Raw = _ABSENT
    reasoning_content: Raw = _ABSENT
    reasoning_details: Raw = _ABSENT

    def is_plain(self) -> bool:
        """Whether every server of the format takes it as it is: no later role, thought or cache mark in it."""
        return (
            self.role in _ROLES
            and self.reasoning is _ABSENT
            and self.reasoning_content is _ABSENT
            and self.reasoning_details is _ABSENT
            and self.cache_control is _ABSENT
            and (self.tool_calls is _ABSENT or _MARK not in bytes(self.tool_calls))
        )


_ROLES = ("user", "assistant", "system", "tool")
_MARK = b'"cache_control"'
_LIST = ord("[")


class _Head(msgspec.Struct, omit_defaults=True):
    """What is looked at of any request."""

    model: str
    messages: list[Any]
    stream: bool | UnsetType | None = UNSET
    stream_options: Raw = _ABSENT
    max_tokens: int | UnsetType | None = UNSET
    max_completion_tokens: int | UnsetType | None = UNSET
    n: int | UnsetType | None = UNSET
    tools: Raw = _ABSENT
    functions: Raw = _ABSENT
    response_format: Raw = _ABSENT
    reasoning_effort: str | UnsetType | None = UNSET
    reasoning: Raw = _ABSENT
    thinking: Raw = _ABSENT
    logprobs: bool | UnsetType | None = UNSET
    modalities: Raw = _ABSENT


class _UsualTurn(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A turn that every server of the format takes, with nothing in it that is not named here: it can be written again."""

    role: Literal["user", "assistant", "system", "tool"]
    content: Raw = _ABSENT
    tool_calls: Raw = _ABSENT
    name: Raw = _ABSENT
    tool_call_id: Raw = _ABSENT
    refusal: Raw = _ABSENT
    function_call: Raw = _ABSENT
    audio: Raw = _ABSENT
    annotations: Raw = _ABSENT


class _Odd(_Head):
    """A request with more in it than is looked at."""

    messages: list[_Turn]


class Usual(_Head, forbid_unknown_fields=True):
    """A request with nothing in it that is not named here, so that it can be written for a target without being read again."""

    messages: list[_UsualTurn]
    audio: Raw = _ABSENT
    frequency_penalty: Raw = _ABSENT
    function_call: Raw = _ABSENT
    logit_bias: Raw = _ABSENT
    metadata: Raw = _ABSENT
    parallel_tool_calls: Raw = _ABSENT
    prediction: Raw = _ABSENT
    presence_penalty: Raw = _ABSENT
    prompt_cache_key: Raw = _ABSENT
    prompt_cache_retention: Raw = _ABSENT
    safety_identifier: Raw = _ABSENT
    seed: Raw = _ABSENT
    service_tier: Raw = _ABSENT
    stop: Raw = _ABSENT
    store: Raw = _ABSENT
    temperature: Raw = _ABSENT
    tool_choice: Raw = _ABSENT
    top_logprobs: Raw = _ABSENT
    top_p: Raw = _ABSENT
    user: Raw = _ABSENT
    verbosity: Raw = _ABSENT
    web_search_options: Raw = _ABSENT


_usual = msgspec.json.Decoder(Usual).decode
_head = msgspec.json.Decoder(_Odd).decode
_any = msgspec.json.Decoder().decode

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1000
"""What a picture, a page or a second of sound counts, roughly: OpenAI's own figure for a large picture is 765 to 1105."""


def read_needs(body: bytes) -> tuple[Needs, Usual | None]:
    """What the request asks of a target; and the request as it was read, if that is all of it. Raises `BadBody`."""
    head: _Head
    usual: Usual | None = None
    try:
        if not body.isascii():
            str(body, "utf-8")  # raw members are not looked into: nobody else would notice
        try:
            head = usual = _usual(body)
        except msgspec.ValidationError:
            head = _head(body)
        features = _features(head)
        options = None if head.stream_options is _ABSENT else _options(head.stream_options)
        include_usage = None if options is None else options.include_usage
        size = len(body)
        plain = head.tools is _ABSENT or _MARK not in bytes(head.tools)
        turns: list[Any] = head.messages
        for turn in turns:
            if usual is None:
                plain = plain and turn.is_plain()
            elif turn.tool_calls is not _ABSENT:
                plain = plain and _MARK not in bytes(turn.tool_calls)
            content = turn.content
            if content is not _ABSENT and memoryview(content)[0] == _LIST:  # bytes() would copy a text of any length
                plain = plain and _MARK not in bytes(content)
                size -= _media(_any(content), features)
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(complaint(error)) from None
    if head.n and head.n > 1:
        features.append("many")
    if features:
        features.sort()
    bound = head.max_tokens if head.max_completion_tokens in _UNSAID else head.max_completion_tokens
    needs = Needs(  # in the order of its fields: every request makes one
        head.model,
        head.stream is True,
        include_usage,
        size // BYTES_PER_TOKEN,
        None if bound is UNSET else bound,
        head.n or 1,
        tuple(features),
        plain,
    )
    return needs, usual if plain else None


def _features(head: _Head) -> list[str]:
    features = []
    if (head.tools is not _ABSENT and _any(head.tools)) or (head.functions is not _ABSENT and _any(head.functions)):
        features.append("tools")
    if head.response_format is not _ABSENT and _object(head.response_format).get("type") == "json_schema":
        features.append("json_schema")
    if (
        head.reasoning_effort not in _NO_EFFORT
        or (head.reasoning is not _ABSENT and _thinks(head.reasoning))
        or (head.thinking is not _ABSENT and _thinks(head.thinking))
    ):
        features.append("reasoning")
    if head.logprobs:
        features.append("logprobs")
    if head.modalities is not _ABSENT and b'"audio"' in bytes(head.modalities):
        features.append("audio")
    return features


_UNSAID = (UNSET, None)
_NO_EFFORT = (UNSET, None, "none")


def _object(raw: Raw) -> JsonObject:
    found = _any(raw)
    return found if isinstance(found, dict) else {}


def _thinks(raw: Raw) -> bool:
    """Whether a switch of a compatible server turns thinking on."""
    about = _object(raw)
    off = about.get("enabled") is False or about.get("effort") == "none" or about.get("type") == "disabled"
    return bool(about) and not off


def _media(content: Any, features: list[str]) -> int:
    """Add the features that media in a content list mean; the bytes that are no text, less what the media count."""
    spared = 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        feature = _MEDIA_FEATURES.get(kind) if isinstance(kind, str) else None
        if feature is None:
            continue
        if feature not in features:
            features.append(feature)
        about = part.get(kind)
        held = about if isinstance(about, dict) else {"url": about}
        if held.get("file_id") is not None and "stored" not in features:
            features.append("stored")
        data = next((held[name] for name in ("url", "data", "file_data") if isinstance(held.get(name), str)), "")
        spared += max(0, len(data) - BYTES_PER_TOKEN * MEDIA_TOKENS)
    return spared


_MEDIA_FEATURES = {
    "image_url": "images",
    "input_audio": "audio",
    "file": "documents",
    "document_url": "documents",
    "video_url": "video",
}

"""What a request asks of a target, in one cheap pass over its body."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.conversation import Image, Inline
from understudy.core.request import Needs
from understudy.dialects import BadBody
from understudy.dialects._fields import take
from understudy.dialects._reading import Unreadable, decode
from understudy.dialects.cohere_chat.content import read_part

Raw = msgspec.Raw
_ABSENT = Raw(b"null")


class _Turn(msgspec.Struct):
    content: Raw = _ABSENT


class _Head(msgspec.Struct):
    model: str
    messages: list[_Turn]
    stream: bool | None = None
    max_tokens: Any = None
    tools: Raw = _ABSENT
    response_format: Raw = _ABSENT
    thinking: Raw = _ABSENT
    logprobs: bool | None = None


_head = msgspec.json.Decoder(_Head).decode

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1000
"""What a picture counts, roughly: Cohere cuts it into tiles of 256 tokens."""
_MARK = b'"image_url"'


def read_needs(body: bytes) -> Needs:
    """What the request asks of a target. Raises `BadBody`."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # members kept raw are not looked into: nobody else would notice
        head = _head(body)
        features = _features(head)
        pictures = [
            size
            for turn in head.messages
            if _MARK in bytes(turn.content)
            for size in _pictures(decode(bytes(turn.content)))
        ]
        bound = take({"max_tokens": head.max_tokens}, "max_tokens", int)
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    except Unreadable as error:
        raise BadBody(str(error)) from None
    if pictures:
        features.append("images")
    spared = sum(max(0, size - BYTES_PER_TOKEN * MEDIA_TOKENS) for size in pictures)
    return Needs(
        model=head.model,
        stream=head.stream is True,
        tokens_in=(len(body) - spared) // BYTES_PER_TOKEN,
        max_tokens=bound,
        features=tuple(sorted(features)),
    )


def _pictures(content: Any) -> list[int]:
    """The size of each picture in a content; 0 for one that is elsewhere."""
    parts = [read_part(part, "content") for part in content] if isinstance(content, list) else []
    return [
        len(part.source.data) if isinstance(part.source, Inline) else 0 for part in parts if isinstance(part, Image)
    ]


def _features(head: _Head) -> list[str]:
    features = []
    if decode(bytes(head.tools)):
        features.append("tools")
    form, thinking = decode(bytes(head.response_format)), decode(bytes(head.thinking))
    if isinstance(form, dict) and (form.get("json_schema") or form.get("schema")):
        features.append("json_schema")
    if isinstance(thinking, dict) and thinking.get("type") != "disabled":
        features.append("reasoning")
    if head.logprobs:
        features.append("logprobs")
    return features

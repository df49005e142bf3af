"""What a request asks of a target, in one cheap pass over its body."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.request import Needs
from understudy.dialects import BadBody
from understudy.dialects._fields import take
from understudy.dialects._reading import Unreadable, decode
from understudy.dialects.ollama_chat.settings import BOUND

Raw = msgspec.Raw
_ABSENT = Raw(b"null")


class _Turn(msgspec.Struct):
    images: list[str] | None = None


class _Head(msgspec.Struct):
    model: str
    messages: list[_Turn]
    stream: bool | None = None
    tools: Raw = _ABSENT
    format: Raw = _ABSENT
    think: Any = None
    options: Raw = _ABSENT
    logprobs: bool | None = None


_head = msgspec.json.Decoder(_Head).decode

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1000
"""What a picture counts, roughly."""


def read_needs(body: bytes) -> Needs:
    """What the request asks of a target. A stream is what the API gives unless it is told not to. Raises `BadBody`."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # members kept raw are not looked into: nobody else would notice
        head = _head(body)
        options = decode(bytes(head.options))
        bound = take(dict(options), BOUND, int, "options") if isinstance(options, dict) else None
        features = _features(head)
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    except Unreadable as error:
        raise BadBody(str(error)) from None
    pictures = [len(data) for turn in head.messages for data in turn.images or ()]
    if pictures:
        features.append("images")
    size = len(body) - sum(max(0, length - BYTES_PER_TOKEN * MEDIA_TOKENS) for length in pictures)
    return Needs(
        model=head.model,
        stream=head.stream is not False,
        tokens_in=size // BYTES_PER_TOKEN,
        max_tokens=bound if bound is not None and bound >= 0 else None,
        features=tuple(sorted(features)),
    )


def _features(head: _Head) -> list[str]:
    features = []
    if decode(bytes(head.tools)):
        features.append("tools")
    if isinstance(decode(bytes(head.format)), dict):
        features.append("json_schema")
    if head.think not in (None, False, ""):
        features.append("reasoning")
    if head.logprobs:
        features.append("logprobs")
    return features

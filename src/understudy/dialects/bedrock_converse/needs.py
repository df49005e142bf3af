"""What a request asks of a target, read off its path and in one cheap pass over its body."""

from __future__ import annotations

import re

import msgspec

from understudy.core.request import Needs
from understudy.dialects import BadBody
from understudy.dialects._reading import Member, raw_object

_PATH = re.compile(r"/model/(?P<model>.+)/converse(?P<stream>-stream)?\Z", re.DOTALL)


class _Media(msgspec.Struct):
    source: Member = msgspec.UNSET


class _Result(msgspec.Struct):
    content: list[_Block] | None = None


class _Block(msgspec.Struct):
    image: _Media | None = None
    document: _Media | None = None
    video: _Media | None = None
    audio: _Media | None = None
    toolResult: _Result | None = None  # noqa: N815  the wire's name


class _Turn(msgspec.Struct):
    content: list[_Block] | None = None


class _Head(msgspec.Struct):
    messages: list[_Turn]
    model: str | None = None
    inferenceConfig: Member = msgspec.UNSET  # noqa: N815
    toolConfig: Member = msgspec.UNSET  # noqa: N815
    outputConfig: Member = msgspec.UNSET  # noqa: N815
    additionalModelRequestFields: Member = msgspec.UNSET  # noqa: N815


_head = msgspec.json.Decoder(_Head).decode

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1600
"""What a picture or a page counts, roughly: Claude's own bound for a picture."""


def read_needs(body: bytes, path: str) -> Needs:
    """What the request asks of a target. Raises `BadBody`."""
    found: dict[str, int] = {}  # features; under "" the bytes that are no text, less what the media count
    try:
        if not body.isascii():
            str(body, "utf-8")  # members kept raw are not looked into: nobody else would notice
        head = _head(body)
        for turn in head.messages:
            _look_for_media(turn.content, found)
        _look_at_settings(head, found)
        max_tokens = raw_object(head.inferenceConfig).get("maxTokens")
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    named = _PATH.search(path)
    model = named["model"] if named else head.model
    if not model:
        raise BadBody("neither the path nor the body names a model")
    media_bytes = found.pop("", 0)
    return Needs(
        model=model,
        stream=named is not None and named["stream"] is not None,
        tokens_in=(len(body) - media_bytes) // BYTES_PER_TOKEN,
        max_tokens=max_tokens if type(max_tokens) is int else None,
        features=tuple(sorted(found)),
    )


def _look_at_settings(head: _Head, found: dict[str, int]) -> None:
    if raw_object(head.toolConfig).get("tools"):
        found["tools"] = 1
    if raw_object(head.outputConfig).get("textFormat"):
        found["json_schema"] = 1
    more = raw_object(head.additionalModelRequestFields)
    thinking = more.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") not in (None, "disabled"):
        found["reasoning"] = 1


_FEATURES = (("image", "images"), ("document", "documents"), ("video", "video"), ("audio", "audio"))


def _look_for_media(blocks: list[_Block] | None, found: dict[str, int]) -> None:
    for block in blocks or ():
        for kind, feature in _FEATURES:
            held: _Media | None = getattr(block, kind)
            if held is None:
                continue
            found[feature] = 1
            source = raw_object(held.source)
            if "s3Location" in source:
                found["stored"] = 1
            elif isinstance(source.get("bytes"), str):
                found[""] = found.get("", 0) + len(source["bytes"]) - MEDIA_TOKENS * BYTES_PER_TOKEN
        if block.toolResult is not None:
            _look_for_media(block.toolResult.content, found)

"""What a request asks of a target, in one cheap pass over its body."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.request import Needs
from understudy.core.value import JsonObject
from understudy.dialects import BadBody
from understudy.dialects._openai import complaint
from understudy.dialects.openai_responses.request import HELD
from understudy.dialects.openai_responses.settings import LOGPROBS

Raw = msgspec.Raw
_ABSENT = Raw(b"null")


class _Item(msgspec.Struct):
    type: Any = None
    content: Raw = _ABSENT
    output: Raw = _ABSENT


class _Head(msgspec.Struct):
    model: str
    input: list[_Item] | str | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    tools: Raw = _ABSENT
    text: Raw = _ABSENT
    reasoning: Raw = _ABSENT
    include: Raw = _ABSENT
    background: bool | None = None
    conversation: Raw = _ABSENT
    previous_response_id: Raw = _ABSENT
    prompt: Raw = _ABSENT


_head = msgspec.json.Decoder(_Head).decode
_any = msgspec.json.Decoder().decode
_LIST = ord("[")

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1000
"""What a picture or a page counts, roughly: OpenAI's own figure for a large picture is 765 to 1105."""


def read_needs(body: bytes) -> Needs:
    """What the request asks of a target. Raises `BadBody`."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # raw members are not looked into: nobody else would notice
        head = _head(body)
        features = _features(head)
        size = len(body) - _read_input(head, features)
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(complaint(error)) from None
    return Needs(  # in the order of its fields: every request makes one
        head.model,
        head.stream is True,
        None,
        size // BYTES_PER_TOKEN,
        head.max_output_tokens,
        1,
        tuple(sorted(features)),
    )


def _features(head: _Head) -> dict[str, int]:
    features: dict[str, int] = {}
    if head.background or _says(head.conversation) or _says(head.previous_response_id) or _says(head.prompt):
        features["stored"] = 1
    if head.tools is not _ABSENT:
        _read_tools(_any(head.tools), features)
    if head.text is not _ABSENT and _object(_object(_any(head.text)).get("format")).get("type") == "json_schema":
        features["json_schema"] = 1
    if head.reasoning is not _ABSENT and _object(_any(head.reasoning)).get("effort") not in (None, "none"):
        features["reasoning"] = 1
    if head.include is not _ABSENT and LOGPROBS.encode() in bytes(head.include):
        features["logprobs"] = 1
    return features


def _says(raw: Raw) -> bool:
    """Whether a member is there, and not null."""
    return raw is not _ABSENT and raw != _ABSENT


def _read_tools(tools: Any, features: dict[str, int]) -> None:
    if tools and isinstance(tools, list):
        features["tools"] = 1
        if any(isinstance(tool, dict) and _is_bound(tool) for tool in tools):
            features["stored"] = 1


def _object(found: Any) -> JsonObject:
    return found if isinstance(found, dict) else {}


def _is_bound(tool: JsonObject) -> bool:
    """Whether a tool works on what the provider holds: a vector store, a container, the files in one."""
    return (
        bool(tool.get("vector_store_ids"))
        or isinstance(tool.get("container"), str)
        or bool(_object(tool.get("container")).get("file_ids"))
    )


def _read_input(head: _Head, features: dict[str, int]) -> int:
    """Note what stands in the input; the bytes that are no text, less what the media count."""
    if head.input is None and not any(_says(getattr(head, name)) for name in HELD):
        raise BadBody("input is missing: it must be a string or a list")
    spared = 0
    for item in head.input if isinstance(head.input, list) else ():
        if item.type in _BOUND:
            features["stored"] = 1
        for content in (item.content, item.output):
            if content is not _ABSENT and memoryview(content)[0] == _LIST:  # bytes() would copy a text of any length
                spared += _media(_any(content), features)
    return spared


_BOUND = ("compaction", "item_reference")
"""Items that stand for what the provider holds, or sealed: a whole conversation may be in one."""
_MEDIA = {"input_image": "images", "input_file": "documents", "input_audio": "audio", "input_video": "video"}
_DATA = ("image_url", "file_data")


def _media(content: list[Any], features: dict[str, int]) -> int:
    """Note what media stand in a content list; the bytes that are no text, less what the media count."""
    spared = 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        feature = _MEDIA.get(kind) if isinstance(kind, str) else None
        if feature is None:
            continue
        features[feature] = 1
        if part.get("file_id") is not None:
            features["stored"] = 1
        data = next((part[name] for name in _DATA if isinstance(part.get(name), str)), "")
        spared += max(0, len(data) - BYTES_PER_TOKEN * MEDIA_TOKENS)
    return spared

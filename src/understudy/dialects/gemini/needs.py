"""What a request asks of a target, read off its path and in one cheap pass over its body."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from understudy.core.request import Needs
from understudy.core.value import JsonObject
from understudy.dialects import BadBody
from understudy.dialects._reading import Member, raw_value
from understudy.dialects.gemini.media import is_held, kind_of
from understudy.dialects.gemini.wire import bare_model, camelled

STREAMS = ":streamGenerateContent"
_PATH = re.compile(r"/models/(?P<model>.+):(?:generateContent|streamGenerateContent)\Z", re.DOTALL)


class _Part(msgspec.Struct):
    inlineData: Member = msgspec.UNSET  # noqa: N815  the wire's name
    inline_data: Member = msgspec.UNSET
    fileData: Member = msgspec.UNSET  # noqa: N815
    file_data: Member = msgspec.UNSET


class _Content(msgspec.Struct):
    parts: list[_Part | str] | _Part | None = None


class _Head(msgspec.Struct):
    contents: list[_Content | str] | _Content
    model: str | None = None
    tools: Member = msgspec.UNSET
    generationConfig: Member = msgspec.UNSET  # noqa: N815
    generation_config: Member = msgspec.UNSET
    cachedContent: str | None = None  # noqa: N815
    cached_content: str | None = None


_head = msgspec.json.Decoder(_Head).decode

BYTES_PER_TOKEN = 4
MEDIA_TOKENS = 1000
"""What a picture, a page or some seconds of sound count, roughly: Google's own figure is 258 for a tile of a picture or a page."""

_FEATURES = {"audio": "audio", "document": "documents", "image": "images", "video": "video"}


def read_needs(body: bytes, path: str) -> Needs:
    """What the request asks of a target. Raises `BadBody`."""
    found: dict[str, int] = {}  # features; under "" the bytes that are no text, less what the media count
    try:
        if not body.isascii():
            str(body, "utf-8")  # members kept raw are not looked into: nobody else would notice
        head = _head(body)
        for content in head.contents if isinstance(head.contents, list) else (head.contents,):
            parts = None if isinstance(content, str) else content.parts
            for part in parts if isinstance(parts, list) else (parts,):
                if isinstance(part, _Part):
                    _look_for_media(part, found)
        config = raw_value(head.generationConfig if head.generation_config is msgspec.UNSET else head.generation_config)
        tools = raw_value(head.tools)
    except UnicodeDecodeError:
        raise BadBody("the body is not valid UTF-8") from None
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    settings = camelled(config) if isinstance(config, dict) else {}
    if tools:
        found["tools"] = 1
    if head.cachedContent or head.cached_content:
        found["stored"] = 1
    media_bytes = found.pop("", 0)
    _look_at_settings(settings, found)
    return Needs(
        model=_model(path, head),
        stream=path.endswith(STREAMS),
        tokens_in=(len(body) - media_bytes) // BYTES_PER_TOKEN,
        max_tokens=_count(settings.get("maxOutputTokens")),
        n=_count(settings.get("candidateCount")) or 1,
        features=tuple(sorted(found)) if found else (),
    )


def _model(path: str, head: _Head) -> str:
    named = _PATH.search(path)
    model = named["model"] if named else bare_model(head.model or "")
    if not model:
        raise BadBody("neither the path nor the body names a model")
    return model


def _count(found: Any) -> int | None:
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _look_at_settings(settings: JsonObject, found: dict[str, int]) -> None:
    if any(isinstance(settings.get(name), dict) for name in ("responseSchema", "responseJsonSchema")):
        found["json_schema"] = 1
    thinking = settings.get("thinkingConfig")
    if isinstance(thinking, dict):
        asked = camelled(thinking)
        if asked.get("thinkingLevel") or asked.get("thinkingBudget") not in (None, 0):
            found["reasoning"] = 1
    if settings.get("responseLogprobs") is True:
        found["logprobs"] = 1
    if (_count(settings.get("candidateCount")) or 1) > 1:
        found["many"] = 1
    modalities = settings.get("responseModalities")
    if isinstance(modalities, list) and "AUDIO" in modalities:
        found["audio"] = 1


def _look_for_media(part: _Part, found: dict[str, int]) -> None:
    blob = part.inlineData if part.inline_data is msgspec.UNSET else part.inline_data
    file = part.fileData if part.file_data is msgspec.UNSET else part.file_data
    held = raw_value(blob) or raw_value(file)
    if not isinstance(held, dict):
        return
    about = camelled(held)
    media_type, data, uri = about.get("mimeType"), about.get("data"), about.get("fileUri")
    found[_FEATURES[kind_of(media_type if isinstance(media_type, str) else "video/")]] = 1
    if isinstance(data, str):
        found[""] = found.get("", 0) + len(data) - MEDIA_TOKENS * BYTES_PER_TOKEN
    if isinstance(uri, str) and is_held(uri):
        found["stored"] = 1

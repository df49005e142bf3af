"""Parts of a message as Chat Completions writes them, in requests and answers alike.

A part that only this API or one of its compatible servers knows is kept whole as `Opaque`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from understudy.core.assembly import read_arguments, write_arguments
from understudy.core.conversation import (
    Audio,
    Document,
    Image,
    Inline,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Remote,
    Source,
    Stored,
    Text,
    ToolCall,
    Video,
)
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, take, words
from understudy.dialects.openai_chat.wire import NAME, own, rest

CUSTOM_CALL = "custom_tool_call"
"""The kind of an opaque part that stands among the tool calls: a call of a tool with free-form input."""

Content = list[Part]


def read_content(found: Any, where: str) -> Content:
    """The parts of a `content`: absent, null and empty strings are none."""
    if found is None or found == "":
        return []
    if isinstance(found, str):
        return [Text(found)]
    if not isinstance(found, list):
        raise Unreadable(f"{where} must be a string or a list of parts")
    parts = [read_part(part, f"{where}[{place}]") for place, part in enumerate(found)]
    return [part for part in parts if not isinstance(part, Text) or part.text or part.extra]


def read_part(part: Any, where: str) -> Part:
    """One entry of a content list."""
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        raise Unreadable(f"{where} must be an object")
    kind = part.get("type")
    reader = _READERS.get(kind if isinstance(kind, str) else "text")
    fields = {name: held for name, held in part.items() if name != "type"}
    read = reader(fields, where) if reader is not None else None
    return Opaque(NAME, kind if isinstance(kind, str) else "unknown", part) if read is None else read


def _text(fields: JsonObject, where: str) -> Part:
    text = take(fields, "text", str, where) or ""
    return Text(text, take(fields, "cache_control", dict, where), rest(fields))


def _refusal(fields: JsonObject, where: str) -> Part:
    return Refusal(take(fields, "refusal", str, where) or "")


def _image(fields: JsonObject, where: str) -> Part | None:
    image = fields.pop("image_url", None)
    about = dict(image) if isinstance(image, dict) else {"url": image}
    url = about.pop("url", None)
    detail = about.pop("detail", None)
    if not isinstance(url, str) or not isinstance(detail, str | None) or about:
        return None
    return Image(_from_url(url), detail, take(fields, "cache_control", dict, where), rest(fields))


def _file(fields: JsonObject, where: str) -> Part | None:
    file = fields.pop("file", None)
    if not isinstance(file, dict):
        return None
    about = {name: held for name, held in file.items() if held is not None}
    data, stored, title = about.pop("file_data", None), about.pop("file_id", None), about.pop("filename", None)
    if about or not isinstance(title, str | None):
        return None
    if isinstance(data, str) and stored is None:
        # some clients send bare base64: what it is then stands in the name, if anywhere
        source = _from_url(data) if ":" in data[:12] else Inline(_type_of(title), data)
    elif isinstance(stored, str) and data is None:
        source = Stored(NAME, stored)
    else:
        return None
    return Document(source, title, cache=take(fields, "cache_control", dict, where), extra=rest(fields))


def _audio(fields: JsonObject, _where: str) -> Part | None:
    audio = fields.pop("input_audio", None)
    if not isinstance(audio, dict) or audio.keys() != {"data", "format"}:
        return None
    data, form = audio["data"], audio["format"]
    return Audio(data, form, rest(fields)) if isinstance(data, str) and isinstance(form, str) else None


def _video(fields: JsonObject, _where: str) -> Part | None:
    video = fields.pop("video_url", None)
    url = video.get("url") if isinstance(video, dict) and video.keys() == {"url"} else video
    return Video(_from_url(url), rest(fields)) if isinstance(url, str) else None


def _document(fields: JsonObject, _where: str) -> Part | None:
    """Mistral's way to name a document."""
    url, title = fields.pop("document_url", None), fields.pop("document_name", None)
    if isinstance(url, dict) and url.keys() == {"url"}:
        url = url["url"]
    if not isinstance(url, str) or not isinstance(title, str | None):
        return None
    return Document(_from_url(url), title, extra=rest(fields))


def _thinking(fields: JsonObject, where: str) -> Part:
    """Mistral's thoughts: a list of texts among the parts."""
    thoughts = fields.get("thinking")
    pieces = read_content(thoughts, f"{where}.thinking")
    return Reasoning("".join(piece.text for piece in pieces if isinstance(piece, Text)))


_READERS = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
    "input_audio": _audio,
    "video_url": _video,
    "document_url": _document,
    "thinking": _thinking,
}

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,", re.ASCII | re.IGNORECASE)


def _from_url(url: str) -> Source:
    head = _DATA_URL.match(url)
    return Inline(head[1].lower(), url[head.end() :]) if head else Remote(url)


def _type_of(title: str | None) -> str:
    suffix = (title or "").rpartition(".")[2].lower()
    return {"txt": "text/plain", "md": "text/markdown", "csv": "text/csv"}.get(suffix, "application/pdf")


def write_part(part: Part) -> JsonObject:
    """One entry of a content list."""
    if isinstance(part, Text):
        return _marked({"type": "text", "text": part.text}, part)
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    if isinstance(part, Image):
        image: JsonObject = {"url": _to_url(part.source)}
        if part.detail is not None:
            image["detail"] = part.detail
        return _marked({"type": "image_url", "image_url": image}, part)
    if isinstance(part, Document):
        return _marked({"type": "file", "file": _to_file(part)}, part)
    if isinstance(part, Audio):
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}, **own(part.extra)}
    if isinstance(part, Opaque):
        return dict(part.value)
    raise TypeError(f"{type(part).__name__} was not projected away")


def _marked(written: JsonObject, part: Text | Image | Document) -> JsonObject:
    if part.cache is not None:
        written["cache_control"] = part.cache
    return {**written, **own(part.extra)}


def _to_url(source: Source) -> str:
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    if isinstance(source, Remote):
        return source.url
    raise TypeError(f"{type(source).__name__} was not projected away")


def _to_file(part: Document) -> JsonObject:
    source = part.source
    file: JsonObject = {} if part.title is None else {"filename": part.title}
    if isinstance(source, Stored):
        return {**file, "file_id": source.id}
    return {**file, "file_data": _to_url(source)}


def write_content(parts: Sequence[Part], *, absent: str | None) -> Any:
    """A `content`: one plain text as a string, more as a list. `absent`: what stands for no parts."""
    if not parts:
        return absent
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].cache is None and parts[0].extra is None:
        return parts[0].text
    return [write_part(part) for part in parts]


# Tool calls


def read_call(call: Any, fallback_id: str, where: str) -> ToolCall | Opaque:
    """One entry of `tool_calls`."""
    if not isinstance(call, dict):
        raise Unreadable(f"{where} must be an object")
    fields = {name: held for name, held in call.items() if name not in {"type", "index"}}
    function = fields.pop("function", None)
    if not isinstance(function, dict):
        return Opaque(NAME, CUSTOM_CALL, call)
    id_ = fields.pop("id", None)
    cache = fields.pop("cache_control", None)
    return ToolCall(
        id_ if isinstance(id_, str) and id_ else fallback_id,
        words(function.get("name")),
        _arguments(function.get("arguments")),
        cache if isinstance(cache, dict) else None,
        rest(fields),
    )


def _arguments(found: Any) -> Any:
    return read_arguments(found) if isinstance(found, str) else {} if found is None else found


def write_call(call: ToolCall | Opaque) -> JsonObject:
    """One entry of `tool_calls`."""
    if isinstance(call, Opaque):
        return dict(call.value)
    written: JsonObject = {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": write_arguments(call.arguments)},
    }
    if call.cache is not None:
        written["cache_control"] = call.cache
    return {**written, **own(call.extra)}


def calls_of(parts: Sequence[Part]) -> list[ToolCall | Opaque]:
    """The parts that stand in `tool_calls`."""
    return [
        part for part in parts if isinstance(part, ToolCall) or (isinstance(part, Opaque) and part.kind == CUSTOM_CALL)
    ]

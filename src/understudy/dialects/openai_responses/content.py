"""Parts of a message or of a tool's output, as Responses writes them. What only this API knows is kept whole as `Opaque`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from understudy.core.conversation import Document, Image, Inline, Opaque, Part, Remote, Source, Stored, Text
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, take
from understudy.dialects.openai_responses.wire import NAME, own, rest


def read_content(found: Any, where: str) -> list[Part]:
    """The parts of a user's or a system's `content`, or of a tool's `output`: absent, null and empty strings are none."""
    if found is None or found == "":
        return []
    if isinstance(found, str):
        return [Text(found)]
    if not isinstance(found, list):
        raise Unreadable(f"{where} must be a string or a list of parts")
    parts = [_read_part(part, f"{where}[{place}]") for place, part in enumerate(found)]
    return [part for part in parts if not isinstance(part, Text) or part.text or part.extra]


def _read_part(part: Any, where: str) -> Part:
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        raise Unreadable(f"{where} must be an object")
    kind = part.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    fields = {name: held for name, held in part.items() if name != "type"}
    read = reader(fields, where) if reader is not None else None
    return Opaque(NAME, kind if isinstance(kind, str) else "unknown", part) if read is None else read


def _text(fields: JsonObject, where: str) -> Part:
    return Text(take(fields, "text", str, where) or "", extra=spoken_rest(fields))


def spoken_rest(fields: JsonObject) -> Any:
    """What a text says besides its words, without lists that are empty."""
    return rest({name: held for name, held in fields.items() if held != [] or name not in {"annotations", "logprobs"}})


def _image(fields: JsonObject, _where: str) -> Part | None:
    url, stored, detail = fields.pop("image_url", None), fields.pop("file_id", None), fields.pop("detail", None)
    if isinstance(url, dict) and url.keys() <= {"url", "detail"}:  # as Chat Completions writes it
        detail = detail or url.get("detail")
        url = url.get("url")
    source = _source(url, stored)
    return None if source is None or not isinstance(detail, str | None) else Image(source, detail, extra=rest(fields))


def _file(fields: JsonObject, _where: str) -> Part | None:
    title, data = fields.pop("filename", None), fields.pop("file_data", None)
    url, stored = fields.pop("file_url", None), fields.pop("file_id", None)
    if not isinstance(title, str | None):
        return None
    if isinstance(data, str) and url is None and stored is None:
        # some clients send bare base64: what it is then stands in the name, if anywhere
        source: Source | None = _from_url(data) if ":" in data[:12] else Inline(_type_of(title), data)
    else:
        source = _source(url, stored) if data is None else None
    return None if source is None else Document(source, title, extra=rest(fields))


def _source(url: Any, stored: Any) -> Source | None:
    """Where it comes from, if that is said once."""
    if isinstance(url, str) and stored is None:
        return _from_url(url)
    return Stored(NAME, stored) if isinstance(stored, str) and url is None else None


_READERS = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "input_image": _image,
    "input_file": _file,
}

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,", re.ASCII | re.IGNORECASE)


def _from_url(url: str) -> Source:
    head = _DATA_URL.match(url)
    return Inline(head[1].lower(), url[head.end() :]) if head else Remote(url)


def _type_of(title: str | None) -> str:
    suffix = (title or "").rpartition(".")[2].lower()
    return {"txt": "text/plain", "md": "text/markdown", "csv": "text/csv"}.get(suffix, "application/pdf")


# And back


def write_content(parts: Sequence[Part]) -> Any:
    """A `content` or `output`: one plain text as a string, more as a list."""
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].extra is None:
        return parts[0].text
    return [_write_part(part) for part in parts]


def _write_part(part: Part) -> JsonObject:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text, **own(part.extra)}
    if isinstance(part, Image):
        image: JsonObject = {"type": "input_image"}
        if part.detail is not None:
            image["detail"] = part.detail
        return {**image, **_written(part.source, "image_url"), **own(part.extra)}
    if isinstance(part, Document):
        file: JsonObject = {"type": "input_file"}
        if part.title is not None:
            file["filename"] = part.title
        name = "file_data" if isinstance(part.source, Inline) else "file_url"
        return {**file, **_written(part.source, name), **own(part.extra)}
    if isinstance(part, Opaque):
        return dict(part.value)
    raise TypeError(f"{type(part).__name__} was not projected away")


def _written(source: Source, name: str) -> JsonObject:
    if isinstance(source, Inline):
        return {name: f"data:{source.media_type};base64,{source.data}"}
    if isinstance(source, Remote):
        return {name: source.url}
    if isinstance(source, Stored):
        return {"file_id": source.id}
    raise TypeError(f"{type(source).__name__} was not projected away")

"""Content blocks: parts of a message as Converse writes them, in requests and answers alike.

A block that only this API knows (guarded text, search results, what its own tools gave back, ...) is kept whole as `Opaque`. So is
a known block in a shape that the intermediate form has no place for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from understudy.core.conversation import (
    Audio,
    Document,
    Extra,
    Image,
    Inline,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Source,
    Stored,
    Text,
    ToolCall,
    ToolResult,
    Video,
)
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, at, decode, encode, need, take
from understudy.dialects.bedrock_converse.wire import (
    DOCUMENTS,
    FORMATS,
    IMAGES,
    NAME,
    VIDEOS,
    an_object,
    kind_of,
    own,
    rest,
)

_MARKABLE = (Document, Image, Text, ToolCall, ToolResult)


def read_content(found: list[Any], where: str) -> tuple[Part, ...]:
    """The parts of a list of blocks. A cache point belongs to the part before it."""
    parts: list[Part] = []
    for place, block in enumerate(found):
        mark = read_cache_point(block)
        last = parts[-1] if parts else None
        if mark is not None and isinstance(last, _MARKABLE) and last.cache is None:
            parts[-1] = replace(last, cache=mark)
        else:
            parts.append(read_block(block, f"{where}[{place}]"))
    return tuple(parts)


def read_block(block: Any, where: str) -> Part:
    """One block as a part."""
    fields = an_object(block, where)
    kind = kind_of(fields)
    if not kind:
        raise Unreadable(f"{where} is empty")
    if kind == "text":
        return Text(need(fields, "text", str, where), None, rest(fields))
    reader = _READERS.get(kind)
    if reader is None or kind not in fields or len(fields) > 1:
        return Opaque(NAME, kind, block)
    return reader(an_object(fields[kind], at(where, kind)), at(where, kind)) or Opaque(NAME, kind, block)


# Each reads the fields inside a block; None where the intermediate form has no place for what it finds.


def _read_image(fields: JsonObject, where: str) -> Part | None:
    source = _read_source(fields, IMAGES, where)
    return None if source is None else Image(source, None, None, rest(fields))


def _read_video(fields: JsonObject, where: str) -> Part | None:
    source = _read_source(fields, VIDEOS, where)
    return None if source is None else Video(source, rest(fields))


def _read_audio(fields: JsonObject, where: str) -> Part | None:
    source, format_ = fields.pop("source", None), take(fields, "format", str, where)
    match source:
        case {"bytes": str(data)} if len(source) == 1 and format_ is not None:
            return Audio(data, format_, rest(fields))
        case _:
            return None


def _read_document(fields: JsonObject, where: str) -> Part | None:
    source = _read_source(fields, DOCUMENTS, where)
    if source is None:
        return None
    if isinstance(source, Plain) and fields.get("format") == _PLAIN:
        del fields["format"]
    citations = fields.get("citations")
    enabled = None
    if isinstance(citations, dict) and citations.keys() == {"enabled"} and isinstance(citations["enabled"], bool):
        enabled = fields.pop("citations")["enabled"]
    return Document(
        source, take(fields, "name", str, where), take(fields, "context", str, where), enabled, None, rest(fields)
    )


_PLAIN = "txt"


def _read_source(fields: JsonObject, formats: dict[str, str], where: str) -> Source | None:
    """Takes the source, and the format with it where the source's media type says it."""
    source = need(fields, "source", dict, where)
    match source:
        case {"bytes": str(data)} if len(source) == 1:
            media_type = formats.get(take(fields, "format", str, where) or "")
            return None if media_type is None else Inline(media_type, data)
        case {"s3Location": {"uri": str(uri), **others}} if len(source) == 1 and not others:
            return Stored(NAME, uri)
        case {"text": str(text)} if len(source) == 1:
            return Plain(text)
        case _:
            return None


def _read_tool_use(fields: JsonObject, where: str) -> Part:
    id_, name = need(fields, "toolUseId", str, where), need(fields, "name", str, where)
    arguments = fields.pop("input", None)
    return ToolCall(id_, name, {} if arguments is None else arguments, None, call_extra(fields))


def call_extra(fields: JsonObject) -> Extra | None:
    """What a call says beside its name and arguments. That it is an ordinary one says nothing."""
    if fields.get("type") == "tool_use":
        del fields["type"]
    return rest(fields)


_STATUSES = {"error": True, "success": False}


def _read_tool_result(fields: JsonObject, where: str) -> Part:
    is_error = None
    if fields.get("status") in ("error", "success"):
        is_error = _STATUSES[fields.pop("status")]
    content = take(fields, "content", list, where) or []
    return ToolResult(
        need(fields, "toolUseId", str, where),
        tuple([_read_result(block, f"{where}.content[{place}]") for place, block in enumerate(content)]),
        is_error,
        None,
        None,
        rest(fields),
    )


_JSON: JsonObject = {"format": "json"}


def _read_result(block: Any, where: str) -> Part:
    """A block of a tool result. JSON is told as text, for that is what it is everywhere else."""
    if isinstance(block, dict) and block.keys() == {"json"}:
        return Text(encode(block["json"]).decode(), None, Extra(NAME, dict(_JSON)))
    return read_block(block, where)


def _read_reasoning(fields: JsonObject, where: str) -> Part | None:
    match fields:
        case {"redactedContent": str(data)} if len(fields) == 1:
            return Reasoning("", None, data, NAME)
        case {"reasoningText": dict(said)} if len(fields) == 1:
            inner = dict(said)
            text = take(inner, "text", str, f"{where}.reasoningText") or ""
            signature = take(inner, "signature", str, f"{where}.reasoningText") or None
            return Reasoning(text, signature, None, NAME if signature else None, rest(inner))
        case _:
            return None


def _read_cited(fields: JsonObject, where: str) -> Part:
    content = take(fields, "content", list, where) or []
    texts = [need(an_object(one, f"{where}.content"), "text", str, f"{where}.content") for one in content]
    about = {"citations": take(fields, "citations", list, where) or [], **fields}
    if len(content) != 1:
        about["content"] = content
    return Text("".join(texts), None, Extra(NAME, about))


_READERS: dict[str, Callable[[JsonObject, str], Part | None]] = {
    "audio": _read_audio,
    "citationsContent": _read_cited,
    "document": _read_document,
    "image": _read_image,
    "reasoningContent": _read_reasoning,
    "toolResult": _read_tool_result,
    "toolUse": _read_tool_use,
    "video": _read_video,
}


# Cache points


def read_cache_point(block: Any) -> JsonObject | None:
    """The mark that a cache point is for what stands before it; None for any other block."""
    match block:
        case {"cachePoint": {"type": "default", "ttl": str(ttl), **others}} if len(block) == 1 and not others:
            return {"type": "ephemeral", "ttl": ttl}
        case {"cachePoint": {"type": "default", **others}} if len(block) == 1 and not others:
            return {"type": "ephemeral"}
        case _:
            return None


def write_cache_point(mark: JsonObject) -> JsonObject:
    """The cache point for a mark."""
    life = {"ttl": mark["ttl"]} if "ttl" in mark else {}
    return {"cachePoint": {"type": "default", **life}}


# And back


def write_content(parts: tuple[Part, ...]) -> list[JsonObject]:
    """Parts as a list of blocks; what the API has no block for is left out (the projection has reported it)."""
    blocks: list[JsonObject] = []
    for part in parts:
        block = write_block(part)
        if block is None:
            continue
        blocks.append(block)
        if isinstance(part, _MARKABLE) and part.cache is not None:
            blocks.append(write_cache_point(part.cache))
    return blocks


def write_block(part: Part) -> JsonObject | None:
    """One part as a block, without its cache point."""
    match part:
        case Text():
            return _write_text(part)
        case Refusal():
            return {"text": part.text}
        case Image() | Video():
            kind = "image" if isinstance(part, Image) else "video"
            return {kind: {**_write_source(part.source), **own(part.extra)}}
        case Audio():
            return {"audio": {"format": part.format, "source": {"bytes": part.data}, **own(part.extra)}}
        case Document():
            return {"document": _write_document(part)}
        case Reasoning():
            return {"reasoningContent": _write_reasoning(part)}
        case ToolCall():
            call = {"toolUseId": part.id, "name": part.name, "input": part.arguments}
            return {"toolUse": {**call, **own(part.extra)}}
        case ToolResult():
            return {"toolResult": _write_tool_result(part)}
        case Opaque():
            return part.value if part.dialect == NAME else None


def _write_text(part: Text) -> JsonObject:
    about = dict(own(part.extra))
    if "citations" in about:
        return {"citationsContent": {"content": [{"text": part.text}], **about}}
    if about == _JSON:
        return {"json": decode(part.text)}
    return {"text": part.text, **about}


def _write_source(source: Source) -> JsonObject:
    """The fields `format`, where the media type says it, and `source`."""
    match source:
        case Inline(media_type, data):
            return {"format": FORMATS[media_type], "source": {"bytes": data}}
        case Plain(text):
            return {"format": _PLAIN, "source": {"text": text}}
        case Stored(_, uri):
            return {"source": {"s3Location": {"uri": uri}}}
        case _:
            raise AssertionError(f"{type(source).__name__} is no source of this API: the projection lets none through")


def _write_document(part: Document) -> JsonObject:
    fields = _write_source(part.source)
    if part.title is not None:
        fields["name"] = part.title
    if part.context is not None:
        fields["context"] = part.context
    if part.citations is not None:
        fields["citations"] = {"enabled": part.citations}
    return {**fields, **own(part.extra)}


def _write_reasoning(part: Reasoning) -> JsonObject:
    if part.data is not None:
        return {"redactedContent": part.data}
    sealed = {} if part.signature is None else {"signature": part.signature}
    return {"reasoningText": {"text": part.text, **sealed, **own(part.extra)}}


def _write_tool_result(part: ToolResult) -> JsonObject:
    status = {} if part.is_error is None else {"status": "error" if part.is_error else "success"}
    return {"toolUseId": part.call_id, "content": write_content(part.parts), **status, **own(part.extra)}

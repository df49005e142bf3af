"""Content blocks: parts of a message as Messages writes them, in requests and answers alike.

A block that only this API knows (server tools and their results, search results, uploads, compaction, ...) is kept
whole as `Opaque`. So is a known block in a shape that the intermediate form has no place for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from understudy.core.conversation import (
    Document,
    Extra,
    Image,
    Inline,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Remote,
    Source,
    Stored,
    Text,
    ToolCall,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, need, take
from understudy.dialects.anthropic_messages.wire import (
    NAME,
    own,
    read_arguments,
    read_id,
    read_seal,
    rest,
    write_arguments,
    write_id,
    write_seal,
)

DIRECT = {"type": "direct"}  # who called a tool, when it was the model itself: the API's default


def read_content(found: Any, where: str) -> tuple[Part, ...]:
    """The parts of a `content`: a string is one `Text`, absent or null is none."""
    if found is None:
        return ()
    if isinstance(found, str):
        return (Text(found),)
    if not isinstance(found, list):
        raise Unreadable(f"{where} must be a string or a list of blocks")
    return tuple([read_block(block, f"{where}[{place}]") for place, block in enumerate(found)])


def read_block(block: Any, where: str) -> Part:
    """One block as a part."""
    if not isinstance(block, dict):
        raise Unreadable(f"{where} must be an object")
    kind = block.get("type")
    if not isinstance(kind, str):
        raise Unreadable(f"{where}.type must be a string")
    reader = _READERS.get(kind)
    return Opaque(NAME, kind, block) if reader is None else reader(dict(block), where)


def _read_text(fields: JsonObject, where: str) -> Part:
    if fields.get("citations") == []:
        del fields["citations"]  # none: how our own answers say it, and some streams
    return Text(need(fields, "text", str, where), take(fields, "cache_control", dict, where), rest(fields))


def _read_image(fields: JsonObject, where: str) -> Part:
    whole = dict(fields)
    source = _read_source(need(fields, "source", dict, where), f"{where}.source")
    if source is None:
        return Opaque(NAME, "image", whole)
    return Image(source, None, take(fields, "cache_control", dict, where), rest(fields))


def _read_document(fields: JsonObject, where: str) -> Part:
    whole = dict(fields)
    source = _read_source(need(fields, "source", dict, where), f"{where}.source")
    if source is None:
        return Opaque(NAME, "document", whole)
    citations = fields.get("citations")
    enabled = None
    if isinstance(citations, dict) and citations.keys() == {"enabled"} and isinstance(citations["enabled"], bool):
        enabled = fields.pop("citations")["enabled"]
    return Document(
        source,
        take(fields, "title", str, where),
        take(fields, "context", str, where),
        enabled,
        take(fields, "cache_control", dict, where),
        rest(fields),
    )


def _read_source(source: JsonObject, where: str) -> Source | None:
    """None for a source that is not one of the plain four (a list of blocks, or with fields of its own)."""
    match source:
        case {"type": "base64", "media_type": str(media_type), "data": str(data)} if len(source) == 3:
            return Inline(media_type, data)
        case {"type": "url", "url": str(url)} if len(source) == 2:
            return Remote(url)
        case {"type": "file", "file_id": str(file_id)} if len(source) == 2:
            return Stored(NAME, file_id)
        case {"type": "text", "media_type": "text/plain", "data": str(data)} if len(source) == 3:
            return Plain(data)
        case {"type": str()}:
            return None
        case _:
            raise Unreadable(f"{where}.type must be a string")


def _read_tool_use(fields: JsonObject, where: str) -> Part:
    if fields.get("caller") == DIRECT:
        del fields["caller"]
    return ToolCall(
        read_id(need(fields, "id", str, where)),
        need(fields, "name", str, where),
        read_arguments(fields.pop("input", None)),
        take(fields, "cache_control", dict, where),
        rest(fields),
    )


def _read_tool_result(fields: JsonObject, where: str) -> Part:
    return ToolResult(
        read_id(need(fields, "tool_use_id", str, where)),
        read_content(fields.pop("content", None), f"{where}.content"),
        take(fields, "is_error", bool, where),
        None,
        take(fields, "cache_control", dict, where),
        rest(fields),
    )


def _read_thinking(fields: JsonObject, where: str) -> Part:
    text = take(fields, "thinking", str, where) or ""
    # unsigned thinking carries "" where the field must be
    signature, data, signed_by = read_seal(take(fields, "signature", str, where) or "")
    return Reasoning(text, signature, data, signed_by, rest(fields))


def _read_redacted(fields: JsonObject, where: str) -> Part:
    return Reasoning("", None, need(fields, "data", str, where), NAME, rest(fields))


_READERS: dict[str, Callable[[JsonObject, str], Part]] = {
    "document": _read_document,
    "image": _read_image,
    "redacted_thinking": _read_redacted,
    "text": _read_text,
    "thinking": _read_thinking,
    "tool_result": _read_tool_result,
    "tool_use": _read_tool_use,
}


def write_content(parts: tuple[Part, ...]) -> str | list[JsonObject]:
    """Parts as a `content`: a single bare text as a string."""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].cache is None and not own(parts[0].extra):
        return parts[0].text
    return write_blocks(parts)


def write_blocks(parts: tuple[Part, ...]) -> list[JsonObject]:
    """Parts as a list of blocks; what the API has no block for is left out."""
    return [block for part in parts if (block := write_block(part)) is not None]


def write_block(part: Part) -> JsonObject | None:
    """One part as a block; None for what the API has no block for (the projection has reported it)."""
    writer = _WRITERS.get(type(part))
    return None if writer is None else writer(part)


def _block(kind: str, fields: JsonObject, cache: JsonObject | None, extra: Extra | None) -> JsonObject:
    block = {"type": kind, **fields}
    if cache is not None:
        block["cache_control"] = cache
    if extra is not None:
        block.update(own(extra))
    return block


def _write_text(part: Text) -> JsonObject:
    return _block("text", {"text": part.text}, part.cache, part.extra)


def _write_refusal(part: Refusal) -> JsonObject:
    return {"type": "text", "text": part.text}


def _write_image(part: Image) -> JsonObject:
    return _block("image", {"source": _write_source(part.source)}, part.cache, part.extra)


def _write_document(part: Document) -> JsonObject:
    fields: JsonObject = {"source": _write_source(part.source)}
    if part.title is not None:
        fields["title"] = part.title
    if part.context is not None:
        fields["context"] = part.context
    if part.citations is not None:
        fields["citations"] = {"enabled": part.citations}
    return _block("document", fields, part.cache, part.extra)


def _write_source(source: Source) -> JsonObject:
    match source:
        case Inline(media_type, data):
            return {"type": "base64", "media_type": media_type, "data": data}
        case Remote(url):
            return {"type": "url", "url": url}
        case Stored(_, file_id):
            return {"type": "file", "file_id": file_id}
        case Plain(text):
            return {"type": "text", "media_type": "text/plain", "data": text}


def _write_tool_call(part: ToolCall) -> JsonObject:
    fields = {"id": write_id(part.id), "name": part.name, "input": write_arguments(part.arguments)}
    return _block("tool_use", fields, part.cache, part.extra)


def _write_tool_result(part: ToolResult) -> JsonObject:
    fields: JsonObject = {"tool_use_id": write_id(part.call_id)}
    if part.parts:
        fields["content"] = write_content(part.parts)
    if part.is_error is not None:
        fields["is_error"] = part.is_error
    return _block("tool_result", fields, part.cache, part.extra)


def _write_reasoning(part: Reasoning) -> JsonObject:
    if part.data is not None and part.signed_by == NAME and not part.text and part.signature is None:
        return _block("redacted_thinking", {"data": part.data}, None, part.extra)
    signature = write_seal(part.signature, part.data, part.signed_by)
    return _block("thinking", {"thinking": part.text, "signature": signature}, None, part.extra)


def _write_opaque(part: Opaque) -> JsonObject | None:
    return part.value if part.dialect == NAME else None


_WRITERS: dict[type, Callable[[Any], JsonObject | None]] = {
    Document: _write_document,
    Image: _write_image,
    Opaque: _write_opaque,
    Reasoning: _write_reasoning,
    Refusal: _write_refusal,
    Text: _write_text,
    ToolCall: _write_tool_call,
    ToolResult: _write_tool_result,
}

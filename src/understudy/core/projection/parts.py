"""Fits turns and their parts to a wire format."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

from understudy.core.conversation import (
    Audio,
    Document,
    Image,
    Inline,
    Message,
    Opaque,
    Part,
    Plain,
    Reasoning,
    Refusal,
    Role,
    Source,
    Stored,
    Text,
    ToolCall,
    ToolResult,
    Video,
)
from understudy.core.projection.carries import (
    COSMETIC,
    ESSENTIAL,
    FIELDS,
    KINDS,
    LOSSY,
    LOST_PART,
    MEDIA_TYPES,
    SOURCES,
    Carries,
)
from understudy.core.projection.nodes import Losses, cache_mark, carried_fields, own_extra, words_extra

SAYS_NOTHING = "(The user says nothing.)"
"""What stands for an empty turn of the user where the conversation would otherwise end with the model's own words, to be continued."""

_ASKING = (Role.USER, Role.TOOL)


def fit_messages(messages: tuple[Message, ...], carries: Carries, losses: Losses) -> tuple[Message, ...]:
    """The turns as the format knows them: their roles, what each may hold, how neighbours merge."""
    projected: list[Message] = []
    begun = False
    question_lost = False
    for message in messages:
        role = Role(carries.renames.get(message.role, message.role))
        if role is Role.SYSTEM or role is Role.DEVELOPER:
            role = Role(carries.late_system) if begun and role is Role.SYSTEM else role
        else:
            begun = True
        extra = own_extra(message.extra, "messages.", carries, losses)
        parts, moved = _turn(message.parts, role, carries, losses)
        if role is Role.USER or role is Role.TOOL:
            question_lost = not _says(parts) and (question_lost or _is_lost(message, projected))
        if parts or extra:
            _append(projected, Message(role, parts, extra), carries)
        if moved:
            _append(projected, Message(Role.USER, moved), carries)
    if question_lost:
        losses.refuse("messages")  # what is left is not what was asked
    elif projected and projected[-1].role is Role.ASSISTANT and messages[-1].role is Role.USER:
        losses.add("messages.text", COSMETIC)
        projected.append(Message(Role.USER, (Text(SAYS_NOTHING),)))
    if carries.tool_ids is not None:
        return _with_ids(tuple(projected), carries)
    return tuple(projected)


def says_something(message: Message) -> bool:
    """Whether there is more to a turn than white space."""
    return _says(message.parts)


def _says(parts: tuple[Part, ...]) -> bool:
    for part in parts:  # noqa: SIM110  every turn of every translated request comes here, and a generator costs more than the rest
        if not isinstance(part, Text) or _has_words(part):
            return True
    return False


def _has_words(part: Text) -> bool:
    return (part.text != "" and not part.text.isspace()) or part.extra is not None


def _is_lost(message: Message, before: list[Message]) -> bool:
    """Whether a turn of the user's of which no words are left was all that he said, what stands right before it included."""
    last = before[-1] if before else None
    return says_something(message) and (last is None or last.role not in _ASKING or not says_something(last))


def _append(messages: list[Message], message: Message, carries: Carries) -> None:
    """Add a message, or its parts to the last one where the format knows no two such in a row."""
    if messages and messages[-1].role is message.role and (message.role is Role.TOOL or message.role in carries.merges):
        last = messages[-1]
        if last.extra is None and message.extra is None:
            messages[-1] = Message(last.role, last.parts + message.parts)
            return
    messages.append(message)


def _turn(
    parts: tuple[Part, ...], role: Role, carries: Carries, losses: Losses
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The parts of one turn that survive, and the media that has to follow in a user turn."""
    kinds = carries.parts.get(role, ())
    kept: list[Part] = []
    moved: list[Part] = []
    for part in parts:
        if isinstance(part, ToolResult) and "tool_result" in kinds:
            kept.append(_tool_result(part, moved, carries, losses))
        else:
            survivor = fit_part(part, kinds, "messages", carries, losses)
            if survivor is not None:
                kept.append(survivor)
    if role is Role.ASSISTANT:
        kept = arranged(kept, carries)
    return tuple(kept), tuple(moved)


def fit_part(part: Part, kinds: tuple[str, ...], where: str, carries: Carries, losses: Losses) -> Part | None:
    """What becomes of one part; None when it is lost (and reported) or says nothing."""
    if isinstance(part, Opaque):
        if part.dialect == carries.dialect:
            return part
        losses.add(f"{where}.{part.kind}", LOSSY)
        return None
    if isinstance(part, Document):
        part = _document(part, kinds, where, carries, losses)
    elif isinstance(part, Refusal) and "refusal" not in kinds:
        part = Text(part.text)  # the words stay; the stop reason tells what they are
    elif isinstance(part, Image) and isinstance(part.source, Inline) and part.source.media_type in MEDIA_TYPES:
        part = replace(part, source=Inline(MEDIA_TYPES[part.source.media_type], part.source.data))
    kind = KINDS[type(part)]
    if kind not in kinds or not _has_source(part, kind, carries):
        losses.add(f"{where}.{kind}", LOST_PART.get(kind, ESSENTIAL))
        return None
    if isinstance(part, Reasoning):
        return _reasoning_part(part, where, carries, losses)
    if isinstance(part, Text | Image | Document | ToolCall):
        return _marked(part, kind, where, carries, losses)
    if isinstance(part, Audio | Video):
        extra = own_extra(part.extra, f"{where}.", carries, losses)
        return part if extra is part.extra else replace(part, extra=extra)
    return part if not isinstance(part, Refusal) or part.text else None


def _marked(
    part: Text | Image | Document | ToolCall, kind: str, where: str, carries: Carries, losses: Losses
) -> Part | None:
    """A part without the marks and fields that cannot go with it."""
    if part.cache is not None or part.extra is not None:
        part = replace(
            part,
            cache=cache_mark(part.cache, kind, where, carries, losses),
            extra=words_extra(part.extra, f"{where}.", carries, losses)
            if isinstance(part, Text)
            else own_extra(part.extra, f"{where}.", carries, losses),
        )
    if isinstance(part, Text):
        if _has_words(part) or (part.text and carries.blank_texts):
            return part
        if part.text:
            losses.add(f"{where}.text", COSMETIC)
        return None
    if isinstance(part, ToolCall):
        if carries.object_arguments and not isinstance(part.arguments, dict):
            return replace(part, arguments={"INVALID_JSON": part.arguments})
        return part
    return carried_fields(part, kind, f"{where}.{kind}", carries, losses)


def _document(part: Document, kinds: tuple[str, ...], where: str, carries: Carries, losses: Losses) -> Document | Text:
    """A document, or its words as a text where the format has no document of that sort."""
    sources = carries.sources.get("document", ()) if "document" in kinds else ()
    source = part.source
    if (
        isinstance(source, Inline)
        and source.media_type.startswith("text/")
        and not _has_source(part, "document", carries)
    ):
        words = _decoded(source.data)
        if words is not None:
            source = Plain(words)
    if not isinstance(source, Plain):
        return part
    if "plain" in sources:
        return part if source is part.source else replace(part, source=source)
    for name, (weight, silent) in FIELDS["document"].items():
        if getattr(part, name) not in {None, silent}:
            losses.add(f"{where}.document.{name}", weight)
    return Text(source.text, part.cache, part.extra)


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:  # of which both "no base64" and "no UTF-8" are kinds
        return None


def _has_source(part: Part, kind: str, carries: Carries) -> bool:
    """Whether the format can say where this media comes from; true for a part without media."""
    if not isinstance(part, Image | Document | Video):
        return True
    source: Source = part.source
    if SOURCES[type(source)] not in carries.sources.get(kind, ()):
        return False
    if isinstance(source, Stored):
        return source.dialect == carries.dialect
    if isinstance(source, Inline):
        types = carries.media_types.get(kind)
        return types is None or source.media_type in types
    return True


def _reasoning_part(part: Reasoning, where: str, carries: Carries, losses: Losses) -> Reasoning | None:
    """Thinking goes back whole to whoever sealed it, and otherwise as the format allows."""
    if part.signed_by is not None and part.signed_by != carries.dialect:
        if carries.foreign_reasoning == "drop":
            losses.add(f"{where}.reasoning", LOSSY)
            return None
        if carries.foreign_reasoning == "unseal":
            losses.add(f"{where}.reasoning.signature", COSMETIC)
            part = Reasoning(part.text)
    if part.signed_by is None:
        if not part.text:
            return None
        if not carries.unsigned_reasoning:
            losses.add(f"{where}.reasoning", LOSSY)
            return None
    if part.extra is None:
        return part
    return replace(part, extra=words_extra(part.extra, f"{where}.reasoning.", carries, losses))


def _tool_result(part: ToolResult, moved: list[Part], carries: Carries, losses: Losses) -> ToolResult:
    """A tool result with what fits into it; media that does not may follow in a user turn."""
    user_kinds = carries.parts.get(Role.USER, ())
    kept: list[Part] = []
    for inner in part.parts:
        leaves = (
            carries.moves_result_media
            and KINDS.get(type(inner), "opaque") not in carries.result_parts
            and isinstance(inner, Image | Document | Audio | Video)
            and not (isinstance(inner, Document) and isinstance(inner.source, Plain))
        )
        survivor = fit_part(inner, user_kinds if leaves else carries.result_parts, "messages", carries, losses)
        if survivor is not None:
            (moved if leaves and not isinstance(survivor, Text) else kept).append(survivor)
    result = replace(
        part,
        parts=tuple(kept),
        cache=cache_mark(part.cache, "tool_result", "messages", carries, losses),
        extra=own_extra(part.extra, "messages.", carries, losses),
    )
    return carried_fields(result, "tool_result", "messages.tool_result", carries, losses)


def arranged(parts: list[Part], carries: Carries) -> list[Part]:
    """An assistant's parts, grouped and joined as the format does it."""
    if carries.order:
        kinds = [_group_kind(part, carries) for part in parts]
        parts = [part for group in carries.order for part, kind in zip(parts, kinds, strict=True) if kind in group]
    if not carries.joins:
        return parts
    joined: list[Part] = []
    for part in parts:
        both = _joined(joined[-1], part, carries.joins) if joined else None
        if both is None:
            joined.append(part)
        else:
            joined[-1] = both
    return joined


def _group_kind(part: Part, carries: Carries) -> str:
    if isinstance(part, Opaque):
        return part.kind if any(part.kind in group for group in carries.order) else "text"
    return KINDS[type(part)]


def _joined(left: Part, right: Part, kinds: tuple[str, ...]) -> Part | None:
    """Two neighbours as one; None when they are not of one kind, or carry more than words."""
    if isinstance(left, Text) and isinstance(right, Text) and "text" in kinds:
        plain = left.cache is None and right.cache is None and left.extra is None and right.extra is None
        return Text(left.text + right.text) if plain else None
    if isinstance(left, Refusal) and isinstance(right, Refusal) and "refusal" in kinds:
        return Refusal(left.text + right.text)
    if isinstance(left, Reasoning) and isinstance(right, Reasoning) and "reasoning" in kinds:
        bare = left.signed_by is None and right.signed_by is None and left.extra is None and right.extra is None
        return Reasoning(left.text + right.text) if bare else None
    return None


def replaced_id(id_: str, length: int) -> str:
    """What stands for a tool call's id that a format does not take: `length` hexadecimal digits, for equal ids the same."""
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:length]


def _with_ids(messages: tuple[Message, ...], carries: Carries) -> tuple[Message, ...]:
    """The same messages with tool call ids that the format accepts; calls and results still match."""
    pattern = re.compile(carries.tool_ids or "")
    new: dict[str, str] = {}
    for message in messages:
        for part in message.parts:
            id_ = part.id if isinstance(part, ToolCall) else part.call_id if isinstance(part, ToolResult) else None
            if id_ is not None and not pattern.fullmatch(id_):
                new[id_] = replaced_id(id_, carries.tool_id_length)
    if not new:
        return messages

    def renamed(part: Part) -> Part:
        if isinstance(part, ToolCall):
            return replace(part, id=new.get(part.id, part.id))
        if isinstance(part, ToolResult):
            return replace(part, call_id=new.get(part.call_id, part.call_id))
        return part

    return tuple(replace(message, parts=tuple(map(renamed, message.parts))) for message in messages)

"""Parts of a message as Cohere writes them, in requests and answers alike.

A part that only this API knows (a document among a tool's results) is kept whole as `Opaque`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from understudy.core.assembly import read_arguments, write_arguments
from understudy.core.conversation import Image, Inline, Opaque, Part, Reasoning, Remote, Source, Text, ToolCall
from understudy.core.value import JsonObject
from understudy.dialects._fields import an_object, take
from understudy.dialects._reading import Unreadable, words
from understudy.dialects.cohere_chat.wire import NAME, own, rest


def read_content(found: Any, where: str) -> list[Part]:
    """The parts of a `content`: absent, null and empty strings are none. Raises `Unreadable`."""
    if found is None or found == "":
        return []
    if isinstance(found, str):
        return [Text(found)]
    if not isinstance(found, list):
        raise Unreadable(f"{where} must be a string or a list of parts")
    parts = [read_part(part, f"{where}[{place}]") for place, part in enumerate(found)]
    return [part for part in parts if not isinstance(part, Text | Reasoning) or part.text or part.extra]


def read_part(part: Any, where: str) -> Part:
    """One entry of a content list. Raises `Unreadable`."""
    fields = an_object(part, where)
    kind = words(fields.pop("type", None)) or "text"
    if kind == "text":
        return Text(take(fields, "text", str, where) or "", None, rest(fields))
    if kind == "thinking":
        return Reasoning(take(fields, "thinking", str, where) or "", extra=rest(fields))
    if kind == "image_url":
        image = fields.pop("image_url", None)
        about = dict(image) if isinstance(image, dict) else {"url": image}
        url, detail = about.pop("url", None), about.pop("detail", None)
        if isinstance(url, str) and isinstance(detail, str | None) and not about:
            return Image(_from_url(url), detail, None, rest(fields))
    return Opaque(NAME, kind, part)


_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,", re.ASCII | re.IGNORECASE)


def _from_url(url: str) -> Source:
    head = _DATA_URL.match(url)
    return Inline(head[1].lower(), url[head.end() :]) if head else Remote(url)


def write_part(part: Part) -> JsonObject:
    """One entry of a content list."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, **own(part.extra)}
    if isinstance(part, Reasoning):
        return {"type": "thinking", "thinking": part.text, **own(part.extra)}
    if isinstance(part, Image):
        image: JsonObject = {"url": _to_url(part.source)}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image, **own(part.extra)}
    if isinstance(part, Opaque):
        return dict(part.value)
    raise TypeError(f"{type(part).__name__} was not projected away")


def _to_url(source: Source) -> str:
    if isinstance(source, Inline):
        return f"data:{source.media_type};base64,{source.data}"
    if isinstance(source, Remote):
        return source.url
    raise TypeError(f"{type(source).__name__} was not projected away")


def write_content(parts: Sequence[Part]) -> Any:
    """A `content`: one plain text as a string, more as a list."""
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].extra is None:
        return parts[0].text
    return [write_part(part) for part in parts]


# Tool calls. Arguments are JSON text; a call without any sends "{}", "" or the text "null".


def read_call(call: Any, fallback_id: str, where: str) -> ToolCall:
    """One entry of `tool_calls`. Raises `Unreadable`."""
    fields = an_object(call, where)
    fields.pop("type", None)
    function = an_object(fields.pop("function", None), f"{where}.function")
    id_ = take(fields, "id", str, where)
    name = take(function, "name", str, f"{where}.function") or ""
    arguments = function.pop("arguments", None)
    if (others := rest(function)) is not None:
        fields["function"] = others.fields
    read = read_arguments(arguments) if isinstance(arguments, str) else {} if arguments is None else arguments
    return ToolCall(id_ or fallback_id, name, read, None, rest(fields))


def write_call(call: ToolCall) -> JsonObject:
    """One entry of `tool_calls`."""
    others = dict(own(call.extra))
    function = {"name": call.name, "arguments": write_arguments(call.arguments), **others.pop("function", {})}
    return {"id": call.id, "type": "function", "function": function, **others}


# What the model says


def read_spoken(fields: JsonObject, made: Any, where: str) -> list[Part]:
    """Take a turn of the model out of its message: its content, its plan, its calls.

    A plan is what it says before it calls; other APIs have it as text. `made`: gives the id of a call without one, by its number.
    Raises `Unreadable`.
    """
    parts = read_content(fields.pop("content", None), f"{where}.content")
    if plan := take(fields, "tool_plan", str, where):
        parts.append(Text(plan))
    calls = take(fields, "tool_calls", list, where) or []
    return [
        *parts,
        *(read_call(call, made(place), f"{where}.tool_calls[{place}]") for place, call in enumerate(calls)),
    ]


def write_spoken(parts: tuple[Part, ...]) -> JsonObject:
    """The members of a model's message. Words before a call are its plan: the API takes no content beside calls."""
    calls = [write_call(part) for part in parts if isinstance(part, ToolCall)]
    said = [part for part in parts if not isinstance(part, ToolCall)]
    if not calls:
        return {"role": "assistant", "content": [write_part(part) for part in said]}
    plan = "".join(part.text for part in said if isinstance(part, Text))
    content = [write_part(part) for part in said if not isinstance(part, Text)]
    written: JsonObject = {"role": "assistant"}
    if content:
        written["content"] = content
    if plan:
        written["tool_plan"] = plan
    return {**written, "tool_calls": calls}

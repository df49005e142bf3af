"""Requests: the body of `POST /v1/responses` to a conversation, and back.

A run of the assistant's items is one turn, and so are neighbouring results. `instructions` are the first system turn.
"""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Conversation, Message, Opaque, Part, Role, Text, ToolResult
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import Unreadable, need, take
from understudy.dialects.openai_responses.content import read_content, write_content
from understudy.dialects.openai_responses.items import fallback_id, read_item, write_item
from understudy.dialects.openai_responses.settings import read_settings, read_tools, write_settings, write_tool
from understudy.dialects.openai_responses.wire import NAME, own, real_id, rest

HELD = ("conversation", "previous_response_id", "prompt")
"""What may stand for an input: state that the provider holds."""


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = dict(body)
    model = need(fields, "model", str)
    messages = read_input(fields)
    return Conversation(
        model=model,
        messages=messages,
        tools=read_tools(fields),
        settings=read_settings(fields),
        stream=take(fields, "stream", bool) or False,
        extra=rest(fields),
    )


def read_input(fields: JsonObject) -> tuple[Message, ...]:
    """The turns, instructions first."""
    found = take(fields, "input", (str, list))
    if found is None and not any(fields.get(name) is not None for name in HELD):
        raise Unreadable("input is missing: it must be a string or a list")
    told = fields.pop("instructions", None)
    turns: list[Message] = []
    if parts := read_content(told, "instructions"):
        turns.append(Message(Role.SYSTEM, tuple(parts)))
    if isinstance(found, str):
        found = [{"role": "user", "content": found}] if found else []
    for place, item in enumerate(found or ()):
        _add(turns, _read_turn(item, place))
    return tuple(turns)


_ROLES = {role.value: role for role in (Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT)}
_MERGED = (Role.ASSISTANT, Role.TOOL)


def _add(turns: list[Message], turn: Message) -> None:
    if turns and turn.role in _MERGED and turns[-1].role is turn.role:
        turns[-1] = Message(turn.role, turns[-1].parts + turn.parts)
    elif turn.parts or turn.extra is not None:
        turns.append(turn)


def _read_turn(item: Any, place: int) -> Message:
    where = f"input[{place}]"
    if not isinstance(item, dict):
        raise Unreadable(f"{where} must be an object")
    kind, named = item.get("type"), item.get("role")
    if not isinstance(kind, str | None):
        raise Unreadable(f"{where}.type must be a string")
    if kind in (None, "message") and (named is not None or "id" not in item):
        role = _ROLES.get(named) if isinstance(named, str) else None
        if role is None:
            raise Unreadable(f"{where}.role must be one of {', '.join(_ROLES)}")
        if role is not Role.ASSISTANT:
            return _read_message(item, role, where)
    elif kind == "function_call_output":
        return Message(Role.TOOL, (_read_result(item, where),))
    elif isinstance(named, str) and named in _ROLES:
        return Message(_ROLES[named], (Opaque(NAME, kind or "item", item),))
    elif kind is not None and kind.endswith(("_output", "_response")):
        return Message(Role.TOOL, (Opaque(NAME, kind, item),))
    return Message(Role.ASSISTANT, tuple(read_item(item, fallback_id("request", place), where)))


def _read_message(item: JsonObject, role: Role, where: str) -> Message:
    parts = read_content(item.get("content"), f"{where}.content")
    fields = {name: held for name, held in item.items() if name not in {"type", "role", "content", "status"}}
    return Message(role, tuple(parts), rest({**fields, "id": real_id(fields.get("id"))}))


def _read_result(item: JsonObject, where: str) -> ToolResult:
    fields = {name: held for name, held in item.items() if name not in {"type", "status"}}
    fields["id"] = real_id(fields.get("id"))
    call_id = need(fields, "call_id", str, where)
    parts = read_content(fields.pop("output", None), f"{where}.output")
    return ToolResult(call_id, tuple(parts), extra=rest(fields))


# And back


def write_request(conversation: Conversation, quirks: Quirks) -> JsonObject:
    """The body for a conversation that was projected."""
    body: JsonObject = {"model": conversation.model, **_write_input(conversation.messages, dict(quirks.roles))}
    if conversation.tools:
        body["tools"] = [write_tool(tool) for tool in conversation.tools]
    body |= write_settings(conversation.settings, own(conversation.extra))
    if conversation.stream:
        body["stream"] = True
    for name in quirks.drop:
        body.pop(name, None)
    for name, held in quirks.translated:
        body[name] = [*body.get(name, ()), *held] if isinstance(held, tuple) else held
    for name, theirs in quirks.names:
        if name in body:
            body[theirs] = body.pop(name)
    body.update(quirks.fields)
    return body


def _write_input(messages: tuple[Message, ...], roles: dict[str, str]) -> JsonObject:
    written: JsonObject = {}
    if len(messages) > 1 and (told := _instructions(messages[0])) is not None:
        written["instructions"] = told
        messages = messages[1:]
    items: list[JsonObject] = []
    for message in messages:
        items += _write_turn(message, roles)
    return {**written, "input": items}


def _instructions(message: Message) -> str | None:
    if message.role is not Role.SYSTEM or message.extra is not None or len(message.parts) != 1:
        return None
    (part,) = message.parts
    return part.text if isinstance(part, Text) and part.extra is None else None


def _write_turn(message: Message, roles: dict[str, str]) -> list[JsonObject]:
    if message.role is Role.ASSISTANT:
        return [write_item(part) for part in message.parts]
    if message.role is Role.TOOL:
        return [_write_result(part) for part in message.parts]
    items = [dict(part.value) for part in message.parts if isinstance(part, Opaque) and "role" in part.value]
    if items:
        return items  # an item that says whose it is
    role = roles.get(message.role, message.role.value)
    content = write_content(message.parts)
    return [{"type": "message", "role": role, "content": content, **own(message.extra)}]


def _write_result(part: Part) -> JsonObject:
    if isinstance(part, ToolResult):
        output = write_content(part.parts)
        return {"type": "function_call_output", "call_id": part.call_id, "output": output, **own(part.extra)}
    if isinstance(part, Opaque):
        return dict(part.value)
    raise TypeError(f"{type(part).__name__} was not projected away")

"""Requests: the body of `POST /api/chat` to a conversation, and back.

A turn is one string, with its pictures beside it. Calls had no ids for long, and results then only stand in the order of the calls:
ids are made where none are given, and always written.
"""

from __future__ import annotations

from typing import Any

from understudy.core.assembly import read_arguments
from understudy.core.conversation import (
    Conversation,
    Image,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects._fields import an_object, need, take
from understudy.dialects._reading import Unreadable, made_id
from understudy.dialects.ollama_chat.pictures import read_pictures, write_picture
from understudy.dialects.ollama_chat.settings import UNCUT, read_settings, write_settings
from understudy.dialects.ollama_chat.wire import own, rest, with_options

_ROLES = {role.value: role for role in Role}


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    fields = an_object(body, "the body")
    model = need(fields, "model", str)
    messages = _Messages().read(need(fields, "messages", list))
    tools = tuple(_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(take(fields, "tools", list) or []))
    stream = take(fields, "stream", bool)
    for name, usual in UNCUT.items():
        if fields.get(name) is usual:
            del fields[name]
    return Conversation(
        model=model,
        messages=messages,
        tools=tools,
        settings=read_settings(fields),
        stream=stream is not False,
        extra=rest(fields),
    )


# Messages


class _Messages:
    """Reads messages in order. A result without a call's id belongs to the earliest call that has none yet, of its name if it has one."""

    __slots__ = ("_calls", "_open")

    def __init__(self) -> None:
        self._calls = 0
        self._open: list[tuple[str, str]] = []

    def read(self, found: list[Any]) -> tuple[Message, ...]:
        messages: list[Message] = []
        for place, item in enumerate(found):
            where = f"messages[{place}]"
            fields = an_object(item, where)
            named = need(fields, "role", str, where)
            role = _ROLES.get(named)
            if role is None:
                raise Unreadable(f"{where}.role must be one of {', '.join(_ROLES)}, not {named!r}")
            if role is Role.TOOL:
                result = self._result(fields, where)
                if messages and messages[-1].role is Role.TOOL:
                    messages[-1] = Message(Role.TOOL, (*messages[-1].parts, result))
                else:
                    messages.append(Message(Role.TOOL, (result,)))
            else:
                parts = self._assistant(fields, where) if role is Role.ASSISTANT else _said(fields, role, where)
                messages.append(Message(role, tuple(parts), rest(fields)))
        return tuple(messages)

    def _assistant(self, fields: JsonObject, where: str) -> list[Part]:
        first = self._calls
        calls = take(fields, "tool_calls", list, where) or []
        parts = read_spoken(fields, where)
        parts += [
            read_call(call, made_id("call_", "request", first + at), f"{where}.tool_calls[{at}]")
            for at, call in enumerate(calls)
        ]
        self._calls += len(calls)
        self._open += [(part.id, part.name) for part in parts if isinstance(part, ToolCall)]
        return parts

    def _result(self, fields: JsonObject, where: str) -> ToolResult:
        call_id = take(fields, "tool_call_id", str, where)
        name = take(fields, "tool_name", str, where)
        known = next(
            (call for call in self._open if (call[0] == call_id if call_id else name in {None, "", call[1]})), None
        )
        if known is not None:
            self._open.remove(known)
            call_id = known[0]
        content = take(fields, "content", str, where)
        return ToolResult(
            call_id or made_id("call_", "request", "result", name or ""),
            (Text(content),) if content else (),
            name=name or None,
            extra=rest(fields),
        )


def _said(fields: JsonObject, role: Role, where: str) -> list[Part]:
    """What a user or the system says: pictures first, as the server puts them."""
    parts: list[Part] = []
    if role is Role.USER:
        parts += read_pictures(take(fields, "images", list, where), f"{where}.images")
    if content := take(fields, "content", str, where):
        parts.append(Text(content))
    return parts


def read_spoken(fields: JsonObject, where: str) -> list[Part]:
    """Take what a model said out of its message, but for the calls: its thoughts, then its words. Raises `Unreadable`."""
    parts: list[Part] = []
    if thinking := take(fields, "thinking", str, where):
        parts.append(Reasoning(thinking))
    if content := take(fields, "content", str, where):
        parts.append(Text(content))
    return parts


def read_call(call: Any, fallback_id: str, where: str) -> ToolCall:
    """One entry of `tool_calls`. Raises `Unreadable`."""
    fields = an_object(call, where)
    function = an_object(fields.pop("function", None), f"{where}.function")
    id_ = take(fields, "id", str, where)
    if fields.get("type") == "function":
        del fields["type"]
    name = need(function, "name", str, f"{where}.function")
    arguments = function.pop("arguments", None)
    function.pop("index", None)
    if (others := rest(function)) is not None:
        fields["function"] = others.fields
    read = read_arguments(arguments) if isinstance(arguments, str) else {} if arguments is None else arguments
    return ToolCall(id_ or fallback_id, name, read, None, rest(fields))


def write_call(call: ToolCall, **about: object) -> JsonObject:
    """One entry of `tool_calls`. `about`: further members of its function."""
    others = dict(own(call.extra))
    function = {**about, "name": call.name, "arguments": call.arguments, **others.pop("function", {})}
    return {"id": call.id, "function": function, **others}


def write_spoken(parts: tuple[Part, ...]) -> JsonObject:
    """The members of a model's message, but for the calls."""
    thoughts = "".join(part.text for part in parts if isinstance(part, Reasoning))
    written: JsonObject = {"role": "assistant", "content": _text(parts)}
    return {**written, "thinking": thoughts} if thoughts else written


def _text(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def _write_message(message: Message) -> list[JsonObject]:
    parts = message.parts
    if message.role is Role.TOOL:
        return [_write_result(part) for part in parts if isinstance(part, ToolResult)]
    if message.role is Role.ASSISTANT:
        written = write_spoken(parts)
        if calls := [write_call(part) for part in parts if isinstance(part, ToolCall)]:
            written["tool_calls"] = calls
    else:
        written = {"role": message.role.value, "content": _text(parts)}
        if pictures := [write_picture(part) for part in parts if isinstance(part, Image)]:
            written["images"] = pictures
    return [{**written, **own(message.extra)}]


def _write_result(result: ToolResult) -> JsonObject:
    written: JsonObject = {"role": "tool", "content": _text(result.parts), "tool_call_id": result.call_id}
    if result.name is not None:
        written["tool_name"] = result.name
    return {**written, **own(result.extra)}


# Tools


def _read_tool(tool: Any, where: str) -> Tool:
    fields = an_object(tool, where)
    kind = take(fields, "type", str, where)
    if kind not in {None, "function"}:
        fields["type"] = kind
    function = an_object(fields.pop("function", None), f"{where}.function")
    name = need(function, "name", str, f"{where}.function")
    description = take(function, "description", str, f"{where}.function")
    parameters = take(function, "parameters", dict, f"{where}.function")
    if (others := rest(function)) is not None:
        fields["function"] = others.fields
    return Tool(name, description, parameters, extra=rest(fields))


def _write_tool(tool: Tool) -> JsonObject:
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    others = dict(own(tool.extra))
    return {"type": "function", "function": {**function, **others.pop("function", {})}, **others}


# And back


def write_request(conversation: Conversation) -> JsonObject:
    """The body for a conversation that was projected."""
    body: JsonObject = {
        "model": conversation.model,
        "messages": [written for message in conversation.messages for written in _write_message(message)],
        "stream": conversation.stream,
        **UNCUT,
    }
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools if isinstance(tool, Tool)]
    body |= write_settings(conversation.settings)
    return with_options(body, own(conversation.extra))

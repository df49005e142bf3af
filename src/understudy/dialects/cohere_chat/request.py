"""Requests: the body of `POST /v2/chat` to a conversation, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.conversation import Conversation, Message, Part, Role, Tool, ToolResult
from understudy.core.value import JsonObject
from understudy.dialects._fields import an_object, need, take
from understudy.dialects._reading import Unreadable, made_id
from understudy.dialects.cohere_chat.content import read_content, read_spoken, write_content, write_spoken
from understudy.dialects.cohere_chat.settings import read_settings, write_settings
from understudy.dialects.cohere_chat.wire import own, rest

_ROLES = {role.value: role for role in Role}


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    fields = an_object(body, "the body")
    model = need(fields, "model", str)
    messages = _read_messages(need(fields, "messages", list))
    tools = tuple(_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(take(fields, "tools", list) or []))
    if take(fields, "strict_tools", bool):
        tools = tuple(replace(tool, strict=True) for tool in tools)
    stream = take(fields, "stream", bool) or False
    settings = read_settings(fields)
    return Conversation(
        model=model, messages=messages, tools=tools, settings=settings, stream=stream, extra=rest(fields)
    )


def _read_messages(found: list[Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    for place, item in enumerate(found):
        where = f"messages[{place}]"
        fields = an_object(item, where)
        named = need(fields, "role", str, where)
        role = _ROLES.get(named)
        if role is None:
            raise Unreadable(f"{where}.role must be one of {', '.join(_ROLES)}, not {named!r}")
        if role is Role.TOOL:
            result = _read_result(fields, where)
            if messages and messages[-1].role is Role.TOOL:
                messages[-1] = Message(Role.TOOL, (*messages[-1].parts, result))
            else:
                messages.append(Message(Role.TOOL, (result,)))
            continue
        parts: list[Part]
        if role is Role.ASSISTANT:
            parts = read_spoken(fields, lambda number, at=place: made_id("call_", "request", at, number), where)
        else:
            parts = read_content(fields.pop("content", None), f"{where}.content")
        messages.append(Message(role, tuple(parts), rest(fields)))
    return tuple(messages)


def _read_result(fields: JsonObject, where: str) -> ToolResult:
    call_id = need(fields, "tool_call_id", str, where)
    parts = read_content(fields.pop("content", None), f"{where}.content")
    return ToolResult(call_id, tuple(parts), extra=rest(fields))


def _read_tool(tool: Any, where: str) -> Tool:
    fields = an_object(tool, where)
    if fields.get("type") == "function":
        del fields["type"]
    function = an_object(fields.pop("function", None), f"{where}.function")
    name = need(function, "name", str, f"{where}.function")
    description = take(function, "description", str, f"{where}.function")
    parameters = take(function, "parameters", dict, f"{where}.function")
    if (others := rest(function)) is not None:
        fields["function"] = others.fields
    return Tool(name, description, parameters, extra=rest(fields))


# And back


def write_request(conversation: Conversation) -> JsonObject:
    """The body for a conversation that was projected."""
    tools = [tool for tool in conversation.tools if isinstance(tool, Tool)]
    body: JsonObject = {
        "model": conversation.model,
        "messages": [written for message in conversation.messages for written in _write_message(message)],
        "stream": conversation.stream,
    }
    if tools:
        body["tools"] = [_write_tool(tool) for tool in tools]
    if tools and all(tool.strict for tool in tools):
        body["strict_tools"] = True
    return {**body, **write_settings(conversation.settings), **own(conversation.extra)}


def _write_message(message: Message) -> list[JsonObject]:
    if message.role is Role.TOOL:
        return [_write_result(part) for part in message.parts if isinstance(part, ToolResult)]
    if message.role is Role.ASSISTANT:
        return [{**write_spoken(message.parts), **own(message.extra)}]
    return [{"role": message.role.value, "content": write_content(message.parts), **own(message.extra)}]


def _write_result(result: ToolResult) -> JsonObject:
    content = write_content(result.parts)
    return {"role": "tool", "tool_call_id": result.call_id, "content": content, **own(result.extra)}


def _write_tool(tool: Tool) -> JsonObject:
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    others = dict(own(tool.extra))
    return {"type": "function", "function": {**function, **others.pop("function", {})}, **others}

"""Requests: the body of `Converse` to a conversation, and back.

On the wire the system prompt stands outside the messages, and tool results inside user turns. In a conversation both are messages. The
model and whether to stream stand in the path; a body that names a model all the same is read.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from understudy.core.conversation import Conversation, Message, OpaqueTool, Role, Tool, ToolResult
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import Unreadable, need, take
from understudy.dialects.bedrock_converse.blocks import (
    read_cache_point,
    read_content,
    write_cache_point,
    write_content,
)
from understudy.dialects.bedrock_converse.settings import merged, read_settings, write_choice, write_settings
from understudy.dialects.bedrock_converse.wire import NAME, an_object, kind_of, own, rest

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = dict(body)
    model = take(fields, "model", str) or ""
    messages: list[Message] = []
    if system := read_content(take(fields, "system", list) or [], "system"):
        messages.append(Message(Role.SYSTEM, system))
    for place, turn in enumerate(need(fields, "messages", list)):
        for message in _read_turn(an_object(turn, f"messages[{place}]"), f"messages[{place}]"):
            _append(messages, message)
    tooling = dict(take(fields, "toolConfig", dict) or {})
    tools = _read_tools(take(tooling, "tools", list, "toolConfig") or [])
    settings = read_settings(fields, tooling)
    if tooling:
        fields["toolConfig"] = tooling
    return Conversation(model=model, messages=tuple(messages), tools=tools, settings=settings, extra=rest(fields))


# Messages


def _read_turn(fields: JsonObject, where: str) -> list[Message]:
    named = need(fields, "role", str, where)
    role = _ROLES.get(named)
    if role is None:
        raise Unreadable(f"{where}.role must be user or assistant, not {named!r}")
    parts = read_content(need(fields, "content", list, where), f"{where}.content")
    extra = rest(fields)
    if role is Role.ASSISTANT or not any(isinstance(part, ToolResult) for part in parts):
        return [Message(role, parts, extra)]
    return [
        Message(Role.TOOL if results else Role.USER, tuple(run), extra)
        for results, run in groupby(parts, lambda part: isinstance(part, ToolResult))
    ]


def _append(messages: list[Message], message: Message) -> None:
    """Add a message; tool results join those before them."""
    last = messages[-1] if messages else None
    if last is not None and last.role is message.role is Role.TOOL and last.extra is None and message.extra is None:
        messages[-1] = Message(Role.TOOL, last.parts + message.parts)
    else:
        messages.append(message)


def _write_messages(messages: tuple[Message, ...]) -> JsonObject:
    """The fields `system` (when there is one) and `messages`."""
    fields: JsonObject = {}
    if messages and messages[0].role is Role.SYSTEM:
        fields["system"] = write_content(messages[0].parts)
        messages = messages[1:]
    turns: list[JsonObject] = []
    open_to_more = False
    for message in messages:
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        content = write_content(message.parts)
        if open_to_more and message.extra is None and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": role, "content": content, **own(message.extra)})
            open_to_more = message.extra is None
    fields["messages"] = turns
    return fields


# Tools


def _read_tools(entries: list[Any]) -> tuple[Tool | OpaqueTool, ...]:
    tools: list[Tool | OpaqueTool] = []
    for place, entry in enumerate(entries):
        where = f"toolConfig.tools[{place}]"
        fields = an_object(entry, where)
        mark, last = read_cache_point(entry), tools[-1] if tools else None
        if mark is not None and isinstance(last, Tool) and last.cache is None:
            tools[-1] = Tool(last.name, last.description, last.parameters, last.strict, mark, last.extra)
        elif kind_of(fields) == "toolSpec":
            tools.append(_read_tool(an_object(fields["toolSpec"], f"{where}.toolSpec"), f"{where}.toolSpec"))
        else:
            tools.append(OpaqueTool(NAME, kind_of(fields), entry))
    return tuple(tools)


def _read_tool(fields: JsonObject, where: str) -> Tool:
    schema = dict(take(fields, "inputSchema", dict, where) or {})
    return Tool(
        need(fields, "name", str, where),
        take(fields, "description", str, where),
        take(schema, "json", dict, f"{where}.inputSchema"),
        take(fields, "strict", bool, where),
        None,
        rest(fields),
    )


def _write_tools(tools: tuple[Tool | OpaqueTool, ...]) -> list[JsonObject]:
    entries: list[JsonObject] = []
    for tool in tools:
        entries.append(dict(tool.value) if isinstance(tool, OpaqueTool) else {"toolSpec": _write_tool(tool)})
        if isinstance(tool, Tool) and tool.cache is not None:
            entries.append(write_cache_point(tool.cache))
    return entries


def _write_tool(tool: Tool) -> JsonObject:
    fields: JsonObject = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": None if tool.parameters is None else {"json": tool.parameters},
        "strict": tool.strict,
    }
    return {**{name: held for name, held in fields.items() if held is not None}, **own(tool.extra)}


# And back


def write_request(conversation: Conversation, quirks: Quirks) -> JsonObject:
    """The body for a conversation that was projected, without what the path says."""
    body = _write_messages(conversation.messages)
    if conversation.tools:
        choice = write_choice(conversation.settings.tool_choice)
        body["toolConfig"] = {"tools": _write_tools(conversation.tools), **choice}
    body |= write_settings(conversation.settings, quirks)
    return merged(body, own(conversation.extra))

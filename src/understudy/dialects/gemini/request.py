"""Requests: the body of `generateContent` to a conversation, and back.

On the wire the system prompt stands outside the contents, and function responses inside a user's. In a conversation both are
messages of their own. The model and whether to stream stand in the path; a body that names a model all the same is read.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from understudy.core.conversation import (
    Conversation,
    Message,
    OpaqueTool,
    Part,
    Role,
    Tool,
    ToolCall,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import Unreadable, made_id
from understudy.dialects.gemini.parts import (
    Spoken,
    parts_of,
    read_response,
    read_user_part,
    write_parts,
)
from understudy.dialects.gemini.schema import json_schema
from understudy.dialects.gemini.seals import gathered, in_place
from understudy.dialects.gemini.settings import read_settings, with_dotted, write_settings
from understudy.dialects.gemini.wire import NAME, an_object, bare_model, camelled, need, own, rest, take

_ROLES = {None: Role.USER, "user": Role.USER, "model": Role.ASSISTANT, "function": Role.USER, "tool": Role.USER}


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = camelled(body)
    model = take(fields, "model", str) or ""
    messages = _system(fields.pop("systemInstruction", None))
    messages += _Contents().read(need(fields, "contents", list))
    tools = tuple(_read_tools(take(fields, "tools", list) or []))
    settings = read_settings(fields)
    return Conversation(
        model=bare_model(model), messages=tuple(messages), tools=tools, settings=settings, extra=rest(fields)
    )


# Contents


def _system(found: Any) -> list[Message]:
    if found is None:
        return []
    where = "systemInstruction"
    entries = [{"text": found}] if isinstance(found, str) else parts_of(found, where)
    parts = [read_user_part(_entry(part, f"{where}.parts[{at}]"), where) for at, part in enumerate(entries)]
    said = tuple(part for part in parts if part is not None)
    return [Message(Role.SYSTEM, said)] if said else []


def _entry(part: Any, where: str) -> JsonObject:
    if isinstance(part, str):
        return {"text": part}
    if not isinstance(part, dict):
        raise Unreadable(f"{where} must be an object")
    return part


class _Contents:
    """Reads contents in order. A function response without an id belongs to the earliest call of its name that has none yet."""

    __slots__ = ("_calls", "_open")

    def __init__(self) -> None:
        self._calls = 0
        self._open: list[tuple[str, str]] = []

    def read(self, found: list[Any]) -> list[Message]:
        contents: list[tuple[Role, list[tuple[Any, str]]]] = []
        for place, content in enumerate(found):
            where = f"contents[{place}]"
            fields = an_object({"parts": [content]} if isinstance(content, str) else content, where)
            role = self._role(fields, where)
            entries = [
                (_entry(part, f"{where}.parts[{at}]"), f"{where}.parts[{at}]")
                for at, part in enumerate(parts_of(fields, where))
            ]
            # the client of a stream sends back its chunks one by one: together they are the turn
            if contents and contents[-1][0] is role is Role.ASSISTANT:
                contents[-1][1].extend(entries)
            else:
                contents.append((role, entries))
        messages: list[Message] = []
        for role, entries in contents:
            self._add(messages, self._spoken(entries) if role is Role.ASSISTANT else self._said(entries))
        return messages

    @staticmethod
    def _role(fields: JsonObject, where: str) -> Role:
        named = take(fields, "role", str, where)
        role = _ROLES.get(named)
        if role is None:
            raise Unreadable(f"{where}.role must be user or model, not {named!r}")
        return role

    def _spoken(self, entries: list[tuple[Any, str]]) -> list[Message]:
        first = self._calls
        spoken = Spoken(lambda number: made_id("call_", "request", first + number))
        for part, where in entries:
            spoken.read(part, where)
        self._calls += spoken.calls
        parts, _ = in_place(tuple(gathered(spoken.parts, spoken.announced)))
        self._open += [(part.id, part.name) for part in parts if isinstance(part, ToolCall)]
        return [Message(Role.ASSISTANT, parts)] if parts else []

    def _said(self, entries: list[tuple[Any, str]]) -> list[Message]:
        parts: list[Part] = []
        for part, where in entries:
            fields = camelled(part)
            if fields.get("functionResponse") is not None:
                parts.append(self._result(fields, where))
            elif (said := read_user_part(part, where)) is not None:
                parts.append(said)
        return [
            Message(Role.TOOL if results else Role.USER, tuple(run))
            for results, run in groupby(parts, lambda part: isinstance(part, ToolResult))
        ]

    def _result(self, fields: JsonObject, where: str) -> ToolResult:
        where = f"{where}.functionResponse"
        response = an_object(fields["functionResponse"], where)
        name = need(response, "name", str, where)
        id_ = take(response, "id", str, where)
        known = next((call for call in self._open if (call[0] == id_ if id_ else call[1] == name)), None)
        if known is not None:
            self._open.remove(known)
            id_ = known[0]
        return read_response(response, id_ or made_id("call_", "request", "response", name), name, where)

    @staticmethod
    def _add(messages: list[Message], turn: list[Message]) -> None:
        for message in turn:
            last = messages[-1] if messages else None
            if last is not None and last.role is message.role is Role.TOOL:
                messages[-1] = Message(Role.TOOL, last.parts + message.parts)
            else:
                messages.append(message)


_WIRE_ROLES = {Role.ASSISTANT: "model", Role.TOOL: "user", Role.USER: "user"}


def _write_messages(messages: tuple[Message, ...]) -> JsonObject:
    """The fields `systemInstruction` (when there is one) and `contents`."""
    fields: JsonObject = {}
    if messages and messages[0].role is Role.SYSTEM:
        fields["systemInstruction"] = {"parts": write_parts(messages[0].parts)}
        messages = messages[1:]
    contents: list[JsonObject] = []
    for message in messages:
        role = _WIRE_ROLES[message.role]
        parts = write_parts(message.parts, vouches=message.role is Role.ASSISTANT)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    fields["contents"] = contents
    return fields


# Tools


def _read_tools(tools: list[Any]) -> list[Tool | OpaqueTool]:
    found: list[Tool | OpaqueTool] = []
    for place, tool in enumerate(tools):
        fields = an_object(tool, f"tools[{place}]")
        declared = take(fields, "functionDeclarations", list, f"tools[{place}]") or []
        for at, function in enumerate(declared):
            found.append(_read_function(function, f"tools[{place}].functionDeclarations[{at}]"))
        kind = fields.get("type")
        if isinstance(kind, str):
            found.append(OpaqueTool(NAME, kind, tool))
            continue
        found += [OpaqueTool(NAME, name, {name: held}) for name, held in fields.items() if held is not None]
    return found


def _read_function(function: Any, where: str) -> Tool:
    fields = an_object(function, where)
    name, description = need(fields, "name", str, where), take(fields, "description", str, where)
    parameters = take(fields, "parametersJsonSchema", dict, where)
    older = take(fields, "parameters", dict, where)
    if parameters is None and older is not None:
        parameters = json_schema(older)
    return Tool(name, description, parameters, None, None, rest(fields))


def _write_tools(tools: tuple[Tool | OpaqueTool, ...]) -> list[JsonObject]:
    functions = [_write_function(tool) for tool in tools if isinstance(tool, Tool)]
    others = [dict(tool.value) for tool in tools if isinstance(tool, OpaqueTool)]
    return [{"functionDeclarations": functions}, *others] if functions else others


def _write_function(tool: Tool) -> JsonObject:
    written: JsonObject = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.parameters is not None:
        written["parametersJsonSchema"] = tool.parameters
    return {**written, **own(tool.extra)}


# And back


def write_request(conversation: Conversation, quirks: Quirks) -> JsonObject:
    """The body for a conversation that was projected, without what the path says."""
    body = _write_messages(conversation.messages)
    if conversation.tools:
        body["tools"] = _write_tools(conversation.tools)
    body |= write_settings(conversation.settings, quirks)
    return with_dotted(body, own(conversation.extra))

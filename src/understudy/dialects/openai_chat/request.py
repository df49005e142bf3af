"""Requests: the body of `POST /v1/chat/completions` to a conversation, and back.

The older names are read, too: `functions`, role `function`. What is written is the book: `tools`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.conversation import (
    Conversation,
    Document,
    Image,
    Message,
    OpaqueTool,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import Unreadable, made_id, need, take, words
from understudy.dialects.openai_chat.content import calls_of, read_call, read_content, write_call, write_content
from understudy.dialects.openai_chat.reasoning import read_reasoning, write_reasoning
from understudy.dialects.openai_chat.settings import read_settings, write_settings
from understudy.dialects.openai_chat.wire import NAME, own, rest


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = dict(body)
    model = need(fields, "model", str)
    messages = _Messages().read(need(fields, "messages", list))
    tools = _read_tools(fields)
    settings = read_settings(fields)
    if fields.get("modalities") == ["text"]:
        del fields["modalities"]  # as if nothing had been said
    options = take(fields, "stream_options", dict) or {}
    include_usage = options.get("include_usage")
    if others := {name: held for name, held in options.items() if name != "include_usage" and held is not None}:
        fields["stream_options"] = others
    return Conversation(
        model=model,
        messages=messages,
        tools=tools,
        settings=settings,
        stream=take(fields, "stream", bool) or False,
        include_usage=include_usage if isinstance(include_usage, bool) else None,
        extra=rest(fields),
    )


# Messages

_ROLES = {role.value: role for role in Role} | {"function": Role.TOOL}


class _Messages:
    """Reads messages in order: a result without a call's id belongs to the earliest call of its name that has none yet."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []

    def read(self, found: list[Any]) -> tuple[Message, ...]:
        messages: list[Message] = []
        for place, item in enumerate(found):
            where = f"messages[{place}]"
            if not isinstance(item, dict):
                raise Unreadable(f"{where} must be an object")
            fields = dict(item)
            named = need(fields, "role", str, where)
            role = _ROLES.get(named)
            if role is None:
                raise Unreadable(f"{where}.role must be one of {', '.join(_ROLES)}")
            if role is Role.TOOL:
                result = self._result(fields, where)
                if messages and messages[-1].role is Role.TOOL:
                    messages[-1] = Message(Role.TOOL, (*messages[-1].parts, result))
                else:
                    messages.append(Message(Role.TOOL, (result,)))
            elif role is Role.ASSISTANT:
                messages.append(self._assistant(fields, place))
            else:
                mark = take(fields, "cache_control", dict, where)
                parts = _marked(read_content(fields.pop("content", None), f"{where}.content"), mark)
                messages.append(Message(role, tuple(parts), rest(fields)))
        return tuple(messages)

    def _assistant(self, fields: JsonObject, place: int) -> Message:
        where = f"messages[{place}]"
        mark = take(fields, "cache_control", dict, where)
        parts: list[Part] = [*read_reasoning(fields)]
        for name in ("reasoning_content", "reasoning", "reasoning_details"):
            fields.pop(name, None)
        parts += read_content(fields.pop("content", None), f"{where}.content")
        if refusal := take(fields, "refusal", str, where):
            parts.append(Refusal(refusal))
        calls = take(fields, "tool_calls", list, where) or []
        parts += [
            read_call(call, made_id("call_", "request", place, at), f"{where}.tool_calls[{at}]")
            for at, call in enumerate(calls)
        ]
        function = fields.pop("function_call", None)
        if isinstance(function, dict):
            parts.append(read_call({"function": function}, made_id("call_", "request", place, "function"), where))
        self._open += [(part.id, part.name) for part in parts if isinstance(part, ToolCall)]
        return Message(Role.ASSISTANT, tuple(_marked(parts, mark)), rest(fields))

    def _result(self, fields: JsonObject, where: str) -> ToolResult:
        call_id = take(fields, "tool_call_id", str, where)
        name = take(fields, "name", str, where)
        known = next(
            (call for call in self._open if call[0] == call_id or (not call_id and name in {None, call[1]})), None
        )
        if known is not None:
            self._open.remove(known)
            call_id = known[0]
        if not call_id:
            raise Unreadable(f"{where}.tool_call_id is missing: it must be the id of a tool call before it")
        return ToolResult(
            call_id,
            tuple(read_content(fields.pop("content", None), f"{where}.content")),
            name=name,
            cache=take(fields, "cache_control", dict, where),
            extra=rest(fields),
        )


def _marked(parts: list[Part], mark: JsonObject | None) -> list[Part]:
    """The parts, with a message's own cache mark on the last one that can bear it."""
    if mark is None:
        return parts
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if isinstance(part, Text | Image | Document):
            return [*parts[:place], replace(part, cache=part.cache or mark), *parts[place + 1 :]]
    return parts


# Tools


def _read_tools(fields: JsonObject) -> tuple[Tool | OpaqueTool, ...]:
    tools = take(fields, "tools", list) or []
    functions = take(fields, "functions", list) or []
    return tuple(
        [_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
        + [_read_tool({"function": function}, f"functions[{place}]") for place, function in enumerate(functions)]
    )


def _read_tool(tool: Any, where: str) -> Tool | OpaqueTool:
    if not isinstance(tool, dict):
        raise Unreadable(f"{where} must be an object")
    kind = tool.get("type", "function")
    if kind != "function":
        return OpaqueTool(NAME, words(kind) or "unknown", tool)
    fields = {name: held for name, held in tool.items() if name != "type"}
    function = dict(need(fields, "function", dict, where))
    where = f"{where}.function"
    name = need(function, "name", str, where)
    description = take(function, "description", str, where)
    parameters = take(function, "parameters", dict, where)
    strict = take(function, "strict", bool, where)
    function.pop("type", None)  # some clients repeat it here
    cache = take(fields, "cache_control", dict, where)
    others = rest(function)
    if others is not None:
        fields["function"] = others.fields
    return Tool(name, description, parameters, strict, cache, rest(fields))


# And back


def write_request(conversation: Conversation, quirks: Quirks) -> JsonObject:
    """The body for a conversation that was projected."""
    body: JsonObject = {"model": conversation.model, "messages": _write_messages(conversation.messages, quirks)}
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    body |= write_settings(conversation.settings, quirks.max_tokens_field or "max_completion_tokens")
    if conversation.stream:
        body["stream"] = True
    others = own(conversation.extra)
    if conversation.stream and conversation.include_usage and quirks.ask_usage:
        others = {**others, "stream_options": {**others.get("stream_options", {}), "include_usage": True}}
    body |= others
    for name in quirks.drop:
        body.pop(name, None)
    for name, theirs in quirks.names:
        if name in body:
            body[theirs] = body.pop(name)
    body.update(quirks.fields)
    return body


def _write_messages(messages: tuple[Message, ...], quirks: Quirks) -> list[JsonObject]:
    roles = dict(quirks.roles)
    written: list[JsonObject] = []
    for message in messages:
        if message.role is Role.TOOL:
            written += [_write_result(part) for part in message.parts if isinstance(part, ToolResult)]
        elif message.role is Role.ASSISTANT:
            written.append(_write_assistant(message, quirks))
        else:
            role = roles.get(message.role, message.role.value)
            written.append(
                {"role": role, "content": write_content(list(message.parts), absent=""), **own(message.extra)}
            )
    return written


def _write_result(result: ToolResult) -> JsonObject:
    written: JsonObject = {"role": "tool", "tool_call_id": result.call_id}
    written["content"] = write_content(list(result.parts), absent="")
    if result.cache is not None:
        written["cache_control"] = result.cache
    return {**written, **own(result.extra)}


def _write_assistant(message: Message, quirks: Quirks) -> JsonObject:
    written: JsonObject = {"role": "assistant"}
    written |= write_spoken(message.parts, quirks.reasoning_field or "reasoning_content")
    if written["content"] is None and "tool_calls" not in written and "refusal" not in written:
        written["content"] = ""
    return {**written, **own(message.extra)}


def write_spoken(parts: tuple[Part, ...], reasoning_field: str) -> JsonObject:
    """What an assistant said, as the fields of a message in a request or an answer."""
    thoughts: list[Reasoning] = []
    said: list[Part] = []
    refusal = ""
    calls = calls_of(parts)
    for part in parts:
        if isinstance(part, Reasoning):
            thoughts.append(part)
        elif isinstance(part, Refusal):
            refusal += part.text
        elif not any(part is call for call in calls):
            said.append(part)
    written: JsonObject = {"content": write_content(said, absent=None)}
    if refusal:
        written["refusal"] = refusal
    written |= write_reasoning(thoughts, reasoning_field)
    if calls:
        written["tool_calls"] = [write_call(call) for call in calls]
    return written


def _write_tool(tool: Tool | OpaqueTool) -> JsonObject:
    if isinstance(tool, OpaqueTool):
        return dict(tool.value)
    function: JsonObject = {"name": tool.name}
    for name in ("description", "parameters", "strict"):
        if (held := getattr(tool, name)) is not None:
            function[name] = held
    others = own(tool.extra)
    written: JsonObject = {"type": "function", "function": {**function, **others.get("function", {})}}
    if tool.cache is not None:
        written["cache_control"] = tool.cache
    return {**{name: held for name, held in others.items() if name != "function"}, **written}

"""Requests: the body of `POST /v1/messages` to a conversation, and back.

On the wire the system prompt stands outside the messages and tool results inside user turns. In a conversation both are
messages: leading system turns go to `system` and come from there (later ones stay where they are), and a user turn is cut
where tool results and words meet.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from understudy.core.conversation import (
    Conversation,
    Extra,
    Format,
    Message,
    OpaqueTool,
    Part,
    ReasoningSettings,
    Role,
    Settings,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, need, take
from understudy.dialects.anthropic_messages.blocks import read_content, write_content
from understudy.dialects.anthropic_messages.wire import NAME, own, rest

_NUMBER = (int, float)


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = dict(body)
    model = need(fields, "model", str, "")
    messages = _read_messages(fields.pop("system", None), need(fields, "messages", list, ""))
    tools = tuple(
        [_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(take(fields, "tools", list, "") or ())]
    )
    settings = _read_settings(fields)
    return Conversation(
        model=model,
        messages=messages,
        tools=tools,
        settings=settings,
        stream=take(fields, "stream", bool, "") or False,
        extra=rest(fields),
    )


# Messages

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}


def _read_messages(system: Any, turns: list[Any]) -> tuple[Message, ...]:
    messages: list[Message] = []
    if parts := read_content(system, "system"):
        messages.append(Message(Role.SYSTEM, parts))
    for place, turn in enumerate(turns):
        for message in _read_turn(turn, f"messages[{place}]"):
            _append(messages, message)
    return tuple(messages)


def _append(messages: list[Message], message: Message) -> None:
    """Add a message; tool results join those before them, and leading system turns are one."""
    last = messages[-1] if messages else None
    if last is not None and last.role is message.role and last.extra is None and message.extra is None:
        leading = len(messages) == 1 and message.role is Role.SYSTEM
        if leading or message.role is Role.TOOL:
            messages[-1] = Message(last.role, last.parts + message.parts)
            return
    messages.append(message)


def _read_turn(turn: Any, where: str) -> list[Message]:
    if not isinstance(turn, dict):
        raise Unreadable(f"{where} must be an object")
    fields = dict(turn)
    named = need(fields, "role", str, where)
    role = _ROLES.get(named)
    if role is None:
        raise Unreadable(f"{where}.role must be user, assistant or system, not {named!r}")
    if "content" not in fields:
        raise Unreadable(f"{where}.content is missing")
    parts = read_content(fields.pop("content"), f"{where}.content")
    extra = rest(fields)
    if role is not Role.USER or not any(isinstance(part, ToolResult) for part in parts):
        return [Message(role, parts, extra)]
    return [
        Message(Role.TOOL if results else Role.USER, tuple(run), extra)
        for results, run in groupby(parts, lambda part: isinstance(part, ToolResult))
    ]


def _write_messages(messages: tuple[Message, ...]) -> JsonObject:
    """The fields `system` (when there is one) and `messages`."""
    system, turns = _leading_system(messages)
    fields: JsonObject = {}
    if system:
        fields["system"] = write_content(system)
    written: list[JsonObject] = []
    open_to_more = False
    run: tuple[Part, ...] = ()
    for message in turns:
        role = "user" if message.role in {Role.TOOL, Role.USER} else _WIRE_ROLES[message.role]
        if open_to_more and message.extra is None and written[-1]["role"] == role:
            run += message.parts
        else:
            run = message.parts
            written.append({"role": role, **own(message.extra)})
            open_to_more = message.extra is None
        written[-1]["content"] = write_content(run) if run else []
    fields["messages"] = written
    return fields


_WIRE_ROLES = {Role.ASSISTANT: "assistant", Role.SYSTEM: "system", Role.DEVELOPER: "system"}


def _leading_system(messages: tuple[Message, ...]) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    """The texts that open the conversation as its system prompt, and the messages behind them.

    `system` takes nothing but text: from the first other part on, the turn stays among the messages.
    """
    system: list[Part] = []
    for place, message in enumerate(messages):
        if message.role not in {Role.SYSTEM, Role.DEVELOPER} or message.extra is not None:
            return tuple(system), messages[place:]
        texts = next((n for n, part in enumerate(message.parts) if not isinstance(part, Text)), len(message.parts))
        system += message.parts[:texts]
        if texts < len(message.parts):
            return tuple(system), (Message(message.role, message.parts[texts:]), *messages[place + 1 :])
    return tuple(system), ()


# Tools


def _read_tool(tool: Any, where: str) -> Tool | OpaqueTool:
    if not isinstance(tool, dict):
        raise Unreadable(f"{where} must be an object")
    fields = dict(tool)
    kind = take(fields, "type", str, where)
    if kind not in {None, "custom"}:
        return OpaqueTool(NAME, kind, tool)
    return Tool(
        need(fields, "name", str, where),
        take(fields, "description", str, where),
        take(fields, "input_schema", dict, where),
        take(fields, "strict", bool, where),
        take(fields, "cache_control", dict, where),
        rest(fields),
    )


def _write_tool(tool: Tool | OpaqueTool) -> JsonObject:
    if isinstance(tool, OpaqueTool):
        return dict(tool.value)
    fields: JsonObject = {"name": tool.name}
    if tool.description is not None:
        fields["description"] = tool.description
    if tool.parameters is not None:
        fields["input_schema"] = tool.parameters
    if tool.strict is not None:
        fields["strict"] = tool.strict
    if tool.cache is not None:
        fields["cache_control"] = tool.cache
    return {**fields, **own(tool.extra)}


# Settings

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_WIRE_CHOICES = {mode: name for name, mode in _CHOICES.items()}


def _read_settings(fields: JsonObject) -> Settings:
    """The settings; what is left of objects such as `output_config` goes back into `fields`."""
    choice, parallel = _read_choice(take(fields, "tool_choice", dict, ""))
    output = dict(take(fields, "output_config", dict, "") or {})
    format_ = _read_format(take(output, "format", dict, "output_config"), "output_config.format")
    older = _read_format(take(fields, "output_format", dict, ""), "output_format")
    reasoning = _read_reasoning(fields, output)
    metadata = dict(take(fields, "metadata", dict, "") or {})
    user = take(metadata, "user_id", str, "metadata")
    for name, left in (("output_config", output), ("metadata", metadata)):
        if left:
            fields[name] = left
    stop = take(fields, "stop_sequences", list, "") or []
    if not all(isinstance(sequence, str) for sequence in stop):
        raise Unreadable("stop_sequences must be a list of strings")
    return Settings(
        max_tokens=take(fields, "max_tokens", int, ""),
        temperature=take(fields, "temperature", _NUMBER, ""),
        top_p=take(fields, "top_p", _NUMBER, ""),
        top_k=take(fields, "top_k", int, ""),
        stop=tuple(stop),
        user=user,
        tool_choice=choice,
        parallel_tools=parallel,
        format=format_ or older,
        reasoning=reasoning,
    )


def _read_choice(choice: JsonObject | None) -> tuple[ToolChoice | None, bool | None]:
    if choice is None:
        return None, None
    fields = dict(choice)
    kind = need(fields, "type", str, "tool_choice")
    disabled = take(fields, "disable_parallel_tool_use", bool, "tool_choice")
    parallel = None if disabled is None else not disabled
    if kind == "tool":
        return ToolChoice("named", (need(fields, "name", str, "tool_choice"),)), parallel
    if kind not in _CHOICES:
        raise Unreadable(f"tool_choice.type must be auto, any, tool or none, not {kind!r}")
    return ToolChoice(_CHOICES[kind]), parallel


def _read_format(found: JsonObject | None, where: str) -> Format | None:
    if found is None:
        return None
    kind = need(dict(found), "type", str, where)
    if kind != "json_schema":
        raise Unreadable(f"{where}.type must be json_schema, not {kind!r}")
    return Format(kind, need(dict(found), "schema", dict, where))


def _read_reasoning(fields: JsonObject, output: JsonObject) -> ReasoningSettings | None:
    if not output and fields.get("thinking") is None:
        return None
    thinking = dict(take(fields, "thinking", dict, "") or {})
    mode = take(thinking, "type", str, "thinking")
    settings = ReasoningSettings(
        effort=take(output, "effort", str, "output_config"),
        budget_tokens=take(thinking, "budget_tokens", int, "thinking"),
        mode=mode,
        display=take(thinking, "display", str, "thinking"),
    )
    if thinking:
        fields["thinking"] = thinking
    return None if settings == ReasoningSettings() else settings


def _write_settings(settings: Settings) -> JsonObject:
    fields: JsonObject = {
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "stop_sequences": list(settings.stop) or None,
        "tool_choice": _write_choice(settings),
        "thinking": _write_thinking(settings.reasoning),
        "output_config": _write_output(settings),
        "metadata": None if settings.user is None else {"user_id": settings.user},
    }
    return {name: found for name, found in fields.items() if found is not None}


def _write_choice(settings: Settings) -> JsonObject | None:
    choice = settings.tool_choice
    if choice is None:
        return None
    named = choice.mode == "named"
    fields: JsonObject = {"type": "tool", "name": choice.names[0]} if named else {"type": _WIRE_CHOICES[choice.mode]}
    if settings.parallel_tools is not None:
        fields["disable_parallel_tool_use"] = not settings.parallel_tools
    return fields


def _write_thinking(reasoning: ReasoningSettings | None) -> JsonObject | None:
    if reasoning is None:
        return None
    fields = {"type": reasoning.mode, "budget_tokens": reasoning.budget_tokens, "display": reasoning.display}
    return {name: found for name, found in fields.items() if found is not None} or None


def _write_output(settings: Settings) -> JsonObject | None:
    fields: JsonObject = {}
    if settings.reasoning is not None and settings.reasoning.effort is not None:
        fields["effort"] = settings.reasoning.effort
    if settings.format is not None:
        fields["format"] = {"type": settings.format.kind, "schema": settings.format.schema}
    return fields or None


def write_request(conversation: Conversation) -> JsonObject:
    """The body, before it is encoded."""
    settings = conversation.settings
    fields: JsonObject = {"model": conversation.model}
    if settings.max_tokens is not None:
        fields["max_tokens"] = settings.max_tokens
    fields.update(_write_messages(conversation.messages))
    if conversation.tools:
        fields["tools"] = [_write_tool(tool) for tool in conversation.tools]
    fields.update(_write_settings(settings))
    if conversation.stream:
        fields["stream"] = True
    return _with_extra(fields, conversation.extra)


def _with_extra(fields: JsonObject, extra: Extra | None) -> JsonObject:
    """The fields that only this dialect knows; those of a half-known object go back into it."""
    for name, found in own(extra).items():
        known = fields.get(name)
        fields[name] = {**known, **found} if isinstance(known, dict) and isinstance(found, dict) else found
    return fields

"""Requests: the body of `POST /v1/chat/completions` to a conversation, and back.

The older names are read, too: `functions`, `function_call`, role `function`, `max_tokens`; so are the thinking switches of
compatible servers (`reasoning`, `thinking`). What is written is the book: `tools`, `max_completion_tokens`, `reasoning_effort`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.conversation import (
    Conversation,
    Document,
    Format,
    Image,
    Message,
    OpaqueTool,
    Part,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import NUMBER, Unreadable, made_id, need, take, words
from understudy.dialects.openai_chat.content import calls_of, read_call, read_content, write_call, write_content
from understudy.dialects.openai_chat.reasoning import read_reasoning, write_reasoning
from understudy.dialects.openai_chat.wire import NAME, own, rest

# Setting -> (field, its kind): where one field is one setting.
_PLAIN_SETTINGS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_k": ("top_k", int),
    "seed": ("seed", int),
    "n": ("n", int),
    "frequency_penalty": ("frequency_penalty", NUMBER),
    "presence_penalty": ("presence_penalty", NUMBER),
    "logit_bias": ("logit_bias", dict),
    "logprobs": ("logprobs", bool),
    "top_logprobs": ("top_logprobs", int),
    "user": ("user", str),
    "parallel_tools": ("parallel_tool_calls", bool),
}


def read_request(body: Any) -> Conversation:
    """The conversation in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict):
        raise Unreadable("the body must be a JSON object")
    fields = dict(body)
    model = need(fields, "model", str)
    messages = _Messages().read(need(fields, "messages", list))
    tools = _read_tools(fields)
    settings = _read_settings(fields)
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


# Tools and settings


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


def _read_settings(fields: JsonObject) -> Settings:
    found: JsonObject = {name: take(fields, field, kind) for name, (field, kind) in _PLAIN_SETTINGS.items()}
    bound = take(fields, "max_completion_tokens", int)
    older = take(fields, "max_tokens", int)
    return Settings(
        max_tokens=older if bound is None else bound,
        stop=_read_stop(fields),
        tool_choice=_read_tool_choice(fields),
        format=_read_format(fields),
        reasoning=_read_reasoning_settings(fields),
        **found,
    )


def _read_stop(fields: JsonObject) -> tuple[str, ...]:
    stop = take(fields, "stop", (str, list))
    listed = [stop] if isinstance(stop, str) else stop or []
    if not all(isinstance(one, str) for one in listed):
        raise Unreadable("stop must be a string or a list of strings")
    return tuple(one for one in listed if one)


def _read_tool_choice(fields: JsonObject) -> ToolChoice | None:
    choice = fields.pop("tool_choice", None)
    older = fields.pop("function_call", None)
    found = choice if choice is not None else older
    if isinstance(found, str):
        mode = {"any": "required"}.get(found, found)  # Mistral's word
        if mode in {"auto", "none", "required"}:
            return ToolChoice(mode)
    if isinstance(found, dict):
        if isinstance(name := _name_of(found), str):
            return ToolChoice("named", (name,))
        allowed = found.get("allowed_tools")
        if isinstance(allowed, dict) and allowed.get("mode") in ("auto", "required"):
            tools = allowed.get("tools")
            names = [_name_of(tool) for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
            if names and all(isinstance(name, str) for name in names):
                return ToolChoice(allowed["mode"], tuple(map(words, names)))
    if found is not None:
        fields["tool_choice"] = found  # a tool that the provider runs, or a word of its own
    return None


def _name_of(found: JsonObject) -> Any:
    """The function that a choice names; in the older form the name stands alone."""
    function = found.get("function")
    return function.get("name") if isinstance(function, dict) else found.get("name") if len(found) == 1 else None


def _read_format(fields: JsonObject) -> Format | None:
    found = take(fields, "response_format", dict)
    if found is None:
        return None
    kind, schema = found.get("type"), found.get("json_schema")
    if kind in ("text", "json_object") and schema is None:
        return Format(kind)
    if kind == "json_schema" and isinstance(schema, dict):
        about = dict(schema)
        where = "response_format.json_schema"
        form = Format(
            "json_schema",
            take(about, "schema", dict, where),
            take(about, "name", str, where),
            take(about, "strict", bool, where),
            take(about, "description", str, where),
        )
        if not about:
            return form
    fields["response_format"] = found
    return None


def _read_reasoning_settings(fields: JsonObject) -> ReasoningSettings | None:
    """How much to think: OpenAI's effort, or the switches of OpenRouter (`reasoning`), DeepSeek and Z.ai (`thinking`)."""
    effort = take(fields, "reasoning_effort", str)
    budget: int | None = None
    mode: str | None = None
    about = fields.pop("reasoning", None)
    if isinstance(about, dict):
        about = dict(about)
        effort = effort or take(about, "effort", str, "reasoning")
        budget = take(about, "max_tokens", int, "reasoning")
        enabled = take(about, "enabled", bool, "reasoning")
        mode = None if enabled is None else "enabled" if enabled else "disabled"
    if about:
        fields["reasoning"] = about
    switch = fields.pop("thinking", None)
    if isinstance(switch, dict):
        switch = dict(switch)
        mode = take(switch, "type", str, "thinking") or mode
        budget = take(switch, "budget_tokens", int, "thinking") or budget
    if switch:
        fields["thinking"] = switch
    found = ReasoningSettings(effort, budget, mode)
    return None if found == ReasoningSettings() else found


# And back


def write_request(conversation: Conversation, quirks: Quirks) -> JsonObject:
    """The body for a conversation that was projected."""
    settings = conversation.settings
    body: JsonObject = {"model": conversation.model, "messages": _write_messages(conversation.messages, quirks)}
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    if settings.tool_choice is not None:
        body["tool_choice"] = _write_tool_choice(settings.tool_choice)
    if settings.max_tokens is not None:
        body[quirks.max_tokens_field or "max_completion_tokens"] = settings.max_tokens
    for name, (field, _) in _PLAIN_SETTINGS.items():
        if (held := getattr(settings, name)) is not None:
            body[field] = held
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.format is not None:
        body["response_format"] = _write_format(settings.format)
    if settings.reasoning is not None and settings.reasoning.effort is not None:
        body["reasoning_effort"] = settings.reasoning.effort
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


def _write_tool_choice(choice: ToolChoice) -> Any:
    if choice.mode == "named":
        return {"type": "function", "function": {"name": choice.names[0]}}
    if choice.names:
        tools = [{"type": "function", "function": {"name": name}} for name in choice.names]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}
    return choice.mode


def _write_format(form: Format) -> JsonObject:
    if form.kind != "json_schema":
        return {"type": form.kind}
    schema = {
        name: held for name in ("name", "description", "schema", "strict") if (held := getattr(form, name)) is not None
    }
    return {"type": "json_schema", "json_schema": schema}

"""Settings of a request: fields beside messages and tools.

The older names are read, too: `function_call`, `max_tokens`; so are the thinking switches of compatible servers (`reasoning`,
`thinking`). What is written is the book: `tool_choice`, `max_completion_tokens`, `reasoning_effort`.
"""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Format, ReasoningSettings, Settings, ToolChoice
from understudy.core.value import JsonObject
from understudy.dialects._reading import NUMBER, Unreadable, take, words

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


def read_settings(fields: JsonObject) -> Settings:
    """Takes them out of a body; what it does not understand stays. Raises `Unreadable`."""
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


def write_settings(settings: Settings, max_tokens_field: str) -> JsonObject:
    """Their fields. `max_tokens_field`: the name of the bound on the answer."""
    body: JsonObject = {}
    if settings.tool_choice is not None:
        body["tool_choice"] = _write_tool_choice(settings.tool_choice)
    if settings.max_tokens is not None:
        body[max_tokens_field] = settings.max_tokens
    for name, (field, _) in _PLAIN_SETTINGS.items():
        if (held := getattr(settings, name)) is not None:
            body[field] = held
    if settings.stop:
        body["stop"] = list(settings.stop)
    if settings.format is not None:
        body["response_format"] = _write_format(settings.format)
    if settings.reasoning is not None and settings.reasoning.effort is not None:
        body["reasoning_effort"] = settings.reasoning.effort
    return body


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

"""Tools, their choice, the shape of the answer, how much to think: as Responses writes them, and back."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Format, OpaqueTool, ReasoningSettings, Settings, Tool, ToolChoice
from understudy.core.value import JsonObject
from understudy.dialects._reading import NUMBER, Unreadable, need, take, words
from understudy.dialects.openai_responses.wire import NAME, own, rest

# Setting -> (field, its kind): where one field is one setting.
PLAIN: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "max_tokens": ("max_output_tokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_logprobs": ("top_logprobs", int),
    "user": ("user", str),
    "parallel_tools": ("parallel_tool_calls", bool),
}
LOGPROBS = "message.output_text.logprobs"
"""The entry of `include` that asks for log probabilities."""


def read_tools(fields: JsonObject) -> tuple[Tool | OpaqueTool, ...]:
    """The tools: functions, and those that only this API knows."""
    return tuple([_read_tool(tool, f"tools[{place}]") for place, tool in enumerate(take(fields, "tools", list) or [])])


def _read_tool(tool: Any, where: str) -> Tool | OpaqueTool:
    if not isinstance(tool, dict):
        raise Unreadable(f"{where} must be an object")
    kind = tool.get("type", "function")
    if kind != "function":
        return OpaqueTool(NAME, words(kind) or "unknown", tool)
    fields = {name: held for name, held in tool.items() if name != "type"}
    return Tool(
        need(fields, "name", str, where),
        take(fields, "description", str, where),
        take(fields, "parameters", dict, where),
        take(fields, "strict", bool, where),
        extra=rest(fields),
    )


def read_settings(fields: JsonObject) -> Settings:
    """Everything that steers; what only this API knows stays in `fields`."""
    found: JsonObject = {name: take(fields, field, kind) for name, (field, kind) in PLAIN.items()}
    return Settings(
        tool_choice=_read_choice(fields),
        format=_read_format(fields),
        reasoning=_read_reasoning(fields),
        logprobs=_read_include(fields),
        **found,
    )


def _read_choice(fields: JsonObject) -> ToolChoice | None:
    found = fields.pop("tool_choice", None)
    if found in ("auto", "none", "required"):
        return ToolChoice(found)
    if isinstance(found, dict):
        if found.keys() == {"type", "name"} and found["type"] == "function" and isinstance(found["name"], str):
            return ToolChoice("named", (found["name"],))
        if found.get("type") == "allowed_tools" and found.get("mode") in ("auto", "required"):
            offered = found.get("tools")
            tools = offered if isinstance(offered, list) else []
            names = [tool.get("name") for tool in tools if isinstance(tool, dict) and tool.get("type") == "function"]
            if names and len(names) == len(tools) and all(isinstance(name, str) for name in names):
                return ToolChoice(found["mode"], tuple(map(words, names)))
    if found is not None:
        fields["tool_choice"] = found  # a tool that the provider runs, or a word of its own
    return None


def _read_format(fields: JsonObject) -> Format | None:
    about = dict(take(fields, "text", dict) or {})
    found = take(about, "format", dict, "text")
    form = None if found is None else _format(dict(found))
    if found is not None and form is None:
        about["format"] = found
    if left := {name: held for name, held in about.items() if held is not None}:
        fields["text"] = left
    return form


def _format(found: JsonObject) -> Format | None:
    kind = found.pop("type", None)
    if kind in ("text", "json_object") and not found:
        return Format(kind)
    if kind != "json_schema":
        return None
    where = "text.format"
    form = Format(
        kind,
        take(found, "schema", dict, where),
        take(found, "name", str, where),
        take(found, "strict", bool, where),
        take(found, "description", str, where),
    )
    return None if found else form


def _read_reasoning(fields: JsonObject) -> ReasoningSettings | None:
    """How much to think. A summary that is asked for is shown; how long it is to be only this API says."""
    about = dict(take(fields, "reasoning", dict) or {})
    effort = take(about, "effort", str, "reasoning")
    summary = take(about, "summary", str, "reasoning")
    if summary not in (None, "auto"):
        about["summary"] = summary
    if left := {name: held for name, held in about.items() if held is not None}:
        fields["reasoning"] = left
    found = ReasoningSettings(effort, display=None if summary is None else "summarized")
    return None if found == ReasoningSettings() else found


def _read_include(fields: JsonObject) -> bool | None:
    """Whether log probabilities are asked for; what else is to be included stays."""
    asked = take(fields, "include", list) or []
    if left := [one for one in asked if one != LOGPROBS]:
        fields["include"] = left
    return True if LOGPROBS in asked else None


# And back


def write_settings(settings: Settings, others: JsonObject) -> JsonObject:
    """The fields for settings that were projected. `others`: what only this API knows, which goes first into shared ones."""
    written: JsonObject = {
        field: held for name, (field, _) in PLAIN.items() if (held := getattr(settings, name)) is not None
    }
    if settings.tool_choice is not None:
        written["tool_choice"] = _write_choice(settings.tool_choice)
    if settings.format is not None:
        written["text"] = {"format": _write_format(settings.format)}
    asked = settings.reasoning
    if asked is not None:
        written["reasoning"] = {} if asked.effort is None else {"effort": asked.effort}
        if asked.display is not None:
            written["reasoning"]["summary"] = "auto"
    if settings.logprobs:
        written["include"] = [LOGPROBS]
    for name, held in others.items():
        ours = written.get(name)
        if isinstance(ours, dict) and isinstance(held, dict):
            written[name] = {**ours, **held}
        else:
            written[name] = [*held, *ours] if isinstance(ours, list) and isinstance(held, list) else held
    return written


def write_tool(tool: Tool | OpaqueTool) -> JsonObject:
    """One entry of `tools`."""
    if isinstance(tool, OpaqueTool):
        return dict(tool.value)
    written: JsonObject = {"type": "function", "name": tool.name}
    for name in ("description", "parameters", "strict"):
        if (held := getattr(tool, name)) is not None:
            written[name] = held
    return {**written, **own(tool.extra)}


def _write_choice(choice: ToolChoice) -> Any:
    if choice.mode == "named":
        return {"type": "function", "name": choice.names[0]}
    if choice.names:
        tools = [{"type": "function", "name": name} for name in choice.names]
        return {"type": "allowed_tools", "mode": choice.mode, "tools": tools}
    return choice.mode


def _write_format(form: Format) -> JsonObject:
    written: JsonObject = {"type": form.kind}
    if form.kind == "json_schema":
        for name in ("name", "description", "schema", "strict"):
            if (held := getattr(form, name)) is not None:
                written[name] = held
    return written

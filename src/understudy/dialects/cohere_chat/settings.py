"""Settings of a request to what every format shares, and back."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Format, ReasoningSettings, Settings, ToolChoice
from understudy.core.value import JsonObject
from understudy.dialects._fields import strings, take
from understudy.dialects._reading import NUMBER

# Setting -> (field, its kind): where one is the other.
_PLAIN: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "max_tokens": ("max_tokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("p", NUMBER),
    "top_k": ("k", int),
    "seed": ("seed", int),
    "frequency_penalty": ("frequency_penalty", NUMBER),
    "presence_penalty": ("presence_penalty", NUMBER),
}
_CHOICES = {"required": "REQUIRED", "none": "NONE"}
_BUDGET = "token_budget"


def read_settings(fields: JsonObject) -> Settings:
    """Take the settings out of a request's fields. Raises `Unreadable`."""
    found: JsonObject = {name: take(fields, field, kind) for name, (field, kind) in _PLAIN.items()}
    return Settings(
        stop=strings(fields, "stop_sequences"),
        tool_choice=_read_choice(fields),
        format=_read_format(fields),
        reasoning=_read_thinking(fields),
        **found,
    )


def _read_choice(fields: JsonObject) -> ToolChoice | None:
    found = take(fields, "tool_choice", str)
    if found is None:
        return None
    if found.lower() in _CHOICES:
        return ToolChoice(found.lower())
    fields["tool_choice"] = found
    return None


def _read_format(fields: JsonObject) -> Format | None:
    found = take(fields, "response_format", dict)
    if found is None:
        return None
    about = dict(found)
    kind = about.pop("type", "text")
    schema = about.pop("json_schema", None) or about.pop("schema", None)  # the older name
    if kind == "text" and not about and schema is None:
        return Format("text")
    if kind == "json_object" and not about and isinstance(schema, dict | None):
        return Format("json_object") if schema is None else Format("json_schema", schema)
    fields["response_format"] = found
    return None


def _read_thinking(fields: JsonObject) -> ReasoningSettings | None:
    found = take(fields, "thinking", dict)
    if found is None:
        return None
    about = dict(found)
    mode = take(about, "type", str, "thinking")
    budget = take(about, _BUDGET, int, "thinking")
    if about:
        fields["thinking"] = about
    settings = ReasoningSettings(budget_tokens=budget, mode=mode)
    return None if settings == ReasoningSettings() else settings


def write_settings(settings: Settings) -> JsonObject:
    """The members for settings that were projected."""
    written: JsonObject = {
        field: held for name, (field, _) in _PLAIN.items() if (held := getattr(settings, name)) is not None
    }
    if settings.stop:
        written["stop_sequences"] = list(settings.stop)
    if settings.tool_choice is not None:
        written["tool_choice"] = _CHOICES[settings.tool_choice.mode]
    if settings.format is not None:
        written["response_format"] = _write_format(settings.format)
    if settings.reasoning is not None:
        written["thinking"] = _write_thinking(settings.reasoning)
    return written


def _write_format(form: Format) -> JsonObject:
    if form.kind == "text":
        return {"type": "text"}
    written: JsonObject = {"type": "json_object"}
    return written if form.schema is None else {**written, "json_schema": form.schema}


def _write_thinking(asked: ReasoningSettings) -> JsonObject:
    written: dict[str, Any] = {"type": asked.mode}
    return written if asked.budget_tokens is None else {**written, _BUDGET: asked.budget_tokens}

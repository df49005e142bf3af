"""Settings: `options`, `format` and `think` to what every format shares, and back."""

from __future__ import annotations

from typing import Any

from understudy.core.conversation import Format, ReasoningSettings, Settings
from understudy.core.value import JsonObject
from understudy.dialects._fields import strings, take
from understudy.dialects._reading import NUMBER, Unreadable
from understudy.dialects.ollama_chat.wire import OPTIONS

# Setting -> (its name among the options, its kind): where one is the other.
_PLAIN: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "temperature": ("temperature", NUMBER),
    "top_p": ("top_p", NUMBER),
    "top_k": ("top_k", int),
    "seed": ("seed", int),
    "frequency_penalty": ("frequency_penalty", NUMBER),
    "presence_penalty": ("presence_penalty", NUMBER),
}
BOUND = "num_predict"
_JSON = "json"

UNCUT = {"truncate": False, "shift": False}
"""A prompt that is too long for the model's window is refused, and an answer that fills it ends, rather than that the oldest turns
vanish without a word (since 0.12.6; older servers ignore both). What is so by default is not said in a conversation."""


def read_settings(fields: JsonObject) -> Settings:
    """Take the settings out of a request's fields; options that are nobody else's stay, as `options.name`. Raises `Unreadable`."""
    options = dict(take(fields, OPTIONS, dict) or {})
    found: JsonObject = {name: take(options, option, kind, OPTIONS) for name, (option, kind) in _PLAIN.items()}
    bound = take(options, BOUND, int, OPTIONS)
    if bound is not None and bound < 0:
        options[BOUND] = bound  # no bound at all (-1), or the rest of the window (-2)
        bound = None
    settings = Settings(
        max_tokens=bound,
        stop=strings(options, "stop", OPTIONS),
        format=_read_format(fields),
        reasoning=_read_thinking(fields),
        **found,
    )
    fields |= {f"{OPTIONS}.{name}": held for name, held in options.items()}
    return settings


def _read_format(fields: JsonObject) -> Format | None:
    found = take(fields, "format", (str, dict))
    if not found and not isinstance(found, dict):
        return None
    if isinstance(found, dict):
        return Format("json_schema", found)
    if found != _JSON:
        raise Unreadable('format must be "json" or a JSON schema')
    return Format("json_object")


def _read_thinking(fields: JsonObject) -> ReasoningSettings | None:
    found = take(fields, "think", (bool, str))
    if found is None or found == "":
        return None
    if isinstance(found, bool):
        return ReasoningSettings(mode="enabled" if found else "disabled")
    return ReasoningSettings(effort=found)


def write_settings(settings: Settings) -> JsonObject:
    """The members for settings that were projected."""
    written: JsonObject = {}
    options: JsonObject = {
        option: held for name, (option, _) in _PLAIN.items() if (held := getattr(settings, name)) is not None
    }
    if settings.max_tokens is not None:
        options[BOUND] = settings.max_tokens
    if settings.stop:
        options["stop"] = list(settings.stop)
    if options:
        written[OPTIONS] = options
    if settings.format is not None:
        written["format"] = _write_format(settings.format)
    if settings.reasoning is not None:
        written["think"] = _write_thinking(settings.reasoning)
    return written


def _write_format(form: Format) -> Any:
    return _JSON if form.schema is None else form.schema


def _write_thinking(asked: ReasoningSettings) -> Any:
    return asked.mode != "disabled" if asked.effort is None else asked.effort

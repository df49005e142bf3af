"""What steers an answer: `generationConfig` and `toolConfig` to settings, and back.

What only this API knows in them stays beside the conversation under its whole name, such as `generationConfig.speechConfig`, so that
its loss is told by that name.
"""

from __future__ import annotations

from understudy.core.conversation import Format, ReasoningSettings, Settings, ToolChoice
from understudy.core.projection import effort_of
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import NUMBER, Unreadable
from understudy.dialects.gemini.schema import json_schema
from understudy.dialects.gemini.wire import an_object, take

CONFIG, TOOLS = "generationConfig", "toolConfig"

# Setting -> (field, its kind): where one field is one setting.
_PLAIN: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "max_tokens": ("maxOutputTokens", int),
    "temperature": ("temperature", NUMBER),
    "top_p": ("topP", NUMBER),
    "top_k": ("topK", int),
    "seed": ("seed", int),
    "n": ("candidateCount", int),
    "frequency_penalty": ("frequencyPenalty", NUMBER),
    "presence_penalty": ("presencePenalty", NUMBER),
}

_JSON = "application/json"
_DYNAMIC = -1  # a thinking budget that the model sets itself


def read_settings(fields: JsonObject) -> Settings:
    """The settings; what is left of the two objects goes back into `fields`, under dotted names. Raises `Unreadable`."""
    config = _taken(fields, CONFIG)
    found: JsonObject = {name: take(config, field, kind, CONFIG) for name, (field, kind) in _PLAIN.items()}
    stop = take(config, "stopSequences", list, CONFIG) or []
    if not all(isinstance(sequence, str) for sequence in stop):
        raise Unreadable(f"{CONFIG}.stopSequences must be a list of strings")
    if config.get("responseModalities") == ["TEXT"]:
        del config["responseModalities"]  # as if nothing had been said
    settings = Settings(
        stop=tuple(stop),
        format=_read_format(config),
        reasoning=_read_reasoning(config),
        tool_choice=_read_choice(fields),
        **found,
    )
    fields |= {f"{CONFIG}.{name}": held for name, held in config.items()}
    return settings


def _taken(fields: JsonObject, name: str) -> JsonObject:
    held = fields.pop(name, None)
    return {} if held is None else an_object(held, name)


def _read_format(config: JsonObject) -> Format | None:
    media_type = take(config, "responseMimeType", str, CONFIG)
    schema = take(config, "responseJsonSchema", dict, CONFIG)
    older = take(config, "responseSchema", dict, CONFIG)
    if older is not None and schema is None:
        schema = json_schema(older)
    if media_type in {None, _JSON} and schema is not None:
        return Format("json_schema", schema)
    if media_type == _JSON:
        return Format("json_object")
    if media_type == "text/plain" and schema is None:
        return Format("text")
    if media_type is not None:  # a form of its own, such as text/x.enum
        config["responseMimeType"] = media_type
        if schema is not None:
            config["responseJsonSchema"] = schema
    return None


def _read_reasoning(config: JsonObject) -> ReasoningSettings | None:
    held = config.pop("thinkingConfig", None)
    if held is None:
        return None
    where = f"{CONFIG}.thinkingConfig"
    thinking = an_object(held, where)
    level = take(thinking, "thinkingLevel", str, where)
    budget = take(thinking, "thinkingBudget", int, where)
    shows = take(thinking, "includeThoughts", bool, where)
    if left := {name: inner for name, inner in thinking.items() if inner is not None}:
        config["thinkingConfig"] = left
    if level is not None and level.upper() == "THINKING_LEVEL_UNSPECIFIED":
        level = None
    found = ReasoningSettings(
        effort=None if level is None else level.lower(),
        budget_tokens=None if budget is None or budget <= 0 else budget,
        mode={0: "disabled", _DYNAMIC: "adaptive"}.get(_DYNAMIC if budget is not None and budget < 0 else budget or 0)
        if budget is not None
        else None,
        display=None if shows is None else "summarized" if shows else "omitted",
    )
    return None if found == ReasoningSettings() else found


def _read_choice(fields: JsonObject) -> ToolChoice | None:
    config = _taken(fields, TOOLS)
    held = config.pop("functionCallingConfig", None)
    choice: ToolChoice | None = None
    if held is not None:
        where = f"{TOOLS}.functionCallingConfig"
        calling = an_object(held, where)
        choice = _chosen(calling, where)
        if choice is None and any(inner is not None for inner in calling.values()):
            config["functionCallingConfig"] = calling
    fields |= {f"{TOOLS}.{name}": inner for name, inner in config.items()}
    return choice


def _chosen(calling: JsonObject, where: str) -> ToolChoice | None:
    mode = calling.get("mode")
    names = calling.get("allowedFunctionNames") or []
    if not isinstance(mode, str | None) or not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise Unreadable(f"{where} must hold a mode and perhaps a list of names")
    if not calling.keys() <= {"mode", "allowedFunctionNames"}:
        return None
    match mode.upper() if mode else None:
        case "NONE":
            return ToolChoice("none")
        case "AUTO":
            return ToolChoice("auto")
        case "VALIDATED" if names:
            return ToolChoice("auto", tuple(names))
        case "ANY":
            return ToolChoice("named" if len(names) == 1 else "required", tuple(names))
        case _:
            return None


# And back


def write_settings(settings: Settings, quirks: Quirks) -> JsonObject:
    """The two objects, where they hold anything."""
    config: JsonObject = {
        field: held for name, (field, _) in _PLAIN.items() if (held := getattr(settings, name)) is not None
    }
    if settings.stop:
        config["stopSequences"] = list(settings.stop)
    if settings.format is not None:
        config |= _write_format(settings.format)
    if settings.reasoning is not None and (thinking := write_thinking(settings.reasoning, quirks)):
        config["thinkingConfig"] = thinking
    written: JsonObject = {CONFIG: config} if config else {}
    if settings.tool_choice is not None:
        written[TOOLS] = {"functionCallingConfig": _write_choice(settings.tool_choice)}
    return written


def _write_format(form: Format) -> JsonObject:
    if form.kind == "text":
        return {"responseMimeType": "text/plain"}
    written: JsonObject = {"responseMimeType": _JSON}
    return written if form.schema is None else {**written, "responseJsonSchema": form.schema}


def write_thinking(asked: ReasoningSettings, quirks: Quirks) -> JsonObject:
    """A `thinkingConfig`: a level, or a budget, and whether thoughts are shown.

    A model that takes no budget cannot be kept from thinking either: it does so as little as it can.
    """
    written: JsonObject = {}
    if asked.effort is not None:
        written["thinkingLevel"] = asked.effort
    elif quirks.adaptive:
        budget = asked.budget_tokens
        if asked.mode == "disabled" and quirks.efforts:
            written["thinkingLevel"] = quirks.efforts[0]
        elif budget is not None:
            written["thinkingLevel"] = effort_of(budget)
    elif asked.budget_tokens is not None:
        written["thinkingBudget"] = asked.budget_tokens
    elif asked.mode is not None:
        written["thinkingBudget"] = 0 if asked.mode == "disabled" else _DYNAMIC
    if asked.display is not None:
        written["includeThoughts"] = asked.display == "summarized"
    return written


def _write_choice(choice: ToolChoice) -> JsonObject:
    names = list(choice.names)
    if choice.mode == "auto":
        return {"mode": "VALIDATED", "allowedFunctionNames": names} if names else {"mode": "AUTO"}
    if choice.mode == "none":
        return {"mode": "NONE"}
    return {"mode": "ANY", "allowedFunctionNames": names} if names else {"mode": "ANY"}


def with_dotted(fields: JsonObject, others: JsonObject) -> JsonObject:
    """A body with the fields that only this API knows, those under dotted names inside their objects."""
    for name, held in others.items():
        parent, _, inner = name.partition(".")
        if inner and parent in {CONFIG, TOOLS}:
            beside = fields.setdefault(parent, {})
            known = beside.get(inner)
            beside[inner] = {**known, **held} if isinstance(known, dict) and isinstance(held, dict) else held
        else:
            fields[name] = held
    return fields

"""Settings: how the answer is bounded, shaped and thought about.

What every model knows stands in `inferenceConfig`. What only some know goes to the model as it is, in `additionalModelRequestFields`,
so there are as many spellings as families of models. By the book, that is in requests whose model nobody told us more about, it is
Claude's; `Quirks.names` says which other one a model wants, as the name that `thinking` or `top_k` has there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from understudy.core.conversation import Format, ReasoningSettings, Settings, ToolChoice
from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._reading import NUMBER, Unreadable, decode, encode, need, take

_ADDITIONAL = "additionalModelRequestFields"


def read_settings(fields: JsonObject, tooling: JsonObject) -> Settings:
    """The settings; what is left of the objects that hold them goes back into `fields`. `tooling`: of `toolConfig`."""
    bounds = dict(take(fields, "inferenceConfig", dict) or {})
    shape = dict(take(fields, "outputConfig", dict) or {})
    more = fields.pop(_ADDITIONAL, None)
    additional = dict(more) if isinstance(more, dict) else {}
    stop = take(bounds, "stopSequences", list, "inferenceConfig") or []
    if not all(isinstance(sequence, str) for sequence in stop):
        raise Unreadable("inferenceConfig.stopSequences must be a list of strings")
    settings = Settings(
        max_tokens=take(bounds, "maxTokens", int, "inferenceConfig"),
        temperature=take(bounds, "temperature", NUMBER, "inferenceConfig"),
        top_p=take(bounds, "topP", NUMBER, "inferenceConfig"),
        top_k=_read_top_k(additional),
        stop=tuple(stop),
        tool_choice=_read_choice(take(tooling, "toolChoice", dict, "toolConfig")),
        format=_read_format(take(shape, "textFormat", dict, "outputConfig")),
        reasoning=_read_reasoning(additional),
    )
    others = additional if isinstance(more, dict) else more
    left = {"inferenceConfig": bounds, "outputConfig": shape, _ADDITIONAL: others}
    fields |= {name: held for name, held in left.items() if held}
    return settings


def _read_choice(choice: JsonObject | None) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case {"tool": {"name": str(name)}}:
            return ToolChoice("named", (name,))
        case {"auto": _} | {"any": _}:
            return ToolChoice("auto" if "auto" in choice else "required")
        case _:
            raise Unreadable("toolConfig.toolChoice must be auto, any or tool")


def write_choice(choice: ToolChoice | None) -> JsonObject:
    """The field `toolChoice`, where there is a choice. That no tool may be called cannot be said."""
    match choice:
        case None:
            return {}
        case ToolChoice("named", (name, *_)):
            return {"toolChoice": {"tool": {"name": name}}}
        case _:
            return {"toolChoice": {"auto" if choice.mode == "auto" else "any": {}}}


def _read_format(found: JsonObject | None) -> Format | None:
    if found is None:
        return None
    where = "outputConfig.textFormat"
    kind = need(dict(found), "type", str, where)
    if kind != "json_schema":
        raise Unreadable(f"{where}.type must be json_schema, not {kind!r}")
    structure = need(dict(found), "structure", dict, where)
    fields = dict(need(dict(structure), "jsonSchema", dict, f"{where}.structure"))
    where = f"{where}.structure.jsonSchema"
    schema = decode(need(fields, "schema", str, where))
    if not isinstance(schema, dict):
        raise Unreadable(f"{where}.schema must be an object, written as a string")
    return Format(kind, schema, take(fields, "name", str, where), None, take(fields, "description", str, where))


def _write_format(format_: Format) -> JsonObject:
    fields = {"schema": encode(format_.schema).decode(), "name": format_.name, "description": format_.description}
    held = {name: told for name, told in fields.items() if told is not None}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": held}}}


# What is a model's own


def _read_top_k(additional: JsonObject) -> int | None:
    top_k: int | None = take(additional, "top_k", int, _ADDITIONAL)
    inner = additional.get("inferenceConfig")  # as Amazon's own models have it
    if top_k is None and isinstance(inner, dict) and "topK" in inner:
        inner = dict(inner)
        top_k = take(inner, "topK", int, f"{_ADDITIONAL}.inferenceConfig")
        _put_back(additional, "inferenceConfig", inner)
    return top_k


def _read_reasoning(additional: JsonObject) -> ReasoningSettings | None:
    thinking, output = (_part_of(additional, name) for name in ("thinking", "output_config"))
    where = f"{_ADDITIONAL}.thinking"
    asked = ReasoningSettings(
        take(output, "effort", str, f"{_ADDITIONAL}.output_config"),
        take(thinking, "budget_tokens", int, where),
        take(thinking, "type", str, where),
        take(thinking, "display", str, where),
    )
    _put_back(additional, "thinking", thinking)
    _put_back(additional, "output_config", output)
    if asked == ReasoningSettings():
        asked = ReasoningSettings(_read_effort(additional))
    return None if asked == ReasoningSettings() else asked


def _read_effort(additional: JsonObject) -> str | None:
    """An effort in the spellings of the other families."""
    for name in ("reasoning_effort", "reasoning_config"):
        if isinstance(additional.get(name), str):
            return str(additional.pop(name))
    nova = _part_of(additional, "reasoningConfig")
    effort = "none" if nova.get("type") == "disabled" else nova.get("maxReasoningEffort")
    if isinstance(effort, str):
        nova.pop("type", None)
        nova.pop("maxReasoningEffort", None)
    _put_back(additional, "reasoningConfig", nova)
    return effort if isinstance(effort, str) else None


def _part_of(additional: JsonObject, name: str) -> JsonObject:
    """A copy of a member that is an object, to be taken apart; `{}` for any other."""
    found = additional.get(name)
    return dict(found) if isinstance(found, dict) else {}


def _put_back(additional: JsonObject, name: str, left: JsonObject) -> None:
    """What remains of a member; nothing of one that is used up."""
    if left:
        additional[name] = left
    elif isinstance(additional.get(name), dict):
        del additional[name]


def _as_claude(asked: ReasoningSettings) -> JsonObject:
    thinking = {"type": asked.mode, "budget_tokens": asked.budget_tokens, "display": asked.display}
    told = {name: held for name, held in thinking.items() if held is not None}
    fields: JsonObject = {"thinking": told} if told else {}
    return fields if asked.effort is None else {**fields, "output_config": {"effort": asked.effort}}


def _as_nova(asked: ReasoningSettings) -> JsonObject:
    if asked.mode == "disabled" or asked.effort == "none":
        return {"reasoningConfig": {"type": "disabled"}}
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": asked.effort or "medium"}}


def _as_word(name: str) -> Callable[[ReasoningSettings], JsonObject]:
    def written(asked: ReasoningSettings) -> JsonObject:
        return {} if asked.effort in {None, "none"} else {name: asked.effort}

    return written


# What `thinking` is called -> how it is written there.
_SPELLINGS: dict[str, Callable[[ReasoningSettings], JsonObject]] = {
    "thinking": _as_claude,
    "reasoningConfig": _as_nova,
    "reasoning_config": _as_word("reasoning_config"),
    "reasoning_effort": _as_word("reasoning_effort"),
}


def write_settings(settings: Settings, quirks: Quirks) -> JsonObject:
    """The fields `inferenceConfig`, `outputConfig` and those for the model itself, as far as there is something in them."""
    names = dict(quirks.names)
    bounds = {
        "maxTokens": settings.max_tokens,
        "temperature": settings.temperature,
        "topP": settings.top_p,
        "stopSequences": list(settings.stop) or None,
    }
    additional: JsonObject = {}
    if settings.reasoning is not None:
        additional |= _SPELLINGS[names.get("thinking", "thinking")](settings.reasoning)
    if settings.top_k is not None:
        nested = names.get("top_k") == "inferenceConfig.topK"
        additional |= {"inferenceConfig": {"topK": settings.top_k}} if nested else {"top_k": settings.top_k}
    fields = {
        "inferenceConfig": {name: held for name, held in bounds.items() if held is not None},
        "outputConfig": {} if settings.format is None else _write_format(settings.format),
        _ADDITIONAL: additional,
    }
    return {name: held for name, held in fields.items() if held}


def merged(fields: JsonObject, others: JsonObject) -> JsonObject:
    """Fields with others beside them, object by object: what was half known goes back to where it was."""
    whole: JsonObject = dict(fields)
    for name, held in others.items():
        known: Any = whole.get(name)
        whole[name] = merged(known, held) if isinstance(known, dict) and isinstance(held, dict) else held
    return whole

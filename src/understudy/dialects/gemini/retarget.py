"""Requests that stay in this dialect: the caller's own bytes, fitted to the provider that takes them."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.projection import budget_of, effort_of, nearest_effort
from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks
from understudy.dialects._reading import Unreadable, decode, encode
from understudy.dialects.gemini.seals import UNSIGNED, is_foreign
from understudy.dialects.gemini.settings import CONFIG
from understudy.dialects.gemini.wire import camel

Raw = msgspec.Raw
_members = msgspec.json.Decoder(dict[str, Raw]).decode


def fit_body(body: bytes, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, without the model that its address names, and the names of what was dropped. Raises `BadBody`."""
    try:
        members: dict[str, Any] = {camel(name): held for name, held in _members(body).items()}
        members.pop("model", None)
        lost = _fit_contents(members, body)
        config = _config(members, quirks)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    except Unreadable as error:
        raise BadBody(str(error)) from None
    if config is not None:
        before = dict(config)
        lost += _fit_thinking(config, quirks)
        lost += tuple(name for name in quirks.drop if config.pop(name, None) is not None)
        if config != before:
            members[CONFIG] = config
    lost += apply_quirks(members, quirks)
    return encode(members), lost


def apply_quirks(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Fit a body's own members to what a provider takes; the names of what was dropped."""
    lost = tuple(name for name in quirks.drop if members.pop(name, None) is not None)
    for name, theirs in quirks.names:
        if name in members:
            members[theirs] = members.pop(name)
    members.update(quirks.fields)
    return lost


def _config(members: dict[str, Any], quirks: Quirks) -> JsonObject | None:
    """The settings, opened only where something in them may have to change."""
    held = members.get(CONFIG)
    if held is None or not (quirks.drop or quirks.efforts or quirks.adaptive or quirks.budgets):
        return None
    found = decode(bytes(held))
    return {camel(name): inner for name, inner in found.items()} if isinstance(found, dict) else None


def _fit_thinking(config: JsonObject, quirks: Quirks) -> tuple[str, ...]:
    """Thinking in the words that the model knows: a budget for a level, or the other way round."""
    held = config.get("thinkingConfig")
    if not isinstance(held, dict):
        return ()
    thinking = {camel(name): inner for name, inner in held.items()}
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    lost: tuple[str, ...] = ()
    if quirks.budgets and isinstance(level, str):
        del thinking["thinkingLevel"]
        thinking.setdefault("thinkingBudget", budget_of(level.lower()))
        lost = ("thinkingLevel",)
    elif quirks.adaptive and isinstance(budget, int):
        del thinking["thinkingBudget"]
        if budget >= 0 and level is None:
            thinking["thinkingLevel"] = level = effort_of(budget) if budget else (quirks.efforts or ("low",))[0]
        lost = ("thinkingBudget",)
    if not quirks.budgets and isinstance(level, str) and quirks.efforts and level.lower() not in quirks.efforts:
        thinking["thinkingLevel"] = nearest_effort(level.lower(), quirks.efforts)
        lost = lost or ("thinkingLevel",)
    config["thinkingConfig"] = thinking
    return lost


def _fit_contents(members: dict[str, Any], body: bytes) -> tuple[str, ...]:
    """Leave out thinking that another dialect's provider sealed, and let calls that nobody signed pass.

    Both come back from a caller whose earlier turns another target answered. Gemini 3 refuses a turn whose first call bears no
    signature.
    """
    if b'"functionCall"' not in body and b'"function_call"' not in body and b'"thought' not in body:
        return ()
    contents = decode(bytes(members["contents"])) if "contents" in members else None
    if not isinstance(contents, list):
        return ()
    fitted = [content for content in map(_fit_content, contents) if content is not None]
    if fitted == contents:
        return ()
    members["contents"] = fitted
    foreign = any(_thinks_foreign(content) for content in contents)
    return ("messages.reasoning",) if foreign else ()


def _fit_content(content: Any) -> Any:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        return content
    kept = _without_foreign(parts)
    if not kept and parts:
        return None
    first = next((part for part in kept if isinstance(part, dict) and _is_call(part)), None)
    if first is not None and content.get("role") == "model" and not _signature(first):
        kept = [{**part, "thoughtSignature": UNSIGNED} if part is first else part for part in kept]
    return content if kept == parts else {**content, "parts": kept}


def _without_foreign(parts: list[Any]) -> list[Any]:
    """The parts without thoughts under a foreign seal: the words in front of it are its own, half a thought is worse than none."""
    kept: list[Any] = []
    sealed = False
    for part in reversed(parts):
        thinks = isinstance(part, dict) and part.get("thought") is True
        if thinks and is_foreign(_signature(part)):
            sealed = True
        elif not (sealed and thinks and not _signature(part)):
            sealed = sealed and thinks
            kept.append(part)
    return kept[::-1]


def _thinks_foreign(content: Any) -> bool:
    parts = content.get("parts") if isinstance(content, dict) else None
    return isinstance(parts, list) and any(is_foreign(_signature(part)) for part in parts if isinstance(part, dict))


def _is_call(part: JsonObject) -> bool:
    return part.get("functionCall") is not None or part.get("function_call") is not None


def _signature(part: JsonObject) -> Any:
    return part.get("thoughtSignature") or part.get("thought_signature")

"""Requests that stay in this dialect: the caller's own bytes, fitted to the provider that takes them."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from understudy.core.projection import effort_of, nearest_effort
from understudy.dialects import BadBody, Quirks
from understudy.dialects._reading import Unreadable, decode, raw_object
from understudy.dialects.anthropic_messages.wire import SEAL

Raw = msgspec.Raw
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_FOREIGN = re.compile(rb'"signature"\s*:\s*"(?:"|' + SEAL.encode() + rb")")


def read_members(body: bytes) -> dict[str, Any]:
    """The top-level members, their values as raw bytes. Raises `BadBody`."""
    try:
        return _members(body)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadBody(f"the body cannot be read: {error}") from None


def apply_quirks(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Fit a body to what a provider takes of this dialect; the names of what was dropped."""
    dropped = []
    if quirks.max_tokens_field is not None and "max_tokens" in members:
        members[quirks.max_tokens_field] = members.pop("max_tokens")
    if not quirks.cache_marks and _without_cache(members):
        dropped.append("cache_control")
    if quirks.roles:
        _rename_roles(members, dict(quirks.roles))
    if quirks.late_system is not None and _has_late_system(members.get("messages")):
        _rename_roles(members, {"system": quirks.late_system})
    if quirks.adaptive:
        dropped += _without_budget(members)
    if quirks.efforts:
        dropped += _known_effort(members, quirks.efforts)
    # where the address names the model, nothing is lost with it
    refused = [name for name in quirks.drop if members.pop(name, None) is not None and name != "model"]
    for name, theirs in quirks.names:
        if name in members:
            members[theirs] = members.pop(name)
    members.update(quirks.fields)
    return (*dropped, *refused)


def _without_budget(members: dict[str, Any]) -> list[str]:
    """Thinking as the model likes: a budget becomes the effort that it allows, unless one stands beside it."""
    thinking = _plain(members.get("thinking"))
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return []
    budget = thinking.get("budget_tokens")
    rest = {name: held for name, held in thinking.items() if name not in {"type", "budget_tokens"}}
    members["thinking"] = {"type": "adaptive", **rest}
    if isinstance(budget, int):
        asked = _plain(members.get("output_config"))
        members["output_config"] = {"effort": effort_of(budget), **(asked if isinstance(asked, dict) else {})}
    return ["thinking.budget_tokens"]


def _known_effort(members: dict[str, Any], efforts: tuple[str, ...]) -> list[str]:
    output = _plain(members.get("output_config"))
    effort = output.get("effort") if isinstance(output, dict) else None
    if not isinstance(effort, str) or effort in efforts:
        return []
    members["output_config"] = {**output, "effort": nearest_effort(effort, efforts)}
    return ["output_config.effort"]


def without_foreign_thinking(body: bytes, members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Leave out thinking that another dialect's provider sealed, or nobody: the API refuses a signature not its own.

    Such thinking comes back from a caller whose earlier turns another target answered.
    """
    if quirks.reasoning_field is not None or b'"signature"' not in body or _FOREIGN.search(body) is None:
        return ()
    try:
        turns = decode(bytes(members["messages"]))
    except (KeyError, Unreadable):
        return ()
    if not isinstance(turns, list):
        return ()
    kept = [turn for turn in (_without_foreign(turn) for turn in turns) if turn is not None]
    if kept == turns:
        return ()
    members["messages"] = kept
    if _lacks_thinking(kept) and raw_object(members.get("thinking", msgspec.UNSET)).get("type") == "enabled":
        del members["thinking"]
        return ("messages.reasoning", "reasoning")
    return ("messages.reasoning",)


def _without_foreign(turn: Any) -> Any:
    content = turn.get("content") if isinstance(turn, dict) else None
    if not isinstance(content, list):
        return turn
    kept = [block for block in content if not _is_foreign(block)]
    if not kept and content:
        return None
    return turn if len(kept) == len(content) else {**turn, "content": kept}


def _is_foreign(block: Any) -> bool:
    if not isinstance(block, dict) or block.get("type") != "thinking":
        return False
    signature = block.get("signature")
    return not signature or (isinstance(signature, str) and signature.startswith(SEAL))


def _lacks_thinking(turns: list[Any]) -> bool:
    """Whether the last assistant turn calls tools without the thinking that the API wants before them."""
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role") == "assistant":
            content = turn.get("content")
            blocks = content if isinstance(content, list) else []
            kinds = [str(block.get("type")) for block in blocks if isinstance(block, dict)]
            return "tool_use" in kinds and kinds[0] not in {"thinking", "redacted_thinking"}
    return False


def _without_cache(members: dict[str, Any]) -> bool:
    found = members.pop("cache_control", None) is not None
    for name in ("messages", "system", "tools"):
        if name not in members:
            continue
        value = _plain(members[name])
        if _strip_marks(value, name):
            members[name] = value
            found = True
    return found


def _strip_marks(value: Any, name: str) -> bool:
    """Take cache marks off blocks and tools; never out of a schema or a tool's input, where the word is the caller's own."""
    found = False
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        found |= item.pop("cache_control", None) is not None
        if name == "messages" or item.get("type") == "tool_result":
            found |= _strip_marks(item.get("content"), "content")
    return found


def _has_late_system(turns: Any) -> bool:
    """Whether a system turn may stand among the messages: those of a caller are opened only then."""
    return not isinstance(turns, Raw) or b'"system"' in bytes(turns)


def _rename_roles(members: dict[str, Any], roles: dict[str, str]) -> None:
    turns = _plain(members.get("messages"))
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict) and isinstance(turn.get("role"), str):
            turn["role"] = roles.get(turn["role"], turn["role"])
    members["messages"] = turns


def _plain(value: Any) -> Any:
    if not isinstance(value, Raw):
        return value
    try:
        return decode(bytes(value))
    except Unreadable as error:
        raise BadBody(f"the body cannot be read: {error}") from None

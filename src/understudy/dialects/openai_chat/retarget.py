"""The caller's own bytes for a target of the same dialect.

The top-level object is written anew with its members' values as raw bytes: so duplicate keys collapse, and policy and provider
see the same. Messages are opened only where something in them may have to change.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET

from understudy.core.projection import nearest_effort, replaced_id
from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks
from understudy.dialects._openai import complaint, decode
from understudy.dialects._reading import Unreadable, encode
from understudy.dialects.openai_chat.needs import Usual
from understudy.dialects.openai_chat.reasoning import is_stamped

Raw = msgspec.Raw
_ABSENT = Raw(b"null")
_TRUE = Raw(b"true")
_ASKING = Raw(b'{"include_usage":true}')
_UNASKED = (_ABSENT, _ASKING)

_members = msgspec.json.Decoder(dict[str, Raw]).decode

_BOUNDS = ("max_tokens", "max_completion_tokens")
_TEXTS = ("reasoning_content", "reasoning")
_THOUGHTS = (*_TEXTS, "reasoning_details")
_UNREPORTED = ("model", "stream_options")
"""Dropped without a word: an address may name the model, and who refuses the question sends the usage unasked."""


def fit_body(body: bytes, model: str, quirks: Quirks, *, plain: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, and the names of what was dropped. `plain`: see `Needs`. Raises `BadBody`."""
    try:
        members: dict[str, Any] = _members(body)
        members["model"] = model
        lost = () if plain and _takes_plain(quirks, body) else _fit_turns(members, quirks)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(complaint(error)) from None
    except Unreadable as error:
        raise BadBody(str(error)) from None
    if quirks.max_tokens_field is not None:
        _rename_bound(members, quirks.max_tokens_field)
    if quirks.ask_usage and "stream" in members and members["stream"] == _TRUE:
        _ask_usage(members)
    if quirks.efforts or quirks.refuses_thinking:
        lost += _fit_thinking(members, quirks)
    for name in quirks.drop:
        if members.pop(name, _ABSENT) != _ABSENT and name not in _UNREPORTED:
            lost += (name,)
    if quirks.names:
        _rename(members, quirks.names)
    if quirks.fields:
        members.update(quirks.fields)
    return encode(members), lost


def fit_usual(request: Usual, body: bytes, model: str, quirks: Quirks) -> bytes | None:
    """The body for a target, of a request that need not be read again; None where the quirks ask for more than that.

    It becomes that target's: nobody else's is written from it.
    """
    if quirks.efforts or quirks.refuses_thinking or quirks.drop or quirks.names or quirks.fields:
        return None
    if not _takes_plain(quirks, body):
        return None
    if quirks.ask_usage and request.stream is True:
        if request.stream_options not in _UNASKED:
            return None
        request.stream_options = _ASKING
    wanted = quirks.max_tokens_field
    if wanted is not None and (request.max_tokens is not UNSET or request.max_completion_tokens is not UNSET):
        newer = request.max_completion_tokens
        bound = request.max_tokens if newer is None or newer is UNSET else newer
        request.max_tokens = request.max_completion_tokens = UNSET
        if bound is not None:
            setattr(request, wanted, bound)
    request.model = model
    return encode(request)


def _ask_usage(members: dict[str, Any]) -> None:
    options = members.get("stream_options")
    if options is None or options == _ABSENT:
        members["stream_options"] = _ASKING
    elif options != _ASKING:
        asked = decode(bytes(options))
        members["stream_options"] = {**(asked if isinstance(asked, dict) else {}), "include_usage": True}


def _rename_bound(members: dict[str, Any], wanted: str) -> None:
    """One bound under the provider's name for it; of two, the newer name counts, as at OpenAI."""
    if "max_tokens" not in members and "max_completion_tokens" not in members:
        return
    held = [value for name in _BOUNDS if (value := members.pop(name, _ABSENT)) != _ABSENT]
    if held:
        members[wanted] = held[-1]


def _rename(members: dict[str, Any], names: tuple[tuple[str, str], ...]) -> None:
    for name, theirs in names:
        if name in members:
            members[theirs] = members.pop(name)


def _fit_thinking(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """An effort that the model knows, and nothing beside it that it refuses while it thinks."""
    lost: tuple[str, ...] = ()
    held = members.get("reasoning_effort", _ABSENT)
    effort = None if held == _ABSENT else decode(bytes(held))
    if isinstance(effort, str) and quirks.efforts and effort not in quirks.efforts:
        members["reasoning_effort"] = effort = nearest_effort(effort, quirks.efforts)
        lost = ("reasoning_effort",)
    if effort == "none" or (effort is None and not quirks.thinks_unasked):
        return lost
    return lost + tuple(name for name in quirks.refuses_thinking if members.pop(name, _ABSENT) != _ABSENT)


_LATER_ROLES = ((), (("developer", "system"),))
"""Renames that no plain turn is touched by. Comparing whole tuples is what a request can afford."""


def _takes_plain(quirks: Quirks, body: bytes) -> bool:
    """Whether a provider takes plain turns as they are: all that is in them, any ids of tool calls, the usual words for the roles."""
    return not quirks.turns and (quirks.tool_ids is None or b'"tool_call' not in body) and quirks.roles in _LATER_ROLES


def _fit_turns(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Fit messages and tools to what the provider takes; the names of what was dropped."""
    lost: dict[str, None] = {}
    roles = dict(quirks.roles)
    takes = dict(quirks.turns)
    turns = decode(bytes(members.get("messages", _ABSENT)))
    changed = False
    for turn in _objects(turns):
        role = turn.get("role")
        if isinstance(role, str) and role in roles:
            turn["role"] = roles[role]
            changed = True
        if any(name in turn for name in _THOUGHTS):
            changed |= _fit_thoughts(turn, quirks.reasoning_field, lost)
        if not quirks.cache_marks:
            for node in (turn, *_objects(turn.get("content")), *_objects(turn.get("tool_calls"))):
                changed |= _unmark(node, "messages.cache_control", lost)
        if quirks.tool_ids is not None:
            changed |= _fit_ids(turn, *quirks.tool_ids)
        if takes and isinstance(role, str) and (known := takes.get(roles.get(role, role))) is not None:
            changed |= _only(known, turn, lost)
    if changed:
        members["messages"] = turns
    if not quirks.cache_marks and "tools" in members:
        tools = decode(bytes(members["tools"]))
        for tool in _objects(tools):
            if _unmark(tool, "tools.cache_control", lost):
                members["tools"] = tools
    return tuple(lost)


def _objects(found: Any) -> list[JsonObject]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _unmark(node: JsonObject, name: str, lost: dict[str, None]) -> bool:
    if "cache_control" not in node:
        return False
    if node.pop("cache_control") is not None:
        lost[name] = None
    return True


def _only(known: tuple[str, ...], turn: JsonObject, lost: dict[str, None]) -> bool:
    """Nothing in a turn that the provider does not know. A refusal is what was said where nothing else was."""
    others = {name: turn.pop(name) for name in tuple(turn) if name not in known}
    refusal = others.get("refusal")
    if refusal and not turn.get("content"):
        turn["content"] = refusal
        del others["refusal"]
        return True
    for name, held in others.items():
        if held not in (None, [], ""):
            lost[f"messages.{name}"] = None
    return bool(others)


def _fit_ids(turn: JsonObject, pattern: str, length: int) -> bool:
    """Ids of tool calls as the provider takes them; call and result still match, since equal ids stay equal."""
    changed = False
    for node, name in ((turn, "tool_call_id"), *((call, "id") for call in _objects(turn.get("tool_calls")))):
        id_ = node.get(name)
        if isinstance(id_, str) and not re.fullmatch(pattern, id_):
            node[name] = replaced_id(id_, length)
            changed = True
    return changed


def _fit_thoughts(turn: JsonObject, wanted: str | None, lost: dict[str, None]) -> bool:
    """Thinking goes back under the name that the provider takes it by, or not at all; never what another one sealed."""
    before = {name: turn.pop(name) for name in _THOUGHTS if name in turn}
    texts = [held for name in _TEXTS if isinstance(held := before.get(name), str) and held]
    details = before.get("reasoning_details")
    entries = details if isinstance(details, list) else []
    kept = [] if wanted is None else [entry for entry in entries if not is_stamped(entry)]
    if kept:
        turn["reasoning_details"] = kept
    # the text beside seals that cannot go along is theirs: half a thought is worse than none
    speaks = bool(texts) and wanted is not None and not any(map(is_stamped, entries))
    if speaks and wanted is not None:
        turn[wanted] = texts[0]
    if len(kept) < len(entries) or (texts and not speaks):
        lost["messages.reasoning"] = None
    return before != {name: turn[name] for name in _THOUGHTS if name in turn}

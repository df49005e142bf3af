"""The caller's own bytes for a target of the same dialect.

The top-level object is written anew with its members' values as raw bytes: so duplicate keys collapse, and policy and provider
see the same. The input is opened only where something in it may have to change: roles that the provider knows by another name,
seals that it cannot read, ids that we made and it would look up in vain.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from understudy.core.projection import nearest_effort
from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks
from understudy.dialects._openai import complaint, decode
from understudy.dialects._reading import Unreadable, encode
from understudy.dialects.openai_responses.seals import SEAL, is_foreign
from understudy.dialects.openai_responses.wire import MADE

Raw = msgspec.Raw
_ABSENT = Raw(b"null")
_members = msgspec.json.Decoder(dict[str, Raw]).decode

ENTRY = "include."
"""How an entry of `include` is called that a provider refuses."""
_MADE = MADE.encode()
_SEAL = SEAL.encode()


def fit_body(body: bytes, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, and the names of what was dropped. Raises `BadBody`."""
    try:
        members: dict[str, Any] = _members(body)
        members["model"] = model
        lost = _fit_input(members, body, quirks)
        if quirks.efforts or quirks.refuses_thinking:
            lost += _fit_thinking(members, quirks)
        for name in quirks.drop:
            lost += _without(members, name)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(complaint(error)) from None
    except Unreadable as error:
        raise BadBody(str(error)) from None
    for name, theirs in quirks.names:
        if name in members:
            members[theirs] = members.pop(name)
    members.update(quirks.fields)
    return encode(members), lost


def _fit_input(members: dict[str, Any], body: bytes, quirks: Quirks) -> tuple[str, ...]:
    """The input as the provider takes it; the names of what was left out."""
    sealed = b'"encrypted_content"' in body and (quirks.seals is not None or _SEAL in body)
    if not (sealed or quirks.roles or _MADE in body) or "input" not in members:
        return ()
    items = decode(bytes(members["input"]))
    if not isinstance(items, list):
        return ()
    kept = [item for item in items if not _is_sealed_by_another(item, quirks.seals)]
    roles = dict(quirks.roles)
    fitted = [_fit_item(item, roles) if isinstance(item, dict) else item for item in kept]
    if fitted != items:
        members["input"] = fitted
    return ("input.reasoning",) if len(kept) < len(items) else ()


def _is_sealed_by_another(item: Any, seals: str | None) -> bool:
    """Whether it is thinking that the provider could not read: it would refuse the whole request."""
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    sealed = item.get("encrypted_content")
    if not isinstance(sealed, str) or not sealed:
        return False
    return is_foreign(sealed) or (seals is not None and re.fullmatch(seals, sealed, re.DOTALL) is None)


def _fit_item(item: JsonObject, roles: dict[str, str]) -> JsonObject:
    role, id_ = item.get("role"), item.get("id")
    if isinstance(role, str) and role in roles:
        item = {**item, "role": roles[role]}
    if isinstance(id_, str) and MADE in id_:
        item = {name: held for name, held in item.items() if name != "id"}
    return item


def _fit_thinking(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """An effort that the model knows, and nothing beside it that it refuses while it thinks."""
    held = members.get("reasoning", _ABSENT)
    asked = decode(bytes(held))
    effort = asked.get("effort") if isinstance(asked, dict) else None
    lost: tuple[str, ...] = ()
    if isinstance(effort, str) and quirks.efforts and effort not in quirks.efforts:
        asked["effort"] = effort = nearest_effort(effort, quirks.efforts)
        members["reasoning"] = asked
        lost = ("reasoning.effort",)
    if effort == "none" or (effort is None and not quirks.thinks_unasked):
        return lost
    return lost + tuple(name for name in quirks.refuses_thinking if members.pop(name, _ABSENT) != _ABSENT)


def _without(members: dict[str, Any], name: str) -> tuple[str, ...]:
    """Leave out a field, or ask for one thing less beside the answer; its name, where it said anything."""
    if not name.startswith(ENTRY):
        return (name,) if members.pop(name, _ABSENT) != _ABSENT and name != "model" else ()
    entry, held = name.removeprefix(ENTRY), members.get("include", _ABSENT)
    asked = decode(bytes(held)) if isinstance(held, Raw) else held
    if not isinstance(asked, list) or entry not in asked:
        return ()
    members["include"] = [one for one in asked if one != entry]
    return (name,)

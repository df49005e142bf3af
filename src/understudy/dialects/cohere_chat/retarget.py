"""Requests that stay in this dialect: the caller's own bytes, fitted to the provider that takes them."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks
from understudy.dialects._fields import encode

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def fit_body(body: bytes, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, and the names of what was dropped. Raises `BadBody`."""
    try:
        members: dict[str, Any] = _members(body)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    members["model"] = model
    dropped = tuple(name for name in quirks.drop if members.pop(name, None) is not None)
    return encode(apply_quirks(members, quirks)), dropped


def apply_quirks(members: JsonObject, quirks: Quirks) -> JsonObject:
    """A body as a provider takes it."""
    for name in quirks.drop:
        members.pop(name, None)
    for name, theirs in quirks.names:
        if name in members:
            members[theirs] = members.pop(name)
    members.update(quirks.fields)
    return members

"""A request's own members fitted to a provider that takes less of its format than the book says."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.core.value import JsonObject
from understudy.dialects import BadBody, Quirks

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_members(body: bytes) -> dict[str, Any]:
    """The members of a body, their values left as bytes. Raises `BadBody`."""
    try:
        return dict(_members(body))
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadBody(f"the body cannot be read: {error}") from None


def fit_members(members: JsonObject, quirks: Quirks) -> tuple[str, ...]:
    """Leave out what the provider refuses, and call the rest what it calls it; the names of what was left out."""
    dropped = tuple(name for name in quirks.drop if members.pop(name, None) is not None)
    for name, theirs in quirks.names:
        if name in members:
            members[theirs] = members.pop(name)
    return dropped

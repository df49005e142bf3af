"""Requests on their way to a provider: the caller's own bytes, and bodies of ours, fitted to what it takes."""

from __future__ import annotations

from understudy.core.value import JsonObject
from understudy.dialects import Quirks
from understudy.dialects._fitting import fit_members, read_members
from understudy.dialects._reading import decode, encode
from understudy.dialects.ollama_chat.wire import OPTIONS, with_options


def fit_body(body: bytes, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, and the names of what was dropped. Raises `BadBody`."""
    members = read_members(body)
    members["model"] = model
    if OPTIONS in members and any(name.startswith(f"{OPTIONS}.") for name, _ in quirks.fields):
        members[OPTIONS] = decode(bytes(members[OPTIONS]))
    return apply_quirks(members, quirks)


def apply_quirks(members: JsonObject, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """A body as a provider takes it, and the names of what was dropped."""
    dropped = fit_members(members, quirks)
    return encode(with_options(members, dict(quirks.fields))), dropped

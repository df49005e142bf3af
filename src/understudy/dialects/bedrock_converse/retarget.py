"""Requests that stay in this dialect: the caller's own bytes, fitted to the provider that takes them."""

from __future__ import annotations

from typing import Any

import msgspec

from understudy.dialects import BadBody, Quirks
from understudy.dialects._reading import encode

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def fit_body(body: bytes, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
    """The body for a target, without the model that its address names, and the names of what was dropped. Raises `BadBody`."""
    try:
        members: dict[str, Any] = _members(body)
    except RecursionError:
        raise BadBody("the body is nested too deeply") from None
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadBody(f"the body cannot be read: {error}") from None
    members.pop("model", None)
    lost = apply_quirks(members, quirks)
    return encode(members), lost


def apply_quirks(members: dict[str, Any], quirks: Quirks) -> tuple[str, ...]:
    """Fit a body's own members to what a provider takes; the names of what was dropped."""
    lost = tuple(name for name in quirks.drop if members.pop(name, None) is not None)
    members.update(quirks.fields)
    return lost

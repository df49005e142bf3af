"""What a caller asks, as the engine takes it: the request in Chat Completions form, and whom a comparison is between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from understudy.config import Configuration
from understudy.core.catalogue.task import COMPLEXITIES
from understudy.core.failure import Failure, FailureKind
from understudy.core.request import Call
from understudy.dialects import BadBody, Dialect
from understudy.errors import BadRequest

DIALECT = "openai_chat"
"""The form in which messages and settings are given, as the OpenAI SDK takes them; targets may speak any other."""

Messages = str | Sequence[Mapping[str, Any]]

_STEERING = ("complexity", "deadline_s", "session", "strategy")


def call_of(dialect: Dialect, route: str, messages: Messages, settings: Mapping[str, Any], *, stream: bool) -> Call:
    """The request as the engine takes it. Raises `BadRequest`."""
    fields = dict(settings)
    steering = {name: fields.pop(name) for name in _STEERING if name in fields}
    labels = tuple(sorted((fields.pop("labels", None) or {}).items()))
    if steering.get("complexity") not in (None, *COMPLEXITIES):
        raise _bad(f"complexity is one of {', '.join(COMPLEXITIES)}")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if stream:
        fields.setdefault("stream_options", {"include_usage": True})
    try:
        written = json.dumps({**fields, "model": route, "messages": list(messages), "stream": stream}).encode()
        needs = dialect.needs(written)
    except (BadBody, TypeError, ValueError) as trouble:
        raise _bad(str(trouble)) from None
    return Call(DIALECT, needs, written, labels=labels, **steering)


def compared(configuration: Configuration, route_or_targets: str | Sequence[str]) -> tuple[str, ...]:
    """Which targets are to be compared. Raises `BadRequest`."""
    known = configuration.targets
    if isinstance(route_or_targets, str):
        route = configuration.names.get(route_or_targets)
        listed = [name for tier in route.tiers for name in tier.targets] if route else [route_or_targets]
        names = [name for name in listed if name not in known or not known[name].stand_in]
    else:
        names = list(dict.fromkeys(route_or_targets))
    strange = [name for name in names if name not in configuration.names]
    if strange or not names:
        words = f"no target is called {', '.join(map(repr, strange))}" if strange else "there is nobody to compare"
        raise _bad(f"{words}; there are: {', '.join(sorted(known))}")
    return tuple(names)


def _bad(told: str) -> BadRequest:
    return BadRequest(Failure(FailureKind.BAD_REQUEST, told))

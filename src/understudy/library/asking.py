"""What a caller asks, as the engine takes it: the request in Chat Completions form, and whom a comparison is between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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


def is_duration(given: object) -> bool:
    """Whether this is a time that a request may take."""
    return isinstance(given, int | float) and not isinstance(given, bool) and given > 0


_STEERING: dict[str, tuple[Callable[[Any], bool], str]] = {
    "complexity": (lambda given: given in COMPLEXITIES, f"one of {', '.join(COMPLEXITIES)}"),
    "deadline_s": (is_duration, "a number of seconds above 0"),
    "session": (lambda given: isinstance(given, str), "text"),
    "strategy": (lambda given: isinstance(given, str), "the name of a strategy"),
}
"""What is the router's, not the model's: whether a value will do, and what would."""


def call_of(dialect: Dialect, route: str, messages: Messages, settings: Mapping[str, Any], *, stream: bool) -> Call:
    """The request as the engine takes it. Raises `BadRequest`."""
    fields = dict(settings)
    steering = {name: fields.pop(name) for name in _STEERING if name in fields}
    labels = tuple(sorted(_labels(fields.pop("labels", None)).items()))
    for name, given in steering.items():
        fits, words = _STEERING[name]
        if given is not None and not fits(given):
            raise _bad(f"{name} is {words}, not {given!r}")
    if stream:
        fields.setdefault("stream_options", {"include_usage": True})
    try:
        written = json.dumps({**fields, "model": route, "messages": _turns(messages), "stream": stream}).encode()
        needs = dialect.needs(written)
    except (BadBody, TypeError, ValueError) as trouble:
        raise _bad(str(trouble)) from None
    return Call(DIALECT, needs, written, labels=labels, **steering)


def _turns(messages: object) -> list[Any]:
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    if not isinstance(messages, Iterable) or isinstance(messages, Mapping | bytes):
        kind = type(messages).__name__
        raise _bad(f"messages are a question, or a list of messages in Chat Completions form; not {kind}")
    return list(messages)


def _labels(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(word, str) for pair in given.items() for word in pair):
        raise _bad(f'labels are texts by name, as in {{"team": "search"}}, not {given!r}')
    return given


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

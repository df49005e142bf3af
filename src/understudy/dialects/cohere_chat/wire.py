"""What every piece of the Cohere codec needs: stop reasons, usage, and its own fields."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Stop
from understudy.core.conversation import Extra, Part
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import _fields
from understudy.dialects._fields import Counts

NAME = "cohere_chat"


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    return _fields.rest(fields, NAME)


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return _fields.own(extra, NAME)


# Why it stopped

STOPS: dict[str, Stop] = {
    "COMPLETE": Stop.END,
    "MAX_TOKENS": Stop.LENGTH,
    "STOP_SEQUENCE": Stop.STOP_SEQUENCE,
    "TOOL_CALL": Stop.TOOL_CALLS,
    "ERROR_LIMIT": Stop.CONTEXT_FULL,
    "ERROR_TOXIC": Stop.CONTENT_FILTER,
    "CONTENT_BLOCKED": Stop.CONTENT_FILTER,
}
BROKEN = ("ERROR", "TIMEOUT", "NETWORK_ERROR")
"""Reasons that are failures of the provider, whatever was written before."""
WORDS: dict[Stop, str] = {stop: word for word, stop in reversed(STOPS.items())}
FOLDS: dict[Stop, Stop] = {Stop.PAUSE: Stop.END, Stop.REFUSAL: Stop.CONTENT_FILTER}
"""Reasons that the API has no word for."""


def read_stop(word: Any, parts: tuple[Part, ...]) -> tuple[Stop | None, str | None]:
    """The reason, and the native word where that does not tell it whole. The word's case is that of the version."""
    if not isinstance(word, str) or not word:
        return None, None
    stop = STOPS.get(word.upper(), Stop.END)
    return settled_stop(stop, parts), None if WORDS[stop] == word.upper() else word


# Usage

_BILLED, _TOKENS = "billed_units", "tokens"
_READ = ("input_tokens", "output_tokens")


def read_usage(found: Any) -> Usage | None:
    """What is paid for; None when there are no counts.

    `billed_units` and `tokens` differ: the second has the API's own preamble in it, too (recorded: 7 billed of 502). Prices are for
    the first. `cached_tokens` is of the second and has no price of its own. Thinking is billed as output and counted in `tokens`.
    """
    if not isinstance(found, dict):
        return None
    billed = found.get(_BILLED)
    whole = billed if _counted(billed) else found.get(_TOKENS)
    if not _counted(whole):
        return None
    read = Counts()
    prompt, written = read.count(whole, "input_tokens") or 0, read.count(whole, "output_tokens") or 0
    thought = read.count(found.get(_TOKENS), "reasoning_tokens") or 0
    sound = read.sound and thought <= written
    thought = thought if thought <= written else 0
    return Usage(input=prompt, output=written - thought, reasoning=thought, estimated=not sound)


def _counted(found: Any) -> bool:
    return isinstance(found, dict) and any(found.get(name) is not None for name in _READ)


def usage_extra(found: Any) -> JsonObject:
    """What `usage` says beside what `write_usage` would say of the same counts."""
    usage = read_usage(found)
    if usage is None:
        return {}
    told = write_usage(usage)
    left: JsonObject = {}
    for name, held in found.items():
        known = told.get(name, {})
        more = (
            {inner: one for inner, one in held.items() if one != known.get(inner)} if isinstance(held, dict) else held
        )
        if more not in (None, {}):
            left[name] = more
    return left


def write_usage(usage: Usage | None, others: Any = None) -> JsonObject:
    """A `usage`. `others`: what it said beside the counts."""
    about: JsonObject = others if isinstance(others, dict) else {}
    written: JsonObject = {}
    if usage is not None:
        counts = {"input_tokens": usage.prompt, "output_tokens": usage.completion}
        thought = {"reasoning_tokens": usage.reasoning} if usage.reasoning else {}
        written = {_BILLED: counts, _TOKENS: {**counts, **thought}}
    for name, held in about.items():
        before = written.get(name)
        written[name] = {**before, **held} if isinstance(before, dict) and isinstance(held, dict) else held
    return written

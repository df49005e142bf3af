"""What every piece of the Ollama codec needs: times, ids, stop reasons, usage, and what lives inside `options`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from understudy.core.answer import Stop
from understudy.core.conversation import Extra, Part
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import _fields
from understudy.dialects._fields import Counts
from understudy.dialects._reading import made_id

NAME = "ollama_chat"
OPTIONS = "options"
"""The object in a request that holds what steers the model; fields of it that are nobody else's go by `options.name`."""


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    return _fields.rest(fields, NAME)


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return _fields.own(extra, NAME)


def with_options(body: JsonObject, others: JsonObject) -> JsonObject:
    """A body with further fields, those under dotted names inside its `options`."""
    for name, held in others.items():
        parent, _, inner = name.partition(".")
        if inner and parent == OPTIONS:
            body[OPTIONS] = {**(body.get(OPTIONS) or {}), inner: held}
        else:
            body[name] = held
    return body


# The moment. An answer has no id: the moment of its making, which the server tells to the microsecond, stands for one.

_TIME = re.compile(r"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)")


def read_moment(found: Any) -> int | None:
    """Unix seconds of a `created_at`; None when there is none (Go's zero time is none, too)."""
    told = _TIME.fullmatch(found) if isinstance(found, str) else None
    if told is None:
        return None
    try:
        seconds = int(datetime.fromisoformat(told["second"] + told["zone"]).timestamp())
    except (ValueError, OverflowError):  # a thirteenth month, a year before the first
        return None
    return seconds if seconds > 0 else None


def write_moment(created: int | None) -> str:
    """A `created_at`; "" for an unknown one."""
    return "" if created is None else datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer_id(moment: str, model: str) -> str:
    """The id of an answer."""
    return made_id("ollama-", moment, model)


def call_id(moment: str, model: str, number: int, call: str) -> str:
    """The id of an answer's tool call that came without one, as older servers send it. `call`: all that is known of it."""
    return made_id("call_", moment, model, number, call)


# Why it stopped

STOPS: dict[str, Stop] = {"stop": Stop.END, "length": Stop.LENGTH}
"""done_reason -> reason. `load` and `unload` answer a request without messages; they and any other word are a plain end."""
WORDS: dict[Stop, str] = {Stop.END: "stop", Stop.LENGTH: "length"}
_FOLDS: dict[Stop, Stop] = {Stop.LENGTH: Stop.LENGTH, Stop.CONTEXT_FULL: Stop.LENGTH}


def folded(stop: Stop) -> Stop:
    """The reason that the API has a word for: calls are seen in the message, and a filter it has none."""
    return _FOLDS.get(stop, Stop.END)


def read_stop(word: Any, parts: tuple[Part, ...]) -> tuple[Stop, str | None]:
    """The reason, and the native word where that does not tell it whole. Servers before 0.1.33 say none."""
    known = STOPS.get(word, Stop.END) if isinstance(word, str) else Stop.END
    native = word if isinstance(word, str) and word and word not in STOPS else None
    return settled_stop(known, parts) or known, native


# Usage


def read_usage(fields: JsonObject) -> Usage | None:
    """The token counts of an answer's last object; None when there are none.

    What came from the server's cache is inside `prompt_eval_count`. A server that does not count a prompt which it had in its cache
    (some before 0.4 do not) makes an estimate of it.
    """
    if fields.get("prompt_eval_count") is None and fields.get("eval_count") is None:
        return None
    read = Counts()
    prompt, written = read.count(fields, "prompt_eval_count"), read.count(fields, "eval_count")
    cached = read.count(fields, "prompt_eval_cached_count") or 0
    sound = read.sound and prompt is not None and cached <= prompt
    prompt = prompt or 0
    cached = cached if cached <= prompt else 0
    return Usage(input=prompt - cached, cache_read=cached, output=written or 0, estimated=not sound)


def write_usage(usage: Usage | None) -> JsonObject:
    """The counts of an answer's last object."""
    if usage is None:
        return {}
    written: JsonObject = {"prompt_eval_count": usage.prompt, "eval_count": usage.completion}
    if usage.cache_read:
        written["prompt_eval_cached_count"] = usage.cache_read
    return written


COUNTS = ("prompt_eval_count", "prompt_eval_cached_count", "eval_count")

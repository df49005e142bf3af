"""What every piece of the Responses codec needs: its own fields, ids of our making, why it stopped, usage."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Stop
from understudy.core.conversation import Extra, Part
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects import _reading
from understudy.dialects._openai import Counts

NAME = "openai_responses"


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    left = {key: found for key, found in fields.items() if found is not None}
    return Extra(NAME, left) if left else None


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == NAME else {}


# Ids. Every item of an answer must have one; those of our making say so, because the API looks up whatever it is sent back.

MADE = "_understudy_"


def made_id(kind: str, *about: object) -> str:
    """An item's id where the provider gave none: the same for the same place in the same answer."""
    return _reading.made_id(kind + MADE, *about)


def real_id(found: Any) -> str | None:
    """An id that the provider itself gave."""
    return found if isinstance(found, str) and found and MADE not in found else None


# Why it stopped

LENGTH = "max_output_tokens"
FILTERED = "content_filter"
_REASONS = {LENGTH: Stop.LENGTH, "max_tokens": Stop.LENGTH, FILTERED: Stop.CONTENT_FILTER}
_UNFINISHED = ("cancelled", "failed", "in_progress", "queued")
FOLDS = {Stop.STOP_SEQUENCE: Stop.END, Stop.PAUSE: Stop.END, Stop.CONTEXT_FULL: Stop.LENGTH}


def reason_of(details: Any) -> str | None:
    """The word in `incomplete_details`."""
    found = details.get("reason") if isinstance(details, dict) else None
    return found if isinstance(found, str) else None


def read_stop(status: Any, details: Any, parts: tuple[Part, ...]) -> tuple[Stop | None, str | None]:
    """Why an answer stopped, and the provider's word where that is not told whole. None while it goes on (`background`)."""
    if status in _UNFINISHED:
        return None, None
    reason = reason_of(details)
    if status == "incomplete" or reason is not None:
        return _REASONS.get(reason or "", Stop.LENGTH), None if reason in _REASONS else reason
    return settled_stop(Stop.END, parts), None


def write_stop(stop: Stop | None) -> tuple[str, JsonObject | None]:
    """The status of an answer and its `incomplete_details`."""
    if stop is None:
        return "in_progress", None
    stop = FOLDS.get(stop, stop)
    if stop is Stop.LENGTH:
        return "incomplete", {"reason": LENGTH}
    if stop is Stop.CONTENT_FILTER:
        return "incomplete", {"reason": FILTERED}
    return "completed", None


# Usage


def read_usage(found: Any) -> Usage | None:
    """The token counts; None when there are none. Cached tokens are inside the input, reasoning is inside the output.

    A count that is no natural number, or a part larger than its whole, marks the result as estimated, and is left out.
    """
    if not isinstance(found, dict) or found.get("input_tokens", found.get("output_tokens")) is None:
        return None
    read = Counts()
    prompt, written = read.count(found, "input_tokens"), read.count(found, "output_tokens")
    inside, outside = found.get("input_tokens_details"), found.get("output_tokens_details")
    cached = read.part(read.count(inside, "cached_tokens"), prompt)
    stored = read.part(read.count(inside, "cache_write_tokens"), prompt - cached)
    thought = read.part(read.count(outside, "reasoning_tokens"), written)
    return Usage(
        input=prompt - cached - stored,
        cache_read=cached,
        cache_write_5m=stored,
        output=written - thought,
        reasoning=thought,
        estimated=not read.sound,
    )


def write_usage(usage: Usage) -> JsonObject:
    """A `usage` object."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.total,
    }

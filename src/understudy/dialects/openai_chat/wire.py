"""What every piece of the Chat Completions codec needs: its own fields, stop reasons, usage."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Stop
from understudy.core.conversation import Extra, Part, Refusal
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._openai import Counts
from understudy.dialects._reading import COUNT_MAX

NAME = "openai_chat"


def rest(fields: JsonObject) -> Extra | None:
    """What was not taken, without nulls; None when nothing is left."""
    left = {key: found for key, found in fields.items() if found is not None}
    return Extra(NAME, left) if left else None


def own(extra: Extra | None) -> JsonObject:
    """The fields that this dialect itself left on a node."""
    return extra.fields if extra is not None and extra.dialect == NAME else {}


# Why it stopped

STOPS: dict[str, Stop] = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOL_CALLS,
    "content_filter": Stop.CONTENT_FILTER,
    "function_call": Stop.TOOL_CALLS,
}
# Words of compatible servers for the same, kept as the native one. Snowflake says nothing at all.
_ALIASES: dict[str, Stop] = {
    "": Stop.END,
    "end_turn": Stop.END,
    "eos": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_length": Stop.CONTEXT_FULL,
    "tool_use": Stop.TOOL_CALLS,
}
FOLDS: dict[Stop, Stop] = {
    Stop.STOP_SEQUENCE: Stop.END,
    Stop.PAUSE: Stop.END,
    Stop.CONTEXT_FULL: Stop.LENGTH,
}
_WORDS: dict[Stop, str] = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.TOOL_CALLS: "tool_calls",
    Stop.CONTENT_FILTER: "content_filter",
    Stop.REFUSAL: "stop",  # beside a refusal; without one it was folded into content_filter
}


def read_stop(word: Any, native: Any) -> tuple[Stop | None, str | None]:
    """A finish reason, and the provider's own word where the first does not tell it whole."""
    if not isinstance(word, str):
        return None, native if isinstance(native, str) and native else None
    known = STOPS.get(word)
    if known is None:
        known, aside = _ALIASES.get(word, Stop.END), word or None
    else:
        aside = None
    said = native if isinstance(native, str) and native else aside
    return known, None if said == _WORDS[FOLDS.get(known, known)] else said


def write_stop(stop: Stop, native: str | None, *, refused: bool) -> tuple[str, str | None]:
    """The finish reason and the native word. `refused`: the message says its refusal itself."""
    stop, native = fold_stop(stop, native, refused=refused)
    word = _WORDS[stop]
    return word, None if native == word else native


def fold_stop(stop: Stop, native: str | None, *, refused: bool) -> tuple[Stop, str | None]:
    """The reason that this format has for it; what was folded away becomes the native word."""
    if stop is Stop.REFUSAL and not refused:
        return Stop.CONTENT_FILTER, native or str(stop)
    if stop in FOLDS:
        return FOLDS[stop], native or str(stop)
    return stop, native


def refuses(parts: tuple[Part, ...]) -> bool:
    """Whether a message says its refusal itself."""
    return any(isinstance(part, Refusal) for part in parts)


# Usage


def read_usage(fields: Any, timings: Any = None) -> Usage | None:
    """The token counts of a `usage` object in any of its spellings; None when there is none.

    Cached and audio tokens are inside `prompt_tokens`. Reasoning is inside `completion_tokens`, but outside of them at xAI
    and in Google's compatible interface, where only the total tells. A count that is no natural number, or a part larger
    than its whole (Azure's Grok reports more cached tokens than there were in the prompt), marks the result as estimated, and
    the impossible part is left out. `timings`: llama.cpp counts its cache there.
    """
    if not isinstance(fields, dict) or fields.get("prompt_tokens", fields.get("completion_tokens")) is None:
        return None
    if timings is None and fields.keys() == _BARE and (bare := _bare_usage(**fields)) is not None:
        return bare
    read = Counts()
    prompt, completion = read.count(fields, "prompt_tokens"), read.count(fields, "completion_tokens")
    inside, outside = fields.get("prompt_tokens_details"), fields.get("completion_tokens_details")
    aside = None if isinstance(inside, dict) and "cached_tokens" in inside else timings
    cached = read.first((inside, "cached_tokens"), *((fields, name) for name in _CACHED), (aside, "cache_n"))
    written = read.first((inside, "cache_write_tokens"), (fields, "cache_creation_input_tokens"))
    heard = read.count(inside, "audio_tokens")
    thought, spoken = read.count(outside, "reasoning_tokens"), read.count(outside, "audio_tokens")
    cached = read.part(cached, prompt)
    written = read.part(written, prompt - cached)
    heard = min(heard, prompt - cached - written)  # cached sound is counted twice: the cache has it
    beyond = read.count(fields, "total_tokens") - prompt - completion
    if beyond > 0:
        thought = thought if thought == beyond else beyond
        completion += thought
    thought = read.part(thought, completion)
    spoken = read.part(spoken, completion - thought)
    return Usage(
        input=prompt - cached - written - heard,
        cache_read=cached,
        cache_write_5m=written,
        output=completion - thought - spoken,
        reasoning=thought,
        audio_in=heard,
        audio_out=spoken,
        estimated=not read.sound,
    )


_BARE = {"prompt_tokens", "completion_tokens", "total_tokens"}


def _bare_usage(prompt_tokens: Any, completion_tokens: Any, total_tokens: Any) -> Usage | None:
    """What most compatible servers say, without looking for what they do not; None unless it adds up."""
    if type(prompt_tokens) is not int or type(completion_tokens) is not int:
        return None
    sound = 0 <= prompt_tokens <= COUNT_MAX and 0 <= completion_tokens <= COUNT_MAX
    if not sound or total_tokens != prompt_tokens + completion_tokens:
        return None
    return Usage(input=prompt_tokens, output=completion_tokens)


_CACHED = ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens")


def write_usage(usage: Usage) -> JsonObject:
    """A `usage` object. `cache_write_tokens` is OpenRouter's field, written only where there is something to say."""
    written = usage.cache_write_5m + usage.cache_write_1h
    prompt: JsonObject = {"cached_tokens": usage.cache_read, "audio_tokens": usage.audio_in}
    if written:
        prompt["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
    }

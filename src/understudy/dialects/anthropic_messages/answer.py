"""Whole answers: the Message object to an answer, and back; usage and stop reasons for streams as well."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Extra, Part
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import COUNT_MAX, Unreadable, take
from understudy.dialects.anthropic_messages.blocks import DIRECT, read_content, write_blocks
from understudy.dialects.anthropic_messages.wire import NAME, own

STOPS: dict[str, Stop] = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.CONTEXT_FULL,
    "pause_turn": Stop.PAUSE,
    "refusal": Stop.REFUSAL,
    "stop_sequence": Stop.STOP_SEQUENCE,
    "tool_use": Stop.TOOL_CALLS,
}
WIRE_STOPS: dict[Stop, str] = {stop: name for name, stop in STOPS.items()} | {Stop.CONTENT_FILTER: "refusal"}

# The published schema wants these fields to be there, if only as null.
NULLS: JsonObject = {"stop_sequence": None, "stop_details": None, "container": None}
_USAGE_NULLS: JsonObject = {"inference_geo": None, "server_tool_use": None, "service_tier": None}
# The schema wants citations, too, if only as null; Anthropic itself leaves them out, and the Vercel AI SDK refuses a null.
_BLOCK_NULLS: dict[str, JsonObject] = {"text": {"citations": []}, "tool_use": {"caller": DIRECT}}


def read_stop(native: str | None, parts: tuple[Part, ...]) -> tuple[Stop | None, str | None]:
    """Why the model stopped, and the provider's own word where the first does not tell it whole."""
    if native is None:
        return None, None
    stop = STOPS.get(native)
    return settled_stop(stop or Stop.END, parts), None if stop is not None else native


# Usage


def read_usage(fields: Any) -> Usage | None:
    """The token counts of a `usage` object; None when there is none.

    `input_tokens` is without what was read from or written to a cache; `output_tokens` is with the thinking. A count that
    is no natural number or beyond all reason, or a part larger than its whole, marks the result as estimated.
    """
    if not isinstance(fields, dict):
        return None
    sound = True

    def count(holder: Any, name: str) -> int:
        nonlocal sound
        found = holder.get(name) if isinstance(holder, dict) else None
        if found is None:
            return 0
        if type(found) is int and 0 <= found <= COUNT_MAX:
            return found
        sound = False
        return 0

    output, thinking = count(fields, "output_tokens"), count(fields.get("output_tokens_details"), "thinking_tokens")
    written, hour = count(fields, "cache_creation_input_tokens"), count(fields.get("cache_creation"), _HOUR)
    minutes = count(fields.get("cache_creation"), _MINUTES)
    if fields.get("cache_creation_input_tokens") is None:
        written = hour + minutes
    if thinking > output or hour > written:
        sound = False
        thinking, hour = min(thinking, output), min(hour, written)
    return Usage(
        input=count(fields, "input_tokens"),
        cache_read=count(fields, "cache_read_input_tokens"),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=output - thinking,
        reasoning=thinking,
        estimated=not sound,
    )


_HOUR, _MINUTES = "ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens"
_COUNTS = (
    "cache_creation",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "input_tokens",
    "output_tokens",
    "output_tokens_details",
)


def later_usage(held: JsonObject, later: JsonObject) -> JsonObject:
    """The `usage` of a stream after another one came: counts are cumulative, and one that is not repeated still stands."""
    counts = held | {name: found for name, found in later.items() if found is not None}
    split = counts.get("cache_creation")
    if "cache_creation" not in later and isinstance(split, dict):
        # a total without its split by life time: the earlier split stands if it still adds up
        known = [count for count in split.values() if isinstance(count, int)]
        if sum(known) != counts.get("cache_creation_input_tokens"):
            del counts["cache_creation"]
    return counts


def usage_extra(fields: Any) -> JsonObject:
    """What a `usage` object says beside the token counts."""
    if not isinstance(fields, dict):
        return {}
    return {name: found for name, found in fields.items() if name not in _COUNTS and found is not None}


def write_usage(usage: Usage | None) -> JsonObject:
    """A `usage` object for a message; all zeros when nothing is known (the format cannot leave it out)."""
    usage = usage or Usage()
    return {
        "input_tokens": usage.input + usage.audio_in,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {_MINUTES: usage.cache_write_5m, _HOUR: usage.cache_write_1h},
        "output_tokens": usage.completion,
        "output_tokens_details": {"thinking_tokens": usage.reasoning} if usage.reasoning else None,
        **_USAGE_NULLS,
    }


# Messages


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict) or not isinstance(body.get("content"), list):
        raise Unreadable("the answer is no Message: it has no list `content`")
    fields = dict(body)
    parts = read_content(fields.pop("content"), "content")
    stop, native = read_stop(take(fields, "stop_reason", str, ""), parts)
    usage = fields.pop("usage", None)
    answer_id, model = take(fields, "id", str, "") or "", take(fields, "model", str, "") or ""
    sequence = take(fields, "stop_sequence", str, "")
    return Answer(
        id=answer_id,
        model=model,
        choices=(
            Choice(
                parts=parts,
                stop=stop,
                stop_native=native,
                stop_sequence=sequence,
                extra=message_extra(fields, usage_extra(usage)),
            ),
        ),
        usage=read_usage(usage),
    )


def message_extra(fields: JsonObject, usage: JsonObject) -> Extra | None:
    """The fields of a message that only this dialect knows, those of its usage among them."""
    left = {name: found for name, found in fields.items() if name not in {"type", "role"} and found is not None}
    if usage:
        left["usage"] = usage
    return Extra(NAME, left) if left else None


def write_answer(answer: Answer) -> JsonObject:
    """The Message object, before it is encoded."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    extra = dict(own(choice.extra))
    usage = {**write_usage(answer.usage), **extra.pop("usage", {})}
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [complete(block) for block in write_blocks(choice.parts)],
        "stop_reason": None if choice.stop is None else WIRE_STOPS[choice.stop],
        **NULLS,
        **({} if choice.stop_sequence is None else {"stop_sequence": choice.stop_sequence}),
        **extra,
        "usage": usage,
    }


def complete(block: JsonObject) -> JsonObject:
    """A block of an answer with the fields that the schema wants there."""
    nulls = _BLOCK_NULLS.get(block["type"])
    return block if nulls is None else {**nulls, **block}

"""Whole answers: what `Converse` answers to an answer, and back; usage and stop reasons for streams as well.

The API names neither the answer nor the model: the one stands in a header, the other in the request's address.
"""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Part
from understudy.core.projection import settled_stop
from understudy.core.usage import Usage
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, need, take
from understudy.dialects.bedrock_converse.blocks import read_content, write_content
from understudy.dialects.bedrock_converse.wire import an_object, own, rest

STOPS: dict[str, Stop] = {
    "content_filtered": Stop.CONTENT_FILTER,
    "end_turn": Stop.END,
    "guardrail_intervened": Stop.CONTENT_FILTER,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.CONTEXT_FULL,
    "stop_sequence": Stop.STOP_SEQUENCE,
    "tool_use": Stop.TOOL_CALLS,
}
"""stopReason -> reason. A word that is not here (`malformed_model_output`, `malformed_tool_use`) is a plain end, kept as the native one."""

FOLDS = {Stop.PAUSE: Stop.END, Stop.REFUSAL: Stop.CONTENT_FILTER}
WORDS: dict[Stop, str] = {stop: word for word, stop in STOPS.items()} | {Stop.CONTENT_FILTER: "content_filtered"}


def read_stop(word: str | None, parts: tuple[Part, ...]) -> tuple[Stop | None, str | None]:
    """Why the model stopped, and the API's own word where the first does not tell it whole."""
    if word is None:
        return None, None
    stop = STOPS.get(word, Stop.END)
    return settled_stop(stop, parts), None if WORDS[stop] == word else word


def write_stop(stop: Stop, parts: tuple[Part, ...]) -> str:
    """The API's word for a reason."""
    settled = settled_stop(stop, parts) or stop
    return WORDS[settled_stop(FOLDS.get(settled, settled), parts) or settled]


# Usage

_COUNTS = (
    "cacheDetails",
    "cacheReadInputTokenCount",
    "cacheReadInputTokens",
    "cacheWriteInputTokenCount",
    "cacheWriteInputTokens",
    "inputTokens",
    "outputTokens",
    "totalTokens",
)


def read_usage(fields: Any) -> Usage | None:
    """The token counts of a `usage` object; None when there is none.

    `inputTokens` is without what was read from or written to a cache (`totalTokens` is with it: 16 of 16 recorded answers);
    `outputTokens` is with the thinking. The same counts come twice, under an older name that ends in `Count`. A count that is no natural
    number, or a part larger than its whole, marks the result as estimated.
    """
    if not isinstance(fields, dict):
        return None
    sound = True

    def count(found: Any) -> int:
        nonlocal sound
        if found is None:
            return 0
        if type(found) is int and found >= 0:
            return found
        sound = False
        return 0

    def cached(kind: str) -> int:
        told = fields.get(f"cache{kind}InputTokens")
        return count(fields.get(f"cache{kind}InputTokenCount") if told is None else told)

    details = fields.get("cacheDetails")
    split = [entry for entry in details if isinstance(entry, dict)] if isinstance(details, list) else []
    written, hour = cached("Write"), sum(count(entry.get("inputTokens")) for entry in split if entry.get("ttl") == "1h")
    if hour > written:
        sound, hour = False, written
    return Usage(
        input=count(fields.get("inputTokens")),
        cache_read=cached("Read"),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=count(fields.get("outputTokens")),
        estimated=not sound,
    )


def usage_extra(fields: Any) -> JsonObject:
    """What a `usage` object says beside the token counts."""
    if not isinstance(fields, dict):
        return {}
    return {name: held for name, held in fields.items() if name not in _COUNTS and held is not None}


def write_usage(usage: Usage) -> JsonObject:
    """A `usage` object."""
    written: JsonObject = {
        "inputTokens": usage.input + usage.audio_in,
        "outputTokens": usage.completion,
        "totalTokens": usage.total,
    }
    cached = usage.cache_write_5m + usage.cache_write_1h
    if usage.cache_read or cached:
        written |= {"cacheReadInputTokens": usage.cache_read, "cacheWriteInputTokens": cached}
    lives = (("5m", usage.cache_write_5m), ("1h", usage.cache_write_1h))
    if cached:
        written["cacheDetails"] = [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in lives if tokens]
    return written


# Answers


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), dict):
        raise Unreadable("the answer has no object `output`")
    fields = dict(body)
    message = an_object(fields.pop("output").get("message"), "output.message")
    parts = read_content(need(message, "content", list, "output.message"), "output.message.content")
    stop, native = read_stop(take(fields, "stopReason", str), parts)
    usage = fields.pop("usage", None)
    if others := usage_extra(usage):
        fields["usage"] = others
    choice = Choice(parts=parts, stop=stop, stop_native=native, extra=rest(fields))
    return Answer(id="", model="", choices=(choice,), usage=read_usage(usage))


def write_answer(answer: Answer) -> JsonObject:
    """The body, before it is encoded."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    extra = dict(own(choice.extra))
    stop = {} if choice.stop is None else {"stopReason": write_stop(choice.stop, choice.parts)}
    return {
        "output": {"message": {"role": "assistant", "content": write_content(choice.parts)}},
        **stop,
        "usage": {**write_usage(answer.usage or Usage()), **extra.pop("usage", {})},
        **extra,
    }

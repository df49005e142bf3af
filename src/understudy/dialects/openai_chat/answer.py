"""Whole answers: the `chat.completion` object to an answer, and back."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import Part, Refusal, Text
from understudy.core.projection import settled_stop
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, in_order, made_id, words
from understudy.dialects.openai_chat.content import read_call, read_content
from understudy.dialects.openai_chat.reasoning import read_reasoning
from understudy.dialects.openai_chat.request import write_spoken
from understudy.dialects.openai_chat.wire import own, read_stop, read_usage, refuses, rest, write_stop, write_usage

SPOKEN = (
    "role",
    "content",
    "refusal",
    "tool_calls",
    "function_call",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
)
"""The fields of a message or delta that parts are made of; the others are this dialect's own."""


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise Unreadable("the answer is no chat completion: it has no list `choices`")
    fields = dict(body)
    id_, model, created = words(fields.pop("id", None)), words(fields.pop("model", None)), fields.pop("created", None)
    choices = fields.pop("choices")
    usage = read_usage(fields.pop("usage", None) or grouped_usage(fields), fields.get("timings"))
    fields.pop("object", None)
    return Answer(
        id=id_,
        model=model,
        choices=tuple([_read_choice(choice, id_, place) for place, choice in enumerate(in_order(choices))]),
        usage=usage,
        created=created if type(created) is int and created > 0 else None,
        extra=rest(fields),
    )


def grouped_usage(fields: JsonObject) -> Any:
    """Where Groq puts the usage of a stream."""
    groq = fields.get("x_groq")
    return groq.get("usage") if isinstance(groq, dict) else None


def _read_choice(choice: Any, answer_id: str, place: int) -> Choice:
    if not isinstance(choice, dict):
        raise Unreadable(f"choices[{place}] must be an object")
    fields = {
        name: held for name, held in choice.items() if name not in {"index", "finish_reason", "native_finish_reason"}
    }
    message = fields.pop("message", None)
    delta = fields.pop("delta", None)
    if not isinstance(message, dict):
        message = delta if isinstance(delta, dict) else {}  # a filtered answer of Azure has no message at all
    parts = _read_spoken(message, answer_id, place)
    if others := message_extra(message):
        fields["message"] = others
    stop, native = read_stop(choice.get("finish_reason"), choice.get("native_finish_reason"))
    return Choice(parts=parts, stop=settled_stop(stop, parts), stop_native=native, extra=rest(fields))


def _read_spoken(message: JsonObject, answer_id: str, place: int) -> tuple[Part, ...]:
    parts: list[Part] = [*read_reasoning(message)]
    parts += read_content(message.get("content"), f"choices[{place}].message.content")
    if refusal := words(message.get("refusal")):
        parts.append(Refusal(refusal))
    calls = message.get("tool_calls")
    for at, call in enumerate(calls if isinstance(calls, list) else []):
        parts.append(
            read_call(call, made_id("call_", answer_id, place, at), f"choices[{place}].message.tool_calls[{at}]")
        )
    if isinstance(function := message.get("function_call"), dict) and function.get("name"):
        parts.append(read_call({"function": function}, made_id("call_", answer_id, place, "function"), "function_call"))
    return tuple(Text(part.text) if isinstance(part, Text) else part for part in parts)


def message_extra(message: JsonObject) -> JsonObject:
    """What a message or delta says beside its parts: annotations, audio, pictures, what a provider did by itself."""
    return {name: held for name, held in message.items() if name not in SPOKEN and _says(held)}


def _says(held: Any) -> bool:
    """Whether a field says anything: some servers send empty objects and lists for what is not there."""
    if isinstance(held, dict):
        return any(map(_says, held.values()))
    return held not in (None, "", [], 0)


def write_answer(answer: Answer) -> JsonObject:
    """The body for an answer that was projected."""
    body: JsonObject = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created or 0,
        "model": answer.model,
        "choices": [_write_choice(choice, index) for index, choice in enumerate(answer.choices)],
    }
    if answer.usage is not None:
        body["usage"] = write_usage(answer.usage)
    return body | own(answer.extra)


def _write_choice(choice: Choice, index: int) -> JsonObject:
    others = own(choice.extra)
    message: JsonObject = {"role": "assistant", "refusal": None}
    message |= write_spoken(choice.parts, "reasoning_content") | others.get("message", {})
    written: JsonObject = {"index": index, "message": message, "logprobs": None, "finish_reason": None}
    if choice.stop is not None:
        written["finish_reason"], native = write_stop(choice.stop, choice.stop_native, refused=refuses(choice.parts))
    else:
        native = choice.stop_native
    if native is not None:
        written["native_finish_reason"] = native
    return written | {name: held for name, held in others.items() if name != "message"}

"""Whole answers: the object that `/api/chat` gives to an answer, and back.

A server that streams although it was asked not to (and a proxy that calls a stream something else) gives lines: they are read as the
answer that they amount to.
"""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Part, ToolCall
from understudy.core.value import JsonObject
from understudy.dialects._fields import an_object
from understudy.dialects._reading import Unreadable, encode, words
from understudy.dialects.ollama_chat.request import read_call, read_spoken, write_call, write_spoken
from understudy.dialects.ollama_chat.wire import (
    COUNTS,
    WORDS,
    answer_id,
    call_id,
    own,
    read_moment,
    read_stop,
    read_usage,
    rest,
    write_moment,
    write_usage,
)

OF_THE_ANSWER = ("model", "created_at", "message", "done", "done_reason", "error", *COUNTS)
"""Members that the intermediate form has a place for; the others are this dialect's own."""
_OF_THE_MESSAGE = ("role", "content", "thinking", "tool_calls")


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    fields = an_object(body, "the answer")
    message = message_of(fields)
    if message is None:
        raise Unreadable("the answer has no `message`")
    moment, model = words(fields.get("created_at")), words(fields.get("model"))
    parts = (*read_spoken(dict(message), "message"), *calls_of(message, moment, model, 0))
    stop, native = read_stop(fields.get("done_reason"), parts) if fields.get("done") is not False else (None, None)
    beside = {name: held for name, held in fields.items() if name not in OF_THE_ANSWER}
    if others := beside_message(message):
        beside["message"] = others
    return Answer(
        id=answer_id(moment, model),
        model=model,
        choices=(Choice(parts=parts, stop=stop, stop_native=native, extra=rest(beside)),),
        usage=read_usage(fields),
        created=read_moment(moment),
    )


def message_of(fields: JsonObject) -> JsonObject | None:
    """The message of an answer, or of a piece of one. Raises `Unreadable` for one that is no object."""
    message = fields.get("message")
    if not isinstance(message, dict | None):
        raise Unreadable("message must be an object")
    return message


def calls_of(message: JsonObject, moment: str, model: str, before: int) -> list[Part]:
    """The tool calls of a message. `before`: how many the answer has had so far. Raises `Unreadable`."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list | None):
        raise Unreadable("message.tool_calls must be a list")
    return [
        read_call(
            call,
            call_id(moment, model, before + place, encode(call).decode()),
            f"message.tool_calls[{place}]",
        )
        for place, call in enumerate(calls or ())
    ]


def beside_message(message: JsonObject) -> JsonObject:
    """What a message says that no part is made of."""
    return {name: held for name, held in message.items() if name not in _OF_THE_MESSAGE and held not in (None, "", [])}


def write_answer(answer: Answer) -> JsonObject:
    """The body for an answer that was projected."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    message = write_spoken(choice.parts)
    if calls:
        message["tool_calls"] = [write_call(call, index=place) for place, call in enumerate(calls)]
    others = dict(own(choice.extra))
    message |= others.pop("message", {})
    head = write_head(answer.model, answer.created)
    return {**head, "message": message, **write_end(choice.stop), **write_usage(answer.usage), **others}


def write_head(model: str, created: int | None) -> JsonObject:
    """What every object begins with."""
    moment = write_moment(created)
    return {"model": model, "created_at": moment} if moment else {"model": model}


def write_end(stop: Stop | None) -> JsonObject:
    """Whether the answer is complete, and why."""
    if stop is None:
        return {"done": False}
    # a plain end is what the API says after calls, too
    return {"done": True, "done_reason": WORDS[Stop.END if stop is Stop.TOOL_CALLS else stop]}

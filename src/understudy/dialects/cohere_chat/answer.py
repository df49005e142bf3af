"""Whole answers: the object that `/v2/chat` gives to an answer, and back. It does not say which model it is from."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice
from understudy.core.value import JsonObject
from understudy.dialects._fields import an_object
from understudy.dialects._reading import Unreadable, made_id, words
from understudy.dialects.cohere_chat.content import read_spoken, write_spoken
from understudy.dialects.cohere_chat.wire import WORDS, own, read_stop, read_usage, rest, usage_extra, write_usage

USAGE = "usage"


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    fields = an_object(body, "the answer")
    message = fields.pop("message", None)
    if not isinstance(message, dict):
        raise Unreadable("the answer has no object `message`")
    id_ = words(fields.pop("id", None))
    spoken = dict(message)
    spoken.pop("role", None)
    parts = tuple(read_spoken(spoken, lambda number: call_id(id_, number), "message"))
    stop, native = read_stop(fields.pop("finish_reason", None), parts)
    usage = fields.pop(USAGE, None)
    if others := usage_extra(usage):
        fields[USAGE] = others
    beside = {name: held for name, held in spoken.items() if held not in (None, [], "")}
    return Answer(
        id=id_,
        model="",
        choices=(Choice(parts=parts, stop=stop, stop_native=native, extra=rest(beside)),),
        usage=read_usage(usage),
        extra=rest(fields),
    )


def call_id(answer_id: str, number: int) -> str:
    """The id of a call that came without one."""
    return made_id("call_", answer_id, number)


def write_answer(answer: Answer) -> JsonObject:
    """The body for an answer that was projected."""
    choice = answer.choices[0] if answer.choices else Choice(parts=())
    others = dict(own(answer.extra))
    body: JsonObject = {"id": answer.id, "message": {**write_spoken(choice.parts), **own(choice.extra)}}
    if choice.stop is not None:
        body["finish_reason"] = WORDS[choice.stop]
    if usage := write_usage(answer.usage, others.pop(USAGE, None)):
        body[USAGE] = usage
    return {**body, **others}

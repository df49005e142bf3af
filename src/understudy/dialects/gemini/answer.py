"""Whole answers: the `GenerateContentResponse` to an answer, and back."""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, in_order, made_id, words
from understudy.dialects.gemini.parts import Spoken, parts_of, write_parts
from understudy.dialects.gemini.seals import gathered, in_place
from understudy.dialects.gemini.stops import read_stop, word_of, write_stop
from understudy.dialects.gemini.usage import read_usage, usage_extra, write_usage
from understudy.dialects.gemini.wire import an_object, own, rest

USAGE = "usageMetadata"


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. A prompt that was blocked is an answer with one filtered choice. Raises `Unreadable`."""
    fields = an_object(body, "the answer")
    candidates = fields.pop("candidates", None)
    if candidates is None and not isinstance(fields.get("promptFeedback"), dict):
        raise Unreadable("the answer has no list `candidates`")
    if not isinstance(candidates, list | None):
        raise Unreadable("candidates must be a list")
    id_, model = words(fields.pop("responseId", None)), words(fields.pop("modelVersion", None))
    choices = tuple(_read_candidate(one, id_, place) for place, one in enumerate(in_order(candidates or [])))
    if candidates is None:
        choices = (Choice(parts=(), stop=Stop.CONTENT_FILTER),)
    usage = fields.pop(USAGE, None)
    if others := usage_extra(usage):
        fields[USAGE] = others
    return Answer(
        id=id_,
        model=model,
        choices=choices,
        usage=read_usage(usage),
        extra=rest(fields),
    )


def number_of(candidate: JsonObject, place: int) -> int:
    """Which alternative a candidate is. The API leaves 0 out."""
    number = candidate.get("index")
    return number if type(number) is int and number >= 0 else place


def call_id(answer_id: str, candidate: int, number: int) -> str:
    """The id of a call that came without one."""
    return made_id("call_", answer_id, candidate, number)


OF_THE_CANDIDATE = ("content", "finishReason", "index")
"""Fields of a candidate that the intermediate form has a place for; the others are this dialect's own."""


def _read_candidate(candidate: Any, answer_id: str, place: int) -> Choice:
    where = f"candidates[{place}]"
    fields = an_object(candidate, where)
    spoken = Spoken(lambda number: call_id(answer_id, place, number))
    for at, part in enumerate(parts_of(fields.get("content"), f"{where}.content")):
        spoken.read(part, f"{where}.content.parts[{at}]")
    parts, _ = in_place(tuple(gathered(spoken.parts, spoken.announced)))
    stop, native = read_stop(word_of(fields.get("finishReason")), parts)
    others = {name: held for name, held in fields.items() if name not in OF_THE_CANDIDATE}
    return Choice(parts=parts, stop=stop, stop_native=native, extra=rest(others))


def write_answer(answer: Answer) -> JsonObject:
    """The body for an answer that was projected."""
    others = dict(own(answer.extra))
    body: JsonObject = {"candidates": [_write_candidate(choice, place) for place, choice in enumerate(answer.choices)]}
    body[USAGE] = {**(write_usage(answer.usage) if answer.usage is not None else {}), **others.pop(USAGE, {})}
    if not body[USAGE]:
        del body[USAGE]
    return {**body, "modelVersion": answer.model, "responseId": answer.id, **others}


def _write_candidate(choice: Choice, place: int) -> JsonObject:
    content: JsonObject = {"parts": write_parts(choice.parts), "role": "model"}
    written: JsonObject = {"content": content, "index": place, **own(choice.extra)}
    if (word := write_stop(choice.stop, choice.stop_native)) is not None:
        written["finishReason"] = word
    return written

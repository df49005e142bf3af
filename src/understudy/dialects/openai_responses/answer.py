"""Whole answers: the `response` object to an answer, and back.

The API repeats in each answer what was asked. What a provider said there goes back as it came; for an answer of another provider
the fields hold what is so when nothing is said (`ECHO`), with `store` false: nobody keeps it.
"""

from __future__ import annotations

from typing import Any

from understudy.core.answer import Answer, Choice
from understudy.core.conversation import Part
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, words
from understudy.dialects.openai_responses.items import fallback_id, read_item, write_item
from understudy.dialects.openai_responses.wire import own, read_stop, read_usage, rest, write_stop, write_usage

ECHO: JsonObject = {
    "background": False,
    "completed_at": None,
    "error": None,
    "frequency_penalty": 0.0,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_TOLD = ("id", "model", "output", "usage", "object", "status", "error", "incomplete_details", "created_at")


def read_answer(body: Any) -> Answer:
    """The answer in a decoded body. Raises `Unreadable`."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), list):
        raise Unreadable("the answer is no response: it has no list `output`")
    id_ = words(body.get("id"))
    parts: list[Part] = []
    for place, item in enumerate(body["output"]):
        parts += read_item(item, fallback_id(id_, place), f"output[{place}]")
    stop, native = read_stop(body.get("status"), body.get("incomplete_details"), tuple(parts))
    return Answer(
        id=id_,
        model=words(body.get("model")),
        choices=(Choice(parts=tuple(parts), stop=stop, stop_native=native),),
        usage=read_usage(body.get("usage")),
        created=created_of(body),
        extra=rest(asked_of(body)),
    )


def created_of(body: JsonObject) -> int | None:
    """When it was made, in Unix seconds."""
    found = body.get("created_at")
    return int(found) if isinstance(found, int | float) and 0 < found < 2**53 else None


def asked_of(body: JsonObject) -> JsonObject:
    """What a response says beside its answer, as far as that is not so anyway."""
    return {name: held for name, held in body.items() if name not in _TOLD and held != ECHO.get(name)}


def write_answer(answer: Answer) -> JsonObject:
    """The body for an answer that was projected."""
    choice = answer.choices[0]
    body = skeleton(answer.id, answer.model, answer.created, own(answer.extra))
    body["status"], body["incomplete_details"] = write_stop(choice.stop)
    body["output"] = [write_item(part, answer.id, place) for place, part in enumerate(choice.parts)]
    if answer.usage is not None:
        body["usage"] = write_usage(answer.usage)
    return body


def skeleton(id_: str, model: str, created: int | None, others: JsonObject) -> JsonObject:
    """A response that has said nothing yet."""
    return {
        "id": id_,
        "object": "response",
        "created_at": created or 0,
        "status": "in_progress",
        "model": model,
        "output": [],
        "usage": None,
        **ECHO,
        **others,
    }

"""Items: what the model said and asked for, as Responses lists it in requests and answers alike.

One part of the intermediate form is one item. The API may put several texts into one message; then the first of them keeps what
the message says about itself (`item`: its id, its phase), and each returns as a message of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from understudy.core.assembly import read_arguments, write_arguments
from understudy.core.conversation import Extra, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, words
from understudy.dialects.openai_responses.content import spoken_rest
from understudy.dialects.openai_responses.seals import read_reasoning, thought_id, write_reasoning
from understudy.dialects.openai_responses.wire import NAME, made_id, own, real_id, rest


def read_item(item: Any, fallback_id: str, where: str) -> list[Part]:
    """The parts of one item of the assistant's. `fallback_id`: of a call without one."""
    if not isinstance(item, dict):
        raise Unreadable(f"{where} must be an object")
    kind = item.get("type") or ("item_reference" if "id" in item and "role" not in item else "message")
    if kind == "message" and item.get("role", "assistant") == "assistant":
        return read_message(item, where)
    if kind == "reasoning":
        return [read_reasoning(item)]
    if kind == "function_call":
        return [read_call(item, fallback_id)]
    return [Opaque(NAME, kind if isinstance(kind, str) else "unknown", item)]


def read_message(item: JsonObject, where: str) -> list[Part]:
    """What an assistant's message says; the first text keeps what the message says about itself."""
    content = item.get("content")
    if isinstance(content, str):
        parts: list[Part] = [Text(content)] if content else []
    elif isinstance(content, list | None):
        parts = [read_spoken(part, f"{where}.content[{place}]") for place, part in enumerate(content or ())]
    else:
        raise Unreadable(f"{where}.content must be a string or a list of parts")
    about = message_about(item)
    if about is None:
        return [part for part in parts if not isinstance(part, Text) or part.text or part.extra]
    first = parts[0] if parts else None
    if isinstance(first, Text):
        return [replace(first, extra=Extra(NAME, {**own(first.extra), "item": about})), *parts[1:]]
    return [Text("", extra=Extra(NAME, {"item": about})), *parts]


def message_about(item: JsonObject) -> JsonObject | None:
    """What a message says about itself, besides who speaks and what."""
    about = {name: held for name, held in item.items() if name not in {"type", "role", "content", "status", "id"}}
    found = rest({"id": real_id(item.get("id")), **about})
    return None if found is None else found.fields


def read_spoken(part: Any, where: str) -> Text | Refusal:
    """One entry of an assistant's content. One that only this API knows stands in a text without words."""
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        raise Unreadable(f"{where} must be an object")
    kind = part.get("type")
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return Refusal(part["refusal"])
    if kind in _TEXTS and isinstance(part.get("text"), str):
        return Text(part["text"], extra=spoken_rest({k: v for k, v in part.items() if k not in {"type", "text"}}))
    return Text("", extra=Extra(NAME, {"part": part}))


_TEXTS = ("output_text", "input_text", "text")


def read_call(item: JsonObject, fallback_id: str) -> ToolCall:
    """A function call. Its result goes to `call_id`; the item's own `id` is another thing."""
    fields = {name: held for name, held in item.items() if name not in {"type", "status"}}
    fields["id"] = real_id(fields.get("id"))
    call_id, name = fields.pop("call_id", None), fields.pop("name", None)
    found = fields.pop("arguments", None)
    arguments = read_arguments(found) if isinstance(found, str) else {} if found is None else found
    return ToolCall(words(call_id) or fallback_id, words(name), arguments, extra=rest(fields))


def fallback_id(*about: object) -> str:
    """A call's id where the provider gave none."""
    return made_id("call", *about)


def write_item(part: Part, answer_id: str | None = None, place: int = 0) -> JsonObject:
    """The item for one part. `answer_id`: of the answer that it stands in, where each item must have an id and a status."""
    if isinstance(part, Opaque):
        return dict(part.value)
    if isinstance(part, Reasoning):
        return write_reasoning(part, None if answer_id is None else thought_id(answer_id, place))
    if isinstance(part, ToolCall):
        return _write_call(part, answer_id, place)
    if isinstance(part, Text | Refusal):
        return _write_message(part, answer_id, place)
    raise TypeError(f"{type(part).__name__} was not projected away")


def _write_call(part: ToolCall, answer_id: str | None, place: int) -> JsonObject:
    others = own(part.extra)
    written: JsonObject = {"type": "function_call"}
    if answer_id is not None:
        written |= {"id": others.get("id") or made_id("fc", answer_id, place), "status": "completed"}
    written |= {"call_id": part.id, "name": part.name, "arguments": write_arguments(part.arguments)}
    return {**written, **others}


def _write_message(part: Text | Refusal, answer_id: str | None, place: int) -> JsonObject:
    written: JsonObject = {"type": "message", "role": "assistant"}
    about = own(part.extra).get("item", {}) if isinstance(part, Text) else {}
    if answer_id is not None:
        written |= {"id": about.get("id") or made_id("msg", answer_id, place), "status": "completed"}
    elif "id" in about:
        written["status"] = "completed"
    elif isinstance(part, Text) and part.extra is None:
        return {**written, "content": part.text}
    spoken = write_spoken(part, logprobs=answer_id is not None)
    return {**written, "content": [] if spoken is None else [spoken], **about}


def write_spoken(part: Text | Refusal, *, logprobs: bool) -> JsonObject | None:
    """An entry of an assistant's content; None for a text that only stands for a message. `logprobs`: the list is wanted."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    others = {name: held for name, held in own(part.extra).items() if name != "item"}
    if "part" in others:
        return dict(others["part"])
    if not part.text and not others:
        return None
    empty: JsonObject = {"annotations": [], "logprobs": []} if logprobs else {"annotations": []}
    return {"type": "output_text", "text": part.text, **empty, **others}

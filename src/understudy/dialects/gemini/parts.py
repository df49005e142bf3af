"""Parts of a content as generateContent writes them, in requests and answers alike.

A part that only this API knows (code that the provider runs, its own tools, generated media) is kept whole as `Opaque`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from understudy.core.conversation import (
    Audio,
    Document,
    Extra,
    Image,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Video,
)
from understudy.core.value import JsonObject
from understudy.dialects._reading import Unreadable, decode, encode, words
from understudy.dialects.gemini.media import read_media, write_media
from understudy.dialects.gemini.seals import UNSIGNED, anchor, call_seal, packed, text_seal, unpacked
from understudy.dialects.gemini.wire import NAME, an_object, camelled, need, own, rest, take


def parts_of(content: Any, where: str) -> list[Any]:
    """The entries of a content's `parts`; a content may have none."""
    if content is None:
        return []
    return take(an_object(content, where), "parts", list, where) or []


class Spoken:
    """Reads what the model said, part by part. `announced`: see `seals.gathered`.

    `made`: gives the id of a call that has none, by its number in the turn.
    """

    __slots__ = ("_made", "announced", "calls", "parts")

    def __init__(self, made: Any) -> None:
        self._made = made
        self.parts: list[Part] = []
        self.announced: dict[int, str] = {}
        self.calls = 0

    def read(self, part: Any, where: str) -> None:
        """One entry of the list."""
        fields = an_object(part, where)
        signature = words(fields.get("thoughtSignature"))
        signature = "" if signature == UNSIGNED else signature
        speaks = isinstance(fields.get("text"), str) or fields.keys() <= _ABOUT
        if fields.get("functionCall") is not None:
            self._call(fields, signature, where)
        elif not speaks:
            self.parts.append(Opaque(NAME, kind_of(part), part))
        elif fields.get("thought") is True:
            self._thought(fields, signature)
        else:
            self._text(fields, signature)

    def _thought(self, fields: JsonObject, signature: str) -> None:
        text, extra = words(fields.get("text")), _beside_words(fields)
        held, data, signed_by, announces = unpacked(signature) if signature else (None, None, None, False)
        if announces and signed_by is not None:
            self.announced[len(self.parts)] = signed_by
            signed_by = None
        elif not text and signed_by is None:
            return
        self.parts.append(Reasoning(text, held, data, signed_by, extra))

    def _text(self, fields: JsonObject, signature: str) -> None:
        text, extra = words(fields.get("text")), _beside_words(fields)
        if text or extra is not None:
            self.parts.append(Text(text, None, extra))
        if signature:
            self.parts.append(text_seal(signature))

    def _call(self, fields: JsonObject, signature: str, where: str) -> None:
        call = read_call(fields, self._made(self.calls), where)
        if signature:
            self.parts.append(call_seal(signature, self.calls))
        self.parts.append(call)
        self.calls += 1


_ABOUT = {"text", "thought", "thoughtSignature"}


def _beside_words(fields: JsonObject) -> Extra | None:
    return rest({name: held for name, held in fields.items() if name not in _ABOUT})


def read_call(fields: JsonObject, fallback_id: str, where: str) -> ToolCall:
    """A part that holds a `functionCall`, its names in camel case."""
    where = f"{where}.functionCall"
    call = an_object(fields["functionCall"], where)
    id_, name = take(call, "id", str, where), need(call, "name", str, where)
    arguments = call.pop("args", None)
    beside: JsonObject = {
        key: held for key, held in fields.items() if key not in {"functionCall", "thoughtSignature", "thought"}
    }
    if left := rest(call):
        beside["functionCall"] = left.fields
    return ToolCall(id_ or fallback_id, name, _read_arguments(arguments), None, rest(beside))


# Arguments are an object. What is none is wrapped as Anthropic documents it, and comes out of that again.

_WRAPPED = "INVALID_JSON"


def write_arguments(arguments: Any) -> JsonObject:
    """Arguments as the object that the API insists on."""
    if isinstance(arguments, dict) and arguments.keys() != {_WRAPPED}:
        return arguments
    return {_WRAPPED: arguments}


def _read_arguments(found: Any) -> Any:
    if found is None:
        return {}
    if isinstance(found, dict) and found.keys() == {_WRAPPED}:
        inner = found[_WRAPPED]
        if not isinstance(inner, dict) or inner.keys() == {_WRAPPED}:
            return inner
    return found


def kind_of(part: JsonObject) -> str:
    """What an unknown part is called in reports: the name of its data."""
    beside = {"thought", "thoughtSignature", "thought_signature"}
    return words(part.get("type")) or next((name for name in part if name not in beside), "part")


# What the caller says


def read_user_part(part: Any, where: str) -> Part | None:
    """One entry of a user's parts that is no function response; None for a text that says nothing."""
    fields = camelled(part)
    if isinstance(fields.get("text"), str):
        text = fields.pop("text")
        extra = rest(fields)
        return Text(text, None, extra) if text or extra is not None else None
    if "inlineData" in fields or "fileData" in fields:
        return read_media(fields) or Opaque(NAME, kind_of(part), part)
    if not fields:
        raise Unreadable(f"{where} says nothing: it must hold text, inlineData, fileData or functionResponse")
    return Opaque(NAME, kind_of(part), part)


# Function responses. `{"output": ...}` and `{"error": ...}` are the API's own words for what a function gave back; any other
# object is the result as it stands, and goes to other formats as JSON text.

_SAID = ("output", "result")


def read_response(fields: JsonObject, call_id: str, name: str, where: str) -> ToolResult:
    """A `functionResponse`, its names in camel case, without id and name."""
    response = take(fields, "response", dict, where) or {}
    is_error = response.keys() == {"error"}
    parts: list[Part] = []
    if text := _told(response):
        parts.append(Text(text))
    for place, part in enumerate(take(fields, "parts", list, where) or ()):
        inner = f"{where}.parts[{place}]"
        parts.append(read_media(an_object(part, inner)) or Opaque(NAME, kind_of(part), part))
    return ToolResult(call_id, tuple(parts), True if is_error else None, name, None, rest(fields))


def _told(response: JsonObject) -> str:
    if not response:
        return ""
    if len(response) == 1:
        name, held = next(iter(response.items()))
        if isinstance(held, str) and (name in _SAID or name == "error"):
            return held
        if name == "error":
            return encode(held).decode()
    return encode(response).decode()


def write_response(result: ToolResult) -> JsonObject:
    """A part that holds the `functionResponse`."""
    text = "".join(part.text for part in result.parts if isinstance(part, Text))
    response: JsonObject = {}
    if result.is_error:
        response = {"error": text}
    elif text:
        response = _as_object(text) or {"output": text}
    fields: JsonObject = {"id": result.call_id, "name": result.name or result.call_id, "response": response}
    if media := [write_part(part) for part in result.parts if not isinstance(part, Text)]:
        fields["parts"] = media
    return {"functionResponse": {**fields, **own(result.extra)}}


def _as_object(text: str) -> JsonObject | None:
    """The object that a text spells exactly as we would; None for any other text."""
    if not text.startswith("{") or not text.endswith("}"):
        return None
    try:
        found = decode(text.encode("utf-8", "surrogatepass"))
    except Unreadable:
        return None
    return found if isinstance(found, dict) and _told(found) == text and found.keys() != {"error"} else None


# And back


def write_parts(parts: Sequence[Part], *, vouches: bool = False) -> list[JsonObject]:
    """The `parts` of a content. `vouches`: a turn's first call that bears no signature gets the one that stands for none."""
    written: list[JsonObject] = []
    signature: str | None = None
    for part in parts:
        seal = anchor(part)
        if seal is not None:
            if seal[0] == "call":
                signature = seal[2]
            elif written and "text" in written[-1] and written[-1].keys().isdisjoint(_SEALED):
                written[-1]["thoughtSignature"] = seal[2]
            else:
                written.append({"text": "", "thoughtSignature": seal[2]})
            continue
        entry = write_part(part)
        if isinstance(part, ToolCall):
            if signature is None and vouches:
                signature = UNSIGNED
            if signature is not None:
                entry["thoughtSignature"] = signature
            signature, vouches = None, False
        written.append(entry)
    return written


_SEALED = ("thought", "thoughtSignature")


def write_part(part: Part) -> JsonObject:
    """One entry of the list."""
    if isinstance(part, Text):
        return {"text": part.text, **own(part.extra)}
    if isinstance(part, Refusal):
        return {"text": part.text}
    if isinstance(part, Reasoning):
        return write_thought(part)
    if isinstance(part, ToolCall):
        return write_call(part)
    if isinstance(part, ToolResult):
        return write_response(part)
    if isinstance(part, Image | Document | Audio | Video):
        return write_media(part)
    return dict(part.value)


def write_thought(part: Reasoning) -> JsonObject:
    """A thought. One without words has no `text`, so that it cannot be taken for an empty text."""
    fields: JsonObject = {"text": part.text} if part.text else {}
    fields |= {"thought": True, **own(part.extra)}
    if seal := packed(part):
        fields["thoughtSignature"] = seal
    return fields


def write_call(call: ToolCall) -> JsonObject:
    """A part that holds the `functionCall`."""
    others = dict(own(call.extra))
    fields: JsonObject = {"id": call.id, "name": call.name, "args": write_arguments(call.arguments)}
    return {"functionCall": {**fields, **others.pop("functionCall", {})}, **others}

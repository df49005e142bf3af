"""Cohere's chat as its API sends it, second version: typed events, plans before calls, two counts of the same tokens."""

from __future__ import annotations

import json
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, BadRequest, Offered, Said, cut, messages_of, stops_of, text_of, tokens_of, want
from understudy.mock.formats import Events, Piece

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_STOPS = {"end": "COMPLETE", "length": "MAX_TOKENS", "stop_sequence": "STOP_SEQUENCE", "tool_calls": "TOOL_CALL"}
_PREAMBLE_TOKENS = 495  # what the API puts before every prompt, counted and not billed


def answers_chat(path: str) -> bool:
    """Whether an answer in this format is asked for at this path."""
    return path.endswith("/v2/chat")


class CohereChat(Events):
    """`understudy.mock.formats.Format` for POST /v2/chat."""

    dialect = "cohere_chat"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        messages = messages_of(read, _ROLES)
        user = [message for message in messages if message["role"] == "user"]
        tools = tuple(_offered(tool) for tool in want(read, "tools", list) or ())
        form = want(read, "response_format", dict) or {}
        if tools and form.get("type", "text") != "text":
            raise BadRequest("response_format is not supported with RAG or tools")
        thinking = want(read, "thinking", dict) or {}
        return Asked(
            model=want(read, "model", str, required=True),
            stream=bool(want(read, "stream", bool)),
            text=text_of(user[-1].get("content")) if user else "",
            fresh=messages[-1]["role"] == "user",
            tools=tools,
            may_call=read.get("tool_choice") != "NONE",
            must_call="" if read.get("tool_choice") == "REQUIRED" else None,
            schema=(form.get("json_schema") or {}) if form.get("type") == "json_object" else None,
            thinks=thinking.get("type") == "enabled",
            max_tokens=want(read, "max_tokens", int),
            stop=stops_of(read, "stop_sequences"),
            tokens_in=tokens_of(read),
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A whole answer."""
        [each] = said
        message: JsonObject = {"role": "assistant"}
        content = [{"type": "thinking", "thinking": "".join(each.thinking)}] if each.thinking else []
        if each.called is None:
            content += [{"type": "text", "text": "".join(each.text)}]
        else:
            message |= {"tool_plan": "I will use a tool.", "tool_calls": [_call(each, number)]}
        if content:
            message["content"] = content
        return {"id": _id(number), "message": message, **_end(asked, each)}

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """The same as typed events."""
        [each] = said
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        pieces = [_event("message-start", id=_id(number), delta={"message": empty})]
        index = 0
        for kind, words in (("thinking", each.thinking), ("text", each.text)):
            if not words:
                continue
            pieces.append(_told("content-start", index, content={"type": kind, kind: ""}))
            pieces += [_told("content-delta", index, spoken=True, content={kind: word}) for word in words]
            pieces.append(_told("content-end", index))
            index += 1
        if each.called is not None:
            call = _call(each, number)
            call["function"]["arguments"] = ""
            pieces.append(_event("tool-plan-delta", delta={"message": {"tool_plan": "I will use a tool."}}))
            pieces.append(_told("tool-call-start", 0, spoken=True, tool_calls=call))
            pieces += [
                _told("tool-call-delta", 0, spoken=True, tool_calls={"function": {"arguments": part}})
                for part in cut(each.called.arguments)
            ]
            pieces.append(_told("tool-call-end", 0))
        return [*pieces, _event("message-end", delta=_end(asked, each)), Piece(b"data: [DONE]\n\n")]


def _event(kind: str, *, spoken: bool = False, **fields: Any) -> Piece:
    written = json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
    return Piece(f"event: {kind}\ndata: {written}\n\n".encode(), spoken)


def _told(kind: str, index: int, *, spoken: bool = False, **message: Any) -> Piece:
    delta = {"delta": {"message": message}} if message else {}
    return _event(kind, spoken=spoken, index=index, **delta)


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _call(said: Said, number: int) -> JsonObject:
    assert said.called is not None
    function = {"name": said.called.name, "arguments": said.called.arguments}
    return {"id": f"{said.called.name}_mock{number:08d}", "type": "function", "function": function}


def _end(asked: Asked, said: Said) -> JsonObject:
    tokens: JsonObject = {"input_tokens": asked.tokens_in + _PREAMBLE_TOKENS, "output_tokens": said.tokens_out + 4}
    if said.thinking:
        tokens["reasoning_tokens"] = len(said.thinking)
    billed = {"input_tokens": asked.tokens_in, "output_tokens": said.tokens_out}
    return {"finish_reason": _STOPS[said.stop], "usage": {"billed_units": billed, "tokens": tokens}}


def _offered(tool: Any) -> Offered:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest("invalid request: tools must have a function with a name")
    return Offered(function["name"], function.get("parameters") or {})

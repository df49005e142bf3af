"""Ollama's own chat as its server sends it: JSON lines unless it is told not to stream, and calls that have no ids."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, BadRequest, Offered, Said, messages_of, stops_of, tokens_of, want
from understudy.mock.formats import Piece

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_STOPS = {"end": "stop", "length": "length", "stop_sequence": "stop", "tool_calls": "stop"}


def chats(path: str) -> bool:
    """Whether an answer in this format is asked for at this path."""
    return path.endswith("/api/chat")


class OllamaChat:
    """`understudy.mock.formats.Format` for POST /api/chat."""

    dialect = "ollama_chat"
    stream_type = "application/x-ndjson"

    def framed(self, event: bytes, name: str) -> bytes:  # noqa: ARG002  lines have no names
        """An event of its streams."""
        return event + b"\n"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        messages = messages_of(read, _ROLES)
        for message in messages:
            if not isinstance(message.get("content", ""), str):
                raise BadRequest(
                    "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string"
                )
        user = [message for message in messages if message["role"] == "user"]
        options = want(read, "options", dict) or {}
        form = read.get("format") or None
        bound = want(options, "num_predict", int)
        return Asked(
            model=want(read, "model", str, required=True),
            stream=want(read, "stream", bool) is not False,
            text=user[-1].get("content", "") if user else "",
            fresh=messages[-1]["role"] == "user",
            tools=tuple(_offered(tool) for tool in want(read, "tools", list) or ()),
            schema={} if form == "json" else form,
            thinks=bool(read.get("think")),
            max_tokens=bound if bound is not None and bound > 0 else None,
            stop=stops_of(options, "stop"),
            tokens_in=tokens_of(read),
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:  # noqa: ARG002  there are no ids
        """A whole `ChatResponse`."""
        [each] = said
        message: JsonObject = {"role": "assistant", "content": "".join(each.text)}
        if each.thinking:
            message["thinking"] = "".join(each.thinking)
        if each.called is not None:
            message["tool_calls"] = [_call(each)]
        return {**_head(asked), "message": message, **_end(asked, each)}

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:  # noqa: ARG002  likewise
        """A line for each piece, and a last one with the counts."""
        [each] = said
        messages: list[JsonObject] = [{"content": "", "thinking": piece} for piece in each.thinking]
        messages += [{"content": piece} for piece in each.text]
        if each.called is not None:
            messages.append({"content": "", "tool_calls": [_call(each)]})
        lines = [
            _line({**_head(asked), "message": {"role": "assistant", **message}, "done": False}, content=True)
            for message in messages
        ]
        end = {**_head(asked), "message": {"role": "assistant", "content": ""}, **_end(asked, each)}
        return [*lines, _line(end)]


def _line(data: JsonObject, *, content: bool = False) -> Piece:
    return Piece(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n", content)


def _head(asked: Asked) -> JsonObject:
    moment = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"model": asked.model, "created_at": moment}


def _call(said: Said) -> JsonObject:
    assert said.called is not None
    return {"function": {"name": said.called.name, "arguments": json.loads(said.called.arguments)}}


def _end(asked: Asked, said: Said) -> JsonObject:
    return {
        "done": True,
        "done_reason": _STOPS[said.stop],
        "total_duration": 1_000_000,
        "load_duration": 1_000,
        "prompt_eval_count": asked.tokens_in,
        "prompt_eval_duration": 1_000,
        "eval_count": said.tokens_out,
        "eval_duration": 1_000,
    }


def _offered(tool: Any) -> Offered:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest("json: cannot unmarshal into Go struct field ChatRequest.tools of type api.Tool")
    return Offered(function["name"], function.get("parameters") or {})

"""OpenAI Chat Completions as OpenAI sends it."""

from __future__ import annotations

import json
import time
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import (
    Asked,
    BadRequest,
    Offered,
    Said,
    cut,
    messages_of,
    stops_of,
    text_of,
    tokens_of,
    want,
    within,
)
from understudy.mock.formats import Events, Piece

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_STOPS = {"end": "stop", "length": "length", "stop_sequence": "stop", "tool_calls": "tool_calls"}
_MUST_CALL = {"required": "", "any": ""}
ALTERNATIVES_MAX = 128
"""What OpenAI allows."""


class ChatCompletions(Events):
    """`understudy.mock.formats.Format` for POST /v1/chat/completions."""

    dialect = "openai_chat"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        messages = messages_of(read, _ROLES)
        user = [message for message in messages if message["role"] == "user"]
        options = want(read, "stream_options", dict) or {}
        choice = read.get("tool_choice")
        return Asked(
            model=want(read, "model", str, required=True),
            stream=bool(want(read, "stream", bool)),
            include_usage=options.get("include_usage") is True,
            text=text_of(user[-1].get("content")) if user else "",
            fresh=messages[-1]["role"] == "user",
            tools=tuple(_offered(tool) for tool in want(read, "tools", list) or ()),
            may_call=choice != "none",
            must_call=_MUST_CALL.get(choice) if isinstance(choice, str) else _named(choice),
            schema=_schema(want(read, "response_format", dict) or {}),
            thinks=read.get("reasoning_effort") not in (None, "none"),
            max_tokens=want(read, "max_completion_tokens", int) or want(read, "max_tokens", int),
            stop=stops_of(read, "stop"),
            n=within(read, "n", 1, ALTERNATIVES_MAX) or 1,
            tokens_in=tokens_of(read),
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A `chat.completion`."""
        return _head(asked, number, "chat.completion") | {
            "choices": [
                {
                    "index": index,
                    "message": {
                        "role": "assistant",
                        "content": "".join(each.text) if each.called is None else None,
                        "refusal": None,
                        "annotations": [],
                    }
                    | ({} if each.called is None else {"tool_calls": [_call(each, number)]}),
                    "logprobs": None,
                    "finish_reason": _STOPS[each.stop],
                }
                for index, each in enumerate(said)
            ],
            "usage": _usage(asked, said),
            "service_tier": "default",
        }

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """A run of `chat.completion.chunk`, then `[DONE]`."""
        head = _head(asked, number, "chat.completion.chunk")
        usage: JsonObject = {"usage": None} if asked.include_usage else {}

        def chunk(index: int, delta: JsonObject, finish: str | None = None, *, content: bool = False) -> Piece:
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
            return Piece(_event(head | {"choices": [choice]} | usage), content)

        pieces: list[Piece] = []
        for index, each in enumerate(said):
            if each.called is None:
                pieces.append(chunk(index, {"role": "assistant", "content": "", "refusal": None}))
            else:
                call = _call(each, number)
                call["function"]["arguments"] = ""
                pieces.append(chunk(index, {"role": "assistant", "content": None, "refusal": None}))
                pieces.append(chunk(index, {"tool_calls": [{"index": 0, **call}]}, content=True))
                pieces += (
                    chunk(index, {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}, content=True)
                    for part in cut(each.called.arguments)
                )
            pieces += (chunk(index, {"content": part}, content=True) for part in each.text)
            pieces.append(chunk(index, {}, _STOPS[each.stop]))
        if asked.include_usage:
            pieces.append(Piece(_event(head | {"choices": [], "usage": _usage(asked, said)})))
        return [*pieces, Piece(b"data: [DONE]\n\n")]


def _event(data: JsonObject) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def _head(asked: Asked, number: int, kind: str) -> JsonObject:
    return {
        "id": f"chatcmpl-mock{number:08d}",
        "object": kind,
        "created": int(time.time()),
        "model": asked.model,
        "system_fingerprint": "fp_mock",
    }


def _call(said: Said, number: int) -> JsonObject:
    assert said.called is not None
    function = {"name": said.called.name, "arguments": said.called.arguments}
    return {"id": f"call_mock{number:08d}", "type": "function", "function": function}


def _usage(asked: Asked, said: tuple[Said, ...]) -> JsonObject:
    # Reasoning is paid for and not shown: it is in the count, and named there.
    completion = sum(each.tokens_out for each in said)
    return {
        "prompt_tokens": asked.tokens_in,
        "completion_tokens": completion,
        "total_tokens": asked.tokens_in + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": sum(len(each.thinking) for each in said),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _offered(tool: Any) -> Offered:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequest("Missing required parameter: 'tools[].function.name'.")
    return Offered(function["name"], function.get("parameters") or {})


def _named(choice: Any) -> str | None:
    function = choice.get("function") if isinstance(choice, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _schema(response_format: JsonObject) -> JsonObject | None:
    match response_format.get("type"):
        case "json_object":
            return {}
        case "json_schema":
            return want(want(response_format, "json_schema", dict, required=True), "schema", dict) or {}
        case _:
            return None

"""Anthropic Messages as Anthropic sends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, BadRequest, Offered, Said, cut, messages_of, stops_of, text_of, tokens_of, want
from understudy.mock.formats import Events, Piece

_ROLES = frozenset({"user", "assistant"})
_STOPS = {"end": "end_turn", "length": "max_tokens", "stop_sequence": "stop_sequence", "tool_calls": "tool_use"}
_SIGNATURE = "bW9jay1zaWduYXR1cmU="  # opaque to everybody but the mock


class Messages(Events):
    """`understudy.mock.formats.Format` for POST /v1/messages."""

    dialect = "anthropic_messages"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        messages = messages_of(read, _ROLES)
        user = [message for message in messages if message["role"] == "user"]
        choice = want(read, "tool_choice", dict) or {}
        thinking = want(read, "thinking", dict) or {}
        return Asked(
            model=want(read, "model", str, required=True),
            stream=bool(want(read, "stream", bool)),
            text=text_of(user[-1].get("content")) if user else "",
            fresh=messages[-1]["role"] == "user" and not _holds_results(messages[-1].get("content")),
            tools=tuple(_offered(tool) for tool in want(read, "tools", list) or ()),
            may_call=choice.get("type") != "none",
            must_call={"any": "", "tool": want(choice, "name", str)}.get(want(choice, "type", str) or ""),
            schema=_schema(read),
            thinks=thinking.get("type") in ("enabled", "adaptive"),
            max_tokens=want(read, "max_tokens", int, required=True),
            stop=stops_of(read, "stop_sequences"),
            tokens_in=tokens_of(read),
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A `message`."""
        [only] = said
        content: list[JsonObject] = []
        if only.thinking:
            content.append({"type": "thinking", "thinking": "".join(only.thinking), "signature": _SIGNATURE})
        if only.text:
            content.append({"type": "text", "text": "".join(only.text), "citations": []})
        if only.called is not None:
            content.append(_tool_use(only, number) | {"input": json.loads(only.called.arguments)})
        return _message(asked, number, only.tokens_out) | {
            "content": content,
            "stop_reason": _STOPS[only.stop],
            "stop_sequence": only.stop_sequence,
        }

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """`message_start`, blocks, `message_delta`, `message_stop`."""
        [only] = said
        pieces = [_event("message_start", message=_message(asked, number, 1))]
        for index, (block, deltas) in enumerate(_blocks(only, number)):
            pieces.append(
                _event("content_block_start", index=index, content_block=block, content=block["type"] == "tool_use")
            )
            if index == 0:
                pieces.append(_event("ping"))
            pieces += (
                _event("content_block_delta", index=index, delta=delta, content=delta["type"] != "signature_delta")
                for delta in deltas
            )
            pieces.append(_event("content_block_stop", index=index))
        stop = {"stop_reason": _STOPS[only.stop], "stop_sequence": only.stop_sequence}
        pieces.append(_event("message_delta", delta=stop, usage={"output_tokens": only.tokens_out}))
        return [*pieces, _event("message_stop")]


def _event(kind: str, *, content: bool = False, **fields: Any) -> Piece:
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
    return Piece(f"event: {kind}\ndata: {data}\n\n".encode(), content)


def _message(asked: Asked, number: int, tokens_out: int) -> JsonObject:
    return {
        "id": f"msg_mock{number:08d}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "usage": {
            "input_tokens": asked.tokens_in,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": tokens_out,
            "service_tier": "standard",
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "inference_geo": None,
            "output_tokens_details": None,
            "server_tool_use": None,
        },
    }


def _blocks(said: Said, number: int) -> Iterator[tuple[JsonObject, list[JsonObject]]]:
    """Each block as it opens, and the deltas that fill it."""
    if said.thinking:
        filled = [{"type": "thinking_delta", "thinking": part} for part in said.thinking]
        yield (
            {"type": "thinking", "thinking": "", "signature": ""},
            [*filled, {"type": "signature_delta", "signature": _SIGNATURE}],
        )
    if said.text:
        yield (
            {"type": "text", "text": "", "citations": []},
            [{"type": "text_delta", "text": part} for part in said.text],
        )
    if said.called is not None:
        parts = cut(said.called.arguments)
        yield _tool_use(said, number), [{"type": "input_json_delta", "partial_json": part} for part in parts]


def _tool_use(said: Said, number: int) -> JsonObject:
    assert said.called is not None
    return {
        "type": "tool_use",
        "id": f"toolu_mock{number:08d}",
        "name": said.called.name,
        "input": {},
        "caller": {"type": "direct"},
    }


def _holds_results(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(part, dict) and part.get("type") == "tool_result" for part in content
    )


def _offered(tool: Any) -> Offered:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        raise BadRequest("tools.0.name: Field required")
    return Offered(tool["name"], tool.get("input_schema") or {})


def _schema(read: JsonObject) -> JsonObject | None:
    """Structured output, under its present name or the one of its beta."""
    settings = want(read, "output_config", dict) or {}
    wanted = settings.get("format") or want(read, "output_format", dict)
    return wanted.get("schema") or {} if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None

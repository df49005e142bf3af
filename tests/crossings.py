"""A request, an answer or a stream of one wire format in another, the way the engine takes it: parse, project, render."""

from __future__ import annotations

import json
from typing import Any

from understudy.core.answer import End
from understudy.core.projection import project_answer, project_request
from understudy.dialects import Dialect
from understudy.dialects.anthropic_messages import DIALECT as ANTHROPIC
from understudy.dialects.gemini import DIALECT as GEMINI
from understudy.dialects.openai_chat import DIALECT as OPENAI
from understudy.framing.sse import SseEvent, SseParser

ALL = {"openai": OPENAI, "anthropic": ANTHROPIC, "gemini": GEMINI}


def asked(source: Dialect, target: Dialect, **body: Any) -> tuple[dict[str, Any], set[str]]:
    """A request of one format in another, and the names of what it lost."""
    if source is not GEMINI:
        body = {"model": "m", **body}
    if source is ANTHROPIC:
        body = {"max_tokens": 100, **body}
    projected, losses = project_request(source.parse_request(json.dumps(body).encode()), target.request_carries)
    return json.loads(target.render_request(projected)), {loss.name for loss in losses}


def answered(source: Dialect, target: Dialect, body: dict[str, Any]) -> dict[str, Any]:
    """A whole answer of one format in another."""
    projected, _ = project_answer(source.parse_answer(json.dumps(body).encode()), target.answer_carries)
    told: dict[str, Any] = json.loads(target.render_answer(projected))
    return told


def streamed(
    source: Dialect, target: Dialect, *pieces: dict[str, Any], usage: bool | None = True
) -> list[dict[str, Any]]:
    """The events of a stream of one format in another."""
    decoder, encoder = source.decoder(), target.encoder(model="m", include_usage=usage)
    heard = [event for piece in pieces for event in decoder.decode(sse(piece))]
    heard += decoder.ending()
    if End() not in heard:
        heard.append(End())  # a format without an end mark is at its end where its bytes are
    told = b"".join(map(encoder.encode, heard))
    parser = SseParser()
    events = [*parser.feed(told), *parser.flush()]
    return [json.loads(event.data) for event in events if event.data not in {b"", b"[DONE]"}]


def sse(piece: dict[str, Any]) -> SseEvent:
    data = json.dumps(piece)
    parser = SseParser()
    [event] = [*parser.feed(f"event: {piece.get('type', 'message')}\ndata: {data}\n\n".encode())]
    return event


def chat_answer(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


def message_answer(*content: dict[str, Any], stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 3}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    return {**head, "content": list(content), "stop_reason": stop, "stop_sequence": None, "usage": usage, **more}


def gemini_answer(*parts: dict[str, Any], finish: str = "STOP", **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": finish, "index": 0}], "modelVersion": "m", **more}


def stop_of(target: Dialect, told: dict[str, Any]) -> Any:
    if target is OPENAI:
        return told["choices"][0]["finish_reason"]
    if target is ANTHROPIC:
        return told["stop_reason"]
    return told["candidates"][0]["finishReason"]

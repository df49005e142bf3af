"""Bedrock's Converse as Amazon sends it. The model, and whether to stream, stand in the path; streams are binary."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Any
from urllib.parse import unquote

from understudy.core.value import JsonObject
from understudy.framing.aws_event_stream import write_message
from understudy.mock.asked import Asked, BadRequest, Offered, Said, cut, messages_of, stops_of, want
from understudy.mock.formats import Piece

_PATH = re.compile(r"/model/(?P<model>[^/]+)/converse(?P<stream>-stream)?\Z")
_STOPS = {"end": "end_turn", "length": "max_tokens", "stop_sequence": "stop_sequence", "tool_calls": "tool_use"}
_SIGNATURE = "bW9jay1zaWduYXR1cmU="  # opaque to everybody but the mock
_PADDING = ascii_letters + digits
_ROLES = frozenset(("user", "assistant"))


def converses(path: str) -> bool:
    """Whether an answer in this format is asked for at this path."""
    return _PATH.search(path) is not None


def conversed(path: str, read: JsonObject) -> JsonObject:
    """A request's body with what its path says."""
    found = _PATH.search(path)
    assert found is not None
    return {**read, "model": unquote(found["model"]), "stream": found["stream"] is not None}


class Converse:
    """`understudy.mock.formats.Format` for POST /model/.../converse."""

    dialect = "bedrock_converse"
    stream_type = "application/vnd.amazon.eventstream"

    def framed(self, event: bytes, name: str) -> bytes:
        """An event of its streams. An error (`{class: {"message": ...}}`) is a message of a type of its own."""
        told = json.loads(event)
        kind = next(iter(told), "")
        if not kind.endswith("Exception"):
            return _event(name or "contentBlockDelta", told, 0).data
        headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
        return write_message(headers, _dump(told[kind]))

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        messages = _messages(read)
        bounds = want(read, "inferenceConfig", dict) or {}
        tooling = want(read, "toolConfig", dict) or {}
        choice = want(tooling, "toolChoice", dict) or {}
        user = [message for message in messages if message["role"] == "user" and _text(message)]
        named = want(want(choice, "tool", dict) or {}, "name", str) or ""
        return Asked(
            model=read["model"],
            stream=read["stream"],
            text=_text(user[-1]) if user else "",
            fresh=not any("toolResult" in block for block in messages[-1]["content"]),
            tools=tuple(_offered(want(tooling, "tools", list) or ())),
            must_call=named if "any" in choice or named else None,
            schema=_schema(read),
            thinks=_thinks(want(read, "additionalModelRequestFields", dict) or {}),
            max_tokens=want(bounds, "maxTokens", int),
            stop=stops_of(bounds, "stopSequences"),
            tokens_in=1 + len(json.dumps([read.get(name) for name in ("messages", "system", "toolConfig")])) // 4,
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A `ConverseResponse`."""
        (only,) = said
        content: list[JsonObject] = []
        if only.thinking:
            told = {"text": "".join(only.thinking), "signature": _SIGNATURE}
            content.append({"reasoningContent": {"reasoningText": told}})
        if only.text:
            content.append({"text": "".join(only.text)})
        if only.called is not None:
            call = {"toolUseId": _id(number), "name": only.called.name, "input": json.loads(only.called.arguments)}
            content.append({"toolUse": call})
        return {
            "metrics": {"latencyMs": 100 + number},
            "output": {"message": {"content": content, "role": "assistant"}},
            "stopReason": _STOPS[only.stop],
            "usage": _usage(asked, only),
        }

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """The same as events."""
        (only,) = said
        pieces = [_event("messageStart", {"role": "assistant"}, number)]
        for index, block in enumerate(_blocks(only, number)):
            pieces += _block_events(index, block, number)
        pieces.append(_event("messageStop", {"stopReason": _STOPS[only.stop]}, number))
        pieces.append(
            _event("metadata", {"metrics": {"latencyMs": 100 + number}, "usage": _usage(asked, only)}, number)
        )
        return pieces


Told = tuple[str, JsonObject, bool]
"""An event of a block: its name, what it says, and whether that is content."""


def _blocks(said: Said, number: int) -> Iterator[list[Told]]:
    if said.thinking:
        seal: Told = ("contentBlockDelta", {"delta": {"reasoningContent": {"signature": _SIGNATURE}}}, False)
        thoughts: list[Told] = [
            ("contentBlockDelta", {"delta": {"reasoningContent": {"text": text}}}, True) for text in said.thinking
        ]
        yield [*thoughts, seal]
    if said.text:
        yield [("contentBlockDelta", {"delta": {"text": text}}, True) for text in said.text]
    if said.called is not None:
        start = {"toolUse": {"name": said.called.name, "toolUseId": _id(number)}}
        yield [
            ("contentBlockStart", {"start": start}, True),
            *(
                ("contentBlockDelta", {"delta": {"toolUse": {"input": piece}}}, True)
                for piece in cut(said.called.arguments)
            ),
        ]


def _block_events(index: int, told: list[Told], number: int) -> Iterator[Piece]:
    """A block, and its end."""
    for name, fields, content in told:
        yield _event(name, {"contentBlockIndex": index, **fields}, number, content=content)
    yield _event("contentBlockStop", {"contentBlockIndex": index}, number)


def _event(name: str, fields: JsonObject, number: int, *, content: bool = False) -> Piece:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    # as Amazon does it, so that nobody on the way can read off the length what is said
    padding = _PADDING[: 1 + (number * 7 + len(json.dumps(fields))) % len(_PADDING)]
    return Piece(write_message(headers, _dump({**fields, "p": padding})), content)


def _dump(fields: JsonObject) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def _id(number: int) -> str:
    return f"tooluse_mock{number:018d}"


def _usage(asked: Asked, said: Said) -> JsonObject:
    counts = {"inputTokens": asked.tokens_in, "outputTokens": said.tokens_out}
    return {**counts, "serverToolUsage": {}, "totalTokens": asked.tokens_in + said.tokens_out}


def _messages(read: JsonObject) -> list[JsonObject]:
    messages = messages_of(read, _ROLES)
    if messages[0]["role"] != "user" and "claude" not in read["model"]:  # recording eaa040ae94830b89
        raise BadRequest(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        )
    for place, message in enumerate(messages):
        content = message.get("content")
        if not isinstance(content, list) or not content or not all(isinstance(block, dict) for block in content):
            raise BadRequest(
                f"The content field in the Message object at messages.{place} is empty. Add a ContentBlock object to the "
                "content field and try again."
            )
        for at, block in enumerate(content):
            _check(block, f"messages.{place}.content.{at}", tools="toolConfig" in read)
    return messages


def _check(block: JsonObject, where: str, *, tools: bool) -> None:
    if isinstance(block.get("text"), str) and not block["text"].strip():
        raise BadRequest(
            f"The text field in the ContentBlock object at {where} is blank. Add text to the text field, and try again."
        )
    if not tools and ("toolUse" in block or "toolResult" in block):
        raise BadRequest("The toolConfig field must be defined when using toolUse and toolResult content blocks.")


def _text(message: JsonObject) -> str:
    return " ".join(block["text"] for block in message["content"] if isinstance(block.get("text"), str))


def _offered(tools: Any) -> Iterator[Offered]:
    for place, tool in enumerate(tools):
        spec = tool.get("toolSpec") if isinstance(tool, dict) else None
        if spec is None:
            continue
        shape = spec.get("inputSchema") if isinstance(spec, dict) else None
        schema = shape.get("json") if isinstance(shape, dict) else None
        if not isinstance(schema, dict) or schema.get("type") != "object" or not isinstance(spec.get("name"), str):
            raise BadRequest(
                f"The value at toolConfig.tools.{place}.toolSpec.inputSchema.json.type must be one of the following: object."
            )
        yield Offered(spec["name"], schema)


def _schema(read: JsonObject) -> JsonObject | None:
    shape = want(want(read, "outputConfig", dict) or {}, "textFormat", dict)
    if shape is None:
        return None
    try:
        found = json.loads(shape["structure"]["jsonSchema"]["schema"])
    except (KeyError, TypeError, ValueError):
        raise BadRequest("The JSON schema in outputConfig is not valid.") from None
    if not isinstance(found, dict):
        raise BadRequest("The JSON schema in outputConfig is not valid.")
    return found


def _thinks(additional: JsonObject) -> bool:
    asked = [additional.get(name) for name in ("thinking", "reasoningConfig")]
    return bool(
        any(one.get("type") in ("enabled", "adaptive") for one in asked if isinstance(one, dict))
        or additional.get("reasoning_effort")
        or additional.get("reasoning_config")
    )

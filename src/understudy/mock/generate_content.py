"""Gemini's generateContent as Google sends it. The model, and whether to stream, stand in the path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, BadRequest, Offered, Said, stops_of, want
from understudy.mock.formats import Events, Piece

_PATH = re.compile(r"/models/(?P<model>[^/]+):(?P<method>generateContent|streamGenerateContent)\Z")
_STOPS = {"end": "STOP", "length": "MAX_TOKENS", "stop_sequence": "STOP", "tool_calls": "STOP"}
CANDIDATES_MAX = 8
"""What Google allows."""
_SIGNATURE = "bW9jay1zaWduYXR1cmU="  # opaque to everybody but the mock


def generates(path: str) -> bool:
    """Whether an answer in this format is asked for at this path."""
    return _PATH.search(path) is not None


def addressed(path: str, read: JsonObject) -> JsonObject:
    """A request's body with what its path says."""
    found = _PATH.search(path)
    assert found is not None
    return {**read, "model": found["model"], "stream": found["method"].startswith("stream")}


class GenerateContent(Events):
    """`understudy.mock.formats.Format` for POST /v1beta/models/...:generateContent."""

    dialect = "gemini"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        contents = _contents(read)
        config = want(read, "generationConfig", dict) or {}
        thinking = want(config, "thinkingConfig", dict) or {}
        calling = want(want(read, "toolConfig", dict) or {}, "functionCallingConfig", dict) or {}
        named = want(calling, "allowedFunctionNames", list) or [""]
        user = [content for content in contents if content.get("role") != "model" and _text(content)]
        return Asked(
            model=read["model"],
            stream=read["stream"],
            text=_text(user[-1]) if user else "",
            fresh=not any("functionResponse" in part for part in contents[-1]["parts"]),
            tools=tuple(_offered(want(read, "tools", list) or ())),
            may_call=calling.get("mode") != "NONE",
            must_call=named[0] if calling.get("mode") == "ANY" else None,
            schema=_schema(config),
            thinks=bool(thinking.get("includeThoughts")),
            max_tokens=want(config, "maxOutputTokens", int),
            stop=stops_of(config, "stopSequences"),
            n=_candidates(config),
            tokens_in=1 + len(json.dumps([read.get(name) for name in ("contents", "systemInstruction", "tools")])) // 4,
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A `GenerateContentResponse`."""
        candidates: list[JsonObject] = []
        for index, each in enumerate(said):
            parts: list[JsonObject] = []
            if each.thinking:
                parts.append({"text": "".join(each.thinking), "thought": True})
            if each.text:
                parts.append({"text": "".join(each.text)})
            if each.called is not None:
                parts.append(_call(each))
            content = {"parts": parts, "role": "model"} if parts else {"role": "model"}
            candidates.append({"content": content, "finishReason": _STOPS[each.stop], "index": index})
        return _response(asked, candidates, number, said)

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """A run of the same, each with a piece more; usage on every one, as Google does it."""
        pieces: list[Piece] = []
        for index, each in enumerate(said):
            for part in _parts(each):
                content = {"parts": [part], "role": "model"}
                pieces.append(
                    _event(_response(asked, [{"content": content, "index": index}], number, said), content=True)
                )
            end = {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": _STOPS[each.stop],
                "index": index,
            }
            pieces.append(_event(_response(asked, [end], number, said)))
        return pieces


def _event(data: JsonObject, *, content: bool = False) -> Piece:
    written = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return Piece(f"data: {written}\r\n\r\n".encode(), content)  # Google ends its lines like this


def _response(asked: Asked, candidates: list[JsonObject], number: int, said: tuple[Said, ...]) -> JsonObject:
    thought = sum(len(each.thinking) for each in said)
    written = sum(each.tokens_out for each in said) - thought
    return {
        "candidates": candidates,
        "usageMetadata": {
            "promptTokenCount": asked.tokens_in,
            "candidatesTokenCount": written,
            "totalTokenCount": asked.tokens_in + written + thought,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked.tokens_in}],
            **({"thoughtsTokenCount": thought} if thought else {}),
        },
        "modelVersion": asked.model,
        "responseId": f"mock{number:08d}",
    }


def _parts(said: Said) -> Iterator[JsonObject]:
    yield from ({"text": text, "thought": True} for text in said.thinking)
    yield from ({"text": text} for text in said.text)
    if said.called is not None:
        yield _call(said)


def _call(said: Said) -> JsonObject:
    assert said.called is not None
    call = {"name": said.called.name, "args": json.loads(said.called.arguments)}
    return {"functionCall": call, "thoughtSignature": _SIGNATURE}


def _candidates(config: JsonObject) -> int:
    count = want(config, "candidateCount", int)
    if count is not None and not 1 <= count <= CANDIDATES_MAX:
        raise BadRequest(
            f"Unable to submit request because it has a candidateCount value of {count} but the supported range is from 1 "
            f"(inclusive) to {CANDIDATES_MAX + 1} (exclusive). Update the value and try again."
        )
    return count or 1


def _contents(read: JsonObject) -> list[JsonObject]:
    contents: list[Any] = want(read, "contents", list, required=True)
    if not contents:
        raise BadRequest("* GenerateContentRequest.contents: contents is not specified")
    for content in contents:
        if not isinstance(content, dict) or content.get("role", "user") not in ("user", "model"):
            raise BadRequest("Please use a valid role: user, model.")
        parts = content.get("parts")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) and part for part in parts):
            raise BadRequest("* GenerateContentRequest.contents.parts: contents.parts must not be empty.")
    return contents


def _text(content: JsonObject) -> str:
    return " ".join(part["text"] for part in content["parts"] if isinstance(part.get("text"), str))


def _offered(tools: Any) -> Iterator[Offered]:
    for tool in tools:
        for function in want(tool, "functionDeclarations", list) or () if isinstance(tool, dict) else ():
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                raise BadRequest(
                    "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name."
                )
            spelt = (
                "parametersJsonSchema",
                "parameters_json_schema",
                "parameters",
            )  # Google's own SDK writes the second
            schema: Any = next((function[name] for name in spelt if function.get(name)), {})
            yield Offered(function["name"], _lower(schema))


def _schema(config: JsonObject) -> JsonObject | None:
    if config.get("responseMimeType") != "application/json":
        return None
    found: JsonObject = _lower(config.get("responseJsonSchema") or config.get("responseSchema") or {})
    return found


def _lower(schema: Any) -> Any:
    """A schema with its types in lower case: Google's own are in upper case."""
    if isinstance(schema, list):
        return [_lower(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: inner.lower() if name == "type" and isinstance(inner, str) else _lower(inner)
        for name, inner in schema.items()
    }

"""OpenAI Responses as OpenAI sends it."""

from __future__ import annotations

import json
import time
from typing import Any

from understudy.core.value import JsonObject
from understudy.mock.asked import Asked, BadRequest, Offered, Said, cut, want
from understudy.mock.formats import Events, Piece

_ROLES = frozenset({"system", "developer", "user", "assistant"})
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_MUST_CALL = {"required": ""}
_MAX_TOKENS_MIN = 16
_SEAL = "gAAAAABmb2NrLXNlYWxlZC10aG91Z2h0"  # opaque to everybody but the mock


def responds(path: str) -> bool:
    """Whether an answer in this format, or a count of its tokens, is asked for at this path."""
    return path.endswith(("/responses", "/responses/input_tokens"))


class Responses(Events):
    """`understudy.mock.formats.Format` for POST /v1/responses."""

    dialect = "openai_responses"

    def read(self, read: JsonObject) -> Asked:
        """What a request asks."""
        items = _items(read)
        user = [item for item in items if item.get("role") == "user"]
        choice = read.get("tool_choice")
        bound = want(read, "max_output_tokens", int)
        if bound is not None and bound < _MAX_TOKENS_MIN:
            raise BadRequest(
                f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got {bound} instead."
            )
        reasoning = want(read, "reasoning", dict) or {}
        return Asked(
            model=want(read, "model", str, required=True),
            stream=bool(want(read, "stream", bool)),
            text=_text(user[-1].get("content")) if user else "",
            fresh=not items or items[-1].get("role") == "user",
            tools=tuple(_offered(want(read, "tools", list) or ())),
            may_call=choice != "none",
            must_call=_MUST_CALL.get(choice) if isinstance(choice, str) else _named(choice),
            schema=_schema((want(read, "text", dict) or {}).get("format") or {}),
            thinks=reasoning.get("effort") not in (None, "none"),
            max_tokens=bound,
            tokens_in=1 + len(json.dumps([read.get(name) for name in ("input", "instructions", "tools")])) // 4,
        )

    def whole(self, asked: Asked, said: tuple[Said, ...], number: int) -> JsonObject:
        """A `response`."""
        response = _response(asked, number)
        (each,) = said
        output = [item for _, item in _output(each, number)]
        return response | _ended(each) | {"output": output, "usage": _usage(asked, each)}

    def stream(self, asked: Asked, said: tuple[Said, ...], number: int) -> list[Piece]:
        """A run of numbered events: each item added, told in pieces, done; the whole response at the end."""
        (each,) = said
        events = _Events()
        response = _response(asked, number)
        events.add("response.created", response=response)
        events.add("response.in_progress", response=response)
        output: list[JsonObject] = []
        for pieces, item in _output(each, number):
            events.tell(len(output), item, pieces)
            output.append(item)
        ended = response | _ended(each) | {"output": output, "usage": _usage(asked, each)}
        events.add(f"response.{ended['status']}", response=ended)
        return events.pieces


class _Events:
    """Events in their order, numbered."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def add(self, kind: str, *, content: bool = False, **fields: Any) -> None:
        data = {"type": kind, "sequence_number": len(self.pieces), **fields}
        written = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        self.pieces.append(Piece(f"event: {kind}\ndata: {written}\n\n".encode(), content))

    def tell(self, index: int, item: JsonObject, pieces: tuple[str, ...]) -> None:
        """One item, whichever it is."""
        place = {"item_id": item["id"], "output_index": index}
        begun = {**item, "status": "in_progress"}
        if item["type"] == "message":
            begun["content"] = []
        elif item["type"] == "reasoning":
            begun |= {"summary": [], "encrypted_content": None}
        else:
            begun["arguments"] = ""
        self.add("response.output_item.added", output_index=index, item=begun, content=item["type"] == "function_call")
        if item["type"] == "message":
            self._entry(place, "content", item["content"][0], pieces)
        elif item["type"] == "reasoning":
            self._entry(place, "summary", item["summary"][0], pieces)
        else:
            for piece in pieces:
                self.add("response.function_call_arguments.delta", **place, delta=piece, content=True)
            self.add("response.function_call_arguments.done", **place, arguments=item["arguments"])
        self.add("response.output_item.done", output_index=index, item=item)

    def _entry(self, place: JsonObject, name: str, entry: JsonObject, pieces: tuple[str, ...]) -> None:
        """A text in an item: of its content, or of the summary of a thought."""
        at = {**place, f"{name}_index": 0}
        part, text = (
            ("content_part", "output_text")
            if name == "content"
            else ("reasoning_summary_part", "reasoning_summary_text")
        )
        others: JsonObject = {"logprobs": []} if name == "content" else {}
        self.add(f"response.{part}.added", **at, part={**entry, "text": ""})
        for piece in pieces:
            self.add(f"response.{text}.delta", **at, delta=piece, **others, content=True)
        self.add(f"response.{text}.done", **at, text=entry["text"], **others)
        self.add(f"response.{part}.done", **at, part=entry)


def _output(said: Said, number: int) -> list[tuple[tuple[str, ...], JsonObject]]:
    """The items of an answer, each with the pieces that a stream tells it in."""
    found: list[tuple[tuple[str, ...], JsonObject]] = []
    if said.thinking:
        summary = [{"type": "summary_text", "text": "".join(said.thinking)}]
        item = {"type": "reasoning", "id": f"rs_mock{number:08d}", "summary": summary, "encrypted_content": _SEAL}
        found.append((said.thinking, item))
    if said.called is not None:
        call = {
            "type": "function_call", "id": f"fc_mock{number:08d}", "call_id": f"call_mock{number:08d}", "status": "completed",
            "name": said.called.name, "arguments": said.called.arguments,
        }  # fmt: skip
        found.append((tuple(cut(said.called.arguments)), call))
    elif said.text:
        content = [{"type": "output_text", "text": "".join(said.text), "annotations": [], "logprobs": []}]
        status = "incomplete" if said.stop == "length" else "completed"
        message = {
            "type": "message", "id": f"msg_mock{number:08d}", "role": "assistant", "status": status, "content": content,
        }  # fmt: skip
        found.append((said.text, message))
    return found


def _response(asked: Asked, number: int) -> JsonObject:
    return {
        "id": f"resp_mock{number:08d}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "frequency_penalty": 0.0,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": asked.max_tokens,
        "max_tool_calls": None,
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "medium" if asked.thinks else None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


def _ended(said: Said) -> JsonObject:
    if said.stop == "length":
        return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return {"status": "completed", "completed_at": int(time.time())}


def _usage(asked: Asked, said: Said) -> JsonObject:
    return {
        "input_tokens": asked.tokens_in,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": said.tokens_out,
        "output_tokens_details": {"reasoning_tokens": len(said.thinking)},
        "total_tokens": asked.tokens_in + said.tokens_out,
    }


def _items(read: JsonObject) -> list[JsonObject]:
    """The input as items, each an object that says what it is."""
    found = read.get("input")
    if isinstance(found, str):
        return [{"type": "message", "role": "user", "content": found}]
    if not isinstance(found, list) or not (found or read.get("previous_response_id")):
        raise BadRequest("Missing required parameter: 'input'.")
    calls: set[object] = set()
    for number, item in enumerate(found):
        if not isinstance(item, dict):
            raise BadRequest(f"Invalid type for 'input[{number}]': expected an object.")
        if item.get("type") in (None, "message") and item.get("role") not in _ROLES:
            raise BadRequest(f"Invalid value: '{item.get('role')}'. Supported values are: {sorted(_ROLES)}.")
        if item.get("type") in ("function_call", "custom_tool_call"):
            calls.add(item.get("call_id"))
        if item.get("type") in _OUTPUTS and item.get("call_id") not in calls and not read.get("previous_response_id"):
            raise BadRequest(f"No tool call found for function call output with call_id {item.get('call_id')}.")
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _offered(tools: Any) -> list[Offered]:
    offered = []
    for number, tool in enumerate(tools):
        if not isinstance(tool, dict) or (tool.get("type") == "function" and not isinstance(tool.get("name"), str)):
            raise BadRequest(f"Missing required parameter: 'tools[{number}].name'.")
        if tool.get("type") == "function":
            offered.append(Offered(tool["name"], tool.get("parameters") or {}))
    return offered


def _named(choice: Any) -> str | None:
    return choice.get("name") if isinstance(choice, dict) and choice.get("type") == "function" else None


def _schema(form: JsonObject) -> JsonObject | None:
    match form.get("type"):
        case "json_object":
            return {}
        case "json_schema":
            if not isinstance(form.get("name"), str):
                raise BadRequest("Missing required parameter: 'text.format.name'.")
            return want(form, "schema", dict) or {}
        case _:
            return None

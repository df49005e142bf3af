"""What the mock can say: every request becomes the material of which a plan is performed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from understudy.core.dice import Dice
from understudy.core.value import JsonObject
from understudy.faults import ErrorReply, Plan, Trouble, error_event, error_reply
from understudy.mock.asked import NOTHING, Asked, BadRequest, read_object, say_all
from understudy.mock.chat_completions import ChatCompletions
from understudy.mock.cohere_chat import CohereChat, answers_chat
from understudy.mock.converse import Converse, conversed, converses
from understudy.mock.embeddings import Embedded, embed, embeds
from understudy.mock.formats import Format
from understudy.mock.generate_content import GenerateContent, addressed, generates
from understudy.mock.messages import Messages
from understudy.mock.ollama_chat import OllamaChat, chats
from understudy.mock.performance import Material
from understudy.mock.replay import NotRecorded, Recording, load_recording
from understudy.mock.responses import Responses, responds
from understudy.mock.script import BadScript, Script
from understudy.mock.wire import Incoming

_CHAT: Format = ChatCompletions()
_MESSAGES: Format = Messages()
_GEMINI: Format = GenerateContent()
_RESPONSES: Format = Responses()
_CONVERSE: Format = Converse()
_TOLD_BY_PATH: tuple[tuple[Callable[[str], bool], Format], ...] = (
    (generates, _GEMINI),
    (responds, _RESPONSES),
    (chats, OllamaChat()),
    (answers_chat, CohereChat()),
    (converses, _CONVERSE),
)
"""Formats that are known by where they are asked."""
_ADDRESSED = {_GEMINI.dialect: addressed, _CONVERSE.dialect: conversed}
"""Formats whose path says a part of the request -> what adds it."""


class Received:
    """One request, and what became of it. Times are seconds since the mock's start.

    `number`: from 1, in the order of arrival. `json`: the body, None when it is no JSON object. `dialect`: the wire format that it is
    answered in. `plan`: what was going to happen, None for a request that was refused at sight. `ended`: "done" when that was
    performed to its end, "left" when the client went away before it, None while it goes on. `ended_s`: when.
    """

    __slots__ = (
        "at_s",
        "body",
        "dialect",
        "ended",
        "ended_s",
        "headers",
        "json",
        "method",
        "model",
        "number",
        "path",
        "plan",
        "stream",
    )

    def __init__(self, incoming: Incoming, number: int, at_s: float) -> None:
        self.number = number
        self.at_s = at_s
        self.method = incoming.method
        self.path = incoming.path.partition("?")[0].rstrip("/")
        self.headers = incoming.headers
        self.body = incoming.body
        self.json: JsonObject | None = None
        self.dialect = self.format.dialect
        self.model = ""
        self.stream = False
        self.plan: Plan | None = None
        self.ended: Literal["done", "left"] | None = None
        self.ended_s: float | None = None

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} {self.model or '-'} at {self.at_s:.3f} s: {self.ended or 'going on'}>"

    @property
    def speaks_anthropic(self) -> bool:
        """Whether the client is one of Anthropic's API."""
        return "anthropic-version" in self.headers or "/messages" in self.path

    @property
    def format(self) -> Format:
        """The wire format that it is answered in."""
        told = next((format_ for serves, format_ in _TOLD_BY_PATH if serves(self.path)), None)
        return told or (_MESSAGES if self.speaks_anthropic else _CHAT)

    @property
    def request_id(self) -> str:
        """The id that the answer carries."""
        return f"req_mock{self.number:08d}"

    @property
    def key(self) -> str:
        """The key that it shows, "" for none."""
        bare = self.headers.get("x-api-key") or self.headers.get("x-goog-api-key")
        return bare or self.headers.get("authorization", "").removeprefix("Bearer ")


class Refused(Exception):
    """The request is answered with an error at sight, whatever faults there are."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem
        self.message = message


PlanOf = Callable[[int, int], Plan]
"""What will happen to an answer of so many pieces of content, to a prompt of so many tokens."""


class Repertoire:
    """Everything that a mock with this script can say. Raises `BadScript` for a recording that cannot be read."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._dice = Dice(script.seed)
        self._recording = None if script.recording is None else _load(Path(script.recording), script)

    def prepare(self, received: Received, plan_of: PlanOf) -> tuple[Plan, Material]:
        """What will happen to a request, and what there is to send. Raises `Refused`."""
        path = received.path
        if self._script.key is not None and received.key != self._script.key:
            raise Refused("auth", "invalid x-api-key")
        if received.method == "GET" and path.endswith("/api/tags"):
            return _in_one(received, {"models": [{"name": one, "model": one} for one in self._script.models]}, plan_of)
        if received.method == "GET" and path.endswith("/models"):
            models = _models(self._script.models, anthropic=received.speaks_anthropic)
            return _in_one(received, models, plan_of)
        if received.method == "POST" and (embedded := _embedded(received, path)) is not None:
            received.model = embedded.model
            return _in_one(received, embedded.whole, plan_of, empty=embedded.empty, tokens=embedded.tokens)
        known = any(serves(path) for serves, _ in _TOLD_BY_PATH) or path.endswith(
            ("/chat/completions", "/messages", "/messages/count_tokens")
        )
        if received.method != "POST" or not known:
            raise Refused("not_found", f"Invalid URL ({received.method} {path})")
        format_ = received.format
        counts = path.endswith(("/count_tokens", "/input_tokens"))
        try:
            received.json = read_object(received.body)
            # Who only counts has no answer to bound.
            adds = _ADDRESSED.get(format_.dialect)
            body = received.json if adds is None else adds(path, received.json)
            asked = format_.read({"max_tokens": 1, **body} if path.endswith("/count_tokens") else body)
        except BadRequest as error:
            raise Refused("invalid_request", str(error)) from None
        received.model, received.stream = asked.model, asked.stream
        if counts:
            named = {"object": "response.input_tokens"} if format_ is _RESPONSES else {}
            return _in_one(received, {**named, "input_tokens": asked.tokens_in}, plan_of)
        if self._recording is not None:
            return _replayed(received, received.json, self._recording, plan_of)
        return self._answered(received, asked, format_, plan_of)

    def _answered(self, received: Received, asked: Asked, format_: Format, plan_of: PlanOf) -> tuple[Plan, Material]:
        script = self._script
        try:
            said = say_all(asked, self._dice, words=script.words, text=script.text)
        except BadRequest as error:
            raise Refused("invalid_request", str(error)) from None
        nothing = (NOTHING,) * asked.n
        foreign = _CHAT if format_ is _MESSAGES else _MESSAGES
        number = received.number
        plan = plan_of(sum(each.pieces for each in said), asked.tokens_in)
        return plan, Material(
            headers=_headers(received),
            whole=_dump(format_.whole(asked, said, number)),
            pieces=format_.stream(asked, said, number) if asked.stream else (),
            empty_whole=_dump(format_.whole(asked, nothing, number)),
            empty_pieces=format_.stream(asked, nothing, number) if asked.stream else (),
            foreign_whole=_dump(foreign.whole(asked, said[:1], number)),
            foreign_pieces=foreign.stream(asked, said[:1], number) if asked.stream else (),
            **_troubles(received, plan),
        )


def _replayed(received: Received, body: JsonObject, recording: Recording, plan_of: PlanOf) -> tuple[Plan, Material]:
    try:
        record = recording.answer(received.dialect, body)
    except NotRecorded as error:
        raise Refused("not_found", str(error)) from None
    received.stream = record.stream
    pieces = record.pieces() if record.stream else []
    plan = plan_of(sum(piece.content for piece in pieces) or 1, 0)
    return plan, Material(
        status=record.status, headers=record.headers, whole=record.body, pieces=pieces, **_troubles(received, plan)
    )


def _embedded(received: Received, path: str) -> Embedded | None:
    try:
        if not embeds(path):
            return None
        received.json = read_object(received.body)
        return embed(path, received.json)
    except BadRequest as error:
        raise Refused("invalid_request", str(error)) from None


def _in_one(
    received: Received, body: JsonObject, plan_of: PlanOf, *, empty: JsonObject | None = None, tokens: int = 0
) -> tuple[Plan, Material]:
    """What is neither streamed nor made of pieces. `empty`: the same with nothing in it."""
    received.stream = False
    plan = plan_of(1, tokens)
    return plan, Material(
        headers=_headers(received), whole=_dump(body), empty_whole=_dump(empty or {}), **_troubles(received, plan)
    )


def error_for(received: Received, trouble: Trouble, message: str | None = None, *, skew_s: float = 0.0) -> ErrorReply:
    """An API error in the request's wire format. `message`: instead of the problem's own. `skew_s`: how far our clock is ahead."""
    return error_reply(
        trouble.problem,
        received.dialect,
        model=received.model,
        request_id=received.request_id,
        wall_s=time.time() + skew_s,
        retry_after_s=trouble.retry_after_s,
        hint=trouble.hint,
        message=message,
    )


def _troubles(received: Received, plan: Plan) -> dict[str, Any]:
    """What of `Material` the plan's troubles need."""
    event = (plan.ending_trouble or Trouble("server_error")).problem
    return {
        "error": None if plan.trouble is None else error_for(received, plan.trouble, skew_s=plan.skew_s),
        "event": error_event(event, received.dialect, model=received.model, request_id=received.request_id),
        "event_name": "error" if received.format in {_MESSAGES, _RESPONSES} else "",
        "stream_type": received.format.stream_type,
        "framed": received.format.framed,
    }


def _headers(received: Received) -> tuple[tuple[str, str], ...]:
    name = _ID_HEADERS.get(received.dialect, "x-request-id")
    if received.speaks_anthropic:
        name = "request-id"
    return (("content-type", "application/json"), (name, received.request_id))


_ID_HEADERS = {_CONVERSE.dialect: "x-amzn-requestid"}


def _load(path: Path, script: Script) -> Recording:
    try:
        return load_recording(path, script.ignore, in_order=script.match == "order")
    except (OSError, EOFError, ValueError) as error:  # gzip tells of a file cut short by EOFError
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadScript(f"recording {path}: {why}") from error


def _dump(body: JsonObject) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _models(names: tuple[str, ...], *, anthropic: bool) -> JsonObject:
    if anthropic:
        created = "2026-01-31T00:00:00Z"
        data: list[JsonObject] = [
            {"type": "model", "id": name, "display_name": name, "created_at": created} for name in names
        ]
        ends = {"first_id": names[0], "last_id": names[-1]} if names else {"first_id": None, "last_id": None}
        return {"data": data, "has_more": False, **ends}
    data = [{"id": name, "object": "model", "created": 1769817600, "owned_by": "mock"} for name in names]
    return {"object": "list", "data": data}

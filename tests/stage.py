"""A whole data plane in this process, on real sockets, in front of mock providers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from understudy.core.event import Event, RequestEnded
from understudy.core.outcome import Result
from understudy.engine.router import Engine
from understudy.framing.sse import SseParser
from understudy.mock import Mock
from understudy.transport.client import Client
from understudy.transport.server import Server

QUESTION = {"messages": [{"role": "user", "content": "Why is the sky blue?"}]}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "responses": "/v1/responses"}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Why is the sky blue?"}]}]}


class Stage:
    """The data plane under test, and a client in front of it."""

    def __init__(self, engine: Engine, server: Server, client: Client, http: httpx2.AsyncClient) -> None:
        self.engine = engine
        self.server = server
        self.client = client
        self.http = http
        self.url = f"http://127.0.0.1:{server.port}"
        self.ended: list[Result] = []
        engine.events.observe(self._observe)

    def _observe(self, _number: int, event: Event) -> None:
        if isinstance(event, RequestEnded):
            self.ended.append(event.result)

    async def ask(
        self, dialect: str = "openai", *, stream: bool = False, headers: dict[str, str] | None = None, **fields: Any
    ) -> Answered:
        if dialect == "gemini":
            return await self._ask_gemini(stream=stream, headers=headers, **fields)
        asked = {"input": QUESTION["messages"]} if dialect == "responses" else QUESTION
        body: dict[str, Any] = {"model": "default", **asked, **fields}
        if dialect == "anthropic":
            body.setdefault("max_tokens", 100)
        if stream:
            body["stream"] = True
        answer = await self.http.post(self.url + PATHS[dialect], json=body, headers=headers)
        return Answered(dialect, answer)

    async def _ask_gemini(
        self, *, stream: bool, headers: dict[str, str] | None, model: str = "default", **fields: Any
    ) -> Answered:
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        path = f"/v1beta/models/{model}:{method}"
        answer = await self.http.post(self.url + path, json=CONTENTS | fields, headers=headers)
        return Answered("gemini", answer)

    def result(self, answered: Answered) -> Result:
        found = self.engine.decisions.get(answered.headers["x-understudy-decision"])
        assert found is not None
        return found[1]

    def nothing_is_held(self) -> bool:
        return all(standing.in_flight == 0 for standing in self.engine.board.standings)


class Answered:
    """An answer of the data plane, whole or streamed, read in its dialect."""

    def __init__(self, dialect: str, answer: httpx2.Response) -> None:
        self.dialect = dialect
        self.status = answer.status_code
        self.headers = answer.headers
        self.body = answer.content
        self.streamed = "event-stream" in answer.headers.get("content-type", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        parser = SseParser()
        found = [*parser.feed(self.body), *parser.flush()]
        return [json.loads(event.data) for event in found if event.data and event.data != b"[DONE]"]

    @property
    def text(self) -> str:
        if not self.streamed:
            if self.dialect == "openai":
                return str(self.json["choices"][0]["message"]["content"])
            if self.dialect == "gemini":
                return _text([self.json])
            if self.dialect == "responses":
                contents = [item["content"] for item in self.json["output"] if item["type"] == "message"]
                return "".join(part["text"] for content in contents for part in content)
            return "".join(block.get("text", "") for block in self.json["content"])
        if self.dialect == "gemini":
            return _text(self.events)
        if self.dialect == "openai":
            deltas = [choice["delta"] for event in self.events for choice in event.get("choices", [])]
            return "".join(delta.get("content") or "" for delta in deltas)
        if self.dialect == "responses":
            return "".join(event["delta"] for event in self.events if event["type"] == "response.output_text.delta")
        return "".join(
            event["delta"].get("text", "") for event in self.events if event["type"] == "content_block_delta"
        )

    @property
    def finished(self) -> bool:
        """Whether it claims to be complete."""
        if not self.streamed:
            return True
        if self.dialect == "openai":
            return b"[DONE]" in self.body or any(
                choice.get("finish_reason") for event in self.events for choice in event.get("choices", [])
            )
        if self.dialect == "gemini":
            return any("finishReason" in one for event in self.events for one in event.get("candidates", []))
        if self.dialect == "responses":
            return any(event["type"] in {"response.completed", "response.incomplete"} for event in self.events)
        return any(event["type"] in {"message_stop", "message_delta"} for event in self.events)

    @property
    def error(self) -> dict[str, Any] | None:
        """The error that it reports, as a whole answer or as an event of a stream."""
        told = self.events if self.streamed else [self.json]
        return next((one["error"] for one in told if isinstance(one, dict) and one.get("error")), None)


def _text(answers: list[Any]) -> str:
    """The text in answers of generateContent."""
    contents = [one.get("content", {}) for answer in answers for one in answer.get("candidates", [])]
    return "".join(part.get("text", "") for content in contents for part in content.get("parts", []))


Raise = Callable[..., Awaitable[Stage]]


CALLERS = ("openai", "responses", "anthropic", "gemini")
PROVIDERS = {
    "openai": "openai_compatible",
    "responses": "openai_compatible, api: responses",
    "anthropic": "anthropic_compatible",
    "gemini": "gemini, api: gemini",
    "ollama": "ollama, api: ollama_chat",
    "cohere": "cohere, api: cohere_chat",
}


def two_targets(lead: Mock, understudy: Mock, upstream: str = "openai", *, model: str = "m", policy: str = "") -> str:
    """A route with a lead and an understudy that both speak one dialect."""

    def url(mock: Mock) -> str:
        return mock.base_url if upstream in {"openai", "responses"} else mock.origin

    provider = PROVIDERS[upstream]
    return f"""
targets:
  lead: {{provider: {provider}, model: {model}, base_url: "{url(lead)}", key: env:KEY}}
  understudy: {{provider: {provider}, model: m2, base_url: "{url(understudy)}", key: env:KEY}}
routes:
  default:
    tiers: {{primary: [lead, understudy]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0, {policy or "strict: false"}}}
"""


async def until(holds: Callable[[], bool], within_s: float) -> bool:
    """Whether something comes true in time."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while not holds():
        if loop.time() > end_s:
            return False
        await asyncio.sleep(0.002)
    return True

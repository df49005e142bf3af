"""Tools under names that a provider's wire format does not take: callers see their own, whole and streamed."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from crossings import message_answer
from stage import CALLERS, PROVIDERS, Answered, Raise, Stage, two_targets
from understudy.core.assembly import assemble
from understudy.core.conversation import (
    Conversation,
    Message,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.projection import project_request
from understudy.dialects import Dialect
from understudy.mock import Mock

DIALECTS = {
    "openai": "openai_chat",
    "responses": "openai_responses",
    "anthropic": "anthropic_messages",
    "gemini": "gemini",
    "ollama": "ollama_chat",
    "cohere": "cohere_chat",
}
SPOKEN = r"[a-zA-Z_][a-zA-Z0-9_]{0,63}"
"""A name that every format takes."""
STRANGE = "weather.now/" + "x" * 60
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def dialect_of(stage: Stage, caller: str) -> Dialect:
    return stage.engine.snapshot.dialects[DIALECTS[caller]]  # type: ignore[return-value]


def fields(stage: Stage, caller: str, *, answered: bool, name: str = STRANGE) -> dict[str, Any]:
    """The members of a caller's request that offer one tool, have been calling it, and demand that it be called."""
    call = ToolCall("call_1", name, {"city": "Oslo"})
    turns = (
        Message(Role.USER, (Text("How is the weather?"),)),
        Message(Role.ASSISTANT, (call,)),
        Message(Role.TOOL, (ToolResult("call_1", (Text("21 degrees"),), name=name),)),
        Message(Role.USER, (Text("And the weather in Rome?"),)),
    )
    conversation = Conversation(
        model="default",
        messages=turns if answered else turns[:1],
        tools=(Tool(name, "Tells the weather.", SCHEMA),),
        settings=Settings(tool_choice=ToolChoice("named", (name,)), max_tokens=100),
    )
    dialect = dialect_of(stage, caller)
    raw = project_request(conversation, _lenient(dialect))[0]
    body: dict[str, Any] = json.loads(dialect.render_request(raw))
    return {name: held for name, held in body.items() if name not in {"model", "stream"}}


def _lenient(dialect: Dialect) -> Any:
    """As a caller writes who does not know the rule."""
    return replace(dialect.request_carries, tool_names=None)


def called(dialect: Dialect, answered: Answered) -> list[str]:
    """The names of the tools that an answer calls."""
    if answered.streamed:
        framing, decoder = dialect.framing(), dialect.decoder()
        pieces = [*framing.feed(answered.body), *framing.flush()]
        answer = assemble([event for piece in pieces for event in decoder.decode(piece)])
    else:
        answer = dialect.parse_answer(answered.body)
    return [part.name for choice in answer.choices for part in choice.parts if isinstance(part, ToolCall)]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_caller_sees_his_own_names_whoever_answers(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str, stream: bool
) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    dialect = dialect_of(stage, caller)
    for answered in (False, True):
        said = await stage.ask(caller, stream=stream, **fields(stage, caller, answered=answered))
        assert said.status == 200, said.body
        assert called(dialect, said) == [STRANGE]
        sent = mocks[0].requests[-1].body.decode()
        plain = await stage.ask(caller, stream=stream, **fields(stage, caller, answered=answered, name="weather"))
        assert said.headers.get("x-understudy-dropped") == plain.headers.get("x-understudy-dropped")
        if upstream in {caller, "ollama"}:
            assert STRANGE in sent  # in the same format nothing is rewritten; and one format takes any name
        else:
            assert STRANGE not in sent
            heard = re.findall(r'"name": ?"(weather[^"]*)"', sent)
            assert len(heard) >= 1 + answered
            assert len(set(heard)) == 1
            assert re.fullmatch(SPOKEN, heard[0])


async def test_a_provider_that_answers_a_stream_whole_is_heard_alike(raise_curtain: Raise) -> None:
    requests: list[dict[str, Any]] = []

    async def answer_whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.findall(rb"(?i)content-length: *([0-9]+)", head)[0])
        asked = json.loads(await reader.readexactly(length))
        requests.append(asked)
        content = [{"type": "tool_use", "id": "toolu_1", "name": asked["tools"][0]["name"], "input": {"city": "Oslo"}}]
        body = json.dumps(message_answer(*content, stop="tool_use")).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_whole, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        stage = await raise_curtain(
            f"""
targets:
  lead: {{provider: anthropic_compatible, model: m, base_url: "http://127.0.0.1:{port}", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [lead]}}}}
"""
        )
        said = await stage.ask("openai", stream=True, **fields(stage, "openai", answered=False))
    assert said.streamed
    assert re.fullmatch(SPOKEN, requests[0]["tools"][0]["name"])
    assert called(dialect_of(stage, "openai"), said) == [STRANGE]

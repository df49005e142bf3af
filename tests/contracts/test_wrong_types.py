"""Whatever type stands where: a body is read or refused by name, never met with another exception.

Each member and item of each body is replaced by values of other types, one at a time, and all of it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from understudy.core.dice import Dice
from understudy.core.request import Call, Operation
from understudy.dialects import BY_THE_BOOK, BadAnswer, BadBody, Format
from understudy.mock.asked import BadRequest, say
from understudy.mock.chat_completions import ChatCompletions
from understudy.mock.cohere_chat import CohereChat
from understudy.mock.converse import Converse
from understudy.mock.formats import Format as Played
from understudy.mock.generate_content import GenerateContent
from understudy.mock.messages import Messages
from understudy.mock.ollama_chat import OllamaChat
from understudy.registry import Registry

pytestmark = pytest.mark.no_cover

DIALECTS: Registry[Format] = Registry("understudy.dialects", "DIALECT", kind="dialect")
WRITTEN = Path(__file__).parents[1] / "exchanges" / "written"
APIS = {
    "bedrock_converse": "bedrock_converse",
    "chat_completions": "openai_chat",
    "responses": "openai_responses",
    "messages": "anthropic_messages",
    "generate_content": "gemini",
    "ollama_chat": "ollama_chat",
    "cohere_chat": "cohere_chat",
}
NAMES = [name for name in DIALECTS.names() if DIALECTS.entry(name).operation is not Operation.COUNT]
"""All but the ways to count, which read a conversation as its own format does."""
OTHERS = [None, True, -1, 1.5, "", "x", [], {}, [[]], [{}], [None], ["x"], {"type": []}, {"type": {}}, {"type": "x"}]

PLAYED: dict[str, Played] = {
    "openai_chat": ChatCompletions(),
    "anthropic_messages": Messages(),
    "gemini": GenerateContent(),
    "bedrock_converse": Converse(),
    "cohere_chat": CohereChat(),
    "ollama_chat": OllamaChat(),
}
"""How the mock reads the same."""

_IN_THE_PATH = ("bedrock_converse", "gemini")
"""Where the model stands, and whether to stream: what is in the body says nothing of it."""

UNUSUAL: dict[str, list[Any]] = {
    "openai_chat": [
        {
            "model": "m",
            "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            "audio": {"format": "wav", "voice": "a"},
            "modalities": ["text"],
            "stop": ["a"],
            "logit_bias": {"1": 1},
            "stream_options": {"include_usage": True},
            "prediction": {"type": "content", "content": [{"type": "text", "text": "a"}]},
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
        }
    ],
    "openai_embeddings": [{"model": "m", "input": [[1, 2]], "dimensions": 2, "encoding_format": "float", "user": "u"}],
    "cohere_embed": [{"model": "m", "texts": ["a"], "input_type": "search_query", "embedding_types": ["float"]}],
    "gemini_embeddings": [{"requests": [{"model": "models/m", "content": {"parts": [{"text": "a"}]}}]}],
}
"""Members that the exchanges do not have, by wire format."""


@cache
def samples() -> dict[str, tuple[list[Any], list[Any]]]:
    """Requests and whole answers by wire format, of the written exchanges and ours."""
    found: dict[str, tuple[list[Any], list[Any]]] = {name: (list(more), []) for name, more in UNUSUAL.items()}
    for file in sorted(WRITTEN.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record.get("api") not in APIS:
                continue
            requests, answers = found.setdefault(APIS[record["api"]], ([], []))
            if isinstance((record.get("request") or {}).get("body"), dict):
                requests.append(record["request"]["body"])
            text = record["response"].get("body_text") or ""
            if text.startswith("{") and not record.get("stream_format"):
                answers.append(json.loads(text))
    return found


def spoilt(node: Any) -> Iterator[Any]:
    """The value with one part of it replaced, in every way."""
    yield from OTHERS
    if isinstance(node, dict):
        for name, held in node.items():
            for other in spoilt(held):
                yield {**node, name: other}
    elif isinstance(node, list):
        for place, held in enumerate(node[:3]):
            for other in spoilt(held):
                yield [*node[:place], other, *node[place + 1 :]]


def address(dialect: Format) -> str:
    return dialect.inbound[0].replace("{model}", "m") if dialect.inbound else ""


def refused_by_name(read: Callable[[], object], told: Any) -> None:
    try:
        read()
    except (BadBody, BadAnswer, BadRequest):
        pass
    except Exception as error:
        pytest.fail(f"{type(error).__name__}: {error}: {json.dumps(told)[:2000]}")


@pytest.mark.parametrize("name", NAMES)
def test_a_request_of_wrong_types_is_read_or_refused_by_name(name: str) -> None:
    dialect = DIALECTS.entry(name)
    requests, _ = samples().get(name, ([], []))
    path = address(dialect)

    def passed_on(body: bytes) -> None:
        needs = dialect.needs(body, path)
        dialect.retarget(Call(dialect.name, needs, body), "m", BY_THE_BOOK)

    for request in requests:
        for told in spoilt(request):
            body = json.dumps(told).encode()
            refused_by_name(lambda body=body: passed_on(body), told)
            refused_by_name(lambda body=body: dialect.parse_request(body), told)


@pytest.mark.parametrize("name", [name for name, (_, answers) in samples().items() if answers])
def test_an_answer_of_wrong_types_is_read_or_refused_by_name(name: str) -> None:
    dialect = DIALECTS.entry(name)
    for answer in samples()[name][1]:
        for told in spoilt(answer):
            body = json.dumps(told).encode()
            refused_by_name(lambda body=body: dialect.glance(body), told)
            refused_by_name(lambda body=body: dialect.parse_answer(body), told)


@pytest.mark.parametrize("name", PLAYED)
def test_the_mock_answers_or_refuses_by_name(name: str) -> None:
    played = PLAYED[name]
    for request in samples()[name][0]:
        for told in spoilt(request):
            if isinstance(told, dict):
                body = {**told, "model": "m", "stream": False} if name in _IN_THE_PATH else told
                refused_by_name(lambda body=body: say(played.read(body), Dice(1), words=2, text=None), told)


def test_every_dialect_of_conversations_has_samples() -> None:
    spoken = [name for name in NAMES if DIALECTS.entry(name).operation is Operation.CHAT]
    assert [name for name in spoken if name in APIS.values() and not all(samples().get(name, ((), ())))] == []

"""What is written for a provider is a request that its API takes: somebody speaks, and nobody says nothing.

The rules are those of the providers' references; each stands beside the pages it is from.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strategies import conversations, turns
from understudy.core.conversation import Conversation, Message, Opaque, Role, Text
from understudy.core.projection import ESSENTIAL, project_request
from understudy.dialects import Dialect
from understudy.registry import Registry

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")

Rule = Callable[[dict[str, Any]], None]


def texts_of(content: Any) -> list[str]:
    """The texts of a content and of the results in it, a bare string being one."""
    if isinstance(content, str):
        return [content]
    found = []
    for block in content or ():
        if not isinstance(block, dict):
            continue
        if isinstance(block.get("text"), str):
            found.append(block["text"])
        result = block.get("toolResult", block)
        if isinstance(result, dict) and "content" in result:
            found += texts_of(result["content"])
    return found


def chat_completions(body: dict[str, Any]) -> None:
    """platform.openai.com/docs/api-reference/chat/create: `messages` and lists of parts have at least one entry."""
    assert body["messages"]
    for message in body["messages"]:
        content = message.get("content")
        assert content is None or isinstance(content, str) or len(content) >= 1
        assert content is not None or message["role"] == "assistant"
        if message["role"] == "assistant" and content is None:
            assert (
                message.get("tool_calls")
                or message.get("refusal")
                or message.get("reasoning_content")
                or len(message) > 2
            )


def responses(body: dict[str, Any]) -> None:
    """platform.openai.com/docs/api-reference/responses/create."""
    assert body["input"]
    for item in body["input"]:
        if item.get("type") == "message":
            assert item["content"] == "" or item["content"]


def messages(body: dict[str, Any]) -> None:
    """docs.anthropic.com/en/api/messages; "text content blocks must contain non-whitespace text"."""
    assert body["messages"]
    for message in body["messages"]:
        assert message["content"]
        assert all(text.strip() for text in texts_of(message["content"]))
    assert all(text.strip() for text in texts_of(body.get("system")))
    roles = [message["role"] for message in body["messages"]]
    assert set(roles) - {"system"}
    blocks = [block for message in body["messages"] for block in message["content"] if isinstance(block, dict)]
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    assert len(set(calls)) == len(calls)  # "`tool_use` ids must be unique"


def generate_content(body: dict[str, Any]) -> None:
    """ai.google.dev/api/generate-content: contents and their parts are not empty, and roles take turns."""
    assert body["contents"]
    for content in body["contents"]:
        assert content["parts"]
        assert all(part.get("text") != "" for part in content["parts"])
    roles = [content["role"] for content in body["contents"]]
    assert all(left != right for left, right in pairwise(roles))
    if "systemInstruction" in body:
        assert body["systemInstruction"]["parts"]


def converse(body: dict[str, Any]) -> None:
    """docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html; "The text field in the ContentBlock object ... is blank"."""
    assert body["messages"]
    for message in body["messages"]:
        assert message["content"]
        assert all(text.strip() for text in texts_of(message["content"]))
    assert all(text.strip() for text in texts_of(body.get("system")))
    roles = [message["role"] for message in body["messages"]]
    assert all(left != right for left, right in pairwise(roles))
    for tool in body.get("toolConfig", {}).get("tools", ()):
        if "toolSpec" in tool:
            assert tool["toolSpec"].get("description") != ""


def cohere(body: dict[str, Any]) -> None:
    """docs.cohere.com/reference/chat."""
    assert body["messages"]
    for message in body["messages"]:
        if message["role"] in {"system", "user"}:
            assert message["content"]
        if message["role"] == "assistant":
            assert len(message) > 1
    assert {message["role"] for message in body["messages"]} != {"system"}


def ollama(body: dict[str, Any]) -> None:
    """github.com/ollama/ollama/blob/main/docs/api.md: without messages a model is only loaded."""
    assert body["messages"]
    for message in body["messages"]:
        assert message["role"] in {"assistant", "tool"} or message["content"] or message.get("images")


RULES: dict[str, Rule] = {
    "anthropic_messages": messages,
    "bedrock_converse": converse,
    "cohere_chat": cohere,
    "gemini": generate_content,
    "ollama_chat": ollama,
    "openai_chat": chat_completions,
    "openai_responses": responses,
}

silent = st.sampled_from(
    [
        Message(role, parts)
        for role in (Role.USER, Role.ASSISTANT, Role.SYSTEM)
        for parts in ((), (Text(" "),), (Text(""),), (Opaque("nobody", "x_block", {"type": "x_block"}),))
    ]
)
some_silent = st.lists(turns | silent | silent, max_size=6).map(tuple)


def written(dialect: Dialect, conversation: Conversation) -> dict[str, Any] | None:
    """The body for a conversation; None where it is refused before it is written."""
    projected, losses = project_request(conversation, dialect.request_carries)
    if not projected.messages or any(loss.weight == ESSENTIAL for loss in losses):
        return None
    body: dict[str, Any] = json.loads(dialect.render_request(projected))
    return body


@pytest.mark.no_cover
@given(st.sampled_from(sorted(RULES)), conversations, some_silent)
def test_what_is_written_is_what_the_api_takes(
    name: str, conversation: Conversation, said: tuple[Message, ...]
) -> None:
    assume(f"'{name}'" not in repr(said))  # who writes in the format itself may write what he likes
    body = written(DIALECTS.entry(name), replace(conversation, messages=said, extra=None))
    if body is not None:
        RULES[name](body)

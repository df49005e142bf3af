"""The official `openai` client reads what this dialect writes: whole answers, streams with their helpers, errors, models."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import openai
import pytest

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import ErrorReport
from understudy.dialects.openai_chat import DIALECT

ASK = {"model": "default", "messages": [{"role": "user", "content": "hi"}]}
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "strict": True,
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False},
    },
}  # fmt: skip


class Pieces(httpx2.SyncByteStream):
    """A body in pieces of seven bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        for place in range(0, len(self.data), 7):
            yield self.data[place : place + 7]


def client(status: int, body: bytes, content_type: str = "application/json") -> openai.OpenAI:
    """A client whose every request is answered with these bytes."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": content_type}, stream=Pieces(body))

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(
        api_key="k", base_url="http://test/v1", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def streaming(*events: StreamEvent, tail: bytes = b"") -> openai.OpenAI:
    encoder = DIALECT.encoder(model="m", include_usage=True)
    body = b"".join(encoder.encode(event) for event in events) + tail
    return client(200, body, "text/event-stream")


SPOKEN = (
    Begin(id="chatcmpl-1", model="m", created=1_700_000_000),
    PartBegin(0, 0, Reasoning("", signed_by="anthropic_messages")),
    PartDelta(0, 0, Field.TEXT, "Hm."),
    PartDelta(0, 0, Field.SIGNATURE, "c2ln"),
    PartEnd(0, 0),
    PartBegin(0, 1, Text("")),
    PartDelta(0, 1, Field.TEXT, "Grüße "),
    PartDelta(0, 1, Field.TEXT, "🎭"),
    PartEnd(0, 1),
    PartBegin(0, 2, ToolCall("call_1", "f", "")),
    PartDelta(0, 2, Field.ARGUMENTS, '{"a":'),
    PartBegin(0, 3, ToolCall("call_2", "f", "")),
    PartDelta(0, 3, Field.ARGUMENTS, '{"a": 2}'),
    PartDelta(0, 2, Field.ARGUMENTS, " 1}"),
    PartEnd(0, 2),
    PartEnd(0, 3),
    Finish(choice=0, stop=Stop.TOOL_CALLS),
    UsageSeen(Usage(input=5, cache_read=3, output=4, reasoning=2)),
    End(),
)


def test_a_whole_answer_is_read():
    answer = Answer(
        id="chatcmpl-1",
        model="m",
        created=1_700_000_000,
        choices=(
            Choice(parts=(Reasoning("Hm."), Text("Good day"), ToolCall("call_1", "f", {"a": 1})), stop=Stop.TOOL_CALLS),
        ),
        usage=Usage(input=5, cache_read=3, output=4, reasoning=2),
    )
    read = client(200, DIALECT.render_answer(answer)).chat.completions.create(**ASK)
    message = read.choices[0].message
    assert message.content == "Good day"
    assert message.role == "assistant"
    assert message.tool_calls[0].function.arguments == '{"a":1}'
    assert message.reasoning_content == "Hm."
    assert read.choices[0].finish_reason == "tool_calls"
    assert read.usage.prompt_tokens == 8
    assert read.usage.prompt_tokens_details.cached_tokens == 3
    assert read.usage.completion_tokens_details.reasoning_tokens == 2
    assert read.usage.total_tokens == 14


def test_a_refusal_is_read():
    answer = Answer(id="i", model="m", choices=(Choice(parts=(Refusal("I will not."),), stop=Stop.REFUSAL),))
    read = client(200, DIALECT.render_answer(answer)).chat.completions.create(**ASK)
    assert read.choices[0].message.refusal == "I will not."
    assert read.choices[0].message.content is None
    assert read.choices[0].finish_reason == "stop"


def test_a_stream_begins_with_the_role_and_ends_with_the_usage():
    chunks = list(streaming(*SPOKEN).chat.completions.create(**ASK, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.object == "chat.completion.chunk" and chunk.id == "chatcmpl-1" for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Grüße 🎭"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "tool_calls"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 14


def test_the_stream_helper_puts_the_answer_together():
    with streaming(*SPOKEN).chat.completions.stream(**ASK, tools=[TOOL]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"content.delta", "content.done", "tool_calls.function.arguments.done"} <= kinds
    message = final.choices[0].message
    assert message.content == "Grüße 🎭"
    assert [call.function.parsed_arguments for call in message.tool_calls] == [{"a": 1}, {"a": 2}]
    assert [call.id for call in message.tool_calls] == ["call_1", "call_2"]
    assert final.usage.completion_tokens == 6


def test_an_error_in_the_stream_is_raised():
    report = ErrorReport(failure=Failure(FailureKind.TRUNCATED, "the provider hung up"))
    broken = streaming(*SPOKEN[:7], tail=DIALECT.render_stream_error(report))
    heard = ""
    with pytest.raises(openai.APIError, match="the provider hung up"):
        for chunk in broken.chat.completions.create(**ASK, stream=True):
            heard += chunk.choices[0].delta.content or ""
    assert heard == "Grüße "


def test_an_error_becomes_the_exception_for_its_status():
    report = ErrorReport(failure=Failure(FailureKind.RATE_LIMIT, "too many requests", retry_after_s=2.0))
    with pytest.raises(openai.RateLimitError) as caught:
        client(429, DIALECT.render_error(report)).chat.completions.create(**ASK)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.type == "rate_limit_error"
    assert "too many requests" in str(caught.value)


def test_models_are_listed():
    listed = client(200, DIALECT.render_models(["default", "fast"])).models.list()
    assert [model.id for model in listed.data] == ["default", "fast"]


def test_what_the_client_sends_is_read():
    sent = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return httpx2.Response(200, json=json.loads(DIALECT.render_answer(Answer(id="i", model="m", choices=()))))

    openai.OpenAI(
        api_key="k", base_url="http://test/v1", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
    ).chat.completions.create(
        **ASK,
        tools=[TOOL],
        tool_choice="required",
        max_completion_tokens=10,
        stop=["END"],
        response_format={"type": "json_object"},
        reasoning_effort="low",
    )
    needs, conversation = DIALECT.needs(sent[0]), DIALECT.parse_request(sent[0])
    assert needs.features == ("reasoning", "tools")
    assert conversation.settings.max_tokens == needs.max_tokens == 10
    assert conversation.settings.tool_choice.mode == "required"
    assert conversation.settings.stop == ("END",)

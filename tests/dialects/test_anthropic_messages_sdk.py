"""The official `anthropic` client reads what this dialect writes: whole answers, streams with their helpers, errors, models."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import httpx2
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
from understudy.core.conversation import Reasoning, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import ErrorReport
from understudy.dialects.anthropic_messages import DIALECT

ASK = {"model": "default", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}


class Pieces(httpx2.SyncByteStream):
    """A body in pieces of seven bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        for place in range(0, len(self.data), 7):
            yield self.data[place : place + 7]


def client(status: int, body: bytes, content_type: str = "application/json") -> anthropic.Anthropic:
    """A client whose every request is answered with these bytes."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": content_type}, stream=Pieces(body))

    transport = httpx2.MockTransport(answer)
    return anthropic.Anthropic(
        api_key="k", base_url="http://test", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def stream_of(*events: StreamEvent) -> bytes:
    encoder = DIALECT.encoder(model="m", include_usage=None)
    return b"".join(encoder.encode(event) for event in events)


def test_the_client_reads_a_whole_answer():
    answer = Answer(
        id="chatcmpl-1",
        model="gpt",
        choices=(Choice(parts=(Reasoning("hm"), Text("so"), ToolCall("call.1", "f", {"x": 1})), stop=Stop.TOOL_CALLS),),
        usage=Usage(input=3, cache_read=4, output=5, reasoning=6),
    )
    with client(200, DIALECT.render_answer(answer)) as caller:
        message = caller.messages.create(**ASK)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[2].input == {"x": 1}
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 11)
    assert message.usage.output_tokens_details.thinking_tokens == 6
    type(message).model_validate(message.to_dict())  # strictly: every required field is there and of its type


STREAM = stream_of(
    Begin(id="chatcmpl-1", model="gpt"),
    PartBegin(0, 0, Reasoning("")),
    PartDelta(0, 0, Field.TEXT, "hm"),
    PartBegin(0, 1, Text("")),
    PartDelta(0, 1, Field.TEXT, "hé"),
    PartBegin(0, 2, ToolCall("a", "f", "")),
    PartBegin(0, 3, ToolCall("b", "g", "")),
    PartDelta(0, 3, Field.ARGUMENTS, '{"y": '),
    PartDelta(0, 2, Field.ARGUMENTS, '{"x": 1}'),
    PartDelta(0, 3, Field.ARGUMENTS, "2}"),
    PartDelta(0, 1, Field.TEXT, "llo"),
    *[PartEnd(0, index) for index in range(4)],
    Finish(choice=0, stop=Stop.TOOL_CALLS),
    UsageSeen(Usage(input=3, cache_read=4, output=5)),
    End(),
)


def test_the_clients_stream_helper_puts_a_translated_stream_together():
    with client(200, STREAM, "text/event-stream") as caller, caller.messages.stream(**ASK) as stream:
        assert "".join(stream.text_stream) == "héllo"
        message = stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input for block in message.content[2:]] == [{"x": 1}, {"y": 2}]
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (3, 4, 5)


def test_every_event_is_one_that_the_client_knows():
    with client(200, STREAM, "text/event-stream") as caller:
        events = list(caller.messages.create(**ASK, stream=True))
    assert len(events) == STREAM.count(b"event: ")
    for event in events:
        type(event).model_validate(event.to_dict())


async def test_the_asynchronous_client_reads_the_same_stream():
    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM)

    http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url="http://test", http_client=http_client) as caller,
        caller.messages.stream(**ASK) as stream,
    ):
        assert (await stream.get_final_text()) == "héllo"


REPORT = ErrorReport(failure=Failure(FailureKind.RATE_LIMIT, "all limited", retry_after_s=3.0), decision="dec_1")


def test_the_client_raises_its_own_error_for_ours():
    with client(429, DIALECT.render_error(REPORT)) as caller, pytest.raises(anthropic.RateLimitError) as raised:
        caller.messages.create(**ASK)
    assert raised.value.body["error"]["message"] == "all limited"


def test_a_broken_stream_raises_in_the_client_instead_of_ending():
    begun = STREAM[: STREAM.index(b"event: message_delta")] + DIALECT.render_stream_error(REPORT)
    with (
        client(200, begun, "text/event-stream") as caller,
        pytest.raises(anthropic.APIStatusError, match="all limited"),
        caller.messages.stream(**ASK) as stream,
    ):
        stream.get_final_message()


def test_the_client_lists_the_models():
    with client(200, DIALECT.render_models(["default", "claude"])) as caller:
        models = list(caller.models.list())
    assert [model.id for model in models] == ["default", "claude"]
    for model in models:
        type(model).model_validate(json.loads(model.to_json()))

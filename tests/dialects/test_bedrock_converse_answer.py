"""Answers of Converse, whole and as they are written."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from conftest import read_recordings
from understudy.core.answer import Answer, Begin, Choice, End, Failed, Finish, PartBegin, PartDelta, Stop, UsageSeen
from understudy.core.answer import Field as Of
from understudy.core.assembly import assemble
from understudy.core.conversation import Extra, Opaque, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.projection import project_answer
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, ErrorReport
from understudy.dialects.bedrock_converse import DIALECT
from understudy.framing.aws_event_stream import write_message
from understudy.framing.sse import SseEvent
from understudy.transport.classify import classify

NAME = "bedrock_converse"
USED = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}


def body(*content: dict[str, Any], stop: str | None = "end_turn", usage: Any = USED, **more: Any) -> bytes:
    output = {"message": {"role": "assistant", "content": list(content)}}
    return json.dumps({"output": output, "stopReason": stop, "usage": usage, **more}).encode()


def read(*content: dict[str, Any], **more: Any) -> Choice:
    (choice,) = DIALECT.parse_answer(body(*content, **more)).choices
    return choice


CALL = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}, "type": "tool_use"}}


# Whole


def test_an_answer_is_read_part_by_part():
    thought = {"reasoningContent": {"reasoningText": {"text": "so", "signature": "c2VhbA=="}}}
    hidden = {"reasoningContent": {"redactedContent": "ZGF0YQ=="}}
    image = {"image": {"format": "heic", "source": {"bytes": "QUJD"}}}
    assert read(thought, hidden, {"text": "yes"}, CALL, image, stop="tool_use").parts == (
        Reasoning("so", "c2VhbA==", None, NAME),
        Reasoning("", None, "ZGF0YQ==", NAME),
        Text("yes"),
        ToolCall("t", "f", {"a": 1}),
        Opaque(NAME, "image", image),
    )


def test_a_call_of_the_services_own_is_told_apart():
    server = {"toolUse": {**CALL["toolUse"], "type": "server_tool_use"}}
    assert read(server).parts == (ToolCall("t", "f", {"a": 1}, None, Extra(NAME, {"type": "server_tool_use"})),)


def test_cited_words_are_words():
    citations = [{"title": "facts", "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 9}}}]
    one = {"citationsContent": {"content": [{"text": "It rains."}], "citations": citations}}
    two = {"citationsContent": {"content": [{"text": "It "}, {"text": "pours."}], "citations": []}}
    choice = read(one, two)
    assert [part.text for part in choice.parts] == ["It rains.", "It pours."]
    assert choice.parts[0].extra == Extra(NAME, {"citations": citations})
    again = json.loads(DIALECT.render_answer(DIALECT.parse_answer(body(one, two))))
    assert again["output"]["message"]["content"] == [one, two]


@pytest.mark.parametrize(
    ("word", "stop", "native"),
    [
        ("end_turn", Stop.END, None),
        ("tool_use", Stop.TOOL_CALLS, None),
        ("max_tokens", Stop.LENGTH, None),
        ("stop_sequence", Stop.STOP_SEQUENCE, None),
        ("guardrail_intervened", Stop.CONTENT_FILTER, "guardrail_intervened"),
        ("content_filtered", Stop.CONTENT_FILTER, None),
        ("model_context_window_exceeded", Stop.CONTEXT_FULL, None),
        ("malformed_tool_use", Stop.END, "malformed_tool_use"),
        ("novel", Stop.END, "novel"),
        (None, None, None),
    ],
)
def test_why_it_stopped(word, stop, native):
    choice = read({"text": "x"}, stop=word)
    assert (choice.stop, choice.stop_native) == (stop, native)


def test_a_call_is_why_it_stopped_whatever_is_said_about_it():
    assert read({"text": "x"}, CALL, stop="end_turn").stop is Stop.TOOL_CALLS


@pytest.mark.parametrize(
    ("stop", "parts", "word"),
    [
        (Stop.END, (), "end_turn"),
        (Stop.END, (ToolCall("t", "f", {}),), "tool_use"),
        (Stop.END, (Refusal("no"),), "content_filtered"),
        (Stop.REFUSAL, (), "content_filtered"),
        (Stop.PAUSE, (), "end_turn"),
        (Stop.PAUSE, (ToolCall("t", "f", {}),), "tool_use"),
        (Stop.CONTENT_FILTER, (), "content_filtered"),
    ],
)
def test_why_it_stopped_in_the_words_of_the_api(stop, parts, word):
    answer = Answer(id="i", model="m", choices=(Choice(parts=parts, stop=stop),))
    assert json.loads(DIALECT.render_answer(answer))["stopReason"] == word


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        (USED, Usage(input=3, output=2)),
        (
            {"inputTokens": 3, "outputTokens": 2, "totalTokens": 1017, "cacheReadInputTokens": 1000, "cacheWriteInputTokens": 12,
             "cacheReadInputTokenCount": 1000, "cacheWriteInputTokenCount": 12,
             "cacheDetails": [{"ttl": "1h", "inputTokens": 5}, {"ttl": "5m", "inputTokens": 7}]},
            Usage(input=3, output=2, cache_read=1000, cache_write_5m=7, cache_write_1h=5),
        ),
        ({"inputTokens": 3, "outputTokens": 2, "cacheReadInputTokenCount": 9}, Usage(input=3, output=2, cache_read=9)),
        ({"inputTokens": -1, "outputTokens": 2}, Usage(output=2, estimated=True)),
        ({"inputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 5}, 3]}, Usage(input=1, estimated=True)),
        ({"inputTokens": True}, Usage(estimated=True)),
        (None, None),
        ("many", None),
    ],
)  # fmt: skip
def test_what_was_used_in_classes_that_never_overlap(told, usage):
    assert DIALECT.parse_answer(body({"text": "x"}, usage=told)).usage == usage
    assert DIALECT.glance(body({"text": "x"}, usage=told)).usage == usage


@pytest.mark.shared("recordings")
def test_in_every_recorded_answer_the_total_is_the_sum_of_the_classes():
    for record in read_recordings("bedrock_converse"):
        text = record["response"].get("body_text")
        if text is not None:
            usage = DIALECT.parse_answer(text.encode()).usage
            assert usage is not None
            assert usage.total == json.loads(text)["usage"]["totalTokens"]


def test_usage_is_written_as_the_service_counts():
    usage = Usage(input=3, output=2, reasoning=4, cache_read=10, cache_write_5m=7, cache_write_1h=5)
    written = json.loads(DIALECT.render_answer(Answer(id="", model="", choices=(), usage=usage)))["usage"]
    assert written == {
        "inputTokens": 3, "outputTokens": 6, "totalTokens": 31, "cacheReadInputTokens": 10, "cacheWriteInputTokens": 12,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 7}, {"ttl": "1h", "inputTokens": 5}],
    }  # fmt: skip


def test_what_only_the_service_says_is_kept():
    trace = {"guardrail": {"actionReason": "masked"}}
    answer = DIALECT.parse_answer(body({"text": "x"}, usage={**USED, "serverToolUsage": {"x": 1}}, trace=trace))
    assert answer.choices[0].extra == Extra(NAME, {"trace": trace, "usage": {"serverToolUsage": {"x": 1}}})
    written = json.loads(DIALECT.render_answer(answer))
    assert (written["trace"], written["usage"]) == (trace, {**USED, "serverToolUsage": {"x": 1}})


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (body(stop="guardrail_intervened"), FailureKind.CONTENT_FILTER),
        (body({"text": ""}, stop="content_filtered"), FailureKind.CONTENT_FILTER),
        (body(stop="malformed_model_output"), FailureKind.MALFORMED),
        (body(stop="end_turn", usage={"inputTokens": 3, "outputTokens": 0}), FailureKind.EMPTY),
        (body(stop="tool_use"), FailureKind.EMPTY),
        (body(stop="end_turn"), None),
        (body(stop="max_tokens"), None),
        (body({"text": "blocked"}, stop="guardrail_intervened"), None),
        (body(CALL), None),
        (b'{"throttlingException":{"message":"Too many tokens"}}', FailureKind.RATE_LIMIT),
        (b'{"Output":{"__type":"com.amazon.coral.service#InternalFailure"},"Version":"1.0"}', FailureKind.SERVER_ERROR),
    ],
)
def test_an_answer_without_content_is_one_only_where_that_is_explained(raw, kind):
    failure = DIALECT.glance(raw).failure
    assert (None if failure is None else failure.kind) is kind


@pytest.mark.parametrize(
    "raw",
    [
        b'{"message":"hello"}', b'{"output":{}}', b'{"output":{"message":{"content":[3]}}}', b'{"output":{"message":{"content":"x"}}}',
        b'{"output":[]}',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(raw):
    for reader in (DIALECT.glance, DIALECT.parse_answer):
        with pytest.raises(BadAnswer):
            reader(raw)


@pytest.mark.parametrize("content", [[{"text": 3}], [{"toolUse": {"name": "f"}}], [{}], [{"toolUse": "x"}]])
def test_blocks_that_are_none_are_refused(content):
    with pytest.raises(BadAnswer, match=r"output\.message\.content\[0\]"):
        DIALECT.parse_answer(body(*content))


def test_the_api_has_one_nameless_choice():
    two = (Choice(parts=(Text("a"),), extra=Extra(NAME, {"trace": 2})), Choice(parts=(Text("b"),)))
    answer = Answer(id="i", model="m", choices=two, extra=Extra(NAME, {"trace": 1, "x": 1}))
    fitted, losses = project_answer(answer, DIALECT.answer_carries)
    assert fitted == Answer(
        id="", model="", usage=Usage(), choices=(Choice(parts=(Text("a"),), extra=Extra(NAME, {"trace": 2, "x": 1})),)
    )
    assert [loss.name for loss in losses] == ["choices"]


# Streams


def event(name: str, **fields: Any) -> SseEvent:
    return SseEvent(b"", name.encode(), json.dumps(fields).encode())


def delta(index: int = 0, **said: Any) -> SseEvent:
    return event("contentBlockDelta", contentBlockIndex=index, delta=said, p="abc")


def stop(index: int = 0) -> SseEvent:
    return event("contentBlockStop", contentBlockIndex=index)


START = event("messageStart", role="assistant")
ENDED, COUNTED = event("messageStop", stopReason="end_turn"), event("metadata", usage=USED, metrics={"latencyMs": 1})


def heard(*events: SseEvent) -> list[Any]:
    decoder = DIALECT.decoder()
    return [told for one in events for told in decoder.decode(one)]


def said(*events: SseEvent) -> tuple[Any, ...]:
    return assemble(heard(START, *events, ENDED, COUNTED)).choices[0].parts


def test_a_stream_in_its_grammar():
    assert heard(
        START, delta(text="a"), delta(text=""), delta(text="b"), stop(), ENDED, COUNTED, delta(text="more")
    ) == [
        Begin(id="", model=""),
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Of.TEXT, "a"),
        PartDelta(0, 0, Of.TEXT, "b"),
        heard(START, delta(text="a"), stop())[-1],
        Finish(choice=0, stop=Stop.END),
        UsageSeen(Usage(input=3, output=2)),
        End(),
    ]


def test_thoughts_with_their_seals_and_calls_with_their_pieces():
    call = event("contentBlockStart", contentBlockIndex=2, start={"toolUse": {"toolUseId": "t", "name": "f"}})
    assert said(
        delta(0, reasoningContent={"text": "so"}), delta(0, reasoningContent={"signature": "c2Vh"}), stop(0),
        delta(1, reasoningContent={"redactedContent": "ZGF0YQ=="}), stop(1),
        call, delta(2, toolUse={"input": '{"a"'}), delta(2, toolUse={"input": ":1}"}), stop(2),
        delta(3, text="ok"), stop(3),
    ) == (
        Reasoning("so", "c2Vh", None, NAME), Reasoning("", None, "ZGF0YQ==", NAME), ToolCall("t", "f", {"a": 1}), Text("ok"),
    )  # fmt: skip


def test_encrypted_thinking_in_pieces_is_one():
    pieces = [b64encode(piece).decode() for piece in (b"a", b"bc")]
    events = [delta(reasoningContent={"redactedContent": piece}) for piece in pieces]
    assert said(*events, stop()) == (Reasoning("", None, b64encode(b"abc").decode(), NAME),)
    with pytest.raises(BadAnswer, match="base64"):
        said(*events, delta(reasoningContent={"redactedContent": "%"}), stop())


def test_a_block_that_changes_its_mind_is_two():
    assert said(delta(reasoningContent={"text": "so"}), delta(text="ok")) == (Reasoning("so"), Text("ok"))


def test_citations_belong_to_their_words_also_before_the_first_of_them():
    assert said(delta(citation={"title": "x"}), delta(text="It rains."), delta(citation={"title": "y"}), stop()) == (
        Text("It rains.", None, Extra(NAME, {"citations": [{"title": "x"}, {"title": "y"}]})),
    )


def test_what_the_services_own_tools_gave_back_is_gathered():
    start = event(
        "contentBlockStart", contentBlockIndex=1, start={"toolResult": {"toolUseId": "t", "status": "success"}}
    )
    image = event("contentBlockStart", contentBlockIndex=2, start={"image": {"format": "png"}})
    assert said(
        start, delta(1, toolResult=[{"text": "a"}]), delta(1, toolResult=[{"text": "b"}]), stop(1),
        image, delta(2, image={"source": {"bytes": "QUJD"}}), stop(2),
        event("contentBlockStart", contentBlockIndex=3, start={}), delta(4, novel={"x": 1}), stop(3), stop(4),
    ) == (
        Opaque(NAME, "toolResult",
               {"toolResult": {"toolUseId": "t", "status": "success", "content": [{"text": "a"}, {"text": "b"}]}}),
        Opaque(NAME, "image", {"image": {"format": "png", "source": {"bytes": "QUJD"}}}),
    )  # fmt: skip


def test_a_stream_may_count_before_it_ends_and_leave_its_blocks_open():
    events = heard(delta(text="a"), COUNTED, ENDED)
    assert events[0] == Begin(id="", model="")
    assert [type(one) for one in events[-3:]] == [heard(START, delta(text="a"), stop())[-1].__class__, Finish, End]


def test_a_stream_that_was_not_counted_has_finished_and_not_ended():
    events = heard(
        START,
        delta(text="a"),
        stop(),
        event("messageStop", stopReason="stop_sequence", additionalModelResponseFields={"x": 1}),
    )
    assert events[-1] == Finish(
        choice=0, stop=Stop.STOP_SEQUENCE, extra=Extra(NAME, {"additionalModelResponseFields": {"x": 1}})
    )
    assert End() not in events


@pytest.mark.parametrize(
    "events",
    [
        (delta(toolUse={"input": "{}"}),),
        (delta(text=3),),
        (delta(reasoningContent="x"),),
        (event("contentBlockDelta", contentBlockIndex=0),),
        (event("contentBlockDelta", delta={"text": "x"}),),
        (event("contentBlockStart", contentBlockIndex=0, start={"toolUse": {}}),),
        (event("contentBlockStart", contentBlockIndex=0, start={"toolUse": {"toolUseId": "t", "name": "f"}}),) * 2,
        (ENDED, ENDED),
        (ENDED, delta(text="x")),
        (event("messageStop"),),
        (SseEvent(b"", b"messageStop", b"{"),),
        (SseEvent(b"", b"metadata", b"[]"),),
    ],
)
def test_events_out_of_order_or_shape_are_no_answer(events):
    with pytest.raises(BadAnswer):
        heard(START, *events)


def test_unknown_events_say_nothing():
    assert heard(event("novel", x=1), SseEvent(b"", b"", b"{"), SseEvent(b"", b"metadata", b"")) == []


# Errors inside a stream


def framed(headers: dict[str, Any], payload: bytes) -> list[SseEvent]:
    return DIALECT.framing().feed(write_message(headers, payload))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", FailureKind.RATE_LIMIT),
        ("modelStreamErrorException", FailureKind.SERVER_ERROR),
        ("internalServerException", FailureKind.SERVER_ERROR),
        ("serviceUnavailableException", FailureKind.UNAVAILABLE),
        ("validationException", FailureKind.INVALID_REQUEST),
        ("modelTimeoutException", FailureKind.SERVER_ERROR),
        ("novelException", FailureKind.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("payload", [b'{"message":"It broke."}', b"It broke.", b""])
def test_an_exception_is_known_by_its_class_whatever_it_says(name, kind, payload):
    (one,) = framed({":message-type": "exception", ":exception-type": name}, payload)
    (told,) = heard(one)
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(one) == FAILED | PROGRESS
    assert told == Failed(watcher.failure)
    assert told.failure.kind is kind
    assert not payload or "It broke." in told.failure.message
    assert heard(one, delta(text="more")) == [told]


def test_an_error_message_without_a_payload_is_told_in_headers():
    headers = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "An internal error."}
    (one,) = framed(headers, b"")
    (told,) = heard(one)
    assert (told.failure.kind, told.failure.message) == (FailureKind.SERVER_ERROR, "An internal error.")
    assert [type(event) for event in heard(*framed({":message-type": "error"}, b""))] == [Failed]


def test_damaged_bytes_are_no_answer_and_half_a_message_says_nothing():
    data = write_message({":event-type": "messageStart", ":message-type": "event"}, b"{}")
    framing = DIALECT.framing()
    assert framing.feed(data[:-2]) == []
    assert framing.flush() == []
    with pytest.raises(BadAnswer, match="damaged: the checksum"):
        DIALECT.framing().feed(data[:-1] + b"\x00")


def test_the_watcher_reads_a_stream_as_it_passes():
    watcher = DIALECT.watcher(hide_usage=False)
    call = event("contentBlockStart", contentBlockIndex=0, start={"toolUse": {"toolUseId": "t", "name": "f"}})
    told = [
        START,
        delta(reasoningContent={"signature": "x"}),
        call,
        stop(),
        delta(text="a"),
        event("novel"),
        ENDED,
        COUNTED,
    ]
    bits = [watcher.see(one) for one in told]
    assert bits == [
        PROGRESS, PROGRESS, CONTENT | PROGRESS, PROGRESS, CONTENT | PROGRESS, PROGRESS, FINISH | PROGRESS, END | PROGRESS,
    ]  # fmt: skip
    assert (watcher.usage, watcher.stop_native, watcher.has_content) == (Usage(input=3, output=2), "end_turn", True)
    with pytest.raises(BadAnswer):
        watcher.see(SseEvent(b"", b"metadata", b"{"))


def test_a_broken_stream_ends_in_an_exception_of_the_api():
    for kind, name in ((FailureKind.RATE_LIMIT, "throttling"), (FailureKind.MALFORMED, "internalServer")):
        (one,) = DIALECT.framing().feed(DIALECT.render_stream_error(ErrorReport(failure=Failure(kind, "so it was"))))
        ((told, about),) = json.loads(one.data).items()
        assert told == f"{name}Exception"
        assert about["message"] == "so it was"


# Whole errors


@pytest.mark.shared("recordings")
def test_every_recorded_error_is_known_for_what_it_is():
    kinds = {
        "auth": FailureKind.AUTH,
        "context_length": FailureKind.CONTEXT_LENGTH,
        "invalid_request": FailureKind.INVALID_REQUEST,
        "not_found": FailureKind.NOT_FOUND,
    }
    errors = [record for record in read_recordings("errors") if record["api"] == NAME]
    assert len(errors) > 10
    for record in errors:
        response = record["response"]
        headers = {name.encode(): text.encode() for name, text in response["headers"].items()}
        failure = classify(response["status"], headers, response["body_text"].encode(), now_unix_s=0.0)
        assert failure is not None
        assert failure.kind is kinds[record["error"]["class"]], record["id"]


def test_blocks_do_not_overlap_however_their_parts_did():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    events = [
        Begin(id="i", model="m"), PartBegin(0, 0, Text("")), PartBegin(0, 1, ToolCall("t", "f", "")),
        PartDelta(0, 1, Of.ARGUMENTS, "{}"), PartDelta(0, 0, Of.TEXT, "a"), PartBegin(1, 0, Text("another choice")),
        PartDelta(0, 7, Of.TEXT, "of no part"), Finish(choice=0, stop=Stop.END), End(),
    ]  # fmt: skip
    told = DIALECT.framing().feed(b"".join([encoder.encode(one) for one in events]))
    assert [(one.event.decode(), json.loads(one.data).get("contentBlockIndex")) for one in told] == [
        ("messageStart", None), ("contentBlockDelta", 0), ("contentBlockStart", 1), ("contentBlockDelta", 1), ("messageStop", None),
        ("metadata", None),
    ]  # fmt: skip
    assert json.loads(told[4].data)["stopReason"] == "tool_use"

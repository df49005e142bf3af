"""Streams of the Messages API: read event by event, written in the order that its clients insist on, and watched."""

from __future__ import annotations

import json

import pytest

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import assemble
from understudy.core.conversation import Extra, Opaque, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer
from understudy.dialects.anthropic_messages import DIALECT
from understudy.framing.sse import SseEvent, SseParser

NAME = "anthropic_messages"
START = {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "content": []}}
STOP = {"type": "message_stop"}


def sse(event: dict) -> SseEvent:
    data = json.dumps(event).encode()
    return SseEvent(b"data: " + data + b"\n\n", b"", data)


def started(message_usage: dict) -> dict:
    return {**START, "message": {**START["message"], "usage": message_usage}}


def block(index: int, **fields) -> dict:
    return {"type": "content_block_start", "index": index, "content_block": fields}


def delta(index: int, kind: str, **fields) -> dict:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stopped(index: int) -> dict:
    return {"type": "content_block_stop", "index": index}


def finish(reason: str | None = "end_turn", usage: dict | None = None, **fields) -> dict:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": usage or {"output_tokens": 5}}


def decode(*events: dict) -> list[StreamEvent]:
    decoder = DIALECT.decoder()
    return [*(told for event in events for told in decoder.decode(sse(event))), *decoder.ending()]


def only_choice(*events: dict) -> Choice:
    (choice,) = assemble(decode(START, *events, STOP)).choices
    return choice


# Reading


def test_a_text_is_told_as_it_comes():
    told = decode(
        started({"input_tokens": 3, "output_tokens": 1}),
        block(0, type="text", text=""),
        {"type": "ping"},
        delta(0, "text_delta", text="he"),
        delta(0, "text_delta", text="llo"),
        stopped(0),
        finish(usage={"output_tokens": 5}),
        STOP,
    )
    assert told == [
        Begin(id="msg_1", model="claude"),
        UsageSeen(Usage(input=3, output=1)),
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Field.TEXT, "he"),
        PartDelta(0, 0, Field.TEXT, "llo"),
        PartEnd(0, 0),
        UsageSeen(Usage(input=3, output=5)),
        Finish(choice=0, stop=Stop.END),
        End(),
    ]


def test_counts_are_cumulative_and_never_summed():
    told = decode(
        started({"input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 1}),
        finish(None, {"output_tokens": 5}),
        finish("end_turn", {"input_tokens": 9, "output_tokens": 6}),
    )
    assert [event.usage for event in told if isinstance(event, UsageSeen)] == [
        Usage(input=3, cache_read=7, output=1),
        Usage(input=3, cache_read=7, output=5),
        Usage(input=9, cache_read=7, output=6),
    ]


@pytest.mark.parametrize(("later", "hour"), [(10, 4), (11, 0)])
def test_the_split_of_a_cache_write_stands_while_it_adds_up(later, hour):
    split = {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4}
    told = decode(
        started({"cache_creation_input_tokens": 10, "cache_creation": split}),
        finish(usage={"cache_creation_input_tokens": later, "output_tokens": 1}),
    )
    assert told[-2].usage.cache_write_1h == hour
    assert told[-2].usage.prompt == later


def test_thinking_comes_with_its_signature():
    choice = only_choice(
        block(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="sig"),
        stopped(0),
        block(1, type="redacted_thinking", data="cipher"),
        stopped(1),
        finish(),
    )
    assert choice.parts == (Reasoning("hm", "sig", None, NAME), Reasoning("", None, "cipher", NAME))


def test_thinking_without_a_signature_is_unsigned():
    choice = only_choice(
        block(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="hm"),
        stopped(0),
        finish(),
    )
    assert choice.parts == (Reasoning("hm"),)


@pytest.mark.parametrize(
    ("begun", "pieces", "arguments"),
    [
        ({}, ["", '{"a"', ": 1}"], {"a": 1}),
        ({"a": 1}, [], {"a": 1}),
        ({}, [], {}),
        ({}, [""], {}),
        ({"a": 1}, ['{"b": 2}'], {"b": 2}),
    ],
)
def test_tool_arguments_come_in_pieces_or_with_the_start(begun, pieces, arguments):
    choice = only_choice(
        block(0, type="tool_use", id="t", name="f", input=begun),
        *[delta(0, "input_json_delta", partial_json=piece) for piece in pieces],
        stopped(0),
        finish("tool_use"),
    )
    assert choice == Choice(parts=(ToolCall("t", "f", arguments),), stop=Stop.TOOL_CALLS)


def test_a_tool_call_outweighs_a_plain_end():
    choice = only_choice(block(0, type="tool_use", id="t", name="f", input={}), stopped(0), finish("end_turn"))
    assert choice.stop is Stop.TOOL_CALLS


def test_citations_belong_to_their_text():
    choice = only_choice(
        block(0, type="text", text="", citations=[]),
        delta(0, "citations_delta", citation={"cited_text": "a"}),
        delta(0, "text_delta", text="so"),
        delta(0, "citations_delta", citation={"cited_text": "b"}),
        stopped(0),
        finish(),
    )
    cited = [{"cited_text": "a"}, {"cited_text": "b"}]
    assert choice.parts == (Text("so", None, Extra(NAME, {"citations": cited})),)


def test_a_block_of_this_api_alone_is_told_when_it_is_whole():
    told = decode(
        START,
        block(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"query":'),
        delta(0, "input_json_delta", partial_json='"q"}'),
        stopped(0),
        block(1, type="compaction", content=None),
        delta(1, "compaction_delta", content="summary"),
        stopped(1),
    )
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    assert told[1:] == [
        PartBegin(0, 0, Opaque(NAME, "server_tool_use", searched)),
        PartEnd(0, 0),
        PartBegin(0, 1, Opaque(NAME, "compaction", {"type": "compaction", "content": "summary"})),
        PartEnd(0, 1),
    ]


def test_a_bound_may_cut_a_block_of_this_api_alone():
    told = decode(
        START,
        block(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, "input_json_delta", partial_json='{"query":"we'),
        stopped(0),
        finish("max_tokens"),
        STOP,
    )
    cut = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": '{"query":"we'}
    assert told[1] == PartBegin(0, 0, Opaque(NAME, "server_tool_use", cut))
    assert told[-1] == End()


def test_a_turn_that_goes_on_brings_its_first_blocks_along():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    told = decode(
        {**START, "message": {"id": "i", "model": "m", "content": [call]}},
        block(0, type="text", text="x"),
        stopped(0),
        finish("tool_use"),
        STOP,
    )
    assert assemble(told).choices[0].parts == (ToolCall("t", "f", {"a": 1}), Text("x"))


def test_what_only_this_api_says_of_the_whole_comes_with_the_finish():
    choice = only_choice(
        {**finish(container={"id": "c"}, stop_details=None), "context_management": {"applied_edits": []}}
    )
    assert choice.extra == Extra(NAME, {"container": {"id": "c"}, "context_management": {"applied_edits": []}})


def test_an_error_event_fails_the_stream():
    for event in (sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
                  SseEvent(b"", b"error", b'{"type":"overloaded_error","message":"Overloaded"}')):  # fmt: skip
        (failed,) = DIALECT.decoder().decode(event)
        assert isinstance(failed, Failed)
        assert failed.failure.kind is FailureKind.OVERLOADED


def test_pings_comments_unknown_events_and_foreign_end_marks_say_nothing():
    decoder = DIALECT.decoder()
    for event in (
        SseEvent(b": hello\n\n", b"", None),
        SseEvent(b"", b"ping", b'{"type": "ping"}'),
        SseEvent(b"", b"novel", b'{"type": "novel", "x": 1}'),
        SseEvent(b"", b"", b"[DONE]"),
    ):
        assert decoder.decode(event) == ()


def test_json_padded_with_spaces_is_read():
    event = SseEvent(b"", b"", b'{"type":"message_start","message":{"id":"i","model":"m"}      }')
    assert DIALECT.decoder().decode(event) == [Begin(id="i", model="m")]


def test_nothing_follows_the_end():
    decoder = DIALECT.decoder()
    for event in (START, finish(), STOP):
        decoder.decode(sse(event))
    assert decoder.decode(sse(START)) == ()


LATE = [block(0, type="text", text="late"), stopped(0)]


@pytest.mark.parametrize(
    "events",
    [
        [finish("max_tokens"), *LATE, STOP],
        [LATE[0], finish("max_tokens"), LATE[1], STOP],
        [finish("end_turn"), LATE[0], finish("max_tokens")],
        [LATE[0], finish("max_tokens"), delta(0, "text_delta", text="r")],
    ],
)
def test_a_stop_reason_before_the_last_words_is_told_behind_them(events):
    told = decode(START, *events)
    (choice,) = assemble(told).choices
    assert choice.parts[0].text.startswith("late")
    assert [event for event in told if isinstance(event, Finish)] == [Finish(choice=0, stop=Stop.LENGTH)]
    assert isinstance(told[-2 if told[-1] == End() else -1], Finish)


def test_a_block_that_can_not_be_read_when_the_bytes_end_is_a_bad_answer():
    decoder = DIALECT.decoder()
    picture = block(0, type="image", source={"type": "url", "url": "u"})
    for event in (START, picture, delta(0, "image_delta", source=3), finish()):
        decoder.decode(sse(event))
    with pytest.raises(BadAnswer, match="not ended"):
        decoder.ending()


@pytest.mark.parametrize(
    "events",
    [
        [block(0, type="text", text="")],
        [START, START],
        [START, delta(0, "text_delta", text="x")],
        [START, stopped(0)],
        [START, block(0, type="text", text=""), block(0, type="text", text="")],
        [START, block(0, type="text", text=""), delta(0, "text_delta", text=3)],
        [START, {"type": "content_block_start", "index": [0], "content_block": {"type": "text", "text": ""}}],
        [START, block(0, type="text", text=""), delta(0, "thinking_delta", thinking="hm")],
        [START, block(0, type="tool_use", id="t", name="f", input={}), delta(0, "text_delta", text="x")],
        [{"no": "type"}],
        [[1]],
    ],
)
def test_events_that_make_no_sense_are_a_bad_answer(events):
    with pytest.raises(BadAnswer):
        decode(*events)


# Writing


def written(*events: StreamEvent) -> list[dict]:
    encoder = DIALECT.encoder(model="asked", include_usage=None)
    parser = SseParser()
    whole = parser.feed(b"".join(encoder.encode(event) for event in events))
    assert all(event.event.decode() == json.loads(event.data)["type"] for event in whole)
    return [json.loads(event.data) for event in whole]


def shape(events: list[dict]) -> list[str]:
    return [f"{event['type']}:{event['index']}" if "index" in event else event["type"] for event in events]


def close(stop: Stop = Stop.END) -> tuple[StreamEvent, ...]:
    return Finish(choice=0, stop=stop), UsageSeen(Usage(input=3, output=5, reasoning=2)), End()


BEGIN = Begin(id="i", model="m")


def test_a_text_is_written_as_it_comes():
    events = written(
        BEGIN,
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Field.TEXT, "he"),
        PartDelta(0, 0, Field.TEXT, "llo"),
        PartEnd(0, 0),
        *close(),
    )
    assert shape(events) == [
        "message_start", "content_block_start:0", "content_block_delta:0", "content_block_delta:0",
        "content_block_stop:0", "message_delta", "message_stop",
    ]  # fmt: skip
    assert events[0]["message"]["model"] == "m"
    assert events[-2]["delta"]["stop_reason"] == "end_turn"
    assert events[-2]["usage"]["input_tokens"] == 3
    assert events[-2]["usage"]["output_tokens"] == 7


def test_interleaved_tool_calls_are_written_one_after_the_other():
    events = written(
        BEGIN,
        PartBegin(0, 0, ToolCall("a", "f", "")),
        PartBegin(0, 1, ToolCall("b", "g", "")),
        PartDelta(0, 1, Field.ARGUMENTS, '{"y":'),
        PartDelta(0, 0, Field.ARGUMENTS, '{"x":'),
        PartDelta(0, 1, Field.ARGUMENTS, "2}"),
        PartEnd(0, 1),
        PartDelta(0, 0, Field.ARGUMENTS, "1}"),
        PartEnd(0, 0),
        *close(Stop.TOOL_CALLS),
    )
    assert shape(events) == [
        "message_start",
        "content_block_start:0", "content_block_delta:0", "content_block_delta:0", "content_block_stop:0",
        "content_block_start:1", "content_block_delta:1", "content_block_delta:1", "content_block_stop:1",
        "message_delta", "message_stop",
    ]  # fmt: skip
    assert [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"] == [
        '{"x":', "1}", '{"y":', "2}",
    ]  # fmt: skip


def test_a_part_that_never_ends_ends_with_its_choice():
    events = written(BEGIN, PartBegin(0, 0, ToolCall("a", "f", "")), PartBegin(0, 1, ToolCall("b", "g", "")), *close())
    assert shape(events) == [
        "message_start", "content_block_start:0", "content_block_stop:0", "content_block_start:1",
        "content_block_stop:1", "message_delta", "message_stop",
    ]  # fmt: skip
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_text_without_words_is_no_block():
    events = written(
        BEGIN,
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Field.TEXT, ""),
        PartEnd(0, 0),
        PartBegin(0, 1, Text("x")),
        PartEnd(0, 1),
        *close(),
    )
    assert shape(events)[1:-2] == ["content_block_start:0", "content_block_delta:0", "content_block_stop:0"]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (['{"a":', "1}"], '{"a":1}'),
        ([" ", '{"a":1}'], '{"a":1}'),
        (["[1,", "2]"], '{"INVALID_JSON":[1,2]}'),
        (["not ", "json"], '{"INVALID_JSON":"not json"}'),
        (["nu", "ll"], ""),
        ([], ""),
    ],
)
def test_streamed_arguments_are_an_object_for_the_client(pieces, expected):
    deltas = [PartDelta(0, 0, Field.ARGUMENTS, piece) for piece in pieces]
    events = written(BEGIN, PartBegin(0, 0, ToolCall("a", "f", "")), *deltas, PartEnd(0, 0), *close())
    assert (
        "".join(event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta")
        == expected
    )


def test_a_foreign_seal_is_one_marked_signature_at_the_end():
    events = written(
        BEGIN,
        PartBegin(0, 0, Reasoning("", signed_by="generate_content")),
        PartDelta(0, 0, Field.SIGNATURE, "si"),
        PartDelta(0, 0, Field.TEXT, "hm"),
        PartDelta(0, 0, Field.SIGNATURE, "g"),
        PartEnd(0, 0),
        *close(),
    )
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert [one["type"] for one in deltas] == ["thinking_delta", "signature_delta"]
    data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    decoder = DIALECT.decoder()
    read = assemble([one for event in SseParser().feed(data) for one in decoder.decode(event)])
    assert read.choices[0].parts == (Reasoning("hm", "sig", None, "generate_content"),)
    whole = {"type": "thinking", "thinking": "hm", "signature": deltas[1]["signature"]}
    answer = DIALECT.parse_answer(json.dumps({"content": [whole]}).encode())
    assert answer.choices[0].parts == (Reasoning("hm", "sig", None, "generate_content"),)


def test_encrypted_thinking_of_this_api_is_a_redacted_block():
    events = written(BEGIN, PartBegin(0, 0, Reasoning("", None, "cipher", NAME)), PartEnd(0, 0), *close())
    assert events[1]["content_block"] == {"type": "redacted_thinking", "data": "cipher"}
    assert shape(events)[1:3] == ["content_block_start:0", "content_block_stop:0"]


def test_a_refusal_is_text_that_stops_as_one():
    events = written(BEGIN, PartBegin(0, 0, Refusal("")), PartDelta(0, 0, Field.TEXT, "no"), PartEnd(0, 0), *close())
    assert events[1]["content_block"]["type"] == "text"
    assert events[-2]["delta"]["stop_reason"] == "refusal"


def test_other_choices_and_foreign_parts_are_not_told():
    events = written(
        BEGIN,
        PartBegin(1, 0, Text("x")),
        PartEnd(1, 0),
        PartBegin(0, 0, Opaque("openai_chat", "audio", {})),
        PartEnd(0, 0),
        Finish(choice=1, stop=Stop.LENGTH),
        *close(),
    )
    assert shape(events) == ["message_start", "message_delta", "message_stop"]


def test_an_error_is_an_error_event():
    (event,) = written(Failed(Failure(FailureKind.OVERLOADED, "Overloaded")))
    assert event == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def test_a_stream_without_a_finish_is_given_none():
    assert written(BEGIN, End())[1]["delta"]["stop_reason"] is None


def test_a_stream_written_is_read_as_it_was():
    citations = Extra(NAME, {"citations": [{"cited_text": "c"}]})
    searched = Opaque(NAME, "server_tool_use", {"type": "server_tool_use", "id": "s", "name": "n", "input": {}})
    told: list[StreamEvent] = [
        BEGIN,
        PartBegin(0, 0, Reasoning("", signed_by=NAME)),
        PartDelta(0, 0, Field.TEXT, "hm"),
        PartDelta(0, 0, Field.SIGNATURE, "sig"),
        PartEnd(0, 0),
        PartBegin(0, 1, searched),
        PartEnd(0, 1),
        PartBegin(0, 2, Text("")),
        PartDelta(0, 2, Field.TEXT, "so"),
        PartExtra(0, 2, citations),
        PartEnd(0, 2),
        PartBegin(0, 3, ToolCall("a.b", "f", "")),
        PartDelta(0, 3, Field.ARGUMENTS, '{"x": 1}'),
        PartEnd(0, 3),
        Finish(choice=0, stop=Stop.STOP_SEQUENCE, stop_sequence="END", extra=Extra(NAME, {"container": {"id": "c"}})),
        UsageSeen(Usage(input=1, output=2)),
        End(),
    ]
    encoder = DIALECT.encoder(model="m", include_usage=None)
    data = b"".join(encoder.encode(event) for event in told)
    decoder = DIALECT.decoder()
    parser = SseParser()
    read = [
        one
        for place in range(len(data))
        for event in parser.feed(data[place : place + 1])
        for one in decoder.decode(event)
    ]
    assert assemble(read) == assemble(told) == Answer(
        id="i",
        model="m",
        choices=(
            Choice(
                parts=(Reasoning("hm", "sig", None, NAME), searched,
                       Text("so", None, citations), ToolCall("a.b", "f", {"x": 1})),
                stop=Stop.STOP_SEQUENCE,
                stop_sequence="END",
                extra=Extra(NAME, {"container": {"id": "c"}}),
            ),
        ),
        usage=Usage(input=1, output=2),
    )  # fmt: skip
    assert read[-1] == End()


# Watching


def watch(*events: dict):
    watcher = DIALECT.watcher(hide_usage=True)
    return watcher, [watcher.see(sse(event)) for event in events]


def test_a_watcher_tells_content_progress_finish_and_end():
    watcher, bits = watch(
        started({"input_tokens": 3, "output_tokens": 1}),
        {"type": "ping"},
        block(0, type="text", text=""),
        delta(0, "text_delta", text=""),
        delta(0, "text_delta", text="x"),
        stopped(0),
        finish(usage={"output_tokens": 5}),
        STOP,
    )
    assert bits == [PROGRESS, 0, PROGRESS, PROGRESS, CONTENT | PROGRESS, PROGRESS, FINISH | PROGRESS, END | PROGRESS]
    assert (watcher.usage, watcher.stop_native, watcher.has_content) == (Usage(input=3, output=5), "end_turn", True)
    assert watcher.failure is None


@pytest.mark.parametrize(
    "event",
    [
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "input_json_delta", partial_json="{"),
        block(0, type="tool_use", id="t", name="f", input={}),
        block(0, type="redacted_thinking", data="cipher"),
        block(0, type="server_tool_use", id="s", name="n", input={}),
        block(0, type="text", text="already"),
        {**START, "message": {"content": [{"type": "text", "text": "x"}]}},
    ],
)
def test_these_commit_a_stream(event):
    assert watch(event)[1] == [CONTENT | PROGRESS]


@pytest.mark.parametrize(
    "event",
    [
        START,
        delta(0, "signature_delta", signature="s"),
        delta(0, "input_json_delta", partial_json=""),
        {"type": "novel"},
        finish(None),
    ],
)
def test_these_do_not(event):
    assert watch(event)[1] == [PROGRESS]


def test_a_refusal_without_words_is_an_answer():
    watcher, bits = watch(START, finish("refusal", {"output_tokens": 0}), STOP)
    assert bits[1:] == [CONTENT | FINISH | PROGRESS, END | PROGRESS]
    assert watcher.failure is None


def test_a_stream_that_ends_without_a_word_has_failed():
    watcher, bits = watch(START, finish("end_turn", {"output_tokens": 0}), STOP)
    assert bits[-1] & (END | FAILED) == END | FAILED
    assert watcher.failure.kind is FailureKind.EMPTY


def test_a_watcher_sees_an_error_whatever_its_body():
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(SseEvent(b"", b"error", b"upstream gone")) & FAILED
    assert watcher.failure.message == "upstream gone"
    watcher, bits = watch({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}})
    assert bits == [FAILED | PROGRESS]
    assert watcher.failure.kind is FailureKind.RATE_LIMIT


def test_a_watcher_ignores_comments_and_what_follows_the_end():
    watcher, _ = watch(
        started({"input_tokens": 3, "output_tokens": 1}),
        block(0, type="text", text="x"),
        STOP,
        started({"input_tokens": 99}),
    )
    assert watcher.see(SseEvent(b": x\n\n", b"", None)) == 0
    assert watcher.see(SseEvent(b"", b"", b"[DONE]")) == 0
    assert watcher.usage == Usage(input=3, output=1)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense",
        b"[1]",
        b'{"type":"message_start"}',
        b'{"type":"content_block_start"}',
        b'{"type":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_watcher_refuses_what_is_no_event(data):
    with pytest.raises(BadAnswer):
        DIALECT.watcher(hide_usage=False).see(SseEvent(b"", b"", data))

"""Answers of Responses, whole and as a stream: recorded shapes, the grammar of the events, and what passes untouched."""

from __future__ import annotations

import json
from typing import Any

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
from understudy.core.conversation import Extra, Image, Opaque, Part, Reasoning, Refusal, Remote, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.projection import project_answer, project_request
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer
from understudy.dialects.anthropic_messages import DIALECT as MESSAGES
from understudy.dialects.openai_chat import DIALECT as CHAT
from understudy.dialects.openai_responses import DIALECT
from understudy.dialects.openai_responses.wire import NAME
from understudy.framing.sse import SseEvent, SseParser

CITE = {"type": "url_citation", "url": "https://host/", "title": "t", "start_index": 0, "end_index": 1}


def text(said: str = "hi", **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": [], **more}


def message(*content: dict[str, Any], id_: str = "msg_1", **more: Any) -> dict[str, Any]:
    said = {
        "type": "message",
        "id": id_,
        "role": "assistant",
        "status": "completed",
        "content": list(content or (text(),)),
    }
    return said | more


CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}', "status": "completed"}  # fmt: skip
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAAAx"}  # fmt: skip
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}


def response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "created_at": 9, "status": "completed", "model": "m", "output": list(output)} | more  # fmt: skip


def parsed(*output: dict[str, Any], **more: Any) -> Answer:
    return DIALECT.parse_answer(json.dumps(response(*output, **more)).encode())


def parts(*output: dict[str, Any]) -> tuple[Part, ...]:
    return parsed(*output).choices[0].parts


def told(answer: Answer) -> dict[str, Any]:
    return json.loads(DIALECT.render_answer(project_answer(answer, DIALECT.answer_carries)[0]))


def spoken(*said: Part, stop: Stop | None = Stop.END, **more: Any) -> Answer:
    return Answer(id="a", model="m", choices=(Choice(parts=said, stop=stop),), **more)


# Whole answers


def test_items_are_parts_in_their_order():
    assert parts(THOUGHT, SEARCH, message(text("hi"), {"type": "refusal", "refusal": "no"}), CALL) == (
        Reasoning("hm", "rs_1", "gAAAAx", NAME),
        Opaque(NAME, "web_search_call", SEARCH),
        Text("hi", extra=Extra(NAME, {"item": {"id": "msg_1"}})),
        Refusal("no"),
        ToolCall("call_1", "f", {"a": 1}, extra=Extra(NAME, {"id": "fc_1"})),
    )


@pytest.mark.parametrize(
    "item",
    [
        message(text("hi", annotations=[CITE])),
        message(phase="commentary"),
        message({"type": "refusal", "refusal": "no"}),
        message({"type": "output_audio", "data": "QUJD"}),
        {**CALL, "namespace": "n"},
        THOUGHT,
        SEARCH,
    ],
)
def test_an_answer_of_its_own_comes_back_the_same(item):
    first = parsed(item)
    assert DIALECT.parse_answer(DIALECT.render_answer(first)) == first
    assert first.choices[0].parts


@pytest.mark.parametrize(
    ("item", "status", "details", "stop"),
    [
        (message(), "completed", None, Stop.END),
        (CALL, "completed", None, Stop.TOOL_CALLS),
        (message({"type": "refusal", "refusal": "no"}), "completed", None, Stop.REFUSAL),
        (message(), "incomplete", {"reason": "max_output_tokens"}, Stop.LENGTH),
        (message(), "incomplete", {"reason": "content_filter"}, Stop.CONTENT_FILTER),
        (message(), "incomplete", None, Stop.LENGTH),
        (message(), "complete", None, Stop.END),
        (message(), "queued", None, None),
        (message(), "in_progress", None, None),
    ],
)
def test_why_it_stopped_is_read_off_status_and_items(item, status, details, stop):
    assert parsed(item, status=status, incomplete_details=details).choices[0].stop is stop


def test_a_reason_that_nobody_knows_is_kept():
    choice = parsed(message(), status="incomplete", incomplete_details={"reason": "meteor"}).choices[0]
    assert (choice.stop, choice.stop_native) == (Stop.LENGTH, "meteor")


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (Stop.END, "completed", None),
        (Stop.STOP_SEQUENCE, "completed", None),
        (Stop.PAUSE, "completed", None),
        (Stop.TOOL_CALLS, "completed", None),
        (Stop.LENGTH, "incomplete", "max_output_tokens"),
        (Stop.CONTEXT_FULL, "incomplete", "max_output_tokens"),
        (Stop.CONTENT_FILTER, "incomplete", "content_filter"),
        (Stop.REFUSAL, "incomplete", "content_filter"),
        (None, "in_progress", None),
    ],
)
def test_why_it_stopped_is_told_by_the_status(stop, status, reason):
    body = told(spoken(Text("hi"), stop=stop))
    assert (body["status"], (body["incomplete_details"] or {}).get("reason")) == (status, reason)


def test_a_refusal_in_words_is_a_completed_answer():
    body = told(spoken(Refusal("no"), stop=Stop.REFUSAL))
    assert (body["status"], body["output"][0]["content"]) == ("completed", [{"type": "refusal", "refusal": "no"}])


def test_an_answer_of_another_format_has_every_field_and_nobody_keeps_it():
    body = told(spoken(Text("hi"), created=9))
    for field in (
        "created_at",
        "error",
        "incomplete_details",
        "instructions",
        "metadata",
        "tools",
        "tool_choice",
        "usage",
    ):
        assert field in body
    assert (body["object"], body["store"], body["created_at"]) == ("response", False, 9)
    (item,) = body["output"]
    assert (item["status"], item["role"], item["content"]) == ("completed", "assistant", [text("hi")])


def test_several_alternatives_become_the_first():
    answer = Answer(id="a", model="m", choices=(Choice(parts=(Text("a"),)), Choice(parts=(Text("b"),))))
    assert [item["content"][0]["text"] for item in told(answer)["output"]] == ["a"]
    assert told(Answer(id="a", model="m", choices=()))["output"] == []


def test_ids_that_we_make_are_distinct_the_same_again_and_known_as_ours():
    answer = spoken(Text("a"), Text("b"), ToolCall("c", "f", {}), Reasoning("hm", "s", None, "gemini"))
    ids = [item["id"] for item in told(answer)["output"]]
    assert len(set(ids)) == 4
    assert ids == [item["id"] for item in told(answer)["output"]]
    assert [id_.partition("_understudy_")[0] for id_ in ids] == ["msg", "msg", "fc", "rs"]
    assert all(part.extra is None for part in DIALECT.parse_answer(json.dumps(told(answer)).encode()).choices[0].parts)


@pytest.mark.parametrize(
    "seal",
    [
        Reasoning("hm", "sig", None, "anthropic_messages"),
        Reasoning("", None, "redacted", "anthropic_messages"),
        Reasoning("hm", "call0:x", None, "gemini"),
        Reasoning("hm", None, "understudy:x", NAME),
        Reasoning("hm", "rs_1", None, NAME),
    ],
)
def test_any_seal_crosses_a_client_of_responses(seal):
    (item,) = told(spoken(seal))["output"]
    assert item["encrypted_content"].startswith("understudy:")
    body = json.dumps({"model": "m", "input": [item]}).encode()
    assert DIALECT.parse_request(body).messages[0].parts == (seal,)


@pytest.mark.parametrize(
    "sealed", ["understudy:gemini:", "understudy:gemini:%%%", "understudy:", "understudy:gemini:e30="]
)
def test_a_seal_that_holds_nothing_is_none(sealed):
    (part,) = parts({**THOUGHT, "encrypted_content": sealed})
    assert (part.text, part.signed_by) == ("hm", None)


# Usage


def usage(**more: Any) -> Usage | None:
    return parsed(message(), usage=more).usage


def test_cached_tokens_are_inside_the_input_and_reasoning_is_inside_the_output():
    counted = usage(
        input_tokens=20, input_tokens_details={"cached_tokens": 8, "cache_write_tokens": 2}, output_tokens=9,
        output_tokens_details={"reasoning_tokens": 3}, total_tokens=29,
    )  # fmt: skip
    assert counted == Usage(input=10, cache_read=8, cache_write_5m=2, output=6, reasoning=3)
    assert told(spoken(Text("hi"), usage=counted))["usage"] == {
        "input_tokens": 20, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2}, "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 29,
    }  # fmt: skip


def test_a_part_larger_than_its_whole_is_not_believed():
    assert usage(input_tokens=10, input_tokens_details={"cached_tokens": 161}, output_tokens=1) == Usage(input=10, output=1, estimated=True)  # fmt: skip
    assert usage(input_tokens=-1, output_tokens=1) == Usage(output=1, estimated=True)


@pytest.mark.parametrize("counts", [None, {}, {"total_tokens": 3}, []])
def test_no_counts_are_no_usage(counts):
    assert parsed(message(), usage=counts).usage is None


def test_sound_counts_as_what_it_is_part_of():
    counted = told(spoken(Text("hi"), usage=Usage(input=1, audio_in=2, output=3, audio_out=4, cache_write_1h=5)))[
        "usage"
    ]
    assert (counted["input_tokens"], counted["output_tokens"]) == (8, 7)
    assert counted["input_tokens_details"]["cache_write_tokens"] == 5


# What passes untouched


@pytest.mark.parametrize(
    ("output", "more", "kind"),
    [
        ((message(),), {}, None),
        ((CALL,), {}, None),
        ((SEARCH,), {}, None),
        ((THOUGHT,), {}, None),
        ((message({"type": "refusal", "refusal": "no"}),), {}, None),
        ((message({"type": "output_audio"}),), {}, None),
        ((), {"status": "queued"}, None),
        ((), {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, None),
        ((), {}, FailureKind.EMPTY),
        ((message(text("")),), {}, FailureKind.EMPTY),
        (({"type": "reasoning", "id": "rs_1", "summary": []},), {}, FailureKind.EMPTY),
        ((), {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, FailureKind.CONTENT_FILTER),
        ((), {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}, FailureKind.RATE_LIMIT),
        ((), {"status": "cancelled"}, FailureKind.SERVER_ERROR),
    ],
)
def test_a_glance_tells_an_answer_from_none(output, more, kind):
    failure = DIALECT.glance(json.dumps(response(*output, **more)).encode()).failure
    assert (None if failure is None else failure.kind) is kind


@pytest.mark.parametrize(
    "body", [b"{}", b'{"output": 3}', b'{"output": [3]}', b'{"output": [{"type": "message", "content": 3}]}']
)
def test_what_is_no_response_is_a_bad_answer(body):
    with pytest.raises(BadAnswer):
        DIALECT.parse_answer(body)


# Streams


def wire(*events: dict[str, Any]) -> list[SseEvent]:
    return [SseEvent(b"", event["type"].encode(), json.dumps(event).encode()) for event in events]


def heard(*events: dict[str, Any]) -> list[StreamEvent]:
    decoder = DIALECT.decoder()
    return [one for event in wire(*events) for one in decoder.decode(event)]


def seen(*events: dict[str, Any]) -> list[int]:
    watcher = DIALECT.watcher(hide_usage=False)
    return [watcher.see(event) for event in wire(*events)]


def said_in(*events: dict[str, Any]) -> tuple[Part, ...]:
    return assemble(heard(*events)).choices[0].parts


CREATED = {"type": "response.created", "response": response(status="in_progress")}


def added(item: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(item: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def delta(kind: str, words: str, place: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": place, "delta": words, **more}


def completed(*output: dict[str, Any], kind: str = "completed", **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": response(*output, status=kind, **more)}


def test_a_stream_is_told_as_it_comes():
    count = {"input_tokens": 1, "output_tokens": 1}
    events = heard(
        CREATED, added(message(content=[])), delta("output_text", "h"), delta("output_text", "i"), done(message()),
        completed(message(), usage=count),
    )  # fmt: skip
    assert events == [
        Begin(id="resp_1", model="m", created=9),
        PartBegin(0, 0, Text("", extra=Extra(NAME, {"item": {"id": "msg_1"}}))),
        PartDelta(0, 0, Field.TEXT, "h"),
        PartDelta(0, 0, Field.TEXT, "i"),
        PartEnd(0, 0),
        Finish(choice=0, stop=Stop.END),
        UsageSeen(Usage(input=1, output=1)),
        End(),
    ]


@pytest.mark.parametrize(
    "item",
    [
        message(text("hi", annotations=[CITE]), text("there")),
        message({"type": "refusal", "refusal": "no"}, id_=""),
        message({"type": "output_audio", "data": "QUJD"}),
        CALL,
        {**CALL, "namespace": "n"},
        {**THOUGHT, "summary": []},
        THOUGHT,
        SEARCH,
    ],
)
@pytest.mark.parametrize("way", ["done", "completed", "bare"])
def test_a_server_that_sends_no_pieces_is_understood(item, way):
    events = {
        "done": (
            CREATED,
            added(message(content=[]) if item["type"] == "message" else item),
            done(item),
            completed(item),
        ),
        "completed": (CREATED, completed(item)),
        "bare": (done(item), completed(item)),
    }[way]
    assert said_in(*events) == parts(item)
    assert any(bits & CONTENT for bits in seen(*events))


def test_a_call_is_told_by_its_pieces_and_never_twice():
    begun = {**CALL, "arguments": ""}
    pieces = (delta("function_call_arguments", '{"a"'), delta("function_call_arguments", ":1}"))
    (call,) = said_in(CREATED, added(begun), *pieces, done({**CALL, "x_new": 1}), completed(CALL))
    assert call == ToolCall("call_1", "f", {"a": 1}, extra=Extra(NAME, {"id": "fc_1", "x_new": 1}))
    assert heard(CREATED, added(begun), *pieces, done(CALL), completed(CALL))[-2] == Finish(
        choice=0, stop=Stop.TOOL_CALLS
    )


def test_pieces_of_a_call_that_has_no_name_yet_wait_for_the_whole():
    begun = {**CALL, "arguments": "", "name": ""}
    (call,) = said_in(CREATED, added(begun), delta("function_call_arguments", '{"a"'), done(CALL), completed(CALL))
    assert (call.name, call.arguments) == ("f", {"a": 1})


def test_parts_of_a_summary_stand_apart_and_the_seal_comes_last():
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    whole = {**THOUGHT, "summary": summary}
    pieces = (
        delta("reasoning_summary_text", "a", summary_index=0),
        delta("reasoning_summary_text", "b", summary_index=1),
        delta("reasoning_text", "the thinking itself", content_index=0),
    )
    assert said_in(CREATED, added({**THOUGHT, "summary": []}), *pieces, done(whole), completed(whole)) == parts(whole)


def test_thinking_itself_is_told_where_there_is_no_summary():
    whole = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    pieces = (delta("reasoning_text", "h", content_index=0), delta("reasoning_text", "m", content_index=0))
    assert said_in(CREATED, added(whole), *pieces, done(whole), completed(whole)) == parts(whole)


def test_items_without_a_number_belong_to_the_last():
    pieces = (
        {"type": "response.output_text.delta", "delta": "hi"},
        {"type": "response.output_item.done", "item": message()},
    )
    assert said_in(CREATED, added(message(content=[]), 3), *pieces, completed()) == parts(message())


def test_what_was_trimmed_in_the_middle_is_not_told_twice():
    first, last = message(id_="msg_1"), message(text("there"), id_="msg_2")
    events = (CREATED, done(first), done(last, 2), completed(first, last))
    assert [part.text for part in said_in(*events)] == ["hi", "there"]


def test_what_was_begun_and_never_done_is_closed():
    events = heard(CREATED, added(message(content=[])), delta("output_text", "h"), completed())
    assert assemble(events).choices[0].parts == (Text("h", extra=Extra(NAME, {"item": {"id": "msg_1"}})),)
    assert PartEnd(0, 0) in events


def test_an_answer_that_met_its_bound_says_so():
    events = heard(CREATED, done(message()), completed(message(), kind="incomplete", incomplete_details={"reason": "max_output_tokens"}))  # fmt: skip
    assert Finish(choice=0, stop=Stop.LENGTH) in events
    assert Finish(choice=0, stop=Stop.LENGTH) in heard(CREATED, completed(kind="incomplete"))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "server_error", "message": "x", "param": None}, FailureKind.SERVER_ERROR),
        ({"type": "error", "error": {"code": "insufficient_quota", "message": "x"}}, FailureKind.INSUFFICIENT_QUOTA),
        ({"type": "response.failed", "response": response(error={"code": "rate_limit_exceeded", "message": "x"})}, FailureKind.RATE_LIMIT),
        ({"type": "response.cancelled", "response": response()}, FailureKind.SERVER_ERROR),
        ({"type": "x", "error": {"type": "invalid_request_error", "code": "invalid_encrypted_content", "message": "x"}}, FailureKind.INVALID_REQUEST),
    ],
)  # fmt: skip
def test_an_error_inside_a_stream_is_the_last_that_is_heard(event, kind):
    events = heard(CREATED, event, done(message()), completed(message()))
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is kind
    watcher = DIALECT.watcher(hide_usage=False)
    assert [watcher.see(one) & (FAILED | END | FINISH) for one in wire(CREATED, event)] == [0, FAILED]
    assert watcher.failure == events[-1].failure


def test_what_is_not_known_and_what_is_only_a_ping_says_nothing():
    assert heard(CREATED, {"type": "response.new_thing", "x": 1}, {"type": "keepalive"})[1:] == []
    assert seen(CREATED, {"type": "response.new_thing", "x": 1}, {"type": "keepalive"}) == [PROGRESS, PROGRESS, 0]


@pytest.mark.parametrize("data", [b"{", b"3", b"[]", b'"x"', b"\xff"])
def test_what_is_no_event_is_a_bad_answer_unless_it_is_an_error(data):
    for read in (lambda event: DIALECT.decoder().decode(event), DIALECT.watcher(hide_usage=False).see):
        with pytest.raises(BadAnswer):
            read(SseEvent(b"", b"", data))
    (failed,) = DIALECT.decoder().decode(SseEvent(b"", b"error", data))
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(SseEvent(b"", b"error", data)) & FAILED
    assert isinstance(failed, Failed)


def test_half_a_surrogate_pair_is_mended():
    data = b'{"type": "response.output_text.delta", "output_index": 0, "delta": "\\ud83c"}'
    assert DIALECT.watcher(hide_usage=False).see(SseEvent(b"", b"", data)) & CONTENT
    assert DIALECT.decoder().decode(SseEvent(b"", b"", data))[-1] == PartDelta(0, 0, Field.TEXT, "\ufffd")


def test_the_mark_of_other_formats_behind_the_end_is_ignored():
    decoder, watcher = DIALECT.decoder(), DIALECT.watcher(hide_usage=False)
    for event in (*wire(CREATED, done(message()), completed(message())),):
        decoder.decode(event)
        watcher.see(event)
    mark = SseEvent(b"", b"", b"[DONE]")
    assert (list(decoder.decode(mark)), watcher.see(mark)) == ([], 0)


def test_an_event_without_a_type_goes_by_its_name():
    event = SseEvent(b"", b"response.output_text.delta", b'{"output_index": 0, "delta": "hi"}')
    assert DIALECT.watcher(hide_usage=False).see(event) & CONTENT
    assert DIALECT.decoder().decode(event)[-1] == PartDelta(0, 0, Field.TEXT, "hi")


@pytest.mark.parametrize(
    ("events", "content"),
    [
        ((added(message(content=[])),), False),
        ((added(CALL),), True),
        ((added(SEARCH),), False),
        ((done(SEARCH),), True),
        ((delta("output_text", ""),), False),
        ((delta("refusal", "no"),), True),
        ((delta("reasoning_summary_text", "hm"),), True),
        ((delta("reasoning_text", "hm"),), True),
        ((delta("custom_tool_call_input", "x"),), True),
        (({"type": "response.content_part.done", "part": text("hi")},), True),
        (({"type": "response.content_part.done", "part": text("")},), False),
        ((done({**THOUGHT, "summary": []}),), True),
        ((done({"type": "reasoning", "id": "rs_1", "summary": []}),), False),
    ],
)
def test_a_stream_commits_at_the_first_content(events, content):
    assert bool(seen(CREATED, *events)[-1] & CONTENT) == content


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (completed(), FailureKind.EMPTY),
        (completed(kind="incomplete", incomplete_details={"reason": "content_filter"}), FailureKind.CONTENT_FILTER),
        (completed(kind="incomplete", incomplete_details={"reason": "max_output_tokens"}), None),
        (completed(kind="incomplete"), None),
    ],
)
def test_a_stream_that_ends_without_content_is_no_answer_unless_that_is_explained(event, kind):
    watcher = DIALECT.watcher(hide_usage=False)
    bits = [watcher.see(one) for one in wire(CREATED, event)][-1]
    assert bool(bits & FAILED) == (kind is not None)
    assert bits & END
    assert bits & FINISH
    assert (watcher.failure and watcher.failure.kind) == kind


def test_an_end_that_cannot_be_read_is_a_bad_answer():
    with pytest.raises(BadAnswer):
        seen({"type": "response.completed", "response": {"output": 3}})


# Into a stream


def written(*events: StreamEvent) -> list[dict[str, Any]]:
    encoder, parser = DIALECT.encoder(model="route", include_usage=None), SseParser()
    found = parser.feed(b"".join(encoder.encode(event) for event in events))
    assert all(event.event.decode() == json.loads(event.data)["type"] for event in found)
    return [json.loads(event.data) for event in found]


BEGIN = Begin(id="a", model="m", created=9)
FINISH_, END_ = Finish(choice=0, stop=Stop.END), End()


def test_the_events_of_a_text_in_their_order():
    events = written(
        BEGIN, PartBegin(0, 0, Text("")), PartDelta(0, 0, Field.TEXT, "h"), PartDelta(0, 0, Field.TEXT, "i"), PartEnd(0, 0),
        FINISH_, UsageSeen(Usage(input=1)), END_,
    )  # fmt: skip
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert len({event["item_id"] for event in events if "item_id" in event}) == 1
    last = events[-1]["response"]
    assert last["output"] == [events[-2]["item"]]
    assert last["usage"]["input_tokens"] == 1
    assert (last["id"], last["model"], last["created_at"], last["status"]) == ("a", "m", 9, "completed")


def test_the_events_of_a_call_and_its_pieces_to_the_letter():
    events = written(
        BEGIN, PartBegin(0, 0, ToolCall("c", "f", "")), PartDelta(0, 0, Field.ARGUMENTS, '{"a": '),
        PartDelta(0, 0, Field.ARGUMENTS, "1}"), PartEnd(0, 0), FINISH_, END_,
    )  # fmt: skip
    assert [event["type"].removeprefix("response.") for event in events[2:]] == [
        "output_item.added", "function_call_arguments.delta", "function_call_arguments.delta",
        "function_call_arguments.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert events[2]["item"]["arguments"] == ""
    assert events[5]["arguments"] == events[6]["item"]["arguments"] == '{"a": 1}'


def test_a_call_without_arguments_has_an_empty_object():
    events = written(BEGIN, PartBegin(0, 0, ToolCall("c", "f", "")), PartEnd(0, 0), FINISH_, END_)
    assert [event["delta"] for event in events if "delta" in event] == ["{}"]
    whole = written(BEGIN, PartBegin(0, 0, ToolCall("c", "f", {"a": 1})), PartEnd(0, 0), FINISH_, END_)
    assert whole[-1]["response"]["output"][0]["arguments"] == '{"a":1}'


def test_the_events_of_a_thought():
    events = written(
        BEGIN, PartBegin(0, 0, Reasoning("", signed_by="anthropic_messages")), PartDelta(0, 0, Field.TEXT, "hm"),
        PartDelta(0, 0, Field.SIGNATURE, "sig"), PartEnd(0, 0), FINISH_, END_,
    )  # fmt: skip
    assert [event["type"].removeprefix("response.") for event in events[2:]] == [
        "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta",
        "reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert events[2]["item"]["encrypted_content"] == "understudy:anthropic_messages:"
    (item,) = events[-1]["response"]["output"]
    assert DIALECT.parse_answer(json.dumps(response(item)).encode()).choices[0].parts == (
        Reasoning("hm", "sig", None, "anthropic_messages"),
    )


def test_a_thought_that_is_only_sealed_is_told_at_once():
    events = written(BEGIN, PartBegin(0, 0, Reasoning("", None, "secret", "gemini")), PartEnd(0, 0), FINISH_, END_)
    assert [event["type"].removeprefix("response.") for event in events[2:]] == ["output_item.added", "output_item.done", "completed"]  # fmt: skip


def test_a_refusal_has_events_of_its_own():
    events = written(
        BEGIN, PartBegin(0, 0, Refusal("")), PartDelta(0, 0, Field.TEXT, "no"), PartEnd(0, 0), FINISH_, END_
    )
    kinds = [event["type"] for event in events]
    assert "response.refusal.delta" in kinds
    assert "response.refusal.done" in kinds
    assert events[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_one_item_is_told_at_a_time():
    events = written(
        BEGIN, PartBegin(0, 0, ToolCall("c", "f", "")), PartBegin(0, 1, ToolCall("d", "g", "")),
        PartDelta(0, 1, Field.ARGUMENTS, '{"b":2}'), PartDelta(0, 0, Field.ARGUMENTS, '{"a":1}'), PartEnd(0, 1), PartEnd(0, 0),
        FINISH_, END_,
    )  # fmt: skip
    places = [event["output_index"] for event in events if "output_index" in event]
    assert places == sorted(places)
    assert [item["arguments"] for item in events[-1]["response"]["output"]] == ['{"a":1}', '{"b":2}']


def test_what_never_ended_ends_with_the_answer():
    events = written(BEGIN, PartBegin(0, 0, Text("")), PartDelta(0, 0, Field.TEXT, "hi"), FINISH_, END_)
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "hi"


@pytest.mark.parametrize(
    "events",
    [
        (PartBegin(0, 0, Text("")), PartEnd(0, 0)),
        (PartBegin(0, 0, Reasoning("", signed_by="gemini")), PartEnd(0, 0)),
        (PartBegin(0, 0, Image(Remote("https://x"))), PartDelta(0, 0, Field.TEXT, "x"), PartEnd(0, 0)),
        (PartBegin(0, 0, Opaque("gemini", "x", {})), PartEnd(0, 0)),
        (PartBegin(1, 0, Text("another choice")), PartEnd(1, 0), Finish(choice=1, stop=Stop.END)),
        (PartDelta(0, 5, Field.TEXT, "of nothing"),),
    ],
)
def test_what_says_nothing_here_is_no_item(events):
    assert written(BEGIN, *events, FINISH_, END_)[-1]["response"]["output"] == []


def test_an_item_of_its_own_is_told_whole():
    events = written(BEGIN, PartBegin(0, 0, Opaque(NAME, "web_search_call", SEARCH)), PartEnd(0, 0), FINISH_, END_)
    assert [event["item"] for event in events if "item" in event] == [SEARCH, SEARCH]


def test_annotations_stand_in_the_whole():
    extra = Extra(NAME, {"annotations": [CITE]})
    events = written(
        BEGIN,
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Field.TEXT, "hi"),
        PartExtra(0, 0, extra),
        PartEnd(0, 0),
        FINISH_,
        END_,
    )
    (content,) = events[-1]["response"]["output"][0]["content"]
    assert content["annotations"] == [CITE]


def test_an_error_of_the_upstream_is_an_error_event_that_clients_raise():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    event = encoder.encode(Failed(Failure(FailureKind.OVERLOADED, "too much")))
    assert event.startswith(b"event: error\n")
    told_ = json.loads(event.partition(b"data: ")[2])
    assert (told_["type"], told_["message"], told_["error"]["message"]) == ("error", "too much", "too much")


# Out of another format


@pytest.mark.parametrize("source", [CHAT, MESSAGES], ids=lambda one: one.name)
def test_reasoning_of_an_answer_returns_to_responses_through_a_client_of_another_format(source):
    answer = parsed(THOUGHT, message(), CALL)
    shown, _ = project_answer(answer, source.answer_carries)
    body = json.loads(source.render_answer(shown))
    turn = body["choices"][0]["message"] if source is CHAT else {"role": "assistant", "content": body["content"]}
    request = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}, turn]}
    projected, _ = project_request(source.parse_request(json.dumps(request).encode()), DIALECT.request_carries)
    items = json.loads(DIALECT.render_request(projected))["input"]
    assert items[1] == THOUGHT

"""Chat Completions streams: every habit of a provider read, one clean stream written, and what the watcher makes of events."""

from __future__ import annotations

import json

import pytest

from understudy.core.answer import (
    Begin,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    Stop,
    UsageSeen,
)
from understudy.core.assembly import assemble
from understudy.core.conversation import Extra, Image, Opaque, Reasoning, Refusal, Remote, Text, ToolCall
from understudy.core.failure import FailureKind
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, HIDE, PROGRESS, BadAnswer
from understudy.dialects.openai_chat import DIALECT
from understudy.dialects.openai_chat.watch import silence
from understudy.framing.sse import SseEvent, SseParser

NAME = "openai_chat"
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
SEEN = UsageSeen(Usage(input=9, output=4))


def event(data, name=b"") -> SseEvent:
    return SseEvent(b"", name, data if isinstance(data, bytes) else json.dumps(data).encode())


def chunk(delta=None, finish=None, index=0, **more) -> SseEvent:
    choice = {"index": index, "delta": delta, "finish_reason": finish, **more.pop("choice", {})}
    return event(
        {"id": "i", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice], **more}
    )


def usage_only(**more) -> SseEvent:
    return event({"id": "i", "model": "m", "choices": [], "usage": USAGE, **more})


DONE = event(b"[DONE]")


def heard(*events):
    decoder = DIALECT.decoder()
    return [*(told for one in events for told in decoder.decode(one)), *decoder.ending()]


def parts(*events):
    return assemble(heard(*events)).choices[0].parts


# Reading


def test_a_plain_stream_is_told_by_the_grammar():
    assert heard(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "a"}),
        chunk({"content": "b"}),
        chunk({}, "stop"),
        usage_only(),
        DONE,
    ) == [
        Begin(id="i", model="m", created=5),
        PartBegin(0, 0, Text("")),
        PartDelta(0, 0, Field.TEXT, "a"),
        PartDelta(0, 0, Field.TEXT, "b"),
        SEEN,
        PartEnd(0, 0),
        Finish(choice=0, stop=Stop.END),
        End(),
    ]


def test_azures_opening_chunk_tells_nothing_but_its_fields():
    opening = event({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [1]})
    assert heard(opening) == []
    assert heard(opening, chunk({"content": None})) == [
        Begin(id="i", model="m", created=5, extra=Extra(NAME, {"prompt_filter_results": [1]}))
    ]


def test_a_stream_without_ids_begins_all_the_same():
    nameless = event({"choices": [{"delta": {"content": "a"}}]})
    assert heard(nameless)[0] == Begin(id="", model="")


@pytest.mark.parametrize(
    "told",
    [
        [usage_only()],
        [chunk({}, usage=USAGE)],
        [chunk({}, x_groq={"usage": USAGE})],
        [chunk({}, usage={**USAGE, "completion_tokens": 1}), chunk({}, usage=USAGE)],
    ],
)
def test_usage_is_found_wherever_it_stands(told):
    assert heard(*told)[-1] == SEEN


def test_thoughts_and_words_close_each_other():
    for field in ("reasoning", "reasoning_content"):
        assert parts(chunk({field: "Hm"}), chunk({field: "."}), chunk({"content": "a"}), chunk({field: "x"}), DONE) == (
            Reasoning("Hm."),
            Text("a"),
            Reasoning("x"),
        )


def test_thoughts_in_a_content_list_are_thoughts():
    listed = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    assert parts(chunk({"content": listed}), chunk({"content": listed}), chunk({"content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}, {"type": "novel"}]}), DONE) == (
        Reasoning("Hm.Hm."), Text("a"), Refusal("no"), Opaque(NAME, "novel", {"type": "novel"}),
    )  # fmt: skip


def test_details_outrank_the_text_that_repeats_them():
    def detail(**entry):
        return {"index": 0, "format": "anthropic-claude-v1", "type": "reasoning.text", **entry}

    told = parts(
        chunk({"reasoning": "Hm", "reasoning_details": [detail(text="Hm")]}),
        chunk({"reasoning": ".", "reasoning_details": [detail(text="."), "odd", detail(text="", signature="")]}),
        chunk({"reasoning_details": [detail(signature="c2ln")]}),
        chunk({"reasoning": None, "reasoning_details": []}),
        chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "ZW5j", "index": 0}], "reasoning": "and"}),
        DONE,
    )
    assert told == (
        Reasoning("Hm.", '{"type":"reasoning.text","format":"anthropic-claude-v1","signature":"c2ln"}', None, NAME),
        Reasoning("", '{"type":"reasoning.encrypted","data":"ZW5j"}', None, NAME),
        Reasoning("and"),
    )


def call(index=0, **fields):
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return {"tool_calls": [{**({} if index is None else {"index": index}), **fields, "function": function}]}


def test_a_call_may_come_whole_or_in_pieces():
    whole = chunk(call(id="1", name="f", arguments='{"a":1}'))
    pieces = (chunk(call(id="1", name="f", arguments="")), chunk(call(arguments='{"a"')), chunk(call(arguments=":1}")))
    for told in ((whole,), pieces):
        assert parts(*told, DONE) == (ToolCall("1", "f", {"a": 1}),)
    assert heard(whole, chunk({}, "stop"))[-1] == Finish(choice=0, stop=Stop.TOOL_CALLS)


def test_pieces_of_parallel_calls_may_be_mixed():
    told = parts(
        chunk(call(0, id="1", name="f", arguments="{")), chunk(call(1, id="2", name="g", arguments="{")),
        chunk(call(0, arguments='"a":1}')), chunk(call(1, arguments="}")), DONE,
    )  # fmt: skip
    assert told == (ToolCall("1", "f", {"a": 1}), ToolCall("2", "g", {}))


def test_a_complete_call_is_closed_when_the_next_one_opens():
    told = heard(
        chunk(call(0, id="1", name="f", arguments="{}")),
        chunk(call(1, id="2", name="g", arguments="")),
        chunk(call(0, arguments=" ", extra=1)),
    )
    assert told[3:] == [PartEnd(0, 0), PartBegin(0, 1, ToolCall("2", "g", ""))]


def test_calls_that_share_an_index_are_told_apart_by_their_ids():
    told = parts(
        chunk(call(0, id="1", name="f", arguments="{}")), chunk(call(0, id="2", name="f", arguments="{}")), DONE
    )
    assert [part.id for part in told] == ["1", "2"]


def test_calls_without_an_index_are_told_apart_by_id_or_name():
    told = parts(
        chunk(call(None, id="1", name="f", arguments="{")),
        chunk(call(None, id="1", arguments="}")),
        chunk(call(None, id="2", name="f", arguments="{}")),
        DONE,
    )
    assert told == (ToolCall("1", "f", {}), ToolCall("2", "f", {}))
    first, second = parts(
        chunk(call(None, name="f", arguments="{")),
        chunk(call(None, arguments='"a":1}')),
        chunk(call(None, name="f", arguments=None)),
        DONE,
    )
    assert (first.arguments, second.arguments) == ({"a": 1}, {})
    assert first.id != second.id


def test_a_call_waits_for_its_name():
    told = heard(chunk(call(id="1", arguments="{")), chunk(call(name="f", arguments="}", extra_content={"s": 1})))
    assert told[1:] == [
        PartBegin(0, 0, ToolCall("1", "f", "", extra=Extra(NAME, {"extra_content": {"s": 1}}))),
        PartDelta(0, 0, Field.ARGUMENTS, "{}"),
    ]
    with pytest.raises(BadAnswer, match="not begun"):
        heard(chunk(call(id="1", arguments="{}")), DONE)
    assert parts(chunk({"content": "a"}), chunk(call(id="1", arguments="")), DONE) == (Text("a"),)


def test_a_calls_own_fields_may_follow():
    assert heard(chunk(call(id="1", name="f")), chunk(call(extra_content={"s": 1})))[-1] == PartExtra(
        0, 0, Extra(NAME, {"extra_content": {"s": 1}})
    )


def test_arguments_may_come_as_an_object():
    assert parts(chunk(call(id="1", name="f", arguments={"a": 1})), DONE) == (ToolCall("1", "f", {"a": 1}),)


def test_the_older_function_call_is_read():
    (told,) = parts(
        chunk({"function_call": {"name": "f", "arguments": "{"}}),
        chunk({"function_call": {"arguments": "}"}}),
        chunk({}, "function_call"),
    )
    assert (told.name, told.arguments) == ("f", {})
    assert parts(chunk({"content": "a", "function_call": {"name": "", "arguments": ""}})) == (Text("a"),)


def test_a_refusal_settles_the_finish():
    assert heard(chunk({"refusal": "no"}), chunk({}, "stop"))[-1] == Finish(choice=0, stop=Stop.REFUSAL)


def test_choices_are_kept_apart():
    answer = assemble(
        heard(
            chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "length", 1), chunk({}, "stop"), DONE
        )
    )
    assert [(choice.parts, choice.stop) for choice in answer.choices] == [
        ((Text("a"),), Stop.END),
        ((Text("b"),), Stop.LENGTH),
    ]


def test_a_finish_counts_once_and_another_answer_behind_it_is_not_ours():
    told = heard(chunk({"content": "a"}, "length"), chunk({}, "length"), chunk({"content": "b"}, id="j"), DONE)
    assert told.count(Finish(choice=0, stop=Stop.LENGTH)) == 1
    assert assemble(told).choices[0].parts == (Text("a"),)


def test_the_end_mark_stands_for_a_finish_that_was_forgotten():
    assert heard(chunk({"content": "a"}, ""), DONE)[-2:] == [Finish(choice=0, stop=Stop.END), End()]


def test_nothing_follows_the_end_mark():
    told = heard(chunk({"content": "a"}, "stop"), DONE, DONE, chunk({"content": "b"}), usage_only())
    assert told.count(End()) == 1
    assert told[-1] == End()


@pytest.mark.parametrize(
    ("late", "part", "stop"),
    [
        ({"content": "b"}, None, Stop.END),
        ({"reasoning": "hm"}, Reasoning("hm"), Stop.END),
        ({"refusal": "no"}, Refusal("no"), Stop.REFUSAL),
        (
            {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]},
            ToolCall("c", "f", {}),
            Stop.TOOL_CALLS,
        ),
    ],
)
@pytest.mark.parametrize("end", [(DONE,), (usage_only(), DONE), (), (usage_only(),)])
def test_words_behind_a_finish_reason_belong_to_the_answer_and_the_last_reason_counts(late, part, stop, end):
    told = heard(chunk({"content": "a"}, "length"), chunk(late, "stop"), *end)
    first = (Text("ab"),) if part is None else (Text("a"), part)
    assert assemble(told).choices[0].parts == first
    finishes = [event for event in told if isinstance(event, Finish)]
    assert finishes == [Finish(choice=0, stop=stop)]
    assert not any(isinstance(event, PartBegin | PartDelta | PartEnd) for event in told[told.index(finishes[0]) :])


def test_a_finish_reason_on_every_chunk_ends_nothing_before_the_end():
    told = heard(*(chunk({"content": text}, "stop", id=f"of this chunk {text}") for text in "abc"), DONE)
    assert assemble(told).choices[0].parts == (Text("abc"),)
    assert told[-2:] == [Finish(choice=0, stop=Stop.END), End()]


def test_a_stream_without_its_end_mark_is_finished_when_every_choice_is():
    decoder = DIALECT.decoder()
    decoder.decode(chunk({"content": "a"}, "stop"))
    assert decoder.stop is Stop.END
    decoder.decode(chunk({"content": "b"}, index=1))
    assert decoder.stop is None
    assert decoder.ending() == ()
    decoder.decode(chunk({}, "length", index=1))
    assert decoder.stop is Stop.LENGTH
    assert [event for event in decoder.ending() if isinstance(event, Finish)] == [
        Finish(choice=0, stop=Stop.END),
        Finish(choice=1, stop=Stop.LENGTH),
    ]
    assert decoder.ending() == ()


def test_an_error_behind_a_finish_reason_leaves_no_finish():
    told = heard(chunk({"content": "a"}, "stop"), event({"error": {"message": "overloaded"}}), DONE)
    assert isinstance(told[-1], Failed)
    assert not any(isinstance(one, Finish | End) for one in told)


def test_empty_pieces_behind_a_finish_reason_say_nothing():
    told = heard(chunk({"content": "a"}, "stop"), chunk({"role": "assistant", "content": ""}), usage_only(), DONE)
    assert told[-4:] == [SEEN, PartEnd(0, 0), Finish(choice=0, stop=Stop.END), End()]


def test_a_message_may_stand_for_a_delta():
    assert parts(event({"id": "i", "choices": [{"message": {"content": "a"}}]})) == (Text("a"),)
    assert heard(chunk(None)) == [Begin(id="i", model="m", created=5)]


def test_what_only_this_format_says_comes_with_the_finish():
    told = heard(
        chunk({"content": "a", "annotations": [1]}, choice={"logprobs": {"content": [1]}}),
        chunk({"annotations": [2], "audio": {"id": "x"}}, choice={"logprobs": {"content": [2]}}),
        chunk({}, "stop", choice={"logprobs": None}),
    )
    assert told[-1].extra == Extra(
        NAME, {"logprobs": {"content": [1, 2]}, "message": {"annotations": [1, 2], "audio": {"id": "x"}}}
    )


ERRORS = [
    event({"error": {"message": "validation failed", "code": "tool_use_failed", "status_code": 400}}, b"error"),
    chunk({"content": ""}, error={"code": "tool_use_failed", "message": "validation failed"}),
    event({"error": {"message": "validation failed", "code": "tool_use_failed"}}),
    event({"object": "error", "message": "validation failed", "code": "tool_use_failed"}),
]


@pytest.mark.parametrize("broken", ERRORS)
def test_an_error_ends_the_stream_for_decoder_and_watcher(broken):
    told = heard(chunk({"content": "a"}), broken, chunk({"content": "b"}), DONE)
    assert isinstance(told[-1], Failed)
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(broken) & FAILED
    assert watcher.failure == told[-1].failure
    assert watcher.failure.kind is FailureKind.TOOL_USE_FAILED


def test_an_error_that_is_no_json_is_an_error():
    broken = event(b"upstream timed out", b"error")
    assert isinstance(heard(broken)[-1], Failed)
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(broken) & FAILED
    assert "upstream timed out" in watcher.failure.message


@pytest.mark.parametrize("data", [b"nonsense", b"[1]", b'"a"', b'{"choices": [', b"[" * 100_000, b"\xff"])
def test_what_is_no_event_is_refused(data):
    with pytest.raises(BadAnswer):
        heard(event(data))
    with pytest.raises(BadAnswer):
        DIALECT.watcher(hide_usage=False).see(event(data))


def test_odd_but_readable_events_say_nothing():
    for data in (b"", b"  ", b'{"novel": 1}', b'{"choices": null}'):
        assert heard(event(data)) == []
        assert DIALECT.watcher(hide_usage=False).see(event(data)) in {0, PROGRESS}
    with pytest.raises(BadAnswer):
        DIALECT.watcher(hide_usage=False).see(event(b'{"choices": [3]}'))
    assert heard(event({"id": "i", "choices": [3]})) == [Begin(id="i", model="")]


def test_half_a_surrogate_pair_is_mended():
    data = rb'{"id":"i","choices":[{"index":0,"delta":{"content":"a\ud83d"}}]}'
    assert parts(event(data)) == (Text("a\ufffd"),)
    assert DIALECT.watcher(hide_usage=False).see(event(data)) == CONTENT | PROGRESS


# Watching


@pytest.mark.parametrize(
    ("told", "bits"),
    [
        (chunk({"role": "assistant", "content": ""}), PROGRESS),
        (chunk({"content": None}), PROGRESS),
        (chunk(None), PROGRESS),
        (chunk({"content": "a"}), CONTENT | PROGRESS),
        (chunk({"content": "a"}, "stop"), CONTENT | FINISH | PROGRESS),
        (chunk({"content": [{"type": "text", "text": "a"}]}), CONTENT | PROGRESS),
        (chunk({"content": [{"type": "text", "text": ""}]}), PROGRESS),
        (chunk({"reasoning": "Hm"}), CONTENT | PROGRESS),
        (chunk({"reasoning_details": [{"type": "reasoning.text", "text": "", "index": 0}]}), PROGRESS),
        (chunk({"refusal": "no"}), CONTENT | PROGRESS),
        (chunk(call(id="1", name="f")), CONTENT | PROGRESS),
        (chunk({"audio": {"id": "x"}}), PROGRESS),
        (chunk({"audio": {"transcript": "x"}}), CONTENT | PROGRESS),
        (chunk({}, "stop"), FINISH | PROGRESS),
        (chunk({}, ""), PROGRESS),
        (usage_only(), PROGRESS | HIDE),
        (chunk({}, usage=USAGE), PROGRESS),
        (event({"choices": [], "prompt_filter_results": []}), PROGRESS),
        (SseEvent(b": ping\n\n", b"", None), 0),
    ],
)
def test_an_event_means_what_it_says(told, bits):
    assert DIALECT.watcher(hide_usage=True).see(told) == bits


def test_usage_is_hidden_only_from_those_who_did_not_ask():
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(usage_only()) == PROGRESS
    assert watcher.usage == Usage(input=9, output=4)


def test_the_last_usage_counts_and_an_odd_one_takes_nothing_away():
    watcher = DIALECT.watcher(hide_usage=False)
    for told in (
        chunk({}, usage={**USAGE, "completion_tokens": 1, "total_tokens": 10}),
        chunk({}, x_groq={"usage": USAGE}),
        chunk({}, usage={"novel": 1}),
    ):
        watcher.see(told)
    assert watcher.usage == Usage(input=9, output=4)


def test_the_end_mark_ends_the_stream():
    watcher = DIALECT.watcher(hide_usage=False)
    for told in (chunk({"content": "a"}), chunk({}, "length")):
        watcher.see(told)
    assert watcher.see(DONE) == END | FINISH | PROGRESS
    assert watcher.stop_native == "length"
    assert watcher.has_content


@pytest.mark.parametrize(
    ("finish", "kind"),
    [("stop", FailureKind.EMPTY), (None, FailureKind.EMPTY), ("content_filter", FailureKind.CONTENT_FILTER)],
)
def test_a_stream_that_said_nothing_is_no_success(finish, kind):
    watcher = DIALECT.watcher(hide_usage=False)
    watcher.see(chunk({"content": ""}, finish))
    assert watcher.see(DONE) & FAILED
    assert watcher.failure.kind is kind is silence(watcher.stop_native).kind


def test_a_stream_that_met_its_bound_before_a_word_is_an_answer():
    watcher = DIALECT.watcher(hide_usage=False)
    watcher.see(chunk({}, "length"))
    assert watcher.see(DONE) == END | FINISH | PROGRESS
    assert watcher.failure is None


# Writing


def told(*events, include_usage=None) -> list:
    encoder = DIALECT.encoder(model="m", include_usage=include_usage)
    wire = SseParser().feed(b"".join(encoder.encode(one) for one in events))
    return [one.data if one.data == b"[DONE]" else json.loads(one.data) for one in wire]


BEGIN = Begin(id="i", model="m", created=5, extra=Extra(NAME, {"system_fingerprint": "f"}))


def deltas(*events) -> list:
    return [one["choices"][0]["delta"] for one in told(BEGIN, *events)[1:]]


def test_the_role_comes_first():
    (first,) = told(BEGIN)
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    assert (first["id"], first["created"], first["object"]) == ("i", 5, "chat.completion.chunk")
    assert first["system_fingerprint"] == "f"
    assert told(Begin(id="i", model=""))[0]["model"] == "m"


def test_another_choice_gets_its_role_with_its_first_word():
    opened = told(BEGIN, PartBegin(1, 0, Text("")), PartDelta(1, 0, Field.TEXT, "a"), PartDelta(1, 0, Field.TEXT, "b"))
    assert [one["choices"][0]["delta"] for one in opened[1:]] == [
        {"role": "assistant", "content": "a"},
        {"content": "b"},
    ]
    assert opened[1]["choices"][0]["index"] == 1


def test_a_part_may_open_with_words():
    assert deltas(PartBegin(0, 0, Text("a")), PartEnd(0, 0), PartBegin(0, 1, Refusal("no")), PartEnd(0, 1), PartBegin(0, 2, Reasoning("Hm."))) == [
        {"content": "a"}, {"refusal": "no"}, {"reasoning_content": "Hm."},
    ]  # fmt: skip


def test_sealed_thoughts_are_told_to_every_client():
    assert deltas(
        PartBegin(0, 0, Reasoning("", signed_by="anthropic_messages")),
        PartDelta(0, 0, Field.TEXT, "Hm."),
        PartDelta(0, 0, Field.SIGNATURE, "c2ln"),
        PartEnd(0, 0),
        PartBegin(0, 1, Reasoning("", None, "ZW5j", "anthropic_messages")),
    ) == [
        {"reasoning_content": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "format": "understudy:anthropic_messages", "index": 0}]},
        {"reasoning_details": [{"type": "reasoning.text", "text": "", "signature": "c2ln", "format": "understudy:anthropic_messages", "index": 0}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "ZW5j", "format": "understudy:anthropic_messages", "index": 1}]},
    ]  # fmt: skip


def test_a_call_without_arguments_still_has_an_object():
    assert deltas(PartBegin(0, 0, ToolCall("1", "f", "")), PartEnd(0, 0))[-1] == {
        "tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]
    }
    whole = deltas(
        PartBegin(0, 0, ToolCall("1", "f", {"a": 1}, extra=Extra(NAME, {"x": 1}))),
        PartExtra(0, 0, Extra(NAME, {"y": 2})),
        PartEnd(0, 0),
    )
    assert whole == [
        {
            "tool_calls": [
                {"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}, "x": 1}
            ]
        },
        {"tool_calls": [{"index": 0, "y": 2}]},
    ]


def test_parts_that_overlap_take_turns():
    assert deltas(
        PartBegin(0, 0, ToolCall("1", "f", "")), PartBegin(0, 1, ToolCall("2", "g", "")), PartBegin(0, 2, Text("")),
        PartDelta(0, 1, Field.ARGUMENTS, "{}"), PartDelta(0, 2, Field.TEXT, "a"), PartDelta(0, 0, Field.ARGUMENTS, "{"), PartEnd(0, 1),
        PartDelta(0, 0, Field.ARGUMENTS, "}"), PartEnd(0, 0), PartDelta(0, 2, Field.TEXT, "b"),
    ) == [
        {"tool_calls": [{"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
        {"tool_calls": [{"index": 1, "id": "2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {"content": "a"},
        {"content": "b"},
    ]  # fmt: skip


def test_what_a_stream_cannot_tell_is_left_out():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    encoder.encode(BEGIN)
    silent = [
        PartBegin(0, 0, Image(Remote("u"))), PartDelta(0, 0, Field.TEXT, "a"), PartEnd(0, 0),
        PartBegin(0, 1, Text("")), PartDelta(0, 1, Field.TEXT, ""), PartExtra(0, 1, Extra(NAME, {"x": 1})), PartEnd(0, 1),
        Failed(silence("stop")),
    ]  # fmt: skip
    assert [encoder.encode(one) for one in silent] == [b""] * len(silent)
    assert deltas(PartBegin(0, 0, Opaque(NAME, "novel", {"type": "novel"}))) == [{"content": [{"type": "novel"}]}]


def test_a_finish_tells_the_reason_and_the_rest():
    extra = Extra(NAME, {"message": {"annotations": [1]}, "logprobs": {"content": []}})
    last = told(BEGIN, Finish(choice=0, stop=Stop.STOP_SEQUENCE, extra=extra))[-1]["choices"][0]
    assert last == {
        "index": 0, "delta": {"annotations": [1]}, "logprobs": {"content": []}, "finish_reason": "stop", "native_finish_reason": "stop_sequence",
    }  # fmt: skip
    refused = told(BEGIN, PartBegin(0, 0, Refusal("no")), PartEnd(0, 0), Finish(choice=0, stop=Stop.REFUSAL))[-1][
        "choices"
    ][0]
    assert refused["finish_reason"] == "stop"


def test_usage_is_told_last_and_only_when_asked_for():
    asked = told(BEGIN, SEEN, Finish(choice=0, stop=Stop.END), End(), include_usage=True)
    assert asked[-2]["choices"] == []
    assert asked[-2]["usage"]["total_tokens"] == 13
    assert asked[-1] == b"[DONE]"
    for include_usage in (None, False):
        assert all("usage" not in one for one in told(BEGIN, SEEN, End(), include_usage=include_usage)[:-1])
    assert told(BEGIN, End(), include_usage=True)[-1] == b"[DONE]"

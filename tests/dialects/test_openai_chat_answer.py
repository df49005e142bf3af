"""Chat Completions answers, whole: as each provider words them, and how the tokens are counted."""

from __future__ import annotations

import json

import pytest

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Extra, Opaque, Reasoning, Refusal, Text, ToolCall
from understudy.core.failure import FailureKind
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer
from understudy.dialects.openai_chat import DIALECT

NAME = "openai_chat"


def body(message=None, finish="stop", **more) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", **(message or {})},
        "finish_reason": finish,
        **more.pop("choice", {}),
    }
    return json.dumps(
        {"id": "i", "object": "chat.completion", "created": 5, "model": "m", "choices": [choice], **more}
    ).encode()


def read(message=None, finish="stop", **more) -> Choice:
    return DIALECT.parse_answer(body(message, finish, **more)).choices[0]


def test_a_plain_answer_is_read_whole():
    answer = DIALECT.parse_answer(
        body({"content": "a", "refusal": None, "annotations": []}, system_fingerprint="f", usage=None)
    )
    assert answer == Answer(
        id="i",
        model="m",
        created=5,
        choices=(Choice(parts=(Text("a"),), stop=Stop.END),),
        extra=Extra(NAME, {"system_fingerprint": "f"}),
    )


@pytest.mark.parametrize(
    ("word", "native", "stop", "kept"),
    [
        ("stop", None, Stop.END, None),
        ("stop", "end_turn", Stop.END, "end_turn"),
        ("stop", "stop", Stop.END, None),
        ("length", None, Stop.LENGTH, None),
        ("tool_calls", None, Stop.TOOL_CALLS, None),
        ("function_call", None, Stop.TOOL_CALLS, None),
        ("content_filter", None, Stop.CONTENT_FILTER, None),
        ("eos", None, Stop.END, "eos"),
        ("max_tokens", None, Stop.LENGTH, "max_tokens"),
        ("model_length", None, Stop.CONTEXT_FULL, "model_length"),
        ("", None, Stop.END, None),
        ("novel", None, Stop.END, "novel"),
        (None, None, None, None),
        (None, "STOP", None, "STOP"),
    ],
)
def test_a_finish_reason_is_read_in_each_wording(word, native, stop, kept):
    choice = read({"content": "a"}, word, choice={"native_finish_reason": native})
    assert (choice.stop, choice.stop_native) == (stop, kept)


def test_what_was_said_outranks_the_finish_reason():
    assert (
        read({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}).stop is Stop.TOOL_CALLS
    )
    assert read({"content": None, "refusal": "no"}) == Choice(parts=(Refusal("no"),), stop=Stop.REFUSAL)


def test_calls_without_ids_get_the_same_ones_each_time_and_different_ones_each():
    calls = {
        "tool_calls": [
            {"id": "", "function": {"name": "f", "arguments": None}},
            {"function": {"name": "f", "arguments": {"a": 1}}},
        ]
    }
    first, second = read(calls).parts
    assert (first.arguments, second.arguments) == ({}, {"a": 1})
    assert first.id != second.id
    assert read(calls).parts == (first, second)


def test_the_older_function_call_is_read():
    (call,) = read({"content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}}, "function_call").parts
    assert (call.name, call.arguments) == ("f", {"a": 1})
    assert read({"content": "a", "function_call": {"name": "", "arguments": ""}}).parts == (Text("a"),)


def test_thoughts_never_become_words():
    parts = {
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "a"},
            {"type": "novel"},
        ]
    }
    assert read(parts).parts == (Reasoning("Hm."), Text("a"), Opaque(NAME, "novel", {"type": "novel"}))
    assert read({"content": "a", "reasoning": "Hm."}).parts == (Reasoning("Hm."), Text("a"))


def test_details_that_hold_only_a_seal_stand_beside_the_text():
    entry = {"type": "reasoning.encrypted", "data": "ZW5j", "index": 0}
    assert read(
        {
            "content": None,
            "reasoning": "Hm.",
            "reasoning_details": [entry, "odd", {"type": "reasoning.text", "text": ""}],
        }
    ).parts == (
        Reasoning("Hm."),
        Reasoning("", '{"type":"reasoning.encrypted","data":"ZW5j"}', None, NAME),
    )


def test_a_filtered_answer_without_a_message_has_no_parts():
    raw = {
        "choices": [
            {"finish_reason": "content_filter", "index": 0, "content_filter_results": {"hate": {"filtered": True}}}
        ]
    }
    choice = DIALECT.parse_answer(json.dumps(raw).encode()).choices[0]
    assert choice.parts == ()
    assert choice.stop is Stop.CONTENT_FILTER
    assert choice.extra == Extra(NAME, {"content_filter_results": {"hate": {"filtered": True}}})


def test_what_only_this_format_says_is_kept_and_written_again():
    message = {"content": "a", "annotations": [{"type": "url_citation"}], "audio": {"id": "x", "data": "QUJD"}}
    answer = DIALECT.parse_answer(body(message, choice={"logprobs": {"content": []}}, service_tier="default"))
    again = json.loads(DIALECT.render_answer(answer))
    assert again["choices"][0]["message"]["annotations"] == message["annotations"]
    assert again["choices"][0]["message"]["audio"] == message["audio"]
    assert again["choices"][0]["logprobs"] == {"content": []}
    assert again["service_tier"] == "default"


def test_what_is_written_for_nothing_is_not_kept():
    empty = {
        "content": "a",
        "audio": {"data": "", "expires_at": 0, "id": "", "transcript": ""},
        "refusal": "",
        "annotations": None,
    }
    assert read(empty) == Choice(parts=(Text("a"),), stop=Stop.END)


def test_a_stopped_answer_is_written_in_openais_words():
    def told(stop, *parts, native=None):
        answer = Answer(id="i", model="m", choices=(Choice(parts=parts, stop=stop, stop_native=native),))
        choice = json.loads(DIALECT.render_answer(answer))["choices"][0]
        return choice["finish_reason"], choice.get("native_finish_reason")

    assert told(Stop.REFUSAL, Refusal("no")) == ("stop", None)
    assert told(Stop.REFUSAL, Text("no")) == ("content_filter", "refusal")
    assert told(Stop.PAUSE, Text("a")) == ("stop", "pause")
    assert told(Stop.STOP_SEQUENCE, Text("a"), native="stop_sequence") == ("stop", "stop_sequence")
    assert told(Stop.CONTEXT_FULL) == ("length", "context_full")
    assert told(Stop.END, native="stop") == ("stop", None)
    assert told(None) == (None, None)
    assert told(None, native="x") == (None, "x")


# Usage

DETAILED = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}


def counted(timings=None, **usage):
    return DIALECT.parse_answer(
        body({"content": "a"}, usage=usage, **({} if timings is None else {"timings": timings}))
    ).usage


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        (DETAILED, Usage(input=10, output=8)),
        (
            {**DETAILED, "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1}},
            Usage(input=4, cache_read=4, audio_in=2, output=4, reasoning=3, audio_out=1),
        ),
        ({**DETAILED, "prompt_tokens_details": None}, Usage(input=10, output=8)),
        ({**DETAILED, "prompt_tokens_details": {"cache_write_tokens": 6, "cached_tokens": 1}}, Usage(input=3, cache_read=1, cache_write_5m=6, output=8)),
        ({**DETAILED, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6}, Usage(input=6, cache_read=4, output=8)),
        ({**DETAILED, "cached_tokens": 4}, Usage(input=6, cache_read=4, output=8)),
        ({**DETAILED, "num_cached_tokens": 4}, Usage(input=6, cache_read=4, output=8)),
        ({**DETAILED, "cache_creation_input_tokens": 4}, Usage(input=6, cache_write_5m=4, output=8)),
        # xAI counts its thinking beside the completion, Google too, and says so in the total alone
        ({**DETAILED, "total_tokens": 23, "completion_tokens_details": {"reasoning_tokens": 5}}, Usage(input=10, output=8, reasoning=5)),
        ({**DETAILED, "total_tokens": 23}, Usage(input=10, output=8, reasoning=5)),
        ({"prompt_tokens": 10.0, "completion_tokens": 8}, Usage(input=10, output=8)),
        ({"completion_tokens": 8}, Usage(output=8)),
        # figures that cannot be true
        ({**DETAILED, "prompt_tokens_details": {"cached_tokens": 161}}, Usage(input=10, output=8, estimated=True)),
        ({**DETAILED, "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 6}}, Usage(input=5, cache_read=5, output=8, estimated=True)),
        ({**DETAILED, "completion_tokens_details": {"reasoning_tokens": 37}}, Usage(input=10, output=8, estimated=True)),
        ({**DETAILED, "prompt_tokens": -1}, Usage(output=8, reasoning=10, estimated=True) ),
        ({**DETAILED, "prompt_tokens_details": {"cached_tokens": "4"}}, Usage(input=10, output=8, estimated=True)),
        ({**DETAILED, "prompt_tokens_details": {"cached_tokens": 9, "audio_tokens": 5}}, Usage(input=0, cache_read=9, audio_in=1, output=8)),
        ({"prompt_tokens": 10**15, "completion_tokens": 8}, Usage(output=8, estimated=True)),
        ({}, None),
        ({"total_tokens": 5}, None),
    ],
)  # fmt: skip
def test_tokens_are_counted_once_in_each_class(wire, usage):
    assert counted(**wire) == usage
    assert DIALECT.glance(body({"content": "a"}, usage=wire)).usage == usage


def test_llama_cpp_counts_its_cache_among_the_timings():
    assert counted(timings={"cache_n": 4}, **DETAILED) == Usage(input=6, cache_read=4, output=8)
    assert DIALECT.glance(body({"content": "a"}, usage=DETAILED, timings={"cache_n": 4})).usage.cache_read == 4


def test_groq_puts_the_usage_aside():
    raw = body({"content": "a"}, x_groq={"usage": DETAILED})
    assert DIALECT.parse_answer(raw).usage == DIALECT.glance(raw).usage == Usage(input=10, output=8)


# A glance


@pytest.mark.parametrize(
    ("message", "finish", "kind"),
    [
        ({"content": ""}, "stop", FailureKind.EMPTY),
        ({"content": None, "reasoning": ""}, "tool_calls", FailureKind.EMPTY),
        ({"content": [{"type": "text", "text": ""}]}, "stop", FailureKind.EMPTY),
        ({"content": 3.5}, "stop", FailureKind.EMPTY),
        ({"content": None, "audio": {"data": ""}}, "stop", FailureKind.EMPTY),
        ({"content": None}, None, FailureKind.EMPTY),
        ({"content": ""}, "content_filter", FailureKind.CONTENT_FILTER),
        ({"content": ""}, "length", None),
        ({"content": "a"}, "content_filter", None),
        ({"content": [{"type": "text", "text": "a"}]}, "stop", None),
        ({"content": ["a"]}, "stop", None),
        ({"content": None, "refusal": "no"}, "stop", None),
        ({"content": None, "tool_calls": [{}]}, "tool_calls", None),
        ({"content": None, "function_call": {"name": "f"}}, "stop", None),
        ({"content": None, "reasoning_content": "Hm."}, "stop", None),
        ({"content": None, "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}, "stop", None),
        ({"content": None, "audio": {"data": "QUJD"}}, "stop", None),
        ({"content": None, "images": [{}]}, "stop", None),
    ],
)
def test_an_answer_that_says_nothing_is_no_success(message, finish, kind):
    seen = DIALECT.glance(body(message, finish))
    assert (None if seen.failure is None else seen.failure.kind) is kind
    assert seen.stop_native == finish
    assert seen.model == "m"


def test_an_answer_without_choices_is_empty():
    assert DIALECT.glance(b'{"choices": []}').failure.kind is FailureKind.EMPTY
    assert DIALECT.glance(b'{"choices": [{"finish_reason": "stop"}]}').failure.kind is FailureKind.EMPTY


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"error": {"message": "filtered", "code": "content_filter", "status": 400}}, FailureKind.CONTENT_FILTER),
        ({"object": "error", "message": "too much", "type": "rate_limited", "code": "1300"}, FailureKind.RATE_LIMIT),
        (
            {"choices": [{"message": {"content": ""}}], "error": {"message": "Overloaded", "code": 503}},
            FailureKind.OVERLOADED,
        ),
    ],
)
def test_an_error_inside_a_200_is_seen(raw, kind):
    assert DIALECT.glance(json.dumps(raw).encode()).failure.kind is kind


def test_an_error_beside_a_whole_answer_spoils_nothing():
    assert DIALECT.glance(body({"content": "a"}, error={"message": "late"})).failure is None


def test_half_a_surrogate_pair_is_mended():
    raw = body({"content": "a"}).replace(b'"a"', rb'"a\ud83d"')
    assert DIALECT.glance(raw).failure is None
    assert DIALECT.parse_answer(raw).choices[0].parts == (Text("a\ufffd"),)


@pytest.mark.parametrize(
    "raw", [b'{"choices": 3}', b'{"choices": [3]}', b'{"model": "m"}', b"[" * 100_000, b'{"choices": [{"message": 3}]}']
)
def test_what_is_no_answer_is_refused(raw):
    with pytest.raises(BadAnswer):
        DIALECT.glance(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"choices": [3]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"tool_calls": [3]}}]}',
    ],
)
def test_what_is_no_message_is_refused(raw):
    with pytest.raises(BadAnswer):
        DIALECT.parse_answer(raw)


def test_an_empty_argument_list_is_written_as_an_object():
    answer = Answer(
        id="i",
        model="m",
        choices=(
            Choice(
                parts=(ToolCall("1", "f", {}), ToolCall("2", "g", "{broken")),
            ),
        ),
    )
    calls = json.loads(DIALECT.render_answer(answer))["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ["{}", "{broken"]

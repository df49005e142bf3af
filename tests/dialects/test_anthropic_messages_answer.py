"""Whole answers of the Messages API, the errors in its envelope, and its list of models."""

from __future__ import annotations

import json

import pytest

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Extra, Opaque, Reasoning, Text, ToolCall
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer, ErrorReport
from understudy.dialects.anthropic_messages import DIALECT

NAME = "anthropic_messages"


def message(*content, **fields) -> bytes:
    whole = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": list(content),
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 5}, **fields,
    }  # fmt: skip
    return json.dumps(whole).encode()


def choice(*content, **fields) -> Choice:
    (only,) = DIALECT.parse_answer(message(*content, **fields)).choices
    return only


def usage(**fields) -> Usage | None:
    return DIALECT.parse_answer(message(usage=fields)).usage


def test_a_plain_answer():
    without = DIALECT.parse_answer(message({"type": "text", "text": "hi", "citations": []}))
    assert (
        without
        == DIALECT.parse_answer(message({"type": "text", "text": "hi", "citations": None}))
        == Answer(
            id="msg_1",
            model="claude",
            choices=(Choice(parts=(Text("hi"),), stop=Stop.END),),
            usage=Usage(input=3, output=5),
        )
    )


def test_parts_keep_the_order_of_the_wire():
    citation = {"type": "char_location", "cited_text": "x"}
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    parts = choice(
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        searched,
        {"type": "text", "text": "so", "citations": [citation]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
    ).parts
    assert parts == (
        Reasoning("hm", "sig", None, NAME),
        Opaque(NAME, "server_tool_use", searched),
        Text("so", None, Extra(NAME, {"citations": [citation]})),
        ToolCall("t", "f", {"a": 1}),
    )


def test_unsigned_thinking_is_unsigned():
    assert choice({"type": "thinking", "thinking": "hm", "signature": ""}).parts == (Reasoning("hm"),)
    assert choice({"type": "thinking", "thinking": "hm"}).parts == (Reasoning("hm"),)


@pytest.mark.parametrize(
    ("native", "stop"),
    [
        ("end_turn", Stop.END),
        ("max_tokens", Stop.LENGTH),
        ("stop_sequence", Stop.STOP_SEQUENCE),
        ("tool_use", Stop.TOOL_CALLS),
        ("refusal", Stop.REFUSAL),
        ("pause_turn", Stop.PAUSE),
        ("model_context_window_exceeded", Stop.CONTEXT_FULL),
    ],
)
def test_stop_reasons_are_read_and_written(native, stop):
    found = choice({"type": "text", "text": "x"}, stop_reason=native)
    assert (found.stop, found.stop_native) == (stop, None)
    written = json.loads(DIALECT.render_answer(Answer(id="a", model="m", choices=(found,))))
    assert written["stop_reason"] == native


def test_a_tool_call_outweighs_a_plain_end_but_not_a_bound():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    assert choice(call).stop is Stop.TOOL_CALLS
    assert choice(call, stop_reason="max_tokens").stop is Stop.LENGTH


def test_an_unknown_stop_reason_is_an_end_whose_word_is_kept():
    found = choice({"type": "text", "text": "x"}, stop_reason="novel")
    assert (found.stop, found.stop_native) == (Stop.END, "novel")


def test_the_sequence_that_was_met_and_the_details_of_a_refusal_are_kept():
    details = {"type": "refusal", "category": "bio"}
    found = choice(stop_reason="refusal", stop_details=details, stop_sequence="END", container=None)
    assert found == Choice(
        parts=(), stop=Stop.REFUSAL, stop_sequence="END", extra=Extra(NAME, {"stop_details": details})
    )
    written = json.loads(DIALECT.render_answer(Answer(id="a", model="m", choices=(found,))))
    assert (written["stop_details"], written["stop_sequence"], written["container"]) == (details, "END", None)


# Usage


def test_input_tokens_are_without_the_cache_and_output_tokens_with_the_thinking():
    found = usage(
        input_tokens=10, cache_read_input_tokens=200, cache_creation_input_tokens=30, output_tokens=50,
        cache_creation={"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        output_tokens_details={"thinking_tokens": 40},
    )  # fmt: skip
    assert found == Usage(input=10, cache_read=200, cache_write_5m=20, cache_write_1h=10, output=10, reasoning=40)
    assert (found.prompt, found.completion) == (240, 50)


def test_a_cache_write_of_unknown_life_time_counts_as_the_short_one():
    assert usage(input_tokens=1, output_tokens=1, cache_creation_input_tokens=7) == Usage(
        input=1, output=1, cache_write_5m=7
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"input_tokens": -5, "output_tokens": 2}, Usage(output=2, estimated=True)),
        ({"input_tokens": "9", "output_tokens": 2}, Usage(output=2, estimated=True)),
        ({"output_tokens": 2, "output_tokens_details": {"thinking_tokens": 9}}, Usage(reasoning=2, estimated=True)),
        (
            {"cache_creation_input_tokens": 2, "cache_creation": {"ephemeral_1h_input_tokens": 9}},
            Usage(cache_write_1h=2, estimated=True),
        ),
        ({"input_tokens": None, "output_tokens": 2}, Usage(output=2)),
    ],
)
def test_a_count_that_cannot_be_is_never_negative_and_marked(fields, expected):
    assert usage(**fields) == expected


def test_what_usage_says_beside_tokens_comes_back():
    extra = {"server_tool_use": {"web_search_requests": 2}, "service_tier": "standard"}
    body = message({"type": "text", "text": "x"}, usage={"input_tokens": 1, "output_tokens": 1, **extra})
    answer = DIALECT.parse_answer(body)
    assert answer.choices[0].extra == Extra(NAME, {"usage": extra})
    written = json.loads(DIALECT.render_answer(answer))["usage"]
    assert {name: written[name] for name in extra} == extra


def test_usage_is_written_with_its_cache_split_and_thinking():
    answer = Answer(
        id="a", model="m", choices=(),
        usage=Usage(input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, reasoning=6),
    )  # fmt: skip
    assert json.loads(DIALECT.render_answer(answer))["usage"] == {
        "input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 11, "output_tokens_details": {"thinking_tokens": 6},
        "inference_geo": None, "server_tool_use": None, "service_tier": None,
    }  # fmt: skip


# What is no answer


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"content": null}', b'{"content": "x"}', b"[" * 100_000]
)
def test_bytes_that_are_no_message_are_a_bad_answer(body):
    for read in (DIALECT.parse_answer, DIALECT.glance):
        with pytest.raises(BadAnswer):
            read(body)


# A glance


def test_a_glance_sees_usage_stop_reason_and_model():
    glance = DIALECT.glance(message({"type": "text", "text": "x"}))
    assert (glance.usage, glance.stop_native, glance.model, glance.failure) == (
        Usage(input=3, output=5), "end_turn", "claude", None,
    )  # fmt: skip


def test_a_glance_finds_an_error_inside_a_200():
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    failure = DIALECT.glance(body).failure
    assert failure is not None
    assert failure.kind is FailureKind.OVERLOADED


NOTHING = {"input_tokens": 3, "output_tokens": 0}


@pytest.mark.parametrize(
    "content",
    [
        (),
        ({"type": "text", "text": ""},),
        ({"type": "text", "text": "", "citations": None},),
        ({"type": "text", "text": "", "citations": []},),
    ],
)
@pytest.mark.parametrize("stop_reason", ["end_turn", None, "tool_use"])
def test_an_end_without_a_token_is_no_answer(content, stop_reason):
    failure = DIALECT.glance(message(*content, stop_reason=stop_reason, usage=NOTHING)).failure
    assert failure is not None
    assert failure.kind is FailureKind.EMPTY


@pytest.mark.parametrize("stop_reason", ["refusal", "max_tokens", "stop_sequence", "pause_turn"])
def test_an_answer_whose_reason_for_stopping_explains_the_silence_is_one(stop_reason):
    assert DIALECT.glance(message(stop_reason=stop_reason, usage=NOTHING)).failure is None


def test_a_model_that_had_nothing_to_add_has_answered():
    assert DIALECT.glance(message(usage={"input_tokens": 3, "output_tokens": 2})).failure is None


# Errors and models


def report() -> ErrorReport:
    overloaded = Failure(FailureKind.OVERLOADED, "Overloaded", status=529)
    attempt = Outcome(
        number=1, target="claude", tier="primary", purpose=Purpose.FIRST, started_s=1.0, ended_s=1.25,
        failure=overloaded, status=529,
    )  # fmt: skip
    return ErrorReport(
        failure=Failure(FailureKind.RATE_LIMIT, "every target is limited", retry_after_s=7.0),
        attempts=(attempt,),
        decision="dec_1",
    )


def test_an_error_names_every_attempt_in_this_apis_envelope():
    body = json.loads(DIALECT.render_error(report()))
    assert body["type"] == "error"
    assert body["error"] == {
        "type": "rate_limit_error",
        "message": "every target is limited [tried claude: overloaded (Overloaded)]",
    }
    assert body["request_id"] == "dec_1"
    assert body["understudy"]["retry_after_s"] == 7.0
    assert body["understudy"]["attempts"] == [
        {
            "number": 1, "target": "claude", "tier": "primary", "purpose": "first", "failure": "overloaded",
            "message": "Overloaded", "status": 529, "duration_ms": 250.0,
        }
    ]  # fmt: skip


def test_a_broken_stream_ends_with_an_error_event():
    name, _, data = DIALECT.render_stream_error(report()).partition(b"\n")
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: ")) == json.loads(DIALECT.render_error(report()))


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_has_an_error_type_of_this_api(kind):
    body = json.loads(DIALECT.render_error(ErrorReport(failure=Failure(kind, "m"))))
    assert body["error"]["type"] in {
        "api_error", "authentication_error", "billing_error", "invalid_request_error", "not_found_error",
        "overloaded_error", "permission_error", "rate_limit_error", "request_too_large", "timeout_error",
    }  # fmt: skip


def test_models_are_listed_in_one_page():
    body = json.loads(DIALECT.render_models(["default", "claude"]))
    assert [(model["type"], model["id"], model["display_name"]) for model in body["data"]] == [
        ("model", "default", "default"),
        ("model", "claude", "claude"),
    ]
    assert (body["has_more"], body["first_id"], body["last_id"]) == (False, "default", "claude")
    assert json.loads(DIALECT.render_models([]))["first_id"] is None

"""What real providers answer that a translator stumbles over, between Chat Completions, Messages and generateContent.

One section a trap. What belongs to one format alone is tested beside that format.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from crossings import (
    ALL,
    ANTHROPIC,
    GEMINI,
    OPENAI,
    answered,
    asked,
    chat_answer,
    gemini_answer,
    message_answer,
    stop_of,
    streamed,
)
from understudy.core.answer import End, Failed, Finish
from understudy.core.failure import FailureKind
from understudy.dialects import FAILED, Dialect
from understudy.framing.sse import SseParser

CALLS = [
    {"id": "call_a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'}},
]


# Why it stopped


STOPS = [
    ("gemini", gemini_answer({"functionCall": {"name": "f", "args": {}}}), ("tool_calls", "tool_use", "STOP")),
    ("gemini", gemini_answer({"text": "a"}, finish="MAX_TOKENS"), ("length", "max_tokens", "MAX_TOKENS")),
    ("gemini", gemini_answer({"text": "a"}, finish="SAFETY"), ("content_filter", "refusal", "SAFETY")),
    ("gemini", gemini_answer({"text": "a"}, finish="RECITATION"), ("content_filter", "refusal", "RECITATION")),
    ("openai", chat_answer({"tool_calls": CALLS[:1]}, "stop"), ("tool_calls", "tool_use", "STOP")),
    ("openai", chat_answer({"tool_calls": CALLS[:1]}, ""), ("tool_calls", "tool_use", "STOP")),
    ("openai", chat_answer({"content": "a"}, "eos"), ("stop", "end_turn", "STOP")),
    ("openai", chat_answer({"content": "a"}, "length"), ("length", "max_tokens", "MAX_TOKENS")),
    ("openai", chat_answer({"content": "a"}, "content_filter"), ("content_filter", "refusal", "SAFETY")),
    (
        "anthropic",
        message_answer({"type": "text", "text": "a"}, stop="max_tokens"),
        ("length", "max_tokens", "MAX_TOKENS"),
    ),
    (
        "anthropic",
        message_answer({"type": "text", "text": "a"}, stop="stop_sequence"),
        ("stop", "stop_sequence", "STOP"),
    ),
    (
        "anthropic",
        message_answer({"type": "text", "text": "a"}, stop="model_context_window_exceeded"),
        ("length", "model_context_window_exceeded", "MAX_TOKENS"),
    ),
]


@pytest.mark.parametrize(("source", "body", "stops"), STOPS)
def test_a_reason_for_stopping_is_told_in_the_callers_words(
    source: str, body: dict[str, Any], stops: tuple[str, ...]
) -> None:
    told = tuple(stop_of(target, answered(ALL[source], target, body)) for target in ALL.values())
    assert told == stops


@pytest.mark.parametrize("finish", ["UNEXPECTED_TOOL_CALL", "MALFORMED_FUNCTION_CALL"])
def test_a_call_that_gemini_could_not_make_is_no_plain_success(finish: str) -> None:
    body = json.dumps({"candidates": [{"content": {}, "finishReason": finish}], "modelVersion": "m"}).encode()
    assert GEMINI.glance(body).failure is not None


# Usage


def test_cached_input_is_part_of_a_prompt_and_no_part_of_input_tokens() -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 5}
    told = answered(ANTHROPIC, OPENAI, message_answer({"type": "text", "text": "a"}, usage=usage))["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (130, 5, 135)
    assert told["prompt_tokens_details"]["cached_tokens"] == 100
    chat = {
        "prompt_tokens": 130,
        "completion_tokens": 5,
        "total_tokens": 135,
        "prompt_tokens_details": {"cached_tokens": 100},
    }
    told = answered(OPENAI, ANTHROPIC, chat_answer({"content": "a"}, usage=chat))["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"], told["output_tokens"]) == (30, 100, 5)
    native = {
        "promptTokenCount": 130,
        "cachedContentTokenCount": 100,
        "candidatesTokenCount": 5,
        "totalTokenCount": 135,
    }
    told = answered(GEMINI, ANTHROPIC, gemini_answer({"text": "a"}, usageMetadata=native))["usage"]
    assert (told["input_tokens"], told["cache_read_input_tokens"], told["output_tokens"]) == (30, 100, 5)


def test_more_from_the_cache_than_was_asked_is_never_negative_and_never_billed() -> None:
    chat = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 161},
    }
    body = chat_answer({"content": "a"}, usage=chat)
    told = answered(OPENAI, ANTHROPIC, body)["usage"]
    assert min(value for value in told.values() if isinstance(value, int)) >= 0
    usage = OPENAI.parse_answer(json.dumps(body).encode()).usage
    assert usage is not None
    assert usage.estimated


def test_reasoning_is_part_of_the_output_wherever_it_was_counted() -> None:
    native = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 20, "totalTokenCount": 35}
    told = answered(GEMINI, OPENAI, gemini_answer({"text": "a"}, usageMetadata=native))["usage"]
    assert (told["completion_tokens"], told["total_tokens"]) == (25, 35)
    assert told["completion_tokens_details"]["reasoning_tokens"] == 20
    told = answered(GEMINI, ANTHROPIC, gemini_answer({"text": "a"}, usageMetadata=native))["usage"]
    assert told["output_tokens"] == 25
    outside = {
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35, "completion_tokens_details": {"reasoning_tokens": 20},
    }  # fmt: skip
    told = answered(OPENAI, GEMINI, chat_answer({"content": "a"}, usage=outside))["usageMetadata"]
    assert (told["candidatesTokenCount"], told["thoughtsTokenCount"], told["totalTokenCount"]) == (5, 20, 35)


def test_cumulative_usage_of_a_stream_is_never_summed() -> None:
    def chunk(text: str, count: int, **more: Any) -> dict[str, Any]:
        usage = {"promptTokenCount": 10, "candidatesTokenCount": count, "totalTokenCount": 10 + count}
        content = {"role": "model", "parts": [{"text": text}]}
        return {"candidates": [{"content": content, "index": 0, **more}], "usageMetadata": usage, "modelVersion": "m"}

    events = streamed(GEMINI, OPENAI, chunk("a", 3), chunk("b", 7), chunk("c", 9, finishReason="STOP"))
    [usage] = [event["usage"] for event in events if event.get("usage")]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 9, 19)
    assert [event for event in events if not event["choices"]] == [events[-1]]
    hidden = streamed(GEMINI, OPENAI, chunk("a", 3), chunk("c", 9, finishReason="STOP"), usage=None)
    assert not any(event.get("usage") for event in hidden)
    assert all(event["choices"] for event in hidden)


# Streams


def test_whole_calls_of_gemini_are_calls_with_an_index_and_blocks_of_their_own() -> None:
    parts = [{"functionCall": {"name": name, "args": {"city": name}}} for name in ("f", "g")]
    piece = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}]}
    events = streamed(GEMINI, OPENAI, piece)
    calls = [call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls", [])]
    assert {call["index"] for call in calls} == {0, 1}
    assert [event["choices"][0]["finish_reason"] for event in events if event["choices"]][-1] == "tool_calls"
    events = streamed(GEMINI, ANTHROPIC, piece)
    assert [event["index"] for event in events if event["type"] == "content_block_start"] == [0, 1]
    open_: list[int] = []
    for event in events:
        if event["type"] == "content_block_start":
            assert not open_
            open_.append(event["index"])
        elif event["type"] == "content_block_stop":
            open_.remove(event["index"])


@pytest.mark.parametrize("target", ["openai", "anthropic", "gemini"])
def test_azures_first_chunk_without_choices_is_survived(target: str) -> None:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    filters = {**head, "choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    null = {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]}
    said = {**head, "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
    end = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    told = json.dumps(streamed(OPENAI, ALL[target], filters, null, said, end))
    assert told.count('"Hi"') == 1


# Reasoning and seals


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_never_become_words(field: str) -> None:
    body = chat_answer({"content": "42", field: "Let me think."})
    told = answered(OPENAI, ANTHROPIC, body)
    assert [block["type"] for block in told["content"]] == ["thinking", "text"]
    parts = answered(OPENAI, GEMINI, body)["candidates"][0]["content"]["parts"]
    assert [(part["text"], part.get("thought", False)) for part in parts] == [("Let me think.", True), ("42", False)]
    thought = gemini_answer({"text": "Let me think.", "thought": True}, {"text": "42"})
    message = answered(GEMINI, OPENAI, thought)["choices"][0]["message"]
    assert message["content"] == "42"
    assert "Let me think." in json.dumps(message)


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_a_signature_of_gemini_returns_on_the_call_that_bore_it(client: str) -> None:
    body = gemini_answer(
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2lnbmVk"},
        {"functionCall": {"name": "g", "args": {}}},
    )
    told = answered(GEMINI, ALL[client], body)
    turn = told["choices"][0]["message"] if client == "openai" else {"role": "assistant", "content": told["content"]}
    back, _ = asked(ALL[client], GEMINI, messages=[{"role": "user", "content": "?"}, turn])
    parts = back["contents"][1]["parts"]
    calls = [(part["functionCall"]["name"], part.get("thoughtSignature")) for part in parts if "functionCall" in part]
    assert calls == [("f", "c2lnbmVk"), ("g", None)]


@pytest.mark.parametrize("client", ["openai", "gemini"])
def test_a_signature_of_anthropic_returns_with_its_thinking(client: str) -> None:
    thinking = {"type": "thinking", "thinking": "Let me think.", "signature": "c2lnbmVk"}
    told = answered(ANTHROPIC, ALL[client], message_answer(thinking, {"type": "text", "text": "42"}))
    if client == "openai":
        body: dict[str, Any] = {
            "messages": [
                {"role": "user", "content": "?"},
                told["choices"][0]["message"],
                {"role": "user", "content": "!"},
            ]
        }
    else:
        turn = told["candidates"][0]["content"]
        body = {
            "contents": [{"role": "user", "parts": [{"text": "?"}]}, turn, {"role": "user", "parts": [{"text": "!"}]}]
        }
    back, _ = asked(ALL[client], ANTHROPIC, **body)
    assert back["messages"][1]["content"][0] == thinking


def test_a_signature_crosses_to_no_other_provider() -> None:
    thinking = {"type": "thinking", "thinking": "Let me think.", "signature": "c2lnbmVk"}
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "42"}]},
    ]
    for target in (OPENAI, GEMINI):
        told, losses = asked(ANTHROPIC, target, messages=turns)
        assert "c2lnbmVk" not in json.dumps(told)
        assert "Let me think." not in json.dumps(told)
        assert losses == {"messages.reasoning"}


# Refusals and filters


def test_a_blocked_prompt_of_gemini_is_a_filtered_answer() -> None:
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
        "modelVersion": "m",
    }
    failure = GEMINI.glance(json.dumps(blocked).encode()).failure
    assert failure is not None
    assert failure.kind is FailureKind.CONTENT_FILTER
    assert stop_of(OPENAI, answered(GEMINI, OPENAI, blocked)) == "content_filter"
    assert stop_of(ANTHROPIC, answered(GEMINI, ANTHROPIC, blocked)) == "refusal"


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("openai", chat_answer({"content": None, "refusal": "I cannot."})),
        ("anthropic", message_answer({"type": "text", "text": "I cannot."}, stop="refusal")),
    ],
)
def test_a_refusal_is_never_a_plain_end(source: str, body: dict[str, Any]) -> None:
    told = answered(ALL[source], ANTHROPIC, body)
    assert told["stop_reason"] == "refusal"
    told = answered(ALL[source], OPENAI, body)
    message, finish = told["choices"][0]["message"], told["choices"][0]["finish_reason"]
    assert message.get("refusal") or finish == "content_filter"
    assert "I cannot." in json.dumps(answered(ALL[source], GEMINI, body))


def test_a_refusal_without_a_word_is_no_empty_answer() -> None:
    silent = json.dumps(message_answer(stop="refusal")).encode()
    assert ANTHROPIC.glance(silent).failure is None
    told = answered(ANTHROPIC, OPENAI, message_answer(stop="refusal"))
    assert stop_of(OPENAI, told) == "content_filter"


# Errors after a 200


ERRORS = [
    (OPENAI, b'event: error\ndata: {"error": {"message": "tool_use_failed", "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": "x", "status_code": 400}}\n\n'),
    (OPENAI, b'data: {"id": "c", "error": {"code": 502, "message": "upstream"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}\n\n'),
    (ANTHROPIC, b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'),
    (GEMINI, b'data: {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}\n\n'),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "told"), ERRORS)
def test_an_error_inside_a_stream_is_seen_and_never_a_finish(dialect: Dialect, told: bytes) -> None:
    parser = SseParser()
    [event] = [*parser.feed(told), *parser.flush()]
    seen = dialect.watcher(hide_usage=False).see(event)
    assert seen & FAILED
    heard = dialect.decoder().decode(event)
    assert isinstance(heard[-1], Failed)
    assert not any(isinstance(one, Finish | End) for one in heard)


def test_an_error_in_a_whole_answer_of_azure_is_seen() -> None:
    assert (
        OPENAI.glance(b'{"error": {"code": "content_filter", "message": "filtered", "status": 400}}').failure
        is not None
    )
    assert (
        GEMINI.glance(b'{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}').failure
        is not None
    )


def test_alternatives_are_told_in_the_order_of_their_numbers() -> None:
    chat = {"id": "c", "created": 1, "model": "m"}
    chat["choices"] = [
        {"index": n, "message": {"content": said}, "finish_reason": "stop"} for n, said in ((1, "b"), (0, "a"))
    ]
    gemini = [{"index": 1, "content": {"parts": [{"text": "b"}]}}, {"content": {"parts": [{"text": "a"}]}}]
    for source, body in ((OPENAI, chat), (GEMINI, {"candidates": gemini, "modelVersion": "m"})):
        assert answered(source, ANTHROPIC, body)["content"][0]["text"] == "a"
    unnumbered = {**chat, "choices": [{"message": {"content": said}} for said in "ba"]}
    assert answered(OPENAI, ANTHROPIC, unnumbered)["content"][0]["text"] == "b"

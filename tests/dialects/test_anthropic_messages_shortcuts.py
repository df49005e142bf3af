"""What is seen of Messages in passing: what says something, what a request needs, and what must not go back to the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.core.failure import FailureKind
from understudy.core.request import Call
from understudy.dialects import BY_THE_BOOK, CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, BadBody
from understudy.dialects.anthropic_messages import DIALECT
from understudy.dialects.anthropic_messages.needs import BYTES_PER_TOKEN, MEDIA_TOKENS, TOOLS_TOKENS
from understudy.dialects.anthropic_messages.wire import SEAL
from understudy.framing.sse import SseEvent

TEXT = {"type": "text", "text": "a"}


def see(watcher: Any, **event: Any) -> int:
    return int(watcher.see(SseEvent(b"", str(event["type"]).encode(), json.dumps(event).encode())))


# Streams


def start(content: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"content": content, "usage": {"input_tokens": 1, "output_tokens": 0}}}


def block(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": fields}


def delta(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


SPEAKS = [
    start([TEXT]),
    block(type="text", text="a"),
    block(type="thinking", thinking="a"),
    block(type="redacted_thinking", data="a"),
    block(type="tool_use", id="t1", name="f", input={}),
    delta(type="text_delta", text="a"),
    delta(type="thinking_delta", thinking="a"),
    delta(type="input_json_delta", partial_json="{"),
]
SILENT = [
    start([]),
    start(None),
    block(type="text", text=""),
    block(type="text"),
    block(type="thinking", thinking="", signature=""),
    delta(type="text_delta", text=""),
    delta(type="input_json_delta", partial_json=""),
    delta(type="signature_delta", signature="a"),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "usage": {"output_tokens": 0}},
    {"type": "message_delta", "delta": {"stop_reason": None}},
    {"type": "heard_of_nowhere"},
]


@pytest.mark.parametrize(("event", "speaks"), [(e, True) for e in SPEAKS] + [(e, False) for e in SILENT], ids=str)
def test_what_says_something_is_content_and_a_stream_without_it_is_no_answer(
    event: dict[str, Any], speaks: bool
) -> None:
    watcher = DIALECT.watcher(hide_usage=False)
    assert see(watcher, **event) == (CONTENT | PROGRESS if speaks else PROGRESS)
    assert see(watcher, type="ping") == 0
    assert see(watcher, type="message_stop") == (END | PROGRESS if speaks else END | FAILED | PROGRESS)
    assert (watcher.failure is None) == speaks


@pytest.mark.parametrize(
    ("reason", "tokens", "excused"),
    [
        ("refusal", 0, True),
        ("max_tokens", 0, True),
        ("pause_turn", 0, True),
        ("end_turn", 3, True),
        ("end_turn", 0, False),
        ("tool_use", 3, False),
    ],
)
def test_a_stream_that_says_why_it_says_nothing_is_an_answer(reason: str, tokens: int, excused: bool) -> None:
    watcher = DIALECT.watcher(hide_usage=False)
    see(watcher, **start([]))
    bits = see(watcher, type="message_delta", delta={"stop_reason": reason}, usage={"output_tokens": tokens})
    assert bits == FINISH | PROGRESS | (CONTENT if excused else 0)
    assert watcher.stop_native == reason
    assert see(watcher, type="message_stop") == (END | PROGRESS if excused else END | FAILED | PROGRESS)
    whole = {
        "type": "message",
        "content": [],
        "stop_reason": reason,
        "usage": {"input_tokens": 1, "output_tokens": tokens},
    }
    assert (DIALECT.glance(json.dumps(whole).encode()).failure is None) == excused


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"content": [TEXT]}, None),
        ({"content": [TEXT], "error": {"message": "a"}}, None),
        ({"content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}], "stop_reason": "tool_use"}, None),
        ({"content": [{"type": "thinking", "thinking": "", "signature": "a"}]}, None),
        ({"content": [], "stop_reason": "end_turn"}, FailureKind.EMPTY),
        ({"content": [], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}, None),
        ({"content": [{"type": "text", "text": ""}]}, FailureKind.EMPTY),
        ({"content": [{"text": "", "type": "text", "citations": []}, {"type": "text"}]}, FailureKind.EMPTY),
        ({"error": {"type": "overloaded_error", "message": "a"}}, FailureKind.OVERLOADED),
        ({"type": "error", "content": [], "error": {"type": "overloaded_error"}}, FailureKind.OVERLOADED),
    ],
    ids=str,
)
def test_a_glance_tells_answers_from_errors_and_from_silence(answer: dict[str, Any], kind: FailureKind | None) -> None:
    for spaces in (None, 2):
        failure = DIALECT.glance(json.dumps({"type": "message"} | answer, indent=spaces).encode()).failure
        assert (failure.kind if failure else None) is kind


@pytest.mark.parametrize("content", [None, "a", {}, ["a"], [{"type": "text", "text": 7}], [{"thinking": []}]], ids=str)
def test_content_that_is_no_content_is_refused_at_a_glance(content: Any) -> None:
    with pytest.raises(BadAnswer):
        DIALECT.glance(json.dumps({"type": "message", "content": content}).encode())


def test_a_reason_that_comes_after_words_is_no_word() -> None:
    watcher = DIALECT.watcher(hide_usage=False)
    see(watcher, **delta(type="text_delta", text="a"))
    assert see(watcher, type="message_delta", delta={"stop_reason": "max_tokens"}) == FINISH | PROGRESS


# Requests


def needs(**members: Any) -> Any:
    return DIALECT.needs(json.dumps({"model": "m", "max_tokens": 9, "messages": [], **members}).encode())


def said(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": list(content)}]}


STORED = {"type": "file", "file_id": "f1"}
LINKED = {"type": "url", "url": "https://a.test/b"}


@pytest.mark.parametrize(
    ("members", "features"),
    [
        ({}, ()),
        ({"tools": []}, ()),
        ({"tools": None}, ()),
        ({"tools": [{"name": "f", "input_schema": {}}]}, ("tools",)),
        ({"output_config": {"format": {"type": "json_schema"}}}, ("json_schema",)),
        ({"output_config": {"format": None, "effort": None}}, ()),
        ({"output_config": None}, ()),
        ({"output_config": {"effort": "low"}}, ("reasoning",)),
        ({"output_format": {"type": "json_schema"}}, ("json_schema",)),
        ({"output_format": None}, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ("reasoning",)),
        ({"thinking": {"type": "adaptive"}}, ("reasoning",)),
        ({"thinking": {"type": "disabled"}}, ()),
        ({"thinking": None}, ()),
        ({"container": "c1"}, ("stored",)),
        ({"container": {"skills": []}}, ()),
        ({"container": None}, ()),
        (said({"type": "image", "source": LINKED}, {"type": "document", "source": LINKED}), ("documents", "images")),
        (said({"type": "image", "source": STORED}), ("images", "stored")),
        (said({"type": "image"}), ("images",)),
        (said({"type": "container_upload", "file_id": "f1"}), ("stored",)),
        (said({"type": "tool_result", "content": [{"type": "image", "source": LINKED}]}), ("images",)),
        (said({"type": "tool_result", "content": "a"}, {"type": "tool_result"}), ()),
        (said({"type": "text", "content": [{"type": "image"}], "text": "a"}), ()),
    ],
    ids=str,
)
def test_a_request_needs_what_its_parts_do(members: dict[str, Any], features: tuple[str, ...]) -> None:
    assert needs(**members).features == features


def test_pictures_count_as_pictures_and_tools_as_what_the_api_writes_about_them() -> None:
    plain = needs(**said(TEXT)).tokens_in
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "a" * 90_000}}
    assert MEDIA_TOKENS <= needs(**said(TEXT, picture)).tokens_in - plain <= MEDIA_TOKENS + 30
    inside = {"type": "tool_result", "content": [picture, picture]}
    assert 2 * MEDIA_TOKENS <= needs(**said(TEXT, inside)).tokens_in - plain <= 2 * MEDIA_TOKENS + 60
    linked = {"type": "image", "source": {"type": "url", "url": "a" * 4000}}
    assert needs(**said(TEXT, linked)).tokens_in - plain >= 4000 // BYTES_PER_TOKEN
    assert needs(**said(TEXT), tools=[{"name": "f"}]).tokens_in - plain in range(TOOLS_TOKENS, TOOLS_TOKENS + 12)


@pytest.mark.parametrize("where", ["messages", "tools", "metadata"])
def test_bytes_that_are_no_text_are_refused_wherever_they_are(where: str) -> None:
    asked = {"model": "m", "messages": [], "tools": [], "metadata": {}, where: ["BROKEN"]}
    if where == "messages":
        asked |= {"messages": [{"role": "user", "content": [TEXT | {"text": "BROKEN"}]}]}
    with pytest.raises(BadBody, match="UTF-8"):
        DIALECT.needs(json.dumps(asked).encode().replace(b"BROKEN", b"\xff\xfe"))


# Thinking that somebody else sealed, or nobody

OWN = {"type": "thinking", "thinking": "a", "signature": "EqQB"}
FOREIGN = [OWN | {"signature": f"{SEAL}x.y"}, OWN | {"signature": ""}]
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
ASKED = {"role": "user", "content": "a"}
ENABLED = {"type": "enabled", "budget_tokens": 1024}


def fitted(content: list[Any], thinking: dict[str, Any] = ENABLED) -> tuple[dict[str, Any], tuple[str, ...]]:
    turns = [ASKED, {"role": "assistant", "content": content}, ASKED]
    raw = json.dumps({"model": "m", "max_tokens": 9, "messages": turns, "thinking": thinking}).encode()
    body, lost = DIALECT.retarget(Call(DIALECT.name, DIALECT.needs(raw), raw), "theirs", BY_THE_BOOK)
    return json.loads(body), lost


@pytest.mark.parametrize("foreign", FOREIGN, ids=["sealed", "unsigned"])
@pytest.mark.parametrize(
    ("content", "kept", "thinks"),
    [
        ([TEXT], [TEXT], True),
        ([], None, True),
        ([TEXT, CALL], [TEXT, CALL], False),
        ([OWN, CALL], [OWN, CALL], True),
        ([OWN, TEXT], [OWN, TEXT], True),
        ([{"type": "redacted_thinking", "data": "a"}, CALL], [{"type": "redacted_thinking", "data": "a"}, CALL], True),
    ],
    ids=["words", "nothing", "a call", "own thinking and a call", "own thinking and words", "redacted and a call"],
)
def test_thinking_that_the_api_did_not_sign_stays_here(
    foreign: dict[str, Any], content: list[Any], kept: list[Any] | None, thinks: bool
) -> None:
    body, lost = fitted([foreign, *content])
    turns = [turn["content"] for turn in body["messages"] if turn["role"] == "assistant"]
    assert turns == ([] if kept is None else [kept])
    assert ("thinking" in body) == thinks  # the API wants thinking before a call, or none at all
    assert lost == (("messages.reasoning",) if thinks else ("messages.reasoning", "reasoning"))
    adaptive, _ = fitted([foreign, *content], {"type": "adaptive"})
    assert adaptive["thinking"] == {"type": "adaptive"}


def test_thinking_that_the_api_signed_goes_back_untouched() -> None:
    body, lost = fitted([OWN, TEXT, CALL])
    assert body["messages"][1]["content"] == [OWN, TEXT, CALL]
    assert body["thinking"] == ENABLED
    assert lost == ()

"""What nearly every request, answer and event takes is a shortcut: it must say what the long way says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.request import Call
from understudy.dialects import BY_THE_BOOK, CONTENT, END, FAILED, FINISH, PROGRESS, BadBody, Quirks
from understudy.dialects.openai_chat import DIALECT
from understudy.dialects.openai_chat.wire import read_usage
from understudy.framing.sse import SseEvent

# Usage

COUNT = st.sampled_from([None, 0, 1, 2, 3, 7])
INSIDE = st.fixed_dictionaries(
    {}, optional={"cached_tokens": COUNT, "audio_tokens": COUNT, "cache_write_tokens": COUNT}
)
OUTSIDE = st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNT, "audio_tokens": COUNT})


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    prompt, completion = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    beyond = draw(st.sampled_from([0, 0, 0, 1, -1]))
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion + beyond}
    others = st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens_details": st.none() | INSIDE,
            "completion_tokens_details": st.none() | OUTSIDE,
            "prompt_cache_hit_tokens": COUNT,
            "cached_tokens": COUNT,
            "num_cached_tokens": COUNT,
            "cache_creation_input_tokens": COUNT,
        },
    )
    return usage | draw(others)


@given(usages(), st.none() | st.just({"cache_n": 2}))
def test_plain_counts_are_what_any_counts_are(usage: dict[str, Any], timings: dict[str, int] | None) -> None:
    answer = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": usage}
    if timings is not None:
        answer["timings"] = timings
    assert DIALECT.glance(json.dumps(answer).encode()).usage == read_usage(usage, timings)


# Events

DELTA = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": st.sampled_from([None, "", "a", [], [{"type": "text", "text": "a"}], [{"type": "text"}], 0]),
        "reasoning": st.sampled_from([None, "", "a"]),
        "tool_calls": st.sampled_from([None, [], [{"index": 0}]]),
    },
)
CHOICE = st.fixed_dictionaries({"delta": DELTA}, optional={"finish_reason": st.sampled_from([None, "", "stop", 7])})
CHUNK = st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2)},
    optional={
        "usage": st.sampled_from([None, {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}]),
        "error": st.sampled_from([None, {"message": "no", "code": "server_error"}]),
        "object": st.sampled_from(["chat.completion.chunk", "error"]),
        "x_groq": st.sampled_from([None, {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}]),
    },
)


@given(CHUNK, st.booleans())
def test_an_event_of_the_usual_kind_means_what_a_named_one_does(chunk: dict[str, Any], hide: bool) -> None:
    data = json.dumps(chunk).encode()
    seen = []
    for name in (b"", b"message"):  # a name that means nothing, and is looked at all the same
        watcher = DIALECT.watcher(hide_usage=hide)
        bits = watcher.see(SseEvent(b"", name, data))
        seen.append((bits, watcher.usage, watcher.failure, watcher.has_content, watcher.stop_native))
    assert seen[0] == seen[1]


# What says something

SPEAKS: list[dict[str, Any]] = [
    {"content": "a"},
    {"content": [{"type": "text", "text": "a"}]},
    {"content": ["a"]},
    {"reasoning_content": "a"},
    {"reasoning": "a"},
    {"refusal": "a"},
    {"tool_calls": [{"index": 0, "function": {"name": "f"}}]},
    {"function_call": {"name": "f"}},
    {"audio": {"id": "a1", "data": "UklG"}},
    {"audio": {"id": "a1", "transcript": "a"}},
    {"images": [{"image_url": {"url": "data:"}}]},
    {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "a"}]},
]
SILENT: list[dict[str, Any] | None] = [
    None,
    {},
    {"content": ""},
    {"content": []},
    {"content": [{"type": "text", "text": ""}]},
    {"content": {"type": "text"}},
    {"content": 7},
    {"tool_calls": []},
    {"function_call": {}},
    {"function_call": {"arguments": ""}},
    {"audio": {"id": "a1", "expires_at": 1}},
    {"audio": "a1"},
    {"reasoning_details": [{"type": "reasoning.text", "index": 0, "format": "x", "id": "r1", "text": ""}]},
    {"reasoning_details": {"text": "a"}},
    {"audio": {}, "images": [], "reasoning_details": []},
]


@pytest.mark.parametrize(
    ("said", "speaks"), [(each, True) for each in SPEAKS] + [(each, False) for each in SILENT], ids=str
)
def test_what_says_something_is_content_in_a_stream_and_in_an_answer(said: Any, speaks: bool) -> None:
    watcher = DIALECT.watcher(hide_usage=False)
    bits = watcher.see(SseEvent(b"", b"", json.dumps({"choices": [{"delta": said}]}).encode()))
    assert bits == (CONTENT | PROGRESS if speaks else PROGRESS)
    ending = watcher.see(SseEvent(b"", b"", b"[DONE]"))  # no finish reason came before it: some providers forget
    assert ending == (END | FINISH | PROGRESS if speaks else END | FAILED | PROGRESS)
    for name in ("message", "delta"):
        for choices in ([{name: said}], [{name: said}, {name: None}], [{name: None}, {name: said}]):
            told = DIALECT.glance(json.dumps({"choices": choices}).encode())
            assert (told.failure is None) == speaks


def test_the_first_reason_that_is_a_word_is_why_an_answer_ended() -> None:
    choices = [{"message": {"content": "a"}, "finish_reason": reason} for reason in (None, 7, "stop", "length")]
    assert DIALECT.glance(json.dumps({"choices": choices}).encode()).stop_native == "stop"


def test_an_event_named_error_is_one_whatever_is_in_it() -> None:
    watcher = DIALECT.watcher(hide_usage=False)
    assert watcher.see(SseEvent(b"", b"error", b'{"message":"validation failed"}')) & FAILED
    assert watcher.failure is not None


# Requests

MARKED = {"cache_control": {"type": "ephemeral"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TURN = {"role": "user", "content": "a"}
ODD_TURNS: list[dict[str, Any]] = [
    TURN | MARKED,
    TURN | {"content": [{"type": "text", "text": "a"} | MARKED]},
    TURN | {"role": "developer"},
    {"role": "assistant", "content": "a", "reasoning": "b"},
    {"role": "assistant", "content": "a", "reasoning_content": "b"},
    {"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "b"}]},
    {"role": "assistant", "tool_calls": [CALL | MARKED]},
]
PLAIN_TURNS: list[dict[str, Any]] = [
    TURN,
    TURN | {"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "b" * 9000}}]},
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "a"},
    {"role": "system", "content": "a"},
]
UNNAMED = b'{"x_nowhere":12,'  # keeps a request from being read the quick way; three or four tokens more


@pytest.mark.parametrize("turn", [*PLAIN_TURNS, *ODD_TURNS], ids=str)
@pytest.mark.parametrize("tool", [{}, MARKED], ids=["", "marked tool"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_request_is_plain_when_every_server_takes_all_of_it_however_it_is_read(
    turn: dict[str, Any], tool: dict[str, Any], first: bool
) -> None:
    tools = [{"type": "function", "function": {"name": "f"}} | tool]
    turns = [turn, TURN] if first else [TURN, turn]
    body = json.dumps({"model": "m", "messages": turns, "tools": tools}).encode()
    needs = DIALECT.needs(body)
    assert needs.plain == (turn in PLAIN_TURNS and not tool)
    longer = DIALECT.needs(UNNAMED + body[1:])
    assert replace(longer, tokens_in=0) == replace(needs, tokens_in=0)
    assert longer.tokens_in - needs.tokens_in in (3, 4)
    assert needs.tokens_in < 1100  # the picture counts as one, not as its bytes


@pytest.mark.parametrize("turn", [*PLAIN_TURNS, *ODD_TURNS], ids=str)
@pytest.mark.parametrize(
    "quirks",
    [
        BY_THE_BOOK,
        Quirks(cache_marks=False),
        Quirks(roles=(("developer", "system"),)),
        Quirks(tool_ids=("[a-z]{3}", 3)),
    ],
    ids=["by the book", "no marks", "no developer", "short ids"],
)
def test_a_request_is_written_as_if_every_turn_had_been_opened(turn: dict[str, Any], quirks: Quirks) -> None:
    body = json.dumps({"model": "m", "messages": [TURN, turn]}).encode()
    needs = DIALECT.needs(body)
    fitted, dropped = DIALECT.retarget(Call(dialect=DIALECT.name, needs=needs, body=body), "theirs", quirks)
    opened = Call(dialect=DIALECT.name, needs=replace(needs, plain=False), body=body)
    told, lost = DIALECT.retarget(opened, "theirs", quirks)
    assert (json.loads(fitted), dropped) == (json.loads(told), lost)


@pytest.mark.parametrize("where", ["messages", "tools", "metadata"])
def test_bytes_that_are_no_text_are_refused_wherever_they_are(where: str) -> None:
    asked = {"model": "m", "messages": [TURN], "tools": [{"type": "function"}], "metadata": {"a": "b"}}
    asked[where] = "BROKEN" if where != "messages" else [TURN | {"content": "BROKEN"}]
    with pytest.raises(BadBody, match="UTF-8"):
        DIALECT.needs(json.dumps(asked).encode().replace(b"BROKEN", b"\xff\xfe"))


@pytest.mark.parametrize(("n", "many"), [(None, False), (0, False), (1, False), (2, True), (3, True)])
def test_more_than_one_answer_is_many(n: int | None, many: bool) -> None:
    needs = DIALECT.needs(json.dumps({"model": "m", "messages": [TURN], "n": n}).encode())
    assert ("many" in needs.features) == many
    assert needs.n == (n or 1)


def test_a_request_needs_what_its_parts_do_once_each_and_in_order() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
        {"type": "image_url", "image_url": "https://a.test/c.png"},
        {"type": "file", "file": {"file_id": "f1"}},
        {"type": "file", "file": {"file_id": "f2"}},
        {"type": "input_audio", "input_audio": {"data": "UklG"}},
        {"type": ["image_url"]},
        "text",
    ]
    asked = {"model": "m", "messages": [TURN | {"content": parts}], "logprobs": True, "functions": [{"name": "f"}]}
    needs = DIALECT.needs(json.dumps(asked).encode())
    assert needs.features == ("audio", "documents", "images", "logprobs", "stored", "tools")

"""Chat Completions requests that stay Chat Completions: what they need, and what changes on their way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.request import Call, Needs
from understudy.dialects import BY_THE_BOOK, BadBody, Quirks
from understudy.dialects.openai_chat import DIALECT

USER = {"role": "user", "content": "hello"}


def body(*messages, **members) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages or (USER,)), **members}).encode()


def needs(*messages, **members):
    return DIALECT.needs(body(*messages, **members))


def part(**fields):
    return {"role": "user", "content": [{"type": "text", "text": "a"}, fields]}


# Needs


def test_a_plain_request_needs_nothing_special():
    plain = needs(stream=None, stream_options=None, n=None, tools=None, max_tokens=None, logprobs=None)
    assert (plain.model, plain.stream, plain.include_usage, plain.max_tokens, plain.n, plain.features) == (
        "m",
        False,
        None,
        None,
        1,
        (),
    )
    assert plain.tokens_in > 10


@pytest.mark.parametrize(
    ("request_body", "features"),
    [
        (body(tools=[{"type": "function", "function": {"name": "f"}}]), ("tools",)),
        (body(tools=[]), ()),
        (body(functions=[{"name": "f"}]), ("tools",)),
        (body(response_format={"type": "json_schema", "json_schema": {}}), ("json_schema",)),
        (body(response_format={"type": "json_object"}), ()),
        (body(response_format="odd"), ()),
        (body(reasoning_effort="low"), ("reasoning",)),
        (body(reasoning_effort="none"), ()),
        (body(reasoning={"enabled": True}), ("reasoning",)),
        (body(reasoning={"enabled": False}), ()),
        (body(reasoning={"effort": "none"}), ()),
        (body(reasoning=None, thinking={}), ()),
        (body(thinking={"type": "enabled"}), ("reasoning",)),
        (body(thinking={"type": "disabled"}), ()),
        (body(logprobs=True), ("logprobs",)),
        (body(logprobs=False), ()),
        (body(n=2), ("many",)),
        (body(modalities=["text", "audio"]), ("audio",)),
        (body(modalities=["text"]), ()),
        (body(part(type="image_url", image_url={"url": "https://h/a.png"})), ("images",)),
        (body(part(type="image_url", image_url="https://h/a.png")), ("images",)),
        (body(part(type="input_audio", input_audio={"data": "QUJD", "format": "wav"})), ("audio",)),
        (body(part(type="file", file={"file_id": "file-1"})), ("documents", "stored")),
        (body(part(type="document_url", document_url="https://h/a.pdf")), ("documents",)),
        (body(part(type="video_url", video_url={"url": "https://h/a.mp4"})), ("video",)),
        (body(part(type="novel"), part(type=3), {"role": "user", "content": ["a"]}), ()),
        (body({"role": "user", "content": 'the word "image_url" alone'}), ()),
    ],
)
def test_features_are_read_off_the_body(request_body, features):
    assert DIALECT.needs(request_body).features == features


def test_bounds_and_alternatives_are_read():
    assert needs(max_tokens=5).max_tokens == 5
    assert needs(max_tokens=5, max_completion_tokens=7).max_tokens == 7
    assert needs(max_tokens=0).max_tokens == 0
    assert needs(n=3).n == 3
    assert needs(stream=True, stream_options={"include_usage": True}).include_usage is True


def test_the_bytes_of_a_picture_are_no_text():
    picture = part(type="image_url", image_url={"url": "data:image/png;base64," + "A" * 400_000})
    assert needs(picture).tokens_in < 2000
    assert needs({"role": "user", "content": "A" * 400_000}).tokens_in > 90_000


@pytest.mark.parametrize(
    ("request_body", "complaint"),
    [
        (b'{"messages": []}', "the body lacks `model`"),
        (b'{"model": "m"}', "the body lacks `messages`"),
        (b'{"model": 3, "messages": []}', "model: expected `str`"),
        (b'{"model": "m", "messages": "hello"}', "messages: expected `array`"),
        (b'{"model": "m", "messages": [3]}', "messages.*: expected `object`"),
        (b'{"model": "m", "messages": [], "stream": "yes"}', "stream: expected `bool"),
        (b'{"model": "m", "messages": [], "max_tokens": "many"}', "max_tokens: expected `int"),
        (b'{"model": "m", ', "not valid JSON"),
        (b'{"model": "\xff", "messages": []}', "not valid UTF-8"),
        (b'{"model": "m", "messages": [], "x": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_bad_body_is_explained(request_body, complaint):
    with pytest.raises(BadBody, match=complaint):
        DIALECT.needs(request_body)


# On to a target of the same dialect


def sent(request_body: bytes, quirks: Quirks = BY_THE_BOOK):
    call = Call(dialect=DIALECT.name, needs=DIALECT.needs(request_body), body=request_body)
    fitted, dropped = DIALECT.retarget(call, "theirs", quirks)
    return json.loads(fitted), dropped


def test_a_stream_is_asked_for_its_usage():
    assert sent(body(stream=True))[0]["stream_options"] == {"include_usage": True}
    assert sent(body(stream=True, stream_options=None))[0]["stream_options"] == {"include_usage": True}
    assert sent(body(stream=True, stream_options={"include_usage": True}))[0]["stream_options"] == {
        "include_usage": True
    }
    kept = sent(body(stream=True, stream_options={"include_usage": False, "include_obfuscation": False}))[0]
    assert kept["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert "stream_options" not in sent(body(stream=False))[0]
    assert "stream_options" not in sent(body(stream=True), Quirks(ask_usage=False))[0]


@pytest.mark.parametrize("wanted", ["max_tokens", "max_completion_tokens"])
def test_the_bound_goes_by_the_name_that_the_provider_knows(wanted):
    for told in (
        {"max_tokens": 5},
        {"max_completion_tokens": 5},
        {"max_tokens": 9, "max_completion_tokens": 5},
        {"max_tokens": 5, "max_completion_tokens": None},
    ):
        fitted, dropped = sent(body(**told), Quirks(max_tokens_field=wanted))
        assert {name: held for name, held in fitted.items() if name.startswith("max_")} == {wanted: 5}
        assert dropped == ()
    assert "max_tokens" not in sent(body(), Quirks(max_tokens_field="max_tokens"))[0]


def test_a_refused_question_for_usage_is_no_loss():
    quirks = Quirks(drop=("stream_options", "store"), ask_usage=False)
    fitted, dropped = sent(body(stream=True, stream_options={"include_usage": True}, store=False), quirks)
    assert "stream_options" not in fitted
    assert dropped == ("store",)
    assert sent(body(store=None), quirks) == ({"model": "theirs", "messages": [USER]}, ())


MARK = {"cache_control": {"type": "ephemeral"}}
MARKED = body(
    {"role": "system", "content": [{"type": "text", "text": "a", **MARK}]},
    {**USER, **MARK},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}, **MARK}]},
    tools=[{"type": "function", "function": {"name": "f"}, **MARK}, "odd"],
)  # fmt: skip


def test_cache_marks_are_taken_off_where_they_are_refused():
    fitted, dropped = sent(MARKED, Quirks(cache_marks=False))
    assert b"cache_control" not in json.dumps(fitted).encode()
    assert dropped == ("messages.cache_control", "tools.cache_control")
    assert sent(MARKED)[0]["messages"] == json.loads(MARKED)["messages"]


def test_words_that_only_look_like_marks_stay():
    talk = {"role": "user", "content": 'what is "cache_control"?'}
    fitted, dropped = sent(
        body(talk, tools=[{"function": {"name": "f", "parameters": {"cache_control": 1}}}]), Quirks(cache_marks=False)
    )
    assert fitted["messages"] == [talk]
    assert fitted["tools"][0]["function"]["parameters"] == {"cache_control": 1}
    assert dropped == ()
    assert sent(body({**USER, "cache_control": None}), Quirks(cache_marks=False)) == (
        {"model": "theirs", "messages": [USER]},
        (),
    )


def test_roles_are_renamed():
    quirks = Quirks(roles=(("developer", "system"),))
    fitted, dropped = sent(body({"role": "developer", "content": "a"}, USER), quirks)
    assert [message["role"] for message in fitted["messages"]] == ["system", "user"]
    assert dropped == ()
    odd = {"role": "user", "content": 'a "developer"'}
    assert sent(body(odd), quirks)[0]["messages"] == [odd]


def thinking(**fields):
    return {"role": "assistant", "content": "a", **fields}


OWN = {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}
FOREIGN = {
    "type": "reasoning.text",
    "text": "Hm.",
    "signature": "c2ln",
    "format": "understudy:anthropic_messages",
    "index": 0,
}


@pytest.mark.parametrize(
    ("told", "field", "kept", "lost"),
    [
        ({"reasoning_content": "Hm."}, None, {}, True),
        ({"reasoning_content": "Hm."}, "reasoning", {"reasoning": "Hm."}, False),
        ({"reasoning": "Hm."}, "reasoning_content", {"reasoning_content": "Hm."}, False),
        (
            {"reasoning": "Hm.", "reasoning_details": [OWN]},
            "reasoning",
            {"reasoning": "Hm.", "reasoning_details": [OWN]},
            False,
        ),
        ({"reasoning": "Hm.", "reasoning_details": [OWN]}, None, {}, True),
        ({"reasoning_content": "Hm.", "reasoning_details": [FOREIGN]}, "reasoning", {}, True),
        ({"reasoning_details": [FOREIGN, OWN]}, "reasoning", {"reasoning_details": [OWN]}, True),
        ({"reasoning": None, "reasoning_content": ""}, None, {}, False),
    ],
)
def test_thoughts_go_back_as_the_provider_takes_them_and_never_to_another(told, field, kept, lost):
    fitted, dropped = sent(body(thinking(**told)), Quirks(reasoning_field=field))
    assert fitted["messages"] == [thinking(**kept)]
    assert dropped == (("messages.reasoning",) if lost else ())


def test_a_question_about_reasoning_is_left_alone():
    asked = {"role": "user", "content": 'what does "reasoning" mean?'}
    assert sent(body(asked)) == ({"model": "theirs", "messages": [asked]}, ())


@pytest.mark.parametrize("odd", [{"role": ["developer"], "content": "a"}, {"role": "user", "content": "developer"}])
def test_odd_turns_pass_untouched(odd):
    assert sent(body(odd), Quirks(roles=(("developer", "system"),)))[0]["messages"] == [odd]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"messages": [' + b"[" * 100_000,
        b'{"model": "m", "messages": [{"role": "developer", "content": "\xff"}]}',
    ],
)
def test_a_body_that_cannot_be_read_is_refused(raw):
    call = Call(dialect=DIALECT.name, needs=Needs(model="m"), body=raw)
    with pytest.raises(BadBody):
        DIALECT.retarget(call, "theirs", Quirks(roles=(("developer", "system"),)))


# Written from what was read once

NULLS = st.none()
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "developer"])},
    optional={
        "content": st.one_of(NULLS, st.text(max_size=20), st.just([{"type": "text", "text": "a"}])),
        "name": st.text(max_size=3),
        "tool_call_id": st.just("call_1"),
        "tool_calls": st.just([{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]),
        "reasoning_content": st.text(max_size=3),
        "heard_of_nowhere": st.integers(),
    },
)
MEMBERS = st.fixed_dictionaries(
    {"messages": st.lists(TURNS, max_size=3)},
    optional={
        "stream": st.one_of(NULLS, st.booleans()),
        "stream_options": st.one_of(NULLS, st.just({"include_usage": True}), st.just({"include_usage": False})),
        "max_tokens": st.one_of(NULLS, st.integers(0, 9)),
        "max_completion_tokens": st.one_of(NULLS, st.integers(0, 9)),
        "n": st.one_of(NULLS, st.integers(1, 3)),
        "reasoning_effort": st.one_of(NULLS, st.sampled_from(["none", "low"])),
        "logprobs": st.one_of(NULLS, st.booleans()),
        "temperature": st.floats(0, 2),
        "tools": st.just([{"type": "function", "function": {"name": "f"}}]),
        "user": st.text(max_size=3),
        "heard_of_nowhere": st.just({"a": [1]}),
    },
)
READINGS = (
    BY_THE_BOOK,
    Quirks(max_tokens_field="max_tokens"),
    Quirks(max_tokens_field="max_completion_tokens", ask_usage=False),
    Quirks(roles=(("developer", "system"),), tool_ids=("[a-z]{3}", 3)),
    Quirks(drop=("user",), fields=(("store", False),)),
)


@given(MEMBERS, st.sampled_from(READINGS))
def test_a_request_that_is_not_read_again_says_what_one_that_is_says(members, quirks):
    raw = json.dumps({"model": "m", **members}).encode()
    call = Call(dialect=DIALECT.name, needs=DIALECT.needs(raw), body=raw)
    at_once, again = (DIALECT.retarget(call, "theirs", quirks) for _ in range(2))
    assert (json.loads(at_once[0]), at_once[1]) == (json.loads(again[0]), again[1])


def test_what_was_read_of_another_request_is_not_taken_for_this_one():
    mine, other = body({"role": "user", "content": "mine"}), body({"role": "user", "content": "another's"})
    call = Call(dialect=DIALECT.name, needs=DIALECT.needs(mine), body=mine)
    DIALECT.needs(other)
    assert json.loads(DIALECT.retarget(call, "theirs", BY_THE_BOOK)[0])["messages"][0]["content"] == "mine"

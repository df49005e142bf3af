"""Ollama's own chat: what its server does that no other does, and what becomes of it."""

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
    UsageSeen,
)
from understudy.core.assembly import assemble
from understudy.core.conversation import (
    Conversation,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Role,
    Settings,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.failure import Failure, FailureKind
from understudy.core.projection import Loss, project_answer, project_request
from understudy.core.request import Call
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, BadBody, Quirks
from understudy.dialects.ollama_chat import DIALECT

USER = Message(Role.USER, (Text("Hello"),))
TOOL = Tool("look_up", None, {"type": "object", "properties": {}})
MOMENT = "2026-03-01T10:00:00.123456Z"


def asks(*messages: Message, **more: Any) -> Conversation:
    return Conversation(**{"model": "qwen3", "messages": messages or (USER,), **more})


def written(conversation: Conversation) -> tuple[dict[str, Any], set[str]]:
    """The body for a conversation, and what it lost."""
    projected, losses = project_request(conversation, DIALECT.request_carries)
    return json.loads(DIALECT.render_request(projected)), {loss.name for loss in losses}


def read(**members: Any) -> Conversation:
    return DIALECT.parse_request(json.dumps({"model": "qwen3", "messages": [], **members}).encode())


def line(**members: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", **members.pop("message", {})}
    return {"model": "qwen3", "created_at": MOMENT, "message": message, "done": False, **members}


def done(**members: Any) -> dict[str, Any]:
    return line(**{"done": True, "done_reason": "stop", **members})


def answered(**members: Any) -> Answer:
    return DIALECT.parse_answer(json.dumps(done(**members)).encode())


def streamed(*lines: dict[str, Any]) -> list[Any]:
    decoder, framing = DIALECT.decoder(), DIALECT.framing()
    wire = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    return [event for one in framing.feed(wire) for event in decoder.decode(one)]


def watched(*lines: dict[str, Any]) -> tuple[list[int], Any]:
    watcher = DIALECT.watcher(hide_usage=False)
    wire = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    return [watcher.see(event) for event in DIALECT.framing().feed(wire)], watcher


# Requests


def test_settings_live_among_the_options():
    settings = Settings(
        max_tokens=50, temperature=0.5, top_p=0.9, top_k=4, stop=("END",), seed=7, frequency_penalty=0.1, presence_penalty=0.2
    )  # fmt: skip
    body, lost = written(asks(settings=settings))
    assert body["options"] == {
        "num_predict": 50, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop": ["END"], "seed": 7,
        "frequency_penalty": 0.1, "presence_penalty": 0.2,
    }  # fmt: skip
    assert not lost


def test_a_long_prompt_is_refused_rather_than_cut_in_silence():
    body, _ = written(asks())
    assert (body["truncate"], body["shift"]) == (False, False)
    assert read(truncate=True, shift=False).extra == Extra("ollama_chat", {"truncate": True})


def test_options_and_lifetimes_of_its_own_return_as_they_were():
    conversation = read(options={"num_ctx": 8192, "min_p": 0.05, "num_predict": -1}, keep_alive="10m", stream=False)
    assert conversation.settings.max_tokens is None
    body, lost = written(conversation)
    assert body["options"] == {"num_ctx": 8192, "min_p": 0.05, "num_predict": -1}
    assert body["keep_alive"] == "10m"
    assert not lost


@pytest.mark.parametrize(("stream", "wanted"), [({}, True), ({"stream": None}, True), ({"stream": False}, False)])
def test_it_streams_unless_told_otherwise(stream, wanted):
    assert read(**stream).stream is wanted
    body = json.dumps({"model": "m", "messages": [], **stream}).encode()
    assert DIALECT.needs(body).stream is wanted
    assert written(asks(stream=wanted))[0]["stream"] is wanted


@pytest.mark.parametrize(
    ("asked", "think"),
    [
        (ReasoningSettings(effort="none"), False),
        (ReasoningSettings(mode="disabled"), False),
        (ReasoningSettings(mode="enabled"), True),
        (ReasoningSettings(effort="minimal"), "low"),
        (ReasoningSettings(effort="xhigh"), "high"),
        (ReasoningSettings(budget_tokens=8192, mode="enabled"), "medium"),
        (ReasoningSettings(mode="adaptive"), None),
    ],
)
def test_thinking_is_a_switch_or_a_level(asked, think):
    body, _ = written(asks(settings=Settings(reasoning=asked)))
    assert body.get("think") == think


@pytest.mark.parametrize(
    ("form", "wire"),
    [(Format("json_object"), "json"), (Format("json_schema", {"type": "object"}, "answer", True), {"type": "object"}), (Format("text"), None)],
)  # fmt: skip
def test_a_schema_is_the_format(form, wire):
    body, lost = written(asks(settings=Settings(format=form)))
    assert body.get("format") == wire
    assert lost <= {"response_format.name", "response_format.strict"}
    assert read(format="").settings.format is None


def test_a_turn_is_one_string_with_its_pictures_beside_it():
    parts = (Text("What"), Image(Inline("image/jpeg", "/9j/4AA")), Text("is this?"), Document(Plain("A play.")))
    body, lost = written(asks(Message(Role.USER, parts)))
    assert body["messages"] == [{"role": "user", "content": "What\nis this?\nA play.", "images": ["/9j/4AA"]}]
    assert not lost


@pytest.mark.parametrize(
    ("data", "kind"), [("/9j/4AA", "jpeg"), ("UklGRg", "webp"), ("iVBORw0", "png"), ("QUJD", "png")]
)
def test_what_a_picture_is_stands_in_its_bytes(data, kind):
    [message] = read(messages=[{"role": "user", "content": "", "images": [data]}]).messages
    assert message.parts == (Image(Inline(f"image/{kind}", data)),)


def test_a_picture_elsewhere_cannot_be_fetched():
    _, losses = project_request(
        asks(Message(Role.USER, (Image(Remote("https://host/a.png")),))), DIALECT.request_carries
    )
    assert Loss("messages.image", "essential") in losses


def test_pictures_of_a_tool_follow_in_a_turn_of_the_user():
    result = ToolResult("c1", (Text("Here"), Image(Inline("image/png", "iVBOR"))))
    call = Message(Role.ASSISTANT, (ToolCall("c1", "look", {}),))
    body, _ = written(asks(USER, call, Message(Role.TOOL, (result,))))
    assert body["messages"][2:] == [
        {"role": "tool", "content": "Here", "tool_call_id": "c1", "tool_name": "look"},
        {"role": "user", "content": "", "images": ["iVBOR"]},
    ]


def test_calls_without_ids_get_some_and_results_find_them_by_name_and_order():
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("one", "two", "one")]
    results = [
        {"role": "tool", "content": "a"},
        {"role": "tool", "tool_name": "one", "content": "b"},
        {"role": "tool", "content": "c"},
    ]
    said, told = read(messages=[{"role": "assistant", "content": "", "tool_calls": calls}, *results]).messages
    ids = [part.id for part in said.parts if isinstance(part, ToolCall)]
    assert len(set(ids)) == 3
    assert [part.call_id for part in told.parts if isinstance(part, ToolResult)] == [ids[0], ids[2], ids[1]]
    assert read(messages=[{"role": "tool", "content": "nobody asked"}]).messages[0].parts[0].call_id  # type: ignore[union-attr]


def test_arguments_are_an_object_whatever_was_called():
    call = Message(Role.ASSISTANT, (ToolCall("c1", "look", "no json"), ToolCall("c2", "look", {})))
    body, _ = written(asks(USER, call))
    assert [one["function"]["arguments"] for one in body["messages"][1]["tool_calls"]] == [
        {"INVALID_JSON": "no json"},
        {},
    ]


def test_thoughts_go_back_and_a_strangers_seal_does_not():
    turn = Message(Role.ASSISTANT, (Text("So"), Reasoning("Hm."), Reasoning("!", "sealed", None, "anthropic_messages")))
    body, lost = written(asks(USER, turn))
    assert body["messages"][1] == {"role": "assistant", "content": "So", "thinking": "Hm."}
    assert lost == {"messages.reasoning"}


def test_a_system_turn_stays_where_it_stood():
    body, lost = written(
        asks(Message(Role.DEVELOPER, (Text("Be"), Text("brief."))), USER, Message(Role.SYSTEM, (Text("Now."),)))
    )
    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == [
        ("system", "Be\nbrief."), ("user", "Hello"), ("system", "Now."),
    ]  # fmt: skip
    assert not lost


@pytest.mark.parametrize(
    ("choice", "offered", "lost"),
    [
        (ToolChoice("none"), False, set()),
        (ToolChoice("auto"), True, set()),
        (ToolChoice("required"), True, {"tool_choice"}),
        (ToolChoice("named", ("look_up",)), True, {"tool_choice"}),
    ],
)
def test_which_tools_may_be_called_cannot_be_said_but_none_can_be_offered(choice, offered, lost):
    body, found = written(asks(tools=(TOOL,), settings=Settings(tool_choice=choice)))
    assert ("tools" in body) is offered
    assert "tool_choice" not in body
    assert found == lost


def test_a_tool_that_takes_nothing_says_so():
    body, _ = written(asks(tools=(Tool("stop"),)))
    assert body["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"messages": [{"role": "king", "content": "x"}]}, "must be one of"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, r"messages\[0\].content must be a string"),
        ({"messages": ["x"]}, r"messages\[0\] must be a JSON object"),
        ({"messages": [{"role": "user", "images": [3]}]}, "base64"),
        ({"format": "xml"}, "format must be"),
        ({"think": 3}, "think must be true or false or a string"),
        ({"options": {"stop": [3]}}, "options.stop"),
        ({"options": {"num_predict": "many"}}, "options.num_predict must be an integer"),
        ({"tools": [{}]}, r"tools\[0\].function"),
    ],
)
def test_a_bad_request_says_where(members, complaint):
    with pytest.raises(BadBody, match=complaint):
        read(**members)


def test_needs_are_read_in_one_pass():
    body = {
        "model": "m", "messages": [{"role": "user", "content": "x", "images": ["A" * 400_000]}], "think": "low", "logprobs": True,
        "tools": [{}], "format": {"type": "object"}, "options": {"num_predict": 9.0},
    }  # fmt: skip
    needs = DIALECT.needs(json.dumps(body).encode())
    assert needs.features == ("images", "json_schema", "logprobs", "reasoning", "tools")
    assert (needs.max_tokens, needs.stream) == (9, True)
    assert 1000 <= needs.tokens_in < 1100
    bare = DIALECT.needs(b'{"model":"m","messages":[],"options":{"num_predict":-1},"think":false}')
    assert (bare.max_tokens, bare.features) == (None, ())
    with pytest.raises(BadBody, match="num_predict"):
        DIALECT.needs(b'{"model":"m","messages":[],"options":{"num_predict":"x"}}')


def test_fields_of_a_target_go_among_its_options():
    body = b'{"model":"m","messages":[],"options":{"seed":1},"think":true,"keep_alive":"1m"}'
    call = Call(dialect="ollama_chat", needs=DIALECT.needs(body), body=body)
    quirks = Quirks(fields=(("options.num_ctx", 8192),), names=(("keep_alive", "stay"),), drop=("think",))
    fitted, dropped = DIALECT.retarget(call, "theirs", quirks)
    assert json.loads(fitted) == {
        "model": "theirs",
        "messages": [],
        "options": {"seed": 1, "num_ctx": 8192},
        "stay": "1m",
    }
    assert dropped == ("think",)
    rendered = json.loads(DIALECT.render_request(asks(settings=Settings(seed=2)), quirks))
    assert rendered["options"] == {"seed": 2, "num_ctx": 8192}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"model":"m"', b"3"])
def test_bytes_that_are_no_request_are_not_fitted(body):
    call = Call(dialect="ollama_chat", needs=DIALECT.needs(b'{"model":"m","messages":[]}'), body=body)
    with pytest.raises(BadBody):
        DIALECT.retarget(call, "theirs", Quirks())


def test_what_no_other_format_has_stays_where_it_was():
    members = {
        "messages": [{"role": "assistant", "content": "x", "images": ["QUJD"], "tool_calls": [
            {"type": "function", "x": 1, "function": {"name": "t", "arguments": '{"a":1}', "y": 2}}]}],
        "tools": [{"type": "native", "function": {"name": "t", "z": 3}}],
    }  # fmt: skip
    body, lost = written(read(**members))
    [turn], [tool] = body["messages"], body["tools"]
    [call] = turn["tool_calls"]
    assert (turn["images"], call["x"], call["function"]["y"], call["function"]["arguments"]) == (
        ["QUJD"],
        1,
        2,
        {"a": 1},
    )
    assert (tool["type"], tool["function"]["z"]) == ("native", 3)
    assert not lost


# Answers


def test_a_plain_end_after_calls_is_a_call_for_tools():
    call = {"function": {"name": "look_up", "arguments": {"word": "cue"}}}
    answer = answered(message={"tool_calls": [call]})
    assert answer.choices[0].stop is Stop.TOOL_CALLS
    body = json.loads(DIALECT.render_answer(project_answer(answer, DIALECT.answer_carries)[0]))
    assert body["done_reason"] == "stop"


@pytest.mark.parametrize(
    ("members", "stop", "native"),
    [
        ({}, Stop.END, None),
        ({"done_reason": None}, Stop.END, None),
        ({"done_reason": "length"}, Stop.LENGTH, None),
        ({"done_reason": "load"}, Stop.END, "load"),
        ({"done": False, "done_reason": None}, None, None),
    ],
)
def test_why_it_ended(members, stop, native):
    [choice] = answered(message={"content": "x"}, **members).choices
    assert (choice.stop, choice.stop_native) == (stop, native)


def test_ids_are_the_same_for_the_same_bytes_and_others_for_others():
    call = {"function": {"name": "look_up", "arguments": {"word": "cue"}}}

    def ids(**members: Any) -> list[str]:
        answer = answered(**members)
        return [answer.id, *(part.id for part in answer.choices[0].parts if isinstance(part, ToolCall))]

    twice = {"message": {"tool_calls": [call, call]}}
    assert ids(**twice) == ids(**twice)
    assert len({*ids(**twice), *ids(**twice, created_at="2026-03-01T10:00:00.123457Z")}) == 6
    given = ids(message={"tool_calls": [{"id": "call_2k7ryu9k", **call}]})
    assert given[1] == "call_2k7ryu9k"


@pytest.mark.parametrize(
    ("moment", "created"),
    [
        (MOMENT, 1772359200),
        ("2026-03-01T12:00:00.123456789+02:00", 1772359200),
        ("0001-01-01T00:00:00Z", None),
        ("2026-13-01T00:00:00Z", None),
        ("now", None),
        (None, None),
    ],
)
def test_the_moment_is_read_in_every_spelling_of_go(moment, created):
    assert answered(created_at=moment).created == created


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_eval_count": 20, "eval_count": 7}, Usage(input=20, output=7)),
        ({"prompt_eval_count": 20, "prompt_eval_cached_count": 8, "eval_count": 7}, Usage(input=12, cache_read=8, output=7)),
        ({"eval_count": 7}, Usage(output=7, estimated=True)),
        ({"prompt_eval_count": 3, "prompt_eval_cached_count": 8, "eval_count": 7}, Usage(input=3, output=7, estimated=True)),
        ({"prompt_eval_count": -3, "eval_count": 7}, Usage(output=7, estimated=True)),
        ({}, None),
    ],
)  # fmt: skip
def test_usage_is_what_was_evaluated(counts, usage):
    assert answered(message={"content": "x"}, **counts).usage == usage
    assert DIALECT.glance(json.dumps(done(**counts)).encode()).usage == usage


def test_thoughts_come_before_words():
    answer = answered(message={"thinking": "Hm.", "content": "So."}, total_duration=5)
    assert answer.choices[0].parts == (Reasoning("Hm."), Text("So."))
    assert answer.choices[0].extra == Extra("ollama_chat", {"total_duration": 5})


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"message": {"content": "x"}}, None),
        ({"message": {"tool_calls": [{}]}}, None),
        ({}, FailureKind.EMPTY),
        ({"done_reason": "load"}, FailureKind.EMPTY),
        ({"done_reason": "length"}, None),
        ({"error": "model requires more system memory"}, FailureKind.SERVER_ERROR),
    ],
)
def test_an_answer_without_content_is_no_success(members, kind):
    failure = DIALECT.glance(json.dumps(done(**members)).encode()).failure
    assert (failure and failure.kind) == kind


def test_lines_where_one_object_was_asked_for_are_read_as_one():
    body = b"".join(
        json.dumps(one).encode() + b"\n"
        for one in (
            line(message={"content": "Hel"}),
            line(message={"content": "lo"}),
            done(prompt_eval_count=3, eval_count=2),
        )
    )
    answer = DIALECT.parse_answer(body)
    assert answer.choices[0].parts == (Text("Hello"),)
    glance = DIALECT.glance(body)
    assert (glance.usage, glance.model, glance.stop_native, glance.failure) == (answer.usage, "qwen3", "stop", None)
    with pytest.raises(BadAnswer, match="no answer"):
        DIALECT.parse_answer(b'{"error":"a"}\n{"error":"b"}\n')
    failed = DIALECT.glance(json.dumps(line(message={"content": "x"})).encode() + b'\n{"error":"unexpected EOF"}\n')
    assert failed.failure is not None


@pytest.mark.parametrize(
    "members",
    [
        {"message": 3},
        {"message": {"content": 3}},
        {"message": {"tool_calls": 3}},
        {"message": {"tool_calls": [{"function": {}}]}},
    ],
)
def test_what_is_no_answer_is_refused(members):
    body = json.dumps({**done(), **members}).encode()
    with pytest.raises(BadAnswer):
        DIALECT.parse_answer(body)
    with pytest.raises(BadAnswer):
        DIALECT.decoder().decode(DIALECT.framing().feed(body + b"\n")[0])


# Streams


def test_a_stream_is_read_line_by_line():
    call = {"function": {"name": "look_up", "arguments": {"word": "Grüße"}}}
    events = streamed(
        line(message={"thinking": "H"}), line(message={"thinking": "m"}), line(message={"content": "So"}),
        line(message={"tool_calls": [call]}), line(message={"tool_calls": [call]}),
        done(prompt_eval_count=3, eval_count=2, eval_duration=9),
    )  # fmt: skip
    assert isinstance(events[0], Begin)
    assert isinstance(events[-1], End)
    answer = assemble(events)
    reasoning, text, one, other = answer.choices[0].parts
    assert (reasoning, text) == (Reasoning("Hm"), Text("So"))
    assert isinstance(one, ToolCall)
    assert isinstance(other, ToolCall)
    assert one.arguments == other.arguments == {"word": "Grüße"}
    assert one.id != other.id
    assert answer.choices[0].stop is Stop.TOOL_CALLS
    assert answer.usage == Usage(input=3, output=2)
    assert answer.choices[0].extra == Extra("ollama_chat", {"eval_duration": 9})


def test_log_probabilities_of_every_line_are_gathered():
    events = streamed(line(logprobs=[{"token": "a"}]), line(logprobs=[{"token": "b"}]), done())
    [finish] = [event for event in events if isinstance(event, Finish)]
    assert finish.extra == Extra("ollama_chat", {"logprobs": [{"token": "a"}, {"token": "b"}]})


def test_an_error_after_the_first_words_ends_the_stream():
    told = (line(message={"content": "So"}), {"error": "an error was encountered while running the model"}, done())
    events = streamed(*told)
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Finish | End) for event in events)
    bits, watcher = watched(*told[:2])
    assert bits[0] & CONTENT
    assert bits[1] & FAILED
    assert watcher.failure.kind is FailureKind.SERVER_ERROR


def test_what_is_behind_the_end_is_not_read():
    assert len(streamed(done(), done())) == len(streamed(done()))


def test_the_line_that_says_done_is_the_end():
    bits, watcher = watched(line(message={"content": "So"}), done(prompt_eval_count=3, eval_count=2))
    assert bits[-1] == PROGRESS | FINISH | END
    assert (watcher.usage, watcher.stop_native, watcher.failure) == (Usage(input=3, output=2), "stop", None)
    bits, watcher = watched(done())
    assert bits == [PROGRESS | FINISH | END | FAILED]
    assert watcher.failure.kind is FailureKind.EMPTY
    assert watched(done(done_reason="length"))[0] == [PROGRESS | FINISH | END]


@pytest.mark.parametrize("data", [b"3", b"{}", b'{"message":3}', b"<html>"])
def test_a_line_that_is_none_of_its_own_is_malformed(data):
    [event] = DIALECT.framing().feed(data + b"\n")
    with pytest.raises(BadAnswer):
        DIALECT.watcher(hide_usage=False).see(event)
    with pytest.raises(BadAnswer):
        DIALECT.decoder().decode(event)


def test_a_stream_into_it_tells_one_thing_at_a_time():
    answer = Answer(
        id="x", model="m", created=1772359200, usage=Usage(input=3, cache_read=1, output=2, reasoning=4),
        choices=(Choice(parts=(Reasoning("Hm"), Text("So"), ToolCall("c1", "look_up", {"a": 1})), stop=Stop.TOOL_CALLS),),
    )  # fmt: skip
    encoder = DIALECT.encoder(model="m", include_usage=None)
    begin = [Begin(id="x", model="m", created=answer.created)]
    opened = [PartBegin(0, index, part) for index, part in enumerate(answer.choices[0].parts)]
    finish = [Finish(choice=0, stop=Stop.TOOL_CALLS), UsageSeen(answer.usage or Usage()), End()]
    wire = b"".join(encoder.encode(event) for event in [*begin, *opened, *finish])
    lines = [json.loads(one) for one in wire.splitlines()]
    assert [one["message"] for one in lines] == [
        {"role": "assistant", "content": "", "thinking": "Hm"},
        {"role": "assistant", "content": "So"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "function": {"index": 0, "name": "look_up", "arguments": {"a": 1}}}]},
        {"role": "assistant", "content": ""},
    ]  # fmt: skip
    assert {name: lines[-1][name] for name in ("done", "done_reason", "prompt_eval_count", "eval_count")} == {
        "done": True, "done_reason": "stop", "prompt_eval_count": 4, "eval_count": 6,
    }  # fmt: skip
    assert all(one["created_at"] == "2026-03-01T10:00:00Z" for one in lines)


def test_pieces_of_a_call_and_of_a_refusal_are_told_when_they_may_be():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    told = [
        Begin(id="x", model=""),
        PartBegin(0, 0, ToolCall("c1", "look_up", "")), PartBegin(0, 1, Refusal("")), PartBegin(1, 0, Text("another choice")),
        PartDelta(0, 1, Field.TEXT, "No."), PartDelta(0, 0, Field.ARGUMENTS, "no json"), PartDelta(0, 9, Field.TEXT, "nobody's"),
        PartExtra(0, 0, Extra("ollama_chat", {"x": 1})), PartEnd(0, 0),
        Finish(choice=0, stop=Stop.CONTEXT_FULL, extra=Extra("ollama_chat", {"message": {"images": ["QUJD"]}, "y": 2})),
        End(),
    ]  # fmt: skip
    lines = [json.loads(one) for one in b"".join(encoder.encode(event) for event in told).splitlines()]
    call = {"id": "c1", "function": {"index": 0, "name": "look_up", "arguments": {"INVALID_JSON": "no json"}}, "x": 1}
    assert [one["message"].get("tool_calls") or one["message"].get("content") for one in lines] == [[call], "No.", ""]
    assert (lines[-1]["done_reason"], lines[-1]["y"], lines[-1]["message"]["images"]) == ("length", 2, ["QUJD"])
    assert lines[0]["model"] == "m"
    broken = encoder.encode(Failed(Failure(FailureKind.OVERLOADED, "too much")))
    assert broken == b'{"error":"too much"}\n'


def test_a_model_is_described_as_its_listing_does_it():
    assert json.loads(DIALECT.render_model("m")) == {"name": "m", "model": "m"}

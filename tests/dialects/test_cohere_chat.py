"""Cohere's chat: what its API does that no other does, and what becomes of it."""

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
    Opaque,
    Plain,
    Reasoning,
    ReasoningSettings,
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
from understudy.core.projection import project_answer, project_request
from understudy.core.request import Call
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, PROGRESS, BadAnswer, BadBody, Quirks
from understudy.dialects.cohere_chat import DIALECT
from understudy.framing.sse import SseEvent

USER = Message(Role.USER, (Text("Hello"),))
SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
FUNCTION = {"name": "look_up", "arguments": '{"word":"cue"}'}
CALL = {"id": "look_up_1", "type": "function", "function": FUNCTION}
BILLED = {"billed_units": {"input_tokens": 7, "output_tokens": 50}}


def asks(*messages: Message, **more: Any) -> Conversation:
    return Conversation(**{"model": "command-a-03-2025", "messages": messages or (USER,), **more})


def written(conversation: Conversation) -> tuple[dict[str, Any], set[str]]:
    """The body for a conversation, and what it lost."""
    projected, losses = project_request(conversation, DIALECT.request_carries)
    return json.loads(DIALECT.render_request(projected)), {loss.name for loss in losses}


def read(**members: Any) -> Conversation:
    return DIALECT.parse_request(json.dumps({"model": "m", "messages": [], **members}).encode())


def body_of(message: dict[str, Any] | None = None, **members: Any) -> bytes:
    said = {"content": [{"type": "text", "text": "So."}]} if message is None else message
    return json.dumps(
        {"id": "c1", "message": {"role": "assistant", **said}, "finish_reason": "COMPLETE", **members}
    ).encode()


def answered(message: dict[str, Any] | None = None, **members: Any) -> Answer:
    return DIALECT.parse_answer(body_of(message, **members))


def event(kind: str, index: int | None = None, *, delta: Any = None, **message: Any) -> SseEvent:
    body: dict[str, Any] = {"type": kind} | ({} if index is None else {"index": index})
    if message or delta is not None:
        body["delta"] = delta or {"message": message}
    if kind == "message-start":
        body["id"] = "c1"
    return SseEvent(b"", kind.encode(), json.dumps(body).encode())


START = event("message-start", delta={"message": {"role": "assistant", "content": [], "tool_calls": []}})


def ending(word: str = "COMPLETE", **delta: Any) -> SseEvent:
    return event("message-end", delta={"finish_reason": word, **delta})


def streamed(*events: SseEvent) -> list[Any]:
    decoder = DIALECT.decoder()
    return [told for one in events for told in decoder.decode(one)]


def watched(*events: SseEvent) -> tuple[list[int], Any]:
    watcher = DIALECT.watcher(hide_usage=False)
    return [watcher.see(one) for one in events], watcher


# Requests


def test_settings_have_names_of_their_own():
    settings = Settings(
        max_tokens=50, temperature=0.5, top_p=0.9, top_k=4, stop=("END",), seed=7, frequency_penalty=0.1
    )
    body, lost = written(asks(settings=settings))
    assert {name: body[name] for name in ("max_tokens", "temperature", "p", "k", "stop_sequences", "seed")} == {
        "max_tokens": 50, "temperature": 0.5, "p": 0.9, "k": 4, "stop_sequences": ["END"], "seed": 7,
    }  # fmt: skip
    assert not lost


def test_settings_stay_within_what_the_api_takes():
    settings = Settings(top_p=1, top_k=900, presence_penalty=1.5, frequency_penalty=-1, seed=-3, stop=tuple("abcdef"))
    body, lost = written(asks(settings=settings))
    assert (body["p"], body["k"], body["presence_penalty"], body["frequency_penalty"], body["seed"]) == (
        0.99,
        500,
        1,
        0,
        0,
    )
    assert len(body["stop_sequences"]) == 5
    assert lost == {"top_p", "top_k", "presence_penalty", "frequency_penalty", "seed", "stop"}
    assert written(asks(settings=Settings(top_p=0)))[0]["p"] == 0.01


@pytest.mark.parametrize(
    ("asked", "thinking"),
    [
        (ReasoningSettings(effort="none"), {"type": "disabled"}),
        (ReasoningSettings(effort="low"), {"type": "enabled", "token_budget": 2048}),
        (ReasoningSettings(budget_tokens=500), {"type": "enabled", "token_budget": 500}),
        (ReasoningSettings(budget_tokens=0), {"type": "disabled"}),
        (ReasoningSettings(mode="enabled"), {"type": "enabled"}),
        (ReasoningSettings(budget_tokens=500, mode="disabled"), {"type": "disabled"}),
        (ReasoningSettings(mode="adaptive"), None),
    ],
)
def test_thinking_is_a_switch_with_a_budget(asked, thinking):
    body, _ = written(asks(settings=Settings(reasoning=asked)))
    assert body.get("thinking") == thinking
    extended = read(thinking={"type": "enabled", "token_budget": 5, "x": 1})
    assert extended.settings.reasoning == ReasoningSettings(budget_tokens=5, mode="enabled")
    assert extended.extra == Extra("cohere_chat", {"thinking": {"x": 1}})


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (Format("text"), {"type": "text"}),
        (Format("json_object"), {"type": "json_object"}),
        (Format("json_schema", SCHEMA, "answer", True), {"type": "json_object", "json_schema": SCHEMA}),
    ],
)
def test_a_shape_is_a_json_object_with_a_schema(form, wire):
    body, _ = written(asks(settings=Settings(format=form)))
    assert body["response_format"] == wire
    older = read(response_format={"type": "json_object", "schema": SCHEMA})
    assert older.settings.format == Format("json_schema", SCHEMA)


def test_a_shape_beside_tools_is_refused_there_so_it_is_reported_here():
    tools = (Tool("look_up", None, SCHEMA),)
    body, lost = written(asks(tools=tools, settings=Settings(format=Format("json_object"))))
    assert "response_format" not in body
    assert lost == {"response_format"}
    assert not written(asks(tools=tools, settings=Settings(format=Format("text"))))[1]


@pytest.mark.parametrize(
    ("strict", "schema", "switch", "lost"),
    [
        ((True, True), SCHEMA, True, set()),
        ((True, False), SCHEMA, None, {"tools.strict"}),
        ((True, True), {"type": "object"}, None, {"tools.strict"}),
        ((False, None), SCHEMA, None, set()),
    ],
)
def test_one_switch_makes_all_tools_strict(strict, schema, switch, lost):
    tools = tuple(Tool(f"t{place}", None, schema, one) for place, one in enumerate(strict))
    body, found = written(asks(tools=tools))
    assert body.get("strict_tools") == switch
    assert found == lost
    wire = {"type": "function", "function": {"name": "t"}}
    assert [tool.strict for tool in read(tools=[wire], strict_tools=True).tools if isinstance(tool, Tool)] == [True]


@pytest.mark.parametrize(
    ("choice", "wire", "lost"),
    [
        (ToolChoice("auto"), None, set()),
        (ToolChoice("none"), "NONE", set()),
        (ToolChoice("required"), "REQUIRED", set()),
        (ToolChoice("named", ("look_up",)), "REQUIRED", {"tool_choice"}),
    ],
)
def test_which_tools_may_be_called(choice, wire, lost):
    body, found = written(asks(tools=(Tool("look_up", None, SCHEMA),), settings=Settings(tool_choice=choice)))
    assert body.get("tool_choice") == wire
    assert found == lost
    assert read(tool_choice="SOME").extra == Extra("cohere_chat", {"tool_choice": "SOME"})


def test_words_before_calls_are_the_plan_and_come_back_as_words():
    turn = Message(
        Role.ASSISTANT, (Reasoning("Hm."), Text("I will "), Text("look."), ToolCall("c1", "look_up", {"word": "cue"}))
    )
    result = Message(Role.TOOL, (ToolResult("c1", (Text("a signal"),)),))
    body, lost = written(asks(USER, turn, result))
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm."}],
            "tool_plan": "I will look.",
            "tool_calls": [{**CALL, "id": "c1"}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a signal"},
    ]
    assert not lost
    back = DIALECT.parse_request(json.dumps(body).encode())
    assert back.messages[1].parts == (
        Reasoning("Hm."),
        Text("I will look."),
        ToolCall("c1", "look_up", {"word": "cue"}),
    )


def test_documents_and_citations_of_its_own_return_as_they_were():
    documents = [{"id": "d", "data": {"text": "A play."}}]
    messages = [
        {"role": "assistant", "content": "So", "citations": [{"start": 0}]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "document", "document": {"id": "d", "data": {}}}]},
    ]
    conversation = read(documents=documents, citation_options={"mode": "OFF"}, safety_mode="NONE", messages=messages)
    body, lost = written(conversation)
    assert (body["documents"], body["citation_options"], body["safety_mode"]) == (documents, {"mode": "OFF"}, "NONE")
    assert body["messages"][0]["citations"] == [{"start": 0}]
    assert body["messages"][1]["content"] == messages[1]["content"]
    assert not lost


def test_a_document_of_another_format_becomes_its_words():
    document = Document(Plain("A play."), "facts.txt")
    body, lost = written(asks(Message(Role.USER, (document, Text("Which?")))))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "A play."}, {"type": "text", "text": "Which?"}]
    assert lost == {"messages.document.title"}


def test_pictures_are_addresses():
    parts = (Image(Inline("image/png", "iVBOR"), "low"), Image(Remote("https://host/a.png")))
    body, lost = written(asks(Message(Role.USER, parts)))
    assert body["messages"][0]["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://host/a.png"}},
    ]
    assert not lost
    assert read(messages=body["messages"]).messages[0].parts == parts
    odd = {"type": "image_url", "image_url": {"url": 3}}
    assert read(messages=[{"role": "user", "content": [odd]}]).messages[0].parts == (
        Opaque("cohere_chat", "image_url", odd),
    )


@pytest.mark.parametrize("arguments", ["{}", "", "null", None])
def test_a_call_without_arguments_is_read_in_every_spelling(arguments):
    call = {"type": "function", "function": {"name": "stop", "arguments": arguments}}
    [message] = read(messages=[{"role": "assistant", "tool_calls": [call]}]).messages
    [part] = message.parts
    assert isinstance(part, ToolCall)
    assert part.arguments == {}
    assert part.id


def test_turns_that_say_nothing_leave_no_seam():
    turns = [
        USER,
        Message(Role.ASSISTANT, (ToolCall("a", "x", {}), ToolCall("b", "x", {}))),
        Message(Role.TOOL, (ToolResult("a", ()),)),
        Message(Role.ASSISTANT, (Reasoning("", "seal", None, "cohere_chat"),)),
        Message(Role.TOOL, (ToolResult("b", (Text("1"), Text("2"))),)),
    ]
    body, lost = written(asks(*turns))
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool"]
    assert body["messages"][-1]["content"] == [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]
    assert lost == {"messages.reasoning.signature"}


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"messages": [{"role": "king", "content": "x"}]}, "must be one of"),
        ({"messages": [{"role": "user", "content": 3}]}, r"messages\[0\].content must be a string or a list"),
        ({"messages": [{"role": "user", "content": [3]}]}, r"messages\[0\].content\[0\]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, r"messages\[0\].tool_call_id is missing"),
        ({"stop_sequences": [3]}, "stop_sequences"),
        ({"tools": [{"function": {}}]}, r"tools\[0\].function.name is missing"),
    ],
)
def test_a_bad_request_says_where(members, complaint):
    with pytest.raises(BadBody, match=complaint):
        read(**members)


def test_needs_are_read_in_one_pass():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
    body = {
        "model": "m", "messages": [{"role": "user", "content": [picture]}], "thinking": {"type": "enabled"}, "logprobs": True,
        "tools": [{}], "response_format": {"type": "json_object", "json_schema": SCHEMA}, "max_tokens": 9, "stream": True,
    }  # fmt: skip
    needs = DIALECT.needs(json.dumps(body).encode())
    assert needs.features == ("images", "json_schema", "logprobs", "reasoning", "tools")
    assert (needs.max_tokens, needs.stream) == (9, True)
    assert 1000 <= needs.tokens_in < 1200
    with pytest.raises(BadBody, match="max_tokens"):
        DIALECT.needs(b'{"model":"m","messages":[],"max_tokens":"x"}')


def test_a_body_of_its_own_is_fitted_to_a_target():
    body = b'{"model":"m","messages":[],"k":3,"seed":1}'
    call = Call(dialect="cohere_chat", needs=DIALECT.needs(body), body=body)
    fitted, dropped = DIALECT.retarget(
        call, "theirs", Quirks(drop=("seed",), names=(("k", "top_k"),), fields=(("x", 1),))
    )
    assert json.loads(fitted) == {"model": "theirs", "messages": [], "top_k": 3, "x": 1}
    assert dropped == ("seed",)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"model":"m"', b"3"])
def test_bytes_that_are_no_request_are_not_fitted(body):
    call = Call(dialect="cohere_chat", needs=DIALECT.needs(b'{"model":"m","messages":[]}'), body=body)
    with pytest.raises(BadBody):
        DIALECT.retarget(call, "theirs", Quirks())


def test_what_no_other_format_has_stays_where_it_was():
    members = {
        "messages": [{"role": "assistant", "tool_calls": [{**CALL, "x": 1, "function": {**FUNCTION, "y": 2}}]}],
        "tools": [{"type": "native", "function": {"name": "t", "z": 3}}],
        "response_format": {"type": "json_object", "regex": "a+"},
    }  # fmt: skip
    body, lost = written(read(**members))
    [call], [tool] = body["messages"][0]["tool_calls"], body["tools"]
    assert (call["x"], call["function"]["y"], tool["type"], tool["function"]["z"]) == (1, 2, "native", 3)
    assert body["response_format"] == members["response_format"]
    assert not lost


# Answers


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({**BILLED, "tokens": {"input_tokens": 502, "output_tokens": 53}, "cached_tokens": 448}, Usage(input=7, output=50)),
        ({**BILLED, "tokens": {"input_tokens": 9, "output_tokens": 55, "reasoning_tokens": 38}}, Usage(input=7, output=12, reasoning=38)),
        ({"tokens": {"input_tokens": 9, "output_tokens": 5}}, Usage(input=9, output=5)),
        ({**BILLED, "tokens": {"reasoning_tokens": 60}}, Usage(input=7, output=50, estimated=True)),
        ({"billed_units": {"search_units": 1}}, None),
        (None, None),
    ],
)  # fmt: skip
def test_usage_is_what_is_billed(usage, counted):
    assert answered(usage=usage).usage == counted
    assert DIALECT.glance(body_of(usage=usage)).usage == counted
    if counted is not None and not counted.estimated:
        answer = answered(usage=usage)
        body = json.loads(DIALECT.render_answer(project_answer(answer, DIALECT.answer_carries)[0]))
        assert body["usage"] == {"billed_units": body["usage"]["billed_units"], **(usage or {})}


@pytest.mark.parametrize(
    ("word", "stop", "native"),
    [
        ("COMPLETE", Stop.END, None),
        ("complete", Stop.END, None),
        ("MAX_TOKENS", Stop.LENGTH, None),
        ("STOP_SEQUENCE", Stop.STOP_SEQUENCE, None),
        ("TOOL_CALL", Stop.TOOL_CALLS, None),
        ("ERROR_LIMIT", Stop.CONTEXT_FULL, None),
        ("ERROR_TOXIC", Stop.CONTENT_FILTER, None),
        ("CONTENT_BLOCKED", Stop.CONTENT_FILTER, "CONTENT_BLOCKED"),
        ("TIMEOUT", Stop.END, "TIMEOUT"),
        (None, None, None),
    ],
)
def test_why_it_ended(word, stop, native):
    [choice] = answered(finish_reason=word).choices
    assert (choice.stop, choice.stop_native) == (stop, native)


def test_a_complete_answer_with_calls_calls_tools():
    answer = answered({"tool_plan": "I will look.", "tool_calls": [CALL]})
    assert answer.choices[0].parts == (Text("I will look."), ToolCall("look_up_1", "look_up", {"word": "cue"}))
    assert answer.choices[0].stop is Stop.TOOL_CALLS


def test_citations_stay_beside_the_answer():
    message = {
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "So."}],
        "citations": [{"start": 0}],
    }
    [choice] = answered(message).choices
    assert choice.parts == (Reasoning("Hm."), Text("So."))
    assert choice.extra == Extra("cohere_chat", {"citations": [{"start": 0}]})


@pytest.mark.parametrize(
    ("message", "members", "kind"),
    [
        (None, {}, None),
        ({"content": "So."}, {}, None),
        ({"tool_calls": [CALL]}, {}, None),
        ({"tool_plan": "I will."}, {}, None),
        ({"content": [{"type": "text", "text": ""}]}, {}, FailureKind.EMPTY),
        ({}, {"finish_reason": "MAX_TOKENS"}, None),
        ({}, {"finish_reason": "ERROR_TOXIC"}, FailureKind.CONTENT_FILTER),
        (None, {"finish_reason": "ERROR", "error": "the model is overloaded"}, FailureKind.OVERLOADED),
        (None, {"finish_reason": "TIMEOUT"}, FailureKind.SERVER_ERROR),
    ],
)
def test_an_answer_without_content_is_no_success(message, members, kind):
    failure = DIALECT.glance(body_of(message, **members)).failure
    assert (failure and failure.kind) == kind


def test_an_error_in_a_200_is_an_error():
    glance = DIALECT.glance(
        b'{"id":"x","error_type":"TOO_MANY_TOKENS","message":"too many tokens: size limit exceeded by 3 tokens"}'
    )
    assert glance.failure is not None
    assert glance.failure.kind is FailureKind.CONTEXT_LENGTH


@pytest.mark.parametrize(
    "message", [{"tool_calls": 3}, {"tool_calls": [3]}, {"tool_calls": [{}]}, {"content": 3}, {"tool_plan": 3}]
)
def test_what_is_no_answer_is_refused(message):
    with pytest.raises(BadAnswer):
        answered(message)


# Streams


def test_a_stream_of_thoughts_words_and_citations():
    events = streamed(
        START,
        event("content-start", 0, content={"type": "thinking", "thinking": ""}),
        event("content-delta", 0, content={"thinking": "Hm"}),
        event("content-delta", 0, content={"thinking": "."}),
        event("content-end", 0),
        event("content-start", 1, content={"type": "text", "text": ""}),
        event("content-delta", 1, content={"text": "Grü"}),
        event("citation-start", 0, citations={"start": 0}),
        event("citation-end", 0),
        event("content-delta", 1, content={"text": "ße"}),
        event("citation-start", 1, citations={"start": 3}),
        event("content-end", 1),
        event("something-new", 1),
        ending(usage=BILLED),
        SseEvent(b"", b"", b"[DONE]"),
    )
    assert isinstance(events[-1], End)
    answer = assemble(events)
    assert answer.id == "c1"
    assert answer.choices[0].parts == (Reasoning("Hm."), Text("Grüße"))
    assert answer.choices[0].extra == Extra("cohere_chat", {"citations": [{"start": 0}, {"start": 3}]})
    assert answer.usage == Usage(input=7, output=50)


def test_a_stream_of_a_plan_and_calls():
    def call(index: int, **function: Any) -> dict[str, Any]:
        return {"tool_calls": {"id": f"c{index}", "type": "function", "function": function}}

    events = streamed(
        START,
        event("tool-plan-delta", tool_plan="I "),
        event("tool-plan-delta", tool_plan="will."),
        event("tool-call-start", 0, **call(0, name="look_up", arguments="")),
        event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"word":'}}),
        event("tool-call-start", 1, **call(1, name="stop", arguments="")),
        event("tool-call-delta", 0, tool_calls={"function": {"arguments": '"cue"}'}}),
        event("tool-call-end", 0),
        ending("COMPLETE"),
    )
    answer = assemble(events)
    assert answer.choices[0].parts == (
        Text("I will."),
        ToolCall("c0", "look_up", {"word": "cue"}),
        ToolCall("c1", "stop", {}),
    )
    assert answer.choices[0].stop is Stop.TOOL_CALLS


def test_a_call_without_an_id_gets_one():
    start = event("tool-call-start", 0, tool_calls={"function": {"name": "stop", "arguments": ""}})
    other = event("tool-call-start", 1, tool_calls={"function": {"name": "stop", "arguments": ""}})
    first, second = (one.part.id for one in streamed(START, start, other) if isinstance(one, PartBegin))
    assert first.startswith("call_")
    assert first != second


def test_a_content_of_a_kind_that_nobody_knows_is_kept_whole():
    held = {"type": "sound", "data": "QUJD"}
    events = streamed(START, event("content-start", 0, content=held), event("content-end", 0), ending())
    answer = assemble(events)
    assert answer.choices[0].parts == (Opaque("cohere_chat", "sound", held),)
    bits, _ = watched(START, event("content-start", 0, content=held))
    assert bits[1] & CONTENT


@pytest.mark.parametrize(
    "last",
    [
        ending("ERROR", error="internal server error"),
        SseEvent(b"", b"", b'{"id":"x","message":"internal server error"}'),
        SseEvent(b"", b"error", b"internal server error"),
        SseEvent(b"", b"", b'{"type":"error","message":"internal server error"}'),
    ],
)
def test_an_error_after_the_first_words_ends_the_stream(last):
    begun = (START, event("content-delta", 0, content={"text": "So"}))
    events = streamed(*begun, last, ending())
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(one, Finish | End) for one in events)
    bits, watcher = watched(*begun, last)
    assert bits[:2] == [PROGRESS, CONTENT | PROGRESS]
    assert bits[2] & FAILED
    assert watcher.failure == events[-1].failure
    assert watcher.failure.kind is FailureKind.SERVER_ERROR


def test_the_end_of_the_message_is_the_end():
    done = SseEvent(b"", b"", b"[DONE]")
    bits, watcher = watched(START, event("tool-plan-delta", tool_plan="I"), ending(usage=BILLED), done)
    assert bits == [PROGRESS, CONTENT | PROGRESS, FINISH | END | PROGRESS, END | PROGRESS]
    assert (watcher.usage, watcher.stop_native) == (Usage(input=7, output=50), "COMPLETE")
    bits, watcher = watched(START, ending())
    assert bits[1] & FAILED
    assert watcher.failure.kind is FailureKind.EMPTY
    assert not watched(START, ending("MAX_TOKENS"))[0][1] & FAILED


@pytest.mark.parametrize("data", [b"3", b"nonsense", b'{"type":3}'])
def test_an_event_that_is_none_of_its_own_is_malformed(data):
    with pytest.raises(BadAnswer):
        DIALECT.watcher(hide_usage=False).see(SseEvent(b"", b"", data))
    with pytest.raises(BadAnswer):
        DIALECT.decoder().decode(SseEvent(b"", b"", data))
    with pytest.raises(BadAnswer, match="not begun"):
        streamed(event("tool-call-delta", 0, tool_calls={"function": {"arguments": "{"}}))


def test_a_stream_into_it_is_made_of_typed_events():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    extra = Extra("cohere_chat", {"citations": [{"start": 0}], "x": 1})
    told = [
        Begin(id="c1", model="m"),
        PartBegin(0, 0, Text("")), PartBegin(0, 1, ToolCall("c1", "look_up", "")),
        *encoder_pieces(),
        Finish(choice=0, stop=Stop.TOOL_CALLS, extra=extra), UsageSeen(Usage(input=3, output=2, reasoning=1)), End(),
    ]  # fmt: skip
    wire = b"".join(encoder.encode(one) for one in told)
    parser = DIALECT.framing()
    events = [*parser.feed(wire), *parser.flush()]
    assert [one.event.decode() for one in events] == [
        "message-start", "content-start", "content-delta", "content-end", "tool-call-start", "tool-call-delta", "tool-call-end",
        "citation-start", "citation-end", "message-end", "",
    ]  # fmt: skip
    last = json.loads(events[-2].data or b"")
    assert last["delta"] == {
        "finish_reason": "TOOL_CALL",
        "usage": {
            "billed_units": {"input_tokens": 3, "output_tokens": 3},
            "tokens": {"input_tokens": 3, "output_tokens": 3, "reasoning_tokens": 1},
        },
        "x": 1,
    }


def encoder_pieces() -> list[Any]:
    return [PartDelta(0, 1, Field.ARGUMENTS, "{}"), PartDelta(0, 0, Field.TEXT, "So")]


def test_a_failure_is_told_as_its_envelope():
    encoder = DIALECT.encoder(model="m", include_usage=None)
    [event_] = DIALECT.framing().feed(encoder.encode(Failed(Failure(FailureKind.OVERLOADED, "too much"))))
    assert json.loads(event_.data or b"") == {"message": "too much"}
    assert json.loads(DIALECT.render_model("m")) == {"name": "m", "endpoints": ["chat"]}
    whole = Answer(id="c1", model="m", choices=(Choice(parts=(Text("So."),), stop=Stop.REFUSAL),))
    assert (
        json.loads(DIALECT.render_answer(project_answer(whole, DIALECT.answer_carries)[0]))["finish_reason"]
        == "ERROR_TOXIC"
    )


@pytest.mark.parametrize("kind", ["content-start", "content-delta", "content-end", "tool-call-start", "tool-call-end"])
@pytest.mark.parametrize("index", [[], {}, [0]])
def test_a_part_that_is_numbered_by_no_number_is_malformed(kind, index):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with pytest.raises(BadAnswer, match="index must be a number"):
        streamed(event(kind, index, content={"type": "text", "text": "x"}, tool_calls=call))


def test_of_system_turns_alone_the_last_is_the_users():
    turns = (Message(Role.SYSTEM, (Text("Be brief."),)), Message(Role.DEVELOPER, (Text("Greet."),)))
    told, losses = written(asks(*turns))
    assert told["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Greet."},
    ]
    assert losses == {"messages.role"}
    own_part = Message(Role.SYSTEM, (Opaque("cohere_chat", "document", {"type": "document"}),))
    assert written(asks(own_part))[0]["messages"][0]["role"] == "system"


def test_names_of_tools_have_no_hyphens():
    told, losses = written(asks(tools=(Tool("get-weather", None, SCHEMA), Tool("look_up", None, SCHEMA))))
    sent, fine = (tool["function"]["name"] for tool in told["tools"])
    assert sent.startswith("get_weather_")
    assert fine == "look_up"
    assert not losses

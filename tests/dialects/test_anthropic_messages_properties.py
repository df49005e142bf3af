"""Whatever is said in the intermediate form: projected onto Messages it survives the wire unchanged, whole or as a stream.

Method: parts, turns and settings are drawn freely, also those that no single format would produce; the projection must make
each of them sayable, and say what it took away.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.assembly import assemble, write_arguments
from understudy.core.conversation import (
    Audio,
    Conversation,
    Document,
    Extra,
    Format,
    Image,
    Inline,
    Message,
    Opaque,
    OpaqueTool,
    Plain,
    Reasoning,
    ReasoningSettings,
    Refusal,
    Remote,
    Role,
    Settings,
    Stored,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from understudy.core.projection import project_answer, project_request
from understudy.core.usage import Usage
from understudy.dialects import BadAnswer, BadBody
from understudy.dialects.anthropic_messages import DIALECT
from understudy.framing.sse import SseEvent, SseParser

pytestmark = pytest.mark.no_cover

NAME = "anthropic_messages"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(texts, values, max_size=3)
schemas = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(words, st.sampled_from([{}, {"minimum": 1}, {"type": "object"}]), max_size=2),
    }
)
dialects = st.sampled_from([NAME, "openai_chat", "generate_content"])
marks = st.none() | st.just({"type": "ephemeral"})
extras = st.none() | st.builds(
    Extra, dialects, st.dictionaries(st.sampled_from(["x_one", "x_two"]), st.integers() | words, min_size=1)
)
ids = words | st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True) | words.map("usid_{}".format)

inline = st.builds(
    Inline,
    st.sampled_from(["image/png", "application/pdf", "text/plain", "audio/wav"]),
    st.sampled_from(["QUJD", "%", ""]),
)
sources = inline | st.builds(Remote, words) | st.builds(Stored, dialects, words)
text_parts = st.builds(Text, texts, marks, extras)
images = st.builds(Image, sources, st.sampled_from([None, "high"]), marks, extras)
documents = st.builds(
    Document,
    sources | st.builds(Plain, texts),
    st.none() | texts,
    st.none() | texts,
    st.sampled_from([None, True, False]),
    marks,
    extras,
)
sealed = st.builds(Reasoning, texts, words, st.none() | words, dialects, extras) | st.builds(
    Reasoning, texts, st.none(), words, dialects, extras
)
reasoning = sealed | st.builds(Reasoning, texts)
calls = st.builds(ToolCall, ids, words, values, marks, extras)
opaque = st.builds(
    lambda dialect, kind, fields: Opaque(dialect, kind, {**fields, "type": kind}),
    dialects,
    words.map("x_{}".format),
    objects,
)
results = st.builds(
    ToolResult, ids, st.lists(text_parts | images | documents | opaque, max_size=3).map(tuple),
    st.sampled_from([None, True, False]), st.none() | words, marks, extras,
)  # fmt: skip
audio = st.builds(Audio, texts, st.just("wav"), extras)


def turn(roles, parts) -> st.SearchStrategy[Message]:
    return st.builds(Message, st.sampled_from(roles), st.lists(parts, min_size=1, max_size=4).map(tuple), st.none())


turns = (
    turn([Role.USER], text_parts | images | documents | audio | opaque)
    | turn([Role.ASSISTANT], text_parts | reasoning | calls | opaque | st.builds(Refusal, words))
    | turn([Role.TOOL], results)
    | turn([Role.SYSTEM, Role.DEVELOPER], text_parts)
)
tools = st.lists(
    st.builds(
        Tool,
        words,
        st.none() | texts,
        st.none() | schemas | objects,
        st.sampled_from([None, True, False]),
        marks,
        extras,
    )
    | st.builds(
        lambda dialect, kind: OpaqueTool(dialect, kind, {"type": kind, "name": "x"}), dialects, words.map("x_{}".format)
    ),
    max_size=2,
).map(tuple)
efforts = st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max"])
settings = st.builds(
    Settings,
    max_tokens=st.none() | st.integers(1, 100_000),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 40),
    stop=st.lists(texts, max_size=3).map(tuple),
    seed=st.none() | st.integers(),
    n=st.none() | st.integers(1, 3),
    user=st.none() | words,
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"])) | st.builds(ToolChoice, st.just("named"), words.map(lambda name: (name,))),
    parallel_tools=st.sampled_from([None, True, False]),
    format=st.none() | st.just(Format("json_object")) | st.builds(Format, st.just("json_schema"), schemas, st.none() | words, st.none() | st.booleans()),
    reasoning=st.none() | st.builds(ReasoningSettings, efforts, st.none() | st.integers(0, 70_000), st.sampled_from([None, "enabled", "disabled", "adaptive"]), st.sampled_from([None, "summarized"])),
)  # fmt: skip
conversations = st.builds(
    Conversation, model=words, messages=st.lists(turns, max_size=5).map(tuple), tools=tools, settings=settings,
    stream=st.booleans(), extra=extras,
)  # fmt: skip
counts = st.integers(0, 10**9)
answers = st.builds(
    Answer,
    id=texts,
    model=texts,
    choices=st.lists(
        st.builds(
            Choice,
            parts=st.lists(text_parts | reasoning | calls | opaque | st.builds(Refusal, words), max_size=4).map(tuple),
            stop=st.sampled_from([None, *Stop]),
            stop_native=st.none() | words,
            stop_sequence=st.none() | words,
            extra=extras,
        ),
        max_size=2,
    ).map(tuple),
    usage=st.none() | st.builds(Usage, **dict.fromkeys(["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "audio_in"], counts)),
    created=st.none() | st.integers(0, 10**9),
    extra=extras,
)  # fmt: skip


@given(conversations)
def test_a_projected_request_survives_the_wire(conversation):
    projected, _ = project_request(conversation, DIALECT.request_carries)
    body = DIALECT.render_request(projected)
    assert DIALECT.parse_request(body) == projected
    assert project_request(projected, DIALECT.request_carries) == (projected, ())
    needs = DIALECT.needs(body)
    assert (needs.model, needs.stream, needs.max_tokens) == (
        projected.model,
        projected.stream,
        projected.settings.max_tokens,
    )


@given(conversations)
def test_a_rendered_request_obeys_the_rules_of_the_api(conversation):
    projected, _ = project_request(conversation, DIALECT.request_carries)
    body = json.loads(DIALECT.render_request(projected))
    thinking, choice = body.get("thinking", {}).get("type"), body.get("tool_choice", {})
    assert body["max_tokens"] > body.get("thinking", {}).get("budget_tokens", 0)
    assert body.get("temperature", 0) <= 1
    assert not (thinking == "enabled" and choice.get("type") in {"any", "tool"})
    assert not (thinking in {"enabled", "adaptive"} and "top_k" in body)
    assert "tools" in body or not choice
    for message in body["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else []
        kinds = [block["type"] for block in blocks]
        assert "tool_result" not in kinds[kinds.count("tool_result") :]
        for block in blocks:
            if block["type"] == "tool_use":
                assert re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"])
                assert isinstance(block["input"], dict)
            if block["type"] == "thinking":
                assert block["signature"]


@given(answers)
def test_a_projected_answer_survives_the_wire(answer):
    projected, _ = project_answer(answer, DIALECT.answer_carries)
    assert DIALECT.parse_answer(DIALECT.render_answer(projected)) == projected
    assert project_answer(projected, DIALECT.answer_carries) == (projected, ())


def told(answer: Answer) -> list[StreamEvent]:
    """A projected answer as the stream that another format might have told it in: every part open at once."""
    (choice,) = answer.choices
    events: list[StreamEvent] = [Begin(id=answer.id, model=answer.model)]
    deltas: list[StreamEvent] = []
    for index, part in enumerate(choice.parts):
        opened = part
        if isinstance(part, Text):
            opened = Text("", None, part.extra)
            deltas.append(PartDelta(0, index, Field.TEXT, part.text))
        elif isinstance(part, ToolCall):
            opened = ToolCall(part.id, part.name, "", part.cache, part.extra)
            written = write_arguments(part.arguments)
            deltas += [PartDelta(0, index, Field.ARGUMENTS, piece) for piece in (written[:2], written[2:])]
        events.append(PartBegin(0, index, opened))
    events += sorted(deltas, key=lambda delta: -delta.index)
    events += [PartEnd(0, index) for index in reversed(range(len(choice.parts)))]
    finish = Finish(choice=0, stop=choice.stop or Stop.END, stop_sequence=choice.stop_sequence, extra=choice.extra)
    return [*events, finish, UsageSeen(answer.usage or Usage()), End()]


unmarked = answers.filter(
    lambda answer: all(
        getattr(part, "cache", None) is None
        and not (isinstance(part, ToolCall) and not isinstance(part.arguments, dict))
        for choice in answer.choices
        for part in choice.parts
    )
)


@given(unmarked)
def test_a_stream_written_with_its_parts_interleaved_is_read_as_the_same_answer(answer):
    projected, _ = project_answer(answer, DIALECT.answer_carries)
    events = told(projected)
    encoder = DIALECT.encoder(model="m", include_usage=None)
    wire = SseParser().feed(b"".join(encoder.encode(event) for event in events))
    decoder = DIALECT.decoder()
    watcher = DIALECT.watcher(hide_usage=False)
    read = []
    for event in wire:
        read += decoder.decode(event)
        watcher.see(event)
    expected = assemble(events)
    if not expected.model:
        expected = Answer(id=expected.id, model="m", choices=expected.choices, usage=expected.usage)
    expected, _ = project_answer(expected, DIALECT.answer_carries)
    assert assemble(read) == expected
    assert watcher.usage == expected.usage


@given(wire=st.lists(st.sampled_from([
    {"type": "message_start", "message": {"id": "i", "model": "m", "usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "novel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
    {"type": "error", "error": None},
    {"type": "content_block_delta", "index": 0, "delta": 3},
]), max_size=10))  # fmt: skip
def test_any_order_of_events_is_read_by_the_grammar_or_refused(wire):
    decoder = DIALECT.decoder()
    events = []
    for event in wire:
        try:
            events += decoder.decode(SseEvent(b"", b"", json.dumps(event).encode()))
        except BadAnswer:
            break
    if events and isinstance(events[0], Begin):
        assemble(events)  # raises when the grammar is broken


@given(objects | values, st.binary(max_size=40))
def test_any_json_and_any_bytes_are_read_or_refused(value, raw):
    for body in (json.dumps(value).encode(), raw):
        for read, refusal in (
            (DIALECT.parse_request, BadBody),
            (DIALECT.needs, BadBody),
            (DIALECT.parse_answer, BadAnswer),
            (DIALECT.glance, BadAnswer),
            (lambda data: DIALECT.decoder().decode(SseEvent(b"", b"", data)), BadAnswer),
            (lambda data: DIALECT.watcher(hide_usage=True).see(SseEvent(b"", b"", data)), BadAnswer),
        ):
            with suppress(refusal):  # anything else that is raised is a fault
                read(body)

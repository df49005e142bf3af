"""Whatever the order of a provider's events, the caller's stream is well formed, or the provider's is refused.

Every pair of formats. The events are the usual ones of each format and the unusual ones that servers were seen to send: drawn in any
order and number, some with a value that makes no sense.
"""

from __future__ import annotations

import copy
import json
from typing import Any, NamedTuple

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from pydantic import TypeAdapter

from understudy.core.answer import Answer, Begin, Choice, Finish, StreamEvent
from understudy.core.assembly import assemble
from understudy.core.conversation import Refusal, Text, ToolCall
from understudy.core.projection import Unsaid
from understudy.dialects import CONTENT, END, FAILED, FINISH, BadAnswer, Dialect
from understudy.engine.streaming import Translation, read_stream
from understudy.framing.aws_event_stream import write_message
from understudy.framing.json_lines import write_line
from understudy.framing.sse import SseEvent, write_event
from understudy.registry import Registry
from wellformed import JUDGES, check_grammar

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")
NAMES = tuple(JUDGES)
ERROR = {"error": {"message": "overloaded", "type": "overloaded_error", "code": 529}}


def chunk(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "i", "object": "chat.completion.chunk", "created": 5, "model": "m", "choices": [choice], **more}


def call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments, **more}}]}


CHAT: list[Any] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "a"}),
    chunk({"content": "é"}, "stop"),
    chunk({"content": "b"}, "length", 1),
    chunk({"reasoning_content": "hm"}),
    chunk({"reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s", "index": 0}]}),
    chunk({"refusal": "no"}, "content_filter"),
    chunk({"tool_calls": [{"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "c1", "type": "function", "function": {"name": "g", "arguments": "{"}}]}),
    chunk(call(0, "{}"), "tool_calls"),
    chunk(call(1, '"x":1}')),
    chunk(call(2, "{}")),  # without a beginning
    chunk({"function_call": {"name": "h", "arguments": "{}"}}, "function_call"),
    chunk({}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    chunk({"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
    {"id": "i", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
    {"id": "j", "choices": [{"index": 0, "delta": {"content": "other"}, "finish_reason": "stop"}]},
    {"id": "", "choices": []},
    ERROR,
    b"[DONE]",
    b"[DONE]",
]
BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": ""},
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
]
MESSAGES: list[Any] = [
    *({"type": "message_start", "message": {"id": "i", "model": "m", "content": [], "usage": {"input_tokens": 1}}},)
    * 3,
    *({"type": "content_block_start", "index": place % 2, "content_block": one} for place, one in enumerate(BLOCKS)),
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"x":'}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"type": "x"}}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_stop", "index": 1},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 4}},
    {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
    {"type": "ping"},
    {"type": "error", **ERROR},
]


def item(kind: str, place: int, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": place, "item_id": f"i{place}", **fields}


MESSAGE = {"id": "i0", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
CALL = {"id": "i1", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
THOUGHT = {"id": "i2", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
RESPONSES: list[Any] = [
    {"type": "response.created", "response": {"id": "r", "model": "m", "output": []}},
    item("output_item.added", 0, item={**MESSAGE, "content": []}),
    item("output_item.added", 1, item=CALL),
    item("output_item.added", 2, item=THOUGHT),
    item("output_text.delta", 0, content_index=0, delta="a"),
    item("refusal.delta", 0, content_index=1, delta="no"),
    item("function_call_arguments.delta", 1, delta="{}"),
    item("function_call_arguments.delta", 5, delta="{}"),
    item("reasoning_summary_text.delta", 2, summary_index=0, delta="hm"),
    item("reasoning_text.delta", 2, content_index=0, delta="hm"),
    item("content_part.done", 0, content_index=0, part=MESSAGE["content"][0]),
    item("output_item.done", 0, item=MESSAGE),
    item("output_item.done", 1, item={**CALL, "arguments": "{}"}),
    item("output_item.done", 2, item={**THOUGHT, "encrypted_content": "e"}),
    item("output_item.done", 3, item={"id": "i3", "type": "web_search_call", "status": "completed"}),
    {"type": "response.completed", "response": {"id": "r", "output": [MESSAGE], "usage": {"input_tokens": 1, "output_tokens": 2}}},
    {"type": "response.incomplete", "response": {"id": "r", "incomplete_details": {"reason": "max_output_tokens"}}},
    {"type": "response.failed", "response": {"id": "r", **ERROR}},
    {"type": "error", **ERROR},
    b"[DONE]",
]  # fmt: skip


def candidate(*parts: Any, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    one = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    return {"candidates": [one if finish is None else {**one, "finishReason": finish}], "modelVersion": "m", **more}


CANDIDATES: list[Any] = [
    candidate({"text": "a"}),
    candidate({"text": "é"}, finish="STOP"),
    candidate({"text": "b"}, index=1),
    candidate(index=1, finish="MAX_TOKENS"),
    candidate({"text": "hm", "thought": True}),
    candidate({"text": "", "thoughtSignature": "s"}),
    candidate({"functionCall": {"name": "f", "args": {"x": 1}}}, finish="STOP"),
    candidate({"functionCall": {"name": "g", "partialArgs": [], "willContinue": True}}),
    candidate({"functionCall": {"partialArgs": [{"jsonPath": "$.x", "stringValue": "y"}], "willContinue": True}}),
    candidate({"functionCall": {}}),
    candidate({"executableCode": {"language": "PYTHON", "code": "1"}}),
    candidate(finish="STOP", usageMetadata={"promptTokenCount": 1, "candidatesTokenCount": 2}),
    {"candidates": [{"finishReason": "SAFETY"}]},
    {"usageMetadata": {"promptTokenCount": 1}},
    {"promptFeedback": {"blockReason": "SAFETY"}},
    ERROR,
    b"[DONE]",
]


def named(kind: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return kind, fields


def piece(place: int, **delta: Any) -> tuple[str, dict[str, Any]]:
    return named("contentBlockDelta", contentBlockIndex=place, delta=delta)


CONVERSE: list[Any] = [
    named("messageStart", role="assistant"),
    named("contentBlockStart", contentBlockIndex=1, start={"toolUse": {"toolUseId": "t", "name": "f"}}),
    named("contentBlockStart", contentBlockIndex=2, start={"image": {"format": "png"}}),
    piece(0, text="a"),
    piece(0, text=""),
    piece(1, toolUse={"input": "{}"}),
    piece(3, toolUse={"input": "{}"}),
    piece(0, reasoningContent={"text": "hm"}),
    piece(0, reasoningContent={"signature": "s"}),
    piece(2, reasoningContent={"redactedContent": "AAAA"}),
    piece(0, citation={"title": "x"}),
    *(named("contentBlockStop", contentBlockIndex=place) for place in range(3)),
    named("messageStop", stopReason="end_turn"),
    named("messageStop", stopReason="tool_use"),
    named("metadata", usage={"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}),
    named("metadata"),
]


def typed(kind: str, index: Any = 0, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


COHERE: list[Any] = [
    {"type": "message-start", "id": "i", "delta": {"message": {"role": "assistant"}}},
    typed("content-start", content={"type": "text", "text": ""}),
    typed("content-start", 1, content={"type": "thinking", "thinking": ""}),
    typed("content-start", 2, content={"type": "novel"}),
    typed("content-delta", content={"text": "a"}),
    typed("content-delta", 1, content={"thinking": "hm"}),
    typed("content-delta", 2, content={"text": "x"}),
    typed("content-end"),
    typed("content-end", 1),
    typed("tool-plan-delta", tool_plan="so"),
    typed("tool-call-start", tool_calls={"id": "c", "function": {"name": "f", "arguments": ""}}),
    typed("tool-call-start", 1, tool_calls={"id": "d", "function": {"name": "g", "arguments": "{"}}),
    typed("tool-call-delta", tool_calls={"function": {"arguments": "{}"}}),
    typed("tool-call-delta", 3, tool_calls={"function": {"arguments": "{}"}}),
    typed("tool-call-end"),
    typed("citation-start", citations={"text": "a"}),
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 1}}}},
    {"type": "message-end", "delta": {"finish_reason": "ERROR"}},
    {"message": "overloaded"},
    b"[DONE]",
]


def line(*, done: bool = False, **message: Any) -> dict[str, Any]:
    end = {"done_reason": "stop", "eval_count": 2} if done else {}
    spoken = {"role": "assistant", "content": "", **message}
    return {"model": "m", "created_at": "2025-01-01T00:00:00Z", "message": spoken, "done": done, **end}


OLLAMA: list[Any] = [
    line(content="a"),
    line(content="é"),
    line(thinking="hm"),
    line(tool_calls=[{"function": {"name": "f", "arguments": {"x": 1}}}]),
    line(tool_calls=[{"function": {"name": "g", "arguments": {}}}], content="b"),
    line(done=True),
    line(done=True, content="late"),
    {"done": True},
    {"error": "overloaded"},
]
POOLS: dict[str, list[Any]] = {
    "anthropic_messages": MESSAGES,
    "bedrock_converse": CONVERSE,
    "cohere_chat": COHERE,
    "gemini": CANDIDATES,
    "ollama_chat": OLLAMA,
    "openai_chat": CHAT,
    "openai_responses": RESPONSES,
}
JUNK = st.sampled_from([None, 3, -1, 0.5, True, "", "x", "\ud800", [], [1], [None], {}, {"a": 1}, 10**30])


@st.composite
def damaged(draw: st.DrawFn, event: Any) -> Any:
    """An event with a value somewhere in it that makes no sense there."""
    if isinstance(event, bytes):
        return event
    damaged = copy.deepcopy(event)
    node: Any = damaged[1] if isinstance(damaged, tuple) else damaged
    while node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = draw(st.sampled_from(keys))
        if isinstance(node[key], dict | list) and node[key] and draw(st.booleans()):
            node = node[key]
            continue
        node[key] = draw(JUNK)
        break
    return damaged


def streams(name: str, *, damage: bool = False) -> st.SearchStrategy[list[Any]]:
    event = st.sampled_from(POOLS[name])
    if damage:
        event = event | event.flatmap(damaged)
    first = st.just([POOLS[name][0]]) | st.just([])
    return st.tuples(first, st.lists(event, max_size=14)).map(lambda drawn: drawn[0] + drawn[1])


def framed(name: str, events: list[Any]) -> bytes:
    """The bytes of a stream, as the provider would send them."""
    if name == "bedrock_converse":
        heads = [{":event-type": kind, ":message-type": "event"} for kind, _ in events]
        return b"".join(map(write_message, heads, [json.dumps(fields).encode() for _, fields in events]))
    datas = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return b"".join(write_line(data) if name == "ollama_chat" else write_event(data) for data in datas)


class Told(NamedTuple):
    """What came of a stream: the caller's bytes, what was heard, and whether that was `whole`, `broken`, or no answer at all."""

    data: bytes
    heard: list[StreamEvent]
    end: str


class _Listening:
    """A decoder, and what it said."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.heard: list[StreamEvent] = []

    @property
    def stop(self) -> Any:
        return self._decoder.stop

    def decode(self, event: SseEvent) -> Any:
        said = self._decoder.decode(event)
        self.heard += said
        return said

    def ending(self) -> Any:
        said = self._decoder.ending()
        self.heard += said
        return said


def carried(source: Dialect, target: Dialect, data: bytes) -> Told:
    """A stream on its way through, as the engine takes it."""
    decoder = _Listening(source.decoder())
    carrier = Translation(
        decoder, target.encoder(model="m", include_usage=True), Unsaid(target.answer_carries), 5, "decision"
    )
    framing = source.framing()
    written, seen = b"", 0
    try:
        for event in [*framing.feed(data), *framing.flush()]:
            out, bits = carrier.carry(event)
            seen |= bits
            if bits & FAILED:
                assert carrier.failure is not None
                return Told(written, decoder.heard, "broken")
            written += out
            if bits & END:
                break
        if not seen & END:
            owed = carrier.ending() if seen & FINISH else None
            if owed is None:
                return Told(written, decoder.heard, "broken")
            written += owed
    except BadAnswer:
        return Told(written, decoder.heard, "broken")
    return Told(written, decoder.heard, "whole" if seen & CONTENT or carrier.excused else "nothing")


def judge(target: Dialect, told: Told, *, sensible: bool) -> None:
    check_grammar(told.heard)
    if told.end == "nothing":
        return  # nobody is sent any of it
    if told.end == "whole":
        assert any(isinstance(event, Begin) for event in told.heard)
        assert any(isinstance(event, Finish) for event in told.heard)
    framing = target.framing()
    wire = [*framing.feed(told.data), *framing.flush()]
    JUDGES[target.name](wire, whole=told.end == "whole")
    if told.end == "whole" and sensible:
        heard, read = assemble(told.heard), read_stream(target, told.data)
        if target.answer_carries.choices_max == 1:
            assert said_in(read) == said_in(heard)
        else:  # whoever speaks first is the first, and that may be another one in the other format
            assert sorted(map(spoken_in, read.choices)) == sorted(map(spoken_in, heard.choices))
        read_by_their_client(target.name, wire)


def spoken_in(choice: Choice) -> tuple[str, list[str]]:
    """The words and the calls of an alternative."""
    spoken = "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal))
    return spoken, [part.name for part in choice.parts if isinstance(part, ToolCall)]


def said_in(answer: Answer) -> tuple[str, list[str]]:
    """Those of an answer's first alternative."""
    return spoken_in(answer.choices[0])


def read_by_their_client(name: str, wire: list[SseEvent]) -> None:
    """What the official clients do with the events of a stream."""
    if name == "openai_chat":
        state = ChatCompletionStreamState()
        for event in wire:
            if event.data != b"[DONE]":
                state.handle_chunk(ChatCompletionChunk.model_validate_json(event.data or b""))
        assert all(choice.finish_reason for choice in state.current_completion_snapshot.choices)
    if name == "anthropic_messages":
        snapshot, pieces = None, {}
        for event in wire:
            if b"input_json_delta" in (event.data or b""):
                continue  # whether a model writes JSON is not ours to say
            read = _MESSAGE_EVENT.validate_json(event.data or b"")
            snapshot = accumulate_event(event=read, current_snapshot=snapshot, json_bufs=pieces)
        assert snapshot is not None
        assert snapshot.stop_reason


_MESSAGE_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


@pytest.mark.no_cover
@pytest.mark.parametrize("source", NAMES)
@settings(max_examples=40)
@given(data=st.data())
def test_events_in_any_order_make_a_stream_that_is_well_formed(source: str, data: st.DataObject) -> None:
    told = framed(source, data.draw(streams(source)))
    for target in NAMES:
        judge(DIALECTS.entry(target), carried(DIALECTS.entry(source), DIALECTS.entry(target), told), sensible=True)


@pytest.mark.no_cover
@pytest.mark.parametrize("source", NAMES)
@settings(max_examples=40)
@given(data=st.data())
def test_events_that_make_no_sense_are_refused_or_make_one_too(source: str, data: st.DataObject) -> None:
    told = framed(source, data.draw(streams(source, damage=True)))
    target = data.draw(st.sampled_from(NAMES))
    judge(DIALECTS.entry(target), carried(DIALECTS.entry(source), DIALECTS.entry(target), told), sensible=False)


# One stream of each format that says everything once, `TEXT` in its words


def telling(text: str) -> dict[str, list[Any]]:
    return {
        "anthropic_messages": [
            MESSAGES[0],
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
            {"type": "message_stop"},
        ],
        "bedrock_converse": [CONVERSE[0], piece(0, text=text), named("messageStop", stopReason="end_turn"), CONVERSE[-1]],
        "cohere_chat": [COHERE[0], COHERE[1], typed("content-delta", content={"text": text}), typed("content-end"), COHERE[16]],
        "gemini": [candidate({"text": text}, finish="STOP")],
        "ollama_chat": [line(content=text), line(done=True)],
        "openai_chat": [chunk({"content": text}), chunk({}, "stop"), b"[DONE]"],
        "openai_responses": [RESPONSES[0], item("output_text.delta", 0, content_index=0, delta=text), RESPONSES[15]],
    }  # fmt: skip


@pytest.mark.parametrize("source", NAMES)
def test_words_of_a_megabyte_in_one_event_come_through(source: str) -> None:
    text = "\U0001f3ad é x" * 100_000
    data = framed(source, telling(text)[source])
    for target in NAMES:
        told = carried(DIALECTS.entry(source), DIALECTS.entry(target), data)
        judge(DIALECTS.entry(target), told, sensible=True)
        assert said_in(read_stream(DIALECTS.entry(target), told.data)) == (text, [])


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("escaped", [True, False])
def test_where_reads_cut_a_character_changes_nothing(source: str, escaped: bool) -> None:
    dialect, target = DIALECTS.entry(source), DIALECTS.entry("anthropic_messages")
    data = framed(source, telling("\U0001f3adé")[source])
    if not escaped and source != "bedrock_converse":
        data = data.replace(b"\\ud83c\\udfad", "\U0001f3ad".encode()).replace(b"\\u00e9", "é".encode())
    whole = carried(dialect, target, data)
    assert said_in(assemble(whole.heard)) == ("\U0001f3adé", [])
    for place in range(1, len(data)):
        framing, decoder = dialect.framing(), dialect.decoder()
        pieces = [*framing.feed(data[:place]), *framing.feed(data[place:]), *framing.flush()]
        heard = [said for event in pieces for said in decoder.decode(event)]
        assert [*heard, *decoder.ending()] == whole.heard


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize(
    ("source", "events"),
    [
        ("openai_chat", [chunk({"content": text}, "stop") for text in "abc"]),
        ("openai_chat", [*(chunk({"content": text}, "stop", id=text) for text in "abc"), b"[DONE]", b"[DONE]"]),
        ("openai_chat", [chunk({"content": "ab"}, "stop"), chunk({"content": "c"}), CHAT[15], b"[DONE]"]),
        ("openai_chat", [CHAT[15], chunk({"content": "abc"}, "stop", 7), CHAT[15]]),
        ("gemini", [candidate({"text": text}, finish="STOP") for text in "abc"]),
        ("gemini", [CANDIDATES[13], candidate({"text": "abc"}, index=2, finish="STOP"), CANDIDATES[13]]),
        ("anthropic_messages", [MESSAGES[0], MESSAGES[14], *telling("abc")["anthropic_messages"][1:5]]),
    ],
)
def test_a_finish_reason_in_an_odd_place_takes_no_words_away(source: str, events: list[Any], target: str) -> None:
    told = carried(DIALECTS.entry(source), DIALECTS.entry(target), framed(source, events))
    assert told.end == "whole"
    judge(DIALECTS.entry(target), told, sensible=True)
    assert said_in(read_stream(DIALECTS.entry(target), told.data)) == ("abc", [])


@pytest.mark.parametrize(
    ("source", "events"),
    [
        ("openai_chat", [chunk({"content": "a"}), chunk({"content": "b"}, "stop"), chunk({"content": "c"}, index=1)]),
        ("openai_chat", [chunk({"content": "a"}), CHAT[15]]),
        ("gemini", [candidate({"text": "a"})]),
        ("anthropic_messages", telling("a")["anthropic_messages"][:4]),
        ("cohere_chat", telling("a")["cohere_chat"][:4]),
        ("openai_responses", telling("a")["openai_responses"][:2]),
        ("openai_responses", [RESPONSES[0], RESPONSES[7], RESPONSES[16]]),
        ("openai_chat", [chunk({"content": "a"}), CHAT[11], b"[DONE]"]),
        ("openai_chat", [chunk({"content": "a"}), chunk({**CHAT[11]["choices"][0]["delta"]}, "tool_calls")]),
        ("cohere_chat", [COHERE[0], COHERE[13]]),
        ("bedrock_converse", [CONVERSE[0], piece(3, toolUse={"input": "{}"})]),
        ("bedrock_converse", [CONVERSE[0], *telling("a")["bedrock_converse"][1:3], piece(0, text="late")]),
    ],
)
def test_what_was_cut_or_makes_no_sense_is_never_told_as_whole(source: str, events: list[Any]) -> None:
    for target in NAMES:
        told = carried(DIALECTS.entry(source), DIALECTS.entry(target), framed(source, events))
        assert told.end == "broken"
        judge(DIALECTS.entry(target), told, sensible=True)

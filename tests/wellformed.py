"""What a stream of each wire format must look like, by its provider's own documentation of the order of events.

Each judge takes the events of one stream as they were framed, and says whether it is `whole`: it asserts everything that holds of a
stream at any moment, and for a whole one how it ends. None knows of the intermediate form. Sources: OpenAI's API reference ("The
chat completion chunk object", "Streaming events" of Responses), Anthropic's "Streaming messages", Google's `generateContent`, AWS's
`ConverseStream`, Cohere's "Streaming responses", Ollama's "Generate a chat completion".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from understudy.core.answer import (
    Begin,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    PartExtra,
    StreamEvent,
)
from understudy.core.conversation import Reasoning, Refusal, Text, ToolCall
from understudy.framing.sse import SseEvent

_FIELDS = {
    Text: (Field.TEXT,),
    Refusal: (Field.TEXT,),
    Reasoning: (Field.TEXT, Field.SIGNATURE, Field.DATA),
    ToolCall: (Field.ARGUMENTS,),
}


def check_grammar(events: Iterable[StreamEvent]) -> None:
    """The grammar of `core.answer`, to the letter."""
    begun = over = False
    parts: dict[tuple[int, int], Any] = {}  # open ones
    opened: dict[int, int] = {}
    finished: dict[int, None] = {}
    for event in events:
        assert not over, f"{event} behind the end"
        if isinstance(event, Begin):
            assert not begun, "Begin twice"
            begun = True
        elif isinstance(event, PartBegin):
            assert begun, "a part before Begin"
            assert event.choice not in finished, "a part behind Finish"
            assert event.index == opened.get(event.choice, 0), "parts are numbered in the order of their opening"
            opened[event.choice] = event.index + 1
            parts[event.choice, event.index] = event.part
        elif isinstance(event, PartDelta | PartExtra | PartEnd):
            part = parts[event.choice, event.index]
            if isinstance(event, PartDelta):
                assert event.field in _FIELDS[type(part)], f"{event} of {part}"
            if isinstance(event, PartEnd):
                del parts[event.choice, event.index]
        elif isinstance(event, Finish):
            assert begun, "Finish before Begin"
            assert event.choice not in finished, "Finish twice"
            assert not [choice for choice, _ in parts if choice == event.choice], "Finish before the end of a part"
            finished[event.choice] = None
        elif isinstance(event, End | Failed):
            over = True
            if isinstance(event, End):
                assert opened.keys() <= finished.keys(), "End before Finish"


def check_chat_completions(wire: list[SseEvent], *, whole: bool) -> None:
    """One role, one finish reason per choice and nothing of it behind that; calls one after the other; `[DONE]` last."""
    datas = [event.data for event in wire]
    assert datas.count(b"[DONE]") == (1 if whole else 0)
    if whole:
        assert datas.pop() == b"[DONE]"
    finished: dict[int, str] = {}
    roles: dict[int, int] = {}
    calls: dict[int, int] = {}
    counted = False
    for chunk in map(json.loads, datas):
        assert chunk["object"] == "chat.completion.chunk"
        assert isinstance(chunk["id"], str)
        assert not counted, "a chunk behind the usage"
        counted = "usage" in chunk
        assert counted is (chunk["choices"] == [])
        for choice in chunk["choices"]:
            number, delta = choice["index"], choice["delta"]
            assert number not in finished, "a choice goes on behind its finish reason"
            roles[number] = roles.get(number, 0) + ("role" in delta)
            for call in delta.get("tool_calls", ()):
                last = calls.get(number, -1)
                assert call["index"] in (last, last + 1), "calls are told one after the other"
                if call["index"] > last:
                    assert isinstance(call["id"], str)
                    assert isinstance(call["function"]["name"], str)
                calls[number] = call["index"]
            if choice["finish_reason"] is not None:
                finished[number] = choice["finish_reason"]
    assert all(count == 1 for number, count in roles.items() if number not in finished or count)
    if whole:
        assert set(finished) >= {number for number, count in roles.items() if count and number}
        assert finished, "no choice is finished"


_DELTAS = {
    "text_delta": "text",
    "citations_delta": "text",
    "input_json_delta": "tool_use",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
}


def check_messages(wire: list[SseEvent], *, whole: bool) -> None:
    """message_start; blocks one after the other, each started, continued and stopped; one message_delta; message_stop."""
    open_: dict[str, Any] | None = None
    told = -1
    state = "nothing"
    for event in wire:
        assert event.data is not None
        fields = json.loads(event.data)
        kind = fields["type"]
        assert event.event.decode() == kind
        if kind == "message_start":
            assert state == "nothing"
            state = "content"
            assert fields["message"]["content"] == []
            assert fields["message"]["stop_reason"] is None
        elif kind == "content_block_start":
            assert state == "content"
            assert open_ is None, "two blocks are open"
            told += 1
            assert fields["index"] == told
            open_ = fields["content_block"]
        elif kind == "content_block_delta":
            assert open_ is not None, "a delta of no block"
            assert fields["index"] == told
            assert _DELTAS[fields["delta"]["type"]] == open_["type"]
        elif kind == "content_block_stop":
            assert open_ is not None, "the end of no block"
            assert fields["index"] == told
            open_ = None
        elif kind == "message_delta":
            assert state == "content"
            assert open_ is None, "message_delta inside a block"
            assert isinstance(fields["delta"]["stop_reason"], str)
            state = "finished"
        elif kind == "message_stop":
            assert state == "finished"
            state = "over"
        else:
            raise AssertionError(f"{kind} is no event of this format")
    assert (state == "over") is whole
    assert whole or state in {"nothing", "content"}, "a broken stream gives no stop reason"


def check_responses(wire: list[SseEvent], *, whole: bool) -> None:
    """Numbered events; items one after the other, each added, told and done; the last event repeats them all."""
    items: list[dict[str, Any]] = []
    open_: dict[str, Any] | None = None
    pieces: dict[str, str] = {}
    over = False
    for number, event in enumerate(wire):
        assert event.data is not None
        fields = json.loads(event.data)
        kind = fields["type"]
        assert event.event.decode() == kind
        assert fields["sequence_number"] == number
        assert not over, "an event behind the last"
        assert (kind == "response.created") is (number == 0)
        if kind == "response.output_item.added":
            assert open_ is None, "two items are open"
            assert fields["output_index"] == len(items)
            open_, pieces = fields["item"], {}
        elif kind == "response.output_item.done":
            assert open_ is not None
            assert fields["output_index"] == len(items)
            assert fields["item"]["type"] == open_["type"]
            items.append(fields["item"])
            open_ = None
        elif "output_index" in fields:
            assert open_ is not None, "a piece of no item"
            assert fields["output_index"] == len(items)
            assert fields["item_id"] == open_["id"]
            about = kind.rpartition(".")[0]
            if kind.endswith(".delta"):
                pieces[about] = pieces.get(about, "") + fields["delta"]
            elif about in pieces:  # what is said to be done is what was told
                told = [fields[name] for name in ("text", "refusal", "arguments") if name in fields]
                assert told == [pieces[about]]
        elif kind in {"response.completed", "response.incomplete"}:
            assert open_ is None, "the end inside an item"
            assert fields["response"]["output"] == items
            over = True
        else:
            assert kind in {"response.created", "response.in_progress"}
    assert over is whole


def check_generate_content(wire: list[SseEvent], *, whole: bool) -> None:
    """Answers with a piece more each; why each candidate ended, in the last one."""
    bodies = [json.loads(event.data or b"") for event in wire]
    for place, body in enumerate(bodies):
        for candidate in body["candidates"]:
            assert isinstance(candidate["content"]["parts"], list)
            assert ("finishReason" in candidate) is (whole and place == len(bodies) - 1)
            assert isinstance(candidate["index"], int)
        numbers = [candidate["index"] for candidate in body["candidates"]]
        assert len(set(numbers)) == len(numbers)
    if whole:
        finished = {candidate["index"] for candidate in bodies[-1]["candidates"]}
        assert finished >= {candidate["index"] for body in bodies for candidate in body["candidates"]}
        assert finished, "no candidate is finished"


def check_converse(wire: list[SseEvent], *, whole: bool) -> None:
    """messageStart; blocks one after the other; messageStop; metadata."""
    state, open_, blocks = "nothing", None, -1
    for event in wire:
        fields = json.loads(event.data or b"")
        kind, place = event.event.decode(), fields.get("contentBlockIndex")
        if kind == "messageStart":
            assert state == "nothing"
            state = "content"
        elif kind in {"contentBlockStart", "contentBlockDelta"}:
            assert state == "content"
            if open_ is None or kind == "contentBlockStart":
                assert open_ is None, "two blocks are open"
                assert place > blocks
                open_ = blocks = place
            assert place == open_
        elif kind == "contentBlockStop":
            assert state == "content"
            assert open_ in (None, place)  # one that says nothing is not begun
            open_ = None
        elif kind == "messageStop":
            assert (state, open_) == ("content", None)
            assert isinstance(fields["stopReason"], str)
            state = "finished"
        else:
            assert (kind, state) == ("metadata", "finished")
            state = "over"
    assert (state == "over") is whole


def check_cohere(wire: list[SseEvent], *, whole: bool) -> None:
    """message-start; contents and calls one after the other, each kind numbered apart; message-end; `[DONE]`."""
    datas = [event.data or b"" for event in wire]
    if whole:
        assert datas.pop() == b"[DONE]"
    state, open_ = "nothing", None
    told = {"content": -1, "tool-call": -1, "citation": -1}
    for fields in map(json.loads, datas):
        about, _, kind = fields["type"].rpartition("-")
        if about == "message":
            assert open_ is None
            assert (state, kind) in {("nothing", "start"), ("content", "end")}
            state = "content" if kind == "start" else "over"
            continue
        assert state == "content"
        if kind == "start":
            assert open_ is None, "two parts are open"
            told[about] += 1
            open_ = about
        assert (open_, fields["index"]) == (about, told[about])
        if kind == "end":
            open_ = None
    assert (state == "over") is whole


def check_ollama(wire: list[SseEvent], *, whole: bool) -> None:
    """Lines with a piece each; the last one says that it is done."""
    lines = [json.loads(event.data or b"") for event in wire]
    assert [line["done"] for line in lines] == [whole and place == len(lines) - 1 for place in range(len(lines))]
    assert all(line["message"]["role"] == "assistant" for line in lines)
    assert bool(lines) or not whole


Judge = Callable[..., None]
JUDGES: dict[str, Judge] = {
    "anthropic_messages": check_messages,
    "bedrock_converse": check_converse,
    "cohere_chat": check_cohere,
    "gemini": check_generate_content,
    "ollama_chat": check_ollama,
    "openai_chat": check_chat_completions,
    "openai_responses": check_responses,
}

"""What recorded traffic proves about the dialects: every exchange parses, and survives each dialect but for what is declared.

For dialects s (recorded) and d (each): `parse_d(render_d(project_d(x))) == project_d(x)` for requests and whole answers; for
streams the same through d's encoder and decoder. Run as a script, it prints the figures:

    python tests/exchanges/exchanges.py [folder with recordings]
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from random import Random  # noqa: TID251  cuts byte streams in test data, with a seed
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "src")]

from understudy.core.answer import Answer, End, Failed, Finish, PartBegin, StreamEvent, UsageSeen
from understudy.core.assembly import Assembly
from understudy.core.conversation import Audio, Reasoning, Refusal, Text, ToolCall, ToolResult
from understudy.core.projection import Loss, project_answer, project_request
from understudy.core.request import Operation
from understudy.core.usage import Usage
from understudy.dialects import CONTENT, END, FAILED, FINISH, Dialect
from understudy.dialects.gemini.seals import UNSIGNED
from understudy.framing.aws_event_stream import write_message
from understudy.framing.sse import SseEvent
from understudy.registry import Registry

# The exchanges that do not hold, each with its reason: (record id, check) -> why. No recorded content stands here.
KNOWN: dict[tuple[str, str], str] = {}

# Requests that their recorder kept with an end missing: no JSON, so nobody can have sent them.
CUT = ("4105a984eb08457d",)

DIALECTS: Registry[Dialect] = Registry("understudy.dialects", "DIALECT", kind="dialect")
NAMES = tuple(name for name in DIALECTS.names() if DIALECTS.entry(name).operation is Operation.CHAT)
APIS = {
    "bedrock_converse": "bedrock_converse",
    "chat_completions": "openai_chat",
    "cohere_chat": "cohere_chat",
    "generate_content": "gemini",
    "messages": "anthropic_messages",
    "ollama_chat": "ollama_chat",
    "responses": "openai_responses",
}
OTHER_APIS = ("https://api.cohere.com/v1/",)
"""Recorded under the same name, and another API: the first version of Cohere's, which shares no field with the second."""
FILES = (
    "bedrock_converse",
    "chat_completions",
    "messages",
    "generate_content",
    "responses",
    "ollama_chat",
    "cohere_chat",
    "response_only",
    "errors",
)
END_BYTES = 3000
"""How much of a stream's beginning and end is read byte by byte; the middle of a long one is cut at random and awkward places."""
PATHED = ("bedrock_converse",)
"""Formats without a door of ours whose requests say in their path which model is asked, and whether to stream."""
STREAMS = {"sse": "body_text", "ndjson": "body_text", "aws_eventstream": "body_b64", "event_payload_lines": "body_text"}
"""How a recorded stream is framed -> where its bytes are."""
UNMARKED = ("gemini",)
"""Formats whose streams have no end mark: they are complete when the bytes end behind a finish reason."""


def exchanges(folder: Path, files: tuple[str, ...] = FILES) -> Iterator[dict[str, Any]]:
    """The recorded interactions of the APIs that a dialect exists for."""
    known = NAMES
    for name in files:
        packed, plain = folder / f"{name}.jsonl.gz", folder / f"{name}.jsonl"
        text = (
            gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes() if plain.exists() else b""
        )
        for line in text.split(b"\n"):
            record = json.loads(line) if line.strip() else {}
            url = (record.get("request") or {}).get("url") or ""
            if '"chat.completion' in ((record.get("response") or {}).get("body_text") or ""):
                record["api"] = "chat_completions"  # two recordings of it are filed under another API
            if APIS.get(record.get("api", "")) in known and not url.startswith(OTHER_APIS):
                yield record


@dataclass
class Tally:
    """What was checked and what did not hold. `unequal`: (record id, check, what differs)."""

    checked: Counter[str] = field(default_factory=Counter)
    unequal: list[tuple[str, str, str]] = field(default_factory=list)
    raised: list[tuple[str, str, str]] = field(default_factory=list)

    def compare(self, record_id: str, check: str, got: object, wanted: object) -> None:
        self.checked[check] += 1
        if got != wanted:
            self.unequal.append((record_id, check, difference(got, wanted)))

    def holds(self, record_id: str, check: str, holds: bool, otherwise: object = "") -> None:
        self.checked[check] += 1
        if not holds:
            self.unequal.append((record_id, check, str(otherwise)[:500]))

    @property
    def share_equal(self) -> float:
        return 1 - len(self.unequal) / max(1, sum(self.checked.values()))


def check_exchange(record: dict[str, Any], tally: Tally, dialects: dict[str, Dialect]) -> None:
    """Check one recorded interaction in every way there is."""
    source = dialects[APIS[record["api"]]]
    steps: list[tuple[str, Callable[[], None]]] = []
    request = record.get("request") or {}
    body = request.get("body_text") or (json.dumps(request["body"]) if isinstance(request.get("body"), dict) else None)
    path = urlsplit(request.get("url") or "").path
    named = "model" in (request.get("body") or {}) or names_the_model(source)
    # elsewhere a request without a model goes to an address of its own; a refused one need not make sense
    if body is not None and named and record.get("error") is None and record["id"] not in CUT:
        steps.append(("request", lambda: check_request(record["id"], body.encode(), path, source, dialects, tally)))
    answered = body_of(record)
    if answered is not None:
        steps.append(("answer", lambda: check_response(record, answered, source, dialects, tally)))
    for name, step in steps:
        try:
            step()
        except Exception as error:
            tally.raised.append((record["id"], name, f"{type(error).__name__}: {error}"[:300]))


def body_of(record: dict[str, Any]) -> bytes | None:
    """The bytes that came back. Where a recorder kept but the events of a binary stream, they are framed again."""
    response = record["response"]
    if response.get("body_b64") is not None:
        return base64.b64decode(response["body_b64"])
    text = response.get("body_text")
    if text is None or record.get("stream_format") != "event_payload_lines" or record["api"] != "bedrock_converse":
        return text if text is None else text.encode()
    events = [json.loads(line) for line in text.splitlines()]
    return b"".join(
        write_message(named(name), json.dumps(held).encode()) for event in events for name, held in event.items()
    )


def named(event: str) -> dict[str, str]:
    """The headers of a message in a binary stream."""
    kind = "exception" if event.endswith("Exception") else "event"
    return {f":{kind}-type": event, ":message-type": kind}


def names_the_model(dialect: Dialect) -> bool:
    """Whether the address of a request says the model, and not its body."""
    return dialect.name in PATHED or any("{model}" in door for door in dialect.inbound)


def check_request(
    id_: str, body: bytes, path: str, source: Dialect, dialects: dict[str, Dialect], tally: Tally
) -> None:
    needs = source.needs(body, path)
    conversation = source.parse_request(body)
    if names_the_model(source):
        conversation = replace(conversation, model=needs.model, stream=needs.stream)  # which the path says
    tally.compare(
        id_,
        "needs agree with the parsed request",
        (needs.model, needs.stream, needs.max_tokens, "tools" in needs.features),
        (conversation.model, conversation.stream, conversation.settings.max_tokens, bool(conversation.tools)),
    )
    lacking = missing(json.loads(body), conversation)
    tally.holds(id_, f"request {source.name}: parsing loses nothing", not lacking, lacking)
    for name, target in dialects.items():
        check = f"request {source.name} -> {name}"
        projected, losses = project_request(conversation, target.request_carries)
        again, more = project_request(projected, target.request_carries)
        tally.compare(id_, f"{check}: projecting twice changes nothing", (again, more), (projected, ()))
        back = target.parse_request(target.render_request(projected))
        if names_the_model(target):
            back = replace(back, model=projected.model, stream=projected.stream)
        tally.compare(id_, check, back, projected)
        tally.holds(id_, f"{check}: no words lost in silence", nothing_silent(conversation, projected, losses), losses)


def check_response(
    record: dict[str, Any], body: bytes, source: Dialect, dialects: dict[str, Dialect], tally: Tally
) -> None:
    id_ = record["id"]
    if record.get("stream_format") in STREAMS:
        check_stream(id_, body, source, dialects, tally, failed=record.get("error") is not None)
    elif record.get("error") is None:
        check_answer(id_, body, source, dialects, tally)
    elif (record["response"].get("status") or 400) < 400:
        tally.holds(id_, "error in a 200 is seen", source.glance(body).failure is not None)


def check_answer(id_: str, body: bytes, source: Dialect, dialects: dict[str, Dialect], tally: Tally) -> None:
    glance = source.glance(body)
    answer = source.parse_answer(body)
    tally.compare(
        id_, "glance agrees with the parsed answer", (glance.usage, glance.model or ""), (answer.usage, answer.model)
    )
    whole = json.loads(body)
    counted = dict.fromkeys(
        ("usage", "usageMetadata", "prompt_eval_count", "incomplete_details")
    )  # what is of usage is compared above, why it ended is told by the stop
    lacking = missing({**whole, **counted} if isinstance(whole, dict) else None, answer)
    tally.holds(id_, f"answer {source.name}: parsing loses nothing", not lacking, lacking)
    said = any(choice.parts for choice in answer.choices)
    tally.holds(id_, "an answer with parts is no failure", glance.failure is None or not said, glance.failure)
    for name, target in dialects.items():
        check = f"answer {source.name} -> {name}"
        projected, losses = project_answer(answer, target.answer_carries)
        again, more = project_answer(projected, target.answer_carries)
        tally.compare(id_, f"{check}: projecting twice changes nothing", (again, more), (projected, ()))
        tally.compare(id_, check, target.parse_answer(target.render_answer(projected)), projected)
        tally.holds(id_, f"{check}: no words lost in silence", nothing_silent(answer, projected, losses), losses)


# Streams


def check_stream(
    id_: str, body: bytes, source: Dialect, dialects: dict[str, Dialect], tally: Tally, *, failed: bool
) -> None:
    events = split_events(source, body, ())
    for name, cuts in every_cut(id_, body):
        tally.holds(id_, f"events do not depend on reads: {name}", split_events(source, body, cuts) == events, cuts)
    heard = decode_stream(source, events)
    seen, usage, _, fault = watch_stream(source, events)
    spoken = any(isinstance(event, PartBegin) for event in heard)
    finished = any(isinstance(event, Finish) for event in heard)
    last = [event.usage for event in heard if isinstance(event, UsageSeen)]
    tally.compare(id_, "watcher and decoder agree on content", bool(seen & CONTENT), spoken)
    tally.compare(id_, "watcher and decoder agree on usage", usage, last[-1] if last else None)
    if not failed:  # the decoder tells of none where an error comes behind it
        tally.compare(id_, "watcher and decoder agree on the finish", bool(seen & FINISH), finished)
    tally.compare(id_, "watcher and decoder agree on the end", bool(seen & END), End() in heard)
    failures = [event.failure for event in heard if isinstance(event, Failed)]
    tally.compare(id_, "an error in the stream is seen", (bool(failures), bool(seen & FAILED)), (failed, failed))
    if failed:
        tally.compare(id_, "watcher and decoder agree on the failure", fault, failures[-1] if failures else None)
        return
    tally.holds(id_, "a stream finishes", finished)
    assembly = Assembly()
    for event in heard:
        assembly.add(event)
    answer = assembly.answer()
    for kind, wanted in plainly_told(source.name, events).items():
        tally.compare(id_, f"stream {source.name}: every {kind} is read", said_of(kind, answer), wanted)
    whole = [
        *(event for event in heard if not isinstance(event, End)),
        End(),
    ]  # what an engine adds where a provider does not
    for name, target in dialects.items():
        check_reencoded(id_, f"stream {source.name} -> {name}", whole, answer, target, tally)


def check_reencoded(
    id_: str, check: str, events: list[StreamEvent], answer: Answer, target: Dialect, tally: Tally
) -> None:
    encoder = target.encoder(model=answer.model, include_usage=True)
    written = b"".join(encoder.encode(event) for event in events)
    wire = split_events(target, written, ())
    back = Assembly()
    for event in decode_stream(target, wire):
        back.add(event)
    projected, losses = project_answer(answer, target.answer_carries)
    got, more = project_answer(back.answer(), target.answer_carries)
    tally.compare(id_, check, got, projected)
    tally.compare(
        id_, f"{check}: what was written is all carried", [loss for loss in more if loss.weight != "cosmetic"], []
    )
    seen, usage, _, _ = watch_stream(target, wire)
    ended = bool(seen & END) or target.name in UNMARKED
    tally.holds(id_, f"{check}: ends as it should", ended and bool(seen & FINISH))
    tally.compare(id_, f"{check}: usage passes", usage, projected.usage)
    tally.holds(id_, f"{check}: no words lost in silence", nothing_silent(answer, got, losses), losses)


def split_events(dialect: Dialect, body: bytes, cuts: tuple[int, ...]) -> list[SseEvent]:
    """The events of a body that arrives in reads, cut at these places."""
    parser = dialect.framing()
    events: list[SseEvent] = []
    begin = 0
    for end in (*cuts, len(body)):
        events += parser.feed(body[begin:end])
        begin = end
    return [event._replace(raw=b"") for event in [*events, *parser.flush()]]


def every_cut(id_: str, body: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Ways to cut a body into reads: at every place at once; at each alone when it is short, else at awkward and random ones."""
    yield (
        "byte by byte",
        (*range(1, min(len(body), END_BYTES)), *range(max(END_BYTES, len(body) - END_BYTES), len(body))),
    )
    if len(body) <= 600:
        for place in range(1, len(body)):
            yield "one cut", (place,)
        return
    dice = Random(id_)
    yield "random cuts", tuple(sorted(dice.sample(range(1, len(body)), 40)))
    awkward = [place for place in range(1, len(body)) if body[place] >= 0x80 or body[place - 1] in b"\r\n"]
    yield "awkward cuts", tuple(sorted(dice.sample(awkward, min(60, len(awkward)))))


def decode_stream(dialect: Dialect, events: list[SseEvent]) -> list[StreamEvent]:
    decoder = dialect.decoder()
    return [*(told for event in events for told in decoder.decode(event)), *decoder.ending()]


def watch_stream(dialect: Dialect, events: list[SseEvent]) -> tuple[int, Usage | None, str | None, Any]:
    watcher = dialect.watcher(hide_usage=False)
    seen = 0
    for event in events:
        bits = watcher.see(event)
        seen |= bits
        if bits & FAILED:
            break  # nothing counts after an error
    return seen, watcher.usage, watcher.stop_native, watcher.failure


# What a body says, read without any of the code under test

IMPLIED = (
    "any", "text/plain", "unknown", "TEXT", "auto", "default", "disabled", "message.output_text.logprobs", UNSIGNED, "json", "NONE",
    "REQUIRED",
)  # fmt: skip
"""Values that say what is so without them: Mistral's word for a required tool, plain text, a format nobody knows, an answer in text,
what Responses repeats of settings that nobody made, its way to ask for log probabilities, the signature that stands for none,
Ollama's word for any JSON object, Cohere's for which tools.
"""

PLACES = (
    "type", "role", "object", "finish_reason", "native_finish_reason", "finishReason", "stop_reason", "stopReason", "index", "mode",
    "created", "responseMimeType", "thinkingLevel", "thinking_level", "done_reason", "created_at", "status",
)  # fmt: skip
"""Fields whose values are told by the shape of the intermediate form, or by one of its own words."""


def missing(body: Any, parsed: Any) -> list[Any]:
    """The values in a JSON body that what was parsed of it does not hold."""
    held = set(map(str, leaves(parsed)))
    everything = "\n".join(sorted(held))
    return [
        leaf
        for leaf in json_leaves(body)
        if str(leaf).removeprefix("models/") not in held
        and not (len(str(leaf)) > 8 and str(leaf) in everything)
        and not (isinstance(leaf, float) and leaf.is_integer() and str(int(leaf)) in held)
    ]


def json_leaves(node: Any, key: str = "") -> Iterator[Any]:
    if isinstance(node, dict):
        addressed = "fileUri" in node or "file_uri" in node  # then the media type says which kind of part it is
        for name, inner in node.items():
            # a provider's own report is kept as it is
            told = (name == "format" and "source" in node) or (name == "status" and "toolUseId" in node)
            if name != "executed_tools" and not told and not (addressed and name in {"mimeType", "mime_type"}):
                yield from json_leaves(inner, name)
    elif isinstance(node, list):
        for inner in node:
            yield from json_leaves(inner, key)
    elif isinstance(node, str) and key in {"arguments", "schema"} and node.startswith("{"):
        yield from json_leaves(json.loads(node))
    elif key == "arguments" and node == "null":
        return  # no arguments at all
    elif isinstance(node, str) and node.startswith("data:") and ";base64," in node[:100]:
        yield node.partition(",")[2]
    elif node not in (None, "", 0, True, False, *IMPLIED) and key not in PLACES:
        yield node


def leaves(node: Any) -> Iterator[Any]:
    """Everything that a value of the intermediate form holds, whatever it is called there."""
    if is_dataclass(node):
        for one in fields(node):
            yield from leaves(getattr(node, one.name))
        if isinstance(node, Audio):
            yield f"audio/{node.format}"
    elif isinstance(node, dict):
        for inner in node.values():
            yield from leaves(inner)
    elif isinstance(node, (tuple, list)):
        for inner in node:
            yield from leaves(inner)
    else:
        if isinstance(node, str) and node.startswith('{"'):
            yield from json_leaves(unpacked(node))  # what was packed up to go back as it came
        yield node


def unpacked(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def plainly_told(dialect: str, events: list[SseEvent]) -> dict[str, Any]:
    """The text, the thoughts and the tool calls of a stream's first choice, added up in the most naive way."""
    text, thoughts, calls, finished = "", "", {}, False
    for event in events:
        if event.data is None or event.data.strip() == b"[DONE]":
            continue
        chunk = json.loads(event.data)
        if chunk.get("type") == "message_stop":
            break  # some recordings hold several answers in a row
        if dialect == "openai_chat":
            for choice in chunk["choices"]:
                delta = choice["delta"]
                if choice["index"] or isinstance(delta.get("content"), list):
                    return {}  # other choices, and lists of parts, are no matter of adding up
                if finished:
                    continue
                finished = choice.get("finish_reason") is not None
                text += delta.get("content") or ""
                details = "".join(entry.get("text", "") for entry in delta.get("reasoning_details") or ())
                thoughts += delta.get("reasoning_content") or delta.get("reasoning") or details
                for place, call in enumerate(delta.get("tool_calls") or ()):
                    function = call["function"]
                    known = calls.setdefault(call.get("index", place), [call.get("id"), function.get("name"), ""])
                    known[2] += function.get("arguments") or ""
        elif dialect == "gemini":
            return plainly_told_in_parts(events)
        elif dialect == "bedrock_converse":
            return plainly_told_in_blocks(events)
        elif dialect == "openai_responses":
            return plainly_told_in_items(events)
        elif dialect == "cohere_chat":
            message = chunk.get("delta", {}).get("message", {})
            content, call = message.get("content") or {}, message.get("tool_calls") or {}
            text += (content.get("text", "") if content else "") + message.get("tool_plan", "")
            thoughts += content.get("thinking", "") if content else ""
            if call:
                known = calls.setdefault(chunk["index"], [call.get("id"), call["function"].get("name"), ""])
                known[2] += call["function"]["arguments"]
        elif dialect == "ollama_chat":
            message = chunk["message"]
            text += message.get("content", "")
            thoughts += message.get("thinking", "")
            for call in message.get("tool_calls", ()):
                calls[len(calls)] = [call["id"], call["function"]["name"], json.dumps(call["function"]["arguments"])]
        elif chunk["type"] == "content_block_start" and chunk["content_block"]["type"] == "tool_use":
            block = chunk["content_block"]
            calls[chunk["index"]] = [block["id"], block["name"], json.dumps(block["input"]) if block["input"] else ""]
        elif chunk["type"] == "content_block_delta":
            delta = chunk["delta"]
            text += delta.get("text", "")
            thoughts += delta.get("thinking", "")
            if chunk["index"] in calls:
                calls[chunk["index"]][2] += delta.get("partial_json", "")
    return {
        "word": text,
        "thought": thoughts,
        "tool call": [(id_, name, json.loads(written or "{}") or {}) for id_, name, written in calls.values()],
    }


def plainly_told_in_parts(events: list[SseEvent]) -> dict[str, Any]:
    """The same for a format that tells whole parts."""
    text, thoughts, calls, pieces = "", "", [], False
    for event in events:
        for candidate in json.loads(event.data).get("candidates", [])[:1]:
            for part in candidate.get("content", {}).get("parts", ()):
                if part.get("thought"):
                    thoughts += part.get("text", "")
                else:
                    text += part.get("text", "")
                if "name" in (call := part.get("functionCall", {})):
                    calls.append((call["name"], call.get("args", {})))
                    pieces = pieces or call.get("willContinue") is True
    told = {"word": text, "thought": thoughts, "name of a call": [name for name, _ in calls]}
    return told if pieces else {**told, "call by name": calls}  # arguments in pieces are no matter of adding up


def plainly_told_in_blocks(events: list[SseEvent]) -> dict[str, Any]:
    """The same for Converse."""
    text, thoughts, calls = "", "", {}
    for event in events:
        chunk = json.loads(event.data)
        if "toolUse" in (start := chunk.get("start", {})):
            calls[chunk["contentBlockIndex"]] = [start["toolUse"]["toolUseId"], start["toolUse"]["name"], ""]
        delta = chunk.get("delta", {})
        text += delta.get("text", "")
        thoughts += delta.get("reasoningContent", {}).get("text", "")
        if "toolUse" in delta:
            calls[chunk["contentBlockIndex"]][2] += delta["toolUse"]["input"]
    told = [(id_, name, json.loads(written or "{}")) for id_, name, written in calls.values()]
    return {"word": text, "thought": thoughts, "tool call": told}


def plainly_told_in_items(events: list[SseEvent]) -> dict[str, Any]:
    """The same for a format that numbers its items, and tells each once more when it is done."""
    text, thoughts, calls = "", {}, []
    for event in events:
        if event.data is None or event.data.strip() == b"[DONE]":
            continue
        told = json.loads(event.data)
        if told["type"] == "response.completed":
            break  # some recordings hold several answers in a row
        item = told.get("item", {})
        if told["type"] == "response.output_text.delta":
            text += told["delta"]
        elif told["type"] in {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}:
            place = told["output_index"], told.get("summary_index", told.get("content_index"))
            thoughts[place] = thoughts.get(place, "") + told["delta"]
        elif told["type"] == "response.output_item.done" and item["type"] == "function_call":
            calls.append((item["call_id"], item["name"], json.loads(item["arguments"] or "{}")))
    items = dict.fromkeys(place for place, _ in thoughts)
    thought = "".join("\n\n".join(said for (at, _), said in thoughts.items() if at == item) for item in items)
    return {"word": text, "thought": thought, "tool call": calls}


def said_of(kind: str, answer: Answer) -> Any:
    parts = [part for choice in answer.choices[:1] for part in choice.parts]
    if kind == "tool call":
        return [(part.id, part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]
    if kind == "call by name":
        return [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]
    if kind == "name of a call":
        return [part.name for part in parts if isinstance(part, ToolCall)]
    wanted = Text if kind == "word" else Reasoning
    return "".join(part.text for part in parts if isinstance(part, wanted))


# What differs, in words


def nothing_silent(before: Any, after: Any, losses: tuple[Loss, ...]) -> bool:
    """Whether every piece of text is still there, or the loss of one was reported."""
    if any(loss.weight != "cosmetic" or "reasoning" in loss.name for loss in losses):
        return True
    left = "\n".join(words_of(after))
    return all(word in left for word in words_of(before))


def words_of(node: Any) -> Iterator[str]:
    """The texts that a conversation or an answer says."""
    if isinstance(node, (Text, Refusal, Reasoning)):
        yield node.text
        if isinstance(node, Reasoning):
            yield from (node.signature or "", node.data or "")
    elif isinstance(node, ToolCall):
        yield from (node.name, json.dumps(node.arguments, sort_keys=True))
    elif isinstance(node, (tuple, list)):
        for inner in node:
            yield from words_of(inner)
    elif is_dataclass(node):
        if isinstance(node, ToolResult):
            yield from words_of(node.parts)
        else:
            for one in fields(node):
                yield from words_of(getattr(node, one.name))


def difference(got: Any, wanted: Any, path: str = "") -> str:
    """The first places where two values differ."""
    if type(got) is type(wanted):
        if is_dataclass(got):
            pairs = [(f".{one.name}", getattr(got, one.name), getattr(wanted, one.name)) for one in fields(got)]
            return "; ".join(difference(a, b, path + name) for name, a, b in pairs if a != b)
        if isinstance(got, (tuple, list)) and len(got) == len(wanted):
            return "; ".join(
                difference(a, b, f"{path}[{at}]") for at, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b
            )
    return f"{path}: {str(got)[:200]} != {str(wanted)[:200]}"


def check_all(folder: Path) -> Tally:
    """Check every exchange of a folder."""
    return check_each(exchanges(folder))


def check_each(records: Iterable[dict[str, Any]]) -> Tally:
    """Check these exchanges."""
    dialects = {name: DIALECTS.entry(name) for name in NAMES}
    tally = Tally()
    for record in records:
        tally.checked["exchanges"] += 1
        check_exchange(record, tally, dialects)
    return tally


def lines(tally: Tally) -> Iterator[str]:
    """The figures, for people."""
    bad = Counter(check for _, check, _ in tally.unequal)
    for check, count in sorted(tally.checked.items()):
        yield f"{count:7}  {count - bad[check]:7} hold  {check}"
    yield f"raised: {len(tally.raised)}; do not hold: {len(tally.unequal)}; hold: {tally.share_equal:.4%}"
    for record_id, check, words in [*tally.raised, *tally.unequal]:
        yield f"  {record_id}  {check}: {words}"


if __name__ == "__main__":
    place = Path(__file__).resolve().parents[3] / "shared" / "recordings" if len(sys.argv) < 2 else Path(sys.argv[1])
    print("\n".join(lines(check_all(place))))

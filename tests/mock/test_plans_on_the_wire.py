"""Every fault on real sockets: what the plan says is what a client sees, streamed or not, in both wire formats."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from plain_client import Look, ask, chat, message
from understudy.core.failure import FailureKind as K
from understudy.core.policy import Timeouts
from understudy.faults import PROBLEMS, Ending, Plan, Reply
from understudy.mock import MODELS, Mock, start_mock
from understudy.transport.classify import classify

PATIENT = Timeouts()
APART = {"mock-slow", "mock-trickle", "mock-giant"}  # with tests of their own


def ask_for(dialect: str, model: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    if dialect == "openai_chat":
        return "/v1/chat/completions", chat(model, stream=stream)
    return "/v1/messages", message(model, stream=stream)


def verdict(look: Look, dialect: str, *, stream: bool) -> K | None:
    """What a sober client would call it, without knowing the plan."""
    if look.ended == "reset" and not look.status:
        return K.CONNECTION_LOST
    if look.ended == "not_http":
        return K.MALFORMED
    if look.ended == "silent":
        if not look.status:
            return K.HEADERS_TIMEOUT if stream else K.ANSWER_TIMEOUT
        if not stream:
            return K.ANSWER_TIMEOUT
        return K.IDLE_TIMEOUT if words(look) else K.FIRST_CONTENT_TIMEOUT
    if look.ended in {"cut", "reset"}:
        return K.TRUNCATED if look.status else K.CONNECTION_LOST
    headers = {name.encode(): line.encode() for name, line in look.headers.items()}
    if failure := classify(look.status, headers, look.body, now_unix_s=0.0):
        return failure.kind
    return stream_verdict(look, dialect) if stream else whole_verdict(look, dialect)


def whole_verdict(look: Look, dialect: str) -> K | None:
    try:
        read = look.json
    except ValueError:
        return K.MALFORMED
    if "error" in read:
        return classify_word(read)
    if dialect == "openai_chat" and "choices" in read:
        return said(read["choices"][0]["message"]["content"])
    if dialect == "anthropic_messages" and "content" in read:
        return said(read["content"] and read["content"][0]["text"])
    return K.MALFORMED


def said(content: Any) -> K | None:
    if content and not isinstance(content, str):
        return K.MALFORMED
    return None if content else K.EMPTY


def stream_verdict(look: Look, dialect: str) -> K | None:
    if not look.headers["content-type"].startswith("text/event-stream"):
        return K.MALFORMED
    try:
        events = look.events
    except ValueError:
        return K.MALFORMED
    if any(event != "[DONE]" and event.get("status") == "ok" for event in events):
        return K.MALFORMED
    if "error" in events[-1]:
        return classify_word(events[-1])
    if ("type" in events[0]) != (dialect == "anthropic_messages") or not all(
        isinstance(word, str) for word in words(look)
    ):
        return K.MALFORMED
    if events[-1] != "[DONE]" and events[-1].get("type") != "message_stop":
        return K.TRUNCATED
    return None if words(look) else K.EMPTY


def words(look: Look) -> list[str]:
    """The pieces of text in a stream's whole events."""
    found: list[str] = []
    for event in look.events:
        if event == "[DONE]":
            continue
        delta = event["choices"][0]["delta"] if event.get("choices") else event.get("delta", {})
        text = delta.get("content") or delta.get("text")
        if text:
            found.append(text)
    return found


def classify_word(read: dict[str, Any]) -> K:
    return {"overloaded_error": K.OVERLOADED, "server_error": K.OVERLOADED}[read["error"]["type"]]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic_messages"])
async def test_a_client_sees_what_the_plan_says(mock: Mock, dialect: str, stream: bool) -> None:
    """Simulation and sockets agree: the verdict on the bytes is the failure of the plan's timeline."""
    models = ["mock-small", *(model for model in MODELS if model not in APART)]
    asked = [ask_for(dialect, model, stream=stream) for model in models]
    looks = await asyncio.gather(*(ask(mock, body, path) for path, body in asked))
    plans = {received.model: received.plan for received in mock.requests}
    for model, look in zip(models, looks, strict=True):
        plan = plans[model]
        assert plan is not None
        seen = plan.timeline(PATIENT)
        assert verdict(look, dialect, stream=stream) is seen.failure, (model, look)
        if stream and look.status == 200 and plan.ending is not Ending.COMPLETE:
            assert len(words(look)) == plan.ending_after == seen.chunks, model


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_errors_come_in_the_callers_envelope(mock: Mock, problem: str) -> None:
    model = f"mock-{problem.replace('_', '-')}"
    openai = await ask(mock, chat(model))
    anthropic = await ask(mock, message(model), "/v1/messages")
    assert openai.status == PROBLEMS[problem].openai.status
    assert anthropic.status == PROBLEMS[problem].anthropic.status
    if PROBLEMS[problem].openai.page:
        assert openai.body.startswith(b"<html>")
    else:
        assert set(openai.json["error"]) == {"message", "type", "param", "code"}
        assert anthropic.json["type"] == "error"
        assert anthropic.json["request_id"] == anthropic.headers["request-id"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_reset_within_an_answer_comes_after_what_was_sent(mock: Mock, stream: bool) -> None:
    mock.set({"truncated_stream": {"how": "reset", "after_chunks": 14}})
    look = await ask(mock, chat(stream=stream))
    assert (look.status, look.ended) == (200, "reset")
    assert len(words(look)) == 14 if stream else 0 < len(look.body) < int(look.headers["content-length"])


async def test_a_refused_connection_is_really_refused_and_comes_back(mock: Mock) -> None:
    idle = await asyncio.open_connection("127.0.0.1", mock.port)
    mock.set("outage")
    assert (await ask(mock, chat())).ended == "refused"
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(idle[0].read(1), 1)
    idle[1].close()
    mock.set()
    assert (await ask(mock, chat())).ended == "complete"


async def test_an_outage_on_schedule_refuses_breaks_and_passes() -> None:
    """Pieces come 20 ms apart for half a second; the outage lies between 0.2 s and 0.4 s."""
    faults = ({"latency": {"chunk_s": 0.02}}, {"outage": {"from_s": 0.2, "to_s": 0.4}})
    async with await start_mock(faults=faults) as mock:
        broken = await ask(mock, chat(stream=True))
        assert broken.status == 200
        assert broken.ended == "reset"
        assert 0 < len(words(broken)) < 28
        ends = []
        while (look := await ask(mock, chat(max_tokens=3))).ended != "complete":
            ends.append(look.ended)
            await asyncio.sleep(0.01)
            assert mock.now_s < 2
        assert ends.count("refused") > 3
        assert set(ends) <= {"refused", "reset"}, "the door closes up to 20 ms late: until then connections are reset"
        assert mock.now_s >= 0.4


async def test_a_rate_limit_passes_what_it_holds_then_answers_429_with_a_hint(mock: Mock) -> None:
    mock.set({"rate_limit_exhaustion": {"requests": 2, "per_s": 60}})
    looks = [await ask(mock, chat()) for _ in range(4)]
    assert [look.status for look in looks] == [200, 200, 429, 429]
    assert looks[0].headers.get("retry-after") is None
    assert 58 <= int(looks[2].headers["retry-after"]) <= 60


async def test_latency_is_spent_where_it_is_said(mock: Mock) -> None:
    mock.set({"latency": {"headers_s": 0.05, "first_content_s": 0.05, "chunk_s": 0.002}})
    begin_s = mock.now_s
    assert (await ask(mock, chat(stream=True))).ended == "complete"
    streamed_s = mock.now_s - begin_s
    assert (await ask(mock, chat())).ended == "complete"
    whole_s = mock.now_s - begin_s - streamed_s
    plan = mock.requests[0].plan
    assert plan is not None
    assert streamed_s >= plan.timeline(PATIENT).ended_s - 0.005
    assert whole_s >= plan.timeline(PATIENT).ended_s - 0.005


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("packing", ["plain", "announced", "gzip"])
async def test_a_giant_has_the_size_that_it_was_given(mock: Mock, packing: str, stream: bool) -> None:
    mock.set({"giant_answers": {"mib": 2, "packing": packing}})
    look = await ask(mock, chat(stream=stream), patience_s=5)
    assert (look.status, look.ended) == (200, "complete")
    body = look.body
    if packing == "gzip":
        assert len(body) < 10_000
        body = gzip.decompress(body)
    assert len(body) == pytest.approx(2 * 1024 * 1024, abs=100)
    assert body.count(b"\n\n") == (1 if stream else 0), "one event, or one JSON text"
    told = json.loads(body.removeprefix(b"data: "))
    assert set(told["padding"]) == {"x"}
    assert ("content-length" in look.headers) == (packing == "announced" and not stream)


async def test_a_giant_costs_the_mock_nothing_when_nobody_reads_it(mock: Mock) -> None:
    mock.set({"giant_answers": {"mib": 4000}})
    reader, writer = await asyncio.open_connection("127.0.0.1", mock.port)
    body = json.dumps(chat()).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    assert await asyncio.wait_for(reader.read(1000), 1)
    writer.close()
    while mock.connections:
        await asyncio.sleep(0.002)
        assert mock.now_s < 5


async def test_a_partition_swallows_whoever_knocks_and_hushes_whoever_is_in(mock: Mock) -> None:
    mock.set({"latency": {"chunk_s": 0.02}})
    streaming = asyncio.create_task(ask(mock, chat(stream=True), patience_s=0.2))
    idle = await asyncio.open_connection("127.0.0.1", mock.port)
    await asyncio.sleep(0.1)
    mock.set("partition")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.open_connection("127.0.0.1", mock.port), 0.2)
    look = await streaming
    assert look.ended == "silent", "no reset, no end: nobody is told"
    assert 0 < len(words(look)) < 28
    idle[1].write(b"GET /v1/models HTTP/1.1\r\nhost: m\r\n\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(idle[0].read(1), 0.1)
    idle[1].close()
    mock.set()
    assert (await ask(mock, chat())).ended == "complete"


async def test_a_partition_on_schedule_is_silence_from_then_on() -> None:
    faults = ({"latency": {"chunk_s": 0.02}}, {"partition": {"from_s": 0.2, "to_s": 0.4}})
    async with await start_mock(faults=faults) as mock:
        look = await ask(mock, chat(stream=True), patience_s=0.5)
        assert look.ended == "silent", "what was under way stays dead, though the network has healed"
        assert 0 < len(words(look)) < 28
        assert (await ask(mock, chat(max_tokens=3))).ended == "complete"


async def test_a_wrong_clock_misdates_the_hint(mock: Mock) -> None:
    burst = {"error_burst": {"problem": "rate_limit", "retry_after_s": 30.0, "hint": "retry_after_date"}}
    seen = []
    for skew_s in (0.0, 200.0):
        mock.set(burst, {"clock_skew": {"skew_s": skew_s}})
        look = await ask(mock, chat())
        seen.append(parsedate_to_datetime(look.headers["retry-after"]).timestamp() - time.time())
    assert seen[0] == pytest.approx(30, abs=2)
    assert seen[1] == pytest.approx(230, abs=2)


async def test_a_trickle_comes_in_small_pieces(mock: Mock) -> None:
    mock.set({"slow_trickle": {"bytes": 64, "pause_s": 0.002}})
    for stream in (False, True):
        look = await ask(mock, chat(stream=stream, max_completion_tokens=3))
        assert look.ended == "complete"
        assert max(map(len, look.reads)) <= 64 * 4, "a slow reader may find a few pieces at once"
        assert len(look.reads) > 5


async def test_splitting_moves_the_edges_and_changes_nothing() -> None:
    text = "Grüße aus 東京 🌞 " * 5
    async with await start_mock("seed: 7") as plain, await start_mock("split: true\nseed: 7") as split:
        for stream in (False, True):
            whole = await ask(plain, chat(text=text, stream=stream))
            cut = await ask(split, chat(text=text, stream=stream))
            assert cut.ended == whole.ended == "complete"
            if stream:
                assert words(cut) == words(whole)
                assert not all(read.endswith(b"\n\n") for read in cut.reads)
            else:
                assert cut.json["choices"] == whole.json["choices"]


async def test_a_provider_that_does_not_speak_http_takes_several_forms(mock: Mock) -> None:
    mock.set({"corrupt_answers": {"how": "not_http"}})
    assert {(await ask(mock, chat())).ended for _ in range(8)} <= {"not_http", "cut"}
    assert all(received.plan is not None and received.plan.reply is Reply.NOT_HTTP for received in mock.requests)


async def test_the_same_seed_brings_the_same_misfortune() -> None:
    async def fates(seed: int) -> list[str]:
        async with await start_mock(f"seed: {seed}\nfaults: [{{error_burst: {{share: 0.5}}}}]") as mock:
            return [str((await ask(mock, chat())).status) for _ in range(16)]

    first, again, other = await fates(1), await fates(1), await fates(2)
    assert first == again
    assert set(first) == {"200", "500"}
    assert first != other


async def test_a_plan_is_a_value_that_a_simulation_can_repeat(mock: Mock) -> None:
    await ask(mock, chat("mock-cut", stream=True))
    [received] = mock.requests
    assert received.plan == Plan(stream=True, chunks=received.plan.chunks, ending=Ending.CUT, ending_after=3)
    assert json.loads(received.body) == received.json

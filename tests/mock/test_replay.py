"""Recorded traffic as a provider: the same request gets the answer that it once got, with whatever faults on top."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from conftest import read_recordings, shared
from plain_client import ask, chat, message
from understudy.mock import BadScript, Script, start_mock
from understudy.mock.replay import NotRecorded, Recording, load_recording

IGNORED = Script().ignore
STREAM = 'data: {"choices":[{"delta":{"content":"Blau"}}]}\n\ndata: {"choices":[{"delta":{"content":"."}}]}\n\ndata: [DONE]\n\n'


def record(body: Any, text: str, *, api: str = "chat_completions", **more: Any) -> dict[str, Any]:
    response = {
        "status": 200,
        "headers": {"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        "body_text": text,
    }
    return {
        "api": api,
        "stream": False,
        "request": {"body": body},
        "response": response | more.pop("response", {}),
        **more,
    }


RECORDS = [
    record(chat(text="one"), '{"n": 1}'),
    record(chat(text="two"), '{"n": 2}'),
    record(chat(text="one"), '{"n": 3}'),
    record(
        message(),
        '{"n": 4}',
        api="messages",
        response={"headers": {"Content-Type": "application/json", "request-id": "req_a"}},
    ),
    record(
        chat(text="three", stream=True),
        STREAM,
        stream=True,
        response={"headers": {"content-type": "text/event-stream"}},
    ),
    record(
        chat(text="four"),
        "",
        response={"status": 429, "body_text": None, "body_b64": base64.b64encode(b"busy").decode()},
    ),
    record({"input": "x"}, "{}", api="embeddings"),
    {"api": "chat_completions", "stream": False, "request": None, "response": None},
]


@pytest.fixture(params=["traffic.jsonl", "traffic.jsonl.gz"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    lines = "\n".join(map(json.dumps, RECORDS)).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


async def test_the_same_request_gets_its_answers_in_turn_and_the_last_one_again(recorded: Path) -> None:
    async with await start_mock(Script(recording=str(recorded))) as mock:
        answers = [(await ask(mock, chat(text=text, model="any"))).json["n"] for text in ("one", "two", "one", "one")]
        assert answers == [1, 2, 3, 3]
        look = await ask(mock, message(), "/v1/messages")
        assert (look.json["n"], look.headers["request-id"]) == (4, "req_a")
        assert "transfer-encoding" not in look.headers
        busy = await ask(mock, chat(text="four"))
        assert (busy.status, busy.body) == (429, b"busy")


async def test_an_unknown_request_is_told_so(recorded: Path) -> None:
    async with await start_mock(Script(recording=str(recorded))) as mock:
        for body in (chat(text="five"), chat(text="one", temperature=1)):
            look = await ask(mock, body)
            assert look.status == 404
            assert "the recording holds no such request" in look.json["error"]["message"]


async def test_in_order_each_record_answers_once(recorded: Path) -> None:
    async with await start_mock(Script(recording=str(recorded), match="order")) as mock:
        looks = [await ask(mock, chat(text="whatever")) for _ in range(6)]
        assert [look.body for look in looks[:3]] == [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
        assert looks[3].body == STREAM.encode()
        assert looks[4].status == 429
        assert looks[5].status == 404
        assert "no further answer" in looks[5].json["error"]["message"]


async def test_a_recorded_stream_comes_with_its_bytes_and_other_edges(recorded: Path) -> None:
    async with await start_mock(Script(recording=str(recorded), split=True, seed=3)) as mock:
        looks = [await ask(mock, chat(text="three", stream=True)) for _ in range(5)]
    assert {look.body for look in looks} == {STREAM.encode()}
    assert all(look.headers["content-type"].startswith("text/event-stream") for look in looks)
    edges = {tuple(map(len, look.reads)) for look in looks}
    assert len(edges) > 1


async def test_faults_strike_recorded_answers_too(recorded: Path) -> None:
    async with await start_mock(Script(recording=str(recorded))) as mock:
        mock.set({"truncated_stream": {"after_chunks": 1}})
        look = await ask(mock, chat(text="three", stream=True))
        assert (look.ended, look.body) == ("cut", STREAM.encode().partition(b"\n\n")[0] + b"\n\n")
        mock.set({"error_burst": {"problem": "overloaded"}})
        assert (await ask(mock, chat(text="one"))).status == 503


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"api": "messages", "response": {"status": 200, "headers": []}}'])
def test_a_file_that_is_no_recording_is_refused_before_anything_starts(tmp_path: Path, content: bytes) -> None:
    from understudy.mock import Mock

    path = tmp_path / "odd.jsonl"
    path.write_bytes(content)
    for each in (path, tmp_path / "nowhere.jsonl"):
        with pytest.raises(BadScript, match=each.name):
            Mock(Script(recording=str(each)))


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("name", ["chat_completions", "messages"])
def test_every_recorded_request_finds_an_answer_of_the_same_request(name: str) -> None:
    recording = load_recording(shared("recordings", f"{name}.jsonl.gz"), IGNORED, in_order=False)
    dialect = {"chat_completions": "openai_chat", "messages": "anthropic_messages"}[name]
    found = 0
    for read in read_recordings(name):
        body = (read["request"] or {}).get("body")
        if isinstance(body, dict):
            answer = recording.answer(dialect, body)
            assert b"".join(piece.data for piece in answer.pieces()) or not answer.stream
            found += 1
    assert found > 300
    with pytest.raises(NotRecorded):
        Recording([], (), in_order=False).answer(dialect, {})


@pytest.mark.shared("recordings")
async def test_recorded_traffic_is_served_byte_for_byte() -> None:
    path = shared("recordings", "messages.jsonl.gz")
    first: dict[str, Any] = {}
    for read in read_recordings("messages"):
        if isinstance(read["request"]["body"], dict) and "messages" in read["request"]["body"]:
            key = {name: item for name, item in read["request"]["body"].items() if name not in IGNORED}
            first.setdefault(json.dumps(key, sort_keys=True), read)
    async with await start_mock(Script(recording=str(path), split=True)) as mock:
        for read in list(first.values())[::12]:
            look = await ask(mock, read["request"]["body"], "/v1/messages")
            if look.status == 400:
                continue  # what the real provider refused, the mock refuses at sight
            assert look.ended == "complete"
            assert look.body == read["response"]["body_text"].encode()

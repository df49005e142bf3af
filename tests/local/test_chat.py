"""What a model server says over HTTP, whatever model it has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from reciter import Endless, Reciter
from stage import until
from understudy.core.answer import Stop
from understudy.framing.sse import SseParser
from understudy.local.speaker import Manner

PATH = "/v1/chat/completions"
QUESTION = {"model": "any", "messages": [{"role": "user", "content": "Why?"}]}

Open = Callable[..., Awaitable[httpx2.AsyncClient]]


def events(answer: httpx2.Response) -> list[Any]:
    parser = SseParser()
    read = [*parser.feed(answer.content), *parser.flush()]
    return [event.data if event.data == b"[DONE]" else json.loads(event.data) for event in read]


async def test_an_answer_is_a_chat_completion(open_house: Open) -> None:
    http = await open_house(Reciter())
    told = (await http.post(PATH, json=QUESTION)).json()
    assert told["object"] == "chat.completion"
    assert told["model"] == "reciter"
    [choice] = told["choices"]
    assert choice["message"]["content"] == "The show goes on."
    assert choice["finish_reason"] == "stop"
    assert told["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9} | {
        name: told["usage"][name] for name in told["usage"] if name.endswith("_details")
    }


async def test_a_stream_is_chunks_then_the_finish_then_the_usage_then_done(open_house: Open) -> None:
    http = await open_house(Reciter())
    answer = await http.post(PATH, json=QUESTION | {"stream": True, "stream_options": {"include_usage": True}})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *chunks, usage, done = events(answer)
    assert done == b"[DONE]"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 2
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == "The show goes on."
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-1] == "stop"


async def test_usage_is_not_streamed_to_those_who_did_not_ask(open_house: Open) -> None:
    http = await open_house(Reciter())
    told = events(await http.post(PATH, json=QUESTION | {"stream": True}))
    assert not any(chunk.get("usage") for chunk in told[:-1])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bound_that_was_reached_is_told_as_length(open_house: Open, stream: bool) -> None:
    http = await open_house(Reciter(["cut"], Stop.LENGTH))
    answer = await http.post(PATH, json=QUESTION | {"stream": stream})
    told = events(answer)[-2] if stream else answer.json()
    assert told["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stop_sequence_ends_an_answer_without_end(open_house: Open, stream: bool) -> None:
    speaker = Endless()
    http = await open_house(speaker)
    answer = await http.post(PATH, json=QUESTION | {"stream": stream, "stop": ["d on"]})
    if stream:
        chunks = events(answer)[:-1]
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        finish = chunks[-1]["choices"][0]["finish_reason"]
    else:
        text = answer.json()["choices"][0]["message"]["content"]
        finish = answer.json()["choices"][0]["finish_reason"]
    assert (text, finish) == ("on an", "stop")
    assert speaker.begun[0].tokens_out == 2  # nothing was computed after it


async def test_what_only_began_like_a_stop_sequence_is_said_at_the_end(open_house: Open) -> None:
    http = await open_house(Reciter(["The show goes o", "n"]))
    told = (await http.post(PATH, json=QUESTION | {"stop": "on."})).json()
    assert told["choices"][0]["message"]["content"] == "The show goes on"


async def test_settings_and_messages_reach_the_model(open_house: Open) -> None:
    speaker = Reciter()
    http = await open_house(speaker)
    asked = {
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "user", "content": [{"type": "text", "text": "Why"}, {"type": "text", "text": "?"}]},
        ],
        "max_tokens": 5,
        "max_completion_tokens": 4,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "seed": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    }
    assert (await http.post(PATH, json=asked)).status_code == 200
    messages, manner = speaker.heard[0]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("system", "Be brief."),
        ("assistant", ""),
        ("user", "Why?"),
    ]
    schema = '{"type":"object"}'
    assert manner == Manner(max_tokens=4, temperature=0.5, top_p=0.9, top_k=3, seed=1, schema=schema)


async def test_any_json_is_an_object_and_text_is_no_grammar(open_house: Open) -> None:
    speaker = Reciter()
    http = await open_house(speaker)
    for kind in ("json_object", "text"):
        await http.post(PATH, json=QUESTION | {"response_format": {"type": kind}})
    assert [manner.schema for _, manner in speaker.heard] == ['{"type":"object"}', None]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Why?"}, "messages"),
        ({"messages": [{"content": "Why?"}]}, "role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text only"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "text only"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "`n`"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "json_schema"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(open_house: Open, wrong: dict[str, Any], says: str) -> None:
    http = await open_house(Reciter())
    answer = await http.post(PATH, json=QUESTION | wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model":"\xff"}', b'{"messages":' + b"[" * 100_000])
async def test_what_is_no_request_is_refused(open_house: Open, body: bytes) -> None:
    http = await open_house(Reciter())
    assert (await http.post(PATH, content=body)).status_code == 400


async def test_whoever_does_not_know_the_secret_gets_nothing(open_house: Open) -> None:
    speaker = Reciter()
    http = await open_house(speaker)
    for credential in ("", "Bearer", "Bearer open-sesam", "Bearer open-sesame1"):
        answer = await http.post(PATH, json=QUESTION, headers={"authorization": credential})
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "authentication_error"
    assert (await http.get("/v1/models", headers={"authorization": ""})).status_code == 401
    assert speaker.heard == []


async def test_health_models_and_other_addresses(open_house: Open) -> None:
    http = await open_house(Reciter())
    assert (await http.get("/health", headers={"authorization": ""})).json() == {"status": "ok"}
    assert [model["id"] for model in (await http.get("/v1/models")).json()["data"]] == ["reciter"]
    assert (await http.get("/v1/engines")).status_code == 404
    assert (await http.get(PATH)).status_code == 405


async def test_a_library_that_fails_is_a_502_or_an_error_in_the_stream(open_house: Open) -> None:
    http = await open_house(Reciter(["The ", None]))
    answer = await http.post(PATH, json=QUESTION)
    assert answer.status_code == 502
    assert "out of memory" in answer.json()["error"]["message"]
    *_, last = events(await http.post(PATH, json=QUESTION | {"stream": True}))
    assert "out of memory" in last["error"]["message"]  # and no [DONE]: it did not end as it should


async def test_one_answer_is_made_at_a_time_and_what_exceeds_the_queue_is_refused_at_once(open_house: Open) -> None:
    speaker = Endless()
    http = await open_house(speaker, queue=1)

    def ask() -> asyncio.Task[httpx2.Response]:
        return asyncio.create_task(http.post(PATH, json=QUESTION | {"stream": True}))

    first = ask()
    assert await until(lambda: len(speaker.begun) == 1, 5)
    second = ask()
    await asyncio.sleep(0.02)
    refused = await http.post(PATH, json=QUESTION)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert len(speaker.begun) == 1  # the second waits for its turn
    first.cancel()
    assert await until(lambda: len(speaker.begun) == 2, 5)
    second.cancel()


async def test_who_leaves_is_computed_for_no_longer(open_house: Open) -> None:
    speaker = Endless()
    http = await open_house(speaker)
    async with http.stream("POST", PATH, json=QUESTION | {"stream": True}) as answer:
        async for _ in answer.aiter_bytes():
            break
    [begun] = speaker.begun
    seen = -1

    def stands_still() -> bool:
        nonlocal seen
        before, seen = seen, begun.tokens_out
        return before == seen

    assert await until(stands_still, 5)
    assert (await asyncio.wait_for(http.get("/health"), 5)).status_code == 200

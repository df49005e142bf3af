"""What callers do wrong gets a clear error in their own dialect: never a 5xx, a hang or a lost request."""

from __future__ import annotations

import gc
import hashlib
import json
import tracemalloc
from itertools import product
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stage import PATHS, PROVIDERS, QUESTION, Raise, two_targets
from understudy.core.failure import FailureKind
from understudy.engine.pages import Page
from understudy.mock import Mock

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half of it": b'{"model": "default", "messages": [',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "invalid UTF-8": b'{"model": "default", "messages": [{"role": "user", "content": "\xff\xfe"}], "max_tokens": 5}',
    "no model": b'{"messages": []}',
    "a model of another type": b'{"model": 7, "messages": []}',
    "messages of another type": b'{"model": "default", "messages": {"role": "user"}, "max_tokens": 5}',
    "a message of another type": b'{"model": "default", "messages": [7], "max_tokens": 5}',
    "stream of another type": b'{"model": "default", "messages": [], "stream": "yes", "max_tokens": 5}',
    "deep nesting": b'{"model": "default", "max_tokens": 5, "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting elsewhere": b'{"model": "default", "max_tokens": 5, "messages": [], "x": '
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}",
    "a lone surrogate": b'{"model": "\\ud800", "messages": [], "max_tokens": 5}',
}


def in_dialect(dialect: str, answer: httpx2.Response) -> dict[str, Any]:
    """The error, which must stand in the caller's own envelope."""
    told = answer.json()
    if dialect == "anthropic":
        assert told["type"] == "error"
    error = told["error"]
    assert error["message"]
    assert error["type"]
    assert "Traceback" not in answer.text
    return dict(error)


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_cannot_be_read_is_a_400(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], dialect: str, name: str
) -> None:
    upstream = "anthropic" if dialect == "openai" else "openai"  # translated: the body is read in full
    stage = await raise_curtain(two_targets(*mocks, upstream))
    answer = await stage.http.post(stage.url + PATHS[dialect], content=BODIES[name])
    assert answer.status_code in {400, 404}, answer.text
    in_dialect(dialect, answer)
    assert not mocks[0].requests


SILENT: dict[str, list[dict[str, object]]] = {
    "openai": [
        {"messages": []},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        {"messages": [{"role": "user", "content": " \n"}]},
    ],
    "responses": [{"input": ""}, {"input": []}, {"input": [{"role": "user", "content": []}]}],
    "anthropic": [{"messages": []}, {"messages": [{"role": "user", "content": ""}]}],
    "gemini": [{"contents": []}, {"contents": [{"role": "user", "parts": [{"text": ""}]}]}],
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("caller", "upstream"), [pair for pair in product(SILENT, PROVIDERS) if pair[0] != pair[1]])
async def test_who_says_nothing_is_told_so_before_anybody_is_asked(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str, *, stream: bool
) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    for fields in SILENT[caller]:
        if fields == SILENT["openai"][3] and upstream != "anthropic":
            continue  # others take white space
        answer = await stage.ask(caller, stream=stream, **fields)
        assert answer.status == 400, (fields, answer.body)
        assert not answer.streamed
        assert answer.error is not None
        assert "empty" in answer.error["message"]
        assert stage.ended[-1].failure is not None
        assert stage.ended[-1].failure.kind is FailureKind.BAD_REQUEST
    assert not mocks[0].requests
    assert stage.nothing_is_held()


async def test_who_says_nothing_may_still_say_it_to_whoever_speaks_his_format(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(
        f"""
targets:
  lead: {{provider: anthropic_compatible, model: m, base_url: "{lead.origin}", key: env:KEY}}
  understudy: {{provider: openai_compatible, model: m, base_url: "{understudy.base_url}", key: env:KEY}}
routes:
  default:
    tiers: {{primary: [lead, understudy]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0}}
"""
    )
    answer = await stage.ask(messages=[{"role": "user", "content": ""}])
    assert answer.status == 200
    assert answer.headers["x-understudy-target"] == "understudy"
    assert not lead.requests


async def test_a_question_that_nobody_can_be_asked_is_not_sent_without_itself(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_targets(*mocks, "openai"))
    block = {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]}
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    answer = await stage.ask("anthropic", messages=[*turns, {"role": "user", "content": [block]}])
    assert answer.status == 400
    assert stage.ended[-1].failure is not None
    assert stage.ended[-1].failure.kind is FailureKind.NOT_PORTABLE
    assert not mocks[0].requests
    asked = [*turns, {"role": "user", "content": [block, {"type": "text", "text": "What is in it?"}]}]
    answer = await stage.ask("anthropic", messages=asked)
    assert answer.status == 200
    assert "messages.search_result" in answer.headers["x-understudy-dropped"]


@pytest.mark.parametrize("dialect", PATHS)
async def test_a_giant_body_is_refused_before_it_is_read(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], dialect: str
) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    answer = await stage.http.post(stage.url + PATHS[dialect], content=b"x" * (33 * 1024 * 1024))
    assert answer.status_code == 413
    in_dialect(dialect, answer)


ADDRESSES = [
    ("GET", "/v1/chat/completions", 405),
    ("PUT", "/v1/messages", 405),
    ("POST", "/v1/nothing", 404),
    ("GET", "/", 404),
    ("GET", "/api/breakers", 404),
    ("GET", "/metrics", 404),
    ("DELETE", "/v1/models", 405),
    ("GET", "/v1/models/nobody", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), ADDRESSES)
async def test_an_address_that_is_not_here_is_told_what_is(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], method: str, path: str, status: int
) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    answer = await stage.http.request(method, stage.url + path)
    assert answer.status_code == status
    assert answer.headers.get("allow") == (None if status == 404 else "GET" if path == "/v1/models" else "POST")
    in_dialect("anthropic" if path.startswith("/v1/messages") else "openai", answer)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_member_that_is_named_like_no_header_is_still_told_as_dropped(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], *, stream: bool
) -> None:
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    answer = await stage.ask(stream=stream, **{"a\r\nset-cookie: b": 1, "\0": 2, "né": 3, "x" * 5000: 4})
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    told = answer.headers["x-understudy-dropped"].split(", ")
    assert {"a%0D%0Aset-cookie:%20b", "%00", "n%C3%A9", "x" * 64} <= set(told)


async def test_of_very_many_dropped_members_some_are_told(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    answer = await stage.ask(**{f"unknown_{number}": 1 for number in range(1000)})
    assert answer.status == 200
    assert len(answer.headers["x-understudy-dropped"]) < 4000
    assert answer.headers["x-understudy-dropped"].endswith("and 960 more")


async def test_of_giant_names_little_is_remembered(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    giant = "x" * 500_000
    for fields in (
        {"model": giant, "max_tokens": 2**70},
        {giant: 1},
        {f"{number}{giant[:1000]}": 1 for number in range(500)},
        {"messages": [{"role": giant, "content": "hi"}]},
        {"messages": [{"role": "user", "content": [{"type": giant}]}]},
    ):
        for caller in ("openai", "anthropic"):
            answered = await stage.ask(caller, **fields)
            assert len(answered.body) < 10_000
            record = stage.engine.decisions.get(answered.headers["x-understudy-decision"])
            assert record is not None
            assert Page([record]).size < 50_000
    refused = await stage.ask(model=giant, headers={"x-understudy-route": "default"})
    assert (refused.status, len(refused.body) < 1000) == (400, True)


async def test_of_a_key_and_very_much_white_space_nothing_is_remembered(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    key = hashlib.sha256(b"app-key").hexdigest()
    stage = await raise_curtain(two_targets(*mocks) + f'principals: [{{name: app, key_sha256: "{key}"}}]\n')
    shown = [{"authorization": f"Bearer {' ' * (30_000 + number)}app-key"} for number in range(20)]
    assert (await stage.ask(headers=shown[0])).status == 200
    tracemalloc.start()
    try:
        for headers in shown:
            assert (await stage.http.get(stage.url + "/v1/models", headers=headers)).status_code == 200
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 300_000
    finally:
        tracemalloc.stop()


async def test_models_are_listed_in_the_dialect_of_who_asks(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    openai = (await stage.http.get(stage.url + "/v1/models")).json()
    assert [one["id"] for one in openai["data"]] == [
        "default", "lead", "understudy", "openai_compatible/m", "openai_compatible/m2", "m", "m2",
    ]  # fmt: skip
    anthropic = (await stage.http.get(stage.url + "/v1/models", headers={"anthropic-version": "2023-06-01"})).json()
    assert anthropic["data"][0]["type"] == "model"
    google = (await stage.http.get(stage.url + "/v1beta/models")).json()
    assert [one["name"] for one in google["models"]] == [f"models/{one['id']}" for one in anthropic["data"]]
    for name in ("lead", "m", "openai_compatible/m", "openai_compatible%2Fm2"):
        one = (await stage.http.get(f"{stage.url}/v1/models/{name}")).json()
        assert one["id"] == name.replace("%2F", "/")
    unknown = await stage.http.get(stage.url + "/v1/models/laed")
    assert (unknown.status_code, 'did you mean "lead"' in unknown.json()["error"]["message"]) == (404, True)


async def test_an_unknown_model_names_those_that_exist(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    for dialect in PATHS:
        answered = await stage.ask(dialect, model="gpt-17")
        assert answered.status == 404
        assert "default" in answered.error["message"]


WRONG_HEADERS = {
    "deadline-ms": ["soon", "-5", "0", "1e3", "1" * 5000],
    "strategy": ["best"],
    "route": ["nowhere"],
    "labels": ["=x", "novalue"],
    "session": ["s" * 1025],
    "colour": ["blue"],
    "complexity": ["tricky"],
}


@pytest.mark.parametrize(
    ("name", "told"),
    [(name, told) for name, all_ in WRONG_HEADERS.items() for told in all_],
    ids=lambda word: word[:20],
)
async def test_a_wish_that_cannot_be_met_is_refused(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], name: str, told: str
) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    answered = await stage.ask(headers={f"x-understudy-{name}": told})
    assert answered.status in {400, 403, 404}
    assert answered.error["message"]


async def test_wishes_that_can_be_met_are(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    wishes = {"route": "understudy", "strategy": "shuffle", "labels": "team=search, env=test", "session": "s1"}
    answered = await stage.ask(headers={f"x-understudy-{name}": told for name, told in wishes.items()})
    assert answered.status == 200
    assert answered.headers["x-understudy-target"] == "understudy"


async def test_keys_are_asked_for_and_bound_to_routes(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    text = (
        two_targets(*mocks)
        + f"""
principals:
  - {{name: app, key_sha256: "{hashlib.sha256(b"app-key").hexdigest()}", routes: [default]}}
  - {{name: boss, key_sha256: "{hashlib.sha256(b"boss-key").hexdigest()}"}}
"""
    )
    stage = await raise_curtain(text)
    for dialect in PATHS:
        assert (await stage.ask(dialect)).status == 401
        assert (await stage.ask(dialect, headers={"authorization": "Bearer wrong"})).status == 401
        assert (await stage.ask(dialect, headers={"authorization": "Bearer app-key"})).status == 200
        assert (await stage.ask(dialect, headers={"x-api-key": "app-key"})).status == 200
        assert (await stage.ask(dialect, model="lead", headers={"x-api-key": "app-key"})).status == 403
        assert (await stage.ask(dialect, model="lead", headers={"x-api-key": "boss-key"})).status == 200
    assert all("app-key" not in str(one.headers) for mock in mocks for one in mock.requests), "our keys stay here"


@pytest.mark.no_cover
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "name", "id", "x"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    ),
    field=st.sampled_from(["messages", "tools", "tool_choice", "response_format", "system", "stop", "thinking", "n"]),
)
async def test_any_json_anywhere_is_answered(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], body: Any, field: str
) -> None:
    """Whatever stands in a field, the router does not stumble: both dialects, passed through and translated."""
    if not hasattr(mocks[0], "stages"):
        mocks[0].stages = [await raise_curtain(two_targets(*mocks, upstream)) for upstream in PATHS]
    for stage in mocks[0].stages:
        for path in PATHS.values():
            question = {"model": "default", "max_tokens": 5, **QUESTION, field: body}
            answer = await stage.http.post(stage.url + path, content=json.dumps(question).encode())
            assert answer.status_code != 500, (path, question, answer.text)

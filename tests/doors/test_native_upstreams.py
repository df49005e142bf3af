"""Ollama and Cohere in their own formats behind the doors: whatever the pieces, and what only these two lack."""

from __future__ import annotations

from typing import Any

import pytest

from stage import CALLERS, Raise, two_targets
from understudy.mock import Mock, Script, start_mock

UPSTREAMS = ("ollama", "cohere")
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://host/a.png"}}]}


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_a_stream_in_odd_pieces_says_the_same(raise_curtain: Raise, caller: str, upstream: str) -> None:
    script = Script(text="Grüße, 🎭, und gute Nacht!", split=True)
    async with await start_mock(script) as lead, await start_mock(script) as understudy:
        stage = await raise_curtain(two_targets(lead, understudy, upstream))
        for _ in range(10):
            answered = await stage.ask(caller, stream=True)
            assert (answered.text, answered.finished) == (script.text, True)
        assert {request.dialect for request in lead.requests} == {f"{upstream}_chat"}
        assert stage.nothing_is_held()


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_answer_names_a_model_and_has_an_id(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], upstream: str, *, stream: bool
) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    answered = await stage.ask("openai", stream=stream)
    told = answered.events if stream else [answered.json]
    assert all(one["model"] and one["id"] for one in told)


@pytest.mark.parametrize("address", ["", "/v1"])
async def test_ollama_is_found_with_and_without_its_version(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], address: str
) -> None:
    lead, _ = mocks
    stage = await raise_curtain(
        f'targets: {{a: {{provider: ollama, model: m, base_url: "{lead.origin}{address}", key: env:KEY}}}}\n'
        "routes: {default: {tiers: {primary: [a]}}}"
    )
    for caller in CALLERS:
        assert (await stage.ask(caller)).status == 200
    others = len(CALLERS) - 1
    assert [request.path for request in lead.requests] == ["/v1/chat/completions", *["/api/chat"] * others]


async def test_a_prompt_too_long_for_ollama_goes_to_a_larger_window(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    lead.set({"error_burst": {"problem": "context_length"}})
    stage = await raise_curtain(f"""
targets:
  small: {{provider: ollama, model: m, base_url: "{lead.base_url}", context_tokens: 4096}}
  large: {{provider: cohere, model: m, base_url: "{understudy.origin}", key: env:KEY, context_tokens: 288000}}
routes:
  default: {{tiers: {{primary: [small, large]}}, policy: {{retry: {{kind: none}}}}}}
""")
    answered = await stage.ask("anthropic")
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "large")
    body = lead.requests[0].json or {}
    assert (body["truncate"], body["shift"]) == (False, False)


async def test_a_picture_that_ollama_cannot_fetch_is_not_sent_there(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(f"""
targets:
  ollama: {{provider: ollama, api: ollama_chat, model: m, base_url: "{lead.origin}"}}
  cohere: {{provider: cohere, api: cohere_chat, model: m, base_url: "{understudy.origin}", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [ollama, cohere]}}, policy: {{retry: {{kind: none}}}}}}
""")
    answered = await stage.ask("openai", messages=[PICTURE])
    assert answered.headers["x-understudy-target"] == "cohere"
    assert not lead.requests


@pytest.mark.parametrize("upstream", UPSTREAMS)
async def test_what_is_lost_on_the_way_is_told(raise_curtain: Raise, mocks: tuple[Mock, Mock], upstream: str) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    asked: dict[str, Any] = {"user": "u", "logit_bias": {"50256": -100}}
    dropped = (await stage.ask("openai", **asked)).headers["x-understudy-dropped"]
    assert {"user", "logit_bias"} <= set(dropped.replace(" ", "").split(","))

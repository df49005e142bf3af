"""Requests whose credential comes from a source: shown as a bearer token, renewed when refused, and never waited for long.

Method: a data plane in front of a mock provider that wants a key, and a cloud on loopback that hands out tokens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from credentials.clouds import Cloud, token
from stage import Raise
from understudy.core.failure import FailureKind
from understudy.credentials import _desk
from understudy.mock import Script, start_mock

TOKEN_PATH = "GET /computeMetadata/v1/instance/service-accounts/default/token"
GOOGLE = {"metadata-flavor": "Google"}


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    one = Cloud()
    await one.server.listen()
    yield one
    one.gate.set()
    await one.server.drain(0.0)


def gives(cloud: Cloud, text: str, **more) -> None:
    cloud.answers[TOKEN_PATH] = (200, GOOGLE, token(text, **more)[2])


def route(url: str, other: str) -> str:
    return f"""
targets:
  vertex: {{provider: vertex, model: google/gemini-flash, base_url: "{url}/v1", key: gcp:metadata}}
  azure: {{provider: azure, model: gpt-4o, base_url: "{url}", key: {{entra: {{managed: true}}}}}}
  other: {{provider: openai, model: m, base_url: "{other}/v1", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [vertex, other]}}}}
  alone: {{tiers: {{primary: [azure]}}, policy: {{wait_max_s: 0, retry: {{kind: none}}}}}}
"""


async def test_a_token_is_shown_as_a_bearer_token_and_kept(raise_curtain: Raise, cloud: Cloud) -> None:
    gives(cloud, "ya29.one")
    cloud.answers["GET /metadata/identity/oauth2/token"] = token("eyJ.two.three")
    async with await start_mock() as mock:
        stage = await raise_curtain(
            route(mock.origin, mock.origin), GCE_METADATA_HOST=cloud.host, AZURE_POD_IDENTITY_AUTHORITY_HOST=cloud.url
        )
        for _ in range(3):
            assert (await stage.ask()).headers["x-understudy-target"] == "vertex"
        assert (await stage.ask(model="alone")).status == 200
        assert [seen.headers["authorization"] for seen in mock.requests] == [
            *["Bearer ya29.one"] * 3,
            "Bearer eyJ.two.three",
        ]
        assert "api-key" not in mock.requests[-1].headers
    assert len(cloud.asked) == 2


async def test_credentials_are_fetched_before_anybody_asks(raise_curtain: Raise, cloud: Cloud) -> None:
    gives(cloud, "ya29.early")
    cloud.answers["GET /metadata/identity/oauth2/token"] = token("eyJ.early")
    async with await start_mock() as mock:
        stage = await raise_curtain(
            route(mock.origin, mock.origin), GCE_METADATA_HOST=cloud.host, AZURE_POD_IDENTITY_AUTHORITY_HOST=cloud.url
        )
        stage.engine.snapshot.warm()
        async with asyncio.timeout(2):  # noqa: TID251  a test's own bound
            while len(cloud.asked) < 2:
                await asyncio.sleep(0.002)
        await stage.ask()
        stage.engine.snapshot.warm()
        assert len(cloud.asked) == 2


async def test_without_a_token_the_next_target_answers_at_once(
    raise_curtain: Raise, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_desk, "WAIT_S", 0.03)
    cloud.gate.clear()  # it takes what is asked, and says nothing
    async with await start_mock() as mock:
        stage = await raise_curtain(route(mock.origin, mock.origin), GCE_METADATA_HOST=cloud.host)
        began_s = asyncio.get_running_loop().time()
        for _ in range(3):
            assert (await stage.ask()).headers["x-understudy-target"] == "other"
        assert asyncio.get_running_loop().time() - began_s < 1
        failure = stage.ended[0].attempts[0].failure
        assert failure is not None
        assert failure.kind is FailureKind.CREDENTIAL_UNAVAILABLE
        assert len(cloud.asked) == 1


async def test_a_source_that_cannot_be_reached_is_told_to_the_caller_without_a_secret(raise_curtain: Raise) -> None:
    async with await start_mock() as mock:
        stage = await raise_curtain(
            route(mock.origin, mock.origin), AZURE_POD_IDENTITY_AUTHORITY_HOST="http://127.0.0.1:1"
        )
        answered = await stage.ask(model="alone")
        assert answered.status >= 500
        assert "127.0.0.1 cannot be asked" in json.dumps(answered.json)
        assert not mock.requests


async def test_a_refused_token_is_renewed_before_its_end(
    raise_curtain: Raise, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_desk, "DOUBT_S", 0.0)
    cloud.answers[TOKEN_PATH] = lambda _: (
        200,
        GOOGLE,
        token("ya29.revoked" if len(cloud.asked) == 1 else "ya29.good")[2],
    )
    async with await start_mock(Script(key="ya29.good")) as mock, await start_mock() as second:
        stage = await raise_curtain(route(mock.origin, second.origin), GCE_METADATA_HOST=cloud.host)
        assert (await stage.ask()).headers["x-understudy-target"] == "other"
        upstream = stage.engine.snapshot.upstreams["vertex"]
        async with asyncio.timeout(2):  # noqa: TID251  a test's own bound
            while dict(upstream.way("openai_chat", ())[1])[b"authorization"] != b"Bearer ya29.good":
                await upstream.renew(asyncio.get_running_loop().time())
                await asyncio.sleep(0.002)
        assert len(cloud.asked) == 2


async def test_claude_on_vertex_is_asked_at_its_own_address(raise_curtain: Raise, cloud: Cloud) -> None:
    gives(cloud, "ya29.c")
    said = {
        "id": "msg_vrtx_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": "Bonjour."}], "usage": {"input_tokens": 1, "output_tokens": 2},
    }  # fmt: skip
    under = "/v1/projects/p/locations/l"
    cloud.answers[f"POST {under}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"] = (200, {}, said)
    text = f"""
targets:
  c: {{provider: vertex, model: claude-sonnet-4-5@20250929, base_url: "{cloud.url}{under}", key: gcp:metadata}}
routes: {{default: {{tiers: {{primary: [c]}}}}}}
"""
    stage = await raise_curtain(text, GCE_METADATA_HOST=cloud.host)
    for caller in ("openai", "anthropic"):
        answered = await stage.ask(caller)
        assert (answered.status, answered.text) == (200, "Bonjour.")
        sent = cloud.asked[-1]
        body = json.loads(sent["body"])
        assert (body["anthropic_version"], "model" in body) == ("vertex-2023-10-16", False)
        assert sent["headers"]["authorization"] == "Bearer ya29.c"
        assert "anthropic-version" not in sent["headers"]

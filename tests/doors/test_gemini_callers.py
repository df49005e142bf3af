"""Callers that speak Gemini's generateContent, over targets that speak something else."""

from __future__ import annotations

import hashlib
import json

import pytest

from stage import two_targets

QUESTION = {
    "contents": [{"role": "user", "parts": [{"text": "Why is the sky blue?"}]}],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "generationConfig": {"maxOutputTokens": 100},
}
WHOLE, STREAMED = "/v1beta/models/default:generateContent", "/v1beta/models/default:streamGenerateContent?alt=sse"


def said(answer: dict) -> str:
    return "".join(part.get("text", "") for part in answer["candidates"][0]["content"]["parts"])


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
async def test_a_whole_answer(raise_curtain, mocks, upstream) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream=upstream))
    told = await stage.http.post(f"{stage.url}{WHOLE}", json=QUESTION)
    assert told.status_code == 200, told.text
    assert said(told.json())
    assert told.json()["usageMetadata"]["candidatesTokenCount"] > 0
    assert told.headers["x-understudy-target"] == "lead"
    assert b"Be brief." in mocks[0].requests[0].body


@pytest.mark.parametrize("upstream", ["openai", "anthropic"])
async def test_a_stream_survives_a_failing_target(raise_curtain, mocks, upstream) -> None:
    mocks[0].set({"error_burst": {"problem": "overloaded"}})
    stage = await raise_curtain(two_targets(*mocks, upstream=upstream))
    told = await stage.http.post(f"{stage.url}{STREAMED}", json=QUESTION)
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in told.text.splitlines() if line.startswith("data: ")]
    assert "".join(said(event) for event in events if event.get("candidates") and "content" in event["candidates"][0])
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert told.headers["x-understudy-target"] == "understudy"


async def test_errors_come_in_googles_envelope(raise_curtain, mocks) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    told = await stage.http.post(f"{stage.url}/v1beta/models/nowhere:generateContent", json=QUESTION)
    assert told.status_code == 404
    assert told.json()["error"]["code"] == 404
    assert "nowhere" in told.json()["error"]["message"]
    told = await stage.http.post(f"{stage.url}{WHOLE}", content=b"{")
    assert told.status_code == 400
    assert told.json()["error"]["status"] == "INVALID_ARGUMENT"


async def test_the_key_comes_in_googles_header(raise_curtain, mocks) -> None:
    digest = hashlib.sha256(b"app-key").hexdigest()
    text = two_targets(*mocks) + f"principals: [{{name: app, key_sha256: {digest}, routes: [default]}}]\n"
    stage = await raise_curtain(text)
    assert (await stage.http.post(f"{stage.url}{WHOLE}", json=QUESTION)).status_code == 401
    told = await stage.http.post(f"{stage.url}{WHOLE}", json=QUESTION, headers={"x-goog-api-key": "app-key"})
    assert told.status_code == 200
    assert all("app-key" not in str(request.headers) for request in mocks[0].requests), "our keys stay here"

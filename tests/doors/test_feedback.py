"""A score for an answer, by the id that came with it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from stage import two_targets
from understudy.core.event import AnswerRated


async def test_a_score_reaches_whoever_listens(raise_curtain, mocks) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    heard = []
    stage.engine.events.observe(lambda _number, event: heard.append(event), AnswerRated)
    question = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    answered = await stage.http.post(f"{stage.url}/v1/chat/completions", json=question)
    decision = answered.headers["x-understudy-decision"]
    told = await stage.http.post(f"{stage.url}/v1/feedback", json={"decision": decision, "score": 0.9})
    assert (told.status_code, told.json()) == (200, {"decision": decision, "known": True})
    assert heard == [AnswerRated(decision, "lead", 0.9)]
    told = await stage.http.post(f"{stage.url}/v1/feedback", json={"decision": "d-ffffff", "score": 0})
    assert told.json()["known"] is False
    assert heard[1].target is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"decision": "d-1", "score": 7}', b'{"decision": "d-1"}'])
async def test_what_is_no_score_is_refused_in_words(raise_curtain, mocks, body) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    told = await stage.http.post(f"{stage.url}/v1/feedback", content=body)
    assert told.status_code == 400
    assert "score" in told.json()["error"]["message"]


async def test_only_post_is_understood(raise_curtain, mocks) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    assert (await stage.http.get(f"{stage.url}/v1/feedback")).status_code == 405


async def test_nobody_scores_the_answers_of_another_principal(raise_curtain, mocks) -> None:
    digests = [sha256(key.encode()).hexdigest() for key in ("ann's", "bob's")]
    principals = "".join(f"  - {{name: p{number}, key_sha256: {digest}}}\n" for number, digest in enumerate(digests))
    stage = await raise_curtain(two_targets(*mocks) + "principals:\n" + principals)
    question = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": "Bearer ann's"}
    answered = await stage.http.post(f"{stage.url}/v1/chat/completions", json=question, headers=headers)
    score = {"decision": answered.headers["x-understudy-decision"], "score": 0.1}
    for key, known in (("bob's", False), ("ann's", True)):
        told = await stage.http.post(f"{stage.url}/v1/feedback", json=score, headers={"authorization": f"Bearer {key}"})
        assert told.json()["known"] is known

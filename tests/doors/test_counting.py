"""Token counts through the whole data plane: asked of a target that counts, else estimated and said to be."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from stage import QUESTION, Raise, Stage, two_targets
from understudy.core.failure import FailureKind
from understudy.core.outcome import Billing
from understudy.mock import Mock

ASK: Any = QUESTION["messages"]


async def count(stage: Stage, **fields: Any):
    return await stage.http.post(
        stage.url + "/v1/messages/count_tokens", json={"model": "default", **QUESTION, **fields}
    )


def mixed(lead: Mock, understudy: Mock, policy: str = "") -> str:
    """An OpenAI target first, which does not count, then an Anthropic one, which does."""
    return f"""
targets:
  gpt: {{provider: openai_compatible, model: g, base_url: "{lead.base_url}"}}
  claude: {{provider: anthropic_compatible, model: c, base_url: "{understudy.origin}", price: {{input: 3, output: 15}}}}
routes:
  default:
    tiers: {{primary: [gpt, claude]}}
    policy: {{wait_max_s: 5, retry: {{max: 3, initial_s: 5}}, {policy or "strict: false"}}}
"""


async def test_the_sdk_counts_at_a_target_that_has_the_endpoint(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(mixed(*mocks))
    async with anthropic.AsyncAnthropic(base_url=stage.url, api_key="any", max_retries=0) as client:
        raw = await client.messages.with_raw_response.count_tokens(model="default", messages=ASK, system="Be brief.")
        direct = anthropic.AsyncAnthropic(base_url=mocks[1].origin, api_key="any", max_retries=0)
        async with direct:
            expected = await direct.messages.count_tokens(model="c", messages=ASK, system="Be brief.")
    assert (await raw.parse()).input_tokens == expected.input_tokens
    assert raw.headers["x-understudy-target"] == "claude"
    assert "x-understudy-estimated" not in raw.headers
    assert "x-understudy-degraded" not in raw.headers
    assert mocks[1].requests[0].json["model"] == "c"
    assert not mocks[0].requests

    def ask() -> int:
        with anthropic.Anthropic(base_url=stage.url, api_key="any", max_retries=0) as sync:
            return sync.messages.count_tokens(model="default", messages=ASK, system="Be brief.").input_tokens

    assert await asyncio.to_thread(ask) == expected.input_tokens


async def test_a_count_costs_nothing_and_leaves_the_latency_as_it_was(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(mixed(*mocks))
    await count(stage)
    outcome = stage.ended[-1].winner
    assert outcome is not None
    assert outcome.usage is not None
    assert (outcome.usage.total, outcome.cost_nusd) == (0, 0)
    standing = stage.engine.board.standing("claude")
    assert (standing.seen, standing.latency_ms) == (1, None)


FAULTS: dict[str, Any] = {
    "nothing there": {"error_burst": {"problem": "not_found"}},
    "limited": {"error_burst": {"problem": "rate_limit"}},
    "failing": {"error_burst": {"problem": "server_error"}},
    "another shape": {"corrupt_answers": {"how": "wrong_shape"}},
    "refused": "outage",
}


async def test_without_anyone_who_counts_it_is_estimated_and_says_so(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    for name, fault in FAULTS.items():
        stage = await raise_curtain(mixed(*mocks))
        mocks[1].set(fault)
        answer = await count(stage, system="x" * 400)
        assert answer.status_code == 200, name
        assert answer.headers["x-understudy-target"] == "(estimate)", name
        assert answer.headers["x-understudy-estimated"] == "true"
        assert answer.headers["x-understudy-degraded"] == "true"
        assert 100 < answer.json()["input_tokens"] < 200
        result = stage.ended[-1]
        assert [one.target for one in result.attempts] == ["claude", "(estimate)"], name
        assert result.degraded
        assert result.attempts[1].billing is Billing.NO
        assert stage.nothing_is_held()


@pytest.mark.parametrize("problem", ["not_found", "rate_limit", "permission"])
async def test_a_target_that_will_not_count_goes_on_chatting(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], problem: str
) -> None:
    stage = await raise_curtain(mixed(*mocks))
    mocks[1].set({"error_burst": {"problem": problem}})
    for _ in range(6):
        assert (await count(stage)).headers["x-understudy-estimated"] == "true"
    mocks[1].set()
    assert (await stage.ask("anthropic", model="claude")).headers["x-understudy-target"] == "claude"


async def test_the_callers_own_mistake_is_not_estimated_away(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(mixed(*mocks))
    mocks[1].set({"error_burst": {"problem": "invalid_request"}})
    answer = await count(stage)
    assert answer.status_code == 400
    assert answer.json()["type"] == "error"
    assert stage.ended[-1].failure.kind is FailureKind.INVALID_REQUEST
    assert (await count(stage, messages=3)).status_code == 400
    assert (await count(stage, model="nobody")).status_code == 404


async def test_the_second_who_counts_is_asked_before_anything_is_estimated(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_targets(*mocks, "anthropic"))
    mocks[0].set({"error_burst": {"problem": "overloaded"}})
    answer = await count(stage)
    assert answer.headers["x-understudy-target"] == "understudy"
    assert mocks[1].requests[0].json["model"] == "m2"


async def test_a_conversation_larger_than_the_window_can_be_counted(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    text = mixed(*mocks).replace("model: c,", "model: c, context_tokens: 10,")
    stage = await raise_curtain(text)
    answer = await count(stage, system="x" * 4000)
    assert answer.headers["x-understudy-target"] == "claude"
    assert answer.json()["input_tokens"] > 1000


async def test_the_decision_says_who_does_not_count(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(mixed(*mocks))
    answer = await count(stage)
    found = stage.engine.decisions.get(answer.headers["x-understudy-decision"])
    assert found is not None
    assert "without gpt: operation: does not count" in str(found[0].explain())


async def test_a_count_takes_nothing_of_the_token_limit(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    text = mixed(*mocks).replace("model: c,", "model: c, limits: {tpm: 3000},")
    stage = await raise_curtain(text)
    for _ in range(8):
        answer = await count(stage, system="x" * 2000)
        assert answer.headers["x-understudy-target"] == "claude"


async def test_a_count_by_a_strategy_of_the_callers_choice_ends_in_an_estimate_too(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(mixed(*mocks))
    headers = {"x-understudy-strategy": "shuffle"}
    body = {"model": "gpt", **QUESTION}
    answer = await stage.http.post(stage.url + "/v1/messages/count_tokens", json=body, headers=headers)
    assert answer.headers["x-understudy-target"] == "(estimate)"

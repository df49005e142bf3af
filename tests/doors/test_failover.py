"""Whatever the lead does, the understudy answers, in every pair of wire formats, streamed or not.

Method: a table of faults on the lead; the understudy is healthy. The caller must see a clean answer, and the headers and
the decision must say what happened.

A fault is over before the caller hears anything: what the lead did meets the reading of its wire format, passed on or translated,
and the caller's format meets the understudy's clean answer. So a pair that shares its format goes through every fault, and of the
callers that need a translation one goes through each; in `make test-whole` all of them.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from conftest import WHOLE
from stage import CALLERS, PROVIDERS, Raise, two_targets, until
from understudy.core.failure import FailureKind
from understudy.mock import Mock, start_mock

pytestmark = pytest.mark.no_cover

PATIENT = "timeouts: {connect_s: 10, headers_s: 10, first_content_s: 10, answer_s: 10}"
HASTY = "timeouts: {connect_s: 1, headers_s: 0.5, first_content_s: 0.5, idle_s: 5, answer_s: 0.5}"
"""For those faults alone of which nothing else tells: on a busy machine also who is well may take half a second."""
NEVER_TELLS = {"silence", "silence after headers", "stalled before content"}
STALLS = "timeouts: {idle_s: 0.3}"

BEFORE_CONTENT: dict[str, Any] = {
    "500": {"error_burst": {"problem": "server_error"}},
    "429 with a hint": {"error_burst": {"problem": "rate_limit", "retry_after_s": 7.0}},
    "429 without": {"error_burst": {"problem": "rate_limit"}},
    "529": {"error_burst": {"problem": "overloaded"}},
    "502 with HTML": {"error_burst": {"problem": "bad_gateway"}},
    "401": {"error_burst": {"problem": "auth"}},
    "no credit": {"error_burst": {"problem": "insufficient_quota"}},
    "unknown model": {"error_burst": {"problem": "not_found"}},
    "spent quota": "quota_exhaustion",
    "revoked": "credential_revocation",
    "expired token": {"clock_skew": {"skew_s": 400}},
    "shed load": {"overload": {"per_s": 0.001, "window_s": 1, "sheds_at": 1}},
    "dying": {"slow_death": {"dies_in_s": 1e-6, "how": "bad_gateway"}},
    "words that are none": {"byzantine_answers": {"how": "mistyped"}},
    "another's answer": {"byzantine_answers": {"how": "foreign"}},
    "garbage": {"corrupt_answers": {"how": "broken_json"}},
    "HTML with 200": {"corrupt_answers": {"how": "html"}},
    "not HTTP": {"corrupt_answers": {"how": "not_http"}},
    "another shape": {"corrupt_answers": {"how": "wrong_shape"}},
    "empty": {"corrupt_answers": {"how": "empty"}},
    "reset": "reset",
    "silence": "silence",
    "silence after headers": {"silence": {"after": "headers"}},
    "refused": "outage",
}
ONLY_STREAMED: dict[str, Any] = {
    "cut before content": {"truncated_stream": {"after_chunks": 0}},
    "stalled before content": {"stalled_stream": {"after_chunks": 0}},
    "error event before content": {"in_band_error": {"after_chunks": 0}},
}


def met(caller: str, upstream: str, *, stream: bool) -> list[str]:
    """The faults that this pair goes through: of those that translate from one upstream, each fault meets exactly one."""
    faults = sorted(BEFORE_CONTENT | ONLY_STREAMED if stream else BEFORE_CONTENT)
    if WHOLE or caller == upstream:
        return faults
    translating = [one for one in CALLERS if one != upstream]
    # shifted from one upstream to the next, so that callers meet what others met there
    first = translating.index(caller) + list(PROVIDERS).index(upstream)
    return faults[first % len(translating) :: len(translating)]


@pytest.mark.parametrize("stream", [False, True])
def test_every_fault_is_met_passed_on_and_translated_from_every_upstream_and_by_every_caller(*, stream: bool) -> None:
    faults = sorted(BEFORE_CONTENT | ONLY_STREAMED if stream else BEFORE_CONTENT)
    for upstream in PROVIDERS:
        others = [caller for caller in CALLERS if caller != upstream]
        translated = [fault for caller in others for fault in met(caller, upstream, stream=stream)]
        assert sorted({*translated}) == faults
        if upstream in CALLERS:
            assert met(upstream, upstream, stream=stream) == faults
    for caller in CALLERS:
        assert {fault for upstream in PROVIDERS for fault in met(caller, upstream, stream=stream)} == {*faults}


@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_the_understudy_answers_whatever_the_lead_does(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str, *, stream: bool
) -> None:
    told = (
        await (await raise_curtain(two_targets(*mocks, upstream))).ask(caller, stream=stream, model="understudy")
    ).text
    assert told

    async def answers(name: str, fault: Any, lead: Mock, understudy: Mock, policy: str) -> None:
        # a new one, since the one before remembers the lead's failures
        stage = await raise_curtain(two_targets(lead, understudy, upstream, policy=policy))
        lead.set(fault)
        answered = await stage.ask(caller, stream=stream)
        result = stage.result(answered)
        assert answered.status == 200, (name, answered.body)
        assert answered.error is None, (name, answered.body)
        assert answered.finished, (name, answered.body)
        assert answered.text == told, name
        assert answered.headers["x-understudy-target"] == "understudy", (name, result.attempts)
        assert answered.headers["x-understudy-attempts"] == "2", name
        assert [one.target for one in result.attempts] == ["lead", "understudy"], name
        assert result.attempts[0].failure is not None, name
        assert "x-understudy-degraded" not in answered.headers
        assert stage.nothing_is_held()

    async def answers_late(name: str) -> None:
        async with await start_mock() as lead, await start_mock() as understudy:
            await answers(name, faults[name], lead, understudy, HASTY)

    faults = BEFORE_CONTENT | ONLY_STREAMED
    names = met(caller, upstream, stream=stream)
    for name in names:
        if name not in NEVER_TELLS:
            await answers(name, faults[name], *mocks, PATIENT)
    await asyncio.gather(*(answers_late(name) for name in names if name in NEVER_TELLS))  # they are waited for together


@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    "fault",
    [
        {"truncated_stream": {"after_chunks": 3}},
        {"truncated_stream": {"after_chunks": 3, "how": "unfinished"}},
        {"stalled_stream": {"after_chunks": 3}},
        {"in_band_error": {"after_chunks": 3}},
    ],
    ids=["cut", "unfinished", "stalled", "error event"],
)
async def test_a_stream_that_breaks_after_content_says_so(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str, fault: Any
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, upstream, policy=STALLS))
    lead.set(fault)
    answered = await stage.ask(caller, stream=True)
    assert answered.headers["x-understudy-target"] == "lead"
    assert answered.text
    assert answered.error is not None
    assert not answered.finished
    assert await until(stage.nothing_is_held, 1)
    failure = stage.result(answered).failure
    assert failure is not None
    assert not understudy.requests


@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("caller", CALLERS)
async def test_the_callers_own_mistake_is_not_tried_elsewhere(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], caller: str, upstream: str
) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(two_targets(lead, understudy, upstream))
    lead.set({"error_burst": {"problem": "invalid_request"}})
    answered = await stage.ask(caller)
    assert answered.status == 400
    assert answered.error is not None
    assert stage.result(answered).failure.kind is FailureKind.INVALID_REQUEST
    assert not understudy.requests


async def test_every_target_rate_limited_is_a_429_with_the_time_to_come_back(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    mocks[0].set({"error_burst": {"problem": "rate_limit", "retry_after_s": 40.0}})
    mocks[1].set({"error_burst": {"problem": "rate_limit", "retry_after_s": 20.0}})
    answered = await stage.ask()
    assert answered.status == 429
    assert 15 <= int(answered.headers["retry-after"]) <= 21
    again = await stage.ask("anthropic", stream=True)
    assert again.status == 429
    assert again.json["error"]["type"] == "rate_limit_error"
    assert 15 <= int(again.headers["retry-after"]) <= 21
    assert len(mocks[0].requests) == 1, "a provider that asked for a rest is given it"


async def test_all_silent_is_an_error_at_the_deadline(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    stage = await raise_curtain(two_targets(*mocks))
    for mock in mocks:
        mock.set("silence")
    begun_s = time.monotonic()
    answered = await stage.ask(headers={"x-understudy-deadline-ms": "600"})
    assert 0.5 <= time.monotonic() - begun_s <= 1.2
    assert answered.status == 504
    assert "lead" in answered.error["message"]
    assert "understudy" in answered.error["message"]
    assert [len(mock.requests) for mock in mocks] == [1, 1], "each had its share of the time"


async def test_a_refused_connection_costs_less_than_five_milliseconds(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], free_port: int
) -> None:
    text = two_targets(*mocks, policy="breaker: {failures: 1000, last: 1000}").replace(
        str(mocks[0].port), str(free_port)
    )
    stage = await raise_curtain(text)
    took_s: dict[str, list[float]] = {"default": [], "understudy": []}
    for _ in range(30):
        for model, times_s in took_s.items():
            begun_s = time.monotonic()
            answered = await stage.ask(model=model)
            times_s.append(time.monotonic() - begun_s)
            assert answered.headers["x-understudy-target"] == "understudy"
    median = {model: sorted(times_s)[15] for model, times_s in took_s.items()}
    assert median["default"] - median["understudy"] < 0.005

"""The router as an object: real sockets to mock providers, through the engine that the gateway uses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from decimal import Decimal

import openai
import pytest

from stage import until
from understudy import BadRequest, ConfigurationError, RequestFailed, Router, StreamBroken
from understudy.core.failure import Failure, FailureKind
from understudy.core.usage import Usage
from understudy.engine.own_client import OwnTarget
from understudy.errors import RouterNotEntered
from understudy.mock import Mock, start_mock

POLICY = {"retry": {"kind": "none"}, "deadline_s": 10, "wait_max_s": 0}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
async def mocks() -> AsyncIterator[tuple[Mock, Mock]]:
    async with await start_mock() as lead, await start_mock() as understudy:
        yield lead, understudy


CHOOSING = {
    "together": {"tiers": {"primary": ["lead", "second"]}, "strategy": "priority", "balancer": "consistent_hash"},
    "best": {"tiers": {"primary": ["lead", "second"]}, "strategy": "quality", "balancer": "round_robin"},
}


def router_of(*mocks: Mock, more_routes: dict[str, object] | None = None, **more: object) -> Router:
    price = {"input": 2, "output": 10}
    targets = [
        {
            "name": name,
            "provider": "openai_compatible",
            "model": "mock-small",
            "base_url": mock.base_url,
            "price": price,
        }
        for name, mock in zip(("lead", "second"), mocks, strict=False)
    ]
    targets.append({"name": "sorry", "provider": "static", "text": "Please come back later."})
    names = [target["name"] for target in targets[:-1]]
    routes = {
        "default": {"tiers": {"primary": names}, "strategy": "failover", "policy": POLICY},
        "kind": {"tiers": {"primary": names, "emergency": ["sorry"]}, "policy": POLICY},
    }
    return Router(targets=targets, routes=routes | (more_routes or {}), env={}, **more)


async def test_an_answer_tells_who_gave_it_what_it_took_and_why_it_was_them(mocks) -> None:
    async with router_of(*mocks) as router:
        answer = await router.chat("default", "Why is the sky blue?", temperature=0.1)
        assert answer.text
        assert (answer.target, answer.tier, answer.degraded) == ("lead", "primary", False)
        assert answer.usage is not None
        assert answer.cost == Decimal(answer.usage.prompt * 2 + answer.usage.completion * 10) / 1_000_000
        assert len(answer.attempts) == 1
        assert answer.decision is not None
        assert "lead" in str(answer.decision.explain())
        assert router.costs().cost == answer.cost
        assert router.costs().targets["lead"].tokens == answer.usage.total
        assert router.health()["lead"].breaker == "closed"
        assert router.health()["lead"].attempts == 1
    assert b'"temperature":0.1' in mocks[0].requests[0].body


async def test_messages_and_tools_go_as_chat_completions_has_them(mocks) -> None:
    async with router_of(*mocks) as router:
        told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Oslo?"}]
        answer = await router.chat("default", told, tools=[WEATHER], tool_choice="required")
        assert [call.name for call in answer.tool_calls] == ["weather"]


async def test_a_failure_moves_on_and_the_callbacks_are_told(mocks) -> None:
    mocks[0].set({"error_burst": {"problem": "overloaded"}})
    heard = []
    async with router_of(*mocks) as router:
        router.on("attempt_failed", heard.append)

        async def slowly(happening) -> None:
            await asyncio.sleep(0)
            heard.append(happening)

        router.on("request_answered", slowly)

        def broken(happening) -> None:
            raise RuntimeError("a callback's own fault")

        router.on("attempt_succeeded", broken)
        answer = await router.chat("default", "Hello")
        assert answer.target == "second"
        assert await until(lambda: len(heard) == 2, 1)
        failed, ended = heard
        assert (failed.target, failed.failure.kind, failed.goes_on) == ("lead", FailureKind.OVERLOADED, True)
        assert (ended.name, ended.target) == ("request_answered", "second")
        router.off("attempt_failed", heard.append)
        with pytest.raises(ValueError, match="there is no event"):
            router.on("nonsense", heard.append)


async def test_when_nobody_answers_the_error_carries_every_attempt(mocks) -> None:
    for mock in mocks:
        mock.set({"error_burst": {"problem": "server_error"}})
    async with router_of(*mocks) as router:
        with pytest.raises(RequestFailed) as caught:
            await router.chat("default", "Hello")
        assert [outcome.target for outcome in caught.value.attempts] == ["lead", "second"]
        assert caught.value.decision
        answer = await router.chat("kind", "Hello")
        assert answer.degraded
        assert answer.text == "Please come back later."


async def test_when_all_have_said_how_long_to_wait_the_error_says_when_the_first_is_back(mocks) -> None:
    for mock, rest_s in zip(mocks, (300.0, 200.0), strict=False):
        mock.set({"error_burst": {"problem": "rate_limit", "retry_after_s": rest_s}})
    async with router_of(*mocks) as router:
        with pytest.raises(RequestFailed) as caught:
            await router.chat("default", "Hello")
    assert caught.value.failure.kind is FailureKind.RATE_LIMIT
    assert caught.value.retry_after_s == pytest.approx(200.0, abs=5.0)


async def test_the_callers_own_mistakes_are_bad_requests(mocks) -> None:
    async with router_of(*mocks) as router:
        with pytest.raises(BadRequest, match="no route, target or model"):
            await router.chat("nowhere", "Hello")
        with pytest.raises(BadRequest):
            await router.chat("default", [{"role": "user", "content": object()}])
        with pytest.raises(BadRequest):
            await router.chat("default", [7])
    with pytest.raises(ConfigurationError, match="provder"):
        Router(targets={"a": {"provder": "openai"}}, env={})
    with pytest.raises(ConfigurationError, match="needs a `name`"):
        Router(targets=[{"provider": "static", "text": "x"}], env={})


@pytest.mark.parametrize(
    ("messages", "settings", "told"),
    [
        (None, {}, "messages are a question, or a list"),
        (3, {}, "messages are a question, or a list"),
        ({"role": "user", "content": "Hello"}, {}, "messages are a question, or a list"),
        ("Hello", {"deadline_s": -1}, "deadline_s is a number of seconds above 0, not -1"),
        ("Hello", {"deadline_s": "5"}, "deadline_s is a number of seconds above 0, not '5'"),
        ("Hello", {"labels": "team=search"}, "labels are texts by name"),
        ("Hello", {"labels": {"team": 3}}, "labels are texts by name"),
        ("Hello", {"session": 7}, "session is text"),
        ("Hello", {"strategy": {"cost": {}}}, "strategy is the name of a strategy"),
        ("Hello", {"complexity": "tricky"}, "complexity is one of simple"),
    ],
)
async def test_what_cannot_be_asked_is_told_before_anybody_is_asked(mocks, messages, settings, told) -> None:
    async with router_of(*mocks) as router:
        with pytest.raises(BadRequest, match=told):
            await router.chat("default", messages, **settings)


async def test_an_error_names_every_attempt_and_why_it_failed(mocks) -> None:
    lead, second = mocks
    lead.set({"error_burst": {"problem": "overloaded"}})
    second.set("outage")
    async with router_of(*mocks) as router:
        with pytest.raises(RequestFailed, match=r"tried lead: overloaded .*; second: connection_refused"):
            await router.chat("default", "Hello")


async def test_a_stand_in_costs_nothing_streamed_or_not(mocks) -> None:
    async with router_of(*mocks) as router:
        stream = router.stream("sorry", "Hello")
        async for _ in stream:
            pass
        assert stream.answer is not None
        assert stream.answer.cost == (await router.chat("sorry", "Hello")).cost == 0


async def test_operating_by_a_wrong_name_tells_the_right_ones(mocks) -> None:
    async with router_of(*mocks) as router:
        with pytest.raises(KeyError, match="no target is called 'leed'; there are: lead, second"):
            router.breaker("leed")
        with pytest.raises(ValueError, match="is not called after 'breaker_opened'"):
            router.off("breaker_opened", print)
        with pytest.raises(TypeError, match="an async function"):
            await router.run(lambda target: target.model)
        with pytest.raises(ValueError, match="above 0"):
            await router.run(lambda _: asyncio.sleep(0), deadline_s=0)


async def test_a_stream_gives_its_chunks_then_the_whole(mocks) -> None:
    async with router_of(*mocks) as router:
        stream = router.stream("default", "Why is the sky blue?")
        words = [chunk.text async for chunk in stream]
        assert len(words) > 1
        assert stream.answer is not None
        assert "".join(words) == stream.answer.text
        assert stream.answer.usage is not None
        assert stream.answer.target == "lead"
        calls = [chunk async for chunk in router.stream("default", "?", tools=[WEATHER], tool_choice="required")]
        assert calls[0].call is not None
        assert calls[0].call.name == "weather"
        assert "".join(chunk.arguments for chunk in calls).startswith("{")


async def test_a_stream_that_nobody_answers_fails_before_its_first_chunk(mocks) -> None:
    for mock in mocks:
        mock.set({"error_burst": {"problem": "server_error"}})
    async with router_of(*mocks) as router:
        with pytest.raises(RequestFailed):
            async for _ in router.stream("default", "Hello"):
                pytest.fail("nothing was said")
        degraded = router.stream("kind", "Hello")
        assert "".join([chunk.text async for chunk in degraded]) == "Please come back later."
        assert degraded.answer is not None
        assert degraded.answer.degraded


async def test_a_stream_cut_in_the_middle_says_so_and_keeps_what_came(mocks) -> None:
    mocks[0].set({"truncated_stream": {"after_chunks": 3}})
    async with router_of(*mocks) as router:
        seen = ""
        with pytest.raises(StreamBroken) as caught:
            async for chunk in router.stream("default", "Hello"):
                seen += chunk.text
        assert seen
        assert caught.value.partial.text == seen


async def test_leaving_a_stream_early_closes_the_providers_at_once(mocks) -> None:
    mocks[0].set({"stalled_stream": {"after_chunks": 3}})
    async with router_of(*mocks) as router:
        async for _ in router.stream("default", "Hello"):
            break
        gc.collect()
        assert await until(lambda: router.health()["lead"].in_flight == 0, 1)
        async with router.stream("default", "Hello") as stream:
            await anext(stream)
        assert router.health()["lead"].in_flight == 0


async def test_an_answer_can_be_rated(mocks) -> None:
    rated = []
    async with router_of(*mocks) as router:
        router.on("rated", rated.append)
        answer = await router.chat("default", "Hello")
        answer.rate(0.9)
        assert await until(lambda: len(rated) == 1, 1)
        assert (rated[0].target, rated[0].event.score) == ("lead", 0.9)
        with pytest.raises(ValueError, match="between 0 and 1"):
            answer.rate(7)


async def test_a_session_stays_with_its_target_and_ratings_reach_who_chooses_by_quality(mocks) -> None:
    async with router_of(*mocks, more_routes=CHOOSING) as router:
        for session in ("one", "two", "three", "four"):
            answers = [await router.chat("together", "hm", session=session) for _ in range(3)]
            assert len({answer.target for answer in answers}) == 1
        rated: list[object] = []
        router.on("rated", rated.append)
        first, second = [await router.chat("best", "hm") for _ in range(2)]
        assert first.target != second.target, "equally unknown: they take turns"
        first.rate(0.1)
        second.rate(1.0)
        assert await until(lambda: len(rated) == 2, 1)
        assert {(await router.chat("best", "hm")).target for _ in range(3)} == {second.target}


async def test_breakers_can_be_worked_by_hand(mocks) -> None:
    told = []
    async with router_of(*mocks) as router:
        router.on("breaker_ordered", told.append)
        router.breaker("lead").force_open()
        assert router.breaker("lead").state == "forced-open"
        assert (await router.chat("default", "Hello")).target == "second"
        router.breaker("lead").release()
        router.breaker("lead").watch()
        assert (await router.chat("default", "Hello")).target == "lead"
        assert [happening.target for happening in told] == ["lead", "lead"]
        with pytest.raises(KeyError):
            router.breaker("nobody")


RULE = {"name": "flag", "then": {"targets": {"preferred": ["second"]}}, "when": {"not": {"complexity": "complex"}}}


async def test_rules_are_flags_that_the_program_switches(mocks) -> None:
    async with router_of(*mocks, rules=[RULE]) as router:
        flag = router.rule("flag")
        targets = []
        for switch in (flag.enable, flag.disable, flag.reset):
            switch()
            targets.append(((await router.chat("default", "Hello")).target, flag.enabled))
        assert targets == [("second", True), ("lead", False), ("second", True)]
        assert flag.applied == 2
        answer = await router.chat("default", "Hello", complexity="complex")
        assert answer.target == "lead"
        assert "rule flag does not apply: complexity complex" in str(answer.decision.explain())
        with pytest.raises(BadRequest, match="one of simple"):
            await router.chat("default", "Hello", complexity="tricky")
        with pytest.raises(KeyError, match="no rule is called 'flags'; there are: flag"):
            router.rule("flags")


async def test_a_router_belongs_to_the_loop_that_entered_it(mocks) -> None:
    router = router_of(*mocks)
    with pytest.raises(RouterNotEntered, match="async with"):
        await router.chat("default", "Hello")
    async with router:
        with pytest.raises(RouterNotEntered, match="entered already"):
            await router.__aenter__()
        elsewhere = await asyncio.to_thread(lambda: asyncio.run(_refused(router)))
        assert "belongs to the event loop" in elsewhere
    with pytest.raises(RouterNotEntered):
        router.health()


async def _refused(router: Router) -> str:
    try:
        await router.chat("default", "Hello")
    except RouterNotEntered as trouble:
        return str(trouble)
    return ""


# A client of one's own


async def ask_with_openai(target: OwnTarget) -> object:
    async with openai.AsyncOpenAI(base_url=target.base_url, api_key=target.key or "none", max_retries=0) as client:
        answer = await client.chat.completions.create(
            model=target.model, messages=[{"role": "user", "content": "Why is the sky blue?"}]
        )
        return answer.choices[0].message.content


async def test_a_client_of_ones_own_is_called_target_by_target(mocks) -> None:
    mocks[0].set({"error_burst": {"problem": "rate_limit"}})
    async with router_of(*mocks) as router:
        found = await router.run(ask_with_openai)
        assert found.value
        assert found.target == "second"
        first, second = found.attempts
        assert first.failure is not None
        assert first.failure.kind is FailureKind.RATE_LIMIT
        assert second.failure is None
        found.report(Usage(input=1_000_000, output=100_000))
        assert router.costs().targets["second"].cost == 3


async def test_a_refused_connection_moves_on_too(mocks) -> None:
    await mocks[0].close()
    async with router_of(*mocks) as router:
        assert (await router.run(ask_with_openai, "kind")).target == "second"


async def test_a_fault_of_the_callers_own_is_raised_as_it_is(mocks) -> None:
    calls = []

    async def broken(target: OwnTarget) -> None:
        calls.append(target.name)
        raise KeyError("mine")

    async with router_of(*mocks) as router:
        with pytest.raises(KeyError, match="mine"):
            await router.run(broken)
        assert calls == ["lead"]
        assert router.health()["lead"].error_rate is None, "it implicates nobody"


async def test_what_exceptions_mean_can_be_told(mocks) -> None:
    async def picky(target: OwnTarget) -> str:
        if target.name == "lead":
            raise LookupError("not good enough")
        return target.name

    async with router_of(*mocks) as router:
        found = await router.run(picky, classify=lambda error: Failure(FailureKind.EMPTY, str(error)))
        assert found.value == "second"


async def test_a_call_that_hangs_is_given_up(mocks) -> None:
    async def hangs(target: OwnTarget) -> None:
        await asyncio.sleep(30)

    async with router_of(*mocks) as router:
        with pytest.raises(RequestFailed) as caught:
            await router.run(hangs, deadline_s=0.2)
        assert [outcome.failure.kind for outcome in caught.value.attempts][:1] == [FailureKind.ANSWER_TIMEOUT]


async def test_stand_ins_cannot_be_pointed_at() -> None:
    async with Router(targets={"sorry": {"provider": "static", "text": "x"}}, env={}) as router:
        with pytest.raises(RequestFailed):
            await router.run(ask_with_openai, "sorry")


async def test_settings_cannot_change_what_is_asked_of_whom(mocks) -> None:
    async with router_of(*mocks) as router:
        answer = await router.chat("default", "Hello", stream=True, model="nowhere")
        assert answer.text
        assert answer.target == "lead"

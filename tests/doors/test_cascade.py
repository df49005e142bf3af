"""Cascades over HTTP: drafts of mock providers, whole and streamed, before anything reaches the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from stage import CALLERS, Raise
from understudy.core.outcome import Purpose, Verdict
from understudy.mock import Mock, start_mock
from understudy.mock.script import Script

Trio = tuple[Mock, ...]


@pytest.fixture
async def say() -> AsyncIterator[Callable[..., Awaitable[Trio]]]:
    """Give `await say("one", "two", "three")`: three providers that always say this."""
    async with AsyncExitStack() as stack:

        async def begin(*texts: str) -> Trio:
            return tuple([await stack.enter_async_context(await start_mock(Script(text=text))) for text in texts])

        yield begin


def configuration(trio: Trio) -> str:
    targets = "\n".join(
        f'  {name}: {{provider: openai_compatible, model: m, base_url: "{mock.base_url}", key: env:KEY}}'
        for name, mock in zip(("ann", "bob", "eve"), trio, strict=True)
    )
    return (
        f"targets:\n{targets}\nroutes:\n  default:\n    tiers: {{primary: [ann, bob, eve]}}\n"
        "    policy: {retry: {kind: none}, cascade: {ask: [ann, bob]}}\n"
    )


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_agreement_answers_in_every_dialect(raise_curtain: Raise, say, caller: str, *, stream: bool):
    trio = await say("Answer: 42", "42", "no")
    stage = await raise_curtain(configuration(trio))
    answered = await stage.ask(caller, stream=stream)
    assert (answered.status, answered.text, answered.finished) == (200, "Answer: 42", True)
    assert answered.headers["x-understudy-cascade"] == "draft"
    assert answered.headers["x-understudy-attempts"] == "2"
    result = stage.result(answered)
    assert result.cascade is Verdict.AGREED
    assert [one.purpose for one in result.attempts] == [Purpose.DRAFT] * 2
    assert all(one.good and one.usage is not None for one in result.attempts)
    assert len(trio[2].requests) == 0
    assert stage.nothing_is_held()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_disagreement_is_passed_on_and_nothing_of_it_is_seen(raise_curtain, say, caller: str, *, stream: bool):
    trio = await say("Answer: 42", "41", "certainly 43")
    stage = await raise_curtain(configuration(trio))
    answered = await stage.ask(caller, stream=stream)
    assert (answered.text, answered.headers["x-understudy-cascade"]) == ("certainly 43", "passed_on")
    assert len(stage.result(answered).attempts) == 3
    assert stage.nothing_is_held()


async def test_a_draft_that_fails_costs_only_its_place(raise_curtain, say):
    trio = await say("42", "42", "43")
    stage = await raise_curtain(configuration(trio))
    trio[0].set("outage")
    answered = await stage.ask("openai")
    assert answered.headers["x-understudy-target"] == "eve"
    assert stage.nothing_is_held()


async def test_when_nobody_else_answers_a_draft_does(raise_curtain, say):
    trio = await say("41", "42", "43")
    stage = await raise_curtain(configuration(trio))
    trio[2].set("outage")
    answered = await stage.ask("anthropic")
    assert (answered.status, answered.text) == (200, "41")
    assert stage.nothing_is_held()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("problem", ["invalid_request", "context_length"])
async def test_what_a_draft_refuses_is_asked_of_the_others(raise_curtain, say, problem: str, *, stream: bool):
    trio = await say("42", "42", "43")
    stage = await raise_curtain(configuration(trio))
    trio[0].set({"error_burst": {"problem": problem}})
    answered = await stage.ask("openai", stream=stream)
    assert (answered.status, answered.text, answered.headers["x-understudy-target"]) == (200, "43", "eve")
    for mock in trio:
        mock.set({"error_burst": {"problem": problem}})
    answered = await stage.ask("openai", stream=stream)
    assert answered.status == 400
    assert stage.result(answered).attempts[-1].target == "eve"
    assert stage.nothing_is_held()

"""Every provider falls back to every other, streamed or not, on real sockets.

Method: two mock providers, one that always fails; each provider is a target at both. A route for each ordered pair asks the one where
it fails, then the other where it answers.

A pair meets one kind of caller, and every kind of caller meets every provider as the one that fails and as the one that answers: what
a provider's answer becomes for a caller does not depend on who failed before. Every pair with every caller: UNDERSTUDY_WHOLE=1.
"""

from __future__ import annotations

import pytest

from conftest import WHOLE
from stage import Raise
from understudy.mock import Script, start_mock
from understudy.providers import PROVIDERS, facts, usual_dialects

pytestmark = pytest.mark.no_cover

SPOKEN = ("openai_chat", "anthropic_messages", "gemini", "ollama_chat", "cohere_chat", "bedrock_converse")
MODELS = {"vertex": "google/gemini-flash-latest"}


def speaking() -> dict[str, str]:
    """Every provider that can be asked in a format of the mock, and in which."""
    found = {}
    for name in PROVIDERS:
        known = facts(name)
        usual = usual_dialects(known, MODELS.get(name, "m"))
        spoken = [dialect for dialect in (*usual, *(wire.dialect for wire in known.wires)) if dialect in SPOKEN]
        if spoken:
            found[name] = spoken[0]
    return found


SPEAKING = speaking()


CALLS = [(caller, stream) for caller in ("openai", "responses", "anthropic", "gemini") for stream in (False, True)]


def pairs(call: int) -> list[tuple[str, str]]:
    """The ordered pairs that a kind of caller meets: each pair is in one of the lists, each provider on both sides of each list."""
    names = list(SPEAKING)
    return [
        (one, other)
        for row, one in enumerate(names)
        for column, other in enumerate(names)
        if WHOLE or (row + column) % len(CALLS) == call
    ]


def configured(lead: str, understudy: str, asked: list[tuple[str, str]]) -> str:
    lines = ["targets:"]
    for name, api in SPEAKING.items():
        for role, url in (("bad", lead), ("good", understudy)):
            model = MODELS.get(name, "m")
            lines.append(
                f'  {role}-{name}: {{provider: {name}, model: "{model}", api: {api}, base_url: "{url}/v1", key: env:KEY}}'
            )
    lines.append("routes:")
    policy = "{attempts_max: 2, retry: {kind: none}, breaker: {failures: 100000}}"
    lines += [
        f"  {one}.{other}: {{tiers: {{primary: [bad-{one}, good-{other}]}}, policy: {policy}}}" for one, other in asked
    ]
    return "\n".join(lines)


def test_nobody_is_left_out():
    assert len(SPEAKING) >= 20
    assert {"azure", "huggingface", "perplexity", "vertex"} <= set(SPEAKING)
    everyone = set(SPEAKING)
    met = [set(pairs(call)) for call in range(len(CALLS))]
    assert set().union(*met) == {(one, other) for one in everyone for other in everyone}
    for asked in met:
        assert {one for one, _ in asked} == {other for _, other in asked} == everyone


@pytest.mark.parametrize(
    "call", range(len(CALLS)), ids=[f"{caller}-{'streamed' if stream else 'whole'}" for caller, stream in CALLS]
)
async def test_every_provider_falls_back_to_every_other(raise_curtain: Raise, call: int) -> None:
    caller, stream = CALLS[call]
    asked = pairs(call)
    broken = Script(faults=({"error_burst": {"problem": "server_error"}},))
    async with await start_mock(broken) as lead, await start_mock(Script(text="I know the part.")) as understudy:
        stage = await raise_curtain(configured(lead.origin, understudy.origin, asked))
        for one, other in asked:
            answered = await stage.ask(caller, stream=stream, model=f"{one}.{other}")
            told = (
                answered.status,
                answered.headers["x-understudy-target"],
                answered.headers["x-understudy-attempts"],
            )
            assert told == (200, f"good-{other}", "2"), (one, other)
            assert (answered.text, answered.finished) == ("I know the part.", True), (one, other)
        assert len(lead.requests) == len(understudy.requests) == len(asked)
        assert stage.nothing_is_held()

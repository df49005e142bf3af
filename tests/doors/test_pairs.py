"""Every provider falls back to every other, streamed or not, on real sockets.

Method: two mock providers, one that always fails; each provider is a target at both. A route for each ordered pair asks the one where
it fails, then the other where it answers.
"""

from __future__ import annotations

import pytest

from stage import Raise
from understudy.mock import Script, start_mock
from understudy.providers import PROVIDERS, facts, usual_dialects

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


def configured(lead: str, understudy: str) -> str:
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
        f"  {one}.{other}: {{tiers: {{primary: [bad-{one}, good-{other}]}}, policy: {policy}}}"
        for one in SPEAKING
        for other in SPEAKING
    ]
    return "\n".join(lines)


def test_nobody_is_left_out():
    assert len(SPEAKING) >= 20
    assert {"azure", "huggingface", "perplexity", "vertex"} <= set(SPEAKING)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("caller", ["openai", "responses", "anthropic", "gemini"])
async def test_every_provider_falls_back_to_every_other(raise_curtain: Raise, caller: str, stream: bool) -> None:
    broken = Script(faults=({"error_burst": {"problem": "server_error"}},))
    async with await start_mock(broken) as lead, await start_mock(Script(text="I know the part.")) as understudy:
        stage = await raise_curtain(configured(lead.origin, understudy.origin))
        for one in SPEAKING:
            for other in SPEAKING:
                answered = await stage.ask(caller, stream=stream, model=f"{one}.{other}")
                told = (
                    answered.status,
                    answered.headers["x-understudy-target"],
                    answered.headers["x-understudy-attempts"],
                )
                assert told == (200, f"good-{other}", "2"), (one, other)
                assert (answered.text, answered.finished) == ("I know the part.", True), (one, other)
        assert len(lead.requests) == len(understudy.requests) == len(SPEAKING) ** 2
        assert stage.nothing_is_held()

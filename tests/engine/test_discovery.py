"""Local servers tell their models: targets without one take part as soon as they did, and start waits for nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from credentials.clouds import Cloud
from understudy import wiring
from understudy.config.discovered import NAME_MAX, with_models
from understudy.config.load import loads
from understudy.engine import discovery as module
from understudy.engine.discovery import Discovery, listed

FILE = """
targets:
  box: {{provider: {provider}, base_url: "{url}{under}"}}
  gpt: {{provider: openai, model: m, base_url: "{url}/v1"}}
routes: {{default: {{tiers: {{primary: [box, gpt]}}}}}}
"""
OPENAI = {"object": "list", "data": [{"id": "text-embed-3"}, {"id": "qwen3:0.6b"}, {"id": "llama"}]}
OLLAMA = {"models": [{"name": "nomic-embed-text:latest"}, {"name": "qwen3:0.6b"}, {"name": "llama"}]}


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    one = Cloud()
    await one.server.listen()
    yield one
    one.gate.set()
    await one.server.drain(0.0)


@pytest.fixture
async def scene(cloud):
    """`scene(provider)`: an engine whose target `box` has no model, and its discovery."""
    clients = []

    def make(provider: str = "llama_cpp", under: str = "/v1") -> Discovery:
        configuration = loads(FILE.format(provider=provider, url=cloud.url, under=under), env={})
        client = wiring.make_client(configuration)
        clients.append(client)
        return Discovery(wiring.make_engine(configuration, client, env={}), client)

    yield make
    for client in clients:
        await client.close()


@pytest.mark.parametrize(
    ("provider", "under", "at", "told"),
    [
        ("llama_cpp", "/v1", "GET /v1/models", OPENAI),
        ("vllm", "/v1", "GET /v1/models", OPENAI),
        ("lm_studio", "/v1", "GET /v1/models", OPENAI),
        ("ollama", "/v1", "GET /api/tags", OLLAMA),
        ("ollama", "/api", "GET /api/tags", OLLAMA),
    ],
)
async def test_a_server_tells_its_models_and_each_can_be_named(cloud, scene, provider, under, at, told):
    discovery = scene(provider, under)
    engine = discovery._engine
    before = engine.snapshot
    assert before.configuration.targets["box"].model == ""
    cloud.answers[at] = (200, {}, told)
    await discovery.look()
    made = engine.snapshot.configuration
    assert made.targets["box"].model == "qwen3:0.6b"  # an embedding model answers no chat
    assert {f"{provider}/qwen3:0.6b", "box/llama", f"{provider}/llama"} <= set(engine.snapshot.plans)
    assert made.version != before.configuration.version
    assert cloud.asked[0]["at"] == at
    await discovery.look()
    assert engine.snapshot.configuration is made  # nothing new, nothing changed


async def test_what_a_server_said_stays_valid_while_it_is_away(cloud, scene):
    discovery = scene()
    cloud.answers["GET /v1/models"] = (200, {}, OPENAI)
    await discovery.look()
    snapshot = discovery._engine.snapshot
    cloud.answers.clear()
    await discovery.look()
    assert discovery._engine.snapshot is snapshot


@pytest.mark.parametrize(
    "answer",
    [(500, {}, OPENAI), (200, {}, b"{"), (200, {}, []), (200, {}, {"data": 7}), (200, {}, {"data": [1, {"id": 2}]})],
)
async def test_a_server_that_tells_nothing_leaves_the_target_out(cloud, scene, answer):
    discovery = scene()
    cloud.answers["GET /v1/models"] = answer
    await discovery.look()
    assert discovery.found == {}


async def test_a_slow_server_is_not_waited_for(cloud, scene, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_S", 0.02)
    cloud.gate.clear()
    discovery = scene()
    discovery.start()
    await asyncio.sleep(0.01)
    assert discovery.found == {}
    await discovery.look()
    assert discovery.found == {}
    await discovery.close()


async def test_a_dead_server_is_looked_for_until_it_comes(cloud, scene, monkeypatch):
    monkeypatch.setattr(module, "SEEK_S", 0.005)
    discovery = scene()
    discovery.start()
    await asyncio.sleep(0.02)
    cloud.answers["GET /v1/models"] = (200, {}, OPENAI)
    async with asyncio.timeout(2):  # noqa: TID251  a test's own bound
        while not discovery.found:
            await asyncio.sleep(0.002)
    await discovery.close()


async def test_without_open_targets_nobody_is_asked():
    configuration = loads("targets: {a: {provider: openai, model: m}}", env={})
    client = wiring.make_client(configuration)
    discovery = Discovery(wiring.make_engine(configuration, client, env={}), client)
    discovery.start()
    assert discovery._task is None
    await discovery.close()
    await client.close()


def test_names_that_cannot_travel_are_left_out():
    configuration = loads("targets: {box: {provider: vllm}}", env={})
    made = with_models(configuration, {"box": ("", "x" * (NAME_MAX + 1), "ä", "a\nb", "fine", "fine")})
    assert [name for name in made.targets if "/" in name] == ["box/fine"]
    assert with_models(configuration, {"box": ("ä",)}).targets["box"].model == ""
    assert with_models(configuration, {"box": ("only-embedding",)}).targets["box"].model == "only-embedding"


def test_a_listing_is_read_in_both_ways_of_writing_it():
    assert listed(json.dumps(OPENAI).encode()) == ("text-embed-3", "qwen3:0.6b", "llama")
    assert listed(json.dumps(OLLAMA).encode())[1] == "qwen3:0.6b"
    assert listed(b"[" * 5000) == ()

"""A target without a model is passed over until its server has told one; then it answers, and its models can be named."""

from __future__ import annotations

from stage import Raise
from understudy.engine.discovery import Discovery
from understudy.mock import Script, start_mock


async def test_a_local_server_joins_once_it_has_told_its_models(raise_curtain: Raise) -> None:
    async with await start_mock(Script(models=("tiny", "large:8b"))) as box, await start_mock() as other:
        stage = await raise_curtain(f"""
targets:
  box: {{provider: vllm, base_url: "{box.origin}/v1"}}
  gpt: {{provider: openai, model: m, base_url: "{other.origin}/v1"}}
routes: {{default: {{tiers: {{primary: [box, gpt]}}}}}}
""")
        first = await stage.ask()
        assert (first.headers["x-understudy-target"], first.headers["x-understudy-attempts"]) == ("gpt", "1")
        discovery = Discovery(stage.engine, stage.client)
        await discovery.look()
        assert (await stage.ask()).headers["x-understudy-target"] == "box"
        assert box.requests[-1].model == "tiny"
        for name in ("box/large:8b", "vllm/large:8b"):
            answered = await stage.ask(model=name)
            assert (answered.status, answered.headers["x-understudy-target"]) == (200, "box/large:8b")
            assert box.requests[-1].model == "large:8b"
        listed = (await stage.http.get(f"{stage.url}/v1/models")).json()
        assert {"default", "box", "gpt", "box/tiny", "box/large:8b"} <= {one["id"] for one in listed["data"]}
        assert (await stage.http.get(f"{stage.url}/v1/models/box%2Flarge:8b")).status_code == 200

"""What the catalogue knows decides where a request goes: window, abilities, price, name; and regions keep it where it may be."""

from __future__ import annotations

import pytest

from stage import Raise
from understudy.mock import Mock


async def test_a_prompt_that_was_too_long_goes_to_a_model_whose_window_the_catalogue_knows_to_be_larger(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    lead.set({"error_burst": {"problem": "context_length"}})
    stage = await raise_curtain(f"""
targets:
  small: {{provider: anthropic, model: claude-sonnet-4-5, base_url: "{lead.origin}", key: env:KEY}}
  equal: {{provider: anthropic, model: claude-haiku-4-5, base_url: "{lead.origin}", key: env:KEY}}
  large: {{provider: anthropic, model: claude-sonnet-4-6, base_url: "{understudy.origin}", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [small, equal, large]}}, policy: {{retry: {{kind: none}}}}}}
""")
    answered = await stage.ask("anthropic")
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "large")
    assert [one.target for one in stage.result(answered).attempts] == ["small", "large"]


async def test_a_model_without_tools_is_not_asked_for_them(raise_curtain: Raise, mocks: tuple[Mock, Mock]) -> None:
    lead, understudy = mocks
    stage = await raise_curtain(f"""
targets:
  without: {{provider: perplexity, model: sonar, base_url: "{lead.base_url}", key: env:KEY}}
  with: {{provider: openai, model: gpt-5.1, base_url: "{understudy.base_url}", key: env:KEY}}
routes:
  default: {{tiers: {{primary: [without, with]}}}}
""")
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
    answered = await stage.ask("openai", tools=tools)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "with")
    assert not lead.requests


@pytest.mark.parametrize("name", ["gpt-5.1", "openai/gpt-5.1", "gpt"])
async def test_a_model_is_asked_for_by_the_name_that_it_has_everywhere(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], name: str
) -> None:
    lead, understudy = mocks
    lead.set({"error_burst": {"problem": "overloaded"}})
    stage = await raise_curtain(f"""
targets:
  one: {{provider: openrouter, model: openai/gpt-5.1, base_url: "{lead.base_url}", key: env:KEY}}
  two: {{provider: azure, model: ours, same_as: gpt-5.1, base_url: "{understudy.origin}", key: env:KEY}}
""")
    answered = await stage.ask("openai", model=name)
    assert (answered.status, answered.headers["x-understudy-target"]) == (200, "two")
    winner = stage.result(answered).winner
    assert winner is not None
    assert winner.cost_nusd is not None


async def test_a_name_that_no_target_has_is_not_found_however_well_the_catalogue_knows_it(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    stage = await raise_curtain(
        f'targets: {{one: {{provider: openai, model: gpt-5.1, base_url: "{mocks[0].base_url}", key: env:KEY}}}}'
    )
    answered = await stage.ask("openai", model="gpt-5.2")
    assert answered.status == 404
    assert b"one" in answered.body


async def test_a_route_that_keeps_to_a_region_asks_nobody_outside_even_when_everything_inside_fails(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, understudy = mocks
    lead.set({"error_burst": {"problem": "overloaded"}})
    stage = await raise_curtain(f"""
targets:
  inside: {{provider: openai, model: m, base_url: "{lead.base_url}", key: env:KEY, region: eu}}
  outside: {{provider: openai, model: m, base_url: "{understudy.base_url}", key: env:KEY, region: us}}
  unsaid: {{provider: openai, model: n, base_url: "{understudy.base_url}", key: env:KEY}}
  sorry: {{provider: static, text: Sorry}}
routes:
  default:
    tiers: {{primary: [inside, outside], emergency: [unsaid], local: [sorry]}}
    policy: {{regions: [eu], retry: {{kind: none}}, wait_max_s: 0}}
""")
    answered = await stage.ask("openai")
    assert answered.headers["x-understudy-target"] == "sorry"
    assert not understudy.requests
    assert lead.requests


async def test_any_listed_model_of_a_provider_is_asked_for_by_name_where_the_configuration_says_so(
    raise_curtain: Raise, mocks: tuple[Mock, Mock]
) -> None:
    lead, _ = mocks
    stage = await raise_curtain(f"""
targets:
  one: {{provider: anthropic, model: claude-sonnet-4-5, base_url: "{lead.origin}", key: env:KEY}}
catalogue: {{models: true}}
""")
    for name in ("anthropic/claude-haiku-4-5", "claude-haiku-4-5"):
        answered = await stage.ask("openai", model=name)
        assert (answered.status, answered.headers["x-understudy-target"]) == (200, "anthropic/claude-haiku-4-5")
    assert {(request.json or {})["model"] for request in lead.requests} == {"claude-haiku-4-5"}

"""Every model of a provider can be asked for, where the configuration says so, and only there."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.config.canonical import text_of
from understudy.config.load import loads
from understudy.config.names import listed

TARGETS = """
targets:
  claude: {provider: anthropic, model: claude-sonnet-4-5, key: env:MINE, region: eu, quality: 0.9, limits: {rpm: 5}}
  router: {provider: openrouter, model: openai/gpt-5.1}
  ours: {provider: azure, model: deployed, resource: r}
  sorry: {provider: static, text: x}
"""
MADE = loads(TARGETS + "catalogue: {models: true}", env={})


def test_a_model_of_a_provider_that_is_there_is_a_target_by_its_full_name():
    target = MADE.targets["anthropic/claude-haiku-4-5"]
    assert (target.key, target.region, target.limits.rpm) == ("env:MINE", "eu", 5.0)
    assert (target.price.input, target.context_tokens, target.profile.tier) == (1_000_000, 200_000, "efficient")
    assert target.profile.quality is None  # that of one model is not another's


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("anthropic/claude-haiku-4-5", ("anthropic/claude-haiku-4-5",)),
        ("openrouter/google/gemini-2.5-pro", ("openrouter/google/gemini-2.5-pro",)),
        ("gemini-2.5-pro", ("openrouter/google/gemini-2.5-pro",)),
        ("google/gemini-2.5-pro", ("openrouter/google/gemini-2.5-pro",)),
        ("anthropic/claude-sonnet-4-5", ("claude",)),  # what was written comes first, and is not made twice
        ("claude-sonnet", ("claude",)),  # a family means what was written
    ],
)
def test_it_is_asked_for_as_any_other(name, targets):
    assert MADE.names[name].tiers[0].targets == targets


@pytest.mark.parametrize(
    "name",
    ["anthropic/claude-3-opus-20240229", "openrouter/google/gemini-2.5-flash-image", "azure/gpt-5.1", "static/static", "openai/gpt-5.1-mini"],
)  # fmt: skip
def test_nobody_offers_what_is_out_of_service_or_no_chat_or_not_deployed(name):
    assert name not in MADE.targets


def test_routes_and_warnings_are_about_what_was_written():
    assert MADE.warnings == ()
    assert {name for route in MADE.routes.values() for tier in route.tiers for name in tier.targets} == {
        "claude", "router", "ours", "sorry",
    }  # fmt: skip


def test_a_route_may_list_one_by_its_full_name():
    made = loads(
        TARGETS + "routes: {r: {tiers: {primary: [anthropic/claude-haiku-4-5]}}}\ncatalogue: {models: true}", env={}
    )
    assert made.routes["r"].tiers[0].targets == ("anthropic/claude-haiku-4-5",)


def test_they_are_listed_for_callers():
    assert "anthropic/claude-haiku-4-5" in listed(MADE)


def test_nothing_is_offered_unless_it_is_asked_for():
    assert set(loads(TARGETS, env={}).targets) == {"claude", "router", "ours", "sorry"}


def test_the_text_of_such_a_configuration_loads_back():
    again = loads(text_of(MADE), env={})
    assert (again.targets, again.version) == (MADE.targets, MADE.version)


def test_a_name_with_a_slash_is_a_full_name_or_none():
    with pytest.raises(Exception, match="a slash parts provider/model"):
        loads("targets: {openai/a: {provider: openai, model: b}}", env={})


def test_check_counts_them(tmp_path):
    file = tmp_path / "understudy.yaml"
    file.write_text(TARGETS + "catalogue: {models: true}")
    output = CliRunner().invoke(app, ["check", "--config", str(file)]).output
    assert "more models of anthropic, each by its full name" in output
    assert "claude-haiku-4-5" not in output

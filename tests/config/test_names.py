from __future__ import annotations

import pytest

from understudy.config import Principal
from understudy.config.load import loads
from understudy.config.names import listed, permitted, resolve, unknown_name
from understudy.core.policy import Policy

CONFIGURATION = loads(
    """
    targets:
      claude: {provider: anthropic, model: claude-sonnet-4-5}
      gpt:    {provider: openai, model: gpt-5.1, key: env:ONE}
      gpt2:   {provider: openai, model: gpt-5.1, key: env:TWO}
      nested: {provider: groq, model: openai/gpt-oss-120b}
      sorry:  {provider: static, text: Sorry}
      shadow: {provider: openai, model: other}
    routes:
      default: {tiers: {primary: [claude, gpt], local: [sorry]}, policy: {attempts_max: 2}}
      shadow:  {tiers: {primary: [gpt]}}
    """,
    env={},
)


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        ("default", ["claude", "gpt", "sorry"]),
        ("claude", ["claude"]),
        ("sorry", ["sorry"]),
        ("shadow", ["gpt"]),  # a route comes before a target of the same name
        ("anthropic/claude-sonnet-4-5", ["claude"]),
        ("openai/gpt-5.1", ["gpt", "gpt2"]),  # two keys of one model
        ("groq/openai/gpt-oss-120b", ["nested"]),
        ("openai/other", ["shadow"]),
        ("gpt-5.1", ["gpt", "gpt2"]),  # a model by the name that it has everywhere
        ("openai/gpt-oss-120b", ["nested"]),  # wherever it runs
        ("gpt-oss-120b", ["nested"]),
        ("claude-sonnet", ["claude"]),  # a family
    ],
)
def test_a_model_names_a_route_else_a_target_else_provider_and_model(model, targets):
    route = resolve(CONFIGURATION, model)
    assert route is not None
    assert [name for tier in route.tiers for name in tier.targets] == targets
    assert route.name == model


@pytest.mark.parametrize("model", ["", "gpt-5.2", "Default", "static/static", "openai/", "stale_cache", "x" * 1000])
def test_anything_else_names_nothing(model):
    assert resolve(CONFIGURATION, model) is None


def test_a_target_by_itself_has_the_default_policy():
    route = resolve(CONFIGURATION, "claude")
    assert route is not None
    assert route.policy == Policy()


def test_the_listing_has_routes_first_and_no_stand_ins():
    assert listed(CONFIGURATION) == ("default", "shadow", "claude", "gpt", "gpt2", "nested")


def test_a_principal_is_shown_what_it_may_ask_for():
    principal = Principal(name="app", key_sha256="", routes=("default", "gpt", "openai/gpt-5.1"))
    assert listed(CONFIGURATION, principal) == ("default", "gpt")
    assert [permitted(principal, name) for name in ("default", "claude", "openai/gpt-5.1")] == [True, False, True]
    assert permitted(None, "claude")
    assert permitted(Principal(name="all", key_sha256=""), "claude")


def test_the_message_for_an_unknown_name_suggests_and_lists():
    assert unknown_name(CONFIGURATION, "defualt") == (
        'unknown model "defualt"; did you mean "default"? Known: default, shadow, claude, gpt, gpt2, nested'
    )
    assert len(unknown_name(CONFIGURATION, "x" * 1000)) < 300


def test_the_message_does_not_list_a_thousand_names():
    targets = "".join(f"  t{n}: {{provider: openai, model: m{n}}}\n" for n in range(1000))
    assert len(unknown_name(loads("targets:\n" + targets, env={}), "?")) < 1000

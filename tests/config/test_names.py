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
        ("other", ["shadow"]),  # as its provider writes it
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


def test_the_listing_has_routes_and_targets_first_then_every_other_name_and_no_stand_ins():
    assert listed(CONFIGURATION) == (
        "default", "shadow", "claude", "gpt", "gpt2", "nested",
        "anthropic/claude-sonnet-4-5", "openai/gpt-5.1", "groq/openai/gpt-oss-120b", "openai/other",
        "claude-sonnet", "gpt-oss", "claude-sonnet-4-5", "gpt-5.1", "gpt-oss-120b", "openai/gpt-oss-120b", "other",
    )  # fmt: skip


def test_every_name_that_is_listed_is_accepted_and_leads_to_a_target():
    for name in listed(CONFIGURATION):
        route = resolve(CONFIGURATION, name)
        assert route is not None
        assert {target for tier in route.tiers for target in tier.targets} <= set(CONFIGURATION.targets)


def test_a_written_target_brings_at_most_six_names_and_one_that_nobody_wrote_only_its_own():
    text = "targets: {c: {provider: anthropic, model: claude-sonnet-4-5-20250929}}\ncatalogue: {models: true}"
    made = loads(text, env={})
    names = listed(made)
    ready = [name for name in names if name in made.routes]
    assert len(names) <= len(ready) + 6 + len(made.targets) - 1
    assert {"c", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5", "claude-sonnet"} <= {
        *names
    }
    assert "anthropic/claude-haiku-4-5" in names
    assert "claude-haiku-4-5" not in names  # accepted, listed by its full name
    assert resolve(made, "claude-haiku-4-5") is not None


def test_deployments_of_one_name_that_are_other_models_are_not_mixed():
    made = loads(
        """
        targets:
          a: {provider: azure, model: prod, resource: one, same_as: gpt-5.1}
          b: {provider: azure, model: prod, resource: two, same_as: gpt-4.1}
          c: {provider: azure, model: prod, resource: three, same_as: gpt-5.1}
          d: {provider: groq, model: prod}
        """,
        env={},
    )
    for name in ("azure/prod", "prod"):
        route = resolve(made, name)
        assert route is not None
        assert route.tiers[0].targets == ("a", "c")


def test_a_principal_is_shown_what_it_may_ask_for():
    principal = Principal(name="app", key_sha256="", routes=("default", "gpt", "openai/gpt-5.1"))
    assert listed(CONFIGURATION, principal) == ("default", "gpt", "openai/gpt-5.1")
    assert [permitted(principal, name) for name in ("default", "claude", "openai/gpt-5.1")] == [True, False, True]
    assert permitted(None, "claude")
    assert permitted(Principal(name="all", key_sha256=""), "claude")
    told = unknown_name(CONFIGURATION, "claud", principal)
    assert told == "no route, target or model is called 'claud'; there are: default, gpt, openai/gpt-5.1"
    assert unknown_name(CONFIGURATION, "x", Principal(name="none", key_sha256="", routes=())).endswith(
        "there are: none"
    )


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("defualt", "default"),
        ("GPT-5.1", "gpt-5.1"),
        ("claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("openrouter/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("gpt-5.2", "gpt-5.1"),
    ],
)
def test_the_message_for_an_unknown_name_suggests_one_and_lists_them(asked, meant):
    told = unknown_name(CONFIGURATION, asked)
    assert told.startswith(
        f"no route, target or model is called '{asked}'; did you mean \"{meant}\"? there are: default, shadow, claude"
    )


def test_the_message_stays_short_whatever_is_asked():
    assert len(unknown_name(CONFIGURATION, "x" * 100_000)) < 500
    targets = "".join(f"  t{n}: {{provider: openai, model: m{n}}}\n" for n in range(1000))
    made = loads("targets:\n" + targets, env={})
    told = unknown_name(made, "?")
    assert len(told) < 1000
    assert told.endswith(" more (GET /v1/models)")
    assert "did you mean" not in told
    assert 'did you mean "m999"?' in unknown_name(made, "M-999")  # beyond what is compared letter by letter

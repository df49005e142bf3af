"""Ready-made routes: what is there without writing any."""

from __future__ import annotations

import pytest

from understudy.config.load import from_environment, loads
from understudy.errors import ConfigurationError

TARGETS = """
targets:
  mist:   {provider: mistral, model: m, price: {input: 1, output: 1}}
  llama:  {provider: llama_cpp, model: m}
  gem:    {provider: gemini, model: m, price: {input: 0.1, output: 0.4}}
  gpt:    {provider: openai, model: m, price: {input: 1.25, output: 10}}
  claude: {provider: anthropic, model: m, price: {input: 3, output: 15}}
  groq:   {provider: groq, model: m}
  sorry:  {provider: static, text: Sorry}
"""


def tiers(configuration, name: str) -> dict[str, list[str]]:
    return {tier.name: list(tier.targets) for tier in configuration.routes[name].tiers}


@pytest.mark.parametrize(
    ("name", "order", "retry"),
    [
        ("default", {"primary": ["claude", "gpt", "gem", "mist", "groq"], "local": ["llama", "sorry"]}, (3, 1.0)),
        ("high-priority", {"primary": ["claude", "gpt"], "local": ["llama", "sorry"]}, (2, 0.5)),
        (
            "low-cost",
            {"primary": ["llama"], "secondary": ["gem", "mist", "gpt", "claude", "groq"], "local": ["sorry"]},
            (3, 1.0),
        ),
        ("local-first", {"primary": ["llama"], "secondary": ["claude", "gpt"], "local": ["sorry"]}, (2, 1.0)),
    ],
)
def test_the_four_routes_have_their_order_and_their_retries(name, order, retry):
    made = loads(TARGETS, env={})
    policy = made.routes[name].policy
    assert tiers(made, name) == order
    assert (policy.retry.max, policy.retry.initial_s) == retry


def test_without_the_usual_two_the_others_take_their_place():
    made = loads("targets: {mist: {provider: mistral, model: m}, llama: {provider: ollama, model: m}}", env={})
    assert tiers(made, "high-priority") == {"primary": ["mist"], "local": ["llama"]}
    assert tiers(made, "local-first") == {"primary": ["llama"], "secondary": ["mist"]}


def test_a_local_model_alone_is_not_degraded():
    made = loads("targets: {llama: {provider: ollama, model: m}}", env={})
    assert [(tier.name, tier.degraded) for tier in made.routes["default"].tiers] == [("local", False)]


def test_stand_ins_alone_make_no_route():
    assert loads("targets: {sorry: {provider: static, text: Sorry}}", env={}).routes == {}


def test_a_target_may_be_called_local():
    made = loads("targets: {a: {provider: openai, model: m}, b: {provider: openai, model: n, local: true}}", env={})
    assert tiers(made, "default") == {"primary": ["a"], "local": ["b"]}


def test_keys_in_the_environment_make_targets_and_routes():
    env = {"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "y", "MISTRAL_API_KEY": " ", "GROQ_API_KEY": "z"}
    made = from_environment(env | {"GROQ_MODEL": "llama-3.1-8b-instant"})
    assert tiers(made, "default") == {"primary": ["anthropic", "openai", "groq"]}
    assert made.targets["groq"].model == "llama-3.1-8b-instant"
    assert made.targets["openai"].key == "env:OPENAI_API_KEY"
    assert made.targets["anthropic"].dialects == ("anthropic_messages",)
    assert (made.source, made.warnings) == (None, ())
    assert made.version


def test_a_key_without_a_model_is_told():
    made = from_environment({"OPENAI_API_KEY": "x", "TOGETHER_API_KEY": "y"})
    assert list(made.targets) == ["openai"]
    assert made.warnings == ("TOGETHER_API_KEY is set, but no model is: set TOGETHER_MODEL to use Together AI",)


def test_without_any_key_the_variables_are_named():
    with pytest.raises(ConfigurationError) as caught:
        from_environment({})
    assert "OPENAI_API_KEY" in caught.value.problems[0]
    with pytest.raises(ConfigurationError) as caught:
        from_environment({"TOGETHER_API_KEY": "y"})
    assert "set TOGETHER_MODEL" in caught.value.problems[1]


def test_a_proxy_variable_that_is_none_is_told():
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        from_environment({"OPENAI_API_KEY": "x", "HTTPS_PROXY": "socks5://x"})

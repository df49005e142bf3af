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


def test_local_servers_are_found_by_their_variable_and_tell_their_models_themselves():
    made = from_environment(
        {"VLLM_BASE_URL": "http://gpu:8000/v1/", "LLAMA_CPP_BASE_URL": "http://box:1/v1", "VLLM_MODEL": "m"}
    )
    vllm, llama = made.targets["vllm"], made.targets["llama_cpp"]
    assert (vllm.base_url, vllm.model, vllm.key, vllm.local) == ("http://gpu:8000/v1", "m", None, True)
    assert (llama.base_url, llama.model) == ("http://box:1/v1", "")
    assert tiers(made, "default") == {"local": ["llama_cpp", "vllm"]}
    assert "vllm/m" in made.names
    assert "llama_cpp/" not in made.names


def test_azure_wants_an_address_and_a_deployment_besides_its_key():
    env = {"AZURE_OPENAI_API_KEY": "x", "OPENAI_API_KEY": "y"}
    assert from_environment(env).warnings == (
        "AZURE_OPENAI_API_KEY is set, but no model is: set AZURE_MODEL to use Azure OpenAI",
    )
    env |= {"AZURE_MODEL": "gpt-4o"}
    assert from_environment(env).warnings == (
        "AZURE_OPENAI_API_KEY is set, but no address is: set AZURE_OPENAI_ENDPOINT to use Azure OpenAI",
    )
    told = from_environment(env | {"AZURE_OPENAI_ENDPOINT": "my-resource"}).warnings
    assert "cannot be used, AZURE_OPENAI_ENDPOINT: it must start with http" in told[0]
    made = from_environment(env | {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/"}).targets["azure"]
    assert (made.base_url, made.model, made.key) == ("https://r.openai.azure.com", "gpt-4o", "env:AZURE_OPENAI_API_KEY")

"""Which targets embed, into which vector space, and what a route of several spaces is told."""

from __future__ import annotations

import textwrap

import pytest

from understudy.config.canonical import canonical, text_of
from understudy.config.load import from_environment, loads
from understudy.config.names import resolve
from understudy.core.request import Operation
from understudy.errors import ConfigurationError
from understudy.providers import PROVIDERS, Provider, openai_embeddings

SPACES = """
targets:
  gpt: {provider: openai, model: gpt-5.1}
  small: {provider: openai, model: text-embedding-3-small, embeds: true}
  azure: {provider: openai_compatible, model: our-deployment, base_url: "https://x.example/v1", embeds: text-embedding-3-small}
  nomic: {provider: ollama, model: nomic-embed-text, embeds: true}
"""


def read(text: str):
    return loads(textwrap.dedent(text), env={})


def problem(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    [found] = caught.value.problems
    return found


def test_a_model_that_embeds_is_asked_in_formats_of_embeddings_only():
    made = read(SPACES)
    small, gpt = made.targets["small"], made.targets["gpt"]
    assert (small.dialects, small.embeds, small.counts) == (("openai_embeddings",), "text-embedding-3-small", ())
    assert (gpt.dialects, gpt.embeds) == (("openai_chat", "openai_responses"), None)
    assert made.targets["azure"].embeds == "text-embedding-3-small"
    assert not small.offers(Operation.CHAT)


def test_a_space_is_a_name_for_all_its_targets():
    made = read(SPACES)
    route = resolve(made, "text-embedding-3-small")
    assert route is not None
    assert [tier.targets for tier in route.tiers] == [("small", "azure")]
    nomic = resolve(made, "nomic-embed-text")
    assert nomic is not None
    assert [tier.targets for tier in nomic.tiers] == [("nomic",)]


def test_ready_made_routes_leave_models_that_embed_alone():
    made = read(SPACES)
    assert {name for route in made.routes.values() for tier in route.tiers for name in tier.targets} == {"gpt"}


def test_models_that_embed_are_enough():
    made = read("targets: {e: {provider: ollama, model: m, embeds: true}}")
    assert resolve(made, "e") is not None
    assert resolve(made, "m") is not None


def test_false_is_a_model_that_chats():
    assert read("targets: {a: {provider: openai, model: m, embeds: false}}").targets["a"].embeds is None


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (
            "provider: anthropic, model: m, embeds: true",
            "targets.a.embeds: anthropic embeds nothing; these do: azure, cohere, fireworks, gemini",
        ),
        ("provider: openai, model: m, embeds: 3", "targets.a.embeds: must be true, or the name of a vector space"),
        ('provider: openai, model: m, embeds: ""', "targets.a.embeds: must be true, or the name of a vector space"),
        (
            "provider: openai, model: m, embeds: true, api: chat",
            "targets.a.api: openai_chat is for targets that chat; this one does embed",
        ),
        (
            "provider: openai, model: m, api: embeddings",
            "targets.a.api: openai_embeddings is for targets that embed; this one does chat",
        ),
        ("provider: openai, model: m, embeds: true, api: cohere_embed", "openai does not speak cohere_embed"),
        ("provider: static, text: x, embeds: true", "static embeds nothing"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(target, words):
    assert words in problem(f"targets: {{a: {{{target}}}, b: {{provider: openai, model: m}}}}")


ROUTE = SPACES + "routes: {search: {tiers: {primary: [gpt, small, azure], local: [nomic]}%s}}\n"


def test_a_route_of_two_spaces_is_warned_about():
    [warning] = read(ROUTE % "").warnings
    assert "routes.search.tiers: nomic: other vectors than those of small (text-embedding-3-small)" in warning


def test_a_route_that_mixes_spaces_is_not():
    made = read(ROUTE % ", policy: {mix_spaces: true}")
    assert made.warnings == ()
    assert made.routes["search"].policy.mix_spaces


@pytest.mark.parametrize("text", [SPACES, ROUTE % "", ROUTE % ", policy: {mix_spaces: true}"])
def test_the_canonical_text_loads_back(text):
    made = read(text)
    again = loads(text_of(made), env={})
    assert canonical(again) == canonical(made)
    assert again.targets == made.targets
    assert again.routes == made.routes


def test_who_counts_is_known_of_the_provider_also_without_a_file():
    assert read("targets: {a: {provider: anthropic, model: m}}").targets["a"].counts == ("anthropic_count_tokens",)
    assert from_environment({"ANTHROPIC_API_KEY": "k"}).targets["anthropic"].counts == ("anthropic_count_tokens",)


def test_a_provider_without_models_that_chat_must_be_told_to_embed(monkeypatch):
    only = Provider(
        title="Only vectors", base_url="https://x.example/v1", wires=(openai_embeddings(),), key_required=False
    )
    monkeypatch.setitem(PROVIDERS._exports, "together", only)
    wrong = "targets: {a: {provider: together, model: m}, b: {provider: openai, model: m}}"
    assert "together has no models that chat: write `embeds: true`" in problem(wrong)
    made = read("targets: {a: {provider: together, model: m, embeds: true}}")
    assert made.targets["a"].dialects == ("openai_embeddings",)

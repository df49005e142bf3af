"""The canonical text is a configuration again: what it prints is what runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from understudy.config.canonical import canonical, text_of
from understudy.config.load import from_environment, loads

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

TEXTS = [
    "targets: {a: {provider: openai, model: m}}",
    "targets: {a: {provider: ollama, model: m, api: anthropic, lacks: [tools, audio], headers: {X-A: b}}}",
    "targets: {a: {provider: azure, model: d, resource: r, api_version: 2024-10-21, key: {entra: {tenant: t, managed: true}}}}",
    "targets: {a: {provider: vertex, model: claude-sonnet-4-5, project: p, location: europe-west4}}",
    "targets: {a: {provider: vllm}, b: {provider: vertex, model: x, base_url: 'http://h/v1', api: chat, key: aws:prod}}",
    "targets: {a: {provider: anthropic, model: claude-sonnet-4-5, lacks: [], max_output_tokens: 9, price: {input: 1, output: 2, longer: [{above: 5, input: 2, output: 3}, {above: 9, input: 4, output: 5, audio: 1}]}}}",
    "targets: {a: {provider: gemini, model: gemini-2.5-pro, quality: 0.8, scores: {coding: 0.7}, tier: efficient, region: eu}}\nroutes: {r: {tiers: {primary: [a]}, policy: {regions: [eu]}}}",
    "targets: {a: {provider: openai, model: gpt-5.1, context_tokens: 10}}\ncatalogue: {prices: configuration}",
    "targets: {a: {provider: openai, model: gpt-5.1}}\ncatalogue: {use: false}",
    "targets: {a: {provider: groq, model: m, local: true, price: {input: 0.1, output: 2.675, cache_write: 3}}}",
    "targets: {a: {provider: simulated, headers_s: 0.1, faults: [outage, {latency: {headers_s: 1}}]}}",
    f"""
    targets: {{a: {{provider: openai, model: m, retry: {{kind: none, max: 0}}}}, s: {{provider: static, text: "ü: # [x]"}}}}
    routes: {{r: {{tiers: {{primary: [a], local: [s, stale_cache]}}, balancer: {{weighted: {{}}}},
              policy: {{breaker: {{error_rate: 0.5, counts: {{rate_limit: false}}}}}}}}}}
    principals: [{{name: p, key_sha256: {DIGEST}, routes: [r], may: []}}, {{name: q, key_sha256: {DIGEST[::-1]}}}]
    transport: {{proxy: "http://u:secret@proxy.example:3128", no_proxy: [x.example], connections_max: 7}}
    server: {{idle_s: 12.5}}
    """,
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_loads_back_to_the_same_configuration(text):
    made = loads(text, env={})
    again = loads(text_of(made), env={})
    assert again.version == made.version
    assert canonical(again) == canonical(made)
    without = {"source": None, "warnings": (), "taken": (), "proxies": made.proxies}
    assert replace(again, **without) == replace(made, **without)


def test_what_the_environment_gave_can_be_written_down():
    made = from_environment({"OPENAI_API_KEY": "x", "GEMINI_API_KEY": "y"})
    assert loads(text_of(made), env={}).version == made.version


def test_the_text_holds_no_password():
    assert "secret" not in text_of(loads(TEXTS[-1], env={}))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("targets: {a: {provider: openai, model: m}}", "targets: {a: {model: m, provider: openai, weight: 1.0}}\n# a comment", True),
        ("targets: {a: {provider: openai, model: m}}", "targets: {a: {provider: openai, model: m, base_url: 'https://api.openai.com/v1/', key: env:OPENAI_API_KEY}}", True),
        ("targets: {a: {provider: openai, model: m}}", "targets: {a: {provider: openai, model: n}}", False),
        ("targets: {a: {provider: openai, model: m}}", "targets: {b: {provider: openai, model: m}}", False),
        ("targets: {a: {provider: openai, model: m}}", "targets: {a: {provider: openai, model: m, price: {input: 0, output: 0}}}", False),
    ],
)  # fmt: skip
def test_the_version_is_that_of_the_content(first, second, same):
    assert (loads(first, env={}).version == loads(second, env={}).version) is same

"""The wire formats behind the gateway, and the configuration that puts one there. A new wire format is one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from understudy.core.request import Operation
from understudy.wiring import DIALECTS

DOORS = frozenset(path for name in DIALECTS for path in DIALECTS.build(name).inbound)
"""Every address at which a caller is understood. A suite for one that does not exist is left out, not failed."""

PROVIDER_KEY = "conformance-provider-key"
CALLER_KEY = "conformance-caller-key"
CALLER_KEYS = (CALLER_KEY, "My API Key", "my-anthropic-api-key", "your-key")
"""Ours, and those that are written into the SDKs' own tests and into our guides."""

MODEL = "default"
EMBEDDER = "text-embedding-3-small"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A wire format that the gateway speaks to its provider. `name`: of the dialect.

    `target`, `embedder`: facts of the target that chats and the one that embeds, {mock} being the mock's origin; without an
    embedder that provider has no embeddings.
    """

    name: str
    target: Mapping[str, Any]
    embedder: Mapping[str, Any] | None = None


UPSTREAMS = (
    Upstream(
        "openai_chat",
        {"provider": "openai_compatible", "base_url": "{mock}/v1"},
        {"provider": "openai_compatible", "base_url": "{mock}/v1"},
    ),
    Upstream("anthropic_messages", {"provider": "anthropic_compatible", "base_url": "{mock}"}),
    Upstream(
        "gemini",
        {"provider": "gemini", "base_url": "{mock}", "api": "gemini"},
        {"provider": "gemini", "base_url": "{mock}", "api": "gemini_embeddings"},
    ),
    Upstream("openai_responses", {"provider": "openai_compatible", "base_url": "{mock}/v1", "api": "responses"}),
    Upstream("bedrock_converse", {"provider": "bedrock", "base_url": "{mock}", "model": "anthropic.claude-sonnet-4-5"}),
    Upstream("ollama_chat", {"provider": "ollama", "base_url": "{mock}", "api": "ollama_chat"}),
    Upstream(
        "cohere_chat",
        {"provider": "cohere", "base_url": "{mock}", "api": "cohere_chat"},
        {"provider": "cohere", "base_url": "{mock}", "api": "cohere_embed"},
    ),
)


def operations(upstream: Upstream) -> tuple[Operation, ...]:
    """What can be asked of it."""
    return (Operation.CHAT,) if upstream.embedder is None else (Operation.CHAT, Operation.EMBED)


def configuration(upstream: Upstream, mock: str, models: tuple[str, ...]) -> dict[str, Any]:
    """One route for each model that some suite asks for, all with the same target behind them.

    Keys are required, so that whoever comes without one can be seen to be refused.
    """
    targets = {"lead": _target(upstream.target, mock)}
    routes = {model: _route("lead") for model in models}
    if upstream.embedder is not None:
        targets["embedder"] = _target(upstream.embedder, mock) | {"embeds": True}
        routes[EMBEDDER] = _route("embedder")
    principals = [
        {"name": f"caller-{number}", "key_sha256": sha256(key.encode()).hexdigest()}
        for number, key in enumerate(CALLER_KEYS)
    ]
    return {"targets": targets, "routes": routes, "principals": principals}


def _target(facts: Mapping[str, Any], mock: str) -> dict[str, Any]:
    filled = {name: value.format(mock=mock) if isinstance(value, str) else value for name, value in facts.items()}
    return {"model": "mock-large", "key": "env:CONFORMANCE_KEY", **filled}


def _route(target: str) -> dict[str, Any]:
    return {"tiers": {"primary": [target]}, "policy": {"retry": {"kind": "none"}, "wait_max_s": 0}}

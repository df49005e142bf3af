"""Providers: where each one is, which wire formats it speaks, how it takes the key, and where it differs from the book.

A registry folder. A provider that adds no behaviour is a row of facts, a `Provider`. One with settings of its own is a
dataclass with these as fields and its facts in `facts`: a `Player` answers from memory (`reply`), a `Located` is somewhere
else for every customer (`where`, `path`).
"""

from __future__ import annotations

import re
from typing import cast

from understudy.core.request import Operation
from understudy.core.target import Target
from understudy.core.value import JsonObject
from understudy.providers._address import BadAddress, address, hosted_address, path_under, without_end
from understudy.providers._endpoint import Endpoint, Located, Signing, endpoint_of, path_for
from understudy.providers._facts import Auth, ModelQuirks, Provider, Wire
from understudy.providers._formats import (
    COMPATIBLE,
    Format,
    anthropic_count_tokens,
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    cohere_embed,
    gemini_embeddings,
    generate_content,
    ollama_chat,
    openai_chat,
    openai_embeddings,
    openai_input_tokens,
    openai_responses,
)
from understudy.providers._player import Player, Reply, words_of
from understudy.registry import Registry

__all__ = [
    "COMPATIBLE",
    "PROVIDERS",
    "Auth",
    "BadAddress",
    "Endpoint",
    "Format",
    "Located",
    "ModelQuirks",
    "Player",
    "Provider",
    "Reply",
    "Signing",
    "Wire",
    "address",
    "anthropic_count_tokens",
    "anthropic_messages",
    "bedrock_converse",
    "cohere_chat",
    "cohere_embed",
    "endpoint",
    "facts",
    "formats_for",
    "gemini_embeddings",
    "generate_content",
    "hosted_address",
    "is_hosted",
    "lacks_in_translation",
    "listing",
    "ollama_chat",
    "openai_chat",
    "openai_embeddings",
    "openai_input_tokens",
    "openai_responses",
    "path_under",
    "player",
    "usual_address",
    "usual_dialects",
    "without_end",
    "words_of",
]

PROVIDERS: Registry[Provider | Player | Located] = Registry("understudy.providers", "PROVIDER", kind="provider")


def usual_dialects(known: Provider, model: str) -> tuple[str, ...]:
    """The wire formats that a provider is asked in for a conversation with this model unless a target picks one."""
    return formats_for(known, Operation.CHAT, model)


def formats_for(known: Provider, operation: Operation, model: str) -> tuple[str, ...]:
    """The wire formats that a provider is asked in for an operation unless a target picks one."""
    return tuple(
        wire.dialect
        for wire in known.wires
        if wire.operation is operation and not wire.on_request and re.fullmatch(wire.speaks_for, model)
    )


def lacks_in_translation(known: Provider, dialects: tuple[str, ...]) -> tuple[str, ...]:
    """What a target that speaks these cannot do for callers of other formats, who are translated into the first."""
    wire = known.wire(dialects[0]) if dialects else None
    return wire.lacks_in_translation if wire else ()


def facts(name: str) -> Provider:
    """The facts of a provider. Raises `UnknownName`."""
    entry = PROVIDERS.entry(name)
    return entry if isinstance(entry, Provider) else cast("Player | Located", entry).facts


def usual_address(name: str, settings: JsonObject) -> str:
    """Where a provider is unless a target says otherwise; "" when a target must."""
    known = facts(name)
    if known.base_url or isinstance(PROVIDERS.entry(name), Provider) or not known.wires:
        return known.base_url
    return cast("Located", PROVIDERS.build(name, settings)).where()


def is_hosted(target: Target) -> bool:
    """Whether we run this target's server."""
    return facts(target.provider).hosted and target.base_url == hosted_address(target.name)


def player(target: Target) -> Player | None:
    """Who answers for a target from memory; None for a provider that is reached over HTTP (and for `stale_cache`)."""
    if isinstance(PROVIDERS.entry(target.provider), Provider) or facts(target.provider).wires:
        return None
    return cast("Player", PROVIDERS.build(target.provider, target.settings or {}))


def _located(target: Target) -> Located | None:
    if isinstance(PROVIDERS.entry(target.provider), Provider):
        return None
    settings = {name: held for name, held in (target.settings or {}).items() if name != "headers"}
    return cast("Located", PROVIDERS.build(target.provider, settings))


def endpoint(target: Target, dialect: str) -> Endpoint:
    """Where a target is asked in a dialect. Raises `BadAddress` for its address, `LookupError` for the dialect."""
    known = facts(target.provider)
    wire = known.wire(dialect)
    if wire is None:
        raise LookupError(f"{target.provider} does not speak {dialect}")
    return endpoint_of(target, known, wire, _located(target))


def listing(target: Target) -> str | None:
    """Where a target's models are listed, under its origin; None where nobody knows, or where it is asked elsewhere than usual."""
    known = facts(target.provider)
    if is_hosted(target) or not target.base_url:
        return None
    _, base = address(target.base_url)
    base = without_end(base, known.also_at)
    if known.models_path is not None:
        return base.removesuffix("/v1") + known.models_path
    return None if known.lists is None else path_for(target, path_under(base, known.lists))

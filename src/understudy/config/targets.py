"""From the `targets` of a file to targets: the provider's facts fill in what was left out."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from understudy.config.problems import Path, Problems, nearest
from understudy.config.schema.kinds import name_problem, plain
from understudy.config.schema.policy import RetrySection
from understudy.config.schema.price import PriceSection, RatesSection
from understudy.config.schema.targets import TargetSection
from understudy.core.catalogue.profile import Profile
from understudy.core.money import Price
from understudy.core.request import Operation
from understudy.core.target import Limits, Probe, Target
from understudy.core.value import JsonObject
from understudy.providers import (
    PROVIDERS,
    Provider,
    address,
    facts,
    formats_for,
    hosted_address,
    lacks_in_translation,
    usual_address,
    usual_dialects,
)
from understudy.registry import BadSettings

FREE = Price(input=0, output=0)

# Words that people use for a wire format -> its name.
APIS = {
    "anthropic": "anthropic_messages",
    "anthropic_messages": "anthropic_messages",
    "bedrock_converse": "bedrock_converse",
    "chat": "openai_chat",
    "cohere": "cohere_chat",
    "cohere_chat": "cohere_chat",
    "cohere_embed": "cohere_embed",
    "converse": "bedrock_converse",
    "embeddings": "openai_embeddings",
    "gemini": "gemini",
    "gemini_embeddings": "gemini_embeddings",
    "generate_content": "gemini",
    "chat_completions": "openai_chat",
    "messages": "anthropic_messages",
    "ollama": "ollama_chat",
    "ollama_chat": "ollama_chat",
    "openai": "openai_chat",
    "openai_chat": "openai_chat",
    "openai_embeddings": "openai_embeddings",
    "openai_responses": "openai_responses",
    "responses": "openai_responses",
}


def read_targets(found: Problems, data: Any) -> dict[str, Target]:
    """Every target that can be understood, by name."""
    targets: dict[str, Target] = {}
    for name, given in data.items():
        path: Path = ("targets", name)
        if (wrong := name_problem(name)) and not _is_full_name(name, given):
            found.problem(path, wrong, at_key=True)
        target = _target(found, name, given, path)
        if target is not None:
            targets[name] = target
    return targets


def _is_full_name(name: str, given: Any) -> bool:
    """Whether a target is called what it would be called anyway."""
    return isinstance(given, dict) and name == f"{given.get('provider')}/{given.get('model')}"


def bare_target(name: str) -> Target | None:
    """The target that a provider is under its own name, when it needs nothing to be said (`stale_cache`)."""
    if name not in PROVIDERS:
        return None
    entry = PROVIDERS.entry(name)
    needs = [field.name for field in settings_of(name) if _required(field)]
    if facts(name).wires or needs or (isinstance(entry, Provider) and not entry.stand_in):
        return None
    return _made(name, name, facts(name), TargetSection(provider=name), {})


def settings_of(provider: str) -> list[dataclasses.Field[Any]]:
    """The settings of a provider of its own, beside those of every target."""
    entry = PROVIDERS.entry(provider)
    kind: Any = entry if inspect.isclass(entry) else None
    return [] if kind is None else [field for field in dataclasses.fields(kind) if field.init]


def bare_names() -> list[str]:
    """Every provider that is a target under its own name."""
    return [name for name in PROVIDERS if bare_target(name) is not None]


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _target(found: Problems, name: str, given: Any, path: Path) -> Target | None:
    if not isinstance(given, dict):
        found.problem(path, "must be a mapping, such as {provider: openai, model: gpt-5.1}")
        return None
    provider = given.get("provider")
    if not isinstance(provider, str):
        found.section(TargetSection, given, path)
        return None
    if provider not in PROVIDERS:
        found.problem((*path, "provider"), f'unknown provider "{provider}"; {nearest(provider, PROVIDERS.names())}')
        return None
    own = [field.name for field in settings_of(provider)]
    section = found.section(
        TargetSection, {key: inner for key, inner in given.items() if key not in own}, path, also=own
    )
    settings = plain({key: inner for key, inner in given.items() if key in own})
    good = _check_settings(found, provider, settings, path)
    if section is None:
        return None
    known = facts(provider)
    if good:
        _check_address(found, section, usual_address(provider, settings), path)
    _check_model(found, section, known, path)
    _check_memory(found, section, known, path)
    _check_numbers(found, section, path)
    if not _check_embeds(found, section, known, path):
        return None
    if section.api is not None:
        _check_api(found, section, known, path)
    return _made(name, provider, known, section, settings) if good else None


def _check_settings(found: Problems, provider: str, settings: JsonObject, path: Path) -> bool:
    if not settings_of(provider):
        return True
    try:
        PROVIDERS.build(provider, settings)
    except BadSettings as error:
        found.bad_settings(path, error, f"provider {provider}")
        return False
    return True


def _check_model(found: Problems, section: TargetSection, known: Provider, path: Path) -> None:
    if not known.wires:
        return
    if section.model is None:
        if known.models_path is None or section.embeds:
            found.absent((*path, "model"), '"model" must be given: the name by which the provider knows the model')
    elif section.api or section.embeds or not any(wire.operation is Operation.CHAT for wire in known.wires):
        return  # told elsewhere, where it is wrong
    elif not usual_dialects(known, section.model):
        found.problem(
            (*path, "model"),
            f"{section.provider} is not known to have such a model; say with `api` how it is asked: {_spoken(known)}",
        )


def _check_address(found: Problems, section: TargetSection, usual: str, path: Path) -> None:
    known = facts(section.provider)
    if not known.wires:
        return
    if section.base_url is None:
        if not usual and not known.hosted:
            settings = [field.name for field in settings_of(section.provider)][:1]
            others = "".join(f" (or {name!r})" for name in settings).replace("'", '"')
            found.absent(
                (*path, "base_url"),
                f'"base_url"{others} must be given: {section.provider} says nothing of where the server is',
            )
        return
    origin, under = address(section.base_url)
    if not under and known.wires[0].dialect == "openai_chat" and not settings_of(section.provider):
        found.warning(
            (*path, "base_url"),
            "has no path; for this provider it usually ends in /v1 (requests go to /chat/completions)",
        )
    if section.key and origin.scheme == "http" and not _nearby(origin.host):
        found.warning((*path, "base_url"), "is plain http: the key crosses the network unencrypted")


def _nearby(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _check_memory(found: Problems, section: TargetSection, known: Provider, path: Path) -> None:
    if known.wires:
        return
    for key in ("base_url", "key", "api", "headers"):
        if key in section.model_fields_set:
            found.problem((*path, key), f"has no effect: {section.provider} answers from memory", at_key=True)


def _check_numbers(found: Problems, section: TargetSection, path: Path) -> None:
    for rates, where in _rates_of(section, path):
        _check_rates(found, rates, where)
    steps = [one.above for one in section.price.longer] if section.price else []
    if steps != sorted({*steps}):
        found.problem(
            (*path, "price", "longer"), "the shortest first: each `above` must be more than the one before it"
        )
    if section.retry:
        check_retry(found, section.retry, (*path, "retry"))
    if section.context_tokens and section.max_output_tokens and section.max_output_tokens > section.context_tokens:
        found.problem((*path, "max_output_tokens"), f"is more than context_tokens ({section.context_tokens})")


def _rates_of(section: TargetSection, path: Path) -> list[tuple[RatesSection, Path]]:
    """Every price of a target, with its place."""
    if section.price is None:
        return []
    longer = ((one, (*path, "price", "longer", index)) for index, one in enumerate(section.price.longer))
    return [(section.price, (*path, "price")), *longer]


def _check_rates(found: Problems, price: RatesSection, path: Path) -> None:
    for whole, parts in (("cache_write", ("cache_write_5m", "cache_write_1h")), ("audio", ("audio_in", "audio_out"))):
        if getattr(price, whole) is not None and any(getattr(price, part) is not None for part in parts):
            found.problem((*path, whole), f"contradicts {' and '.join(parts)}: give one or the others", at_key=True)


def check_retry(found: Problems, retry: RetrySection, path: Path) -> None:
    """Delays that contradict each other."""
    if retry.initial_s > retry.max_s:
        found.problem((*path, "initial_s"), f"is more than max_s ({retry.max_s:g})")
    if retry.kind == "none" and "max" in retry.model_fields_set and retry.max > 0:
        found.problem((*path, "max"), "contradicts kind: none; leave it out, or choose exponential or linear")


def _check_embeds(found: Problems, section: TargetSection, known: Provider, path: Path) -> bool:
    """Whether the provider does what the target is for: a model that embeds, or one that chats."""
    if section.embeds not in (None, False):
        if any(wire.operation is Operation.EMBED for wire in known.wires):
            return True
        able = [name for name in PROVIDERS if any(wire.operation is Operation.EMBED for wire in facts(name).wires)]
        found.problem((*path, "embeds"), f"{section.provider} embeds nothing; these do: {', '.join(able)}", at_key=True)
        return False
    if known.wires and all(wire.operation is not Operation.CHAT for wire in known.wires):
        found.problem(path, f"{section.provider} has no models that chat: write `embeds: true` for one that embeds")
        return False
    return True


def _check_api(found: Problems, section: TargetSection, known: Provider, path: Path) -> None:
    api = section.api or ""
    if api not in APIS:
        found.problem((*path, "api"), f'unknown wire format "{api}"; {nearest(api, APIS)}')
    elif known.wires and (wire := known.wire(APIS[api])) is None:
        found.problem((*path, "api"), f"{section.provider} does not speak {APIS[api]}; it speaks {_spoken(known)}")
    elif known.wires and wire is not None and wire.operation is not _purpose(section):
        found.problem(
            (*path, "api"), f"{APIS[api]} is for targets that {wire.operation}; this one does {_purpose(section)}"
        )


def _purpose(section: TargetSection) -> Operation:
    return Operation.CHAT if section.embeds in (None, False) else Operation.EMBED


def _spoken(known: Provider) -> str:
    return " or ".join(wire.dialect for wire in known.wires)


def _made(name: str, provider: str, known: Provider, section: TargetSection, settings: JsonObject) -> Target:
    own = dict(settings)
    if section.headers:
        own["headers"] = {key.lower(): text for key, text in section.headers.items()}
    dialects = _dialects(section, known)
    embeds = _space(section, known)
    return Target(
        name=name,
        provider=provider,
        model=_model(section, known) or ("" if known.models_path else known.model or provider),
        base_url=section.base_url or (hosted_address(name) if known.hosted else usual_address(provider, settings)),
        dialects=dialects,
        key=_key(section, known),
        priority=section.priority,
        weight=section.weight,
        limits=Limits(**section.limits.model_dump()),
        price=_price(section.price, known, ours=known.hosted and section.base_url is None),
        retry=section.retry.value() if section.retry else None,
        context_tokens=section.context_tokens,
        max_output_tokens=section.max_output_tokens,
        lacks=tuple(sorted({*section.lacks, *known.lacks})),
        lacks_in_translation=lacks_in_translation(known, dialects),
        local=known.local if section.local is None else section.local,
        stand_in=known.stand_in,
        embeds=embeds,
        region=section.region,
        profile=Profile(
            same_as=section.same_as,
            maker=section.maker,
            family=section.family,
            tier=section.tier,
            quality=section.quality,
            scores=tuple(sorted(section.scores.items())),
        ),
        counts=() if embeds else formats_for(known, Operation.COUNT, section.model or ""),
        probe=Probe(section.probe) if section.probe else None,
        settings=own or None,
    )


def _model(section: TargetSection, known: Provider) -> str:
    """The model as the provider is asked for it: its own listings may say more. "" where none is given."""
    return (section.model or "").removeprefix(known.model_prefix)


def _space(section: TargetSection, known: Provider) -> str | None:
    """The vector space: by default a model's own name is that of its vectors."""
    return _model(section, known) or known.model if section.embeds is True else section.embeds or None


def _dialects(section: TargetSection, known: Provider) -> tuple[str, ...]:
    if _purpose(section) is Operation.EMBED and section.api is None:
        return formats_for(known, Operation.EMBED, section.model or "")
    if section.api is not None and section.api in APIS:
        return (APIS[section.api],)
    return usual_dialects(known, section.model or "")


def _key(section: TargetSection, known: Provider) -> str | None:
    """Never the provider's usual key for an address that is not the provider's: it would be handed to a stranger."""
    if section.key is not None:
        return section.key
    usual = known.key or (f"env:{known.key_env}" if known.key_env else None)
    return usual if section.base_url is None or known.owns(section.base_url) else None


def _price(section: PriceSection | None, known: Provider, *, ours: bool) -> Price | None:
    """What was written, else nothing where nobody sends a bill. `ours`: we run the server."""
    if section is None:
        return FREE if known.stand_in or ours else None
    longer: Price | None = None
    above = 0
    for step in reversed(section.longer):
        longer, above = Price(**_rates(step), longer=longer, longer_above=above), step.above
    return Price(**_rates(section), longer=longer, longer_above=above)


def _rates(section: RatesSection) -> dict[str, Any]:
    rates: dict[str, Any] = section.model_dump(exclude={"audio", "cache_write", "longer", "above"})
    if section.cache_write is not None:
        rates["cache_write_5m"] = rates["cache_write_1h"] = section.cache_write
    if section.audio is not None:
        rates["audio_in"] = rates["audio_out"] = section.audio
    return rates

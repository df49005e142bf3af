"""A configuration as text again, in its own language and with every default written out.

What it prints loads back to an equal configuration, so the short hash of it is the configuration's version.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from understudy.config import Configuration
from understudy.config.schema.price import PICO_PER_DOLLAR_A_MILLION, RatesSection
from understudy.config.schema.transport import ServerSection, TransportSection
from understudy.core.money import Price
from understudy.core.policy import BreakerSettings, Cascade
from understudy.core.request import Operation
from understudy.core.route import Named, Route
from understudy.core.target import Target
from understudy.core.value import JsonObject
from understudy.providers import facts, formats_for
from understudy.transport.proxy import Proxy


def canonical(configuration: Configuration) -> JsonObject:
    """The whole of it as plain data: what a file with every default written out would hold."""
    client, server = configuration.client, configuration.server
    given: JsonObject = {
        "targets": {name: _target(target) for name, target in configuration.targets.items()},
        "routes": {name: _route(route) for name, route in configuration.routes.items()},
        "rules": [_filled(rule) for rule in configuration.rules],
        "principals": [_filled(principal) for principal in configuration.principals],
        "transport": {
            **{name: getattr(configuration.tls, name) for name in ("ca_file", "cert_file", "key_file")},
            "proxy": _proxy(configuration.proxies.https or configuration.proxies.http),
            "no_proxy": list(configuration.proxies.direct),
            **{name: getattr(client, name) for name in TransportSection.model_fields if hasattr(client, name)},
        },
        "server": {name: getattr(server, name) for name in ServerSection.model_fields},
        "health": _filled(configuration.health),
        "catalogue": {"use": False},  # what it gave is written out
    }
    given["transport"] = {name: setting for name, setting in given["transport"].items() if setting not in (None, [])}
    return {name: section for name, section in given.items() if section}


def text_of(configuration: Configuration) -> str:
    """The same as JSON, which is YAML too."""
    return json.dumps(canonical(configuration), indent=2, ensure_ascii=False)


def version_of(configuration: Configuration) -> str:
    """A short id of the content."""
    dense = json.dumps(canonical(configuration), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(dense.encode()).hexdigest()[:12]


def _target(target: Target) -> JsonObject:
    known = facts(target.provider)
    operation = Operation.CHAT if target.embeds is None else Operation.EMBED
    usual = formats_for(known, operation, target.model)
    settings = dict(target.settings or {})
    headers = settings.pop("headers", None) if known.wires else None
    given: JsonObject = {
        "provider": target.provider,
        "model": target.model,
        "base_url": target.base_url,
        "key": target.key,
        "api": target.dialects[0] if target.dialects and target.dialects != usual else None,
        "local": target.local,
        "priority": target.priority,
        "weight": target.weight,
        "limits": _filled(target.limits),
        "price": _price(target.price),
        "retry": _filled(target.retry) if target.retry else None,
        "context_tokens": target.context_tokens,
        "max_output_tokens": target.max_output_tokens,
        "lacks": list(target.lacks),
        "region": target.region,
        "probe": target.probe.value if target.probe else None,
        **_filled(target.profile),
        "scores": dict(target.profile.scores),
        "embeds": target.embeds,
        "headers": headers,
        **settings,
    }
    return {name: setting for name, setting in given.items() if setting not in (None, "", {}, [])}


def _price(price: Price | None) -> JsonObject | None:
    if price is None:
        return None
    steps = []
    step = price
    while step.longer is not None:
        steps.append({"above": step.longer_above, **_rates(step.longer)})
        step = step.longer
    return _rates(price) | ({"longer": steps} if steps else {})


def _rates(price: Price) -> JsonObject:
    return {name: _dollars(rate) for name, rate in _filled(price).items() if name in RatesSection.model_fields}


def _dollars(pico: int) -> int | float:
    """Dollars per million tokens; fifteen digits survive a binary fraction, and no price has more."""
    dollars = Decimal(pico) / PICO_PER_DOLLAR_A_MILLION
    return int(dollars) if dollars == dollars.to_integral_value() else float(dollars)


def _route(route: Route) -> JsonObject:
    policy = route.policy
    return {
        "tiers": {tier.name: list(tier.targets) for tier in route.tiers},
        "strategy": _named(route.strategy),
        "balancer": _named(route.balancer),
        "policy": {
            "deadline_s": policy.deadline_s,
            "attempts_max": policy.attempts_max,
            "wait_max_s": policy.wait_max_s,
            "retry": _filled(policy.retry),
            "timeouts": _filled(policy.timeouts),
            "breaker": _breaker(policy.breaker),
            "hedge": _filled(policy.hedge) if policy.hedge else None,
            "cascade": _cascade(policy.cascade) if policy.cascade else None,
            "elsewhere_when_filtered": policy.elsewhere_when_filtered,
            "strict": policy.strict,
            "mix_spaces": policy.mix_spaces,
            "regions": list(policy.regions),
            "leave_early": policy.leave_early,
        },
    }


def _cascade(settings: Cascade) -> JsonObject:
    given = _filled(settings)
    return given if settings.gate is None else given | {"gate": msgspec.to_builtins(settings.gate)}


def _named(named: Named) -> Any:
    return {named.name: named.settings} if named.settings else named.name


def _breaker(settings: BreakerSettings) -> JsonObject:
    given = _filled(settings)
    given["counts"] = {kind.value: counted for kind, counted in settings.counts}
    return given if given["counts"] else {name: setting for name, setting in given.items() if name != "counts"}


def _proxy(proxy: Proxy | None) -> str | None:
    """Without its password: the text is for printing."""
    return f"http://{proxy.host}:{proxy.port}" if proxy else None


def _filled(value: Any) -> JsonObject:
    """A value's fields that are set."""
    assert is_dataclass(value)
    given = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: _plain(setting) for name, setting in given.items() if setting is not None}


def _plain(setting: Any) -> Any:
    if isinstance(setting, Enum):
        return setting.value
    return list(setting) if isinstance(setting, tuple) else setting

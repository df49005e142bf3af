"""Ready-made routes, for those who configured targets only, or nothing but the keys in their environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from understudy.core.policy import Policy, Retry
from understudy.core.request import Operation
from understudy.core.route import Route, tiers_of
from understudy.core.target import Target
from understudy.providers import (
    PROVIDERS,
    BadAddress,
    Provider,
    address,
    facts,
    formats_for,
    lacks_in_translation,
    usual_dialects,
)

FIRST = ("anthropic", "openai", "gemini")
"""The order of the default route; every other provider follows in the order of the file."""


def ready_routes(targets: Mapping[str, Target]) -> dict[str, Route]:
    """`default`, `high-priority`, `low-cost` and `local-first`, as far as the targets allow."""
    chats = [one for one in targets.values() if one.embeds is None]
    remote = sorted((one for one in chats if not one.local and not one.stand_in), key=_rank)
    local = [one for one in chats if one.local and not one.stand_in]
    sorry = [one for one in targets.values() if one.stand_in]
    chosen = [one for one in remote if one.provider in FIRST[:2]] or remote
    if not remote and not local:
        return {}
    plans = {
        "default": (remote, [], [*local, *sorry], Retry(max=3, initial_s=1.0)),
        "high-priority": (chosen, [], [*local, *sorry], Retry(max=2, initial_s=0.5)),
        "low-cost": (local, sorted(remote, key=_cost), sorry, Retry(max=3, initial_s=1.0)),
        "local-first": (local, chosen, sorry, Retry(max=2, initial_s=1.0)),
    }
    return {
        name: Route(
            name=name,
            tiers=tiers_of({"primary": _names(first), "secondary": _names(second), "local": _names(last)}),
            policy=replace(Policy(), retry=retry),
        )
        for name, (first, second, last, retry) in plans.items()
    }


def targets_from_environment(env: Mapping[str, str]) -> tuple[dict[str, Target], tuple[str, ...]]:
    """A target for every provider whose usual variable is set, and what could not be made one, in words.

    Local servers are found by the variable with their address. The model is `<PROVIDER>_MODEL`, else the provider's usual one.
    """
    targets: dict[str, Target] = {}
    left_out: list[str] = []
    for name in PROVIDERS:
        known = facts(name)
        said = _variable(known)
        if said is None or not env.get(said, "").strip():
            continue
        try:
            targets[name] = _found(name, known, env)
        except _Lacking as lacking:
            left_out.append(f"{said} is set, but {lacking}")
    ordered = sorted(targets.values(), key=_rank)
    return {target.name: target for target in ordered}, tuple(left_out)


class _Lacking(Exception):
    """What else must be said before there can be a target."""


def _found(name: str, known: Provider, env: Mapping[str, str]) -> Target:
    """The target that a provider's variables make. A local server tells its models itself. Raises `_Lacking`."""
    variable = f"{name.upper()}_MODEL"
    model = env.get(variable, "").strip() or ("" if known.models_path else known.model)
    if not model and known.models_path is None:
        raise _Lacking(f"no model is: set {variable} to use {known.title}")
    base_url = known.base_url
    if known.base_url_env is not None:
        base_url = env.get(known.base_url_env, "").strip().rstrip("/") or base_url
        if not base_url:
            raise _Lacking(f"no address is: set {known.base_url_env} to use {known.title}")
        try:
            address(base_url)
        except BadAddress as error:
            raise _Lacking(f"cannot be used, {known.base_url_env}: {error}") from None
    dialects = usual_dialects(known, model)
    return Target(
        name=name,
        provider=name,
        model=model,
        base_url=base_url,
        dialects=dialects,
        key=f"env:{known.key_env}" if known.key_env is not None else None,
        lacks=known.lacks,
        lacks_in_translation=lacks_in_translation(known, dialects),
        local=known.local,
        counts=formats_for(known, Operation.COUNT, model),
    )


def key_variables() -> tuple[str, ...]:
    """Every variable that makes a target, for messages."""
    return tuple(filter(None, map(_variable, map(facts, PROVIDERS))))


def _variable(known: Provider) -> str | None:
    """The variable that says that somebody wants to use a provider: with its key, else with the address of a local server."""
    return known.key_env or known.base_url_env


def _rank(target: Target) -> int:
    return FIRST.index(target.provider) if target.provider in FIRST else len(FIRST)


def _cost(target: Target) -> tuple[bool, int]:
    """Cheapest first, by the sum of the rates; an unknown price comes last."""
    price = target.price
    return (price is None, 0 if price is None else price.input + price.output)


def _names(targets: Iterable[Target]) -> tuple[str, ...]:
    return tuple(target.name for target in targets)

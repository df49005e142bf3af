"""From the `routes` of a file to routes, and whether they can do what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as Folder
from typing import Any

from understudy.config.files import read_cascade, with_file
from understudy.config.problems import Path, Problems, nearest
from understudy.config.registries import BALANCERS, STRATEGIES
from understudy.config.schema.kinds import name_problem
from understudy.config.schema.policy import PolicySection
from understudy.config.schema.routes import RouteSection
from understudy.config.targets import bare_names, bare_target, check_retry
from understudy.core.failure import FailureKind
from understudy.core.route import TIERS, Named, Route, tiers_of
from understudy.core.target import Target
from understudy.registry import BadSettings, Registry


def read_routes(
    found: Problems, data: Any, targets: dict[str, Target], declared: Mapping[str, Any], folder: Folder
) -> dict[str, Route]:
    """Every route that can be understood. Adds the targets that need no declaration to `targets`.

    `declared`: the names under `targets`, also of those that could not be understood: one mistake is told once. `folder`: where the files are
    that strategies name.
    """
    routes: dict[str, Route] = {}
    for name, given in data.items():
        path: Path = ("routes", name)
        if wrong := name_problem(name):
            found.problem(path, wrong, at_key=True)
        elif name in declared:
            found.warning(path, f'a target has the same name: the model "{name}" means this route')
        section = found.section(RouteSection, given, path)
        if section is not None:
            routes[name] = _route(found, name, section, targets, declared, folder, path)
    return routes


def _route(  # noqa: PLR0917  what a route is read from
    found: Problems,
    name: str,
    section: RouteSection,
    targets: dict[str, Target],
    declared: Mapping[str, Any],
    folder: Folder,
    path: Path,
) -> Route:
    seen: dict[str, str] = {}
    for tier, names in section.tiers.items():
        if not names:
            found.problem((*path, "tiers", tier), "lists no targets; name some, or leave the tier out")
        for index, target in enumerate(names):
            where: Path = (*path, "tiers", tier, index)
            if target in seen:
                found.problem(
                    where, f'the target "{target}" stands in tier {seen[target]} already: a request asks each once'
                )
            seen.setdefault(target, tier)
            find_target(found, target, targets, declared, where)
    if not seen:
        tiers: Path = (*path, "tiers")
        found.absent(tiers, f"lists no targets; name some under one of {', '.join(TIERS)}", at=tiers)
    elif all(target in targets and targets[target].stand_in for target in seen):
        found.warning((*path, "tiers"), "lists stand-ins only: every answer of this route will be degraded")
    strategy = with_file(found, section.strategy, folder, (*path, "strategy"))
    check_named(found, STRATEGIES, strategy, (*path, "strategy"))
    check_named(found, BALANCERS, section.balancer, (*path, "balancer"))
    if section.balancer.name in BY_WEIGHT:
        _check_weights(found, section, targets, path)
    _check_policy(found, section.policy, (*path, "policy"))
    _check_spaces(found, section, targets, path)
    policy = section.policy.value() if not _unknown_kinds(section.policy) else PolicySection().value()
    return Route(
        name=name,
        tiers=tiers_of({tier: tuple(names) for tier, names in section.tiers.items()}),
        strategy=strategy,
        balancer=section.balancer,
        policy=replace(policy, cascade=read_cascade(found, section, targets, folder, (*path, "policy", "cascade"))),
    )


def find_target(
    found: Problems, name: str, targets: dict[str, Target], declared: Mapping[str, Any], where: Path
) -> None:
    """Tell where no target has this name; add it to `targets` if it is one that needs no declaration."""
    if name in targets or name in declared:
        return
    bare = bare_target(name)
    if bare is None:
        found.problem(where, f'unknown target "{name}"; {nearest(name, [*declared, *bare_names()])}')
    else:
        targets[name] = bare


def check_named(found: Problems, registry: Registry[Any], named: Named, path: Path) -> None:
    """Tell what is wrong with an entry of a registry and its settings."""
    if named.name not in registry:
        found.problem(path, f'unknown {registry.kind} "{named.name}"; {nearest(named.name, registry.names())}')
        return
    try:
        registry.build(named.name, named.settings)
    except BadSettings as error:
        inside = (*path, named.name) if found.node((*path, named.name)) else path
        found.bad_settings(inside, error, f"{registry.kind} {named.name}")


BY_WEIGHT = ("adaptive_weights", "weighted")
"""Balancers to which a tier of weights that are all 0 says nothing."""


def _check_weights(found: Problems, section: RouteSection, targets: Mapping[str, Target], path: Path) -> None:
    for tier, names in section.tiers.items():
        weights = [targets[name].weight for name in names if name in targets]
        if len(weights) > 1 and not any(weights):
            found.problem(
                (*path, "tiers", tier),
                f"every target has weight 0, and the balancer `{section.balancer.name}` goes by weights",
            )


def _check_spaces(found: Problems, section: RouteSection, targets: Mapping[str, Target], path: Path) -> None:
    """Targets that the route lists and can never ask."""
    spaces = [
        (name, target.embeds)
        for tier in tiers_of({tier: tuple(names) for tier, names in section.tiers.items()})
        for name in tier.targets
        if (target := targets.get(name)) is not None and target.embeds is not None
    ]
    strange = [name for name, space in spaces if space != spaces[0][1]]
    if strange and not section.policy.mix_spaces:
        found.warning(
            (*path, "tiers"),
            f"{', '.join(strange)}: other vectors than those of {spaces[0][0]} ({spaces[0][1]}), so never asked; if they are of the same "
            "space, give it one name in `embeds`; if callers can tell them apart, set policy.mix_spaces",
        )


def _unknown_kinds(section: PolicySection) -> list[str]:
    kinds = {kind.value for kind in FailureKind}
    return [kind for kind in section.breaker.counts if kind not in kinds]


def _check_policy(found: Problems, section: PolicySection, path: Path) -> None:
    deadline_s = section.deadline_s
    for key in sorted(section.timeouts.model_fields_set):
        bound_s: float = getattr(section.timeouts, key)
        if bound_s > deadline_s:
            found.problem(
                (*path, "timeouts", key),
                f"is never reached: the deadline ends the request after {deadline_s:g} s; shorten it, or raise deadline_s",
            )
    if "wait_max_s" in section.model_fields_set and section.wait_max_s > deadline_s:
        found.problem((*path, "wait_max_s"), f"is more than deadline_s ({deadline_s:g})")
    check_retry(found, section.retry, (*path, "retry"))
    _check_breaker(found, section, (*path, "breaker"))


def _check_breaker(found: Problems, section: PolicySection, path: Path) -> None:
    breaker = section.breaker
    written = breaker.model_fields_set
    if "last" in written and breaker.failures > breaker.last:
        found.problem(
            (*path, "failures"),
            f"is more than the last outcomes that are looked at (last: {breaker.last}); raise `last`",
        )
    for kind in _unknown_kinds(section):
        known = [one.value for one in FailureKind]
        found.problem((*path, "counts", kind), f"unknown kind of failure; {nearest(kind, known)}", at_key=True)

"""Check a configuration: every problem with its line, every fallback, every key, where figures are from; with --probe, every target.

Exit code 2: the configuration cannot be used. 1: it can, but a fallback is never reached, or a probe failed. Keys that are
not set here are told, and are no failure: a configuration may be checked where its keys are not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._configuration import ConfigFile, key_problems, read_configuration
from understudy.cli._figures import figure_rows, figures, figures_data
from understudy.cli._output import FAILED, Json, columns, tell, told
from understudy.cli._rules import listed, shown
from understudy.core.value import JsonObject

if TYPE_CHECKING:
    from understudy.cli._probe import Probe
    from understudy.config import Configuration
    from understudy.config.edges import Edge


def command(
    config: ConfigFile = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask each target for a word; costs a few tokens each.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the configuration."""
    with told(as_json=as_json):
        configuration = read_configuration(config)
    from understudy.config.edges import edges

    steps = edges(configuration)
    keys = key_problems(configuration)
    probes: tuple[Probe, ...] | None = None
    if probe:
        from understudy.cli import _probe

        probes = asyncio.run(_probe.probe(configuration))
    good = all(step.reachable for step in steps) and not any(one.failure for one in probes or ())
    tell(
        _text(configuration, steps, keys, probes),
        _data(configuration, steps, keys, probes, good=good),
        as_json=as_json,
    )
    if not good:
        raise typer.Exit(FAILED)


def _data(
    configuration: Configuration,
    steps: tuple[Edge, ...],
    keys: dict[str, str],
    probes: tuple[Probe, ...] | None,
    *,
    good: bool,
) -> JsonObject:
    from understudy.config.canonical import canonical

    data: JsonObject = {
        "ok": good,
        "source": configuration.source,
        "version": configuration.version,
        "warnings": list(configuration.warnings),
        "keys": {name: {"readable": not wrong, "problem": wrong or None} for name, wrong in keys.items()},
        "edges": [
            {
                "route": step.route,
                "from": step.origin,
                "to": step.target,
                "tier": step.tier,
                "degraded": step.degraded,
                "reachable": step.reachable,
                "problem": step.why or None,
            }
            for step in steps
        ],
        "figures": figures_data(figures(configuration)),
        "configuration": canonical(configuration),
    }
    if probes is not None:
        data["probes"] = [_probed(one) for one in probes]
    return data


def _probed(one: Probe) -> JsonObject:
    failure = one.failure
    told_of = (
        None
        if failure is None
        else {"kind": failure.kind.value, "message": failure.message, "advice": failure.row.advice}
    )
    told = {"target": one.target, "ok": failure is None, "ms": one.ms, "failure": told_of}
    return told | ({"models": list(one.models)} if one.models else {})


def _text(
    configuration: Configuration, steps: tuple[Edge, ...], keys: dict[str, str], probes: tuple[Probe, ...] | None
) -> str:
    from understudy.config.names import by_full_name_only

    parts = [f"{configuration.source or 'provider keys in the environment'}: version {configuration.version}"]
    rows = []
    further = Counter(one.provider for one in configuration.targets.values() if by_full_name_only(one))
    for target in configuration.targets.values():
        if by_full_name_only(target):
            continue
        key = "no key" if target.key is None else keys.get(target.name) or f"key {target.key}"
        where = target.base_url or "in memory"
        rows.append(
            (
                target.name,
                f"{target.provider}/{target.model or '(what its server has)'}",
                where,
                key if target.base_url else "",
            )
        )
    parts += ["targets", columns(rows)]
    parts += [f"  and {count} more models of {name}, each by its full name" for name, count in further.items()]
    if known := figure_rows(figures(configuration)):
        parts += ["what is known of them, and from whom", columns(known)]
    parts.append("routes" if configuration.routes else "no routes: each target is asked by its own name")
    for name in configuration.routes:
        own = [step for step in steps if step.route == name]
        parts.append(
            f"  {name}: " + " -> ".join(step.target + (" (degraded)" if step.degraded else "") for step in own)
        )
        parts += [f"    never reached: {step.target}: {step.why}" for step in own if not step.reachable]
    if configuration.rules:
        parts.append("rules")
        parts += [
            f"  {one['name']}{'' if one['state'] == 'on' else ' (off)'}: {shown(one['when'])} -> {shown(one['then'])}"
            for one in listed(configuration)
        ]
    if configuration.warnings:
        parts += ["warnings", *(f"  {warning}" for warning in configuration.warnings)]
    if probes is not None:
        parts += ["probes", columns([(one.target, *_verdict(one)) for one in probes])]
        parts += [f"  {one.target} has: {', '.join(one.models)}" for one in probes if one.models]
    return "\n".join(part for part in parts if part)


def _verdict(one: Probe) -> tuple[str, str]:
    if one.failure is None:
        return "answered", f"{one.ms:.0f} ms"
    return one.failure.kind.value, f"{one.failure.message} ({one.failure.row.advice})"

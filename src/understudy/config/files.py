"""Trained files that a route names: read where the configuration is read, so that a worker needs no file and a version means one content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path as Folder
from typing import Any

import msgspec

from understudy.config.problems import Path, Problems
from understudy.config.schema.kinds import plain
from understudy.config.schema.policy import CascadeSection
from understudy.config.schema.routes import RouteSection
from understudy.config.secrets import beside
from understudy.core.policy import Cascade
from understudy.core.prompts.heads import Trained
from understudy.core.route import Named
from understudy.core.strategies.prompt_router import is_meant
from understudy.core.target import Target

TRAINED_BYTES_MAX = 1 << 20

READS = {"prompt_router": "prompt"}
"""The strategies that a trained file belongs to, and what it must have been trained on."""


def with_file(found: Problems, named: Named, folder: Folder, path: Path) -> Named:
    """The strategy with the content of its file in its settings, where it is one that has a file."""
    reads = READS.get(named.name)
    if reads is None or named.settings.get("trained") is not None:
        return named
    at = (*path, named.name)
    name = named.settings.get("file")
    if not isinstance(name, str) or not name:
        found.problem(path, f"the strategy {named.name} needs `file`: what `understudy train` wrote")
        return named
    trained = read_trained(found, folder, name, reads, (*at, "file"))
    if trained is None:
        return Named(named.name, {})  # said once
    return Named(named.name, {**named.settings, "trained": msgspec.to_builtins(trained)})


def read_cascade(
    found: Problems, section: RouteSection, targets: Mapping[str, Target], folder: Folder, path: Path
) -> Cascade | None:
    """A route's cascade, with the gate that it names."""
    given = section.policy.cascade
    if given is None:
        return None
    listed = [name for names in section.tiers.values() for name in names]
    for place, name in enumerate(given.ask):
        if name not in listed:
            found.problem((*path, "ask", place), f'"{name}" stands in no tier of this route')
        elif name in targets and targets[name].stand_in:
            found.problem((*path, "ask", place), f'"{name}" is a stand-in: there is nothing to judge')
    if len(set(given.ask)) < len(given.ask):
        found.problem((*path, "ask"), "names a target twice")
    if all(name in given.ask or (name in targets and targets[name].stand_in) for name in listed):
        found.problem((*path, "ask"), "leaves nobody to ask when the drafts will not do")
    if given.gate is None and len(given.ask) < 2:
        found.problem((*path, "ask"), "needs two targets at least, whose answers can agree; or a gate, to judge one")
    if section.policy.attempts_max <= len(given.ask):
        found.problem((*path, "ask"), f"needs more attempts than attempts_max ({section.policy.attempts_max}) allows")
    return Cascade(
        ask=tuple(given.ask),
        gate=_gate(found, given, targets, folder, (*path, "gate")),
        field=given.field,
        quality=given.quality,
        share=given.share,
    )


def _gate(
    found: Problems, given: CascadeSection, targets: Mapping[str, Target], folder: Folder, path: Path
) -> Trained | None:
    if given.gate is None:
        return None
    if isinstance(given.gate, str):
        trained = read_trained(found, folder, given.gate, "drafts", path)
    else:
        trained = _understood(found, given.gate, "drafts", path)
    if trained is None:
        return None
    meant = (trained.weak, *trained.besides)
    asked = [targets[name] for name in given.ask if name in targets]
    if len(meant) != len(given.ask) or not all(map(is_meant, asked, meant)):
        found.problem(path, f"was trained on drafts of {', '.join(meant)}, in this order; `ask` names others")
    return trained


def read_trained(found: Problems, folder: Folder, name: str, reads: str, path: Path) -> Trained | None:
    """What a trained file holds; None after telling what is wrong with it."""
    try:
        with beside(folder, name).open("rb") as file:
            content = json.loads(file.read(TRAINED_BYTES_MAX))
    except OSError as error:
        found.problem(path, f'"{name}" cannot be read: {error.strerror or error}')
        return None
    except (ValueError, RecursionError) as error:
        found.problem(path, f'"{name}" is not what `understudy train` writes: {error}')
        return None
    return _understood(found, content, reads, path)


def _understood(found: Problems, content: Any, reads: str, path: Path) -> Trained | None:
    try:
        trained = msgspec.convert(plain(content), Trained)
    except msgspec.ValidationError as error:
        found.problem(path, f"is not what `understudy train` writes: {error}")
        return None
    if wrong := trained.problem(reads):
        found.problem(path, f"what was trained {wrong}")
        return None
    return trained

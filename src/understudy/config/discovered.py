"""A configuration completed with what local servers say of their models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from understudy.config import Configuration
from understudy.config.names import names_of
from understudy.core.target import Target
from understudy.providers import facts, usual_dialects

MODELS_MAX = 100
NAME_MAX = 128


def open_targets(configuration: Configuration) -> tuple[Target, ...]:
    """The targets that were configured without a model: their servers are asked."""
    return tuple(target for target in configuration.targets.values() if target.dialects and not target.model)


def with_models(configuration: Configuration, found: Mapping[str, tuple[str, ...]]) -> Configuration:
    """The same with models. `found`: name of an open target -> the models of its server, its own order kept.

    The target itself takes the first that is no embedding model. Each model is also a target by itself, called `target/model`, so that a
    request may name it.
    """
    targets = dict(configuration.targets)
    told = json.dumps([configuration.version, sorted((name, list(models)) for name, models in found.items())])
    for one in open_targets(configuration):
        models = [model for model in found.get(one.name, ()) if _is_name(model)][:MODELS_MAX]
        if not models:
            continue
        targets[one.name] = chosen(one, models)
        for model in models:
            name = f"{one.name}/{model}"
            targets.setdefault(name, _asking(one, model, name))
    return replace(
        configuration,
        targets=targets,
        names=names_of(configuration.routes, targets),
        version=hashlib.sha256(told.encode()).hexdigest()[:12],
    )


def chosen(one: Target, models: Sequence[str]) -> Target:
    """An open target with the first of its server's models that is no embedding model, where there is such a one."""
    first = next((model for model in models if "embed" not in model.lower()), models[0])
    return _asking(one, first, one.name)


def _asking(one: Target, model: str, name: str) -> Target:
    usual = usual_dialects(facts(one.provider), "")
    dialects = usual_dialects(facts(one.provider), model) if one.dialects == usual else one.dialects
    return replace(one, name=name, model=model, dialects=dialects)


def _is_name(model: str) -> bool:
    """Whether it can travel in a header and in a listing."""
    return 0 < len(model) <= NAME_MAX and model.isascii() and model.isprintable()

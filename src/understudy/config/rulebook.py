"""From rules as they are written to rules made ready: their entries found in the registries and built with their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any

from understudy.config.registries import CONDITIONS, EFFECTS
from understudy.core.rules.rule import Effect, Rule
from understudy.core.rules.rulebook import Ready, Rulebook
from understudy.core.rules.when import All, Is, Not, Some, When, cheapest_first
from understudy.registry import BadSettings, Registry, UnknownName

Path = tuple[str | int, ...]
Told = Callable[[Path, str, Exception], None]
"""Hears of an entry that cannot be built: where it stands, its name, and what was raised."""


def rulebook_of(rules: Iterable[Rule]) -> Rulebook:
    """Rules, which were read before, made ready. Raises `UnknownName` or `BadSettings` when they were not."""

    def refuse(_path: Path, _name: str, error: Exception) -> None:
        raise error

    return Rulebook(tuple(make_ready(rule, (), refuse) for rule in in_order(rules, lambda rule: rule)))


def in_order(rules: Iterable[Any], rule: Callable[[Any], Rule]) -> list[Any]:
    """Lower priorities first; those of the same one in the order of the file."""
    return sorted(rules, key=lambda one: rule(one).priority)


def make_ready(rule: Rule, path: Path, tell: Told) -> Ready:
    """A rule with its entries built. What cannot be is told, and left out."""
    when = _when(rule.when, rule.name, (*path, "when"), tell)
    effects: list[Effect] = []
    for name, given in rule.then.items():
        effect = _built(EFFECTS, name, given, rule.name, (*path, "then", name), tell)
        if effect is not None:
            effects.append(effect)
    refusal = next((str(words) for effect in effects if (words := getattr(effect, "refusal", None))), None)
    return Ready(rule.name, rule.enabled, cheapest_first(when), tuple(effects), refusal)


def _when(given: Mapping[str, Any], rule: str, path: Path, tell: Told) -> All:
    """All entries of a mapping; what cannot be built is told and left out."""
    parts: list[When] = []
    for name, inner in given.items():
        where: Path = (*path, name)
        if name == "any":
            parts.append(_some(inner, rule, where, tell))
        elif name == "not":
            if not isinstance(inner, dict) or not inner:
                tell(where, name, BadSettings("must be a mapping of conditions: not: {task: code}"))
            else:
                parts.append(Not(_when(inner, rule, where, tell)))
        else:
            condition = _built(CONDITIONS, name, inner, rule, where, tell)
            if condition is not None:
                parts.append(Is(name, condition))
    return All(tuple(parts))


def _some(given: Any, rule: str, path: Path, tell: Told) -> When:
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) and one for one in given):
        tell(path, "any", BadSettings("must be a list of conditions: any: [{task: code}, {task: analysis}]"))
        return All(())
    return Some(tuple(_when(one, rule, (*path, index), tell) for index, one in enumerate(given)))


def _built(registry: Registry[Any], name: str, given: Any, rule: str, path: Path, tell: Told) -> Any:
    """An entry with its settings, however short they are written; None when it was told of."""
    try:
        return registry.build(name, _settings(registry.entry(name), given, rule))
    except (UnknownName, BadSettings) as error:
        tell(path, name, error)
        return None


def _settings(entry: Any, given: Any, rule: str) -> dict[str, Any]:
    """The settings of an entry in full. Raises `BadSettings`."""
    field, how = getattr(entry, "short", ("", ""))
    if how == "whole":
        settings = {field: given}
    elif isinstance(given, dict):
        settings = {f"{name}_" if iskeyword(str(name)) else str(name): inner for name, inner in given.items()}
    elif not field:
        raise BadSettings("must be a mapping of settings")
    else:
        settings = {field: given}
    if how == "list" and field in settings and not isinstance(settings[field], list):
        settings[field] = [settings[field]]
    own = getattr(entry, "own", None)
    if own is not None:
        settings.setdefault(own, rule)
    return settings

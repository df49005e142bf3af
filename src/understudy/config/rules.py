"""From the `rules` of a file to rules, and whether each of them can ever do anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.config.problems import Path, Problems, nearest, setting_path
from understudy.config.registries import BALANCERS, CONDITIONS, EFFECTS, STRATEGIES
from understudy.config.routes import check_named, find_target
from understudy.config.rulebook import in_order, make_ready
from understudy.config.schema.kinds import name_problem, plain
from understudy.config.schema.policy import PolicySection
from understudy.config.schema.rules import RuleSection
from understudy.core.route import Named, Route
from understudy.core.rules.change import changed
from understudy.core.rules.extent import Names
from understudy.core.rules.logic import always_with, never
from understudy.core.rules.rule import Condition, Rule
from understudy.core.rules.rulebook import Ready
from understudy.core.rules.when import Is, Not, When, for_name
from understudy.core.target import Target
from understudy.core.value import value
from understudy.registry import UnknownName

RULES_MAX = 500


@value
class Known:
    """What rules may name. `declared`: targets as written, also those that could not be understood."""

    targets: dict[str, Target]
    declared: Mapping[str, Any]
    names: Mapping[str, Route]
    routes: Mapping[str, Route]
    principals: tuple[str, ...]


@value
class _Made:
    """A rule, and what became of it. `sound`: nothing is wrong with it by itself."""

    rule: Rule
    path: Path
    ready: Ready
    sound: bool


def read_rules(found: Problems, given: Any, known: Known) -> tuple[Rule, ...]:
    """Every rule that can be understood, in the order of the file."""
    if not isinstance(given, list):
        found.problem(("rules",), "must be a list: - {name: nights, when: {...}, then: {...}}")
        return ()
    if len(given) > RULES_MAX:
        found.problem(
            ("rules",), f"more than {RULES_MAX}, each of which must be compared with all others; put some together"
        )
        return ()
    made: list[_Made] = []
    for index, one in enumerate(given):
        path: Path = ("rules", index)
        section = found.section(RuleSection, one, path)
        if section is None:
            continue
        if wrong := name_problem(section.name):
            found.problem((*path, "name"), wrong)
        if any(other.rule.name == section.name for other in made):
            found.problem((*path, "name"), f'there is a rule "{section.name}" already')
        when, then = plain(section.when), plain(section.then)
        rule = Rule(name=section.name, when=when, then=then, priority=section.priority, enabled=section.enabled)
        before = found.count
        ready = _checked(found, rule, path, known)
        made.append(_Made(rule, path, ready, sound=found.count == before))
    _check_together(
        found, [one for one in in_order(made, lambda one: one.rule) if one.sound and one.rule.enabled], known
    )
    return tuple(one.rule for one in made)


# Checking one rule


def _checked(found: Problems, rule: Rule, path: Path, known: Known) -> Ready:
    broken = False

    def tell(where: Path, name: str, error: Exception) -> None:
        nonlocal broken
        broken = True
        _tell(found, where, name, error)

    ready = make_ready(rule, path, tell)
    for name, condition in _conditions(ready.when):
        _check_names(found, condition, (*path, "when", name), known)
    for name, effect in zip([name for name in rule.then if name in EFFECTS], ready.effects, strict=False):
        _check_names(found, effect, (*path, "then", name), known)
    policy = rule.then.get("policy")
    if not broken and isinstance(policy, dict):
        found.section(PolicySection, policy, (*path, "then", "policy"))  # the bounds of the route's own
    if not rule.then:
        found.problem((*path, "then"), f"changes nothing; name at least one of {', '.join(EFFECTS.names())}")
    if ready.refusal is not None and len(ready.effects) > 1:
        found.problem((*path, "then"), "refuses the request, so that nothing else in here can have an effect")
    if not broken and never(ready.when):
        found.problem((*path, "when"), "can never hold: its conditions leave nothing, or contradict each other")
    return ready


def _tell(found: Problems, path: Path, name: str, error: Exception) -> None:
    """An entry's problem, at its setting where that is written."""
    if isinstance(error, UnknownName):
        found.problem(path, str(error.args[0]), at_key=True)
        return
    words = str(error)
    for kind in (CONDITIONS.kind, EFFECTS.kind):
        words = words.removeprefix(f"{kind} {name}: ")
    words = words.replace("from_", "from")  # as a field of a class it needs another name
    first = words.partition(": ")[0]  # an entry's own check names the setting in front of its words
    setting = getattr(error, "setting", "").replace("from_", "from") or (first if first.isidentifier() else "")
    rest = words.removeprefix(f"{setting}: ")
    where: Path = (*path, *setting_path(setting))
    if setting and found.node(where) is not None:
        found.problem(where, rest)
    elif rest == "must be given":
        found.problem(path, f'"{setting}" {rest}')
    else:
        found.problem(path, rest)  # written short, without the setting's name


def _conditions(when: When) -> list[tuple[str, Condition]]:
    """Every condition in it, by name."""
    if isinstance(when, Is):
        return [(when.name, when.condition)]
    parts = (when.part,) if isinstance(when, Not) else when.parts
    return [one for part in parts for one in _conditions(part)]


def _check_names(found: Problems, entry: Any, path: Path, known: Known) -> None:
    """Tell of names in an entry that mean nothing in this configuration."""
    for field, kind in getattr(entry, "names", ()):
        given = getattr(entry, field)
        path_of: Path = (*path, field) if found.node((*path, field)) is not None else path
        if kind in {"strategy", "balancer"}:
            named: Named = entry.named()
            check_named(found, STRATEGIES if kind == "strategy" else BALANCERS, named, path_of)
            continue
        for name in (given,) if isinstance(given, str) else given:
            _check_name(found, str(name), kind, path_of, known)


def _check_name(found: Problems, name: str, kind: str, path: Path, known: Known) -> None:
    if kind == "target":
        find_target(found, name, known.targets, known.declared, path)
    elif kind in {"route", "name"}:
        fits = Names((name,)).holds if kind == "name" else name.__eq__
        if not any(fits(one) for one in [*known.names, *known.declared]):
            found.problem(path, f'nothing is called "{name}"; {nearest(name, [*known.routes, *known.declared])}')
    elif kind == "principal":
        if not any(Names((name,)).holds(one) for one in known.principals):
            found.problem(path, f'there is no principal "{name}"; {nearest(name, known.principals)}')
    else:
        found.problem(path, f'there is no {kind} "{name}"; Known: none')


# Checking them together


def _check_together(found: Problems, made: list[_Made], known: Known) -> None:
    for number, one in enumerate(made):
        settled: set[str] = set()
        by: list[str] = []
        for before in made[:number]:
            if always_with(before.ready.when, one.ready.when):
                settled.update(name for effect in before.ready.effects for name in effect.settles())
                by.append(before.rule.name)
        wants = {name for effect in one.ready.effects for name in effect.settles()}
        bounds = any(effect.allows is not None for effect in one.ready.effects)
        if "refuse" in settled or (wants and wants <= settled and not bounds):
            names = ", ".join(f'"{name}"' for name in by)
            found.problem(
                one.path,
                f'"{one.rule.name}" never has an effect: {names} comes first, applies whenever it does, and settles all that it would',
            )
        _check_rest(found, one, known)


def _check_rest(found: Problems, one: _Made, known: Known) -> None:
    """Tell where a rule leaves a route nobody to ask."""
    if all(effect.allows is None for effect in one.ready.effects):
        return
    touched = [route for name, route in known.routes.items() if for_name(one.ready.when, name) is not None]
    made = [changed(route, one.ready.effects, known.names.__getitem__) for route in touched]
    empty = [route.name for route, left in zip(touched, made, strict=True) if not left.tiers]
    path: Path = (*one.path, "then", "targets")
    if empty and len(empty) == len(touched):
        found.problem(path, f"leaves nobody to ask: none of them stands in {', '.join(empty)}")
    elif empty:
        found.warning(path, f"leaves nobody to ask on {', '.join(empty)}: such requests fail")

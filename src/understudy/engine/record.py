"""A decision as JSON, and back: what a choice depended on by name, so that another process can make it again.

Slots of the scoreboard and numbers of breakers are a process's own; in a record stand the targets' names, and of each standing the one
breaker that the route uses. What is missing is named, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from understudy import __version__
from understudy.core.candidate import Entry, Exclusion, Tried
from understudy.core.decision import Choice, Decision
from understudy.core.explanation.told import plain
from understudy.core.plan import RoutePlan
from understudy.core.request import Needs
from understudy.core.rules.ruling import Ruling
from understudy.core.sessions import Warm
from understudy.core.standing import Standing
from understudy.core.value import JsonObject
from understudy.engine.snapshot import Snapshot

T = TypeVar("T")

FORMAT = 1
NOWHERE = -1
"""The slot of a target that the route does not have: it changed nothing about the choice."""


class MissingInput(LookupError):
    """A record lacks something that the decision depended on, or what it names is not there. The message says what."""


# Writing


def written(decision: Decision) -> JsonObject:
    """Everything that the decision depended on, as plain data. 64-bit seeds are written in hexadecimal: JSON's readers round them."""
    return {
        "format": FORMAT,
        "made_by": __version__,
        "id": decision.id,
        "number": decision.number,
        "route": decision.route,
        "version": decision.version,
        "needs": plain(decision.needs),
        "dialect": decision.dialect,
        "seed": f"{decision.seed:#x}",
        "started_s": decision.started_s,
        "session": decision.session,
        "principal": decision.principal,
        "budget_left": decision.budget_left,
        "strategy": decision.strategy,
        "ruling": plain(decision.ruling),
        "choices": [_choice(choice) for choice in decision.choices],
    }


def _choice(choice: Choice) -> JsonObject:
    plan = choice.tier.plan
    entries = choice.tier.entries if plan is None else [one for tier in plan.tiers for one in tier.entries]
    names = {entry.slot: entry.target.name for entry in entries}
    warm = choice.warm
    return {
        "tier": choice.tier.number,
        "name": choice.tier.name,
        "now_s": choice.now_s,
        "turn": choice.turn,
        "order": list(choice.order),
        "scores": plain(choice.scores),
        "excluded": plain(choice.excluded),
        "standings": [
            {"target": entry.target.name, **_standing(entry, standing)}
            for entry, standing in zip(choice.tier.entries, choice.standings, strict=True)
        ],
        "tried": {names[slot]: plain(tried) for slot, tried in choice.tried.items() if slot in names},
        "repeat": choice.repeat,
        "larger_than": choice.larger_than,
        "warm": None if warm is None else {**plain(warm), "slot": names.get(warm.slot)},
    }


def _standing(entry: Entry, standing: Standing) -> JsonObject:
    page: JsonObject = plain(standing)
    page["breakers"] = [page["breakers"][entry.breaker]]
    return page


# Reading


def read(page: JsonObject, snapshot: Snapshot) -> Decision:
    """The decision that a record is of, to be explained and made again under the configuration that it was made under.

    Raises `MissingInput`.
    """
    if _of(page, "format", "the record") != FORMAT:
        raise MissingInput(f"this version reads records of format {FORMAT}, not {page['format']!r}")
    version = _of(page, "version", "the record")
    if version != snapshot.version:
        raise MissingInput(f"configuration {version}, under which it was decided; this is {snapshot.version}")
    decision = Decision(
        _of(page, "number", "the record"),
        _of(page, "id", "the record"),
        _of(page, "route", "the record"),
        version,
        _whole(Needs, _of(page, "needs", "the record"), "needs"),
        _of(page, "dialect", "the record"),
        _seed(_of(page, "seed", "the record")),
        _of(page, "started_s", "the record"),
        _of(page, "session", "the record"),
        _of(page, "principal", "the record"),
        _of(page, "budget_left", "the record"),
    )
    strategy, ruling = _of(page, "strategy", "the record"), _of(page, "ruling", "the record")
    if strategy is not None:
        decision.strategy = strategy
    if ruling is not None:
        decision.ruling = _read_ruling(ruling)
    choices = _of(page, "choices", "the record")
    if choices:
        plan = snapshot.plan_of(decision)
        if plan is None:
            raise MissingInput(f"the route {decision.route} as its rules left it")
        decision.choices = tuple(_read_choice(one, plan, f"choice {number}") for number, one in enumerate(choices, 1))
    return decision


def replay_record(page: JsonObject, snapshot: Snapshot) -> list[str]:
    """Make a recorded decision again. Returns what differs, or which input is missing, a sentence each; [] when it is the same."""
    try:
        decision = read(page, snapshot)
    except MissingInput as missing:
        return [f"missing: {missing}"]
    differences = snapshot.replay(decision)
    if differences and page.get("made_by") != __version__:
        differences.append(f"it was decided by version {page.get('made_by')}, this is {__version__}")
    return differences


def _read_choice(page: JsonObject, plan: RoutePlan, where: str) -> Choice:
    number = _of(page, "tier", where)
    if not isinstance(number, int) or not 0 <= number < len(plan.tiers):
        raise MissingInput(f"{where}: tier {number!r} of route {plan.name}")
    tier = plan.tiers[number]
    entries = {entry.target.name: entry for one in plan.tiers for entry in one.entries}
    standings = {_of(one, "target", where): one for one in _of(page, "standings", where)}
    tried = {
        entries[name].slot: _whole(Tried, one, f"{where}: tried {name}")
        for name, one in _of(page, "tried", where).items()
        if name in entries
    }
    return Choice(
        tier,
        _of(page, "now_s", where),
        _of(page, "turn", where),
        tuple(_known(entries, name, where) for name in _of(page, "order", where)),
        _converted(tuple[float, ...], _of(page, "scores", where), f"{where}: scores"),
        tuple(_whole(Exclusion, one, f"{where}: excluded") for one in _of(page, "excluded", where)),
        tuple(_read_standing(entry, standings, where) for entry in tier.entries),
        tried,
        _of(page, "repeat", where),
        _of(page, "larger_than", where),
        _read_warm(_of(page, "warm", where), entries, where),
    )


def _known(entries: dict[str, Entry], name: str, where: str) -> Entry:
    if name not in entries:
        raise MissingInput(f"{where}: target {name!r} is not on the route")
    return entries[name]


def _read_standing(entry: Entry, standings: dict[str, JsonObject], where: str) -> Standing:
    """A standing with its breaker where this process keeps the route's."""
    name = entry.target.name
    if name not in standings:
        raise MissingInput(f"{where}: the standing of {name}")
    page = {field: told for field, told in standings[name].items() if field != "target"}
    standing = _whole(Standing, page, f"{where}: the standing of {name}")
    if not standing.breakers:
        raise MissingInput(f"{where}: the breaker of {name}")
    return replace(standing, breakers=standing.breakers[:1] * (entry.breaker + 1))


def _read_warm(page: JsonObject | None, entries: dict[str, Entry], where: str) -> Warm | None:
    if page is None:
        return None
    name = _of(page, "slot", f"{where}: warm")
    entry = entries.get(name) if name is not None else None
    return _whole(Warm, {**page, "slot": NOWHERE if entry is None else entry.slot}, f"{where}: warm")


def _read_ruling(page: JsonObject) -> Ruling:
    ruling = _whole(Ruling, page, "ruling")
    readings = tuple(replace(one, seen=_frozen(one.seen)) for one in ruling.readings)
    return replace(ruling, readings=readings)


def _frozen(seen: Any) -> Any:
    """What conditions saw, with tuples where they saw tuples."""
    return tuple(_frozen(one) for one in seen) if isinstance(seen, (list, tuple)) else seen


def _of(page: Any, name: str, where: str) -> Any:
    if not isinstance(page, dict) or name not in page:
        raise MissingInput(f"{name} of {where}")
    return page[name]


def _seed(text: Any) -> int:
    try:
        return int(text, 16)
    except (TypeError, ValueError):
        raise MissingInput(f"the seed: {text!r} is none") from None


def _whole(kind: type[T], page: Any, where: str) -> T:
    """A value with every field there: a default would be an input that somebody made up."""
    _check_whole(kind, page, where)
    return _converted(kind, page, where)


def _check_whole(kind: Any, page: Any, where: str) -> None:
    hints = get_type_hints(kind)
    for field in fields(kind):
        inner = _of(page, field.name, where)
        for nested in (one for one in _kinds(hints[field.name]) if is_dataclass(one)):
            for part in inner if isinstance(inner, list) else (inner,):
                if part is not None:
                    _check_whole(nested, part, f"{field.name} of {where}")


def _kinds(hint: Any) -> Iterator[Any]:
    """A type, and those that it is put together from."""
    yield hint
    for inner in get_args(hint):
        yield from _kinds(inner)


def _converted(kind: type[T], page: Any, where: str) -> T:
    try:
        return msgspec.convert(page, kind, strict=False)  # infinities are written as words
    except msgspec.ValidationError as wrong:
        raise MissingInput(f"{where}: {wrong}") from wrong

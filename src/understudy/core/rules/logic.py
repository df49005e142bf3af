"""Whether a rule can ever apply, and whether another one applies whenever it does.

A `when` is written as alternatives, each a list of literals (a condition, or its negation) that must all hold. Both answers are
careful: "never" and "always" are told only where the extents prove it.
"""

from __future__ import annotations

from itertools import product

from understudy.core.rules.rule import Condition
from understudy.core.rules.when import All, Is, Not, When
from understudy.core.value import value

ALTERNATIVES_MAX = 256
"""Beyond this nothing is proved of a `when`: nobody could read it either."""


@value
class Literal:
    """A condition that must hold, or must not."""

    condition: Condition
    wanted: bool


Alternative = tuple[Literal, ...]


def alternatives(when: When, *, wanted: bool = True) -> tuple[Alternative, ...] | None:
    """The `when` (or its negation) as alternatives; None when there are too many."""
    if isinstance(when, Is):
        return ((Literal(when.condition, wanted),),)
    if isinstance(when, Not):
        return alternatives(when.part, wanted=not wanted)
    parts: list[tuple[Alternative, ...]] = []
    for inner in when.parts:
        found = alternatives(inner, wanted=wanted)
        if found is None:
            return None
        parts.append(found)
    if isinstance(when, All) is not wanted:  # "not all" is any of the negations, "not any" all of them
        joined = tuple(one for part in parts for one in part)
        return joined if len(joined) <= ALTERNATIVES_MAX else None
    count = 1
    for part in parts:
        count *= len(part)
    if count > ALTERNATIVES_MAX:
        return None
    return tuple(tuple(literal for one in chosen for literal in one) for chosen in product(*parts))


def never(when: When) -> bool:
    """Whether it can be proved never to hold."""
    found = alternatives(when)
    return found is not None and all(_impossible(one) for one in found)


def always_with(when: When, other: When) -> bool:
    """Whether it can be proved that `when` holds whenever the other does."""
    mine, theirs = alternatives(when), alternatives(other)
    if mine is None or theirs is None:
        return False
    return all(any(_follows(one, given) for one in mine) for given in theirs if not _impossible(given))


def _impossible(one: Alternative) -> bool:
    """Whether its literals contradict each other, or one of them itself."""
    for number, literal in enumerate(one):
        if literal.wanted and any(extent.empty() for _, extent in literal.condition.extents()):
            return True
        if any(_contradict(literal, other) or _contradict(other, literal) for other in one[:number]):
            return True
    return False


def _contradict(one: Literal, other: Literal) -> bool:
    if one.wanted and other.wanted:
        return _apart(one.condition, other.condition)
    return one.wanted and not other.wanted and _covers(other.condition, one.condition)


def _follows(one: Alternative, given: Alternative) -> bool:
    """Whether every literal of the one follows from a literal that is given."""
    return all(any(_implied(literal, known) for known in given) for literal in one)


def _implied(literal: Literal, known: Literal) -> bool:
    if literal.wanted:
        return known.wanted and _covers(literal.condition, known.condition)
    if known.wanted:
        return _apart(literal.condition, known.condition)
    return _covers(known.condition, literal.condition)


def _covers(one: Condition, other: Condition) -> bool:
    """Whether `one` holds whenever the other does."""
    known = dict(other.extents())
    return all(key in known and extent.covers(known[key]) for key, extent in one.extents())


def _apart(one: Condition, other: Condition) -> bool:
    """Whether the two never hold together."""
    known = dict(other.extents())
    return any(key in known and extent.apart(known[key]) for key, extent in one.extents())

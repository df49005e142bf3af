"""The rules of a configuration, made ready for its names: nothing where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from understudy.config import Configuration
from understudy.config.rulebook import rulebook_of
from understudy.core.plan import RoutePlan
from understudy.core.rules.rule import Condition, preferred_of
from understudy.core.rules.rulebook import Rulebook
from understudy.core.rules.when import Is, Not, When
from understudy.core.scoreboard import Scoreboard


class Rules:
    """`books`: by the name that a request asks for. `headers`, `spends`: what their conditions look at there."""

    __slots__ = ("books", "headers", "spends")

    def __init__(self, configuration: Configuration, board: Scoreboard, plans: Mapping[str, RoutePlan]) -> None:
        whole = rulebook_of(configuration.rules)
        found = ((name, whole.for_name(name)) for name in plans)
        self.books: Mapping[str, Rulebook] = {name: book for name, book in found if book is not None}
        conditions = [one for rule in whole.rules for one in conditions_in(rule.when)]
        self.headers: tuple[str, ...] = tuple(dict.fromkeys(_of(conditions, "headers")))
        self.spends: tuple[tuple[str, str], ...] = tuple(dict.fromkeys(_of(conditions, "spends")))
        _make_room(configuration, board)


class _NoRules:
    books: Mapping[str, Rulebook] = {}
    headers: tuple[str, ...] = ()
    spends: tuple[tuple[str, str], ...] = ()


NO_RULES = _NoRules()


def conditions_in(when: When) -> Iterable[Condition]:
    """Every condition, wherever it stands."""
    if isinstance(when, Is):
        yield when.condition
        return
    for part in (when.part,) if isinstance(when, Not) else when.parts:
        yield from conditions_in(part)


def _of(conditions: Iterable[Condition], what: str) -> Iterable[Any]:
    """Everything that conditions say of themselves under that name, where they do."""
    return (one for condition in conditions for one in getattr(condition, what, tuple)())


def _make_room(configuration: Configuration, board: Scoreboard) -> None:
    """Give every target that a rule may bring into a route its breaker there now.

    Workers tell each other of breakers by number: all of them must make the same ones in the same order, whichever rule applies first.
    """
    for rule in configuration.rules:
        for name in preferred_of(rule):
            for route in configuration.routes.values():
                board.register(configuration.targets[name], route.policy.breaker)

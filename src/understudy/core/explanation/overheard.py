"""A choice made again while its strategy and its balancer tell of what they made it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from understudy.core.candidate import Ask, Candidate
from understudy.core.explanation.case import Case
from understudy.core.parts import Part


class Overheard:
    """What was told in one choice, by the target's name. Targets of which nothing was told are absent."""

    __slots__ = ("among_equals", "parts")

    def __init__(self, case: Case) -> None:
        self.parts: dict[str, tuple[Part, ...]] = {}
        self.among_equals: dict[str, tuple[Part, ...]] = {}
        plan = copy(case.plan)
        plan.strategy = _Strategy(case.plan.strategy, self.parts)
        plan.balancer = _Balancer(case.plan.balancer, self.among_equals)
        case.with_plan(plan).order()


class _Strategy:
    def __init__(self, asked: Any, told: dict[str, tuple[Part, ...]]) -> None:
        self.asked = asked
        self.told = told

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        _tell(self.asked, candidates, ask, self.told)
        found: list[float] = self.asked.scores(candidates, ask)
        return found


class _Balancer:
    def __init__(self, asked: Any, told: dict[str, tuple[Part, ...]]) -> None:
        self.asked = asked
        self.told = told

    def order(self, candidates: list[Candidate], ask: Ask) -> list[Candidate]:
        _tell(self.asked, candidates, ask, self.told)
        found: list[Candidate] = self.asked.order(candidates, ask)
        return found


def _tell(asked: Any, candidates: Sequence[Candidate], ask: Ask, told: dict[str, tuple[Part, ...]]) -> None:
    """Ask it with dice that stand where its own do, so that what it draws for telling is what it draws for choosing."""
    parts = getattr(asked, "parts", None)  # a third party's need not tell
    if parts is None:
        return
    found = parts(candidates, replace(ask, dice=copy(ask.dice)))
    for candidate, of_one in zip(candidates, found, strict=True):
        told[candidate.entry.target.name] = tuple(of_one)

"""The smallest change of each input that puts somebody else first: found by choosing again, so that what is told is what would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from math import log, sqrt
from typing import Any

from understudy.core.candidate import Exclusion
from understudy.core.explanation.case import Case
from understudy.core.explanation.knobs import KNOBS
from understudy.core.explanation.told import Flip
from understudy.core.request import FEATURES, Operation
from understudy.core.scales import time_ms
from understudy.core.value import value

FACTOR_MAX = 10.0
STEPS = (1.0, 1.02, 1.1, 1.3, 2.0, 4.0, FACTOR_MAX)
"""Factors that are tried, rising; between the last that changes nothing and the first that does, halving finds the smallest."""

HALVINGS = 7
TARGETS = 5
"""So many are looked at: the one that was chosen and the next best, and as many of those who were left out."""

SEEDS = 8
LOOKS_MAX = 1_000_000
LOOKS = 20
"""Looks at candidates, of which one explanation has so many: each choice made again takes 20 and one for each target. Enough for all
choices of a request among a dozen targets, or for one among a thousand; a second at most."""

BUDGETS = (0.5, 0.25, 0.1, 0.0, 1.0)

BOUNDS = (
    f"each input alone; the chosen one worse or one of the {TARGETS - 1} next better, by a factor of {FACTOR_MAX:g} at most; "
    f"settings that are not 0, tokens and the answer's bound by as much either way; {SEEDS} other draws; the next turn"
)

WORSE = {"latency": True, "failures": True, "price": True, "quality": False, "weight": False}
"""What is scaled of a target: whether more of it makes it worse."""


@value
class Try:
    """One thing to turn. `to`: for what is scaled a factor above or below 1, the farthest that is tried."""

    input: str
    about: str
    to: Any
    was: Any
    unit: str = ""
    scaled: bool = False


class Search:
    """The search for one choice's flips. `looks_left`: how much may still be looked at, shared with other searches."""

    def __init__(self, case: Case, excluded: tuple[Exclusion, ...], looks_left: int = LOOKS_MAX) -> None:
        self.case = case
        self.excluded = excluded
        self.looks_left = looks_left
        self.order, _ = case.order()
        self.first = self.order[0].target.name if self.order else None
        self.flips: list[Flip] = []
        self.held: list[str] = []
        self.unsearched: list[tuple[str, str]] = []

    def run(self) -> None:
        """Look at every input."""
        tries: dict[str, list[Try]] = {name: [] for name in KNOBS}
        alone = len(self.case.tier.entries) < 2  # whatever else happens to it, there is nobody to be put before it
        for one in self._switches(()) if alone else self._tries():
            tries[one.input].append(one)
        for name, of_input in tries.items():
            if self.looks_left <= 0:
                self.unsearched.append((name, "too many targets and choices to look at everything"))
            elif of_input:
                found = self._smallest(of_input)
                if found is None:
                    self.held.append(name)
                else:
                    self.flips.append(found)
        self.flips.sort(key=size)

    # What there is to turn

    def _tries(self) -> Iterator[Try]:
        names = [entry.target.name for entry in self.order[:TARGETS]]
        for name in names:
            yield from self._of_target(name)
        yield from self._settings()
        yield from self._needs()
        yield from self._circumstances()
        yield from self._switches(names)

    def _of_target(self, name: str) -> Iterator[Try]:
        entry, standing = self.case.entry(name), self.case.standing(name)
        assert entry is not None
        measures, target = standing.measures, entry.target
        loss = measures.first if self.case.ask.needs.stream else measures.whole
        rates = None if target.price is None else (target.price.input / 1e6, target.price.output / 1e6)
        known: dict[str, tuple[Any, str]] = {
            "latency": (time_ms(loss), "ms"),
            "failures": (measures.failing or None, "share"),
            "price": (rates, "$ per million tokens in, out"),
            "quality": (target.profile.quality if measures.rating is None else measures.rating, ""),
            "weight": (target.weight or None, ""),
        }
        for knob, more_is_worse in WORSE.items():
            was, unit = known[knob]
            if was is not None:
                grows = more_is_worse is (name == self.first)
                yield Try(knob, name, FACTOR_MAX if grows else 1.0 / FACTOR_MAX, was, unit, scaled=True)

    def _settings(self) -> Iterator[Try]:
        entries: tuple[tuple[str, Any], ...] = (
            ("strategy", self.case.plan.strategy),
            ("balancer", self.case.plan.balancer),
        )
        for of, entry in entries:
            for name in [field.name for field in fields(entry)] if is_dataclass(entry) else ():
                was = getattr(entry, name)
                if isinstance(was, float) and was != 0.0:
                    about = f"{of}.{name}"
                    yield Try("setting", about, FACTOR_MAX, was, scaled=True)
                    yield Try("setting", about, 1.0 / FACTOR_MAX, was, scaled=True)

    def _needs(self) -> Iterator[Try]:
        needs = self.case.ask.needs
        for knob, was in (("tokens", needs.tokens_in), ("answer", needs.max_tokens)):
            if was:
                yield Try(knob, "", FACTOR_MAX, was, "tokens", scaled=True)
                yield Try(knob, "", 1.0 / FACTOR_MAX, was, "tokens", scaled=True)
        yield Try("stream", "", not needs.stream, needs.stream)
        if needs.operation is Operation.CHAT:
            for name in FEATURES:
                needed = name in needs.features
                yield Try("feature", name, not needed, needed)

    def _circumstances(self) -> Iterator[Try]:
        ask = self.case.ask
        for left in BUDGETS:
            yield Try("budget", "", left, ask.budget_left, "share")
        if ask.warm is not None:
            yield Try("session", ask.session, None, "answered before")
        yield Try("turn", "", ask.turn + 1, ask.turn)
        for number in range(1, SEEDS + 1):
            yield Try("chance", "", number, 0)

    def _switches(self, names: Sequence[str]) -> Iterator[Try]:
        numbers = {entry.target.name: entry.target.priority for entry in self.order}
        for name, was in [(name, numbers[name]) for name in names]:
            rivals = [number for rival, number in numbers.items() if rival != name]
            if name != self.first:
                yield Try("priority", name, numbers[names[0]] - 1, was)
            elif rivals:
                yield Try("priority", name, min(rivals) + 1, was)
        if self.first is not None:
            yield Try("breaker", self.first, "open", "closed")
        for out in [one for one in self.excluded if one.reason in self.case.tier.passing][:TARGETS]:
            yield Try("breaker", out.target, "available", f"{out.reason}: {out.detail}")

    # Turning

    def _smallest(self, tries: list[Try]) -> Flip | None:
        """The smallest of one input; somebody else is preferred to nobody."""
        found: Flip | None = None
        for one in tries:
            flip = self._turned_on(one, found) if one.scaled else self._switched(one)
            if flip is not None and (found is None or size(flip) < size(found)):
                found = flip
        return found

    def _switched(self, one: Try) -> Flip | None:
        then = self._then(one, one.to)
        if then == self.first:
            return None
        return Flip(
            input=one.input,
            about=one.about,
            to=one.to,
            factor=None,
            was=one.was,
            becomes=one.to,
            unit=one.unit,
            then=then,
        )

    def _turned_on(self, one: Try, before: Flip | None) -> Flip | None:
        """Turn farther and farther, then halve; no farther than what was found before."""
        most = FACTOR_MAX if before is None or before.factor is None else _spread(before.factor)
        towards: Callable[[float], float] = (lambda step: step) if one.to > 1.0 else (lambda step: 1.0 / step)
        for low, high in pairwise(STEPS):
            if low >= most:
                return None
            if self._then(one, towards(high)) != self.first:
                return self._halved(one, low, high, towards)
        return None

    def _halved(self, one: Try, low: float, high: float, towards: Callable[[float], float]) -> Flip:
        for _ in range(HALVINGS):
            middle = sqrt(low * high)
            if self._then(one, towards(middle)) != self.first:
                high = middle
            else:
                low = middle
        factor = towards(high)
        short = float(f"{factor:.3g}")
        if self._then(one, short) != self.first:
            factor = short
        return Flip(
            input=one.input,
            about=one.about,
            to=factor,
            factor=factor,
            was=one.was,
            becomes=_scaled(one, factor),
            unit=one.unit,
            then=self._then(one, factor),
        )

    def _then(self, one: Try, to: Any) -> str | None:
        self.looks_left -= LOOKS + len(self.case.tier.entries)
        return KNOBS[one.input](self.case, one.about, to).first()


def turned(case: Case, flip: Flip) -> Case:
    """The case with a flip's change made. Not for rules, which change the route."""
    return KNOBS[flip.input](case, flip.about, flip.to)


def _scaled(one: Try, factor: float) -> Any:
    """What the figure becomes, for readers."""
    if isinstance(one.was, tuple):
        return tuple(part * factor for part in one.was)
    if isinstance(one.was, int):
        return round(one.was * factor)
    return min(1.0, one.was * factor) if one.input in ("failures", "quality") else one.was * factor


def _spread(factor: float) -> float:
    """How far from nothing changed, whichever way."""
    return max(factor, 1.0 / factor)


def size(flip: Flip) -> tuple[int, float]:
    """Small ones first: by factor, then what has none; last an outage, and what leaves nobody to ask."""
    if flip.then is None:
        return 3, 0.0
    if flip.factor is not None:
        return 0, log(_spread(flip.factor))
    return 2 if flip.input == "breaker" else 1, 0.0

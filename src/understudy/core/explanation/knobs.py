"""What can be turned in a case, one input at a time. A case is never changed: turning it gives another one."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import fields, replace
from typing import Any

from understudy.core.candidate import Entry
from understudy.core.catalogue.profile import Profile
from understudy.core.catalogue.traits import traits_of
from understudy.core.dice import Dice
from understudy.core.explanation.case import Case
from understudy.core.health.measures import Measures
from understudy.core.money import Price
from understudy.core.resilience.breaker import BreakerView, State
from understudy.core.resilience.rate import FULL
from understudy.core.scales import slow, time_ms
from understudy.core.standing import NO_ROOM, ROOM, Standing
from understudy.core.target import Target

TOKENS_MAX = 10**12
"""Callers may ask for answers of any length, beyond what a float can hold."""
OPEN_S = 60.0
"""For how long a breaker is opened that was closed."""

_RATES = tuple(field.name for field in fields(Price) if field.name not in ("longer", "longer_above"))


# Scaled: `to` is a factor


def latency(case: Case, target: str, factor: float) -> Case:
    """Its times of late, to the first content and to the end."""
    standing = case.standing(target)
    measures = standing.measures
    slower = replace(
        measures,
        first=slow(time_ms(measures.first) * factor),
        whole=slow(time_ms(measures.whole) * factor),
        first_ms=_times(measures.first_ms, factor),
        whole_ms=_times(measures.whole_ms, factor),
    )
    known = standing.latency_ms
    return case.with_standing(
        target, replace(standing, measures=slower, latency_ms=None if known is None else known * factor)
    )


def _times(known: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if known is None else (known[0] * factor, known[1] * factor)


def failures(case: Case, target: str, factor: float) -> Case:
    """The share of its attempts of late that failed, 1 at most."""
    standing = case.standing(target)
    failing = min(1.0, standing.measures.failing * factor)
    measures = replace(standing.measures, failing=failing, variance=failing * (1.0 - failing))
    return case.with_standing(target, replace(standing, measures=measures))


def price(case: Case, target: str, factor: float) -> Case:
    """All rates of its price."""
    entry = _entry(case, target)
    return _with_target(case, entry, replace(entry.target, price=_dearer(entry.target.price, factor)))


def _dearer(known: Price | None, factor: float) -> Price | None:
    if known is None:
        return None
    rates: dict[str, Any] = {name: getattr(known, name) for name in _RATES}
    rates = {name: None if rate is None else round(rate * factor) for name, rate in rates.items()}
    return replace(known, **rates, longer=_dearer(known.longer, factor))


def quality(case: Case, target: str, factor: float) -> Case:
    """Its quality and its scores, 1 at most; the ratings of its answers, too."""
    entry, standing = _entry(case, target), case.standing(target)
    profile: Profile = entry.target.profile
    scored = replace(
        profile,
        quality=None if profile.quality is None else min(1.0, profile.quality * factor),
        scores=tuple((name, min(1.0, score * factor)) for name, score in profile.scores),
    )
    rating = standing.measures.rating
    if rating is not None:
        rated: Measures = replace(standing.measures, rating=min(1.0, rating * factor))
        case = case.with_standing(target, replace(standing, measures=rated))
    return _with_target(case, entry, replace(entry.target, profile=scored))


def weight(case: Case, target: str, factor: float) -> Case:
    """Its weight among equals."""
    entry = _entry(case, target)
    return _with_target(case, entry, replace(entry.target, weight=entry.target.weight * factor))


def setting(case: Case, name: str, factor: float) -> Case:
    """A number among the settings of the strategy or of the balancer, written `strategy.cost`; as it is where nobody can set it so."""
    of, _, field = name.partition(".")
    plan = copy(case.plan)
    entry: Any = getattr(plan, of)
    try:
        changed = replace(entry, **{field: getattr(entry, field) * factor})
    except ValueError:
        return case
    setattr(plan, of, changed)
    return case.with_plan(plan)


def tokens(case: Case, _about: str, factor: float) -> Case:
    """The length of the prompt."""
    needs = case.ask.needs
    return case.with_ask(replace(case.ask, needs=replace(needs, tokens_in=round(needs.tokens_in * factor))))


def answer(case: Case, _about: str, factor: float) -> Case:
    """The caller's bound on the answer, one token at least."""
    needs = case.ask.needs
    assert needs.max_tokens is not None
    bound = max(1, min(needs.max_tokens, TOKENS_MAX))
    return case.with_ask(replace(case.ask, needs=replace(needs, max_tokens=max(1, round(bound * factor)))))


# Switched: `to` is what it becomes


def breaker(case: Case, target: str, to: str) -> Case:
    """Its breaker opens; or it is held back by nothing any more: breaker closed, no cool-down, limits untouched."""
    standing = case.standing(target)
    return case.with_standing(target, _shut(standing, case.ask.now_s) if to == "open" else _calm(standing))


def _shut(standing: Standing, now_s: float) -> Standing:
    views = tuple(BreakerView(State.OPEN, now_s + OPEN_S, 0, view.ramp_s, calm=False) for view in standing.breakers)
    return replace(standing, room=NO_ROOM, breakers=views)


def _calm(standing: Standing) -> Standing:
    views = tuple(BreakerView(State.CLOSED, 0.0, view.tests_free, view.ramp_s) for view in standing.breakers)
    return replace(
        standing,
        room=ROOM,
        in_flight=0,
        breakers=views,
        cool_down_until_s=0.0,
        cool_down_kind=None,
        requests_empty_s=FULL,
        tokens_empty_s=FULL,
    )


def priority(case: Case, target: str, to: int) -> Case:
    """Its number."""
    entry = _entry(case, target)
    return _with_target(case, entry, replace(entry.target, priority=to))


def stream(case: Case, _about: str, to: bool) -> Case:  # noqa: FBT001  every knob is turned alike
    """Whether the answer is streamed."""
    return case.with_ask(replace(case.ask, needs=replace(case.ask.needs, stream=to)))


def feature(case: Case, name: str, to: bool) -> Case:  # noqa: FBT001
    """Whether the request needs it."""
    needs = case.ask.needs
    names = {*needs.features, name} if to else {*needs.features} - {name}
    return case.with_ask(replace(case.ask, needs=replace(needs, features=tuple(sorted(names)))))


def budget(case: Case, _about: str, to: float) -> Case:
    """The share of the tightest budget that is left."""
    return case.with_ask(replace(case.ask, budget_left=to))


def session(case: Case, _about: str, _to: None) -> Case:
    """As if nobody had answered the session before."""
    return case.with_ask(replace(case.ask, warm=None))


def turn(case: Case, _about: str, to: int) -> Case:
    """The number of choices made before."""
    return case.with_ask(replace(case.ask, turn=to))


def chance(case: Case, _about: str, to: int) -> Case:
    """Another sequence of chance, the so-manieth after its own."""
    return case.with_ask(replace(case.ask, dice=Dice(case.ask.dice.seed + to)))


Knob = Callable[[Case, str, Any], Case]

KNOBS: dict[str, Knob] = {
    "latency": latency,
    "failures": failures,
    "price": price,
    "quality": quality,
    "weight": weight,
    "setting": setting,
    "tokens": tokens,
    "answer": answer,
    "priority": priority,
    "stream": stream,
    "feature": feature,
    "budget": budget,
    "session": session,
    "turn": turn,
    "chance": chance,
    "breaker": breaker,
}
"""By the input's name, in the order in which they are told where neither is smaller than the other."""


def _entry(case: Case, target: str) -> Entry:
    entry = case.entry(target)
    assert entry is not None
    return entry


def _with_target(case: Case, entry: Entry, target: Target) -> Case:
    """The case with an entry whose target is changed, weighed as the route's planning weighs it."""
    wanted = next((one.target.profile.same_as for one in case.tier.entries if one.traits.equivalent), None)
    return case.with_entry(replace(entry, target=target, traits=traits_of(target, wanted)))

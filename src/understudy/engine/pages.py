"""Requests' records as they are kept: what each says by itself as bytes, what it shares with others as references.

As objects, the record of a plain request takes 1.7 KB, of one with a fallback 3.3 KB; written, a third. A page of them is written at
once, while they are at hand: under load that costs what freeing them costs ten thousand requests later, long out of every cache.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

import msgspec

from understudy.core.candidate import Tried
from understudy.core.decision import Choice, Decision
from understudy.core.failure import Failure
from understudy.core.outcome import Outcome, Result
from understudy.core.request import Needs
from understudy.core.sessions import Warm
from understudy.core.usage import Usage

V = TypeVar("V")

Record = tuple[Decision, Result]

UNSAYABLE = (OverflowError, UnicodeEncodeError)
"""An integer beyond 64 bits, or half a character: callers may send them."""


class Form(Generic[V]):
    """How values of one class are written: the fields that say something by themselves, in their order.

    `apart`: the other ones, which the writer sees to: values in a form of their own, or references. A field that the class gets later
    is written, too, if it is text, a number, a truth, an enum's member, or a tuple of such.
    """

    def __init__(self, made: type[V], *apart: str) -> None:
        slots: tuple[str, ...] = made.__slots__  # type: ignore[attr-defined]  # every value has them
        self.made = made
        self.names = tuple(name for name in slots if name not in apart)

    @cached_property
    def members(self) -> dict[str, type[Enum]]:
        """The fields that hold an enum's members: they are written as what these stand for."""
        hints = get_type_hints(self.made)
        return {
            name: kind
            for name in self.names
            for kind in (hints.get(name), *get_args(hints.get(name)))
            if isinstance(kind, type) and issubclass(kind, Enum)
        }

    def read(self, told: Iterator[Any], **apart: Any) -> V:
        """The value again. `apart`: its other fields."""
        made = self.made.__new__(self.made)
        for name in self.names:
            said, member = next(told), self.members.get(name)
            setattr(made, name, _tuples(said) if member is None or said is None else member(said))
        for name, said in apart.items():
            setattr(made, name, said)
        return made


def _writer(*forms: Form[Any]) -> Callable[..., tuple[Any, ...]]:
    """Makes one row of values of these forms. Compiled, as dataclasses' methods are: an `attrgetter` takes two and a half times as long."""
    fields = "".join(f"v{number}.{name}, " for number, form in enumerate(forms) for name in form.names)
    values = ", ".join(f"v{number}" for number in range(len(forms)))
    return cast("Callable[..., tuple[Any, ...]]", eval(f"lambda {values}: ({fields})", {}))  # noqa: S307  only names of slots


DECISION = Form(Decision, "needs", "choices", "ruling")
NEEDS = Form(Needs, "task")
CHOICE = Form(Choice, "tier", "entries", "excluded", "standings", "tried", "warm")
TRIED = Form(Tried)
WARM = Form(Warm)
RESULT = Form(Result, "decision", "attempts", "winner", "failure")
OUTCOME = Form(Outcome, "failure", "usage")
FAILURE = Form(Failure, "body")
"""Without the provider's error body: whoever was to see it has seen it, and it may hold what callers sent."""

USAGE = Form(Usage)

_frame = _writer(DECISION, NEEDS, RESULT)
_choice, _tried, _warm = _writer(CHOICE), _writer(TRIED), _writer(WARM)
_outcome, _used, _failed = _writer(OUTCOME), _writer(OUTCOME, USAGE), _writer(FAILURE)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.decode


class Page:
    """Some records, written. `numbers`: of their requests, in the order of the records. `size`: what it takes, about, in bytes."""

    __slots__ = ("_shared", "_written", "highest", "lowest", "numbers", "size")

    def __init__(self, records: list[Record]) -> None:
        shared: list[Any] = []
        told = [_told(decision, result, shared) for decision, result in records]
        try:
            self._written = _encode(told)
        except UNSAYABLE:
            self._written = _encode([_sayable(one) for one in told])
        self._shared = tuple(shared)
        self.numbers = array("Q", [decision.number for decision, _ in records])
        self.lowest, self.highest = min(self.numbers), max(self.numbers)
        self.size = len(self._written) + 8 * len(shared)

    def record(self, number: int) -> Record | None:
        """One request's record; None when it is not here."""
        if not self.lowest <= number <= self.highest or number not in self.numbers:
            return None
        told = _decode(self._written, type=list[msgspec.Raw])[self.numbers.index(number)]
        return _read(_decode(told), self._shared)


def _told(decision: Decision, result: Result, shared: list[Any]) -> tuple[Any, ...]:
    """What one record says by itself. To `shared` go the task, the ruling and, for each choice, its tier, standings and exclusions."""
    begin = len(shared)
    needs, attempts, winner, failure = decision.needs, result.attempts, result.winner, result.failure
    shared += (needs.task, decision.ruling)
    choices = []
    for choice in decision.choices:
        tier, entries, excluded, tried, warm = choice.tier, choice.entries, choice.excluded, choice.tried, choice.warm
        shared.append(tier)
        shared += choice.standings
        if excluded:
            shared += excluded
        choices.append(
            (
                _choice(choice),
                None if entries is tier.entries else [entry.position for entry in entries],
                len(excluded),
                [(slot, *_tried(each)) for slot, each in tried.items()] if tried else None,
                None if warm is None else _warm(warm),
            )
        )
    return (
        begin,
        _frame(decision, needs, result),
        choices,
        [
            (
                _outcome(outcome) if outcome.usage is None else _used(outcome, outcome.usage),
                None if outcome.failure is None else _failed(outcome.failure),
            )
            for outcome in attempts
        ],
        None if winner is None else _place(attempts, winner),
        None if failure is None else _failed(failure),
    )


def _sayable(told: tuple[Any, ...]) -> Any:
    """What is told of a record, in a roomier form where the usual one cannot say it."""
    try:
        _encode(told)
    except UNSAYABLE:
        return pickle.dumps(told, protocol=pickle.HIGHEST_PROTOCOL)
    return told


def _read(told: Any, shared: tuple[Any, ...]) -> Record:
    """A record again, equal in everything that is ever told of it: see `FAILURE`."""
    if isinstance(told, bytes):
        told = pickle.loads(told)  # noqa: S301  our own words, which never left this process
    begin, frame, choices, tries, winner, failure = told
    task, ruling = shared[begin : begin + 2]
    said = iter(frame)
    decision = DECISION.read(said, needs=None, choices=_choices(choices, shared, begin + 2), ruling=ruling)
    decision.needs = NEEDS.read(said, task=task)
    attempts = tuple(_attempt(iter(one), failed) for one, failed in tries)
    result = RESULT.read(
        said,
        decision=decision.id,
        attempts=attempts,
        winner=None if winner is None else attempts[winner],
        failure=_failure(failure),
    )
    return decision, result


def _choices(told: list[Any], shared: tuple[Any, ...], begin: int) -> tuple[Choice, ...]:
    """`begin`: where in `shared` the first one's tier is."""
    choices = []
    for choice, positions, excluded, tried, warm in told:
        tier = shared[begin]
        standings = begin + 1
        exclusions = standings + len(tier.entries)
        begin = exclusions + excluded
        by_position = {entry.position: entry for entry in tier.entries}
        choices.append(
            CHOICE.read(
                iter(choice),
                tier=tier,
                entries=tier.entries if positions is None else tuple(by_position[position] for position in positions),
                standings=shared[standings:exclusions],
                excluded=shared[exclusions:begin],
                tried={slot: TRIED.read(iter(each)) for slot, *each in tried or ()},
                warm=None if warm is None else WARM.read(iter(warm)),
            )
        )
    return tuple(choices)


def _attempt(said: Iterator[Any], failed: list[Any] | None) -> Outcome:
    outcome = OUTCOME.read(said, failure=_failure(failed), usage=None)
    rest = list(said)
    return replace(outcome, usage=USAGE.read(iter(rest))) if rest else outcome


def _failure(told: list[Any] | None) -> Failure | None:
    return None if told is None else FAILURE.read(iter(told), body=None)


def _place(attempts: tuple[Outcome, ...], winner: Outcome) -> int:
    """Where the winner is, itself and not one that is equal; the last one, nearly always."""
    place = len(attempts) - 1
    while attempts[place] is not winner:
        place -= 1
    return place


def _tuples(said: Any) -> Any:
    """What was a tuple was read as a list."""
    return tuple(map(_tuples, said)) if isinstance(said, list) else said

"""The one stream of what happened, numbered and bounded; whoever counts, shows or keeps anything is an observer of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from understudy.core.decision import Decision
from understudy.core.event import Event
from understudy.core.outcome import Result

DECISIONS_MAX = 10_000
"""How many requests can be read back by their decision's id."""

Observer = Callable[[int, Event], None]


class Events:
    """Numbers events and tells the observers, in order. An observer that raises is told of through `on_error` and stays."""

    __slots__ = ("_observers", "_on_error", "number")

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._observers: dict[type[Event], list[Observer]] = {}
        self._on_error = on_error
        self.number = 0

    def observe(self, observer: Observer, *kinds: type[Event]) -> None:
        """Tell this one, too, from now on, of events of these kinds; without any, of all."""
        for kind in kinds or get_args(Event):
            self._observers.setdefault(kind, []).append(observer)

    def hears(self, kind: type[Event]) -> bool:
        """Whether anyone would be told of such an event: what every request does need not be made for nobody."""
        return kind in self._observers

    def emit(self, event: Event) -> None:
        """Something happened."""
        self.number += 1
        for observer in self._observers.get(type(event), ()):
            try:
                observer(self.number, event)
            except Exception as error:  # noqa: BLE001  an observer's fault must not become the request's
                self._on_error(error)


class Tally:
    """How many requests there were, and how they went. Kept by hand: an event for every request only to count it costs more."""

    __slots__ = ("attempts", "degraded", "failed", "requests")

    def __init__(self) -> None:
        self.requests = self.attempts = self.failed = self.degraded = 0

    def add(self, result: Result) -> None:
        """One request is over."""
        self.requests += 1
        self.attempts += len(result.attempts)
        if result.failure is not None:
            self.failed += 1
        if result.degraded:
            self.degraded += 1


class Decisions:
    """The last requests' decisions and results.

    Two rings by the requests' numbers: an ordered dictionary of this size costs every request some cold memory more.
    """

    __slots__ = ("_decisions", "_results", "_size")

    def __init__(self, size: int = DECISIONS_MAX) -> None:
        self._size = size
        self._decisions: list[Decision | None] = [None] * size
        self._results: list[Result | None] = [None] * size

    def keep(self, decision: Decision, result: Result) -> None:
        """Keep one that is complete, in place of the one that many requests before."""
        place = decision.number % self._size
        self._decisions[place] = decision
        self._results[place] = result

    def get(self, id_: str) -> tuple[Decision, Result] | None:
        """One by its id; None when it was never there, or is gone."""
        try:
            place = number_of(id_) % self._size
        except ValueError:
            return None
        decision, result = self._decisions[place], self._results[place]
        return (decision, result) if decision is not None and result is not None and decision.id == id_ else None


def number_of(id_: str) -> int:
    """The number of a request, which its decision's id ends with. Raises `ValueError` when it is no such id."""
    return int(id_[id_.rfind("-") + 1 :], 16)

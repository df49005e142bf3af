"""The one stream of what happened, numbered and bounded; whoever counts, shows or keeps anything is an observer of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

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
        self._observers: list[Observer] = []
        self._on_error = on_error
        self.number = 0

    def observe(self, observer: Observer) -> None:
        """Tell this one, too, from now on."""
        self._observers.append(observer)

    def emit(self, event: Event) -> None:
        """Something happened."""
        self.number += 1
        for observer in self._observers:
            try:
                observer(self.number, event)
            except Exception as error:  # noqa: BLE001  an observer's fault must not become the request's
                self._on_error(error)


class Decisions:
    """The last requests' decisions and results, by id; the oldest goes when the ring is full."""

    __slots__ = ("_kept", "_size")

    def __init__(self, size: int = DECISIONS_MAX) -> None:
        self._kept: OrderedDict[str, tuple[Decision, Result]] = OrderedDict()
        self._size = size

    def keep(self, decision: Decision, result: Result) -> None:
        """Keep one that is complete."""
        kept = self._kept
        kept[decision.id] = (decision, result)
        if len(kept) > self._size:
            kept.popitem(last=False)

    def get(self, id_: str) -> tuple[Decision, Result] | None:
        """One by its id; None when it was never there, or is gone."""
        return self._kept.get(id_)

"""The one stream of what happened, numbered and bounded; whoever counts, shows or keeps anything is an observer of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import get_args

from understudy.core.decision import Decision
from understudy.core.event import Event
from understudy.core.outcome import Result
from understudy.engine.pages import Page, Record

DECISIONS_MAX = 10_000
"""How many requests can be read back by their decision's id."""

DECISIONS_BYTES_MAX = 64 * 1024 * 1024
"""What their records may take: fewer can be read back where callers send huge names, or tiers are huge."""

PAGE = 32
"""Records that are written down at once: what they take as objects still fits a core's own cache."""

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
    """The last requests' decisions and results: the latest few as they are, the others on pages (see `pages`).

    `pages_max`, `bytes_max`: how many pages are kept, and how much they may take; the oldest one goes first.
    """

    __slots__ = ("_bytes", "_bytes_max", "_latest", "_pages", "_pages_max")

    def __init__(self, pages_max: int = DECISIONS_MAX // PAGE + 1, bytes_max: int = DECISIONS_BYTES_MAX) -> None:
        self._pages_max = pages_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._latest: list[Record] = []
        self._pages: deque[Page] = deque()

    def keep(self, decision: Decision, result: Result) -> None:
        """Keep one that is complete."""
        self._latest.append((decision, result))
        if len(self._latest) == PAGE:
            self._turn()

    def _turn(self) -> None:
        """Write the latest ones down."""
        pages = self._pages
        page = Page(self._latest)
        self._latest = []
        pages.append(page)
        self._bytes += page.size
        while len(pages) > self._pages_max or self._bytes > self._bytes_max:
            self._bytes -= pages.popleft().size

    def get(self, id_: str) -> Record | None:
        """One by its id; None when it was never there, or is gone."""
        for record in reversed(self._latest):
            if record[0].id == id_:
                return record
        try:
            number = number_of(id_)
        except ValueError:
            return None
        for page in reversed(self._pages):
            found = page.record(number)
            if found is not None:
                return found if found[0].id == id_ else None
        return None


def number_of(id_: str) -> int:
    """The number of a request, which its decision's id ends with. Raises `ValueError` when it is no such id."""
    return int(id_[id_.rfind("-") + 1 :], 16)

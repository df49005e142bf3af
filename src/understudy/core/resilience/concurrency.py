"""Adaptive concurrency: how many requests a target takes at once before they only wait for each other.

The gradient of the time that answers take, as in Netflix's concurrency-limits (Gradient2) and Envoy's adaptive concurrency filter:

    gradient = min(1, TOLERANCE * usual time / present time)        never below 1/2
    limit   <- limit * gradient + headroom                          headroom: a tenth of the limit, 1 at least

The *usual* time is learned from windows in which the target was not busy. While it is busy and its answers take as long as usual, the
limit grows by the headroom; when they take longer, requests wait for each other there, and it shrinks until they do not.
"""

from __future__ import annotations

TOLERANCE = 1.2
"""How much longer than usual answers may take before the limit shrinks: medians of few samples are not exact."""

HEADROOM = 0.1
WINDOW = 10
"""Samples in a window, at least; and as many as the limit, so that one window is about one turnaround of all places."""

BUSY = 0.5
"""A window in which no more than this share of the limit was in flight says what is usual, and nothing about the limit."""

FIRST_LIMIT = 20.0
LEARNING = 0.2
"""How far one calm window moves what is usual."""

SINK = 0.02
"""How far one busy window does, where answers came sooner than usual. Jumping to the shortest time ever seen would take chance for
speed."""

LOOK_EVERY = 50
"""Busy windows, after which for two of them no more than `BUSY` of the limit is let in: whoever is never calm must still learn that
the target has become slower for good. The first of the two empties what waits there, the second says what is usual."""

BACKOFF = 0.8
"""What an overload leaves of the limit: the target itself says that it is too much."""


class Concurrency:
    """The limit for one target. `most`: the operator's own bound, None without one."""

    __slots__ = ("_busiest", "_busy_windows", "_limit", "_looks", "_most", "_spared", "_times_ms", "_usual_ms")

    def __init__(self, most: int | None) -> None:
        self._most = float("inf") if most is None else float(most)
        self._limit = min(FIRST_LIMIT, self._most)
        self._usual_ms: float | None = None
        self._times_ms: list[float] = []
        self._busiest = 0
        self._busy_windows = 0
        self._looks = 0  # windows of a look that are still to come
        self._spared = (
            0  # ends of attempts until an overload counts again: those begun before the last one say nothing new
        )

    @property
    def limit(self) -> int:
        """So many at the same time, 1 at least."""
        return max(1, int(self._limit * BUSY if self._looks else self._limit))

    def answered(self, took_ms: float, in_flight: int) -> None:
        """An answer came after `took_ms`; `in_flight`: attempts at that moment, this one included."""
        self._spared = max(0, self._spared - 1)
        self._times_ms.append(took_ms)
        self._busiest = max(self._busiest, in_flight)
        if len(self._times_ms) >= max(WINDOW, self._limit):
            self._close_window()

    def overloaded(self, in_flight: int) -> None:
        """The target refused, or did not answer in time."""
        if self._spared:
            self._spared -= 1
            return
        self._spared = in_flight
        self._limit = max(1.0, min(self._limit, in_flight) * BACKOFF)
        self._clear()

    def _close_window(self) -> None:
        present_ms = _median(self._times_ms)
        if self._usual_ms is None:
            self._usual_ms = present_ms
        elif self._looks == 2:
            self._looks = 1
        elif self._looks or self._busiest <= BUSY * self._limit:
            self._looks = self._busy_windows = 0
            self._usual_ms += LEARNING * (present_ms - self._usual_ms)
        else:
            self._adjust(self._usual_ms, present_ms)
        self._clear()

    def _adjust(self, usual_ms: float, present_ms: float) -> None:
        """Take in a busy window."""
        if present_ms < usual_ms:
            self._usual_ms = usual_ms + SINK * (present_ms - usual_ms)
        gradient = max(0.5, min(1.0, TOLERANCE * usual_ms / max(present_ms, 1e-3)))
        self._limit = min(self._most, max(1.0, self._limit * gradient + max(1.0, HEADROOM * self._limit)))
        self._busy_windows += 1
        if self._busy_windows >= LOOK_EVERY:
            self._looks = 2

    def _clear(self) -> None:
        self._times_ms.clear()
        self._busiest = 0


def _median(times_ms: list[float]) -> float:
    """Ours, because the module for it takes 0.4 MB in every worker."""
    ordered = sorted(times_ms)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

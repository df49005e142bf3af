"""An event loop whose time jumps: when nothing is ready it is at once as late as the next timer. No sockets, no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingWillHappen(RuntimeError):
    """Everyone waits, and no timer is set: on a real loop this would hang for ever."""


class _Jump:
    """Stands where the loop keeps its selector: instead of waiting for a socket it moves the time."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Nothing ever arrives from outside; so much time passes."""
        if timeout is None:
            raise NothingWillHappen("every task waits for something that no timer will bring about")
        if timeout > 0:
            self._loop.jump()
        return []


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """Runs tasks as the real one does. `time()` is in virtual seconds, from 0."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jump(self)
        self._now_s = 0.0
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def jump(self) -> None:
        """To the next timer, exactly: a sum of waits would drift."""
        self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody has to be woken: the loop never sleeps."""


def run_virtual(main: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run a coroutine on a loop of its own. Returns what it returns, and how many virtual seconds that took."""
    loop = VirtualTimeLoop()
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            found = runner.run(main)
            return found, loop.time()
    finally:
        loop.close()

"""The event loop whose time jumps."""

from __future__ import annotations

import asyncio
import time

import pytest

from understudy.sim.loop import NothingWillHappen, run_virtual


def test_a_day_passes_at_once() -> None:
    begun_s = time.perf_counter()
    _, took_s = run_virtual(asyncio.sleep(86_400.0))
    assert took_s == 86_400.0
    assert time.perf_counter() - begun_s < 1.0


def test_timers_are_met_exactly_and_in_their_order() -> None:
    met: list[tuple[str, float]] = []

    async def wait(name: str, for_s: float) -> None:
        await asyncio.sleep(for_s)
        met.append((name, asyncio.get_running_loop().time()))

    async def main() -> None:
        await asyncio.gather(wait("late", 0.3), wait("early", 0.1), wait("middle", 0.2))

    run_virtual(main())
    assert met == [("early", 0.1), ("middle", 0.2), ("late", 0.3)]


def test_a_wait_that_nothing_ends_is_told_instead_of_hanging() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(NothingWillHappen):
        run_virtual(main())

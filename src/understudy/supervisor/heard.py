"""What workers told of their targets and still holds, for a worker that starts later: it must not learn of an outage by asking.

Told are states and what is left of their times, not moments: every process has a clock of its own.
"""

from __future__ import annotations

from dataclasses import replace

from understudy.core.event import BreakerChanged, CoolDownSet, ProbeExpected
from understudy.core.failure import Implicates
from understudy.core.resilience.breaker import State

Event = BreakerChanged | CoolDownSet | ProbeExpected


class Heard:
    """The latest news of each breaker, the longest cool-down of each scope and the next look at each target, and when they were over."""

    __slots__ = ("_breakers", "_looks", "_rests")

    def __init__(self) -> None:
        self._breakers: dict[tuple[str, int], tuple[BreakerChanged, float]] = {}
        self._rests: dict[tuple[str, Implicates], tuple[CoolDownSet, float]] = {}
        self._looks: dict[str, tuple[ProbeExpected, float]] = {}

    def note(self, event: Event, now_s: float) -> None:
        """News from a worker."""
        over_s = now_s + event.rest_s
        if isinstance(event, BreakerChanged):
            key = (event.target, event.breaker)
            if event.state is State.CLOSED:  # as it is in the beginning
                self._breakers.pop(key, None)
            else:
                self._breakers[key] = (event, over_s)
        elif isinstance(event, CoolDownSet):
            known = self._rests.get((event.target, event.scope))
            if known is None or over_s > known[1]:
                self._rests[event.target, event.scope] = (event, over_s)
        else:
            self._looks[event.target] = (event, over_s)

    def left(self, now_s: float) -> tuple[Event, ...]:
        """What is to be told now: breakers first, for a look is one at an open breaker."""
        breakers = [replace(event, rest_s=max(0.0, over_s - now_s)) for event, over_s in self._breakers.values()]
        rests = [replace(event, rest_s=over_s - now_s) for event, over_s in self._rests.values() if over_s > now_s]
        looks = [replace(event, rest_s=over_s - now_s) for event, over_s in self._looks.values() if over_s > now_s]
        return (*breakers, *rests, *looks)

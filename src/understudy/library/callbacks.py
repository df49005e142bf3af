"""Events of the router under the names that callbacks know, and the calling of them."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable

from understudy.core.event import (
    AlarmChanged,
    AnswerRated,
    AttemptEnded,
    BreakerChanged,
    CoolDownSet,
    Event,
    RequestEnded,
    TargetProbed,
)
from understudy.core.failure import Failure, Then
from understudy.core.resilience.breaker import State
from understudy.core.value import keyword_value

log = logging.getLogger("understudy")

Callback = Callable[["Happening"], Awaitable[None] | None]


@keyword_value
class Happening:
    """An event as callbacks get it. `name`: see `EVENTS`. `event`: the value itself.

    `target`: whom it is about, None for a whole request. `failure`: what went wrong. `goes_on`: whether the request looks
    further after that failure, at this target or another.
    """

    name: str
    event: Event
    target: str | None = None
    failure: Failure | None = None
    goes_on: bool = False


EVENTS = (
    "attempt_succeeded",
    "attempt_failed",
    "request_answered",
    "request_failed",
    "degraded",  # a request was answered by a stand-in or a degraded tier; comes with request_answered
    "breaker_opened",
    "breaker_half_opened",
    "breaker_closed",
    "breaker_ordered",  # by an operator: forced open, or only watching
    "cooling_down",
    "probed",  # an active probe of a target is over
    "getting_worse",  # a target's times or failures changed for the worse
    "worse_no_more",
    "rated",
)

_BREAKER_NAMES = {
    State.OPEN: "breaker_opened",
    State.HALF_OPEN: "breaker_half_opened",
    State.CLOSED: "breaker_closed",
    State.FORCED_OPEN: "breaker_ordered",
    State.WATCH_ONLY: "breaker_ordered",
}


class Callbacks:
    """Who is to be told of what. They run after the event, on the loop; what they raise is logged and breaks nothing."""

    def __init__(self) -> None:
        self._wanted: dict[str, list[Callback]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def add(self, event: str, callback: Callback) -> None:
        """Tell it from now on. Raises `ValueError` for a name that is not in `EVENTS`."""
        if event not in EVENTS:
            raise ValueError(f"there is no event {event!r}; there are: {', '.join(EVENTS)}")
        self._wanted.setdefault(event, []).append(callback)

    def remove(self, event: str, callback: Callback) -> None:
        """Tell it no more. Raises `ValueError` when it was not asked to."""
        wanted = self._wanted.get(event, [])
        if callback not in wanted:
            raise ValueError(f"{callback!r} is not called after {event!r}")
        wanted.remove(callback)

    def tell(self, event: Event, loop: asyncio.AbstractEventLoop) -> None:
        """Have everyone called who wants to know of this event."""
        if self._wanted:
            for happening in happenings(event):
                for callback in self._wanted.get(happening.name, ()):
                    loop.call_soon(self._call, callback, happening)

    async def settled(self) -> None:
        """Wait until those that await something are done, five seconds at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=5)

    def _call(self, callback: Callback, happening: Happening) -> None:
        try:
            waiting = callback(happening)
        except Exception:
            log.exception("a callback for %s failed", happening.name)
            return
        if inspect.isawaitable(waiting):
            task = asyncio.ensure_future(_guarded(waiting, happening.name))
            self._running.add(task)
            task.add_done_callback(self._running.discard)


def happenings(event: Event) -> Iterable[Happening]:
    """An event of the engine under the names that callbacks know."""
    if isinstance(event, AttemptEnded):
        outcome = event.outcome
        failure = outcome.failure
        goes_on = failure is not None and failure.then is not Then.STOP and not outcome.committed
        name = "attempt_succeeded" if failure is None else "attempt_failed"
        yield Happening(name=name, event=event, target=outcome.target, failure=failure, goes_on=goes_on)
    elif isinstance(event, RequestEnded):
        result = event.result
        target = result.winner.target if result.winner else None
        name = "request_answered" if result.failure is None else "request_failed"
        yield Happening(name=name, event=event, target=target, failure=result.failure)
        if result.degraded and result.failure is None:
            yield Happening(name="degraded", event=event, target=target)
    elif isinstance(event, BreakerChanged):
        yield Happening(name=_BREAKER_NAMES[event.state], event=event, target=event.target)
    elif isinstance(event, CoolDownSet):
        yield Happening(name="cooling_down", event=event, target=event.target)
    elif isinstance(event, TargetProbed):
        yield Happening(name="probed", event=event, target=event.outcome.target, failure=event.outcome.failure)
    elif isinstance(event, AlarmChanged):
        yield Happening(name="getting_worse" if event.on else "worse_no_more", event=event, target=event.target)
    elif isinstance(event, AnswerRated):
        yield Happening(name="rated", event=event, target=event.target)


async def _guarded(waiting: Awaitable[None], name: str) -> None:
    try:
        await waiting
    except Exception:
        log.exception("a callback for %s failed", name)

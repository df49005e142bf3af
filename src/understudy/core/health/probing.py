"""Active probes: who is to be looked at, and when. Sockets are the engine's affair, virtual time the simulator's.

A target whose breaker is open is probed soon after it opened and then ever more rarely, up to `interval_s`: how late its recovery
is seen is then in proportion to how long it was away. A good answer makes the breaker half-open, and callers' test requests
do the rest. While a target is gone for a short time only, the board is told when the next look comes, so that a request with nobody
else to ask may wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from understudy.core.dice import Dice
from understudy.core.health.measures import REMEMBERED
from understudy.core.resilience.breaker import BreakerView, State
from understudy.core.scoreboard import Scoreboard
from understudy.core.standing import Standing
from understudy.core.target import Probe
from understudy.core.value import keyword_value

FIRST_S = 2.0
"""From the opening to the first probe: what is over by then was a hiccup."""

GROWTH = 2.0
JITTER = 0.2
"""By which share of itself a gap is shortened at random: who failed together is not probed together."""

TOKENS = 32
"""What a small request takes of a limit on tokens, roughly."""


@keyword_value
class Health:
    """How targets are watched. `probe`: the way, where a target says no other. `interval_s`: the longest between two probes of one.

    `idle_s`: a target that nobody asked for so long is probed, too; None: only those whose breaker is open. `alarms`: look for changes
    for the worse at every target, not only where a strategy or a route reads that. `window`: attempts that a target's record
    is made of at most.
    """

    interval_s: float = 30.0
    probe: Probe = Probe.MODELS
    idle_s: float | None = None
    alarms: bool = False
    window: int = int(REMEMBERED)


class _Watch:
    """One target that is probed, or may be."""

    __slots__ = ("asked_s", "due_s", "gap_s", "out", "seen")

    def __init__(self, now_s: float, seen: int) -> None:
        self.seen = seen
        self.asked_s = now_s  # since when `seen` is what it is
        self.gap_s = 0.0  # between the last probe and the next; 0: it is not watched
        self.due_s = 0.0
        self.out = False  # a probe is under way


class Probes:
    """When each target is probed. `ways`: by target; those that are off may be left out. One probe of a target at a time."""

    def __init__(self, board: Scoreboard, health: Health, ways: Mapping[str, Probe], dice: Dice) -> None:
        self._board = board
        self.ways = {name: way for name, way in ways.items() if way is not Probe.OFF}
        self._health = health
        self._dice = dice
        self._watches: dict[str, _Watch] = {}

    def due(self, now_s: float) -> list[str]:
        """Whom to probe now. Each is probed by whoever asked: it must be told to `ended`."""
        found = [name for name, standing in self._standings() if self._is_due(name, standing, now_s)]
        for name in found:
            self._watches[name].out = True
        return found

    def ended(self, target: str, now_s: float) -> None:
        """A probe is over. After a good one, too, the next is further away: if it is needed at all, the good one meant little."""
        watch = self._watches[target]
        watch.out = False
        if watch.gap_s:
            self._again(watch, watch.gap_s * GROWTH, now_s)

    def _standings(self) -> Iterator[tuple[str, Standing]]:
        for name in self._board.targets():
            if name in self.ways:
                yield name, self._board.standing(name)

    def _is_due(self, name: str, standing: Standing, now_s: float) -> bool:
        watch = self._watches.get(name)
        if watch is None:
            watch = self._watches[name] = _Watch(now_s, standing.seen)
        if watch.seen != standing.seen:
            watch.seen, watch.asked_s = standing.seen, now_s
        views = standing.breakers
        if any(view.state is State.OPEN for view in views):
            self._open(name, watch, views, now_s)
        elif any(view.state is State.HALF_OPEN for view in views):
            return False  # its test requests say more
        elif not self._idle(watch, now_s):
            return False
        return not watch.out and now_s >= watch.due_s and _has_room(standing, now_s)

    def _open(self, name: str, watch: _Watch, views: Sequence[BreakerView], now_s: float) -> None:
        """It is down: watch it from now on, or go on with that."""
        if not watch.gap_s:
            self._again(watch, FIRST_S, now_s)
        soon = watch.gap_s < self._health.interval_s and watch.due_s > now_s
        if soon and any(view.state is State.OPEN and view.look_s != watch.due_s for view in views):
            self._board.expect(name, watch.due_s, now_s)

    def _again(self, watch: _Watch, gap_s: float, now_s: float) -> None:
        """The next probe comes after this time, or a little less; after `interval_s` at the latest."""
        watch.gap_s = min(gap_s, self._health.interval_s)
        watch.due_s = now_s + watch.gap_s * (1.0 - JITTER * self._dice.random())

    def _idle(self, watch: _Watch, now_s: float) -> bool:
        """It is not down, and was not asked for long: one whose standing is unknown."""
        watch.gap_s = 0.0
        idle_s = self._health.idle_s
        if idle_s is None or now_s - watch.asked_s < idle_s:
            return False
        watch.asked_s, watch.due_s = now_s, now_s
        return True


def _has_room(standing: Standing, now_s: float) -> bool:
    """Whether one request more is within the target's limits and nobody's order or wish speaks against it."""
    if now_s < standing.cool_down_until_s:
        return False
    for view in standing.breakers:
        if view.state is State.FORCED_OPEN or (view.state is State.HALF_OPEN and view.tests_free < 1):
            return False
    bounds = standing.bounds
    if bounds.in_flight is not None and standing.in_flight >= bounds.in_flight:
        return False
    for rate, empty_s, amount in (
        (bounds.requests, standing.requests_empty_s, 1.0),
        (bounds.tokens, standing.tokens_empty_s, TOKENS),
    ):
        if rate is not None and rate.ready_s(empty_s, amount, now_s) > now_s:
            return False
    return True

"""Circuit breaker: one small state machine per (target, breaker settings).

Theory of operation. A *closed* breaker lets calls flow and counts what comes back. When the failures suffice it *opens*:
only panic attempts get through. After `recovery_s`, or earlier on a good active probe, it is *half-open*: a few test
requests at a time get through; enough successes close it, any failure reopens it. An operator may hold it *forced-open*
(nothing gets through, not even in panic) or *watch-only* (it counts, and never stops anyone): a human decision is never
disguised as a measurement.

`TRANSITIONS` is the whole machine; what is absent from it changes nothing. The pattern: M. Nygard, "Release It!"; the
rule with a minimum count and a share of the last outcomes keeps a healthy target with 2 % errors closed at any rate.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from understudy.core.dice import label_of
from understudy.core.failure import TABLE, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.policy import BreakerSettings
from understudy.core.value import value


class State(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    FORCED_OPEN = "forced-open"
    WATCH_ONLY = "watch-only"


_CLOSED = State.CLOSED  # a member looked up on its class costs ten times as much, and every attempt asks

LOOKS = (Purpose.PANIC, Purpose.PROBE)
"""Attempts that are made at an open breaker on purpose: their success speaks of the present, not of the time before it opened."""

FLOWING = (State.CLOSED, State.WATCH_ONLY)
"""The states in which every call passes."""

ORDERED = (State.FORCED_OPEN, State.WATCH_ONLY)
"""The states that an operator ordered."""


class Event(StrEnum):
    """What happens to a breaker."""

    TRIPPED = "tripped"  # the failures suffice
    RECOVERY_DUE = "recovery_due"  # recovery_s is over and someone asks
    PROBE_GOOD = "probe_good"  # an active probe got a good answer
    TEST_FAILED = "test_failed"
    TESTS_PASSED = "tests_passed"
    FORCE_OPEN = "force_open"  # operator
    WATCH = "watch"  # operator
    RELEASE = "release"  # operator: back to automatic


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.CLOSED, Event.TRIPPED): State.OPEN,
    (State.OPEN, Event.RECOVERY_DUE): State.HALF_OPEN,
    (State.OPEN, Event.PROBE_GOOD): State.HALF_OPEN,
    (State.HALF_OPEN, Event.TEST_FAILED): State.OPEN,
    (State.HALF_OPEN, Event.TESTS_PASSED): State.CLOSED,
    (State.CLOSED, Event.FORCE_OPEN): State.FORCED_OPEN,
    (State.OPEN, Event.FORCE_OPEN): State.FORCED_OPEN,
    (State.HALF_OPEN, Event.FORCE_OPEN): State.FORCED_OPEN,
    (State.WATCH_ONLY, Event.FORCE_OPEN): State.FORCED_OPEN,
    (State.CLOSED, Event.WATCH): State.WATCH_ONLY,
    (State.OPEN, Event.WATCH): State.WATCH_ONLY,
    (State.HALF_OPEN, Event.WATCH): State.WATCH_ONLY,
    (State.FORCED_OPEN, Event.WATCH): State.WATCH_ONLY,
    # After a forced rest nobody knows how the target fares: it is tested before traffic returns.
    (State.FORCED_OPEN, Event.RELEASE): State.HALF_OPEN,
    (State.WATCH_ONLY, Event.RELEASE): State.CLOSED,
}


class Admission(StrEnum):
    """How a breaker lets a call through."""

    FLOW = "flow"
    TEST = "test"
    NO = "no"


@value
class BreakerView:
    """A breaker as it stands: what eligibility reads and a Decision keeps.

    `until_s`: when an open one may be tested, or a closed one has its whole traffic again, monotonic seconds. `tests_free`:
    how many more test requests a half-open one admits now. `ramp_s`: how long a closed one takes to that. `look_s`: when an open one
    is probed next, so that it may be half-open before `until_s`; 0 when nobody says. `calm`: every call passes, and will while it stands so:
    there is nothing to ask about it.
    """

    state: State
    until_s: float
    tests_free: int
    ramp_s: float = 0.0
    look_s: float = 0.0
    calm: bool = True

    def takes_turn(self, now_s: float, luck: float) -> bool:
        """Whether a target that recovers takes a call that others could take. `luck`: uniform in [0, 1).

        Without a ramp of its own it may still follow a sibling's: then it takes none until that is over.
        """
        return luck * self.ramp_s >= self.until_s - now_s

    def admission(self, now_s: float) -> Admission:
        """Whether a call may pass at `now_s`."""
        state = self.state
        if state is State.CLOSED or state is State.WATCH_ONLY:
            return Admission.FLOW
        if state is State.HALF_OPEN:
            return Admission.TEST if self.tests_free > 0 else Admission.NO
        if state is State.OPEN and now_s >= self.until_s:
            return Admission.TEST
        return Admission.NO


class Breaker:
    """The machine itself. Fed with every outcome of its target; the scoreboard owns it."""

    __slots__ = (
        "_epoch",
        "_in_a_row",
        "_passed",
        "_recent",
        "_tests_out",
        "label",
        "settings",
        "state",
        "until_s",
        "view",
    )

    def __init__(self, settings: BreakerSettings) -> None:
        self.settings = settings
        self.label = label_of(repr(settings))
        self.state = State.CLOSED
        self.until_s = 0.0
        self.view = BreakerView(State.CLOSED, 0.0, settings.half_open)  # what may be known outside; replaced on change
        self._epoch = 1  # which half-open period a test slot belongs to; 0 stands for no slot
        self._in_a_row = 0
        self._passed = 0
        self._tests_out = 0
        self._recent: deque[tuple[float, bool]] = deque(maxlen=settings.last)  # (when, failed)

    def expect(self, look_s: float) -> None:
        """An open one will be probed then."""
        if self.state is State.OPEN:
            self.view = BreakerView(State.OPEN, self.until_s, self.settings.half_open, look_s=look_s, calm=False)

    def take(self, now_s: float) -> int:
        """Let a call through. Returns the test slot it holds, to be given to `settle`; 0 when it is no test."""
        if self.state is State.OPEN and now_s >= self.until_s:
            self.happen(Event.RECOVERY_DUE, now_s)
        if self.state is not State.HALF_OPEN:
            return 0
        self._count_tests(1)
        return self._epoch

    def give_back(self, slot: int) -> bool:
        """Whoever held this test slot needs it no more. True when it is one of the present half-open period."""
        if slot != self._epoch:
            return False
        self._count_tests(-1)
        return True

    def settle(self, outcome: Outcome, now_s: float, slot: int = 0, credited: bool = False) -> None:  # noqa: FBT001, FBT002
        """Learn from an outcome. `slot`: what `take` gave. `credited`: `commit` counted it as a success already."""
        test = slot != 0 and self.give_back(slot)
        failed = self.verdict(outcome)
        if failed is None:
            return
        self._recent.append((now_s, failed))
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if self.state is _CLOSED:
            if failed and self._suffices(now_s):
                self.happen(Event.TRIPPED, now_s)
            elif self.until_s and now_s >= self.until_s:  # it has its whole traffic again
                self.until_s = 0.0
                self.view = BreakerView(_CLOSED, 0.0, self.settings.half_open)
        elif self.state is State.OPEN:
            if not failed and outcome.purpose in LOOKS:
                self.happen(Event.PROBE_GOOD, now_s)
        elif test:  # an attempt from before the breaker opened says nothing about the recovery
            if failed:
                self.happen(Event.TEST_FAILED, now_s)
            elif not credited:
                self._pass_one(now_s)

    def commit(self, slot: int, now_s: float) -> bool:
        """A test request's stream has begun to give content: a success, provisionally. True when it was counted."""
        if slot != self._epoch:
            return False
        self._pass_one(now_s)
        return True

    def verdict(self, outcome: Outcome) -> bool | None:
        """Whether an outcome is a failure to this breaker: True, False, or None when it says nothing."""
        failure = outcome.failure
        if failure is None:
            slow_ms = self.settings.slow_ms
            if slow_ms is not None:
                first_s = outcome.first_content_s if outcome.first_content_s is not None else outcome.ended_s
                return (first_s - outcome.started_s) * 1000 > slow_ms
            return False
        for kind, counted in self.settings.counts:
            if kind is failure.kind:
                return True if counted else None
        if failure.kind is FailureKind.RATE_LIMIT and failure.retry_after_s is not None:
            return None  # a hint is a promise: the cool-down waits for it, the breaker need not guess
        return True if TABLE[failure.kind].counts else None

    def happen(self, event: Event, now_s: float) -> bool:
        """Go where the table says, on the breaker's own word, an operator's or a probe's. True when that changed the state."""
        after = TRANSITIONS.get((self.state, event))
        if after is None:
            return False
        settings = self.settings
        if after is State.OPEN:
            self._enter(after, now_s + settings.recovery_s)
        elif event is Event.TESTS_PASSED and settings.ramp_s:
            self._enter(after, now_s + settings.ramp_s)
        else:
            self._enter(after, 0.0)
        return True

    def adopt(self, state: State, until_s: float) -> None:
        """Follow a sibling worker's breaker, from wherever this one is. `until_s`: as in `BreakerView`.

        What an operator ordered holds until an operator's next word, whatever a sibling measures.
        """
        if self.state in ORDERED and state not in ORDERED:
            return
        if state is State.OPEN or (state is State.CLOSED and self.state is not state):
            self._enter(state, until_s)
        elif self.state is not state:  # in the same state, its own tests go on
            self._enter(state, 0.0)

    def _pass_one(self, now_s: float) -> None:
        self._passed += 1
        if self._passed >= self.settings.successes:
            self.happen(Event.TESTS_PASSED, now_s)

    def _suffices(self, now_s: float) -> bool:
        settings = self.settings
        if self._in_a_row >= settings.failures:
            return True
        since_s = now_s - settings.window_s
        seen = failed = 0
        for when_s, bad in self._recent:
            if when_s >= since_s:
                seen += 1
                failed += bad
        if failed >= settings.failures and failed >= settings.share * seen:
            return True
        rate = settings.error_rate
        return rate is not None and seen >= settings.last and failed >= rate * seen

    def _count_tests(self, more: int) -> None:
        self._tests_out += more
        self.view = BreakerView(self.state, self.until_s, self.settings.half_open - self._tests_out, calm=False)

    def _enter(self, state: State, until_s: float) -> None:
        self.state = state
        self.until_s = until_s
        self._passed = 0
        if state is not State.OPEN:
            # What was counted before speaks of the time before.
            self._in_a_row = 0
            self._recent.clear()
        self._tests_out = 0
        self._epoch += 1  # tests still out belong to a period that is over
        calm = state in FLOWING and until_s == 0.0
        self.view = BreakerView(state, until_s, self.settings.half_open, self.settings.ramp_s, calm=calm)

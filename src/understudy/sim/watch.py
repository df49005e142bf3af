"""A scoreboard under observation: it does what it always does, and books are kept beside it that trust none of its state."""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.event import BreakerChanged, Event
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates
from understudy.core.health.measures import REMEMBERED
from understudy.core.outcome import Outcome, Purpose
from understudy.core.policy import BreakerSettings
from understudy.core.resilience.breaker import State
from understudy.core.scoreboard import COOL_DOWN_MAX_S, Scoreboard
from understudy.core.standing import Standing
from understudy.core.target import Target
from understudy.core.track import Hold


class Taken:
    """One place taken, as it was found. `states`, `tests_out`, `rests_until_s`: by the books, before it was taken.

    `outcome`: what settled it; None while it is out, and for a place that was given back unused. `probe`: it is nobody's request.
    """

    __slots__ = (
        "at_s",
        "before",
        "hold",
        "open",
        "outcome",
        "probe",
        "rests_until_s",
        "slot",
        "states",
        "target",
        "tests_out",
    )

    def __init__(self, target: Target, slot: int, at_s: float, books: Books, before: Standing) -> None:
        self.target = target
        self.slot = slot
        self.at_s = at_s
        self.before = before
        self.states = tuple(books.state(target.name, index) for index in range(len(before.breakers)))
        self.tests_out = tuple(len(books.tests.get((target.name, index), ())) for index in range(len(before.breakers)))
        self.rests_until_s = books.rests_until_s(target)
        self.open = True
        self.outcome: Outcome | None = None
        self.hold: Hold | None = None
        self.probe = False


class Books:
    """What must follow from outcomes and operators' words alone. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.targets: dict[int, Target] = {}
        self.settings: dict[tuple[str, int], BreakerSettings] = {}
        self.states: dict[tuple[str, int], tuple[State, float]] = {}
        self.tests: dict[tuple[str, int], set[int]] = {}
        self.in_a_row: dict[tuple[str, int], int] = {}
        self.rests: dict[tuple[str, ...], float] = {}
        self.out: dict[int, Taken] = {}
        self.opened = 0
        self.complaints: list[str] = []

    def state(self, target: str, index: int) -> tuple[State, float]:
        """A breaker's state, and until when an open one must not be tested."""
        return self.states.get((target, index), (State.CLOSED, 0.0))

    def changed(self, target: str, index: int, state: State, until_s: float) -> None:
        """A breaker entered a state: what was counted and who was testing belong to the time before."""
        key = (target, index)
        self.states[key] = (state, until_s if state is State.OPEN else 0.0)
        self.tests[key] = set()
        self.in_a_row[key] = 0
        self.opened += state is State.OPEN

    def rests_until_s(self, target: Target) -> float:
        """When the last of the cool-downs that concern a target ends."""
        return max((self.rests.get(key, 0.0) for key in scopes_of(target).values()), default=0.0)

    def learn(self, target: Target, outcome: Outcome, now_s: float) -> None:
        """Book an outcome: its cool-down, and what it adds to each breaker's run of failures."""
        failure = outcome.failure
        if failure is not None and failure.implicates not in {Implicates.NOBODY, Implicates.CALLER}:
            rest_s = failure.retry_after_s
            if rest_s is None:
                rest_s = TABLE[failure.kind].cool_down_s
            key = scopes_of(target)[failure.implicates]
            until_s = now_s + min(rest_s, COOL_DOWN_MAX_S)
            self.rests[key] = max(self.rests.get(key, 0.0), until_s if rest_s > 0 else 0.0)
        for (name, index), settings in self.settings.items():
            if name != target.name:
                continue
            failed = counted(failure, settings)
            if failed is not None:
                self.in_a_row[name, index] = self.in_a_row.get((name, index), 0) + 1 if failed else 0


def scopes_of(target: Target) -> dict[Implicates, tuple[str, ...]]:
    """By whom a failure may implicate: what two targets must have in common to rest together."""
    return {
        Implicates.KEY: ("key", target.provider, target.base_url, target.key or ""),
        Implicates.TARGET: ("target", target.name),
        Implicates.MODEL: ("model", target.provider, target.base_url, target.model),
        Implicates.PROVIDER: ("provider", target.provider, target.base_url),
    }


def counted(failure: Failure | None, settings: BreakerSettings) -> bool | None:
    """Whether a breaker counts an outcome as a failure; None when it says nothing. Only settings without `slow_ms`."""
    if failure is None:
        return False
    special = dict(settings.counts)
    if failure.kind in special:
        return True if special[failure.kind] else None
    if failure.kind is FailureKind.RATE_LIMIT and failure.retry_after_s is not None:
        return None
    return True if TABLE[failure.kind].counts else None


class WatchedBoard(Scoreboard):
    """The scoreboard itself, every call of it booked. `books.complaints` grows where it does what it must not."""

    def __init__(
        self, share: float = 1.0, emit: Callable[[Event], None] | None = None, window: float = REMEMBERED
    ) -> None:
        self.books = Books()
        self.last: Taken | None = None  # the latest place taken
        self.settled: Taken | None = None  # the latest place settled
        tell = emit or (lambda _event: None)

        def told(event: Event) -> None:
            if isinstance(event, BreakerChanged):
                labels = [breaker.label for breaker in self._tracks[self.slot(event.target)].breakers]
                until_s = event.at_s + event.rest_s
                self.books.changed(event.target, labels.index(event.breaker), event.state, until_s)
            tell(event)

        super().__init__(share, told, window)

    def register(self, target: Target, settings: BreakerSettings) -> tuple[int, int]:
        """Book it, too."""
        slot, index = super().register(target, settings)
        self.books.targets[slot] = target
        self.books.settings[target.name, index] = settings
        return slot, index

    def hold(self, slot: int, tokens: int, now_s: float) -> Hold:
        """Note how things stood, then take the place."""
        books = self.books
        taken = Taken(books.targets[slot], slot, now_s, books, self.standings[slot])
        taken.hold = hold = super().hold(slot, tokens, now_s)
        for index, test in enumerate(hold.tests):
            if test:
                books.tests.setdefault((taken.target.name, index), set()).add(id(hold))
        books.out[id(hold)] = taken
        self.last = taken
        return hold

    def release(self, hold: Hold, now_s: float) -> None:
        """Given back unused."""
        self._close(hold, None)
        super().release(hold, now_s)

    def settle(self, hold: Hold, outcome: Outcome, now_s: float) -> None:
        """Given back with what came of it."""
        books = self.books
        self.settled = taken = self._close(hold, outcome)
        books.learn(taken.target, outcome, now_s)
        super().settle(hold, outcome, now_s)
        for index in range(len(self.standings[taken.slot].breakers)):
            key = (taken.target.name, index)
            state, _ = books.state(*key)
            most = books.settings[key].failures
            if state is State.CLOSED and books.in_a_row.get(key, 0) >= most:
                books.complaints.append(f"{key[0]} failed {books.in_a_row[key]} times in a row and is closed")

    def probed(self, hold: Hold, outcome: Outcome, now_s: float, *, whole: bool) -> None:
        """Book a probe: it must keep to what is due to everybody, and its failure is one in a row where it counts."""
        books = self.books
        taken = self._close(hold, outcome)
        wrong = probe_problem(taken, books)
        if wrong is not None:
            books.complaints.append(f"a probe of {taken.target.name}: {wrong}")
        failure = outcome.failure
        if whole or (failure is not None and failure.implicates is Implicates.PROVIDER):
            books.learn(taken.target, outcome, now_s)
        super().probed(hold, outcome, now_s, whole=whole)

    def observe(self, event: Event, now_s: float) -> None:
        """A sibling's news are no measurement of ours: booked as they come."""
        views = {name: self.standing(name).breakers for name in self.targets()}
        super().observe(event, now_s)
        for name, before in views.items():
            for index, view in enumerate(self.standing(name).breakers):
                if view is not before[index]:
                    self.books.changed(name, index, view.state, max(now_s, view.until_s))

    def _close(self, hold: Hold, outcome: Outcome | None) -> Taken:
        books = self.books
        taken = books.out.pop(id(hold), None)
        if taken is None:
            target = books.targets[hold.slot]
            books.complaints.append(f"a place at {target.name} was given back twice")
            taken = Taken(target, hold.slot, 0.0, books, self.standings[hold.slot])
        taken.open = False
        taken.outcome = outcome
        for index in range(len(hold.tests)):
            books.tests.get((taken.target.name, index), set()).discard(id(hold))
        return taken


def probe_problem(taken: Taken, books: Books) -> str | None:
    """What speaks against a probe that was made in this place; None: nothing."""
    for index, (state, _) in enumerate(taken.states):
        if state is State.FORCED_OPEN:
            return "its breaker is held open by an operator"
        if state is State.HALF_OPEN and taken.tests_out[index] >= books.settings[taken.target.name, index].half_open:
            return "every test slot was taken"
    if taken.at_s < taken.rests_until_s - 1e-9:
        return f"it rests until {taken.rests_until_s:.3f}"
    most = taken.target.limits.in_flight
    if most is not None and taken.before.in_flight >= most:
        return f"{taken.before.in_flight} of {most} were in flight"
    if any(other.probe and other.slot == taken.slot for other in books.out.values()):
        return "another one was under way"
    return None


def admitted(taken: Taken, index: int, purpose: Purpose) -> str | None:
    """What speaks against an attempt made for this purpose through this breaker; None: nothing."""
    state, until_s = taken.states[index]
    panic = purpose is Purpose.PANIC
    if state is State.FORCED_OPEN:
        return "its breaker is held open by an operator"
    if panic:
        return None
    if state is State.OPEN and (purpose is not Purpose.TEST or taken.at_s < until_s - 1e-9):
        return f"its breaker is open until {until_s:.3f}, and the attempt is a {purpose.value}"
    if state is State.HALF_OPEN and purpose is not Purpose.TEST:
        return f"its breaker is half-open, and the attempt is a {purpose.value}"
    return None

"""What is known of every target: places taken, outcomes observed, and the standing that follows.

The scoreboard is told synchronously, before a walk resumes. It is the only mutable thing in the core, and only
`hold`, `commit`, `settle` and `observe` change it. What it gives out are immutable `Standing`s, replaced and never
changed, so a Decision can keep the very ones it was made from.
"""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.event import BreakerChanged, CoolDownSet, Event
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates
from understudy.core.health.ewma import Ewma
from understudy.core.outcome import Outcome
from understudy.core.policy import BreakerSettings
from understudy.core.resilience import breaker as breakers
from understudy.core.resilience.breaker import Breaker, BreakerView
from understudy.core.resilience.retry_budget import RetryBudget
from understudy.core.resilience.token_bucket import TokenBucket, per_minute
from understudy.core.target import Target
from understudy.core.value import value

HALF_LIFE_S = 300.0
"""How long a latency or a failure stays half as important."""

COOL_DOWN_MAX_S = 24 * 3600.0
"""A hint beyond a day is taken for a day: the configuration may change before."""


@value
class Standing:
    """A target as it stands. Times are monotonic seconds.

    `calm`: nothing about it can exclude anyone: no limits, no cool-down, every breaker lets calls flow. `breakers`: one view
    for each settings it is used with. `cool_down_until_s`: 0 without one; `cool_down_kind`: what set it. `latency_ms`: time
    to the first content, `error_rate`: share of failures (0 to 1); both None until known.
    """

    calm: bool
    in_flight: int
    breakers: tuple[BreakerView, ...]
    cool_down_until_s: float
    cool_down_kind: FailureKind | None
    requests: TokenBucket | None
    tokens: TokenBucket | None
    latency_ms: float | None
    error_rate: float | None
    seen: int


class Hold:
    """A place taken at a target: exactly one owner, given back exactly once by `settle`."""

    __slots__ = ("credited", "slot", "taken_s", "tests", "tokens")

    def __init__(self, slot: int, tests: tuple[int, ...], tokens: int, taken_s: float) -> None:
        self.slot = slot
        self.tests = tests
        self.tokens = tokens
        self.taken_s = taken_s
        self.credited: tuple[bool, ...] | None = None


class _Track:
    """One target's mutable past; `Standing` is its immutable present."""

    __slots__ = (
        "breakers",
        "cool_down_kind",
        "cool_down_until_s",
        "errors",
        "in_flight",
        "latency",
        "requests",
        "scopes",
        "seen",
        "target",
        "tokens",
    )

    def __init__(self, target: Target, share: float) -> None:
        limits = target.limits
        self.target = target
        self.breakers: list[Breaker] = []
        self.cool_down_kind: FailureKind | None = None
        self.cool_down_until_s = 0.0
        self.errors = Ewma(HALF_LIFE_S)
        self.latency = Ewma(HALF_LIFE_S)
        self.in_flight = 0
        self.seen = 0
        self.requests = per_minute(limits.rpm * share) if limits.rpm else None
        self.tokens = per_minute(limits.tpm * share) if limits.tpm else None
        provider, base_url, model, key = target.fingerprint
        self.scopes: dict[Implicates, tuple[str, ...]] = {
            Implicates.KEY: (provider, base_url, key),
            Implicates.TARGET: (target.name,),
            Implicates.MODEL: (provider, base_url, model),
            Implicates.PROVIDER: (provider, base_url),
        }

    def standing(self) -> Standing:
        views = tuple([breaker.view() for breaker in self.breakers])
        calm = self.cool_down_until_s == 0.0 and self.requests is None and self.tokens is None
        if calm and self.target.limits.in_flight is None:
            for view in views:
                if view.state is not breakers.State.CLOSED and view.state is not breakers.State.WATCH_ONLY:
                    calm = False
        else:
            calm = False
        return Standing(
            calm,
            self.in_flight,
            views,
            self.cool_down_until_s,
            self.cool_down_kind,
            self.requests,
            self.tokens,
            self.latency.mean,
            self.errors.mean,
            self.seen,
        )


class Scoreboard:
    """All targets' tracks. `share`: this worker's part of the local limits (1 / workers).

    `emit`: told of breaker changes and cool-downs as they happen.
    """

    def __init__(self, share: float = 1.0, emit: Callable[[Event], None] | None = None) -> None:
        self._share = share
        self._emit = emit or (lambda _event: None)
        self._tracks: list[_Track] = []
        self._slots: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self.standings: list[Standing] = []
        self.retry_budget = RetryBudget()

    def register(self, target: Target, settings: BreakerSettings) -> tuple[int, int]:
        """Make room for a target used with these breaker settings: (its slot, its breaker's index)."""
        slot = self._slots.get(target.name)
        if slot is None:
            slot = self._slots[target.name] = len(self._tracks)
            self._tracks.append(_Track(target, self._share))
            self.standings.append(self._tracks[slot].standing())
        track = self._tracks[slot]
        for index, known in enumerate(track.breakers):
            if known.settings == settings:
                return slot, index
        track.breakers.append(Breaker(settings))
        self.standings[slot] = track.standing()
        return slot, len(track.breakers) - 1

    def standing(self, target: str) -> Standing:
        """How one target stands. Raises `KeyError` for a name that was never registered."""
        return self.standings[self._slots[target]]

    def targets(self) -> tuple[str, ...]:
        """Every registered name, in order of registration."""
        return tuple(self._slots)

    def turn(self, key: str) -> int:
        """How many times this was asked for `key` before: what a rotation counts by."""
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        return turn

    def hold(self, slot: int, tokens: int, now_s: float) -> Hold:
        """Take a place. The caller has asked eligibility; nothing is refused here."""
        track = self._tracks[slot]
        tests = tuple([breaker.take(now_s) for breaker in track.breakers])
        track.in_flight += 1
        if track.requests is not None:
            track.requests = track.requests.after(1.0, now_s)
        if track.tokens is not None:
            track.tokens = track.tokens.after(tokens, now_s)
        for breaker, before in zip(track.breakers, self.standings[slot].breakers, strict=True):
            if breaker.state is not before.state:
                self._changed(track, breaker, now_s)
        self.standings[slot] = track.standing()
        return Hold(slot, tests, tokens, now_s)

    def commit(self, hold: Hold, now_s: float) -> None:
        """The attempt in this place has its first content."""
        if not any(hold.tests):
            return
        track = self._tracks[hold.slot]
        before = self.standings[hold.slot].breakers
        hold.credited = tuple(
            [breaker.commit(test, now_s) for breaker, test in zip(track.breakers, hold.tests, strict=True)]
        )
        self._publish(hold.slot, before, now_s)

    def settle(self, hold: Hold, outcome: Outcome, now_s: float) -> None:
        """Give the place back and learn from what came of it."""
        slot = hold.slot
        track = self._tracks[slot]
        before = self.standings[slot].breakers
        track.in_flight -= 1
        if track.tokens is not None and outcome.usage is not None:
            track.tokens = track.tokens.after(outcome.usage.total - hold.tokens, now_s)
        for index, breaker in enumerate(track.breakers):
            breaker.settle(
                outcome,
                now_s,
                slot=hold.tests[index] if index < len(hold.tests) else 0,
                credited=hold.credited is not None and hold.credited[index],
            )
        failure = outcome.failure
        if failure is None:
            track.seen += 1
            track.errors.add(0.0, now_s)
            first_s = outcome.first_content_s if outcome.first_content_s is not None else outcome.ended_s
            track.latency.add((first_s - outcome.started_s) * 1000.0, now_s)
            if track.cool_down_until_s and now_s >= track.cool_down_until_s:
                track.cool_down_until_s, track.cool_down_kind = 0.0, None
        elif failure.implicates not in (Implicates.NOBODY, Implicates.CALLER):
            track.seen += 1
            track.errors.add(1.0, now_s)
            self._cool_down(track, failure, now_s)
        self._publish(slot, before, now_s)

    def observe(self, event: Event, now_s: float) -> None:
        """News from outside: what a sibling worker saw."""
        if isinstance(event, BreakerChanged) and event.target in self._slots:
            slot = self._slots[event.target]
            track = self._tracks[slot]
            if event.index < len(track.breakers):
                track.breakers[event.index].adopt(event.state, now_s + event.rest_s)
                self.standings[slot] = track.standing()
        elif isinstance(event, CoolDownSet) and event.target in self._slots:
            track = self._tracks[self._slots[event.target]]
            self._rest(track.scopes[event.scope], event.scope, event.kind, now_s + event.rest_s)

    def operate(self, target: str, event: breakers.Event, now_s: float) -> bool:
        """An operator's (or probe's) word to every breaker of a target. True when one of them changed."""
        slot = self._slots[target]
        before = self.standings[slot].breakers
        changed = [breaker.happen(event, now_s) for breaker in self._tracks[slot].breakers]
        self._publish(slot, before, now_s)
        return any(changed)

    def _publish(self, slot: int, before: tuple[BreakerView, ...], now_s: float) -> None:
        track = self._tracks[slot]
        for breaker, view in zip(track.breakers, before, strict=False):
            if breaker.state is not view.state:
                self._changed(track, breaker, now_s)
        self.standings[slot] = track.standing()

    def _changed(self, track: _Track, breaker: Breaker, now_s: float) -> None:
        rest_s = max(0.0, breaker.until_s - now_s) if breaker.until_s else 0.0
        self._emit(BreakerChanged(track.target.name, track.breakers.index(breaker), breaker.state, rest_s, now_s))

    def _cool_down(self, track: _Track, failure: Failure, now_s: float) -> None:
        """Rest the implicated scope: as long as the provider asked, else as long as the table says."""
        rest_s = failure.retry_after_s if failure.retry_after_s is not None else TABLE[failure.kind].cool_down_s
        if rest_s <= 0:
            return
        rest_s = min(rest_s, COOL_DOWN_MAX_S)
        scope = failure.implicates
        self._rest(track.scopes[scope], scope, failure.kind, now_s + rest_s)
        self._emit(CoolDownSet(track.target.name, scope, failure.kind, rest_s, now_s))

    def _rest(self, key: tuple[str, ...], scope: Implicates, kind: FailureKind, until_s: float) -> None:
        for slot, track in enumerate(self._tracks):
            if track.scopes[scope] == key and until_s > track.cool_down_until_s:
                track.cool_down_until_s = until_s
                track.cool_down_kind = kind
                self.standings[slot] = track.standing()

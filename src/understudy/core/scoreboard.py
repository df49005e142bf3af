"""What is known of every target: places taken, outcomes observed, and the standing that follows.

The scoreboard is told synchronously, before a walk resumes. It is the only mutable thing in the core, and only `hold`,
`release`, `commit`, `settle`, `probed`, `expect`, `rate`, `observe` and `operate` change what it knows. What it gives out are immutable `Standing`s,
replaced and never changed, so a Decision can keep the very ones it was made from.
"""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.event import AlarmChanged, BreakerChanged, CoolDownSet, Event, ProbeExpected
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates
from understudy.core.health.measures import REMEMBERED, Alarm, Learner
from understudy.core.health.quantiles import Quantiles
from understudy.core.outcome import Outcome
from understudy.core.policy import BreakerSettings, Hedge
from understudy.core.request import Operation
from understudy.core.resilience import breaker as breakers
from understudy.core.resilience.breaker import Breaker
from understudy.core.resilience.hedge_budget import HedgeBudget
from understudy.core.resilience.retry_budget import RetryBudget
from understudy.core.sessions import Sessions
from understudy.core.standing import ROOM, UNBOUNDED, Standing
from understudy.core.target import Target
from understudy.core.track import Hold, Track

TIMES_MIN = 30
"""Samples before a quantile of a target's times is believed."""

COOL_DOWN_MAX_S = 24 * 3600.0
"""A hint beyond a day is taken for a day: the configuration may change before."""

_LOST_RACE = FailureKind.LOST_RACE
_COUNT = Operation.COUNT  # a member looked up on its class costs ten times as much, and every attempt asks


class Scoreboard:
    """All targets' tracks. `share`: this worker's part of the local limits (1 / workers).

    `emit`: told of breaker changes, cool-downs and alarms, once the standings say so, too. `window`: attempts that a target's measures are
    made of at most.
    """

    def __init__(
        self, share: float = 1.0, emit: Callable[[Event], None] | None = None, window: float = REMEMBERED
    ) -> None:
        self._window = window
        self._share = share
        self._emit = emit or (lambda _event: None)
        self._tracks: list[Track] = []
        self._slots: dict[str, int] = {}
        self._turns: dict[str, int] = {}
        self._hedge_budgets: dict[tuple[str, float], HedgeBudget] = {}
        self._standings: list[Standing] = []
        self._behind: list[int] = []  # slots whose standing is older than its track
        self.sessions = Sessions()
        self.retry_budget = RetryBudget()

    @property
    def share(self) -> float:
        """This worker's part of everything that is shared out."""
        return self._share

    def register(self, target: Target, settings: BreakerSettings) -> tuple[int, int]:
        """Make room for a target used with these breaker settings: (its slot, its breaker's index).

        A name that was registered before keeps its past while it means the same (its fingerprint), with its present limits.
        """
        slot = self._slots.get(target.name)
        if slot is None or self._tracks[slot].target.fingerprint != target.fingerprint:
            slot = self._slots[target.name] = len(self._tracks)
            track = Track(target, self._share)
            self._tracks.append(track)
            self._standings.append(track.standing())
        else:
            track = self._tracks[slot]
            if track.limits != target.limits:
                track.limit(target.limits, self._share)
        index = next((index for index, known in enumerate(track.breakers) if known.settings == settings), None)
        if index is None:
            index = len(track.breakers)
            track.breakers.append(Breaker(settings))
            track.no_tests = (0,) * len(track.breakers)
        self._publish(slot, now_s=0.0)
        return slot, index

    @property
    def standings(self) -> list[Standing]:
        """How all of them stand now, by slot. Made when somebody looks: most changes are followed by another one first."""
        behind, known = self._behind, self._standings
        if behind:
            for slot in behind:
                known[slot] = self._tracks[slot].standing()
            behind.clear()
        return known

    def standing(self, target: str) -> Standing:
        """How one target stands. Raises `KeyError` for a name that was never registered."""
        return self.standings[self._slots[target]]

    def slot(self, target: str) -> int:
        """Where one target is kept. Raises `KeyError` for a name that was never registered."""
        return self._slots[target]

    def targets(self) -> tuple[str, ...]:
        """Every registered name, in order of registration."""
        return tuple(self._slots)

    def turn(self, key: str) -> int:
        """How many times this was asked for `key` before: what a rotation counts by."""
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        return turn

    def learn_times(self, slot: int) -> None:
        """Remember how long this target's answers take, not only their mean."""
        track = self._tracks[slot]
        if track.times is None:
            track.times = Quantiles()

    def measure(self, slot: int, *, wary: bool = False) -> None:
        """Collect `Measures` of this target from now on: some route's strategy or balancer reads them.

        `wary`: a route asks about its alarms before it is chosen.
        """
        track = self._tracks[slot]
        track.wary = track.wary or wary
        if track.learner is None:
            track.learner = Learner(track.target.profile, self._window)
        self._publish(slot, now_s=0.0)

    def alarms(self, target: str) -> tuple[Alarm, ...]:
        """What has changed for the worse of late, as it was when that was noticed; () where nobody measures."""
        learner = self._tracks[self._slots[target]].learner
        return () if learner is None else learner.alarms

    def rate(self, target: str, score: float, now_s: float) -> None:
        """Somebody said how good an answer of this target was, 0 to 1."""
        slot = self._slots.get(target)
        learner = self._tracks[slot].learner if slot is not None else None
        if slot is not None and learner is not None:
            learner.rated(score, now_s)
            self._publish(slot, now_s)

    def patience_s(self, slot: int, hedge: Hedge) -> float:
        """How long an attempt at this target may take before it is hedged; endless while too little is known."""
        if hedge.after_s is not None:
            return hedge.after_s
        times = self._tracks[slot].times
        if times is None or times.seen < TIMES_MIN:
            return ROOM
        known_ms = times.quantile(hedge.quantile)
        return ROOM if known_ms is None else known_ms / 1000.0

    def hedge_budget(self, route: str, hedge: Hedge) -> HedgeBudget:
        """What a route may spend on hedges."""
        key = (route, hedge.share)
        known = self._hedge_budgets.get(key)
        if known is None:
            known = self._hedge_budgets[key] = HedgeBudget(hedge.share)
        return known

    def hold(self, slot: int, tokens: int, now_s: float) -> Hold:
        """Take a place. The caller has asked eligibility; nothing is refused here."""
        track = self._tracks[slot]
        track.in_flight += 1
        if track.bounds is not UNBOUNDED:
            track.take(tokens, now_s)
        if track.learner is not None:
            track.tokens_in_flight += tokens
        if track.flowing:
            self._changed(slot, track, now_s)
            return Hold(slot, track.no_tests, tokens)
        tests = tuple([breaker.take(now_s) for breaker in track.breakers])
        self._publish(slot, now_s)
        return Hold(slot, tests if any(tests) else track.no_tests, tokens)

    def release(self, hold: Hold, now_s: float) -> None:
        """Give back a place in which nothing was begun."""
        track = self._tracks[hold.slot]
        track.in_flight -= 1
        for breaker, test in zip(track.breakers, hold.tests, strict=False):
            breaker.give_back(test)
        if track.bounds.requests is not None:
            track.requests_empty_s = track.bounds.requests.given_back(track.requests_empty_s, 1.0, now_s)
        track.give_back_tokens(hold.tokens, now_s)
        if track.learner is not None:
            track.tokens_in_flight = max(0, track.tokens_in_flight - hold.tokens)
        self._publish(hold.slot, now_s)

    def commit(self, hold: Hold, now_s: float) -> None:
        """The attempt in this place has its first content."""
        if not any(hold.tests):
            return
        track = self._tracks[hold.slot]
        # Fewer tests than breakers: another route began to use the target while this attempt was under way.
        hold.credited = tuple(
            [breaker.commit(test, now_s) for breaker, test in zip(track.breakers, hold.tests, strict=False)]
        )
        self._publish(hold.slot, now_s)

    def settle(self, hold: Hold, outcome: Outcome, now_s: float) -> None:
        """Give the place back and learn from what came of it."""
        slot, tests, credited = hold.slot, hold.tests, hold.credited
        track = self._tracks[slot]
        if track.concurrency is not None:
            track.adapt(outcome, now_s)
        track.in_flight -= 1
        if track.learner is not None:
            track.learn(hold, outcome, now_s)
        rate = track.bounds.tokens
        if rate is not None and outcome.usage is not None:
            more = outcome.usage.total - hold.tokens
            settled = rate.taken if more > 0 else rate.given_back
            track.tokens_empty_s = settled(track.tokens_empty_s, abs(more), now_s)
        if tests is track.no_tests:  # the rule
            for breaker in track.breakers:
                breaker.settle(outcome, now_s)
        else:
            for index, breaker in enumerate(track.breakers):
                test = tests[index] if index < len(tests) else 0
                breaker.settle(outcome, now_s, test, index < len(credited) and credited[index])
        failure = outcome.failure
        if failure is None:
            track.seen += 1
            track.errors.add(0.0, now_s)
            first_s = outcome.first_content_s if outcome.first_content_s is not None else outcome.ended_s
            if outcome.operation is not _COUNT:  # a count says nothing about how long an answer takes
                took_ms = (first_s - outcome.started_s) * 1000.0
                track.latency.add(took_ms, now_s)
                if track.times is not None:
                    track.times.add(took_ms)
            if track.cool_down_until_s and now_s >= track.cool_down_until_s:
                track.cool_down_until_s, track.cool_down_kind = 0.0, None
        elif failure.implicates not in (Implicates.NOBODY, Implicates.CALLER):
            track.seen += 1
            track.errors.add(1.0, now_s)
            self._cool_down(track, failure, now_s)
        elif failure.kind is _LOST_RACE and track.times is not None:
            # It would have taken longer than this: left out, ever shorter times would seem slow.
            track.times.add((now_s - outcome.started_s) * 1000.0)
        self._publish(slot, now_s)

    def _tell_alarms(self, track: Track, learner: Learner, now_s: float) -> None:
        news = learner.news()
        if news is None:
            return
        for on, alarms in ((True, news[0]), (False, news[1])):
            for alarm in alarms:
                self._emit(AlarmChanged(track.target.name, alarm.measure, on, alarm.before, alarm.after, now_s))

    def probed(self, hold: Hold, outcome: Outcome, now_s: float, *, whole: bool) -> None:
        """An active probe in this place is over. `whole`: it was a request like any other, not only a look whether somebody is there.

        Breakers and cool-downs learn from it. What speaks of answers to callers does not: no time, no share of failures. A look
        that went well makes an open breaker half-open and is no passed test; one that failed says no more than that
        the provider is away.
        """
        track = self._tracks[hold.slot]
        track.in_flight -= 1
        track.give_back_tokens(hold.tokens - (outcome.usage.total if outcome.usage is not None else 0), now_s)
        if track.learner is not None:
            track.tokens_in_flight = max(0, track.tokens_in_flight - hold.tokens)
        failure = outcome.failure
        counts = whole or (failure is not None and failure.implicates is Implicates.PROVIDER)
        for breaker, test in zip(track.breakers, hold.tests, strict=False):
            if counts:
                breaker.settle(outcome, now_s, test)
                continue
            breaker.give_back(test)
            if failure is None:
                breaker.happen(breakers.Event.PROBE_GOOD, now_s)
        if counts and failure is not None and failure.implicates not in (Implicates.NOBODY, Implicates.CALLER):
            self._cool_down(track, failure, now_s)
        self._publish(hold.slot, now_s)

    def expect(self, target: str, look_s: float, now_s: float) -> None:
        """A target whose breaker is open will be probed at `look_s`."""
        self._expect(self._slots[target], look_s, now_s)
        self._emit(ProbeExpected(target, max(0.0, look_s - now_s), now_s))

    def _expect(self, slot: int, look_s: float, now_s: float) -> None:
        track = self._tracks[slot]
        for breaker in track.breakers:
            breaker.expect(look_s)
        track.look()
        self._changed(slot, track, now_s)

    def observe(self, event: Event, now_s: float) -> None:
        """News from outside: what a sibling worker saw."""
        if isinstance(event, BreakerChanged) and event.target in self._slots:
            slot = self._slots[event.target]
            track = self._tracks[slot]
            # By label: a rule that brings a target into a route makes a breaker when it first fires, so that the order of
            # breakers differs from worker to worker.
            for breaker in track.breakers:
                if breaker.label == event.breaker:
                    breaker.adopt(event.state, now_s + event.rest_s)
                    track.look()  # who sent the news has told everyone
                    self._changed(slot, track, now_s)
        elif isinstance(event, CoolDownSet) and event.target in self._slots:
            track = self._tracks[self._slots[event.target]]
            self._rest(track.scopes[event.scope], event.scope, event.kind, now_s + event.rest_s, now_s)
        elif isinstance(event, ProbeExpected) and event.target in self._slots:
            self._expect(self._slots[event.target], now_s + event.rest_s, now_s)

    def operate(self, target: str, event: breakers.Event, now_s: float) -> bool:
        """An operator's (or probe's) word to every breaker of a target. True when one of them changed."""
        slot = self._slots[target]
        changed = [breaker.happen(event, now_s) for breaker in self._tracks[slot].breakers]
        self._publish(slot, now_s)
        return any(changed)

    def _changed(self, slot: int, track: Track, now_s: float) -> None:
        """Whoever looks from now on sees this target as it is now."""
        track.at_s = now_s
        if not track.behind:
            track.behind = True
            self._behind.append(slot)

    def _publish(self, slot: int, now_s: float) -> None:
        """Give out the new standing, and tell of the breakers that changed their state, and of alarms."""
        track = self._tracks[slot]
        changed = track.look()
        self._changed(slot, track, now_s)
        for breaker in changed:
            rest_s = max(0.0, breaker.until_s - now_s)
            self._emit(BreakerChanged(track.target.name, breaker.label, breaker.state, rest_s, now_s))
        if track.learner is not None:
            self._tell_alarms(track, track.learner, now_s)

    def _cool_down(self, track: Track, failure: Failure, now_s: float) -> None:
        """Rest the implicated scope: as long as the provider asked, else as long as the table says."""
        rest_s = failure.retry_after_s if failure.retry_after_s is not None else TABLE[failure.kind].cool_down_s
        if rest_s <= 0:
            return
        rest_s = min(rest_s, COOL_DOWN_MAX_S)
        scope = failure.implicates
        self._rest(track.scopes[scope], scope, failure.kind, now_s + rest_s, now_s)
        self._emit(CoolDownSet(track.target.name, scope, failure.kind, rest_s, now_s))

    def _rest(self, key: tuple[str, ...], scope: Implicates, kind: FailureKind, until_s: float, now_s: float) -> None:
        for slot, track in enumerate(self._tracks):
            if track.scopes[scope] == key and until_s > track.cool_down_until_s:
                track.cool_down_until_s = until_s
                track.cool_down_kind = kind
                self._changed(slot, track, now_s)

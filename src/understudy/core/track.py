"""One target's past: counts, clocks and means, changed by the scoreboard only. Its `Standing` is what they come to."""

from __future__ import annotations

from understudy.core.failure import FailureKind, Implicates
from understudy.core.health.ewma import Ewma
from understudy.core.health.measures import UNMEASURED, Learner
from understudy.core.health.quantiles import Quantiles
from understudy.core.outcome import Outcome
from understudy.core.resilience.breaker import FLOWING, Breaker, BreakerView
from understudy.core.resilience.concurrency import Concurrency
from understudy.core.resilience.rate import FULL, per_minute
from understudy.core.standing import NO_ROOM, ROOM, UNBOUNDED, Bounds, Standing
from understudy.core.target import Limits, Target

HALF_LIFE_S = 300.0
"""How long a latency or a failure stays half as important."""

ROUNDING = 1e-9
"""A third of three places is one, whatever floats make of it."""

UNLIMITED = Limits()

OVERLOADS = (
    FailureKind.OVERLOADED,
    FailureKind.RATE_LIMIT,
    FailureKind.ANSWER_TIMEOUT,
    FailureKind.HEADERS_TIMEOUT,
    FailureKind.FIRST_CONTENT_TIMEOUT,
)
"""Failures that say that there was too much at once."""


class Hold:
    """A place taken at a target: exactly one owner, given back exactly once, by `settle` or `release`."""

    __slots__ = ("credited", "slot", "tests", "tokens")

    def __init__(self, slot: int, tests: tuple[int, ...], tokens: int) -> None:
        self.slot = slot
        self.tests = tests
        self.tokens = tokens
        self.credited: tuple[bool, ...] = ()


class Track:
    """One target's mutable past; `Standing` is its immutable present."""

    __slots__ = (
        "at_s",
        "behind",
        "bounds",
        "breakers",
        "concurrency",
        "cool_down_kind",
        "cool_down_until_s",
        "errors",
        "flowing",
        "in_flight",
        "latency",
        "learner",
        "limits",
        "no_tests",
        "requests_empty_s",
        "scopes",
        "seen",
        "target",
        "times",
        "tokens_empty_s",
        "tokens_in_flight",
        "views",
        "wary",
    )

    def __init__(self, target: Target, share: float) -> None:
        self.at_s = 0.0  # when it last changed
        self.behind = False  # it changed since its standing was made
        self.breakers: list[Breaker] = []
        self.views: tuple[BreakerView, ...] = ()
        self.no_tests: tuple[int, ...] = ()
        self.flowing = True
        self.cool_down_kind: FailureKind | None = None
        self.cool_down_until_s = 0.0
        self.errors = Ewma(HALF_LIFE_S)
        self.latency = Ewma(HALF_LIFE_S)
        self.times: Quantiles | None = None  # only where a route hedges
        self.learner: Learner | None = None  # only where a strategy or balancer reads measures
        self.wary = False  # an alarm leaves no room: some route asks about it
        self.in_flight = 0
        self.tokens_in_flight = 0  # counted for the learner's readers only
        self.seen = 0
        self.target = target
        self.requests_empty_s = self.tokens_empty_s = FULL
        self.limit(target.limits, share)
        provider, base_url, model, key = target.fingerprint
        self.scopes: dict[Implicates, tuple[str, ...]] = {
            Implicates.KEY: (provider, base_url, key),
            Implicates.TARGET: (target.name,),
            Implicates.MODEL: (provider, base_url, model),
            Implicates.PROVIDER: (provider, base_url),
        }

    def limit(self, limits: Limits, share: float) -> None:
        """Bound it from now on. `share`: this worker's part; of places in flight it has one at least."""
        self.limits = limits
        self.concurrency = None
        if limits == UNLIMITED:
            self.bounds = UNBOUNDED
            return
        most = max(1, int(limits.in_flight * share + ROUNDING)) if limits.in_flight else None
        if limits.adaptive:
            self.concurrency = Concurrency(most)
            most = self.concurrency.limit
        self.bounds = Bounds(
            most,
            per_minute(limits.rpm * share) if limits.rpm else None,
            per_minute(limits.tpm * share) if limits.tpm else None,
        )

    def adapt(self, outcome: Outcome, now_s: float) -> None:
        """Learn from an attempt, still in flight, how many there may be."""
        concurrency = self.concurrency
        assert concurrency is not None
        if outcome.failure is None:
            first_s = outcome.first_content_s if outcome.first_content_s is not None else now_s
            concurrency.answered((first_s - outcome.started_s) * 1000.0, self.in_flight)
        elif outcome.failure.kind in OVERLOADS:
            concurrency.overloaded(self.in_flight)
        if concurrency.limit != self.bounds.in_flight:
            self.bounds = Bounds(concurrency.limit, self.bounds.requests, self.bounds.tokens)

    def learn(self, hold: Hold, outcome: Outcome, now_s: float) -> None:
        """Learn more than a standing needs from an attempt that is over."""
        learner, failure = self.learner, outcome.failure
        assert learner is not None
        self.tokens_in_flight = max(
            0, self.tokens_in_flight - hold.tokens
        )  # it may have begun to learn after the start
        if failure is None:
            learner.succeeded(outcome, now_s)
        elif failure.implicates not in (Implicates.NOBODY, Implicates.CALLER):
            learner.failed(outcome, now_s)

    def take(self, tokens: float, now_s: float) -> None:
        """One request more, of so many tokens."""
        bounds = self.bounds
        if bounds.requests is not None:
            self.requests_empty_s = bounds.requests.taken(self.requests_empty_s, 1.0, now_s)
        if bounds.tokens is not None and tokens > 0:
            self.tokens_empty_s = bounds.tokens.taken(self.tokens_empty_s, tokens, now_s)

    def give_back_tokens(self, tokens: float, now_s: float) -> None:
        """So many tokens were taken for nothing."""
        if self.bounds.tokens is not None:
            self.tokens_empty_s = self.bounds.tokens.given_back(self.tokens_empty_s, tokens, now_s)

    def room(self, now_s: float) -> float:
        """See `Standing.room`. Between two takes the buckets only fill, so what is there now is there until the next."""
        if self.cool_down_until_s != 0.0:
            return NO_ROOM
        if self.wary and self.learner is not None and self.learner.now.alarm:
            return NO_ROOM
        bounds = self.bounds
        if bounds.in_flight is not None and self.in_flight >= bounds.in_flight:
            return NO_ROOM
        if bounds.requests is not None and (now_s - self.requests_empty_s) * bounds.requests.per_s < 1.0:
            return NO_ROOM
        return ROOM if bounds.tokens is None else bounds.tokens.level(self.tokens_empty_s, now_s)

    def look(self) -> list[Breaker]:
        """Take in what became of the breakers. Returns those that changed their state."""
        before = self.views
        for index, breaker in enumerate(self.breakers):
            if index >= len(before) or breaker.view is not before[index]:
                break
        else:
            return []
        self.views = views = tuple([breaker.view for breaker in self.breakers])
        self.flowing = all(view.state in FLOWING for view in views)
        return [
            breaker for breaker, view in zip(self.breakers, before, strict=False) if breaker.state is not view.state
        ]

    def standing(self) -> Standing:
        """What it comes to, as of its last change."""
        self.behind = False
        steady = self.bounds is UNBOUNDED and self.cool_down_until_s == 0.0 and not self.wary
        return Standing(
            ROOM if steady else self.room(self.at_s),
            self.in_flight,
            self.bounds,
            self.views,
            self.cool_down_until_s,
            self.cool_down_kind,
            self.requests_empty_s,
            self.tokens_empty_s,
            self.latency.mean,
            self.errors.mean,
            self.seen,
            self.tokens_in_flight,
            UNMEASURED if self.learner is None else self.learner.now,
        )

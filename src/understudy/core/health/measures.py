"""What a target's attempts teach about it, beyond its standing: collected only where a route's strategy or balancer reads it."""

from __future__ import annotations

from math import exp, log

from understudy.core.catalogue.profile import Profile
from understudy.core.failure import FailureKind
from understudy.core.health.change import Failures, Times
from understudy.core.health.memory import PRIOR_FAILING, Level, Share
from understudy.core.health.quantiles import Quantiles
from understudy.core.outcome import Outcome
from understudy.core.request import Operation
from understudy.core.scales import slow
from understudy.core.value import value

HALF_LIFE_S = 1800.0
FADING = 0.6931471805599453 / HALF_LIFE_S

PRIOR_FIRST_MS = {"efficient": 400.0, "balanced": 800.0, "flagship": 1500.0}
"""Before the first sample: time to the first content by the profile's tier. It weighs as much as one sample."""

PRIOR_MS = 800.0
PRIOR_WHOLE = 8.0
"""How many times as long the whole answer takes, before the first sample."""

PRIOR_RATINGS = 10.0
"""How many ratings a profile's quality is worth."""

RATING_HALF_LIFE_S = 7 * 24 * 3600.0
REMEMBERED = 1000.0
"""Attempts that a mean is made of at most: what changes too slowly to be noticed as a change must be followed all the same."""

TRAFFIC_S = 30.0
"""Over how long present traffic is measured."""

FADED = 1e-9
"""A weight below this says nothing any more: what was known before stays."""

_COUNT = Operation.COUNT
_LIMITED = FailureKind.RATE_LIMIT


@value
class Measures:
    """A target's record, fading (a sample half an hour old weighs half, and one from before a change nothing), with a prior that weighs one sample.

    `at_s`: of the last attempt. `weight`: attempts, faded to `at_s`, the prior left out. `first`, `whole`: losses (see `core.scales`) of
    the time to the first content, and to the end. `failing`: share of failures, 0 to 1. `worse`: how certain it is that the
    target has become worse, 0 to 1 (an alarm). `variance`: of one attempt's success. `first_ms`, `whole_ms`: (median, 95th percentile), None before the first sample.
    `tokens_per_s`: of answers while they come. `cost_per_success_nusd`. `cached`: share of the prompts' tokens read from the
    provider's cache, 0 to 1. `requests_per_s`, `tokens_used_per_s`: attempts that end, and all their tokens. `rating`: mean of the
    scores given to its answers and `ratings` their weight, faded by weeks. `doubt_first`, `doubt_whole`, `doubt_failing`: how far those means
    may be off, as standard deviations. `alarm`: it has become worse, and
    nothing says otherwise yet.
    """

    at_s: float
    weight: float
    first: float
    whole: float
    failing: float
    worse: float
    variance: float
    first_ms: tuple[float, float] | None = None
    whole_ms: tuple[float, float] | None = None
    tokens_per_s: float | None = None
    cost_per_success_nusd: float | None = None
    cached: float = 0.0
    requests_per_s: float = 0.0
    tokens_used_per_s: float = 0.0
    rating: float | None = None
    ratings: float = 0.0
    doubt_first: float = Level(0.0).doubt
    doubt_whole: float = Level(0.0).doubt
    doubt_failing: float = Share(PRIOR_FAILING).doubt
    alarm: bool = False


@value
class Alarm:
    """One measure of a target that has changed for the worse. `before`: what was ordinary; `after`: what it is in the present run.

    `measure`: `first_content_ms`, `ms_per_token` (of whole answers, 64 tokens taken for the beginning) or `failing` (a share, 0 to 1).
    """

    measure: str
    before: float
    after: float


NEVER_S = float("-inf")
UNMEASURED = Measures(
    NEVER_S,
    0.0,
    slow(PRIOR_MS),
    slow(PRIOR_MS * PRIOR_WHOLE),
    PRIOR_FAILING,
    0.0,
    PRIOR_FAILING * (1.0 - PRIOR_FAILING),
)


class Learner:
    """One target's past, as sums that fade together. `now`: what follows from it."""

    __slots__ = (
        "_cached",
        "_cost_nusd",
        "_cost_of",
        "_failed",
        "_failing",
        "_first",
        "_first_ms",
        "_out",
        "_out_s",
        "_paces",
        "_prompt",
        "_rated_s",
        "_rating_sum",
        "_ratings",
        "_streams",
        "_traffic",
        "_traffic_tokens",
        "_weight",
        "_whole",
        "_whole_ms",
        "_window",
        "alarms",
        "now",
    )

    def __init__(self, profile: Profile, window: float = REMEMBERED) -> None:
        self._window = window
        self.alarms: tuple[Alarm, ...] = ()
        first_ms = PRIOR_FIRST_MS.get(profile.tier or "", PRIOR_MS)
        self._weight = 0.0
        # The prior is the first sample, and fades like any other.
        self._failed = Share(PRIOR_FAILING)
        self._first, self._whole = Level(slow(first_ms)), Level(slow(first_ms * PRIOR_WHOLE))
        self._out = self._out_s = self._prompt = self._cached = self._cost_nusd = self._cost_of = 0.0
        self._traffic = self._traffic_tokens = 0.0
        self._rating_sum = self._ratings = self._rated_s = 0.0
        self._first_ms, self._whole_ms = Quantiles(), Quantiles()
        self._streams, self._paces, self._failing = Times(), Times(), Failures()
        self.now = self._measures(NEVER_S)

    def succeeded(self, outcome: Outcome, now_s: float) -> None:
        """A good answer. Counts of tokens teach nothing about answers."""
        if outcome.operation is _COUNT:
            return
        self._fade(now_s)
        whole_ms = max(0.0, (outcome.ended_s - outcome.started_s) * 1000.0)
        first, whole, first_ms = None, slow(whole_ms), 0.0
        if outcome.stream and outcome.first_content_s is not None:
            first_ms = max(0.0, (outcome.first_content_s - outcome.started_s) * 1000.0)
            first = slow(first_ms)
            self._first_ms.add(first_ms)
        self._whole_ms.add(whole_ms)
        written = self._used(outcome, whole_ms - first_ms)
        self._sample(first, whole, failed=False)
        if first is not None:
            self._streams.add(log(1.0 + first_ms))
        else:  # a longer answer takes longer: what may change is its pace
            self._paces.add(log((1.0 + whole_ms) / (64.0 + written)))
        self._failing.add(failed=False)
        self.now = self._measures(now_s)

    def failed(self, outcome: Outcome, now_s: float) -> None:
        """A failure that implicates the target. A rate limit is no sign that it is getting worse."""
        if outcome.operation is _COUNT:
            return
        self._fade(now_s)
        self._used(outcome, 0.0)
        self._sample(None, None, failed=True)
        assert outcome.failure is not None
        if outcome.failure.kind is not _LIMITED:
            self._failing.add(failed=True)
        self.now = self._measures(now_s)

    def rated(self, score: float, now_s: float) -> None:
        """Somebody said how good an answer was, 0 to 1."""
        fading = exp((self._rated_s - now_s) * FADING * HALF_LIFE_S / RATING_HALF_LIFE_S) if self._ratings else 0.0
        self._rating_sum = self._rating_sum * fading + score
        self._ratings = self._ratings * fading + 1.0
        self._rated_s = now_s
        self.now = self._measures(self.now.at_s)

    def news(self) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]] | None:
        """The alarms that began with the latest attempt, and those that ended; None, as nearly always, when there are neither."""
        known = self.alarms
        count = self._streams.alarm + self._paces.alarm + self._failing.alarm
        if count == len(known) == 0:
            return None
        standing = self._standing()
        names, before = [one.measure for one in standing], [one.measure for one in known]
        begun = tuple([one for one in standing if one.measure not in before])
        over = tuple([one for one in known if one.measure not in names])
        if not begun and not over:
            return None
        self.alarms = tuple([one for one in known if one.measure in names]) + begun
        return begun, tuple([self._now_of(one) for one in over])

    def _standing(self) -> list[Alarm]:
        found = []
        if self._streams.alarm:
            found.append(Alarm("first_content_ms", _ms(self._streams.ordinary), _ms(self._streams.level)))
        if self._paces.alarm:
            found.append(Alarm("ms_per_token", exp(self._paces.ordinary), exp(self._paces.level)))
        if self._failing.alarm:
            found.append(Alarm("failing", self._failing.ordinary, self._failing.level))
        return found

    def _now_of(self, over: Alarm) -> Alarm:
        """An alarm that is over: what it was about, and what is ordinary now."""
        ordinary = {
            "first_content_ms": _ms(self._streams.ordinary),
            "ms_per_token": exp(self._paces.ordinary),
            "failing": self._failing.ordinary,
        }
        return Alarm(over.measure, over.after, ordinary[over.measure])

    def _fade(self, now_s: float) -> None:
        at_s = self.now.at_s
        since_s = now_s - at_s if at_s != NEVER_S else 0.0
        left = exp(-FADING * since_s) * min(1.0, self._window / (self._weight + 1.0))
        self._weight *= left
        self._first.fade(left)
        self._whole.fade(left)
        self._failed.fade(left)
        self._cost_nusd *= left
        self._cost_of *= left
        self._out *= left
        self._out_s *= left
        self._prompt *= left
        self._cached *= left
        soon = exp(-since_s / TRAFFIC_S)
        self._traffic = self._traffic * soon + 1.0
        self._traffic_tokens *= soon

    def _used(self, outcome: Outcome, writing_ms: float) -> int:
        """What it read and wrote and what that cost. Returns the tokens written."""
        if outcome.cost_nusd is not None:
            self._cost_nusd += outcome.cost_nusd
            self._cost_of += outcome.failure is None
        usage = outcome.usage
        if usage is None:
            return 0
        written = usage.completion
        self._traffic_tokens += usage.total
        self._prompt += usage.prompt
        self._cached += usage.cache_read
        if writing_ms > 0.0:
            self._out += written
            self._out_s += writing_ms / 1000.0
        return written

    def _sample(self, first: float | None, whole: float | None, *, failed: bool) -> None:
        self._weight += 1.0
        believed = self._failed.add(failed=failed)
        if first is not None:
            believed = self._first.add(first) or believed
        if whole is not None:
            believed = self._whole.add(whole) or believed
        if believed is not None and believed < self._weight:
            self._weight = believed

    def _measures(self, at_s: float) -> Measures:
        failing = self._failed.mean
        return Measures(
            at_s,
            self._weight,
            self._first.mean if self._first.weight > FADED else self.now.first,
            self._whole.mean if self._whole.weight > FADED else self.now.whole,
            failing,
            max(self._streams.worse, self._paces.worse, self._failing.worse),
            failing * (1.0 - failing),
            _quantiles(self._first_ms),
            _quantiles(self._whole_ms),
            self._out / self._out_s if self._out_s else None,
            self._cost_nusd / self._cost_of if self._cost_of else None,
            self._cached / self._prompt if self._prompt else 0.0,
            self._traffic / TRAFFIC_S,
            self._traffic_tokens / TRAFFIC_S,
            self._rating_sum / self._ratings if self._ratings else None,
            self._ratings,
            self._first.doubt,
            self._whole.doubt,
            self._failed.doubt,
            self._streams.alarm or self._paces.alarm or self._failing.alarm,
        )


def _ms(logarithm: float) -> float:
    return exp(logarithm) - 1.0


def _quantiles(times: Quantiles) -> tuple[float, float] | None:
    median, late = times.quantile(0.5), times.quantile(0.95)
    return None if median is None or late is None else (median, late)

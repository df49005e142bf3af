"""How hard a route tries, and when it stops."""

from __future__ import annotations

from understudy.core.failure import FailureKind
from understudy.core.prompts.heads import Trained
from understudy.core.value import keyword_value


@keyword_value
class Retry:
    """When the same target is asked again: after `initial_s`, then longer each time.

    `kind`: exponential (initial x multiplier^k), linear (initial x (k + 1)) or none. `max`: repeats per target and request.
    `jitter`: the share by which a delay is lengthened or shortened at random, 0 to 1.
    """

    kind: str = "exponential"
    max: int = 3
    initial_s: float = 1.0
    multiplier: float = 2.0
    max_s: float = 60.0
    jitter: float = 0.2


@keyword_value
class Timeouts:
    """Bounds on one attempt, seconds. `answer_s`: a whole answer. `headers_s`: until a stream's headers.

    `first_content_s`: from the start until a stream's first content. `idle_s`: between two signs of progress in a stream.
    """

    connect_s: float = 5.0
    headers_s: float = 30.0
    first_content_s: float = 60.0
    idle_s: float = 60.0
    answer_s: float = 300.0


@keyword_value
class BreakerSettings:
    """When a breaker opens, and how it closes again.

    Opens on `failures` counted failures in a row; or on at least `failures` within `window_s` that are at least `share` of
    the last `last` outcomes; or, where set, when `error_rate` of at least `last` outcomes in the window failed. An outcome
    slower than `slow_ms` to its first content counts as a failure where that is set. `recovery_s` after opening it lets
    `half_open` test requests through at a time; `successes` of them close it, any failure reopens it. For `ramp_s` after
    that the target gets a growing share of the traffic that others could take, from none to its whole (0: all at once).
    `counts`: kinds that are counted, or not, against the failure table's own word.
    """

    failures: int = 5
    window_s: float = 300.0
    share: float = 0.5
    last: int = 20
    recovery_s: float = 60.0
    half_open: int = 3
    successes: int = 2
    ramp_s: float = 30.0
    error_rate: float | None = None
    slow_ms: float | None = None
    counts: tuple[tuple[FailureKind, bool], ...] = ()


@keyword_value
class Hedge:
    """When a second attempt begins beside one that is slow; the first content wins, the other attempt is dropped and booked.

    `quantile`: of the target's own times to the first content, learned from its traffic: a slower attempt is hedged. `after_s`:
    that time where it is to be a fixed one. `share`: hedges per attempt, at most.
    """

    quantile: float = 0.95
    share: float = 0.05
    after_s: float | None = None


@keyword_value
class Cascade:
    """Cheap targets that are asked first, at the same time; their answer is kept when it will do.

    `ask`: their names, the one whose answer a gate keeps first. `gate`: a trained judge of drafts; without one two of them must agree.
    `field`: the member of a JSON answer that is compared. `quality`: the share of the strong one's to keep, the gate's own
    by default. `share`: of the request's time, for the drafts.
    """

    ask: tuple[str, ...]
    gate: Trained | None = None
    field: str | None = None
    quality: float | None = None
    share: float = 0.5


@keyword_value
class Policy:
    """How hard one request may try.

    `deadline_s` and `attempts_max` cover everything: waiting, retries, fallbacks. `wait_max_s`: the longest wait for a
    recovery when nothing is eligible. `strict`: refuse a target rather than drop anything of a request that may change the answer (an answer is told what it lost, never refused).
    `elsewhere_when_filtered`: a prompt that a provider's content policy refused is tried at other targets.
    `hedge`: None where nobody is asked twice at once. `cascade`: None where no drafts are asked for. `mix_spaces`: texts may be embedded by a target of another vector space than the route's.
    `leave_early`: a target that is getting worse is asked after the others, before its breaker opens.
    `regions`: only targets of these are asked; empty for wherever they are.
    """

    deadline_s: float = 600.0
    attempts_max: int = 6
    wait_max_s: float = 10.0
    retry: Retry = Retry()
    timeouts: Timeouts = Timeouts()
    breaker: BreakerSettings = BreakerSettings()
    hedge: Hedge | None = None
    cascade: Cascade | None = None
    strict: bool = False
    elsewhere_when_filtered: bool = False
    mix_spaces: bool = False
    regions: tuple[str, ...] = ()
    leave_early: bool = False

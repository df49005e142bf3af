"""What happened, as values in one numbered stream: everything that is counted, reported or shown is a fold over these."""

from __future__ import annotations

from understudy.core.failure import FailureKind, Implicates
from understudy.core.outcome import Outcome, Result
from understudy.core.resilience.breaker import State
from understudy.core.target import Probe
from understudy.core.value import value


@value
class BreakerChanged:
    """A breaker entered a state. `breaker`: which of the target's: its label, the same in every process.

    `rest_s`: how long until an open one may be tested, or a closed one has its whole traffic again.
    """

    target: str
    breaker: int
    state: State
    rest_s: float
    at_s: float


@value
class CoolDownSet:
    """A key, target, model or provider rests. `target`: the one whose attempt said so. `rest_s`: how long."""

    target: str
    scope: Implicates
    kind: FailureKind
    rest_s: float
    at_s: float


@value
class AttemptEnded:
    """One attempt is over. `decision`: of which request."""

    decision: str
    outcome: Outcome


@value
class ProbeExpected:
    """A target whose breaker is open will be probed, `rest_s` from then."""

    target: str
    rest_s: float
    at_s: float


@value
class TargetProbed:
    """An active probe is over. `outcome`: booked like an attempt, of no request and in no tier. `way`: how it was made."""

    outcome: Outcome
    way: Probe


@value
class AlarmChanged:
    """A target has become worse (`on`), or is no worse any more. `measure`, `before`, `after`: see `core.health.measures.Alarm`."""

    target: str
    measure: str
    on: bool
    before: float
    after: float
    at_s: float


@value
class RequestEnded:
    """One request is over."""

    result: Result


@value
class AnswerRated:
    """Somebody said how good an answer was. `score`: 0 to 1. `target`: who answered, None when that is forgotten."""

    decision: str
    target: str | None
    score: float


Event = (
    BreakerChanged
    | CoolDownSet
    | AttemptEnded
    | ProbeExpected
    | TargetProbed
    | AlarmChanged
    | RequestEnded
    | AnswerRated
)

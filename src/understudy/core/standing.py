"""How a target stands: what is known of it at one moment, as strategies, balancers and eligibility read it."""

from __future__ import annotations

from understudy.core.failure import FailureKind
from understudy.core.health.measures import UNMEASURED, Measures
from understudy.core.resilience.breaker import BreakerView
from understudy.core.resilience.rate import Rate
from understudy.core.value import value


@value
class Bounds:
    """This worker's part of the operator's limits for a target; None: unbounded. `requests`, `tokens`: per minute."""

    in_flight: int | None
    requests: Rate | None
    tokens: Rate | None


UNBOUNDED = Bounds(None, None, None)
ROOM = float("inf")
NO_ROOM = -1.0


@value
class Standing:
    """A target as it stands. Times are monotonic seconds.

    `room`: requests of up to so many tokens cannot be held back by anything about the target but a breaker, now or later while it
    stands so: no cool-down, every bound is far enough. `ROOM`: whatever their size; `NO_ROOM`:
    there is something to ask about. `breakers`: one view for each settings it is used with. `cool_down_until_s`: 0 without
    one; `cool_down_kind`: what set it. `requests_empty_s`, `tokens_empty_s`: the states of the bounds' rates.
    `latency_ms`: time to the first content, `error_rate`: share of failures (0 to 1); both None until known.
    `tokens_in_flight`: estimated tokens of the prompts in flight; `measures`: more, where somebody reads it (see `Scoreboard.measure`).
    """

    room: float
    in_flight: int
    bounds: Bounds
    breakers: tuple[BreakerView, ...]
    cool_down_until_s: float
    cool_down_kind: FailureKind | None
    requests_empty_s: float
    tokens_empty_s: float
    latency_ms: float | None
    error_rate: float | None
    seen: int
    tokens_in_flight: int = 0
    measures: Measures = UNMEASURED

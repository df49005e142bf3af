"""How every target stands, as a caller of the library is told."""

from __future__ import annotations

from understudy.core.value import keyword_value
from understudy.engine.router import Engine
from understudy.library.switches import worst_state


@keyword_value
class TargetHealth:
    """How a target stands now, as this process knows it.

    `breaker`: closed, open, half-open, forced-open or watch-only (the worst, where routes use several). `rests_s`: how long
    it still rests, 0 when it does not. `in_flight_max`: this process's bound on that, None without one. `latency_ms`: to the first content, `error_rate`: 0 to 1; None until known.
    `alarms`: what is getting worse, where that is looked for: first_content_ms, ms_per_token, failing.
    """

    target: str
    breaker: str
    rests_s: float
    in_flight: int
    in_flight_max: int | None
    latency_ms: float | None
    error_rate: float | None
    attempts: int
    alarms: tuple[str, ...] = ()


def health_of(engine: Engine) -> dict[str, TargetHealth]:
    """How every target stands, by name."""
    now_s = engine.now_s()
    told = {}
    for name in engine.board.targets():
        standing = engine.board.standing(name)
        told[name] = TargetHealth(
            target=name,
            breaker=worst_state(engine, name),
            rests_s=max(0.0, standing.cool_down_until_s - now_s),
            in_flight=standing.in_flight,
            in_flight_max=standing.bounds.in_flight,
            latency_ms=standing.latency_ms,
            error_rate=standing.error_rate,
            attempts=standing.seen,
            alarms=tuple(alarm.measure for alarm in engine.board.alarms(name)),
        )
    return told

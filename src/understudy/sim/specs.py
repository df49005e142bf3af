"""How the settings of each fault are drawn for a campaign."""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.dice import Dice
from understudy.core.value import JsonObject

NAMES = ("ada", "ben", "cleo", "dora", "emil", "fay")
"""The targets that a fault may strike."""

Spec = Callable[[Dice, float], JsonObject]


def _span(dice: Dice, horizon_s: float) -> JsonObject:
    from_s = dice.between(0.0, horizon_s * 0.5)
    return {"from_s": from_s, "to_s": from_s + dice.between(0.1, 1.0) * horizon_s}


def _where(dice: Dice) -> list[str]:
    """Some targets; the rest never hears of the fault."""
    return dice.shuffled(NAMES)[: 1 + dice.below(len(NAMES) - 1)]


_DOWN = (
    "refused",
    "timeout",
    "dns_failed",
    "tls_failed",
    "silence",
    "reset",
    "bad_gateway",
    "unavailable",
    "overloaded",
)
_PROBLEMS = (
    "server_error", "rate_limit", "overloaded", "invalid_request", "context_length", "payload_too_large", "content_filter",
)  # fmt: skip

SPECS: dict[str, Spec] = {
    "byzantine_answers": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
        "how": dice.pick(("any", "mistyped", "foreign", "miscounted")),
    },
    "cascading_outage": lambda dice, horizon_s: {
        "spreads": _where(dice),
        "from_s": dice.between(0.0, horizon_s / 2),
        "step_s": dice.between(0.0, horizon_s / 8),
        "lasts_s": dice.between(1.0, horizon_s),
        "how": dice.pick(_DOWN),
    },
    "certificate_expiry": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.pick((0.5, 1.0)),
    },
    "clock_skew": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.pick((0.5, 1.0)),
        "skew_s": dice.pick((-3600.0, -30.0, 30.0, 3600.0)),
    },
    "corrupt_answers": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
    },
    "credential_revocation": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "spreads_s": dice.pick((0.0, 10.0)),
        "problem": dice.pick(("auth", "permission", "expired_token")),
    },
    "dns_failure": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "remembered_s": dice.pick((0.0, 10.0)),
        "takes_s": dice.pick((0.0, 1.0, 10.0)),
    },
    "error_burst": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "problem": dice.pick(_PROBLEMS),
        "every_s": dice.between(5.0, horizon_s),
        "lasts_s": dice.between(0.5, 10.0),
        "retry_after_s": dice.pick((None, 0.5, 5.0, 60.0)),
        "hint": dice.pick(("none", "retry_after", "retry_after_ms", "ratelimit_reset", "words")),
    },
    "flapping": lambda dice, horizon_s: {
        "where": _where(dice),
        "up_s": dice.between(0.5, horizon_s / 4),
        "down_s": dice.between(0.5, horizon_s / 4),
        "how": dice.pick(_DOWN),
    },
    "giant_answers": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
    },
    "in_band_error": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
        "after_chunks": dice.pick((0, 1, None)),
    },
    "latency": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "kind": dice.pick(("constant", "uniform", "exponential", "pareto")),
        "headers_s": dice.between(0.5, 40.0),
        "first_content_s": dice.between(0.0, 10.0),
        "chunk_s": dice.pick((0.0, 0.5, 5.0)),
    },
    "outage": lambda dice, horizon_s: {**_span(dice, horizon_s), "where": _where(dice), "how": dice.pick(_DOWN)},
    "overload": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "per_s": dice.between(0.02, 0.5),
        "window_s": dice.pick((1.0, 10.0)),
        "headers_s": dice.between(0.0, 5.0),
        "retry_after_s": dice.pick((None, 5.0)),
    },
    "partial_degradation": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
        "headers_s": dice.between(0.0, 5.0),
        "chunk_s": dice.between(0.0, 1.0),
    },
    "partition": lambda dice, horizon_s: {**_span(dice, horizon_s), "where": _where(dice)},
    "quota_exhaustion": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "requests": dice.below(10),
        "tokens": dice.pick((None, 2000)),
    },
    "rate_limit_exhaustion": lambda dice, horizon_s: {
        "where": _where(dice),
        "requests": dice.below(6),
        "per_s": dice.between(1.0, horizon_s / 2),
        "hint": dice.pick(("none", "retry_after", "retry_after_ms", "anthropic_reset")),
    },
    "reset": lambda dice, horizon_s: {**_span(dice, horizon_s), "where": _where(dice), "share": dice.random()},
    "silence": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.between(0.3, 1.0),
        "after": dice.pick(("request", "headers")),
    },
    "slow_death": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "dies_in_s": dice.between(1.0, horizon_s),
        "headers_s": dice.between(0.0, 20.0),
        "how": dice.pick(_DOWN),
    },
    "slow_trickle": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "pause_s": dice.between(0.5, 10.0),
    },
    "stalled_stream": lambda dice, horizon_s: {**_span(dice, horizon_s), "where": _where(dice), "share": dice.random()},
    "truncated_stream": lambda dice, horizon_s: {
        **_span(dice, horizon_s),
        "where": _where(dice),
        "share": dice.random(),
        "how": dice.pick(("cut", "reset", "unfinished")),
    },
}
"""The faults that a campaign can be about, each with how its settings are drawn."""

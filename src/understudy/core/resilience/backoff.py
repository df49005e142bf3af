"""How long to wait before the same target is asked again."""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.dice import Dice
from understudy.core.policy import Retry

_GROWTH: dict[str, Callable[[Retry, int], float]] = {
    "exponential": lambda retry, repeat: retry.initial_s * retry.multiplier**repeat,
    "linear": lambda retry, repeat: retry.initial_s * (repeat + 1),
}


def delay_s(retry: Retry, repeat: int, dice: Dice) -> float:
    """Seconds before repeat number `repeat` (0 for the first). Jitter keeps clients from coming back in step.

    Exponential backoff with jitter: AWS Architecture Blog, "Exponential Backoff and Jitter" (2015).
    """
    plain = min(_GROWTH[retry.kind](retry, repeat), retry.max_s)
    return plain * (1.0 + retry.jitter * (2.0 * dice.random() - 1.0))


def repeats(retry: Retry) -> int:
    """How many repeats a target gets within one request."""
    return retry.max if retry.kind in _GROWTH else 0

"""Retry budget: keeps panic attempts a small share of all traffic, so that trying harder never makes an outage worse.

Finagle's RetryBudget is the model: every request deposits a little, every panic attempt withdraws one, and a small
reserve per second allows some even without traffic.
"""

from __future__ import annotations

from understudy.core.resilience.token_bucket import TokenBucket

SHARE = 0.1
"""Panic attempts per request."""
RESERVE_PER_S = 1.0
CAPACITY = 10.0


class RetryBudget:
    """A balance of panic attempts."""

    __slots__ = ("_bucket",)

    def __init__(self) -> None:
        self._bucket = TokenBucket(CAPACITY, RESERVE_PER_S, CAPACITY)

    def deposit(self, now_s: float) -> None:
        """A request came."""
        self._bucket = self._bucket.after(-SHARE, now_s)

    def withdraw(self, now_s: float) -> bool:
        """One panic attempt, if the balance allows it."""
        if self._bucket.level_at(now_s) < 1.0:
            return False
        self._bucket = self._bucket.after(1.0, now_s)
        return True

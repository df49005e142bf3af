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
    """A balance of panic attempts. Deposits are counted and added up when someone asks: every request makes one."""

    __slots__ = ("_bucket", "_deposits")

    def __init__(self) -> None:
        self._bucket = TokenBucket(CAPACITY, RESERVE_PER_S, CAPACITY)
        self._deposits = 0

    def deposit(self) -> None:
        """A request came."""
        self._deposits += 1

    def withdraw(self, now_s: float) -> bool:
        """One panic attempt, if the balance allows it."""
        self._bucket = self._bucket.after(-SHARE * self._deposits, now_s)
        self._deposits = 0
        if self._bucket.level < 1.0:
            return False
        self._bucket = self._bucket.after(1.0, now_s)
        return True

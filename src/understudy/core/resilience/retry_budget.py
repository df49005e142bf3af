"""Retry budget: keeps panic attempts a small share of all traffic, so that trying harder never makes an outage worse.

Finagle's RetryBudget is the model: every request deposits a little, every panic attempt withdraws one, and a small
reserve per second allows some even without traffic.
"""

from __future__ import annotations

from understudy.core.resilience.rate import FULL, Rate

SHARE = 0.1
"""Panic attempts per request."""
BALANCE = Rate(capacity=10.0, per_s=1.0)
"""What may be saved up, and the reserve."""


class RetryBudget:
    """A balance of panic attempts. Deposits are counted and added up when someone asks: every request makes one."""

    __slots__ = ("_deposits", "_empty_s")

    def __init__(self) -> None:
        self._empty_s = FULL
        self._deposits = 0

    def deposit(self) -> None:
        """A request came."""
        self._deposits += 1

    def withdraw(self, now_s: float) -> bool:
        """One panic attempt, if the balance allows it."""
        self._empty_s = BALANCE.given_back(self._empty_s, SHARE * self._deposits, now_s)
        self._deposits = 0
        if BALANCE.ready_s(self._empty_s, 1.0, now_s) > now_s:
            return False
        self._empty_s = BALANCE.taken(self._empty_s, 1.0, now_s)
        return True

    def give_back(self, now_s: float) -> None:
        """A panic attempt that was paid for could not begin."""
        self._empty_s = BALANCE.given_back(self._empty_s, 1.0, now_s)

"""Hedge budget: keeps second attempts beside slow ones a stated share of all attempts.

Without it a provider that becomes slow for everybody would get twice the traffic just then (J. Dean and L. A. Barroso, "The Tail
at Scale", CACM 2013, hedge after the 95th percentile for the same reason).
"""

from __future__ import annotations

SAVED_MAX = 10.0
"""Hedges that may be saved up: a slow minute after a quiet hour must not become a flood."""


class HedgeBudget:
    """Every attempt deposits `share`, every hedge withdraws 1. It begins empty, so that the share holds from the first request on."""

    __slots__ = ("_saved", "_share")

    def __init__(self, share: float) -> None:
        self._share = share
        self._saved = 0.0

    def deposit(self) -> None:
        """An attempt that is no hedge begins."""
        self._saved = min(SAVED_MAX, self._saved + self._share)

    def give_back(self) -> None:
        """A hedge that was paid for could not begin."""
        self._saved = min(SAVED_MAX, self._saved + 1.0)

    def withdraw(self) -> bool:
        """One hedge, if the balance allows it."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True

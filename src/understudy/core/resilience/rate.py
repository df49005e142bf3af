"""Rate limit: how much of it is left, as one moment in time.

The generic cell rate algorithm (ITU-T I.371): a bucket that refills at a steady rate was empty, or would have been, at one
moment; what it holds now follows from that. So the whole state is a float, which a Standing can hold as it is.
"""

from __future__ import annotations

from understudy.core.value import value

ROUNDING_S = 1e-6
"""Less than this is missing only because time is a float: whoever waited until `ready_s` finds it ready."""

FULL = float("-inf")
"""The state of a bucket from which nothing was ever taken."""


@value
class Rate:
    """A bucket of `capacity` that refills at `per_s`. Its state, given to every method, is when it was empty, `empty_s`.

    A take may overdraw it when its true size is known only afterwards (`empty_s` then lies ahead): the debt is paid off
    before the next take.
    """

    capacity: float
    per_s: float

    def level(self, empty_s: float, now_s: float) -> float:
        """What it holds at `now_s`; negative while there is a debt."""
        level = (now_s - empty_s) * self.per_s
        return level if level < self.capacity else self.capacity

    def taken(self, empty_s: float, amount: float, now_s: float) -> float:
        """The state once `amount`, above 0, was taken."""
        full_s = now_s - self.capacity / self.per_s  # it was full at the most when it was taken from
        return (empty_s if empty_s > full_s else full_s) + amount / self.per_s

    def given_back(self, empty_s: float, amount: float, now_s: float) -> float:
        """The state once `amount` was given back: full at the most."""
        full_s, before_s = now_s - self.capacity / self.per_s, empty_s - amount / self.per_s
        return before_s if before_s > full_s else full_s

    def ready_s(self, empty_s: float, amount: float, now_s: float) -> float:
        """When `amount` (at most the capacity) is there: `now_s` when it is already."""
        ready_s = empty_s + min(amount, self.capacity) / self.per_s
        return now_s if ready_s <= now_s + ROUNDING_S else ready_s


def per_minute(rate: float) -> Rate:
    """A limit per minute: a whole minute's worth may come at once."""
    return Rate(rate, rate / 60.0)

"""Token bucket: how much of a rate limit is left, as an immutable level and time."""

from __future__ import annotations

from understudy.core.value import value

ROUNDING = 1e-6
"""Less than this is missing only because time is a float: whoever waited until `ready_s` finds it ready."""


@value
class TokenBucket:
    """Holds up to `capacity`, refills at `per_s`; `level` is what it held at `at_s`.

    A take may overdraw it when its true size is known only afterwards: the debt is paid off before the next take.
    """

    capacity: float
    per_s: float
    level: float
    at_s: float = 0.0

    def level_at(self, now_s: float) -> float:
        """What it holds at `now_s`."""
        if now_s <= self.at_s:
            return self.level
        return min(self.capacity, self.level + (now_s - self.at_s) * self.per_s)

    def ready_s(self, amount: float, now_s: float) -> float:
        """When `amount` (at most the capacity) is there: `now_s` when it is already."""
        missing = min(amount, self.capacity) - self.level_at(now_s)
        return now_s if missing <= ROUNDING else now_s + missing / self.per_s

    def after(self, amount: float, now_s: float) -> TokenBucket:
        """The bucket once `amount` was taken (negative: given back)."""
        level, at_s = self.level - amount, self.at_s
        if now_s > at_s:
            level += (now_s - at_s) * self.per_s
            at_s = now_s
        most = self.capacity - amount if amount > 0 else self.capacity  # it was full at the most when it was taken from
        return TokenBucket(self.capacity, self.per_s, min(most, level), at_s)


def per_minute(rate: float) -> TokenBucket:
    """A full bucket for a limit per minute: a whole minute's worth may come at once."""
    return TokenBucket(rate, rate / 60.0, rate)

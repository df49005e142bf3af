"""One attempt as it begins: who is called, when, and what the provider has seen before."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import field
from math import inf

from understudy.core.value import keyword_value


class Arrivals:
    """The requests that a provider has seen: what a rate limit counts. Kept by whoever plays the provider."""

    __slots__ = ("_times_s", "_tokens")

    _KEPT_MAX = 100_000

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._tokens: list[int] = [0]  # running sum, one longer than the times

    def note(self, now_s: float, tokens: int = 0) -> None:
        """A request has come. Times never run backwards; only the last 100,000 are remembered."""
        if len(self._times_s) >= self._KEPT_MAX:
            del self._times_s[: self._KEPT_MAX // 2], self._tokens[: self._KEPT_MAX // 2]
        self._times_s.append(now_s)
        self._tokens.append(self._tokens[-1] + tokens)

    def since(self, from_s: float) -> tuple[int, int]:
        """How many requests, and how many tokens, have come at `from_s` or later."""
        return self.between(from_s, inf)

    def between(self, from_s: float, to_s: float) -> tuple[int, int]:
        """The same of those before `to_s`."""
        first = bisect_left(self._times_s, from_s)
        last = max(first, bisect_left(self._times_s, to_s))
        return last - first, self._tokens[last] - self._tokens[first]

    def until(self, to_s: float) -> ArrivalsUntil:
        """What had been seen at that time: for asking afterwards how things stood."""
        return ArrivalsUntil(self, to_s)


class ArrivalsUntil:
    """The requests that a provider had seen by a time that is over."""

    __slots__ = ("_all", "_to_s")

    def __init__(self, everything: Arrivals, to_s: float) -> None:
        self._all = everything
        self._to_s = to_s

    def since(self, from_s: float) -> tuple[int, int]:
        """As `Arrivals.since`, at that time."""
        return self._all.between(from_s, self._to_s)


@keyword_value
class Scene:
    """One attempt as it begins.

    `now_s`: seconds on the clock of the schedule. `target`, `provider`: who is called, as `where` of a fault names them.
    `stream`: whether a stream was asked for. `chunks`: how many pieces of content the answer will have, at least 1. `tokens`: what the
    request costs of a token limit. `arrivals`: what the provider has seen before this attempt.
    """

    now_s: float
    target: str = ""
    provider: str = ""
    stream: bool = False
    chunks: int = 16
    tokens: int = 0
    arrivals: Arrivals | ArrivalsUntil = field(default_factory=Arrivals)

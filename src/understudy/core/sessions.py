"""Where each session was answered last: what arbitrage knows of prompt caches."""

from __future__ import annotations

from understudy.core.value import value

WARM_S = 300.0
"""How long a provider keeps a prompt in its cache after the last use, unless it says otherwise (Anthropic's and OpenAI's default)."""

SESSIONS_MAX = 10_000
"""Sessions that are remembered; the one that was silent longest is forgotten first."""


@value
class Warm:
    """Where a session was answered last, and until when that target is likely to have its first `tokens` in a cache."""

    slot: int
    tokens: int
    until_s: float


class Sessions:
    """The last target of each session, for a while."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, Warm] = {}  # the one that was silent longest comes first

    def answered(self, session: str, slot: int, tokens: int, now_s: float) -> None:
        """A session got an answer from there, to a prompt of so many tokens."""
        self._last.pop(session, None)
        if len(self._last) >= SESSIONS_MAX:
            del self._last[next(iter(self._last))]
        self._last[session] = Warm(slot, tokens, now_s + WARM_S)

    def warm(self, session: str, now_s: float) -> Warm | None:
        """Where this session's prompt is likely to be in a cache."""
        warm = self._last.get(session)
        return warm if warm is not None and now_s < warm.until_s else None

"""The account's limit is used up: within each window so many requests (or tokens) pass, the rest are told when to come back."""

from __future__ import annotations

from math import floor

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_hint
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class RateLimitExhaustion(Spell):
    """`requests`, `tokens`: what passes in one window; None: as much as comes. `per_s`: length of the windows.

    `hint`: how the 429 spells the time until the next window; "none": it does not.
    """

    requests: int | None = 0
    tokens: int | None = None
    per_s: float = 60.0
    hint: str = "retry_after"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(per_s=self.per_s)
        check_hint(self.hint)

    def window(self, scene: Scene) -> tuple[float, float]:
        """Begin and end of the window in which the attempt begins."""
        begin_s = self.from_s + floor((scene.now_s - self.from_s) / self.per_s) * self.per_s
        return begin_s, begin_s + self.per_s

    def exhausted(self, scene: Scene) -> bool:
        """Whether nothing more passes in this window."""
        requests, tokens = scene.arrivals.since(self.window(scene)[0])
        over_requests = self.requests is not None and requests >= self.requests
        return over_requests or (self.tokens is not None and tokens + scene.tokens > self.tokens)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """A 429 with a hint for what comes too much."""
        if not self.strikes(scene, dice) or not self.exhausted(scene):
            return plan
        left_s = min(self.window(scene)[1], self.to_s) - scene.now_s
        return plan.fails_with(Trouble("rate_limit", left_s, self.hint))

    def risk(self, scene: Scene, until_s: float) -> float:
        """Certain for an attempt that begins when the window is used up."""
        del until_s
        return self.share if self.active(scene) and self.exhausted(scene) else 0.0


FAULT = RateLimitExhaustion

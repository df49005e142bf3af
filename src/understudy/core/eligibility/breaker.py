"""Leaves out targets whose circuit breaker lets no calls flow."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.resilience.breaker import Admission, State
from understudy.core.value import value

LOOK_AGAIN_S = 1.0
"""When a half-open breaker whose test slots are taken is worth another look: its tests are under way, and one good answer frees it."""

LOOKING_S = 5.0
"""How long after an active probe was due its answer is still expected."""


@value
class BreakerOpen:
    """Left out while the breaker of this route's settings is open, or half-open with every test slot taken."""

    name = "breaker"
    reads = "standing"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The breaker's state, and when it may be tested, or is looked at; None when only an operator knows."""
        view = candidate.standing.breakers[candidate.entry.breaker]
        if view.admission(ask.now_s) is not Admission.NO:
            return None
        until_s: float | None = None
        if view.state is State.OPEN:
            until_s = view.until_s
            if view.look_s and ask.now_s < view.look_s + LOOKING_S:
                until_s = min(until_s, max(view.look_s, ask.now_s + LOOK_AGAIN_S))
        elif view.state is State.HALF_OPEN:
            until_s = ask.now_s + LOOK_AGAIN_S
        return Exclusion(candidate.entry.target.name, self.name, view.state.value, until_s)


CONDITION = BreakerOpen()

"""Leaves out targets whose configured limits are reached."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class LimitsReached:
    """Left out while the target has as many requests in flight, or has taken as many per minute, as the operator allows."""

    name = "limits"
    reads = "standing"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The limit that is reached, and when there is room again."""
        target, standing = candidate.entry.target, candidate.standing
        bounds = standing.bounds
        most = bounds.in_flight
        if most is not None and standing.in_flight >= most:
            return Exclusion(target.name, self.name, f"{standing.in_flight} of {most} in flight")
        for rate, empty_s, amount, what in (
            (bounds.requests, standing.requests_empty_s, 1.0, "requests per minute"),
            (bounds.tokens, standing.tokens_empty_s, ask.needs.tokens_in, "tokens per minute"),
        ):
            if rate is not None:
                ready_s = rate.ready_s(empty_s, amount, ask.now_s)
                if ready_s > ask.now_s:
                    return Exclusion(target.name, self.name, f"{what} used up", ready_s)
        return None


CONDITION = LimitsReached()

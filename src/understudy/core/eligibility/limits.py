"""Leaves out targets whose configured limits are reached."""

from __future__ import annotations

from understudy.core.plan import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class LimitsReached:
    """Left out while the target has as many requests in flight, or has taken as many per minute, as the operator allows."""

    name = "limits"
    reads = "standing"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The limit that is reached, and when there is room again."""
        target, standing = candidate.entry.target, candidate.standing
        most = standing.in_flight_max
        if most is not None and standing.in_flight >= most:
            return Exclusion(target.name, self.name, f"{standing.in_flight} of {most} in flight")
        for bucket, amount, what in (
            (standing.requests, 1.0, "requests per minute"),
            (standing.tokens, float(ask.needs.tokens_in), "tokens per minute"),
        ):
            if bucket is not None and bucket.level < amount:  # between two takes a level only grows
                ready_s = bucket.ready_s(amount, ask.now_s)
                if ready_s > ask.now_s:
                    return Exclusion(target.name, self.name, f"{what} used up", ready_s)
        return None


CONDITION = LimitsReached()

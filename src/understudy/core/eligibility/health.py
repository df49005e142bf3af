"""Leaves out targets that are getting worse, while there are others to ask."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value

REST_S = 60.0
"""Since its last attempt: then it is asked again, to see whether it still is as bad."""


@value
class GettingWorse:
    """Left out on routes with `leave_early` while an alarm stands: its times or its failures changed for the worse.

    An alarm is no proof of anything: when nobody else answered, the target is asked all the same, before anything is waited for.
    """

    name = "health"
    reads = "standing"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """That an alarm stands, and when the target is looked at again."""
        entry, measures = candidate.entry, candidate.standing.measures
        again_s = measures.at_s + REST_S
        if not entry.leave_early or ask.repeat or not measures.alarm or ask.now_s >= again_s:
            return None
        return Exclusion(entry.target.name, self.name, "it is getting worse", again_s)


CONDITION = GettingWorse()

"""Leaves out targets that this request has tried."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class AlreadyTried:
    """Left out when this request has tried the target: others come first, and some failures are final.

    When only repeats are left (`ask.repeat`), a target may be asked again once its backoff is over.
    """

    name = "tried"
    reads = "tried"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """Why it is not asked again, or not yet."""
        tried = ask.tried.get(candidate.entry.slot)
        if tried is None:
            return None
        name = candidate.entry.target.name
        if tried.final:
            return Exclusion(name, self.name, tried.why.value)
        if not ask.repeat:
            return Exclusion(name, self.name, "others come before repeating it", tried.not_before_s)
        if ask.now_s < tried.not_before_s:
            return Exclusion(name, self.name, "its backoff is not over", tried.not_before_s)
        return None


CONDITION = AlreadyTried()

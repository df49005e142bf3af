"""Leaves out targets that rest."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class CoolingDown:
    """Left out while the target's key, model, provider or itself rests, as a provider's hint or the failure table asked."""

    name = "cool_down"
    reads = "standing"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """What set the rest, and when it ends."""
        standing = candidate.standing
        if ask.now_s >= standing.cool_down_until_s:
            return None
        kind = standing.cool_down_kind
        return Exclusion(candidate.entry.target.name, self.name, kind.value if kind else "", standing.cool_down_until_s)


CONDITION = CoolingDown()

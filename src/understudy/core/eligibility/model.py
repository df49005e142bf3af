"""Its server has not said yet which models it has."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion


class Model:
    """A target that was configured without a model waits for its server to tell one; which one is not known before."""

    name = "model"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        target = candidate.entry.target
        if target.model or not target.dialects:
            return None
        return Exclusion(target.name, self.name, "its server has not told its models yet")


CONDITION = Model()

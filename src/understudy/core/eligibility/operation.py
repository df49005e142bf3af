"""Leaves out targets that do not do what is asked: a model that embeds does not chat, and few endpoints count tokens."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class DoesNot:
    """Left out when the target offers another operation than the request's."""

    name = "operation"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """What it does not do."""
        target = candidate.entry.target
        operation = ask.needs.operation
        if target.offers(operation):
            return None
        return Exclusion(target.name, self.name, f"does not {operation}")


CONDITION = DoesNot()

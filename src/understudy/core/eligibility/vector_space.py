"""Leaves out targets whose vectors cannot be compared with those that the route gives."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.request import Operation
from understudy.core.value import value


@value
class VectorSpace:
    """Left out when the target embeds into another vector space than the route's, unless the route mixes them.

    The route's space is that of its first target that embeds, also while that one fails: what is stored under one space must
    not be searched, or added to, with vectors of another.
    """

    name = "vector_space"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The two spaces."""
        target, space = candidate.entry.target, candidate.entry.space
        if ask.needs.operation is not Operation.EMBED or space is None or target.embeds == space:
            return None
        return Exclusion(target.name, self.name, f"its vectors are of {target.embeds}, those of this route of {space}")


CONDITION = VectorSpace()

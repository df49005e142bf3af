"""Leaves out targets that cannot do what the request needs."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class Capability:
    """Left out when the target is known to lack a feature that the request uses.

    What is not known is not held against it. Asked once per combination of dialect and features, at compile time in effect.
    """

    name = "capability"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The features that are missing."""
        target = candidate.entry.target
        lacks = target.lacks
        if ask.dialect not in target.dialects and ask.dialect not in target.counts:
            lacks += target.lacks_in_translation
        missing = [feature for feature in ask.needs.features if feature in lacks]
        if not missing:
            return None
        return Exclusion(target.name, self.name, f"cannot do {', '.join(missing)}")


CONDITION = Capability()

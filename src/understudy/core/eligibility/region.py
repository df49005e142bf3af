"""Leaves out targets that are not where the route's requests may be computed."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.target import Target
from understudy.core.value import value


@value
class Region:
    """Left out when the route names regions and the target is not said to be in one of them.

    Here what is not known is held against a target: residency is a promise. Stand-ins answer from memory, and nothing leaves for
    anywhere.
    """

    name = "region"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """Where it is, and where it would have to be."""
        target = candidate.entry.target
        why = outside(target, candidate.entry.regions)
        return Exclusion(target.name, self.name, why) if why else None


def outside(target: Target, regions: tuple[str, ...]) -> str:
    """Why a target is none for a route of these regions; "" when it may be asked."""
    if not regions or target.stand_in or target.region in regions:
        return ""
    where = "nobody said where it is (`region`)" if target.region is None else f"it is in {target.region}"
    return f"{where}, and the route keeps to {', '.join(regions)}"


CONDITION = Region()

"""Leaves out targets at another provider than the one that holds what the request refers to."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.value import value


@value
class HeldState:
    """Left out when the request refers to what one provider holds (an earlier response, a conversation, a file), and this is another.

    The holder is the provider of the route's first target that speaks the caller's wire format, at its address, also while that
    one fails: an id means nothing elsewhere, and at worst another thing. Other models and keys of the holder are not left out.
    """

    name = "held_state"
    reads = "target"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """Whose the state is."""
        entry = candidate.entry
        if "stored" not in ask.needs.features or entry.target.stand_in or not entry.is_guest(ask.dialect):
            return None
        holder = entry.holders[ask.dialect]
        detail = f"what the request refers to is held by {holder.provider}, as {holder.name} is asked"
        return Exclusion(entry.target.name, self.name, detail)


CONDITION = HeldState()

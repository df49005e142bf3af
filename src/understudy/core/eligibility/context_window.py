"""Leaves out targets whose context window is too small."""

from __future__ import annotations

from understudy.core.candidate import Ask, Candidate, Exclusion
from understudy.core.request import Operation
from understudy.core.value import value

TOLERANCE = 1.5
"""Tokens are estimated from bytes; only what would be too large even if the estimate is half as much again is left out."""


@value
class ContextWindow:
    """Left out when the request surely exceeds the target's known window.

    After a target said "too long", only targets with a window known to be larger remain. The size of the whole request says
    nothing about texts that are embedded one by one, and one may ask how many tokens too many there are.
    """

    name = "context_window"
    reads = "request"

    def excludes(self, candidate: Candidate, ask: Ask) -> Exclusion | None:
        """The sizes that do not fit."""
        target = candidate.entry.target
        window = target.context_tokens
        if ask.larger_than is not None and (window is None or window <= ask.larger_than):
            detail = "the request was too long for another target and this one's window is not known to be larger"
            return Exclusion(target.name, self.name, detail)
        too_long = window is not None and ask.needs.tokens_in > window * TOLERANCE
        if too_long and ask.needs.operation is Operation.CHAT:
            return Exclusion(target.name, self.name, f"about {ask.needs.tokens_in} tokens exceed {window}")
        return None


CONDITION = ContextWindow()

"""An error inside a 200: the stream's last event is an error; a whole answer is an error body under status 200."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Ending, Plan, Trouble
from understudy.faults._problems import check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class InBandError(Spell):
    """`problem`: which error (not a page from the edge). `after_chunks`: pieces of content before it, None: anywhere."""

    problem: str = "overloaded"
    after_chunks: int | None = 0

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        check_problem(self.problem, in_band=True)

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """So many pieces, then the error."""
        if not self.strikes(scene, dice):
            return plan
        after = dice.below(plan.chunks + 1) if self.after_chunks is None else self.after_chunks
        return plan.ends(Ending.ERROR_EVENT, after, Trouble(self.problem))


FAULT = InBandError

"""Errors of one kind: all the time, or in bursts that come again and again."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_hint, check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class ErrorBurst(Spell):
    """`problem`: which error. `retry_after_s`: the hint that it carries, None for none; `hint`: how that is spelled.

    `every_s`: from the begin of one burst to the next, None: one burst as long as the span. `lasts_s`: length of each.
    """

    problem: str = "server_error"
    retry_after_s: float | None = None
    hint: str = "retry_after"
    every_s: float | None = None
    lasts_s: float = 5.0

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        check_problem(self.problem)
        check_hint(self.hint)
        require_positive(every_s=1.0 if self.every_s is None else self.every_s, lasts_s=self.lasts_s)

    def active(self, scene: Scene) -> bool:
        """Whether the attempt begins in a burst."""
        if not Spell.active(self, scene):
            return False
        return self.every_s is None or (scene.now_s - self.from_s) % self.every_s < self.lasts_s

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """The error, for those that a burst strikes."""
        return (
            plan.fails_with(Trouble(self.problem, self.retry_after_s, self.hint)) if self.strikes(scene, dice) else plan
        )


FAULT = ErrorBurst

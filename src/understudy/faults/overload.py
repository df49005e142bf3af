"""The provider serves so many requests per second: beyond that everybody waits longer, and far beyond it turns some away.

The more it is asked, the worse it gets: retries feed it, and whoever goes elsewhere heals it.
"""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan, Trouble
from understudy.faults._problems import check_hint, check_problem
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class Overload(Spell):
    """`per_s`: what it serves without trouble. `window_s`: over which time the load is measured, what comes by what it serves.

    `headers_s`: what everybody waits for each time that much more comes. `sheds_at`: the load beyond which the surplus gets an error.
    `problem`: which one. `retry_after_s`: the wait that it asks for, None for none; `hint`: how that is spelled.
    """

    per_s: float = 10.0
    window_s: float = 2.0
    headers_s: float = 1.0
    sheds_at: float = 2.0
    problem: str = "overloaded"
    retry_after_s: float | None = None
    hint: str = "retry_after"

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(per_s=self.per_s, window_s=self.window_s)
        check_problem(self.problem)
        check_hint(self.hint)
        if self.headers_s < 0:
            raise ValueError("`headers_s` must not be negative")
        if self.sheds_at < 1:
            raise ValueError(f"`sheds_at` ({self.sheds_at}) must be at least 1")

    def load(self, scene: Scene) -> float:
        """What comes, this attempt included, in multiples of what it serves."""
        requests, _ = scene.arrivals.since(scene.now_s - self.window_s)
        return (requests + 1) / (self.per_s * self.window_s)

    def sheds(self, scene: Scene) -> float:
        """The share of attempts that it turns away now: what exceeds `sheds_at`."""
        return max(0.0, 1.0 - self.sheds_at / self.load(scene)) if self.active(scene) else 0.0

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Slower with every request too many, and at last an error for some."""
        if not self.strikes(scene, dice):
            return plan
        if dice.chance(self.sheds(scene)):
            return plan.fails_with(Trouble(self.problem, self.retry_after_s, self.hint))
        return plan.slower(headers_s=self.headers_s * max(0.0, self.load(scene) - 1.0))

    def risk(self, scene: Scene, until_s: float) -> float:
        """The share that is turned away; slow is not down."""
        del until_s
        return self.share * self.sheds(scene)


FAULT = Overload

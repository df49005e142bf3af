"""How long a provider takes: until its headers, its first content, and between two pieces of content.

The time until the headers follows a distribution: constant; uniform (0 to twice the median); exponential; lognormal, as real
providers roughly do; or Pareto, whose tail is heavy enough for hedging to pay.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell, require_positive


@keyword_value
class Latency(Spell):
    """`headers_s`: median time until the headers. `kind`: its distribution. `spread`: sigma of lognormal, alpha of Pareto.

    `max_s`: no draw is longer. `connect_s`, `first_content_s`, `chunk_s`: fixed times for connecting, from the headers to the
    first content, and between two pieces of content.
    """

    kind: Literal["constant", "uniform", "exponential", "lognormal", "pareto"] = "constant"
    headers_s: float = 0.0
    spread: float = 0.5
    max_s: float = 600.0
    connect_s: float = 0.0
    first_content_s: float = 0.0
    chunk_s: float = 0.0

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        require_positive(spread=self.spread, max_s=self.max_s)
        for name in ("headers_s", "connect_s", "first_content_s", "chunk_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative")

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """Longer by one draw."""
        if not self.strikes(scene, dice):
            return plan
        return plan.slower(
            connect_s=self.connect_s,
            headers_s=min(_DRAWS[self.kind](dice, self.headers_s, self.spread), self.max_s),
            first_content_s=self.first_content_s,
            chunk_s=self.chunk_s,
        )

    def risk(self, scene: Scene, until_s: float) -> float:
        """None: slow is not down."""
        del scene, until_s
        return 0.0


# One draw with the given median.
_DRAWS: dict[str, Callable[[Dice, float, float], float]] = {
    "constant": lambda _dice, median, _spread: median,
    "uniform": lambda dice, median, _spread: dice.between(0.0, 2 * median),
    "exponential": lambda dice, median, _spread: dice.exponential(median / log(2)),
    "lognormal": lambda dice, median, spread: dice.lognormal(median, spread),
    "pareto": lambda dice, median, spread: dice.pareto(median * 2 ** (-1 / spread), spread),
}

FAULT = Latency

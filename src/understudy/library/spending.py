"""What was spent since the router was entered, target by target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from understudy.core.money import cost_nusd
from understudy.core.outcome import Outcome
from understudy.core.target import Target
from understudy.core.usage import Usage
from understudy.core.value import keyword_value
from understudy.library.answers import dollars_of


@keyword_value
class TargetCosts:
    """What one target took since the router was entered. `unpriced`: attempts whose price is unknown, and in no sum."""

    attempts: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0


@keyword_value
class Costs:
    """What everything took since the router was entered."""

    cost: Decimal
    unpriced: int
    targets: dict[str, TargetCosts]


class _Row:
    """One target's sums."""

    __slots__ = ("attempts", "nusd", "tokens", "unpriced")

    def __init__(self) -> None:
        self.attempts = self.tokens = self.nusd = self.unpriced = 0

    def add(self, usage: Usage, nusd: int | None) -> None:
        self.tokens += usage.total
        self.nusd += nusd or 0
        self.unpriced += nusd is None


class Spending:
    """A fold over attempts, those that failed and cost money and those of nobody's request included."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, _Row] = defaultdict(_Row)

    def book(self, outcomes: Iterable[Outcome]) -> None:
        """Count a request's attempts, or a probe."""
        for outcome in outcomes:
            row = self._rows[outcome.target]
            row.attempts += 1
            if outcome.usage is not None:
                row.add(outcome.usage, outcome.cost_nusd)

    def report(self, target: Target, usage: Usage) -> None:
        """Count what a client of the caller's own took."""
        self._rows[target.name].add(usage, cost_nusd(usage, target.price))

    def costs(self) -> Costs:
        """The sums by now."""
        targets = {
            name: TargetCosts(
                attempts=row.attempts, tokens=row.tokens, cost=dollars_of(row.nusd) or Decimal(0), unpriced=row.unpriced
            )
            for name, row in self._rows.items()
        }
        total = sum((one.cost for one in targets.values()), Decimal(0))
        return Costs(cost=total, unpriced=sum(one.unpriced for one in targets.values()), targets=targets)

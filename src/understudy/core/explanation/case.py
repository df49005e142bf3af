"""A choice to be made again, as it was or with one thing changed, apart from everything that is alive."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.candidate import Ask, Entry
from understudy.core.dice import Dice
from understudy.core.plan import RoutePlan, TierPlan
from understudy.core.select import Order, select
from understudy.core.standing import Standing
from understudy.core.value import value


@value
class Case:
    """What a choice depended on. `standings`: by slot. `ask.dice`: only their seed counts, for each making begins with new ones."""

    tier: TierPlan
    plan: RoutePlan
    ask: Ask
    standings: dict[int, Standing]

    def order(self) -> tuple[Order, list[float]]:
        """The eligible entries, best first, and their scores."""
        return select(self.tier, self.plan, self.fresh_ask(), self.standings)[:2]

    def first(self) -> str | None:
        """Who would be asked; None when nobody is eligible."""
        order, _ = self.order()
        return order[0].target.name if order else None

    def fresh_ask(self) -> Ask:
        """The ask with dice that nobody has thrown."""
        return replace(self.ask, dice=Dice(self.ask.dice.seed))

    def entry(self, target: str) -> Entry | None:
        """A target of the tier by name."""
        return next((entry for entry in self.tier.entries if entry.target.name == target), None)

    def standing(self, target: str) -> Standing:
        """How a target of the tier stood."""
        entry = self.entry(target)
        assert entry is not None
        return self.standings[entry.slot]

    def with_ask(self, ask: Ask) -> Case:
        """The same, asked otherwise."""
        return Case(self.tier, self.plan, ask, self.standings)

    def with_plan(self, plan: RoutePlan) -> Case:
        """The same under another strategy or balancer."""
        return Case(self.tier, plan, self.ask, self.standings)

    def with_standing(self, target: str, standing: Standing) -> Case:
        """The same with a target that stands otherwise."""
        entry = self.entry(target)
        assert entry is not None
        return Case(self.tier, self.plan, self.ask, {**self.standings, entry.slot: standing})

    def with_entry(self, changed: Entry) -> Case:
        """The same with another entry in that one's place."""
        entries = tuple(changed if entry.slot == changed.slot else entry for entry in self.tier.entries)
        return Case(self.tier.apart(entries), self.plan, self.ask, self.standings)

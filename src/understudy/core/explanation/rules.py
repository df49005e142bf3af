"""What a decision would have been had a rule applied that did not, or not applied that did."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.candidate import Standings
from understudy.core.decision import Decision
from understudy.core.explanation.case import Case
from understudy.core.explanation.search import Search, size
from understudy.core.explanation.told import Flip
from understudy.core.plan import RoutePlan
from understudy.core.rules.ruling import Ruling
from understudy.core.sessions import Warm
from understudy.core.standing import Standing

RULES_MAX = 20


def rule_flips(decision: Decision, case: Case, search: Search) -> None:
    """Look at each rule that was held against the request, and write into the search of its first choice what was found."""
    ruling = decision.ruling
    if ruling is None or not ruling.readings:
        return
    origin = case.plan.origin()
    if origin is None:
        search.unsearched.append(("rule", "the configuration that they belong to is gone"))
        return
    flips: list[Flip] = []
    for reading in ruling.readings[:RULES_MAX]:
        fired = _other(ruling, reading.rule, applies=not reading.applies)
        left = origin.left_by(ruling.asked, fired, decision.strategy, decision.needs.operation)
        if left is not None and _is_blind(left[0], decision):
            search.unsearched.append(("rule", f"{reading.rule}: its strategy reads what was not kept of the request"))
            continue
        then, assumed = (None, ()) if left is None else _first_of(*left, case)
        if then != search.first:
            flips.append(
                Flip(
                    input="rule",
                    about=reading.rule,
                    to=not reading.applies,
                    factor=None,
                    was="applies" if reading.applies else "does not apply",
                    becomes="does not apply" if reading.applies else "applies",
                    unit="",
                    then=then,
                    assumed=assumed,
                )
            )
    if flips:
        search.flips = sorted([*search.flips, *flips], key=size)
    else:
        search.held.append("rule")


def _other(ruling: Ruling, rule: str, *, applies: bool) -> tuple[str, ...]:
    """The rules that would have applied, in their order."""
    return tuple(one.rule for one in ruling.readings if (applies if one.rule == rule else one.applies))


def _is_blind(plan: RoutePlan, decision: Decision) -> bool:
    needs = decision.needs
    return (plan.reads_prompt and not needs.traits) or (plan.reads_task and needs.task is None)


def _first_of(plan: RoutePlan, fresh: Standings, case: Case) -> tuple[str | None, tuple[str, ...]]:
    """Who would be asked first along another plan, as far as the standings were kept; and those taken for fresh."""
    kept = {entry.target.name: (entry, case.standings[entry.slot]) for entry in case.tier.entries}
    for tier in plan.tiers:
        standings: dict[int, Standing] = {}
        assumed: list[str] = []
        warm: Warm | None = None
        for entry in tier.entries:
            known = kept.get(entry.target.name)
            if known is None:
                assumed.append(entry.target.name)
                standings[entry.slot] = fresh[entry.slot]
                continue
            old, standing = known
            standings[entry.slot] = replace(standing, breakers=(standing.breakers[old.breaker],) * (entry.breaker + 1))
            if case.ask.warm is not None and case.ask.warm.slot == old.slot:
                warm = replace(case.ask.warm, slot=entry.slot)
        first = Case(tier, plan, replace(case.ask, tried={}, warm=warm), standings).first()
        if first is not None:
            return first, tuple(assumed)
    return None, ()

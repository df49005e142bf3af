"""Choosing within a tier: eligible, then ranked, then ordered, with a reason for everyone left out."""

from __future__ import annotations

from understudy.core.candidate import Ask, Balancer, Candidate, Entry, Exclusion, Standings
from understudy.core.decision import Choice, Decision
from understudy.core.dice import Dice
from understudy.core.plan import RoutePlan, TierPlan
from understudy.core.resilience.breaker import State

Order = tuple[Entry, ...]


def select(
    tier: TierPlan, plan: RoutePlan, ask: Ask, standings: Standings
) -> tuple[Order, list[float], list[Exclusion]]:
    """The tier's eligible entries in the order of trying, their scores, and why the others are not among them."""
    eligible, excluded, calm = sift(tier, ask, standings)
    if len(eligible) < 2:
        return tuple([candidate.entry for candidate in eligible]), [0.0] * len(eligible), excluded
    scores = plan.strategy.scores(eligible, ask)
    if not _rising(scores):
        order, scores = _order(eligible, scores, plan.balancer, ask)
    elif excluded:
        order = tuple([candidate.entry for candidate in eligible])
    else:
        order = tier.entries  # the very tuple: ten thousand decisions keep theirs
    if not calm:
        order, scores = _ramped(order, scores, ask, standings)
    return order, scores, excluded


def sift(tier: TierPlan, ask: Ask, standings: Standings) -> tuple[list[Candidate], list[Exclusion], bool]:
    """The tier's eligible candidates, why the others are not among them, and whether each eligible one has room to spare.

    One without may be recovering.
    """
    fitting, never = tier.fit(ask, standings)
    of_the_calm, of_others = tier.conditions(ask)
    tokens = ask.needs.tokens_in
    eligible: list[Candidate] = []
    excluded = list(never)
    calm = True
    for candidate in fitting:
        standing = candidate.standing
        roomy = standing.room >= tokens and standing.breakers[candidate.entry.breaker].calm
        for condition in of_the_calm if roomy else of_others:
            found = condition.excludes(candidate, ask)
            if found is not None:
                excluded.append(found)
                break
        else:
            eligible.append(candidate)
            calm = calm and roomy
    return eligible, excluded, calm


def _order(eligible: list[Candidate], scores: list[float], balancer: Balancer, ask: Ask) -> tuple[Order, list[float]]:
    """Better scores first; equals as the balancer says."""
    if scores.count(scores[0]) == len(scores):
        return tuple([candidate.entry for candidate in balancer.order(eligible, ask)]), scores
    ranking = sorted(range(len(scores)), key=scores.__getitem__)
    ranked = [scores[index] for index in ranking]
    if _rising(ranked):
        return tuple([eligible[index].entry for index in ranking]), ranked
    order: list[Entry] = []
    begin, count = 0, len(ranked)
    while begin < count:
        score = ranked[begin]
        end = begin + 1
        while end < count and ranked[end] == score:
            end += 1
        if end - begin == 1:
            order.append(eligible[ranking[begin]].entry)
        else:
            equals = [eligible[index] for index in ranking[begin:end]]
            order.extend([candidate.entry for candidate in balancer.order(equals, ask)])
        begin = end
    return tuple(order), ranked


def _rising(scores: list[float]) -> bool:
    """Whether they stand in order already and no two are equal, as where the list itself is the order."""
    before = scores[0]
    for score in scores[1:]:
        if score <= before:
            return False
        before = score
    return True


def _ramped(order: Order, scores: list[float], ask: Ask, standings: Standings) -> tuple[Order, list[float]]:
    """Who has just recovered takes its turn with a growing chance, and else comes after everyone who has not."""
    first: list[int] = []
    last: list[int] = []
    for index, entry in enumerate(order):
        view = standings[entry.slot].breakers[entry.breaker]
        recovering = view.state is State.CLOSED and ask.now_s < view.until_s
        takes_turn = not recovering or view.takes_turn(ask.now_s, ask.dice.random())
        (first if takes_turn else last).append(index)
    ranking = first + last
    return tuple([order[index] for index in ranking]), [scores[index] for index in ranking]


def choose(
    tier: TierPlan, plan: RoutePlan, ask: Ask, standings: Standings, decision: Decision
) -> tuple[Order, list[Exclusion]]:
    """`select`, written into the decision."""
    order, scores, excluded = select(tier, plan, ask, standings)
    choice = Choice(
        tier,
        ask.now_s,
        ask.turn,
        order,
        tuple(scores),
        tuple(excluded),
        tuple([standings[entry.slot] for entry in tier.entries]),
        ask.tried,
        ask.repeat,
        ask.larger_than,
        ask.warm,
    )
    decision.choices += (choice,)
    return order, excluded


DICE_STEP = 0xDA94_2042_E4DD_58B5
"""Between the seeds of two choices of one decision: odd and far from the generator's own step (forking costs four times
as much, and every request chooses)."""


def dice_of(decision: Decision, number: int) -> Dice:
    """The dice of choice `number` (from 0): its own sequence, so that one choice's draws never move another's."""
    return Dice(decision.seed + number * DICE_STEP)


def ask_of(decision: Decision, number: int, choice: Choice) -> Ask:
    """Everything that choice `number` (from 0) depended on besides the candidates, as it was."""
    return Ask(
        decision.needs,
        decision.dialect,
        choice.now_s,
        dice_of(decision, number),
        choice.turn,
        choice.tried,
        choice.repeat,
        choice.larger_than,
        decision.session,
        decision.principal,
        choice.warm,
        decision.budget_left,
    )


def replay(decision: Decision, plan: RoutePlan) -> list[str]:
    """Make every choice of a decision again. Returns what differs, a sentence each: [] when it is the same bit for bit.

    `plan` must be the route of the configuration version that the decision names, else that is the answer. Nothing that is alive is
    touched: it may be done on any thread.
    """
    if plan.version != decision.version:
        return [f"the decision was made under configuration {decision.version}, this is {plan.version}"]
    differences: list[str] = []
    for number, choice in enumerate(decision.choices):
        made = choice.tier
        tier = plan.tiers[made.number] if made.number < len(plan.tiers) else None
        if tier is None or (tier.name, len(tier.entries)) != (made.name, len(choice.standings)):
            differences.append(f"choice {number + 1}: the route has no tier {made.name} of that size there")
            continue
        names, then = _names(tier.entries), _names(made.entries)
        if names != then:
            differences.append(
                f"choice {number + 1}: tier {made.name} lists others, or in another order: {names}, not {then}"
            )
            continue
        standings = {entry.slot: standing for entry, standing in zip(tier.entries, choice.standings, strict=True)}
        again = select(tier.apart(), plan, ask_of(decision, number, choice), standings)
        differences.extend(f"choice {number + 1}: {words}" for words in _compared(choice, again))
    return differences


def _compared(choice: Choice, again: tuple[Order, list[float], list[Exclusion]]) -> list[str]:
    order, scores, excluded = again
    pairs = (
        ("order", _names(order), _names(choice.entries)),
        ("scores", tuple(scores), choice.scores),
        ("left out", tuple(excluded), choice.excluded),
    )
    return [f"{what}: now {now}, then {then}" for what, now, then in pairs if now != then]


def _names(entries: Order) -> str:
    return ", ".join([entry.target.name for entry in entries]) or "nobody"

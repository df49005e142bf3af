"""Asked afterwards: whether anybody could have answered a request, had it only been asked at the right moment."""

from __future__ import annotations

from understudy.core.dice import Dice, label_of
from understudy.sim.invariants import Seen
from understudy.sim.world import Hope, World

STEP_S = 0.5
STEPS_MAX = 120
PIECES = 6
"""Of an answer's content, where the request does not say."""

_LABEL = label_of("could have been")


def was_possible(world: World, seen: Seen, pieces: int | None) -> bool:
    """Whether some target that is not degraded was up for one whole attempt between the request's coming and its deadline.

    Looked for at its coming, then every half second (or 120 times over a long deadline). Up is a target at which no more than one in ten
    attempts fails; the one that is imagined must end well, within the route's timeouts and the deadline, with luck of its own. What
    requests took of limits before that moment is gone.
    """
    plan, decision = seen.plan, seen.decision
    needs, begins_s = decision.needs, decision.started_s
    luck = Dice(decision.seed).fork(_LABEL)
    hope = Hope(needs, pieces or PIECES, plan.policy.timeouts, seen.deadline_s, luck)
    able = [
        entry.target
        for tier in plan.normal
        for entry in tier.entries
        if not any(feature in entry.target.lacks for feature in needs.features)
        and (entry.target.context_tokens is None or needs.tokens_in <= entry.target.context_tokens)
    ]
    step_s = max(STEP_S, (seen.deadline_s - begins_s) / STEPS_MAX)
    times = (begins_s + step * step_s for step in range(STEPS_MAX))
    return any(world.could_answer(target, hope, at_s) for at_s in times if at_s < seen.deadline_s for target in able)

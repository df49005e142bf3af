"""Whom to ask when every breaker is open and nothing else is left."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from understudy.core.candidate import Candidate, Entry, first_exclusion
from understudy.core.resilience.breaker import State

if TYPE_CHECKING:
    from understudy.core.walk import Trip

HARDLY_MORE = 0.25
"""A share of failures beyond the least of those whose breakers are open that makes no difference in a panic."""


def least_bad(trip: Trip) -> Entry | None:
    """The untried target held back by nothing but its own open breaker, with the fewest failures of late.

    Those that fail hardly more take turns: whoever always asks the same dead one never learns that another is back.
    """
    found: list[tuple[float, float, int, Entry]] = []
    ask = trip.ask(0, repeat=False)
    for number, (tier, entry) in enumerate((one, entry) for one in trip.plan.tiers for entry in one.entries):
        out = trip.excluded.get(entry.target.name)
        if out is None or out.reason != "breaker":
            continue
        standing = trip.board.standings[entry.slot]
        view = standing.breakers[entry.breaker]
        _, conditions = tier.conditions(ask)
        besides = [condition for condition in conditions if condition.name != out.reason]
        if (
            view.state is State.FORCED_OPEN
            or entry.slot in trip.tried
            or first_exclusion(besides, Candidate(entry, standing), ask) is not None
        ):
            continue
        found.append((standing.error_rate or 0.0, view.until_s, number, entry))
    if not found:
        return None
    found.sort(key=itemgetter(0, 1, 2))
    near = [entry for rate, _, _, entry in found if rate <= found[0][0] + HARDLY_MORE]
    return near[trip.board.turn(f"{trip.plan.name}/panic") % len(near)]

"""The order of those balancers that ask who has the least of something."""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.candidate import Ask, Candidate


def least_first(
    candidates: list[Candidate], ask: Ask, key: Callable[[Candidate], float], explore: float = 0.0
) -> list[Candidate]:
    """From least to most; ties take turns. `explore`: share of the choices that go by turns alone."""
    begin = ask.turn % len(candidates)
    order = candidates[begin:] + candidates[:begin]
    if explore > 0.0 and ask.dice.random() < explore:
        return order
    order.sort(key=key)  # stable: ties stay in their turn
    return order

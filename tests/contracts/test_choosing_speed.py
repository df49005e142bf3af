"""Choosing is fast for every strategy and balancer, measured in units of the machine at hand (figures: `bench/choosing.py`)."""

from __future__ import annotations

import pytest

from understudy.sim.crowd import PAIRS, Crowd, unit_us

pytestmark = pytest.mark.no_cover

LIMITS_US = {12: 10.0, 100: 100.0, 1000: 1000.0}
"""Targets, and how long a choice among them may take."""

UNITS_PER_US = 6.0
"""A value of nine fields takes 0.16 us where the limits were set."""

SLACK = 2.0
TRIES = 10
"""For neighbours: what this is to find is a choice that takes ten times as long, or whose time grows with the square."""


@pytest.mark.parametrize(("strategy", "balancer"), PAIRS)
def test_a_choice_costs_what_it_may(strategy: str, balancer: str) -> None:
    for count, limit_us in LIMITS_US.items():
        crowd = Crowd(count, strategy, balancer)
        limit = SLACK * limit_us * UNITS_PER_US
        assert any(crowd.choice_us(3) / unit_us(3) < limit for _ in range(TRIES)), f"{count} targets"

"""A long request costs what its provider says long requests cost, all of it."""

from __future__ import annotations

import pytest

from understudy.core.money import Price, cost_nusd
from understudy.core.usage import Usage

LONGEST = Price(input=9_000_000, output=9_000_000)
LONGER = Price(input=2_500_000, output=15_000_000, longer=LONGEST, longer_above=500_000)
PRICE = Price(input=1_250_000, output=10_000_000, cache_read=125_000, longer=LONGER, longer_above=200_000)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(input=200_000, output=1000), 0.25 + 0.01),
        (Usage(input=200_001, output=1000), 0.5000025 + 0.015),
        (Usage(input=1, cache_read=200_000, output=1000), 0.5000025 + 0.015),  # what comes from the cache was read too
        (Usage(input=200_000, output=100_000), 0.25 + 1.0),  # what is written makes no request long
        (Usage(input=500_001), 4.500009),
    ],
)
def test_the_step_is_chosen_by_everything_that_is_read(usage, dollars):
    assert cost_nusd(usage, PRICE) == round(dollars * 1e9)

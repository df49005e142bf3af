"""A route that keeps to regions asks nobody of whom it is not said that they are there."""

from __future__ import annotations

import pytest

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.dice import Dice
from understudy.core.eligibility.region import CONDITION
from understudy.core.request import Needs
from understudy.core.target import Target


@pytest.mark.parametrize(
    ("region", "stand_in", "regions", "why"),
    [
        ("us", False, (), None),
        (None, False, (), None),
        ("eu", False, ("de", "eu"), None),
        (None, True, ("eu",), None),  # answers from memory: nothing leaves
        ("us", False, ("de", "eu"), "it is in us, and the route keeps to de, eu"),
        ("eu-west-2", False, ("eu",), "it is in eu-west-2, and the route keeps to eu"),  # London
        (None, False, ("eu",), "nobody said where it is (`region`), and the route keeps to eu"),
    ],
)
def test_only_a_target_that_is_said_to_be_there_is_asked(region, stand_in, regions, why):
    target = Target(name="t", provider="p", model="m", region=region, stand_in=stand_in)
    entry = Entry(target, "primary", False, 0, 0, 0, regions=regions)
    ask = Ask(Needs(model="r"), "openai_chat", 0.0, Dice(1), 0, {})
    found = CONDITION.excludes(Candidate(entry, None), ask)  # type: ignore[arg-type]  it does not look at the standing
    assert (found and (found.target, found.reason, found.detail)) == (None if why is None else ("t", "region", why))

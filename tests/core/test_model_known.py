"""A target whose model nobody knows yet is left out, with the reason."""

from __future__ import annotations

import pytest

from understudy.core.candidate import Ask, Candidate, Entry
from understudy.core.dice import Dice
from understudy.core.eligibility.model import CONDITION
from understudy.core.request import Needs
from understudy.core.target import Target


@pytest.mark.parametrize(
    ("model", "dialects", "left_out"), [("", ("openai_chat",), True), ("m", ("openai_chat",), False), ("", (), False)]
)
def test_a_target_waits_for_its_server_to_tell_a_model(model, dialects, left_out):
    target = Target(name="t", provider="p", model=model, dialects=dialects)
    entry = Entry(target, "primary", False, 0, 0, 0)
    ask = Ask(Needs(model="r"), "openai_chat", 0.0, Dice(1), 0, {})
    found = CONDITION.excludes(Candidate(entry, None), ask)  # type: ignore[arg-type]  it does not look at the standing
    assert (found is not None) is left_out
    assert found is None or (found.target, found.reason) == ("t", "model")


def test_an_issued_key_is_told_from_a_kept_one():
    given = {None: False, "env:KEY": False, "file:key": False, "gcp": True, "aws:prod": True}
    made = [Target(name="t", provider="p", model="m", key=key) for key in given]
    assert [target.key_is_issued for target in made] == list(given.values())

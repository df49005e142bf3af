"""Change detection under real traffic: no false alarms, and a target that is getting worse is left before its breaker opens."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from math import exp

import pytest

from choosing import House, target
from conftest import shared
from understudy.core.dice import Dice
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose
from understudy.core.usage import Usage

SIGMA = 0.35
FIRST_S, PER_TOKEN_IN_S, PER_TOKEN_OUT_S = 0.25, 0.00015, 0.02


@cache
def trace(name: str) -> tuple[tuple[float, int, int], ...]:
    """(second, tokens in, tokens out) of each request."""
    with gzip.open(shared("data", "traffic", f"{name}.csv.gz"), "rt") as rows:
        return tuple((float(row["t_s"]), int(row["in_tokens"]), int(row["out_tokens"])) for row in csv.DictReader(rows))


def outcome(
    row: tuple[float, int, int], dice: Dice, *, stream: bool, slower: float = 1.0, failing: float = 0.0
) -> Outcome:
    at_s, tokens_in, tokens_out = row
    noise = exp(SIGMA * dice.normal()) * slower
    first_s = (FIRST_S + PER_TOKEN_IN_S * tokens_in) * noise
    whole_s = first_s + PER_TOKEN_OUT_S * tokens_out * exp(0.1 * dice.normal()) * slower
    if dice.chance(failing):
        return Outcome(1, "a", "primary", Purpose.FIRST, at_s, at_s + 0.1, Failure(FailureKind.SERVER_ERROR, "x"))
    usage = Usage(input=tokens_in, output=tokens_out)
    return Outcome(
        1,
        "a",
        "primary",
        Purpose.FIRST,
        at_s,
        at_s + whole_s,
        first_content_s=at_s + first_s,
        stream=stream,
        usage=usage,
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["azure2023_code", "azure2023_conv"])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_an_hour_of_real_traffic_raises_no_alarm(name: str, *, stream: bool) -> None:
    house = House(target("a"), target("b"), strategy="predictive")
    dice = Dice(3)
    alarms = 0
    for row in trace(name):
        hold = house.hold("a", tokens=row[1], now_s=row[0])
        came = outcome(row, dice, stream=stream, failing=0.02)
        before = house.board.standing("a").measures.worse
        house.board.settle(hold, came, came.ended_s)
        alarms += before < 1.0 <= house.board.standing("a").measures.worse
    assert alarms == 0


@pytest.mark.parametrize("name", ["azure2023_code", "azure2023_conv"])
@pytest.mark.parametrize(
    ("worse", "within"), [({"slower": 3.0}, 25), ({"slower": 6.0}, 12), ({"failing": 0.5}, 12)], ids=str
)
def test_a_target_that_is_getting_worse_is_left_before_its_breaker_opens(
    name: str, worse: dict[str, float], within: int
) -> None:
    rows = trace(name)
    asked = []
    for start in range(1000, 6000, 500):
        house, dice = House(target("a"), target("b"), strategy="predictive"), Dice(start)
        for row in rows[start - 400 : start]:
            came = outcome(row, dice, stream=True, failing=0.01)
            house.board.settle(house.hold("a", now_s=row[0]), came, came.ended_s)
        for number, row in enumerate(rows[start : start + 200]):
            if house.order(now_s=row[0])[0] == "b":
                asked.append(number)
                break
            came = outcome(row, dice, stream=True, **{"failing": 0.01, **worse})
            house.board.settle(house.hold("a", now_s=row[0]), came, came.ended_s)
            assert house.board.standing("a").breakers[0].state == "closed"
    assert len(asked) == 10
    assert sum(asked) / len(asked) <= within

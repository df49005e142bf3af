"""Who comes when: three patterns of traffic, and traces of one's own."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from understudy.core.dice import Dice
from understudy.core.value import value
from understudy.sim import azure_code

BURST = 10.0
"""How many times as many come in a burst."""

BURST_EVERY_S = 120.0
BURST_LASTS_S = 10.0


@value
class Visit:
    """One request to come: when, how many tokens its prompt has, how many its answer will have."""

    at_s: float
    tokens_in: int
    tokens_out: int


class BadTrace(ValueError):
    """A trace cannot be read. The message says where and why."""


Pattern = Callable[[Dice, float, float], Iterator[Visit]]


def steady(dice: Dice, per_s: float, lasts_s: float) -> Iterator[Visit]:
    """Independent requests, `per_s` of them on average: nobody knows of the others."""
    now_s = dice.exponential(1.0 / per_s)
    while now_s < lasts_s:
        yield _visit(dice, now_s)
        now_s += dice.exponential(1.0 / per_s)


def burst(dice: Dice, per_s: float, lasts_s: float) -> Iterator[Visit]:
    """Steady, and for ten seconds of every two minutes ten times as many."""
    now_s = 0.0
    while True:
        # Thinning (Lewis and Shedler 1979): as if it were always a burst, of which only a part comes outside one.
        now_s += dice.exponential(1.0 / (per_s * BURST))
        if now_s >= lasts_s:
            return
        if now_s % BURST_EVERY_S < BURST_LASTS_S or dice.chance(1.0 / BURST):
            yield _visit(dice, now_s)


def azure(dice: Dice, per_s: float, lasts_s: float) -> Iterator[Visit]:
    """An hour of code completion at Azure, of November 2023: silences of minutes, then a hundred within seconds.

    Over and over until `lasts_s`; its own 2.6 requests per second stand for `per_s`.
    """
    del per_s
    now_s = 0.0
    while now_s < lasts_s:
        for count in azure_code.ARRIVALS:
            times = sorted(dice.between(now_s, now_s + azure_code.STEP_S) for _ in range(count))
            for at_s in times:
                if at_s >= lasts_s:
                    return
                yield _visit(dice, at_s)
            now_s += azure_code.STEP_S


TRAFFIC: dict[str, Pattern] = {"steady": steady, "burst": burst, "azure": azure}
"""The patterns by name: dice, requests per second, seconds -> visits in the order of their coming."""


def read_trace(path: Path) -> tuple[Visit, ...]:
    """A trace: CSV (perhaps gzipped) with the columns `t_s`, `in_tokens` and `out_tokens`, in the order of time. Raises `BadTrace`."""
    opened = gzip.open if path.suffix == ".gz" else open
    visits: list[Visit] = []
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    visit = Visit(float(row["t_s"]), int(row["in_tokens"]), max(1, int(row["out_tokens"])))
                except (KeyError, TypeError, ValueError):
                    raise BadTrace(f"{path}:{number}: needs the columns t_s, in_tokens and out_tokens") from None
                if visits and visit.at_s < visits[-1].at_s:
                    raise BadTrace(f"{path}:{number}: comes before the line above it")
                visits.append(visit)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise BadTrace(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not visits:
        raise BadTrace(f"{path}: has no requests")
    return tuple(visits)


def _visit(dice: Dice, at_s: float) -> Visit:
    return Visit(at_s, _drawn(dice, azure_code.TOKENS_IN), max(1, _drawn(dice, azure_code.TOKENS_OUT)))


def _drawn(dice: Dice, quantiles: Sequence[int]) -> int:
    """One draw from a distribution of which equally likely parts are known; straight lines between them."""
    place = dice.random() * (len(quantiles) - 1)
    below = int(place)
    return round(quantiles[below] + (quantiles[below + 1] - quantiles[below]) * (place - below))

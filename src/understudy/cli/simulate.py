"""Perform thousands of requests in virtual time under faults, with every invariant asked at every step.

Exit code 1: an invariant does not hold; the message says which, and how to run that seed again.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Annotated

import typer

from understudy.cli._output import Json, columns, fail, tell


def command(
    fault: Annotated[
        list[str] | None, typer.Option("--fault", "-f", help="Only this fault; may be given again.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds of each fault.")] = 100,
    first: Annotated[int, typer.Option("--first", min=0, help="The first seed.")] = 0,
    as_json: Json = False,
) -> None:
    """Simulate."""
    from understudy.sim.campaign import Failing, faults, simulate
    from understudy.sim.figures import Figures

    unknown = sorted(set(fault or ()) - set(faults()))
    if unknown:
        fail([f"no fault is called {unknown[0]!r}; there are: {', '.join(faults())}"], as_json=as_json, code=2)
    begun_s = time.perf_counter()
    found: dict[str, Figures] = {}
    for name in fault or faults():
        try:
            found[name] = simulate(name, range(first, first + seeds))
        except Failing as failing:
            fail([str(failing)], as_json=as_json)
    took_s = time.perf_counter() - begun_s
    total = sum(found.values(), Figures())
    rows = [("fault", "requests", "attempts", "breakers opened", "degraded", "availability")]
    for name, one in {**found, "all": total}.items():
        rows.append(
            (name, str(one.requests), str(one.attempts), str(one.opened), str(one.degraded), f"{one.availability:.2%}")
        )
    words = (
        f"{columns(rows)}\n\n{total.seeds} seeds, {total.virtual_s / 3600:.1f} virtual hours, {total.events / took_s:,.0f} events "
        "per second; every invariant held."
    )
    data = {name: dataclasses.asdict(one) for name, one in {**found, "all": total}.items()}
    tell(words, data, as_json=as_json)

"""Perform thousands of requests in virtual time under faults, with every invariant asked at every step.

Without `--traffic`: each fault by itself, over routes and evenings drawn by chance. With it: the availability of whole answers and of
streams under a schedule of faults, for a pattern of traffic (`steady`, `burst`, `azure`, or `all` of them). Exit code 1: an
invariant does not hold, or the availability is below 99.99 %; the message says where, and how to run that seed again.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._output import FAILED, Json, columns, fail, tell

if TYPE_CHECKING:
    from understudy.sim.availability import Measured
    from understudy.sim.schedule import Schedule
    from understudy.sim.traffic import Visit

ALL = "all"
EVENINGS = 100
SEEDS = 1


def command(  # noqa: PLR0917  its options
    fault: Annotated[
        list[str] | None, typer.Option("--fault", "-f", help="Only this fault; may be given again.")
    ] = None,
    traffic: Annotated[
        list[str] | None,
        typer.Option(
            "--traffic", "-t", help="Availability for this pattern: steady, burst, azure, or all; may be given again."
        ),
    ] = None,
    schedule: Annotated[
        Path | None,
        typer.Option("--schedule", help="Availability under this schedule instead of the one that comes with it."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--trace", help="Availability for a trace: CSV with t_s, in_tokens, out_tokens; may be gzipped."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="How many seeds: of each fault 100, of each pattern 1, unless said."),
    ] = None,
    first: Annotated[int, typer.Option("--first", min=0, help="The first seed.")] = 0,
    as_json: Json = False,
) -> None:
    """Simulate."""
    begun_s = time.perf_counter()
    if not (traffic or schedule or trace):
        _campaign(fault, range(first, first + (seeds or EVENINGS)), begun_s, as_json=as_json)
        return
    if fault:
        fail(
            ["--fault names single faults; under --traffic, --schedule or --trace the schedule does"],
            as_json=as_json,
            code=2,
        )
    chosen, played = _read(schedule, trace, as_json=as_json)
    names = _patterns(traffic or ([] if trace else [ALL]), as_json=as_json)
    asked: dict[str, tuple[Visit, ...] | None] = dict.fromkeys(names)
    if played is not None:
        asked["trace"] = played
    _availability(chosen, asked, range(first, first + (seeds or SEEDS)), begun_s, as_json=as_json)


def _campaign(fault: list[str] | None, seeds: range, begun_s: float, *, as_json: bool) -> None:
    """Each fault by itself."""
    from understudy.sim.campaign import Failing, faults, simulate
    from understudy.sim.figures import Figures

    unknown = sorted(set(fault or ()) - set(faults()))
    if unknown:
        fail([f"no fault is called {unknown[0]!r}; there are: {', '.join(faults())}"], as_json=as_json, code=2)
    found: dict[str, Figures] = {}
    for name in fault or faults():
        try:
            found[name] = simulate(name, seeds)
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
        "per second; every invariant held. These evenings are drawn to break things: availability compares changes, and promises nothing."
    )
    tell(words, {name: dataclasses.asdict(one) for name, one in {**found, "all": total}.items()}, as_json=as_json)


def _read(schedule: Path | None, trace: Path | None, *, as_json: bool) -> tuple[Schedule, tuple[Visit, ...] | None]:
    from understudy.sim.schedule import BadSchedule, load_schedule
    from understudy.sim.traffic import BadTrace, read_trace

    try:
        return load_schedule(schedule), None if trace is None else read_trace(trace)
    except (BadSchedule, BadTrace) as error:
        fail([str(error)], as_json=as_json, code=2)


def _patterns(names: list[str], *, as_json: bool) -> list[str]:
    from understudy.sim.traffic import TRAFFIC

    unknown = [name for name in names if name not in TRAFFIC and name != ALL]
    if unknown:
        fail([f"no traffic is called {unknown[0]!r}; there are: {', '.join((*TRAFFIC, ALL))}"], as_json=as_json, code=2)
    return list(TRAFFIC) if ALL in names else names


def _availability(
    schedule: Schedule, asked: dict[str, tuple[Visit, ...] | None], seeds: range, begun_s: float, *, as_json: bool
) -> None:
    """Every pattern under one schedule."""
    from understudy.sim.availability import PROMISED, Unsound, measure

    found: dict[str, Measured] = {}
    for name, trace in asked.items():
        try:
            found[name] = measure(schedule, name, seeds, trace)
        except Unsound as unsound:
            fail([str(unsound)], as_json=as_json)
    rows: list[tuple[str, ...]] = [
        ("traffic", "requests", "answerable", "availability", "streams begun", "streams broken", "degraded", "attempts")
    ]
    data, short = {}, []
    for name, measured in found.items():
        one = measured.figures
        shares = (one.availability_whole, one.availability_streams, one.broken_streams)
        told = tuple(f"{share:.3%}" for share in shares)
        rows.append((name, str(one.requests), str(one.possible), *told, str(one.degraded), str(one.attempts)))
        data[name] = {
            **dataclasses.asdict(one),
            "availability": one.availability_whole,
            "streams_begun": one.availability_streams,
            "streams_broken": one.broken_streams,
            "lost": [str(lost) for lost in measured.lost],
            "lost_by_failure": measured.causes,
        }
        if min(shares[:2]) < PROMISED:
            short += [f"{name}: availability is below {PROMISED:.2%}", *(f"  {lost}" for lost in measured.lost)]
    virtual_h = sum(one.figures.virtual_s for one in found.values()) / 3600
    words = (
        f"{columns(rows)}\n\n{len(seeds)} seeds of each, {virtual_h:.1f} virtual hours in {time.perf_counter() - begun_s:.1f} s; "
        "every invariant held. Availability: whole answers, not degraded, of those that some target could have given."
    )
    tell(words, data, as_json=as_json)
    if short and as_json:
        raise typer.Exit(FAILED)
    if short:
        fail(short, as_json=False)

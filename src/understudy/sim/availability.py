"""How much of what could be answered was answered, under a schedule of faults and a pattern of traffic; and what became of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from understudy.core.value import keyword_value
from understudy.sim.driver import Request, Simulation
from understudy.sim.figures import Figures, figures_of
from understudy.sim.invariants import Broken
from understudy.sim.schedule import Schedule
from understudy.sim.traffic import Visit

PROMISED = 0.9999
"""What is promised of `Figures.availability_whole`, and of `Figures.availability_streams`."""

LOST_MAX = 20


class Unsound(Exception):
    """A seed breaks an invariant. The message says which, at which step."""


@keyword_value
class Lost:
    """One request that somebody could have answered, and nobody did.

    `at_s`: when it came. `ended`: the failure that its caller got, "degraded" for a stand-in's answer. `tried`: each attempt as `target: failure`.
    `passed`: everyone who was left out at last as `target: reason: detail`.
    """

    seed: int
    request: str
    at_s: float
    took_s: float
    stream: bool
    ended: str
    tried: tuple[str, ...]
    passed: tuple[str, ...]

    def __str__(self) -> str:
        kind = "stream" if self.stream else "whole"
        what = f"seed {self.seed}, {self.request} ({kind}) at {self.at_s:.2f} s: {self.ended} after {self.took_s:.2f} s"
        return f"{what}; asked {', '.join(self.tried) or 'nobody'}; left out {', '.join(self.passed) or 'nobody'}"


@keyword_value
class Measured:
    """What came of one pattern. `lost`: the first requests that were lost before any content. `causes`: all of them, by how they ended."""

    figures: Figures
    lost: tuple[Lost, ...]
    causes: dict[str, int]


def measure(schedule: Schedule, traffic: str, seeds: Iterable[int], trace: tuple[Visit, ...] | None = None) -> Measured:
    """Perform every seed of a pattern (or of a trace). Raises `Unsound` for the first seed that breaks an invariant."""
    total, lost, causes = Figures(), list[Lost](), Counter[str]()
    for seed in seeds:
        simulation = Simulation(schedule.scenario(seed, traffic, trace))
        try:
            total += simulation.run()
        except Broken as broken:
            raise Unsound(f"{traffic}, seed {seed}: {broken}") from broken
        for request in simulation.requests:
            if (one := _lost(simulation, request, seed)) is not None:
                causes[one.ended] += 1
                lost += [one] if len(lost) < LOST_MAX else []
    return Measured(figures=total, lost=tuple(lost), causes=dict(causes.most_common()))


def _lost(simulation: Simulation, request: Request, seed: int) -> Lost | None:
    """None for a request that was answered, that nobody could have answered, or whose answer broke before its caller's eyes."""
    result = request.seen.results[-1]
    if result.winner is not None and not result.degraded:
        return None
    figures = figures_of(request.seen, possible=simulation.was_possible(request))
    if not figures.possible:
        return None
    last = {out.target: out for choice in request.decision.choices for out in choice.excluded}
    return Lost(
        seed=seed,
        request=request.decision.id,
        at_s=result.started_s,
        took_s=result.ended_s - result.started_s,
        stream=request.arrival.needs.stream,
        ended="degraded" if result.failure is None else result.failure.kind.value,
        tried=tuple(
            f"{one.target}: {one.purpose.value}: {one.failure.kind.value if one.failure else 'answered'}"
            for one in result.attempts
        ),
        passed=tuple(
            f"{out.target}: {out.reason}: {out.detail}"
            + (f" until {out.until_s:.2f}" if out.until_s is not None else "")
            for out in last.values()
        ),
    )

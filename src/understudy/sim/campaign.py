"""Many seeds: their figures, or the first that breaks an invariant and how to run it again."""

from __future__ import annotations

from collections.abc import Iterable

from understudy.sim.driver import Simulation
from understudy.sim.figures import Figures
from understudy.sim.invariants import Broken
from understudy.sim.scenario import compose
from understudy.sim.specs import SPECS


class Failing(Exception):
    """A seed breaks an invariant. The message says which, at which step, and the command that runs it again."""

    def __init__(self, fault: str, seed: int, cause: Exception) -> None:
        again = f"understudy simulate --fault {fault} --first {seed} --seeds 1"
        super().__init__(f"{fault}, seed {seed}: {cause}\nrun it again: {again}")
        self.fault = fault
        self.seed = seed


def faults() -> tuple[str, ...]:
    """The faults that a campaign can be about."""
    return tuple(SPECS)


def simulate(fault: str, seeds: Iterable[int]) -> Figures:
    """Perform every seed of a fault. Raises `Failing` for the first that does not hold, `KeyError` for an unknown fault."""
    total = Figures()
    for seed in seeds:
        try:
            total += Simulation(compose(fault, seed)).run()
        except Broken as broken:
            raise Failing(fault, seed, broken) from broken
    return total

"""Turns samples into verdicts, a table and files: medians over rounds, and the machine they were taken on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.measure import Sample
from bench.scenarios import LOADS, Cell, Compare, Scenario

COMPARE: dict[Compare, Callable[..., float]] = {
    Compare.RATIO: lambda of, to: of / to,
    Compare.DIFFERENCE: lambda of, to: of - to,
    Compare.VALUE: lambda of: of,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One scenario's figure for each round; empty when it could not be measured, and then `why` says why."""

    scenario: Scenario
    per_round: tuple[float, ...]
    why: str = ""

    @property
    def broken(self) -> bool:
        """A limit was exceeded, or there was nothing to show that it was kept."""
        limit = self.scenario.never_above
        return limit is not None and (not self.per_round or median(self.per_round) > limit)

    @property
    def word(self) -> str:
        scenario = self.scenario
        if not self.per_round:
            return f"not measured: {self.why}"
        if self.broken:
            return "BROKEN"
        if scenario.aim is not None and median(self.per_round) > scenario.aim:
            return "within the limit, above the aim"
        return "kept" if scenario.never_above is not None else "for information"


def judge(scenario: Scenario, samples: dict[Cell, list[Sample]], failed: dict[Cell, str]) -> Verdict:
    """Compares the cells round by round: a slow minute of the machine slows both."""
    for cell in scenario.cells:
        if cell in failed:
            return Verdict(scenario, (), f"{cell.name}: {failed[cell]}")
    rounds = zip(*([sample.figure for sample in samples[cell]] for cell in scenario.cells), strict=True)
    return Verdict(scenario, tuple(COMPARE[scenario.compare](*figures) for figures in rounds))


def number(value: float | None) -> str:
    """Three digits that count, and no more noise than that."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> list[str]:
    return [number(median(values)), f"{number(min(values))} to {number(max(values))}"] if values else ["-", "-"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns also line up on a terminal."""
    widths = [max(len(line[n]) for line in (head, *rows)) for n in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(f"{text:<{w}}" for text, w in zip(line, widths, strict=True)) + " |" for line in lines
    )


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    head = ("scenario", "what", "median", "unit", "min to max", "aim", "never above", "verdict")

    def line(verdict: Verdict) -> list[str]:
        scenario = verdict.scenario
        middle, reach = spread(verdict.per_round)
        limits = [number(scenario.aim), number(scenario.never_above)]
        return [scenario.name, scenario.says, middle, scenario.unit, reach, *limits, verdict.word]

    return table(head, [line(verdict) for verdict in verdicts])


def cell_table(samples: dict[Cell, list[Sample]]) -> str:
    head = ("cell", "median", "unit", "min to max", "requests/s", "p50 ms", "p99 ms", "core busy", "other processes us")

    def line(cell: Cell, taken: list[Sample]) -> list[str]:
        def beside(name: str) -> str:
            values = [sample.beside[name] for sample in taken if name in sample.beside]
            return number(median(values)) if values else "-"

        middle, reach = spread([sample.figure for sample in taken])
        columns = ("requests_per_s", "p50_ms", "p99_ms", "busy_share", "other_processes_us")
        return [cell.name, middle, LOADS[cell.load].measure.value, reach, *(beside(name) for name in columns)]

    return table(head, [line(cell, taken) for cell, taken in samples.items() if taken])


@dataclass(frozen=True, slots=True)
class Report:
    """One run: `settings` and `machine` are told as they are."""

    label: str
    settings: dict[str, object]
    machine: dict[str, str]
    verdicts: tuple[Verdict, ...]
    samples: dict[Cell, list[Sample]]

    def markdown(self) -> str:
        facts = "\n".join(f"- {name}: {value}" for name, value in (self.machine | self.settings).items())
        return (
            f"# make bench: {self.label}\n\n{verdict_table(self.verdicts)}\n\n"
            "Figures are medians over rounds; a row compares its two cells round by round. What each means: README.md.\n\n"
            f"## Cells\n\n{cell_table(self.samples)}\n\n## Machine\n\n{facts}\n"
        )

    def document(self) -> dict[str, object]:
        def verdict(of: Verdict) -> dict[str, object]:
            scenario = of.scenario
            return {
                "name": scenario.name,
                "formula": f" {scenario.compare.value} ".join(cell.name for cell in scenario.cells),
                "unit": scenario.unit,
                "median": median(of.per_round) if of.per_round else None,
                "per_round": of.per_round,
                "aim": scenario.aim,
                "never_above": scenario.never_above,
                "verdict": of.word,
            }

        cells = {
            cell.name: [{"figure": sample.figure, **sample.beside} for sample in taken]
            for cell, taken in self.samples.items()
        }
        return {
            "label": self.label,
            "machine": self.machine,
            "settings": self.settings,
            "scenarios": [verdict(of) for of in self.verdicts],
            "cells": cells,
        }

    def save(self, folder: Path, *, latest: bool) -> Path:
        """Writes `<date>-<label>.json`, and `latest.md` when this run is to stand for the project."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y-%m-%d}-{self.label}.json"
        path.write_text(json.dumps(self.document(), indent=1) + "\n")
        if latest:
            (folder / "latest.md").write_text(self.markdown())
        return path

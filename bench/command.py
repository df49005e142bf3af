"""`make bench`: Understudy beside nginx in the same run, one pinned core, CPU per request.

python bench/run.py                       everything, 9 rounds, results saved
python bench/run.py --quick               3 short rounds
python bench/run.py --only floor,plain    some scenarios
python bench/run.py --check               exit code 1 when a limit is exceeded or could not be measured
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench.exchange import WrongAnswerError
from bench.machine import Cores, describe, plan_cores
from bench.measure import CONNECTIONS, Meter, Sample
from bench.programs import STARTERS, Program, Stage, UnavailableError, need_tools
from bench.report import Report, judge
from bench.scenarios import LOADS, SCENARIOS, Cell, Measure, Scenario

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(slots=True)
class Options:
    rounds: int
    seconds: int
    memory_requests: int
    scenarios: tuple[Scenario, ...]
    label: str | None
    quick: bool
    check: bool
    as_json: bool

    @property
    def whole(self) -> bool:
        return not self.quick and self.scenarios == SCENARIOS


def read_options(arguments: Sequence[str] | None) -> Options:
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(
        prog="python bench/run.py", description="Understudy beside nginx, in CPU per request."
    )
    parser.add_argument("--rounds", type=int, help="rounds (9; 3 with --quick)")
    parser.add_argument("--seconds", type=int, help="seconds each loaded cell runs in a round (2; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="under 90 s: for a look, not for a record")
    parser.add_argument("--only", default="", metavar="A,B", help=f"some scenarios of: {', '.join(names)}")
    parser.add_argument("--label", help="saves results/<date>-<label>.json (a whole run is saved anyway, as 'whole')")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a limit is exceeded or was not measured")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON document instead of tables")
    given = parser.parse_args(arguments)
    asked = [name.strip() for name in given.only.split(",") if name.strip()] or names
    unknown = sorted(set(asked) - set(names))
    if unknown:
        parser.error(f"unknown scenario {', '.join(unknown)}; there are: {', '.join(names)}")
    rounds = given.rounds if given.rounds is not None else (3 if given.quick else 9)
    seconds = given.seconds if given.seconds is not None else (1 if given.quick else 2)
    if rounds < 1 or seconds < 1:
        parser.error("--rounds and --seconds are at least 1")
    return Options(
        rounds=rounds,
        seconds=seconds,
        memory_requests=20_000 if given.quick else 100_000,
        scenarios=tuple(scenario for scenario in SCENARIOS if scenario.name in asked),
        label=given.label,
        quick=given.quick,
        check=given.check,
        as_json=given.as_json,
    )


class Benchmark:
    """The cells of the chosen scenarios, measured in turn, round after round.

    A cell that fails is told with its reason and left out of later rounds: the others still count.
    """

    def __init__(self, stage: Stage, options: Options) -> None:
        self._stage = stage
        self._options = options
        cells = dict.fromkeys(cell for scenario in options.scenarios for cell in scenario.cells)
        self.samples: dict[Cell, list[Sample]] = {cell: [] for cell in cells}
        self.failed: dict[Cell, str] = {}
        self._programs: dict[str, Program] = {}

    def run(self) -> None:
        self._start_programs()
        once = [cell for cell in self.samples if LOADS[cell.load].measure is Measure.RESIDENT]
        each_round = [cell for cell in self.samples if cell not in once]
        tell("warming up")
        warm = Meter(self._stage, seconds=1, memory_requests=0)
        for cell in each_round:
            self._take(warm, cell, keep=False)
        meter = Meter(self._stage, seconds=self._options.seconds, memory_requests=self._options.memory_requests)
        for number in range(self._options.rounds):
            tell(f"round {number + 1} of {self._options.rounds}")
            # There and back again: what drifts during a round then drifts both ways.
            for cell in each_round if number % 2 == 0 else reversed(each_round):
                self._take(meter, cell)
        for cell in once:
            tell(cell.name)
            self._take(meter, cell)

    def _start_programs(self) -> None:
        for name in dict.fromkeys(cell.program for cell in self.samples):
            tell(f"starting {name}")
            try:
                self._programs[name] = STARTERS[name](self._stage, name)
            except UnavailableError as reason:
                self.failed |= {cell: str(reason) for cell in self.samples if cell.program == name}

    def _take(self, meter: Meter, cell: Cell, *, keep: bool = True) -> None:
        if cell in self.failed:
            return
        try:
            sample = meter.sample(self._programs[cell.program], cell.load)
        except (WrongAnswerError, OSError) as reason:
            self.failed[cell] = str(reason)
            tell(f"{cell.name} failed: {reason}")
            return
        if keep:
            self.samples[cell].append(sample)


def tell(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def measure(options: Options, cores: Cores) -> Report:
    machine = describe()
    began_s = time.monotonic()
    with Stage(cores) as stage:
        benchmark = Benchmark(stage, options)
        benchmark.run()
    settings: dict[str, object] = {
        "rounds": options.rounds,
        "seconds per loaded cell": options.seconds,
        "connections": CONNECTIONS,
        "pinning": f"program {cores.program}, upstream {cores.upstream}, load {cores.load}: {cores.note}",
        "took": f"{time.monotonic() - began_s:.0f} s",
    }
    machine["load average after"] = f"{os.getloadavg()[0]:.2f}"
    verdicts = tuple(judge(scenario, benchmark.samples, benchmark.failed) for scenario in options.scenarios)
    label = options.label or ("whole" if options.whole else "part")
    return Report(label, settings, machine, verdicts, benchmark.samples)


def stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    options = read_options(arguments)
    if not sys.platform.startswith("linux"):
        raise SystemExit("bench: needs Linux, for pinned cores and CPU clocks of other processes.")
    for ending in (signal.SIGTERM, signal.SIGHUP):  # as with Ctrl-C, leaving the stage ends every program
        signal.signal(ending, stop)
    need_tools()
    try:
        report = measure(options, plan_cores())
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    print(json.dumps(report.document(), indent=1) if options.as_json else report.markdown())
    if options.whole or options.label:
        tell(f"saved {report.save(RESULTS, latest=options.whole).relative_to(RESULTS.parent.parent)}")
    broken = [verdict.scenario.name for verdict in report.verdicts if verdict.broken]
    if options.check and broken:
        tell(f"limits not kept: {', '.join(broken)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Takes one sample of one cell: CPU per request under load, time to the first content, or resident memory."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from bench.exchange import Caller, WrongAnswerError
from bench.machine import cpu_ns, process_tree, resident_mb
from bench.programs import HERE, Program, Stage, pinned
from bench.scenarios import LOADS, Load, Measure
from bench.traffic import STREAM_LAST_WORD, prose, stream_events

CONNECTIONS = 64
QUIET_CALLS = 40  # for a first-byte sample, one at a time
MEMORY_LOAD_MAX_S = 120


@dataclass(frozen=True, slots=True)
class Sample:
    """`figure` is what the cell is judged by; `beside` is told with it (name to value)."""

    figure: float
    beside: dict[str, float] = field(default_factory=dict)


def probe(program: Program, load: Load) -> int:
    """One request whose answer is read, so that nobody is measured for failing fast. Returns the answer's size."""
    with Caller(program.port) as caller:
        exchange = caller.call(program.path(load), load.body)
    expected = STREAM_LAST_WORD if load.stream else prose(40)
    if exchange.status != 200 or expected.encode() not in exchange.body:
        raise WrongAnswerError(f"status {exchange.status}: {exchange.body[:200].decode(errors='replace')}")
    return exchange.size


class Meter:
    """Samples the cells of one stage. `seconds` is how long a loaded cell runs, `memory_requests` what precedes memory."""

    def __init__(self, stage: Stage, *, seconds: int, memory_requests: int) -> None:
        self._stage = stage
        self.seconds = seconds
        self._memory_requests = memory_requests
        self._answered: dict[str, int] = {}
        self._sizes: dict[tuple[str, str], int] = {}

    def sample(self, program: Program, load_name: str) -> Sample:
        load = LOADS[load_name]
        if (program.name, load_name) not in self._sizes:
            self._sizes[program.name, load_name] = probe(program, load)
        return MEASURES[load.measure](self, program, load_name)

    def cpu_us(self, program: Program, load_name: str) -> Sample:
        load = LOADS[load_name]
        counted = self._stage.counters()
        before = {pid: cpu_ns(pid) for pid in process_tree(program.root_pid)}
        summary = self._run_wrk(program, load_name, self.seconds)
        after = {pid: cpu_ns(pid) for pid in process_tree(program.root_pid)}
        counted = {kind: count - counted[kind] for kind, count in self._stage.counters().items()}
        requests = summary["requests"]
        self._answered[program.name] = self._answered.get(program.name, 0) + int(requests)
        self._check(program, load_name, summary, counted)
        if not before.keys() <= after.keys():
            raise WrongAnswerError("one of its processes ended under load")
        spent = sorted((after[pid] - before.get(pid, 0)) / 1000 for pid in after)
        # Streams still under way when the load stops were paid for too: count what the upstream sent, not what ended.
        done = counted["event"] / len(stream_events()) if load.stream else requests
        beside = {
            "requests_per_s": done / (summary["duration_us"] / 1e6),
            "p50_ms": summary["p50_us"] / 1000,
            "p99_ms": summary["p99_us"] / 1000,
            "busy_share": sum(spent) / summary["duration_us"],
            "other_processes_us": sum(spent[:-1]) / done,
        }
        return Sample(sum(spent) / done, beside)

    def first_content_ms(self, program: Program, load_name: str) -> Sample:
        load, times_ms = LOADS[load_name], []
        counted = self._stage.counters()
        with pinned(self._stage.cores.load), Caller(program.port) as caller:
            for _ in range(QUIET_CALLS):
                time.sleep(0.001)  # everything comes to rest: this is latency at low load
                exchange = caller.call(program.path(load), load.body)
                if exchange.status != 200:
                    raise WrongAnswerError(f"status {exchange.status}: {exchange.body[:200].decode(errors='replace')}")
                times_ms.append(exchange.first_content_ms)
        counted = {kind: count - counted[kind] for kind, count in self._stage.counters().items()}
        self._check_reached(load, counted, QUIET_CALLS)
        return Sample(median(times_ms), {"p50_ms": median(times_ms), "p99_ms": max(times_ms)})

    def resident(self, program: Program, _: str) -> Sample:
        """Whatever the program answered before counts; the rest is made up for with plain requests."""
        began_s = time.monotonic()
        while self._answered.get(program.name, 0) < self._memory_requests:
            if time.monotonic() - began_s > MEMORY_LOAD_MAX_S:
                raise WrongAnswerError(f"{self._memory_requests} requests took more than {MEMORY_LOAD_MAX_S} s")
            self.sample(program, "plain")
        worker = max(process_tree(program.root_pid), key=cpu_ns)
        return Sample(resident_mb(worker), {"requests": self._answered[program.name]})

    def _run_wrk(self, program: Program, load_name: str, seconds: int) -> dict[str, float]:
        load = LOADS[load_name]
        body = self._stage.folder / f"{load_name}.body"
        body.write_bytes(load.body)
        url = f"http://127.0.0.1:{program.port}{program.path(load)}"
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "-s",
            str(HERE / "load.lua"),
            url,
        ]
        with pinned(self._stage.cores.load):
            done = subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                timeout=seconds + 30,
                env=self._stage.environment() | {"BENCH_BODY": str(body)},
            )
        summary: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return summary

    def _check(self, program: Program, load_name: str, summary: dict[str, float], counted: dict[str, int]) -> None:
        """A figure is worth something only if every answer was whole, right and came from the upstream."""
        failed = {
            kind: int(summary[kind]) for kind in summary if kind.endswith(("errors", "timeouts")) and summary[kind]
        }
        if failed:
            raise WrongAnswerError(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in failed.items()))
        requests = int(summary["requests"])
        if not requests:
            raise WrongAnswerError("not one request was answered")
        if summary["bytes"] < 0.98 * requests * self._sizes[program.name, load_name]:
            raise WrongAnswerError(f"answers came short: {summary['bytes'] / requests:.0f} bytes each")
        self._check_reached(LOADS[load_name], counted, requests)

    @staticmethod
    def _check_reached(load: Load, counted: dict[str, int], requests: int) -> None:
        for kind in load.reaches:
            if counted[kind] < requests:
                raise WrongAnswerError(f"only {counted[kind]} of {requests} requests reached the upstream's /{kind}/")


MEASURES: dict[Measure, Callable[[Meter, Program, str], Sample]] = {
    Measure.CPU: Meter.cpu_us,
    Measure.FIRST_CONTENT: Meter.first_content_ms,
    Measure.RESIDENT: Meter.resident,
}

"""Starts and ends the programs of a run: one mock provider, and a gateway over it for each wire format.

All listen on free ports of the loopback; only what was started here is ended, by its handle.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Any

from conformance.upstreams import PROVIDER_KEY, Upstream, configuration

SOURCE = Path(__file__).resolve().parents[2] / "src"
START_MAX_S = 30.0
STOP_MAX_S = 10.0


class DidNotStart(Exception):
    """A program said nothing in time, or ended."""


class Stopping(Exception):
    """The run is being ended: nothing is started any more."""


class Started:
    """Every process of a run, so that all can be ended: the threads that wait for them cannot be interrupted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopping = False

    def start(self, command: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
        """A process of its own. Raises `Stopping`."""
        with self._lock:
            if self._stopping:
                raise Stopping
            self._running = [process for process in self._running if process.poll() is None]
            self._running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, **how))
            return self._running[-1]

    def end(self) -> None:
        """End them all."""
        with self._lock:
            self._stopping = True
            for process in self._running:
                process.terminate()


STARTED = Started()


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that answers. `origin`: its data plane, without a path. `log`: what it says on stderr."""

    origin: str
    upstream: Upstream
    process: subprocess.Popen[bytes]
    log: Path

    def troubles(self) -> list[str]:
        """What no caller sees: it ended, or something of its own was raised."""
        found = [] if self.process.poll() is None else [f"it ended with code {self.process.returncode}"]
        said = self.log.read_text(encoding="utf-8", errors="replace")
        return found + (["it logged a traceback: " + said[-500:]] if "Traceback" in said else [])


def environment() -> dict[str, str]:
    """Ours without proxies: nothing may come between the programs and the loopback."""
    ours = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return ours | {"PYTHONPATH": str(SOURCE), "CONFORMANCE_KEY": PROVIDER_KEY}


@contextmanager
def mock_provider(folder: Path) -> Iterator[str]:
    """A mock that speaks every wire format; its origin. Its streams take a while, so that one can see whether they are held back."""
    script = folder / "mock.yaml"
    script.write_text("faults: [{latency: {chunk_s: 0.003}}]\n", encoding="utf-8")
    with _program(["mock", str(script)], folder / "mock.log") as (_, told):
        yield str(told["base_url"]).removesuffix("/v1")


@contextmanager
def gateway(folder: Path, mock: str, upstream: Upstream, models: tuple[str, ...]) -> Iterator[Gateway]:
    """A gateway of one worker that has the mock behind it, asked in this upstream's wire format."""
    file, log = folder / f"{upstream.name}.yaml", folder / f"{upstream.name}.log"
    file.write_text(json.dumps(configuration(upstream, mock, models), indent=1), encoding="utf-8")  # JSON is YAML
    asked = ["serve", "--config", str(file), "--control-port", "0", "--drain-s", "0"]
    with _program(asked, log) as (process, told):
        yield Gateway(f"http://127.0.0.1:{told['port']}", upstream, process, log)


@contextmanager
def _program(asked: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """A command of ours, once it has said where it listens."""
    command = [sys.executable, "-m", "understudy", *asked, "--port", "0", "--json"]
    with (
        log.open("wb") as err,
        STARTED.start(command, stdout=subprocess.PIPE, stderr=err, env=environment()) as process,
    ):
        try:
            assert process.stdout is not None
            yield process, _announced(process.stdout, asked[0], log)
        finally:
            process.terminate()
            try:
                process.wait(STOP_MAX_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _announced(out: IO[bytes], name: str, log: Path) -> dict[str, Any]:
    """Its one line of JSON. Raises `DidNotStart`."""
    ready, _, _ = select.select([out], [], [], START_MAX_S)
    line = out.readline() if ready else b""
    if not line:
        raise DidNotStart(f"{name} did not start: {log.read_text(encoding='utf-8', errors='replace')[-1000:]}")
    told: dict[str, Any] = json.loads(line)
    return told

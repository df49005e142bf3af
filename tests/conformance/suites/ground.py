"""What a suite is, and what it is given."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.cases import Case, Said
from conformance.programs import STARTED, Gateway
from conformance.tools import NODE_TOOLS, Tools, pin

RUN_MAX_S = 240.0


class DidNotFinish(Exception):
    """A suite ended without a verdict, or not in time; the text says how."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a suite runs. `folder`: for what it writes."""

    gateway: Gateway
    tools: Tools
    folder: Path

    @property
    def origin(self) -> str:
        """The gateway's address, without a path."""
        return self.gateway.origin

    def case(self, suite: str, name: str, said: Said, why: str = "") -> Case:
        """A verdict over this ground's upstream."""
        return Case(suite, self.gateway.upstream.name, name, said, " ".join(why.split())[:300])

    def run(
        self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A program of the suite, ended with its time. Raises `DidNotFinish`."""
        ours = {
            name: value for name, value in os.environ.items() if name != "PYTHONPATH" and "proxy" not in name.lower()
        }
        ours |= {"PYTHONDONTWRITEBYTECODE": "1"} | dict(env or {})
        place = cwd or self.folder
        with STARTED.start(command, cwd=place, env=ours, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                out, err = process.communicate(timeout=RUN_MAX_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise DidNotFinish(f"not finished after {RUN_MAX_S:g} s") from None
        return subprocess.CompletedProcess(command, process.returncode, out.decode(), err.decode())


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite. `package`: what it comes in. `checks`: what it looks at, for the page. `models`: the names it asks for."""

    name: str
    package: str
    checks: str
    run: Callable[[Ground], list[Case]]
    models: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The version that is pinned."""
        return NODE_TOOLS[self.package][0] if self.package in NODE_TOOLS else pin(self.package)[1]

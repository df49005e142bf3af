"""The whole program as processes, on loopback and on ports of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any


class Served:
    """`understudy serve` as a process."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any], took_s: float) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{ready['port']}"
        self.control = f"http://127.0.0.1:{ready['control_port']}"
        self.took_s = took_s
        self.announced = ready

    @property
    def workers(self) -> list[int]:
        told = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in told.stdout.split()]


@asynccontextmanager
async def serve(folder: Path, text: str, *options: str) -> AsyncIterator[Served]:
    file = folder / "understudy.yaml"
    file.write_text(text)
    begun_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "understudy", "serve", "--config", str(file), "--port", "0", "--control-port", "0", "--json",
        *options,
        stdout=subprocess.PIPE,
        env={**os.environ, "KEY": "sk-test"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        yield Served(process, ready, time.monotonic() - begun_s)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()

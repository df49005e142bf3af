"""The program itself: its orders, its news, and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

COMMAND = (sys.executable, "-m", "understudy.local.server")


async def begin(orders: bytes, *program: str) -> Process:
    process = await asyncio.create_subprocess_exec(*(program or COMMAND), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdin is not None
    process.stdin.write(orders)
    return process


async def news(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), 20)))


async def end(process: Process) -> int:
    assert process.stdin is not None
    process.stdin.close()
    try:
        return await asyncio.wait_for(process.wait(), 10)
    finally:
        if process.returncode is None:
            process.kill()


def orders(folder: Path) -> bytes:
    return json.dumps({"target": "tiny", "folder": str(folder), "secret": "s"}).encode() + b"\n"


async def test_the_end_of_its_input_is_its_end_in_good_order(tiny_model: Path) -> None:
    process = await begin(orders(tiny_model))
    assert (await news(process))["what"] == "ready"
    assert await end(process) == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
async def test_signals_that_are_meant_for_its_parent_do_not_end_it(tiny_model: Path, signum: int) -> None:
    process = await begin(orders(tiny_model))
    assert (await news(process))["what"] == "ready"
    process.send_signal(signum)
    await asyncio.sleep(0.02)
    assert process.returncode is None
    assert await end(process) == 0


async def test_its_end_cuts_an_answer_short_that_would_not_end(tiny_model: Path) -> None:
    process = await begin(orders(tiny_model))
    port = (await news(process))["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"messages":[{"role":"user","content":"*"}],"stream":true}'
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer s\r\ncontent-length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert await end(process) == 0
    writer.close()


@pytest.mark.parametrize("text", [b"", b"\n", b"nonsense\n", b'{"target":"t"}\n', b'{"more":1}\n'])
async def test_without_orders_it_does_nothing(text: bytes) -> None:
    process = await begin(text)
    assert await end(process) == 2


async def test_what_cannot_be_loaded_is_its_only_news(tmp_path: Path) -> None:
    process = await begin(orders(tmp_path))
    told = await news(process)
    assert (told["what"], told["final"]) == ("failed", True)
    assert await end(process) == 3


async def test_what_a_library_prints_is_no_news(tiny_model: Path) -> None:
    noisy = (
        "import os, sys\n"
        "from understudy.local import server\n"
        "make = server.OnnxModel\n"
        "def noisily(orders):\n"
        "    print('loading...', flush=True)\n"
        "    os.write(1, b'native words\\n')\n"
        "    return make(orders)\n"
        "server.OnnxModel = noisily\n"
        "sys.exit(server.main())\n"
    )
    process = await begin(orders(tiny_model), sys.executable, "-c", noisy)
    assert (await news(process))["what"] == "ready"
    assert await end(process) == 0
    assert process.stderr is not None
    assert b"native words" in await process.stderr.read()


def test_it_needs_nothing_of_the_control_plane_and_nothing_of_the_engine() -> None:
    heavy = ("starlette", "uvicorn", "pydantic", "yaml", "understudy.engine", "understudy.config")
    code = f"import sys, understudy.local.server; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

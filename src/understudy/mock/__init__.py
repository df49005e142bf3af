"""A provider over HTTP, scripted or replaying a recording: what the router is tried against, by its tests and by its users.

It speaks OpenAI Chat Completions (`/v1/chat/completions`, `/v1/models`) and Responses (`/v1/responses`,
`/v1/responses/input_tokens`), Anthropic Messages (`/v1/messages`, `/v1/messages/count_tokens`, `/v1/models` with an
`anthropic-version` header), Gemini (`/v1beta/models/...:generateContent`, `:streamGenerateContent`), Ollama's own chat (`/api/chat`,
`/api/tags`) and Cohere's (`/v2/chat`), streaming or not, with tools, structured output and
usage, and embeddings as OpenAI, Gemini and Cohere have them; and it fails in every way that `understudy.faults` knows, on real sockets. What goes wrong is chosen by

- the script: `faults` of a YAML file, or of a `Script`;
- `Mock.set(...)` at run time;
- the model's name, for one request: `mock-429`, `mock-silent`, `mock-cut` and the rest of `MODELS`;
- the header `x-mock-faults`, for one request: a JSON list of faults as in a script.

    async with await start_mock() as mock:
        mock.set({"error_burst": {"problem": "overloaded"}})
        ...                                  # call mock.base_url
        assert mock.requests[0].model == "mock-small"
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from understudy.faults import Fault
from understudy.mock.by_name import MODELS
from understudy.mock.repertoire import Received
from understudy.mock.script import BadScript, Script, load_script, read_script
from understudy.mock.server import FAULTS_HEADER, Mock

__all__ = [
    "FAULTS_HEADER",
    "MODELS",
    "BadScript",
    "Mock",
    "Received",
    "Script",
    "load_script",
    "read_script",
    "run_mock",
    "serve_mock",
    "start_mock",
]


async def start_mock(
    script: Script | str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    faults: tuple[str | dict[str, Any] | Fault, ...] = (),
    tls: ssl.SSLContext | None = None,
    tls_expired: ssl.SSLContext | None = None,
) -> Mock:
    """A mock that listens (port 0: on any free one). `script`: a value, or YAML text. `faults`: instead of the script's.

    It is a context manager that closes it. Raises `BadScript`, and `OSError` for an address that cannot be had.
    """
    mock = Mock(
        read_script(script) if isinstance(script, str) else script,
        host=host,
        port=port,
        tls=tls,
        tls_expired=tls_expired,
    )
    await mock.start()
    if faults:
        mock.set(*faults)
    return mock


_REMEMBERED_FOR_NOBODY = 100  # bodies take memory, and no test looks at these


async def serve_mock(
    script: Script, host: str, port: int, *, on_ready: Callable[[Mock], None], tls: ssl.SSLContext | None = None
) -> None:
    """A mock until it is told to stop, by SIGINT, SIGTERM or cancellation."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        with suppress(
            NotImplementedError, RuntimeError
        ):  # a loop outside the main thread, or on Windows, has no signals
            loop.add_signal_handler(signum, stop.set)
    async with Mock(script, host=host, port=port, tls=tls, remembered=_REMEMBERED_FOR_NOBODY) as mock:
        on_ready(mock)
        await stop.wait()


def run_mock(
    script_path: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8486,
    *,
    recording: Path | None = None,
    on_ready: Callable[[Mock], None] = lambda _mock: None,
) -> None:
    """What `understudy mock` does: serve a script (or a recording) until interrupted. `on_ready` is told the mock, to say where it is.

    Raises `BadScript`, and `OSError` for an address that cannot be had.
    """
    script = Script() if script_path is None else load_script(script_path)
    if recording is not None:
        script = replace(script, recording=str(recording))
    asyncio.run(serve_mock(script, host, port, on_ready=on_ready))

"""Play a provider over HTTP: scripted faults and latencies, or a recording, on a port of this machine.

Point a target's `base_url` (or an SDK) at it. `docs/mock.md` tells what scripts and recordings can be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._output import ASKED_WRONGLY, PORT_MAX, Json, fail

if TYPE_CHECKING:
    from understudy.mock import Mock


def command(
    script: Annotated[
        Path | None, typer.Argument(metavar="[SCRIPT]", help="A YAML file; without one it answers everything.")
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 for a free one.", min=0, max=PORT_MAX)] = 8486,
    recording: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Replay recorded interactions instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve until interrupted."""
    from understudy.mock import BadScript, run_mock

    def ready(mock: Mock) -> None:
        line = (
            json.dumps({"base_url": mock.base_url})
            if as_json
            else f"mock provider at {mock.base_url} (stop it with Ctrl-C)"
        )
        print(line, flush=True)

    try:
        run_mock(script, host, port, recording=recording, on_ready=ready)
    except BadScript as error:
        fail([str(error)], as_json=as_json, code=ASKED_WRONGLY)
    except OSError as error:
        fail(
            [f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with --port"], as_json=as_json
        )

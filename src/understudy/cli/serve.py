"""Serve the gateway: model traffic on one port, the control plane on another."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._configuration import ConfigFile, cannot_be_asked, read_configuration
from understudy.cli._output import ASKED_WRONGLY, FAILED, PORT_MAX, Json, fail, told

if TYPE_CHECKING:
    from understudy.config import Configuration

PORT = 8484
CONTROL_PORT = 8485


def command(  # noqa: PLR0917  one parameter is one option
    config: ConfigFile = None,
    host: Annotated[str, typer.Option(help="Where the data plane listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The data plane's port; 0 for any free one.", min=0, max=PORT_MAX)] = PORT,
    control_port: Annotated[
        int, typer.Option(help="The control plane's port, on loopback; 0 for any.", min=0, max=PORT_MAX)
    ] = CONTROL_PORT,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that carry traffic.")] = 1,
    drain_s: Annotated[float, typer.Option(min=0, help="How long running answers have at the end.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Serve until interrupted."""
    from understudy.supervisor.supervisor import CannotServe

    with told(as_json=as_json):
        configuration = read_configuration(config)
    if not configuration.principals and not is_loopback(host):
        fail(
            [f"--host {host} is reached from outside, and no `principals` say who may ask; configure them first"],
            as_json=as_json,
            code=ASKED_WRONGLY,
        )
    try:
        asyncio.run(serve(configuration, host, port, control_port, workers, drain_s, as_json=as_json))
    except CannotServe as trouble:
        fail([str(trouble)], as_json=as_json, code=FAILED)


def is_loopback(host: str) -> bool:
    """Whether an address is only reached from this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(
    configuration: Configuration,
    host: str,
    port: int,
    control_port: int,
    workers: int,
    drain_s: float,
    *,
    as_json: bool,
) -> None:
    """Run supervisor and control plane until a signal. Raises `CannotServe`."""
    from understudy.admin.app import make_app, make_control_plane
    from understudy.supervisor.supervisor import Supervisor, bind

    stop, again = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def signalled() -> None:
        (again if stop.is_set() else stop).set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, signalled)

    def say(text: str) -> None:
        if not as_json:
            print(text, file=sys.stderr, flush=True)

    [door] = bind("127.0.0.1", control_port, 1, "--control-port")
    supervisor = Supervisor(configuration, host=host, port=port, workers=workers, on_change=say)
    names = tuple(rule.name for rule in configuration.rules)
    control = make_control_plane(make_app(supervisor, tuple(configuration.targets), names))
    serving = asyncio.create_task(control.serve(sockets=[door]))
    failed: asyncio.Task[None] | None = None
    try:
        await supervisor.start()
        _announce(configuration, host, supervisor.port, door.getsockname()[1], as_json=as_json)
        failed = asyncio.create_task(supervisor.failed())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([failed, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if failed.done():
            failed.result()
    finally:
        say(f"stopping; running answers have {drain_s:g} s (again to end at once)")
        ending = asyncio.create_task(supervisor.stop(drain_s))
        at_once = asyncio.create_task(again.wait())
        await asyncio.wait([ending, at_once], return_when=asyncio.FIRST_COMPLETED)
        at_once.cancel()
        if not ending.done():
            supervisor.kill()
        await ending
        if failed is not None:
            failed.cancel()
        control.should_exit = True
        await serving
        door.close()


def _announce(configuration: Configuration, host: str, port: int, control_port: int, *, as_json: bool) -> None:
    warnings = [*configuration.warnings, *cannot_be_asked(configuration).values()]
    if as_json:
        ready = {"ready": True, "port": port, "control_port": control_port, "version": configuration.version}
        ready["warnings"] = warnings
        print(json.dumps(ready), flush=True)
        return
    source = Path(configuration.source).name if configuration.source else "the keys in the environment"
    print(f"understudy serves {source} (version {configuration.version})")
    print(f"  data plane     http://{host}:{port}/v1")
    print(f"  control plane  http://127.0.0.1:{control_port}")
    for route in configuration.routes.values():
        tiers = "; ".join(f"{tier.name}: {', '.join(tier.targets)}" for tier in route.tiers)
        print(f"  route {route.name}  {tiers}")
    for warning in warnings:
        print(f"  warning: {warning}")
    print("Ctrl-C ends it.", flush=True)

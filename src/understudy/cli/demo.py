"""Watch it work without any keys: simulated providers, outages on a script, a small load, and what the router makes of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from understudy.cli._output import FAILED, PORT_MAX, Json, fail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from understudy.mock import Mock
    from understudy.supervisor.supervisor import Supervisor

SECONDS = 20.0
"""How long it plays when nobody watches."""

PER_S = 8.0
"""Requests per second of the demo's own load."""

SCENES: tuple[tuple[float, str, str, Any], ...] = (
    # from second, whom, what is told, the fault (None: well again)
    (3.0, "claude", "claude answers 529 Overloaded", {"error_burst": {"problem": "overloaded"}}),
    (8.0, "claude", "claude is well again", None),
    (9.0, "gpt", "gpt cuts its streams before the first word", {"truncated_stream": {"after_chunks": 0}}),
    (9.0, "claude", "claude is rate limited for 3 s", {"error_burst": {"problem": "rate_limit", "retry_after_s": 3.0}}),
    (12.0, "claude", "claude refuses connections", "outage"),
    (13.0, "gpt", "gpt refuses connections, too", "outage"),
    (16.0, "gpt", "gpt is well again", None),
    (17.0, "claude", "claude is well again", None),
)

CONFIGURATION = """
targets:
  claude: {{provider: anthropic_compatible, model: claude-sonnet-4-5, base_url: "{claude}", key: env:DEMO_KEY, price: {{input: 3, output: 15}}}}
  gpt: {{provider: openai_compatible, model: gpt-5.1, base_url: "{gpt}/v1", key: env:DEMO_KEY, price: {{input: 1.25, output: 10}}}}
  sorry: {{provider: static, text: "The assistant is unavailable; please try again shortly."}}
routes:
  default:
    tiers: {{primary: [claude, gpt], emergency: [stale_cache], local: [sorry]}}
    policy: {{retry: {{kind: none}}, wait_max_s: 0, timeouts: {{headers_s: 2, first_content_s: 2}}, breaker: {{recovery_s: 2}}}}
"""


NEXT = "With a provider's key in the environment, or an understudy.yaml, `understudy serve` does this for your own requests."
"""What to do after it."""


def command(
    port: Annotated[
        int,
        typer.Option(help="Where the gateway listens; another one is taken when it is in use.", min=0, max=PORT_MAX),
    ] = 8484,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End after that long; watched, it plays until Ctrl-C.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play, then sum up."""
    from understudy.supervisor.supervisor import CannotServe

    watched = sys.stdout.isatty() and not as_json
    length_s = seconds if seconds is not None else (None if watched else SECONDS)
    try:
        summary = asyncio.run(_play(port, length_s, watched=watched, quiet=as_json))
    except CannotServe as trouble:
        fail([str(trouble)], as_json=as_json, code=FAILED)
    if as_json:
        print(json.dumps(summary, indent=2))
    else:
        print(_summed_up(summary))
        print(NEXT)


class Show:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.asked = 0
        self.statuses: Counter[int] = Counter()
        self.targets: Counter[str] = Counter()
        self.fallbacks = 0
        self.degraded = 0
        self.broken = 0
        self.lines: list[str] = []


async def _play(port: int, length_s: float | None, *, watched: bool, quiet: bool) -> dict[str, Any]:
    import os

    from understudy.config.load import loads
    from understudy.mock import start_mock
    from understudy.supervisor.supervisor import CannotServe, Supervisor

    os.environ.setdefault("DEMO_KEY", "sk-demo")
    show = Show()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with await start_mock() as claude, await start_mock() as gpt:
        configuration = loads(CONFIGURATION.format(claude=claude.origin, gpt=gpt.origin), source="demo")
        try:
            supervisor = Supervisor(configuration, host="127.0.0.1", port=port, on_change=lambda _: None)
        except CannotServe:
            supervisor = Supervisor(configuration, host="127.0.0.1", port=0, on_change=lambda _: None)
        try:
            await supervisor.start()
            if not quiet:
                print(_welcome(supervisor.port, port), flush=True)
            tasks = [
                asyncio.create_task(_scenes({"claude": claude, "gpt": gpt}, show, plain=not watched and not quiet)),
                asyncio.create_task(_load(supervisor.port, show)),
            ]
            if watched:
                tasks.append(asyncio.create_task(_screen(supervisor, show)))
            await asyncio.wait([asyncio.create_task(stop.wait())], timeout=length_s)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            [stats] = await supervisor.ask("stats") or [{}]
        finally:
            await supervisor.stop(1.0)
    return {
        "requests": show.asked,
        "statuses": {str(status): count for status, count in sorted(show.statuses.items())},
        "answered_by": dict(show.targets),
        "after_a_fallback": show.fallbacks,
        "degraded": show.degraded,
        "broken_streams": show.broken,
        "gateway": stats,
    }


def _welcome(port: int, wanted: int) -> str:
    instead = f" ({wanted} is taken)" if wanted not in {0, port} else ""
    return (
        f"The gateway listens on http://127.0.0.1:{port}{instead} and is yours to try meanwhile; Ctrl-C ends it:\n"
        f"  curl -i http://127.0.0.1:{port}/v1/chat/completions -H 'content-type: application/json' \\\n"
        '    -d \'{"model": "default", "messages": [{"role": "user", "content": "Hello"}]}\'\n'
    )


async def _scenes(mocks: dict[str, Mock], show: Show, *, plain: bool) -> None:
    """Break and mend the providers, over and over."""
    while True:
        at_s = 0.0
        for from_s, name, words, fault in SCENES:
            await asyncio.sleep(from_s - at_s)
            at_s = from_s
            mocks[name].set(*([] if fault is None else [fault]))
            show.lines = [*show.lines[-6:], words]
            if plain:
                print(f"* {words}   (so far {show.asked} requests: {_counted(show.targets)})", flush=True)
        await asyncio.sleep(4.0)


async def _load(port: int, show: Show) -> None:
    """A steady trickle of requests, half of them streamed."""
    from understudy.ports import HttpRequest, Origin
    from understudy.transport.client import Client

    client = Client()
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def ask(number: int) -> None:
        body = {
            "model": "default",
            "stream": number % 2 == 1,
            "messages": [{"role": "user", "content": f"Line {number % 5}?"}],
        }
        request = HttpRequest(
            method="POST",
            origin=Origin("http", "127.0.0.1", port),
            path="/v1/chat/completions",
            headers=((b"content-type", b"application/json"),),
            body=json.dumps(body).encode(),
        )
        answer = await client.send(request, connect_s=2.0, until_s=loop.time() + 10.0)
        show.asked += 1
        show.statuses[answer.status] += 1
        show.targets[answer.headers.get(b"x-understudy-target", b"nobody").decode()] += 1
        show.fallbacks += int(answer.headers.get(b"x-understudy-attempts", b"1")) > 1
        show.degraded += b"x-understudy-degraded" in answer.headers
        show.broken += b'"error"' in answer.body and answer.status == 200

    try:
        number = 0
        while True:
            number += 1
            task = asyncio.create_task(ask(number))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(1.0 / PER_S)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await client.close()


async def _screen(supervisor: Supervisor, show: Show) -> None:
    """The live view."""
    from rich.console import Group
    from rich.live import Live
    from rich.table import Column, Table

    with Live(refresh_per_second=8) as live:
        while True:
            [standings] = await supervisor.ask("breakers") or [{}]
            table = Table(  # a narrow terminal takes its room from figures, not from who it is and how they are
                Column("target", no_wrap=True, min_width=11),
                Column("breaker", no_wrap=True, min_width=9),
                *("rests", "in flight", "latency", "failures", "answers"),
            )
            for name, standing in standings.items():
                state = standing["breakers"][0]["state"]  # of the route; a target asked by its own name has another one
                latency = "" if standing["latency_ms"] is None else f"{standing['latency_ms']:.0f} ms"
                failures = "" if standing["error_rate"] is None else f"{standing['error_rate']:.0%}"
                rests = f"{standing['cool_down_s']:.1f} s" if standing["cool_down_s"] else ""
                table.add_row(
                    name, state, rests, str(standing["in_flight"]), latency, failures, str(show.targets[name])
                )
            told = f"{show.asked} requests, {show.fallbacks} after a fallback, {show.degraded} degraded, {show.broken} broken"
            live.update(Group(table, told, *(f"* {line}" for line in show.lines)))
            await asyncio.sleep(0.15)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _summed_up(summary: dict[str, Any]) -> str:
    if not summary["requests"]:
        return "ended before the first request was answered"
    answered = _counted(summary["answered_by"])
    return (
        f"{summary['requests']} requests: {answered}\n"
        f"{summary['after_a_fallback']} answered after a fallback, {summary['degraded']} by a stand-in (labelled degraded), "
        f"{summary['broken_streams']} streams broken and said so; statuses: {_counted(summary['statuses'])}"
    )

"""Starts the model servers of a configuration, watches over them, starts dead ones again, and ends them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from understudy.config import Configuration
from understudy.config.secrets import beside
from understudy.core.target import Target
from understudy.core.value import value
from understudy.local.orders import Failed, Orders, encode, read_news
from understudy.local.places import Whereabouts, hosted_targets

log = logging.getLogger("understudy")

COMMAND = (sys.executable, "-m", "understudy.local.server")

PAUSE_S = 0.5
"""Before a dead server is started again: twice as long after each further death, up to `PAUSE_MAX_S`."""
PAUSE_MAX_S = 30.0

DEATHS_MAX = 5
"""Deaths in a row after which it is kept down. A server that was up for `LIVED_S` begins a new row."""
LIVED_S = 60.0

LOAD_S = 900.0
"""How long a server may take to load its model."""

WATCH_S = 30.0
"""How often a server that is up is asked whether it lives."""

HUNG_S = 300.0
"""How long it may take to say so: it says nothing while its library computes a step, and the longest one reads a whole question."""

END_S = 2.0
"""How long a server may take to end by itself."""

_READ_BYTES = 64 * 1024


class _Ward:
    """One target's server, through all its lives. `settled`: it is up, or kept down."""

    def __init__(self, target: Target, orders: Orders) -> None:
        self.target = target
        self.orders = orders
        self.place = Whereabouts(target.name)
        self.settled = asyncio.Event()
        self.up_s: float | None = None
        self.deaths = 0

    def lived(self) -> bool:
        """Whether its last life was long enough to begin a new row of deaths."""
        return self.up_s is not None and asyncio.get_running_loop().time() - self.up_s >= LIVED_S


@value
class _End:
    """How a life ended. `final`: another one would end the same way."""

    why: str
    final: bool = False


class Keeper:
    """The model servers of one configuration. It belongs to the event loop on which it is started.

    `tell`: where each of them is, whenever that changes. `say`, `warn`: the same in words, for people: that one is up, that one died.
    """

    def __init__(
        self,
        configuration: Configuration,
        tell: Callable[[Whereabouts], None],
        *,
        say: Callable[[str], None] = log.info,
        warn: Callable[[str], None] = log.warning,
    ) -> None:
        self._tell = tell
        self._say = say
        self._warn = warn
        self._env = _without_keys(configuration, os.environ)
        self._wards = [_Ward(one, _orders(configuration, one)) for one in hosted_targets(configuration)]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to start them; nobody waits for it."""
        self._tasks = [asyncio.create_task(self._keep(ward)) for ward in self._wards]

    async def settled(self) -> bool:
        """Wait until each of them is up or kept down. Whether all are up."""
        for ward in self._wards:
            await ward.settled.wait()
        return all(ward.place.port is not None for ward in self._wards)

    @property
    def places(self) -> tuple[Whereabouts, ...]:
        """Where they are now."""
        return tuple(ward.place for ward in self._wards)

    async def close(self) -> None:
        """End them all."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _keep(self, ward: _Ward) -> None:
        """Life after life, until that makes no sense any more."""
        while True:
            self._place(ward, Whereabouts(ward.target.name, why="its model server is loading the model"))
            end = await self._live(ward)
            ward.settled.clear()
            ward.deaths = 1 if ward.lived() else ward.deaths + 1
            if end.final or ward.deaths >= DEATHS_MAX:
                times = "" if end.final else f" after {ward.deaths} deaths in a row"
                self._change(ward, f"its model server is kept down{times}: {end.why}", kept_down=True)
                ward.settled.set()
                return
            pause_s = min(PAUSE_S * 2 ** (ward.deaths - 1), PAUSE_MAX_S)
            self._change(ward, f"its model server ended ({end.why}); another one is started after {pause_s:g} s")
            await asyncio.sleep(pause_s)

    async def _live(self, ward: _Ward) -> _End:
        """One life."""
        ward.up_s = None
        try:
            process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=PIPE, env=self._env)
        except OSError as error:
            return _End(f"it cannot be started: {error.strerror or error}")
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            orders = replace(ward.orders, secret=secrets.token_urlsafe(32))
            process.stdin.write(encode(orders) + b"\n")
            return await self._hear(ward, process, orders.secret)
        finally:
            await _end(process)

    async def _hear(self, ward: _Ward, process: Process, secret: str) -> _End:
        """What a server has to say, until there is no use in waiting for more."""
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), LOAD_S)
            news = read_news(line) if line else None
        except TimeoutError:
            return _End(f"it has not loaded the model within {LOAD_S:g} s")
        except ValueError:  # no such line, none of such a length (msgspec's own error is one, too)
            return _End("what it says cannot be understood: something else than the server writes to its output")
        if isinstance(news, Failed):
            return _End(news.why, news.final)
        if news is None:
            return _ended(await process.wait())
        self._up(ward, process, Whereabouts(ward.target.name, news.port, secret))
        silence, hang = asyncio.create_task(_fallen_silent(process.stdout)), asyncio.create_task(_hung(news.port))
        try:
            done, _ = await asyncio.wait((silence, hang), return_when=asyncio.FIRST_COMPLETED)
        finally:
            silence.cancel()
            hang.cancel()
        return _ended(await process.wait()) if silence in done else _End("it does not answer any more")

    def _up(self, ward: _Ward, process: Process, place: Whereabouts) -> None:
        ward.up_s = asyncio.get_running_loop().time()
        self._say(f"{ward.target.name}: its model server is up (process {process.pid}, port {place.port})")
        self._place(ward, place)
        ward.settled.set()

    def _change(self, ward: _Ward, why: str, *, kept_down: bool = False) -> None:
        self._warn(f"{ward.target.name}: {why}")
        self._place(ward, Whereabouts(ward.target.name, why=why, kept_down=kept_down))

    def _place(self, ward: _Ward, place: Whereabouts) -> None:
        ward.place = place
        self._tell(place)


def _orders(configuration: Configuration, target: Target) -> Orders:
    folder = beside(Path(configuration.source).parent if configuration.source else Path(), target.model)
    settings = target.settings or {}
    return Orders(
        target=target.name,
        folder=str(folder.absolute()),
        context_tokens=target.context_tokens,
        **{name: settings[name] for name in ("threads", "queue") if name in settings},
    )


def _without_keys(configuration: Configuration, env: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables that keys are read from: a model and its libraries need none of them."""
    keys = {target.key.removeprefix("env:") for target in configuration.targets.values() if target.key is not None}
    return {name: text for name, text in env.items() if name not in keys}


def _ended(status: int) -> _End:
    return _End(f"signal {-status}" if status < 0 else f"exit status {status}")


async def _fallen_silent(output: asyncio.StreamReader) -> None:
    """Wait for the end of its output, and let nothing in there hold it up."""
    while await output.read(_READ_BYTES):
        pass


async def _hung(port: int) -> None:
    """Wait until a server does not say any more that it lives."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            await asyncio.wait_for(_lives(port), HUNG_S)
        except OSError:  # a timeout is one, too
            return


async def _lives(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        if not await reader.read(1):
            raise ConnectionResetError
    finally:
        writer.close()


async def _end(process: Process) -> None:
    """By the end of its input; by force where that is not enough."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    rest = asyncio.create_task(_fallen_silent(process.stdout))  # it may hang in what nobody reads, and so may we
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    finally:
        rest.cancel()

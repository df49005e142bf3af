"""Spawns the workers, keeps them alive, passes news between them, asks and orders, and ends them in good order."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from understudy.config import Configuration
from understudy.core.resilience.breaker import Event as BreakerEvent
from understudy.local.places import Whereabouts, hosted_targets
from understudy.registry import visitors
from understudy.supervisor.heard import Heard
from understudy.supervisor.link import (
    Ask,
    Down,
    Drain,
    News,
    Operate,
    Setup,
    Switch,
    Word,
    news_of,
    read_up,
    write_down,
)

if TYPE_CHECKING:
    from understudy.local.keeper import Keeper

log = logging.getLogger("understudy")

BACKLOG = 2048
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": str(4 << 20), "MALLOC_MMAP_THRESHOLD_": str(1 << 20)}
"""For glibc, in workers. By default it gives the top of the heap back and takes it again with every few bodies of 10 KB: 1.2 to
1.6 page faults per request, none with these. What a worker keeps for it is bounded by 4 MiB. The operator's own environment comes first."""

ANSWER_S = 2.0
"""How long a worker may take to answer a question."""

DEATHS_MAX = 5
DEATHS_WINDOW_S = 10.0
"""More deaths of one worker than that within this time, and starting it again would not help."""


class CannotServe(Exception):
    """The supervisor gives up. The message says why and what to do."""


class _Child:
    """One worker's process, seen from above."""

    def __init__(self, index: int, listener: socket.socket) -> None:
        self.index = index
        self.listener = listener
        self.process: Process | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.ready = asyncio.Event()
        self.deaths: deque[float] = deque(maxlen=DEATHS_MAX)
        self.missed: list[Operate] = []  # while nobody was there to hear it

    def tell(self, message: Down) -> None:
        if self.writer is not None:
            write_down(self.writer, message)
        elif isinstance(message, Operate):
            self.missed.append(message)


class Supervisor:
    """The workers of one data plane. `on_change`: told in words when a worker comes or goes."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        host: str,
        port: int,
        workers: int = 1,
        on_change: Callable[[str], None] = log.info,
    ) -> None:
        self.configuration = configuration
        self._on_change = on_change
        self._switched: dict[str, Switch] = {}  # for workers that start later
        self._heard = Heard()  # likewise
        self._questions: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._ending = asyncio.Event()
        listeners = bind(host, port, workers)
        self.port: int = listeners[0].getsockname()[1]
        self._children = [_Child(index, listener) for index, listener in enumerate(listeners)]
        self._keepers: list[asyncio.Task[None]] = []
        self._models = self._model_keeper()

    async def start(self) -> None:
        """Spawn the workers; returns when all of them answer. Raises `CannotServe`."""
        if self._models is not None:
            self._models.start()
        self._keepers = [asyncio.create_task(self._keep(child)) for child in self._children]
        ready = asyncio.create_task(self._all_ready())
        await asyncio.wait([ready, *self._keepers], return_when=asyncio.FIRST_COMPLETED)
        if not self.ready:
            ready.cancel()
            await self.failed()

    async def _all_ready(self) -> None:
        for child in self._children:
            await child.ready.wait()

    async def failed(self) -> None:
        """Wait until a worker cannot be kept alive. Raises `CannotServe`; returns only when stopped."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for keeper in done:
            keeper.result()

    @property
    def ready(self) -> bool:
        """Whether every worker answers."""
        return all(child.ready.is_set() for child in self._children)

    async def _keep(self, child: _Child) -> None:
        """Run a worker, and another one when it dies."""
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            status = await self._run(child)
            if self._ending.is_set():
                return
            self._on_change(f"worker {child.index} ended ({_died(status)}); starting another")
            child.deaths.append(loop.time())
            if len(child.deaths) == DEATHS_MAX and loop.time() - child.deaths[0] < DEATHS_WINDOW_S:
                raise CannotServe(
                    f"worker {child.index} died {DEATHS_MAX} times within {DEATHS_WINDOW_S:g} s ({_died(status)}); "
                    "its last words are above"
                )
            await asyncio.sleep(0.05 * 2 ** (len(child.deaths) - 1))

    async def _run(self, child: _Child) -> int:
        """One life of a worker. Returns its exit status."""
        ours, theirs = socket.socketpair()
        with theirs:
            fds = (theirs.fileno(), child.listener.fileno())
            command = ("-m", "understudy.supervisor.worker", *map(str, fds))
            environment = ALLOCATOR | os.environ
            with _interrupt_held():
                child.process = await asyncio.create_subprocess_exec(
                    sys.executable, *command, pass_fds=fds, env=environment
                )
        reader, child.writer = await asyncio.open_connection(sock=ours)
        child.tell(Setup(self.configuration, child.index, len(self._children), visitors(), self._so_far(child)))
        try:
            while (message := await read_up(reader)) is not None:
                self._hear(child, message)
        finally:
            child.ready.clear()
            child.writer.close()
            child.writer = None
        return await child.process.wait()

    def _so_far(self, child: _Child) -> tuple[Word, ...]:
        """What a worker that starts now must know. Orders come last: they are the latest, and go by how a breaker stands."""
        places = self._models.places if self._models is not None else ()
        news = [News(event) for event in self._heard.left(asyncio.get_running_loop().time())]
        missed, child.missed = child.missed, []
        return (*self._switched.values(), *places, *news, *missed)

    def _hear(self, child: _Child, message: dict[str, Any]) -> None:
        match message["what"]:
            case "ready":
                child.ready.set()
                self._on_change(f"worker {child.index} is ready")
            case "news":
                news = News(news_of(message["event"]))
                self._heard.note(news.event, asyncio.get_running_loop().time())
                for sibling in self._children:
                    if sibling is not child:
                        sibling.tell(news)
            case _:
                question = self._questions.pop(message["number"], None)
                if question is not None and not question.done():
                    question.set_result(message["told"])

    def _model_keeper(self) -> Keeper | None:
        """Who keeps the model servers of our own; None where there are none."""
        if not hosted_targets(self.configuration):
            return None
        from understudy.local.keeper import Keeper

        return Keeper(self.configuration, self._moved, say=self._on_change, warn=self._on_change)

    def _moved(self, place: Whereabouts) -> None:
        for child in self._children:
            child.tell(place)

    async def ask(self, about: str, id_: str = "") -> list[Any]:
        """What every worker says; one that is silent for `ANSWER_S` is left out."""
        answers = await asyncio.gather(*(self._ask(child, about, id_) for child in self._children))
        return [told for told in answers if told is not None]

    async def _ask(self, child: _Child, about: str, id_: str) -> Any:
        number = next(self._numbers)
        question = self._questions[number] = asyncio.get_running_loop().create_future()
        child.tell(Ask(number, about, id_))
        try:
            return await asyncio.wait_for(question, ANSWER_S)
        except TimeoutError:
            return None
        finally:
            self._questions.pop(number, None)

    def operate(self, target: str, event: BreakerEvent) -> None:
        """An operator's word to a target's breakers in every worker."""
        for child in self._children:
            child.tell(Operate(target, event))

    def switch(self, rule: str, enabled: bool | None) -> None:  # noqa: FBT001  the new state itself
        """An operator's word to a rule in every worker, also in those that start later; None: as it is written."""
        word = Switch(rule, enabled)
        if enabled is None:
            self._switched.pop(rule, None)
        else:
            self._switched[rule] = word
        for child in self._children:
            child.tell(word)

    async def stop(self, grace_s: float) -> None:
        """Drain the workers; whoever is not gone soon after `grace_s` is killed."""
        self._ending.set()
        for child in self._children:
            child.listener.close()  # or connections would queue for workers that are leaving
            child.tell(Drain(grace_s))
        _, late = await asyncio.wait(self._keepers, timeout=grace_s + 3.0) if self._keepers else (None, ())
        if late:
            self.kill()
            await asyncio.wait(late)
        if self._models is not None:
            await self._models.close()  # last: until here running answers may have come from them

    def kill(self) -> None:
        """End every worker at once."""
        self._ending.set()
        for child in self._children:
            if child.process is not None and child.process.returncode is None:
                with suppress(ProcessLookupError):
                    child.process.kill()


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """What is started in here never hears Ctrl-C, which reaches the whole process group: not even while it still imports."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_REMEDIES = {
    errno.EACCES: "the ports below 1024 are not for everybody: name another one with {option}",
    errno.EADDRNOTAVAIL: "name an address of this machine",
}


def bind(host: str, port: int, count: int, option: str = "--port") -> list[socket.socket]:
    """As many listening sockets on one address; the kernel spreads connections over them. `option` chooses the port.

    They stay open here: connections that are queued on a dead worker's socket wait for its successor. Raises `CannotServe`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotServe(f"--host {host}: {error.strerror or error}; name an address of this machine") from error
    listeners: list[socket.socket] = []
    try:
        for _ in range(count):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            address = listener.getsockname()
            listener.listen(BACKLOG)
            listener.setblocking(False)
    except OSError as error:
        for listener in listeners:
            listener.close()
        remedy = _REMEDIES.get(error.errno or 0, "end the program that has it, or name another port with {option}")
        raise CannotServe(f"{host}:{port} cannot be had: {error.strerror}; {remedy.format(option=option)}") from error
    return listeners


def _died(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"

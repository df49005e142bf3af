"""The mock as a server: listens, remembers what it was asked, and answers by its script."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections import deque
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import msgspec

from understudy.core.dice import Dice
from understudy.faults import Arrivals, Connect, Fault, Plan, Scene, Trouble, plan_attempt
from understudy.mock.by_name import fault_of
from understudy.mock.door import Door, Doorway
from understudy.mock.performance import Material, perform
from understudy.mock.repertoire import PlanOf, Received, Refused, Repertoire, error_for
from understudy.mock.script import BadScript, Script, read_faults
from understudy.mock.wire import Connection, Incoming

FAULTS_HEADER = "x-mock-faults"
"""A request header with faults for this request alone: a JSON list, each as in a script."""

REMEMBERED_BYTES = 64 * 1024 * 1024
"""What the bodies of remembered requests may take together."""

FAULTS_MAX = 100
"""Faults that one request may ask for."""

_SWEEP_S = 0.02

_DOORS = {Connect.REFUSED: Door.REFUSING, Connect.TIMEOUT: Door.DEAF}


class Mock:
    """A provider over HTTP. Use it as `async with`, or `start` and `close` it.

    `requests`: what came, oldest first, the last `remembered` of them, or fewer when their bodies are larger than `REMEMBERED_BYTES`. `connections`: those that are open. `accepted`: how many
    there ever were. `origin`: its address once it has started; `base_url`: the same as a target takes it. `tls`: speak TLS, with this
    certificate (a context of its own). `tls_expired`: the certificate to show while a fault has expired the other; without it such handshakes are broken off.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        tls_expired: ssl.SSLContext | None = None,
        remembered: int = 10_000,
    ) -> None:
        self.script = script or Script()
        self.requests: deque[Received] = deque(maxlen=remembered)
        self.connections: set[Connection] = set()
        self._remembered_bytes = 0
        self.accepted = 0
        self.origin = ""
        self.base_url = ""
        self._faults: tuple[Fault, ...] = ()
        self._model_faults: dict[str, tuple[Fault, ...]] = {}
        self._host = host
        self._port = port
        self._tls = tls
        self._tls_expired = tls_expired
        self._dice = Dice(self.script.seed)
        self._arrivals = Arrivals()
        self._number = itertools.count(1)
        self._repertoire = Repertoire(self.script)
        self._doorway: Doorway | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._started_s = 0.0

    # Life

    async def start(self) -> None:
        """Listen. Raises `BadScript` and `OSError`."""
        self._loop = asyncio.get_running_loop()
        self._faults = read_faults(self.script.faults)
        if self._tls is not None:
            self._tls.sni_callback = self._show_certificate
        self._doorway = Doorway(self._host, self._port, self._tls, self._accept)
        self._port = self._doorway.port
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.origin = f"{'http' if self._tls is None else 'https'}://{host}:{self._port}"
        self.base_url = f"{self.origin}/v1"
        self._started_s = self._loop.time()
        self._sweep()
        await self._doorway.opened()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        if self._doorway is not None:
            await self._doorway.close()
        open_still = list(self.connections)
        for connection in open_still:
            connection.drop()
        await asyncio.gather(*(connection.gone() for connection in open_still))

    async def __aenter__(self) -> Self:
        if self._doorway is None:  # `start_mock` has started it already
            await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def now_s(self) -> float:
        """Seconds since its start: the clock of its faults."""
        return self._loop.time() - self._started_s

    # Control at run time

    def set(self, *faults: str | dict[str, Any] | Fault, model: str | None = None) -> None:
        """From now on these faults instead of those before; without arguments none. `model`: for this model alone, before the rest.

        Raises `BadScript`.
        """
        compiled = read_faults(faults)
        if model is None:
            self._faults = compiled
            self._sweep()
        else:
            self._model_faults[model] = compiled

    def forget(self) -> None:
        """Forget the requests so far, also those that count towards a rate limit."""
        self.requests.clear()
        self._remembered_bytes = 0
        self._arrivals = Arrivals()

    # The door

    def _sweep(self) -> None:
        """Open, close or wall up the door as the faults of this moment want it."""
        assert self._doorway is not None
        door = _DOORS.get(self._connects(), Door.OPEN)
        if door is not self._doorway.door:
            for connection in list(self.connections):
                if door is Door.REFUSING:
                    connection.reset()
                elif door is Door.DEAF:
                    connection.hush()
            self._doorway.become(door)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        self._sweep_timer = self._loop.call_later(_SWEEP_S, self._sweep)

    def _connects(self) -> Connect:
        """How connecting goes now, as far as it goes the same way for everybody."""
        scene = Scene(
            now_s=self.now_s, target=self.script.provider, provider=self.script.provider, arrivals=self._arrivals
        )
        certain = (fault for fault in self._faults if fault.risk(scene, scene.now_s) == 1.0)
        shaped = (fault.shape(Plan(), scene, Dice(self._dice.seed)).connect for fault in certain)
        return next((connect for connect in shaped if connect is not Connect.OK), Connect.OK)

    def _show_certificate(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, name: str | None, own: ssl.SSLContext
    ) -> int | None:
        """What OpenSSL asks within every handshake: None to go on, else the alert that ends it."""
        del name, own
        if self._connects() is not Connect.TLS_FAILED:
            return None
        if self._tls_expired is None:
            return ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR
        handshake.context = self._tls_expired
        return None

    def _accept(self) -> Connection:
        self.accepted += 1
        return Connection(self._serve, self.connections)

    # One request

    async def _serve(self, connection: Connection, incoming: Incoming) -> None:
        received = Received(incoming, next(self._number), self.now_s)
        self._remember(received)
        dice = self._dice.fork(received.number)

        def plan_of(chunks: int, tokens: int) -> Plan:
            return self._plan(received, dice, chunks=chunks, tokens=tokens)

        try:
            plan, material = self._prepared(received, plan_of)
        except Refused as refused:
            error = error_for(received, Trouble(refused.problem), refused.message)
            plan, material = Plan().fails_with(Trouble(refused.problem)), Material(whole=b"", error=error)
        else:
            received.plan = plan
        try:
            await perform(plan, material, connection, dice.fork(0), split=self.script.split)
            received.ended = "done"
        except asyncio.CancelledError:
            received.ended = "done" if connection.ended_here else "left"
            raise
        finally:
            received.ended_s = self.now_s

    def _prepared(self, received: Received, plan_of: PlanOf) -> tuple[Plan, Material]:
        try:
            return self._repertoire.prepare(received, plan_of)
        except RecursionError:
            raise Refused("invalid_request", "The JSON body of your request is nested too deeply.") from None

    def _remember(self, received: Received) -> None:
        """Let the oldest go where they are too many, or their bodies too large together. The latest is always there."""
        requests = self.requests
        if len(requests) == requests.maxlen and requests:
            self._remembered_bytes -= len(requests.popleft().body)
        requests.append(received)
        self._remembered_bytes += len(received.body)
        while self._remembered_bytes > REMEMBERED_BYTES and len(requests) > 1:
            self._remembered_bytes -= len(requests.popleft().body)

    def _plan(self, received: Received, dice: Dice, *, chunks: int, tokens: int) -> Plan:
        faults = (*_own_faults(received), *self._model_faults.get(received.model, ()), *self._faults)
        scene = Scene(
            now_s=self.now_s,
            target=received.model,
            provider=self.script.provider,
            stream=received.stream,
            chunks=chunks,
            tokens=tokens,
            arrivals=self._arrivals,
        )
        plan = plan_attempt(scene, faults, dice)
        if self._tls is not None and plan.connect is Connect.TLS_FAILED:
            plan = replace(plan, connect=Connect.OK)  # this connection's handshake is over: it stands
        self._arrivals.note(scene.now_s, tokens)
        return plan


def _own_faults(received: Received) -> tuple[Fault, ...]:
    """Those that the request itself asks for, by its header or its model's name. Raises `Refused`."""
    named = fault_of(received.model)
    own = () if named is None else read_faults([named])
    header = received.headers.get(FAULTS_HEADER)
    if header is None:
        return own
    try:
        asked = msgspec.json.decode(header, type=list[Any])
        if len(asked) > FAULTS_MAX:
            raise Refused("invalid_request", f"{FAULTS_HEADER}: at most {FAULTS_MAX} faults, not {len(asked)}")
        return (*read_faults(asked), *own)
    except (msgspec.DecodeError, BadScript) as error:
        raise Refused("invalid_request", f"{FAULTS_HEADER}: {error}") from None

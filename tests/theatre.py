"""The engine itself in virtual time: on a simulated client, in front of listeners, its scoreboard watched."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from understudy.config.load import loads
from understudy.config.secrets import Vault
from understudy.core.dice import Dice
from understudy.core.event import AttemptEnded, Event, RequestEnded
from understudy.core.failure import FailureKind
from understudy.core.outcome import Result
from understudy.core.request import Call, Needs
from understudy.engine.observers import Events
from understudy.engine.router import Engine
from understudy.engine.snapshot import Snapshot
from understudy.faults import Fault
from understudy.sim.client import Listener, SimulatedClient
from understudy.sim.watch import WatchedBoard
from understudy.sim.world import WALL_S, World
from understudy.wiring import make_dialects, make_parts

CONFIGURATION = """
targets:
  ada: {provider: openai_compatible, model: m, base_url: "http://ada:80/v1"}
  ben: {provider: anthropic_compatible, model: m, base_url: "http://ben:80"}
  cleo: {provider: openai_compatible, model: m, base_url: "http://cleo:80/v1"}
  sorry: {provider: static, text: "Please try again shortly."}
routes:
  default:
    tiers: {primary: [ada, ben], secondary: [cleo]}
    policy: &policy
      deadline_s: 30
      attempts_max: 4
      wait_max_s: 2
      retry: {kind: exponential, max: 1, initial_s: 0.5}
      timeouts: {connect_s: 2, headers_s: 5, first_content_s: 6, idle_s: 3, answer_s: 8}
      breaker: {failures: 3, window_s: 30, recovery_s: 5, half_open: 1, successes: 1}
  kind:
    tiers: {primary: [ada], emergency: [sorry]}
    policy: *policy
"""

BODY = b'{"model":"%s","messages":[{"role":"user","content":"Why is the sky blue?"}],"stream":%s}'


class Theatre:
    """One engine, and everything that it told."""

    def __init__(self, faults: tuple[Fault, ...] = (), seed: int = 1, text: str = CONFIGURATION) -> None:
        loop = asyncio.get_running_loop()
        configuration = loads(text, env={})
        self.told: list[Event] = []
        self.errors: list[Exception] = []
        events = Events(self.errors.append)
        events.observe(lambda _number, event: self.told.append(event))
        self.board = WatchedBoard(1.0, events.emit)
        self.dialects = make_dialects()
        self.world = World(faults, seed)
        self.client = SimulatedClient(self.world, self.dialects)
        self.dice = Dice(seed)
        self.engine = Engine(
            Snapshot(configuration, self.board, Vault({}), self.dialects, make_parts()),
            board=self.board,
            client=self.client,
            events=events,
            now_s=loop.time,
            wall_s=lambda: WALL_S + loop.time(),
            prefix="d-",
            seed=seed,
        )

    def call(self, *, stream: bool, route: str = "default", deadline_s: float | None = None) -> Call:
        body = BODY % (route.encode(), b"true" if stream else b"false")
        return Call(
            dialect="openai_chat",
            needs=Needs(model=route, stream=stream, tokens_in=10),
            body=body,
            deadline_s=deadline_s,
        )

    async def ask(
        self, listener: Listener, *, stream: bool = False, leaves_after_s: float | None = None, **more
    ) -> Result | None:
        """The result; None when the caller left first."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(self.engine.handle(self.call(stream=stream, **more), listener))

        def leave() -> None:
            listener.left = FailureKind.CLIENT_LEFT
            task.cancel()

        timer = None if leaves_after_s is None else loop.call_later(leaves_after_s, leave)
        try:
            return await task
        except asyncio.CancelledError:
            return None
        finally:
            if timer is not None:
                timer.cancel()

    def results(self) -> list[Result]:
        return [event.result for event in self.told if isinstance(event, RequestEnded)]

    def outcomes(self, decision: str) -> list[object]:
        return [event.outcome for event in self.told if isinstance(event, AttemptEnded) and event.decision == decision]


class Cut:
    """Awaits a coroutine and cancels it at its k-th suspension, as its listener leaves. `cut`: whether it came that far."""

    def __init__(self, inner: Any, k: int, listener: Listener | None = None) -> None:
        self.inner, self.k, self.listener = inner, k, listener
        self.cut = False

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.inner.__await__()
        count = 0
        try:
            waits = next(steps)
            while True:
                count += 1
                if count == self.k:
                    self.cut = True
                    if self.listener is not None:
                        self.listener.left = FailureKind.CLIENT_LEFT
                    waits = steps.throw(asyncio.CancelledError())
                else:
                    yield waits
                    waits = steps.send(None)
        except StopIteration as done:
            return done.value

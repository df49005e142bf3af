"""The router for programs without an event loop: the same methods, one thread with a loop behind them."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypeVar

from understudy.engine.own_client import Classify, OwnTarget
from understudy.errors import RouterNotEntered
from understudy.library.answers import ChatAnswer, Chunk, Compared, RunResult
from understudy.library.asking import Messages
from understudy.library.callbacks import Callback
from understudy.library.health import TargetHealth
from understudy.library.router import Router
from understudy.library.spending import Costs
from understudy.library.stream import ChatStream
from understudy.library.switches import RuleSwitch, Switch

T = TypeVar("T")

CLOSED = "this router has been closed"


class SyncRouter:
    """`Router` without `await`, for any number of threads. Everything else is said there.

    It starts with its first use (or `with`) and ends with `close`, `with`, or the process. After a fork the child starts
    its own: threads and connections do not survive one. Callbacks of `on` run on the router's thread.
    """

    def __init__(self, *parts: Any, **sections: Any) -> None:
        self._make: Callable[[], Router] = lambda: Router(*parts, **sections)
        self._router = self._make()  # so that a configuration that cannot be used is told here
        self._listeners: list[tuple[str, Callback]] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self._closed = False

    @classmethod
    def from_file(cls, path: str | PathLike[str] = "understudy.yaml", env: Mapping[str, str] | None = None) -> Self:
        """From a configuration file. Raises `ConfigurationError`."""
        return cls(configuration=Router.from_file(path, env).configuration, env=env)

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Self:
        """From the providers' keys in the environment. Raises `ConfigurationError`."""
        return cls(configuration=Router.from_environment(env).configuration, env=env)

    def __enter__(self) -> Self:
        with self._lock:
            self._running()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it: requests under way fail. Closing twice does nothing."""
        with self._lock:
            loop, self._loop = self._loop, None
            self._closed = True
        if loop is not None and self._pid == os.getpid() and not loop.is_closed():
            atexit.unregister(self.close)
            asyncio.run_coroutine_threadsafe(_end(self._router), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)

    def ready(self) -> bool:
        """See `Router.ready`."""
        return self._do(self._router.ready)

    def chat(self, route: str, messages: Messages, **settings: Any) -> ChatAnswer:
        """See `Router.chat`."""
        return self._do(lambda: self._router.chat(route, messages, **settings))

    def compare(
        self, route_or_targets: str | Sequence[str], messages: Messages, **settings: Any
    ) -> tuple[Compared, ...]:
        """See `Router.compare`."""
        return self._do(lambda: self._router.compare(route_or_targets, messages, **settings))

    def stream(self, route: str, messages: Messages, **settings: Any) -> SyncStream:
        """See `Router.stream`: `for chunk in router.stream(...)`."""

        async def begin() -> ChatStream:
            return self._router.stream(route, messages, **settings)

        return SyncStream(self._do, self._do(begin))

    def run(
        self,
        call: Callable[[OwnTarget], Any],
        route: str = "default",
        *,
        classify: Classify | None = None,
        deadline_s: float | None = None,
    ) -> RunResult:
        """See `Router.run`: `call(target)` is a plain function here, and runs in a thread of its own."""

        async def ask(target: OwnTarget) -> Any:
            return await asyncio.to_thread(call, target)

        return self._do(lambda: self._router.run(ask, route, classify=classify, deadline_s=deadline_s))

    def on(self, event: str, callback: Callback) -> None:
        """See `Router.on`."""
        self._router.on(event, callback)
        self._listeners.append((event, callback))

    def off(self, event: str, callback: Callback) -> None:
        """See `Router.off`."""
        self._router.off(event, callback)
        self._listeners.remove((event, callback))

    def health(self) -> dict[str, TargetHealth]:
        """See `Router.health`."""

        async def told() -> dict[str, TargetHealth]:
            return self._router.health()

        return self._do(told)

    def costs(self) -> Costs:
        """See `Router.costs`."""

        async def told() -> Costs:
            return self._router.costs()

        return self._do(told)

    def breaker(self, target: str) -> SyncSwitch:
        """See `Router.breaker`."""
        return SyncSwitch(self._do, self._do(_later(lambda: self._router.breaker(target))))

    def rule(self, name: str) -> SyncRuleSwitch:
        """See `Router.rule`."""
        return SyncRuleSwitch(self._do, self._do(_later(lambda: self._router.rule(name))))

    def _do(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it on the loop's thread, and wait. Raises `RouterNotEntered` on that thread itself: it would wait for itself."""
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        with self._lock:  # whoever is in before `close` is ended by it, and nobody comes after
            loop = self._running()
            if here is loop:
                raise RouterNotEntered("a callback of a SyncRouter may not wait for it; start a thread for that")
            waiting = asyncio.run_coroutine_threadsafe(make(), loop)
        try:
            return waiting.result()
        except CancelledError:
            raise RouterNotEntered(CLOSED) from None
        except KeyboardInterrupt:
            waiting.cancel()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, started if it is not there: at the first use, and in a forked child. Called with the lock."""
        if self._closed:
            raise RouterNotEntered(CLOSED)
        if self._loop is None or self._pid != os.getpid():
            self._start()
        assert self._loop is not None
        return self._loop

    def _start(self) -> None:
        if self._pid:  # forked: what the parent had belongs to the parent
            self._router = self._make()
            for event, callback in self._listeners:
                self._router.on(event, callback)
        loop = asyncio.new_event_loop()
        threading.Thread(target=_keep_running, args=(loop,), name="understudy", daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._router.__aenter__(), loop).result()
        self._loop, self._pid = loop, os.getpid()
        atexit.register(self.close)


class SyncStream:
    """`ChatStream` for a plain `for` loop."""

    def __init__(self, do: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any], stream: ChatStream) -> None:
        self._do = do
        self._stream = stream

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Chunk:
        chunk: Chunk | None = self._do(lambda: _next(self._stream))
        if chunk is None:
            raise StopIteration
        return chunk

    @property
    def answer(self) -> ChatAnswer | None:
        """The whole, once the last chunk was given."""
        return self._stream.answer

    def close(self) -> None:
        """Read no further: the provider's stream is closed, at once."""
        self._do(self._stream.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SyncSwitch:
    """`Switch`, from any thread."""

    def __init__(self, do: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any], switch: Switch) -> None:
        self._do = do
        self._switch = switch

    @property
    def state(self) -> str:
        """The worst of its breakers' states."""
        return str(self._do(_later(lambda: self._switch.state)))

    def force_open(self) -> None:
        """Nothing gets through until `release`."""
        self._do(_later(self._switch.force_open))

    def watch(self) -> None:
        """Count, and stop nobody, until `release`."""
        self._do(_later(self._switch.watch))

    def release(self) -> None:
        """Back to automatic."""
        self._do(_later(self._switch.release))


class SyncRuleSwitch:
    """`RuleSwitch`, from any thread."""

    def __init__(self, do: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any], switch: RuleSwitch) -> None:
        self._do = do
        self._switch = switch

    @property
    def enabled(self) -> bool:
        """Whether it is in force."""
        return bool(self._do(_later(lambda: self._switch.enabled)))

    @property
    def applied(self) -> int:
        """How many requests it applied to so far."""
        return int(self._do(_later(lambda: self._switch.applied)))

    def enable(self) -> None:
        """In force from the next request on."""
        self._do(_later(self._switch.enable))

    def disable(self) -> None:
        """Out of force from the next request on."""
        self._do(_later(self._switch.disable))

    def reset(self) -> None:
        """As the configuration says."""
        self._do(_later(self._switch.reset))


def _later(function: Callable[[], T]) -> Callable[[], Coroutine[Any, Any, T]]:
    async def call() -> T:
        return function()

    return call


async def _end(router: Router) -> None:
    """Close it, and end whoever still waits for it."""
    await router.__aexit__(None, None, None)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _next(stream: ChatStream) -> Chunk | None:
    """The next chunk, None behind the last: `StopAsyncIteration` does not travel through a future."""
    return await anext(stream, None)


def _keep_running(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()

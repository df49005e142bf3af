"""The router as an object of your program: `chat`, `stream`, `run` with a client of your own, events, health, costs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from understudy import wiring
from understudy.config import Configuration
from understudy.config.load import from_environment, load, loads
from understudy.core.decision import Decision
from understudy.core.event import Event, RequestEnded, TargetProbed
from understudy.core.failure import Implicates
from understudy.core.outcome import Result
from understudy.core.request import Call
from understudy.dialects import Dialect
from understudy.engine.discovery import Discovery
from understudy.engine.own_client import Ask, Classify, OwnPerformance, classify_exception
from understudy.engine.prober import Prober
from understudy.engine.router import Engine
from understudy.errors import BadRequest, ConfigurationError, RequestFailed, RouterNotEntered
from understudy.library.answers import ChatAnswer, Compared, RunResult, cost_of
from understudy.library.asking import DIALECT, Messages, call_of, compared, is_duration
from understudy.library.callbacks import Callback, Callbacks
from understudy.library.health import TargetHealth, health_of
from understudy.library.hearing import Ear
from understudy.library.spending import Costs, Spending
from understudy.library.stream import ChatStream
from understudy.library.switches import RuleSwitch, Switch
from understudy.transport.client import Client

if TYPE_CHECKING:
    from understudy.local.client import HostedClient
    from understudy.local.keeper import Keeper


class Router:
    """Chooses, falls back, counts, explains: for as long as it is entered, on the event loop that entered it.

        async with Router.from_file("understudy.yaml") as router:
            answer = await router.chat("default", "Why is the sky blue?")

    `targets`: a mapping of names to targets, or a list of targets with a `name`, each with the fields of the configuration
    file; `routes` and any further section likewise. `env`: where `env:` references are read, the process's own by default.
    Raises `ConfigurationError`.
    """

    def __init__(
        self,
        targets: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]] | None = None,
        routes: Mapping[str, Any] | None = None,
        *,
        configuration: Configuration | None = None,
        env: Mapping[str, str] | None = None,
        **sections: Any,
    ) -> None:
        if configuration is None:
            sections |= {"targets": _by_name(targets or {})} | ({"routes": routes} if routes else {})
            configuration = loads(json.dumps(sections, default=str, indent=1), source="Router(...)", env=env)
        self.configuration = configuration
        self._env = env
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._client: Client | HostedClient | None = None
        self._keeper: Keeper | None = None
        self._callbacks = Callbacks()
        self._spending = Spending()

    @classmethod
    def from_file(cls, path: str | PathLike[str] = "understudy.yaml", env: Mapping[str, str] | None = None) -> Self:
        """From a configuration file. Raises `ConfigurationError`."""
        return cls(configuration=load(path, env), env=env)

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Self:
        """From the providers' keys in the environment, with the ready-made routes. Raises `ConfigurationError`."""
        return cls(configuration=from_environment(env), env=env)

    # Entering and leaving

    async def __aenter__(self) -> Self:
        if self._engine is not None:
            raise RouterNotEntered("this router is entered already; make another one for another loop")
        self._loop = asyncio.get_running_loop()
        self._client = wiring.make_client(self.configuration)
        self._engine = wiring.make_engine(self.configuration, self._client, env=self._env)
        self._engine.events.observe(self._observe)
        self._engine.snapshot.warm()
        self._keeper = wiring.make_keeper(self.configuration, self._client, self._engine)
        if self._keeper is not None:
            self._keeper.start()
        self._discovery = Discovery(self._engine, self._client)
        self._discovery.start()
        self._prober = Prober(self._engine, self._client)
        self._prober.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client, self._engine = self._client, None, None
        if client is None:
            return
        await self._prober.close()
        await self._discovery.close()
        await client.close()
        if self._keeper is not None:
            await self._keeper.close()
        await self._callbacks.settled()

    def _entered(self) -> Engine:
        """The engine. Raises `RouterNotEntered` outside of `async with`, and on any other loop."""
        if self._engine is None:
            raise RouterNotEntered("enter the router first: `async with router:`")
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is not None and here is not self._loop:
            raise RouterNotEntered("this router belongs to the event loop that entered it; make one per loop")
        return self._engine

    async def ready(self) -> bool:
        """Wait until the model servers that this router runs itself (provider `onnx`) are up, or kept down. Whether all are up.

        Nothing needs it: until then requests are answered by other targets, and refused only where there is no other.
        """
        self._entered()
        return self._keeper is None or await self._keeper.settled()

    # Asking

    async def chat(self, route: str, messages: Messages, **settings: Any) -> ChatAnswer:
        """Ask, and wait for the whole answer.

        `route`: a route, a target, or `provider/model`. `messages`: a question, or messages in Chat Completions form.
        `settings`: fields of a Chat Completions request (`temperature`, `tools`, `response_format`...), and `deadline_s`,
        `session`, `labels`, `strategy`, `complexity` for the router. Raises `BadRequest` for what is the caller's own mistake, else
        `RequestFailed` when nobody answered.
        """
        engine = self._entered()
        dialect = self._dialect()
        ear = Ear(dialect)
        result = await engine.handle(call_of(dialect, route, messages, settings, stream=False), ear)
        if result.winner is None or ear.answer is None:
            raise _failed(result)
        return ChatAnswer(ear.answer, result, self._decision(result), self._rate)

    async def compare(
        self, route_or_targets: str | Sequence[str], messages: Messages, **settings: Any
    ) -> tuple[Compared, ...]:
        """Ask several targets the same at the same time; all answers side by side, in the order given.

        `route_or_targets`: a route, whose targets are all asked (stand-ins are not), or names of targets. The rest as for `chat`.
        Nobody's failure is raised: it stands in its place. Everything is booked and counted as any other request. Raises
        `BadRequest` for a name that does not exist, or a request that cannot be read.
        """
        dialect = self._dialect()
        names = compared(self.configuration, route_or_targets)
        # a caller's own mistake is raised once, not told per target
        call_of(dialect, names[0], messages, settings, stream=False)
        return tuple(await asyncio.gather(*(self._ask_one(name, messages, settings) for name in names)))

    async def _ask_one(self, name: str, messages: Messages, settings: dict[str, Any]) -> Compared:
        engine = self._entered()
        began_s = engine.now_s()
        answer, failure = None, None
        try:
            answer = await self.chat(name, messages, **settings)
            attempts, seconds = answer.attempts, answer.seconds
        except RequestFailed as failed:
            failure, attempts, seconds = failed.failure, failed.attempts, engine.now_s() - began_s
        return Compared(
            target=name, answer=answer, failure=failure, attempts=attempts, seconds=seconds, cost=cost_of(attempts)
        )

    def stream(self, route: str, messages: Messages, **settings: Any) -> ChatStream:
        """Ask, and get the answer as it is written: `async for chunk in router.stream(...)`. Arguments as for `chat`.

        Leaving the loop early closes the provider's stream at once. After the last chunk, `answer` is the whole.
        """
        engine = self._entered()
        dialect = self._dialect()
        call = call_of(dialect, route, messages, settings, stream=True)
        return ChatStream(partial(engine.handle, call), dialect, _failed, self._told)

    async def run(
        self, call: Ask, route: str = "default", *, classify: Classify | None = None, deadline_s: float | None = None
    ) -> RunResult:
        """Ask with a client of your own: `await call(target)`, target by target, until one returns.

        `classify`: what an exception means, None for "not the target's fault", which raises it here; by default status,
        headers and timeouts are read off the exceptions of the usual clients. Raises `RequestFailed`.
        """
        engine = self._entered()
        if deadline_s is not None and not is_duration(deadline_s):
            raise ValueError(f"deadline_s is a number of seconds above 0, not {deadline_s!r}")
        dialect = self._dialect()
        judge = classify or (lambda error: classify_exception(error, now_unix_s=time.time()))
        made: list[OwnPerformance] = []

        def make(*parts: Any) -> OwnPerformance:
            made.append(OwnPerformance(*parts, ask=call, judge=judge))
            return made[0]

        body = json.dumps({"model": route, "messages": []}).encode()
        needs = replace(dialect.needs(body), tokens_in=0)
        asked = Call(DIALECT, needs, body, deadline_s=deadline_s)
        result = await engine.handle(asked, Ear(dialect), make)
        if result.winner is None:
            error = made[0].error if made else None
            raise error if error is not None else _failed(result)
        report = partial(self._spending.report, self.configuration.targets[result.winner.target])
        return RunResult(made[0].value, result, self._decision(result), self._rate, report)

    def _dialect(self) -> Dialect:
        return cast("Dialect", self._entered().snapshot.dialects[DIALECT])

    def _decision(self, result: Result) -> Decision | None:
        found = self._entered().decisions.get(result.decision)
        return found[0] if found is not None else None

    def _told(self, answer: Any, result: Result) -> ChatAnswer:
        return ChatAnswer(answer, result, self._decision(result), self._rate)

    def _rate(self, decision: str, score: float) -> None:
        if not 0 <= score <= 1:
            raise ValueError(f"a score lies between 0 and 1, {score} does not")
        if self._engine is None or self._loop is None:
            raise RouterNotEntered("the router that gave this answer was left: rate it before")
        self._loop.call_soon_threadsafe(
            self._engine.rate, decision, score
        )  # an answer may be rated on any thread and loop

    # Listening

    def on(self, event: str, callback: Callback) -> None:
        """Call back after every event of this name (see `callbacks.EVENTS`): a function, or one that returns an awaitable.

        It runs after the event, on the loop, and what it raises is logged: it can neither delay nor break a request.
        Raises `ValueError` for a name that does not exist.
        """
        self._callbacks.add(event, callback)

    def off(self, event: str, callback: Callback) -> None:
        """Call back no more. Raises `ValueError` when it was not asked to."""
        self._callbacks.remove(event, callback)

    def _observe(self, _number: int, event: Event) -> None:
        if isinstance(event, RequestEnded):
            self._spending.book(event.result.attempts)
        elif isinstance(event, TargetProbed):
            self._spending.book((event.outcome,))
        if self._loop is not None:
            self._callbacks.tell(event, self._loop)

    # Knowing

    def health(self) -> dict[str, TargetHealth]:
        """How every target stands, by name."""
        return health_of(self._entered())

    def costs(self) -> Costs:
        """What was spent since the router was entered, failed attempts that cost money included."""
        return self._spending.costs()

    def breaker(self, target: str) -> Switch:
        """A target's breakers, to be operated by hand. Raises `KeyError` for an unknown target."""
        engine = self._entered()
        if target not in self.configuration.targets:
            raise KeyError(f"no target is called {target!r}; there are: {', '.join(self.configuration.targets)}")
        return Switch(engine, target)

    def rule(self, name: str) -> RuleSwitch:
        """A rule of the configuration, to be switched by hand. Raises `KeyError` for an unknown rule."""
        engine = self._entered()
        known = [rule.name for rule in self.configuration.rules]
        if name not in known:
            raise KeyError(f"no rule is called {name!r}; there are: {', '.join(known) or 'none'}")
        return RuleSwitch(engine, name)


def _by_name(targets: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Targets by name. Raises `ConfigurationError` for one in a list that has none."""
    if isinstance(targets, Mapping):
        return dict(targets)
    named: dict[str, Any] = {}
    for place, target in enumerate(targets):
        fields = dict(target)
        name = fields.pop("name", None)
        if not name:
            raise ConfigurationError([f"Router(...): targets[{place}]: each target in a list needs a `name`"])
        named[name] = fields
    return named


def _failed(result: Result) -> RequestFailed:
    failure = result.failure
    assert failure is not None
    kind = BadRequest if failure.row.implicates is Implicates.CALLER else RequestFailed
    return kind(failure, result.attempts, result.decision)

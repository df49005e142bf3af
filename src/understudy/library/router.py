"""The router as an object of your program: `chat`, `stream`, `run` with a client of your own, events, health, costs."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from understudy import wiring
from understudy.config import Configuration
from understudy.config.load import from_environment, load, loads
from understudy.core.catalogue.task import COMPLEXITIES
from understudy.core.decision import Decision
from understudy.core.event import (
    AlarmChanged,
    AnswerRated,
    AttemptEnded,
    BreakerChanged,
    CoolDownSet,
    Event,
    RequestEnded,
    TargetProbed,
)
from understudy.core.failure import Failure, FailureKind, Implicates, Then
from understudy.core.money import cost_nusd
from understudy.core.outcome import Outcome, Result
from understudy.core.request import Call
from understudy.core.resilience.breaker import Event as Word
from understudy.core.resilience.breaker import State
from understudy.core.usage import Usage
from understudy.core.value import keyword_value
from understudy.dialects import BadBody, Dialect
from understudy.engine.discovery import Discovery
from understudy.engine.own_client import Ask, Classify, OwnPerformance, classify_exception
from understudy.engine.prober import Prober
from understudy.engine.router import Engine
from understudy.errors import BadRequest, RequestFailed, RouterNotEntered
from understudy.library.answers import (
    ChatAnswer,
    Compared,
    Costs,
    Played,
    TargetCosts,
    TargetHealth,
    cost_of,
    dollars_of,
)
from understudy.library.hearing import Ear
from understudy.library.rules import RuleSwitch
from understudy.library.stream import ChatStream
from understudy.transport.client import Client

if TYPE_CHECKING:
    from understudy.local.client import HostedClient
    from understudy.local.keeper import Keeper

log = logging.getLogger("understudy")

DIALECT = "openai_chat"
"""The form in which messages and settings are given, as the OpenAI SDK takes them; targets may speak any other."""

Messages = str | Sequence[Mapping[str, Any]]
Callback = Callable[["Happening"], Awaitable[None] | None]


@keyword_value
class Happening:
    """An event as callbacks get it. `name`: see `EVENTS`. `event`: the value itself.

    `target`: whom it is about, None for a whole request. `failure`: what went wrong. `goes_on`: whether the request looks
    further after that failure, at this target or another.
    """

    name: str
    event: Event
    target: str | None = None
    failure: Failure | None = None
    goes_on: bool = False


EVENTS = (
    "attempt_succeeded",
    "attempt_failed",
    "request_answered",
    "request_failed",
    "degraded",  # a request was answered by a stand-in or a degraded tier; comes with request_answered
    "breaker_opened",
    "breaker_half_opened",
    "breaker_closed",
    "breaker_ordered",  # by an operator: forced open, or only watching
    "cooling_down",
    "probed",  # an active probe of a target is over
    "getting_worse",  # a target's times or failures changed for the worse
    "worse_no_more",
    "rated",
)

_BREAKER_NAMES = {
    State.OPEN: "breaker_opened",
    State.HALF_OPEN: "breaker_half_opened",
    State.CLOSED: "breaker_closed",
    State.FORCED_OPEN: "breaker_ordered",
    State.WATCH_ONLY: "breaker_ordered",
}


class Switch:
    """An operator's hand on a target's breakers."""

    def __init__(self, engine: Engine, target: str) -> None:
        self._engine = engine
        self._target = target

    @property
    def state(self) -> str:
        """The worst of its breakers' states."""
        return worst_state(self._engine, self._target)

    def force_open(self) -> None:
        """Nothing gets through until `release`."""
        self._operate(Word.FORCE_OPEN)

    def watch(self) -> None:
        """Count, and stop nobody, until `release`."""
        self._operate(Word.WATCH)

    def release(self) -> None:
        """Back to automatic."""
        self._operate(Word.RELEASE)

    def _operate(self, word: Word) -> None:
        self._engine.board.operate(self._target, word, self._engine.now_s())


class RunResult(Played):
    """What a client of your own returned: `value`, with who was asked."""

    def __init__(
        self,
        value: Any,
        result: Result,
        decision: Decision | None,
        rate: Callable[[str, float], None],
        report: Callable[[Usage], None],
    ) -> None:
        super().__init__(result, decision, rate)
        self.value = value
        self._report = report

    def report(self, usage: Usage) -> None:
        """Tell what it took, for costs: your client knows, the router does not."""
        self._report(usage)


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
        self._callbacks: dict[str, list[Callback]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._costs: dict[str, list[int]] = {}

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
        self._keeper = wiring.make_keeper(self.configuration, self._client)
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
        if self._running:
            await asyncio.wait(self._running, timeout=5)

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
        call, dialect = self._call(route, messages, settings, stream=False)
        ear = Ear(dialect)
        result = await engine.handle(call, ear)
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
        names = self._compared(route_or_targets)
        self._call(
            names[0], messages, dict(settings), stream=False
        )  # a caller's own mistake is raised once, not told per target
        return tuple(await asyncio.gather(*(self._ask_one(name, messages, dict(settings)) for name in names)))

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

    def _compared(self, route_or_targets: str | Sequence[str]) -> tuple[str, ...]:
        """Whom to ask. Raises `BadRequest`."""
        self._entered()
        known = self.configuration.targets
        if isinstance(route_or_targets, str):
            route = self.configuration.names.get(route_or_targets)
            listed = [name for tier in route.tiers for name in tier.targets] if route else [route_or_targets]
            names = [name for name in listed if name not in known or not known[name].stand_in]
        else:
            names = list(dict.fromkeys(route_or_targets))
        strange = [name for name in names if name not in self.configuration.names]
        if strange or not names:
            words = f"no target is called {', '.join(map(repr, strange))}" if strange else "there is nobody to compare"
            raise BadRequest(Failure(FailureKind.BAD_REQUEST, f"{words}; there are: {', '.join(sorted(known))}"))
        return tuple(names)

    def stream(self, route: str, messages: Messages, **settings: Any) -> ChatStream:
        """Ask, and get the answer as it is written: `async for chunk in router.stream(...)`. Arguments as for `chat`.

        Leaving the loop early closes the provider's stream at once. After the last chunk, `answer` is the whole.
        """
        engine = self._entered()
        call, dialect = self._call(route, messages, settings, stream=True)
        return ChatStream(partial(engine.handle, call), dialect, _failed, self._told)

    async def run(
        self, call: Ask, route: str = "default", *, classify: Classify | None = None, deadline_s: float | None = None
    ) -> RunResult:
        """Ask with a client of your own: `await call(target)`, target by target, until one returns.

        `classify`: what an exception means, None for "not the target's fault", which raises it here; by default status,
        headers and timeouts are read off the exceptions of the usual clients. Raises `RequestFailed`.
        """
        engine = self._entered()
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
        report = partial(self._reported, result.winner.target)
        return RunResult(made[0].value, result, self._decision(result), self._rate, report)

    def _call(self, route: str, messages: Messages, settings: dict[str, Any], *, stream: bool) -> tuple[Call, Dialect]:
        """The request as the engine takes it. Raises `BadRequest`."""
        dialect = self._dialect()
        steering = {
            name: settings.pop(name) for name in ("complexity", "deadline_s", "session", "strategy") if name in settings
        }
        labels = tuple(sorted((settings.pop("labels", None) or {}).items()))
        if steering.get("complexity") not in (None, *COMPLEXITIES):
            told = f"complexity is one of {', '.join(COMPLEXITIES)}"
            raise BadRequest(Failure(FailureKind.BAD_REQUEST, told))
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        if stream:
            settings.setdefault("stream_options", {"include_usage": True})
        try:
            asked = {**settings, "model": route, "messages": list(messages), "stream": stream}
            written = json.dumps(asked).encode()
            needs = dialect.needs(written)
        except (BadBody, TypeError, ValueError) as trouble:
            raise BadRequest(Failure(FailureKind.BAD_REQUEST, str(trouble))) from None
        return Call(DIALECT, needs, written, labels=labels, **steering), dialect

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
        engine = self._entered()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(engine.rate, decision, score)  # an answer may be rated on any thread

    # Listening

    def on(self, event: str, callback: Callback) -> None:
        """Call back after every event of this name (see `EVENTS`): a function, or one that returns an awaitable.

        It runs after the event, on the loop, and what it raises is logged: it can neither delay nor break a request.
        Raises `ValueError` for a name that does not exist.
        """
        if event not in EVENTS:
            raise ValueError(f"there is no event {event!r}; there are: {', '.join(EVENTS)}")
        self._callbacks.setdefault(event, []).append(callback)

    def off(self, event: str, callback: Callback) -> None:
        """Call back no more. Raises `ValueError` when it was not asked to."""
        self._callbacks.get(event, []).remove(callback)

    def _observe(self, _number: int, event: Event) -> None:
        if isinstance(event, RequestEnded):
            self._book(event.result.attempts)
        elif isinstance(event, TargetProbed):
            self._book((event.outcome,))
        if self._callbacks and self._loop is not None:
            for happening in happenings(event):
                for callback in self._callbacks.get(happening.name, ()):
                    self._loop.call_soon(self._tell, callback, happening)

    def _tell(self, callback: Callback, happening: Happening) -> None:
        try:
            waiting = callback(happening)
        except Exception:
            log.exception("a callback for %s failed", happening.name)
            return
        if inspect.isawaitable(waiting):
            task = asyncio.ensure_future(_guarded(waiting, happening.name))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    # Knowing

    def health(self) -> dict[str, TargetHealth]:
        """How every target stands, by name."""
        engine = self._entered()
        now_s = engine.now_s()
        told = {}
        for name in engine.board.targets():
            standing = engine.board.standing(name)
            told[name] = TargetHealth(
                target=name,
                breaker=worst_state(engine, name),
                rests_s=max(0.0, standing.cool_down_until_s - now_s),
                in_flight=standing.in_flight,
                in_flight_max=standing.bounds.in_flight,
                latency_ms=standing.latency_ms,
                error_rate=standing.error_rate,
                attempts=standing.seen,
                alarms=tuple(alarm.measure for alarm in engine.board.alarms(name)),
            )
        return told

    def costs(self) -> Costs:
        """What was spent since the router was entered, failed attempts that cost money included."""
        targets = {
            name: TargetCosts(attempts=count, tokens=tokens, cost=dollars_of(nusd) or Decimal(0), unpriced=unpriced)
            for name, (count, tokens, nusd, unpriced) in self._costs.items()
        }
        total = sum((one.cost for one in targets.values()), Decimal(0))
        return Costs(cost=total, unpriced=sum(one.unpriced for one in targets.values()), targets=targets)

    def breaker(self, target: str) -> Switch:
        """A target's breakers, to be operated by hand. Raises `KeyError` for an unknown target."""
        engine = self._entered()
        engine.board.standing(target)
        return Switch(engine, target)

    def rule(self, name: str) -> RuleSwitch:
        """A rule of the configuration, to be switched by hand. Raises `KeyError` for an unknown rule."""
        return RuleSwitch(self._entered(), name)

    def _book(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            row = self._costs.setdefault(outcome.target, [0, 0, 0, 0])
            row[0] += 1
            if outcome.usage is not None:
                row[1] += outcome.usage.total
                row[2] += outcome.cost_nusd or 0
                row[3] += outcome.cost_nusd is None

    def _reported(self, target: str, usage: Usage) -> None:
        row = self._costs.setdefault(target, [0, 0, 0, 0])
        cost = cost_nusd(usage, self.configuration.targets[target].price)
        row[1] += usage.total
        row[2] += cost or 0
        row[3] += cost is None


def happenings(event: Event) -> Iterable[Happening]:
    """An event of the engine under the names that callbacks know."""
    if isinstance(event, AttemptEnded):
        outcome = event.outcome
        failure = outcome.failure
        goes_on = failure is not None and failure.then is not Then.STOP and not outcome.committed
        name = "attempt_succeeded" if failure is None else "attempt_failed"
        yield Happening(name=name, event=event, target=outcome.target, failure=failure, goes_on=goes_on)
    elif isinstance(event, RequestEnded):
        result = event.result
        target = result.winner.target if result.winner else None
        name = "request_answered" if result.failure is None else "request_failed"
        yield Happening(name=name, event=event, target=target, failure=result.failure)
        if result.degraded and result.failure is None:
            yield Happening(name="degraded", event=event, target=target)
    elif isinstance(event, BreakerChanged):
        yield Happening(name=_BREAKER_NAMES[event.state], event=event, target=event.target)
    elif isinstance(event, CoolDownSet):
        yield Happening(name="cooling_down", event=event, target=event.target)
    elif isinstance(event, TargetProbed):
        yield Happening(name="probed", event=event, target=event.outcome.target, failure=event.outcome.failure)
    elif isinstance(event, AlarmChanged):
        yield Happening(name="getting_worse" if event.on else "worse_no_more", event=event, target=event.target)
    elif isinstance(event, AnswerRated):
        yield Happening(name="rated", event=event, target=event.target)


_WORST_FIRST = (State.FORCED_OPEN, State.OPEN, State.HALF_OPEN, State.WATCH_ONLY, State.CLOSED)


def worst_state(engine: Engine, target: str) -> str:
    """The worst of a target's breakers' states."""
    views = engine.board.standing(target).breakers
    return min((view.state for view in views), key=_WORST_FIRST.index, default=State.CLOSED).value


def _by_name(targets: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Targets by name. Raises `ValueError` for one in a list that has none."""
    if isinstance(targets, Mapping):
        return dict(targets)
    named: dict[str, Any] = {}
    for target in targets:
        fields = dict(target)
        name = fields.pop("name", None)
        if not name:
            raise ValueError("each target in a list needs a `name`")
        named[name] = fields
    return named


def _failed(result: Result) -> RequestFailed:
    failure = result.failure
    assert failure is not None
    kind = BadRequest if failure.row.implicates is Implicates.CALLER else RequestFailed
    return kind(failure, result.attempts, result.decision)


async def _guarded(waiting: Awaitable[None], name: str) -> None:
    try:
        await waiting
    except Exception:
        log.exception("a callback for %s failed", name)

"""The one way in: finds the route, starts the walk, keeps the clock, and tells the caller how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from math import ceil

from understudy.config.names import unknown_name
from understudy.core.answer import Answer
from understudy.core.candidate import Entry
from understudy.core.decision import Decision
from understudy.core.event import AnswerRated, RequestEnded
from understudy.core.failure import Failure, FailureKind, Implicates
from understudy.core.outcome import Result
from understudy.core.plan import RoutePlan
from understudy.core.request import Call, Operation
from understudy.core.rules.spending import Spending
from understudy.core.scoreboard import Scoreboard
from understudy.dialects import BadAnswer, BadBody, ErrorReport, Format
from understudy.engine.attempt import JSON
from understudy.engine.cache import StaleCache, key_of
from understudy.engine.observers import Decisions, Events, Tally
from understudy.engine.perform import TOLD, Performance
from understudy.engine.reading import with_traits
from understudy.engine.ruling import apply, book_spending, world_of
from understudy.engine.snapshot import Snapshot
from understudy.engine.streaming import read_stream
from understudy.framing.sse import EventTooLarge
from understudy.ports import Header, HttpClient, Sink
from understudy.registry import BadSettings, UnknownName
from understudy.transport.wire import field_lines

TOLD_MAX = 10_000
"""Blocks of header lines that are kept: a target in a tier has one for whole answers, and one for each kind of stream."""

_FINE = Failure(FailureKind.INTERNAL, "")
_COUNT = Operation.COUNT  # a member looked up on its class costs ten times as much, and every request asks

SEED_STEP = 0xD134_2543_DE82_EF95
"""Between the seeds of two requests: odd and far from the generator's own step, so that their sequences never meet."""

NAME_CHARS_MAX = 1024
"""What is kept of a name that means nothing here: a caller may send megabytes of it."""


MakePerformance = Callable[["Engine", Snapshot, RoutePlan, Call, Decision, Sink], Performance]


class Engine:
    """Everything that requests share: the snapshot they begin with, the scoreboard, the client, the events.

    `now_s`: the loop's monotonic clock; `began_s`: what it said at the start, from which simulated providers count. `wall_s`: Unix time, for reading providers' hints. `prefix`: begins every decision's
    id, different in every process. `seed`: where chance begins. `switched`: rules that an operator switched on or off, against what is
    written; `fired`: how often each rule applied. `spending`: what rules ask of that.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        board: Scoreboard,
        client: HttpClient,
        events: Events,
        now_s: Callable[[], float],
        wall_s: Callable[[], float],
        prefix: str,
        seed: int,
    ) -> None:
        self.snapshot = snapshot
        self.board = board
        self.client = client
        self.events = events
        self.now_s = now_s
        self.began_s = now_s()
        self.wall_s = wall_s
        self.cache = StaleCache()
        self.decisions = Decisions()
        self.tally = Tally()
        self.switched: dict[str, bool] = {}
        self.fired: dict[str, int] = {}
        self.spending = Spending(snapshot.spends)
        self._prefix = prefix
        self.seed = seed
        self._count = 0
        self._told: dict[tuple[object, ...], bytes] = {}

    async def handle(self, call: Call, sink: Sink, make: MakePerformance = Performance) -> Result:
        """Answer one call through `sink`, whatever breaks on the way. Raises only what cancelling raises.

        `make`: how it is performed, where that is not by asking providers.
        """
        snapshot = self.snapshot
        plan, problem = snapshot.plans.get(call.route or call.needs.model), _FINE
        if plan is None or call.strategy is not None or call.needs.operation is _COUNT:
            plan, problem = _plan(call, snapshot)
        now_s = self.now_s()
        self._count = number = self._count + 1
        seed = (self.seed + number * SEED_STEP) & 0xFFFF_FFFF_FFFF_FFFF
        decision = Decision(
            number,
            f"{self._prefix}{number:x}",
            plan.name if plan else "",
            snapshot.version,
            call.needs,
            call.dialect,
            seed,
            now_s,
            call.session or "",
            call.principal,
        )
        if call.strategy is not None:
            decision.strategy = call.strategy
        if plan is not None and (snapshot.rulebooks or plan.reads_task):
            plan, problem = apply(world_of(self), snapshot, plan, call, decision)
        if plan is not None and plan.reads_prompt:
            decision.needs = with_traits(decision.needs, call.body, snapshot.dialects[call.dialect])
        if plan is None:
            decision.needs = replace(decision.needs, model=decision.needs.model[:NAME_CHARS_MAX])
            result = self._ended(decision, (), problem)
        else:
            self.board.retry_budget.deposit()
            if plan.policy.cascade is not None and make is Performance:
                make = self._with_drafts(call)
            show = make(self, snapshot, plan, call, decision, sink)
            try:
                result = await show.run()
            except asyncio.CancelledError:
                await self._cancelled(show)
                raise
            except BadBody as trouble:  # read in full only when another wire format had to be written
                result = self._ended(decision, tuple(show.attempts), Failure(FailureKind.BAD_REQUEST, str(trouble)))
            else:
                self._remember(decision, result)
        if snapshot.spends:
            book_spending(self, call, result)
        if result.winner is None and sink.left is None:
            self.refuse(snapshot.dialects[call.dialect], result, sink)
        return result

    @staticmethod
    def _with_drafts(call: Call) -> MakePerformance:
        """How a call on a route with a cascade is performed: drafts are of one conversation's one answer."""
        if call.needs.operation is not Operation.CHAT or call.needs.n != 1:
            return Performance
        from understudy.engine.cascade import CascadePerformance  # for the few whose routes have one

        return CascadePerformance

    async def _cancelled(self, show: Performance) -> None:
        """The caller has gone, or must go."""
        kind = show.sink.left or FailureKind.CLIENT_LEFT
        result = self._ended(show.decision, tuple(show.attempts), Failure(kind, TOLD[kind]))
        if show.snapshot.spends:
            book_spending(self, show.call, result)
        if kind is FailureKind.DRAINING:
            await self._draining(show, show.sink)

    def _remember(self, decision: Decision, result: Result) -> None:
        self.decisions.keep(decision, result)
        self.tally.add(result)
        if self.events.hears(RequestEnded):
            self.events.emit(RequestEnded(result))

    def _ended(self, decision: Decision, attempts: tuple[object, ...], failure: Failure) -> Result:
        """A request that ended outside its walk."""
        result = Result(
            decision=decision.id,
            route=decision.route,
            attempts=attempts,  # type: ignore[arg-type]
            winner=None,
            failure=failure,
            degraded=False,
            started_s=decision.started_s,
            ended_s=self.now_s(),
        )
        self._remember(decision, result)
        return result

    def refuse(self, dialect: Format, result: Result, sink: Sink) -> None:
        """Tell the caller that there is no answer, why, and when to come back."""
        failure = result.failure
        assert failure is not None
        row = failure.row
        status = failure.status if failure.status is not None and row.implicates is Implicates.CALLER else row.status
        headers: list[Header] = [
            JSON,
            (b"x-understudy-decision", result.decision.encode()),
            (b"x-understudy-attempts", b"%d" % len(result.attempts)),
        ]
        wait_s = failure.retry_after_s
        if wait_s is None and result.retry_at_s is not None and row.implicates is not Implicates.CALLER:
            wait_s = result.retry_at_s - self.now_s()
        if wait_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, ceil(wait_s))))
            failure = replace(failure, retry_after_s=wait_s)  # some envelopes tell it, too
        report = ErrorReport(failure=failure, attempts=result.attempts, decision=result.decision)
        sink.respond(status, headers, dialect.render_error(report))

    async def end_broken(self, show: Performance, failure: Failure) -> None:
        """A committed stream broke: the caller's dialect says so, and nothing that could be taken for a finish follows."""
        report = ErrorReport(failure=failure, attempts=tuple(show.attempts), decision=show.decision.id)
        await show.sink.write(show.dialect.render_stream_error(report))
        show.sink.finish()

    async def _draining(self, show: Performance, sink: Sink) -> None:
        failure = Failure(FailureKind.DRAINING, TOLD[FailureKind.DRAINING])
        report = ErrorReport(failure=failure, attempts=tuple(show.attempts), decision=show.decision.id)
        if any(outcome.committed for outcome in show.attempts):
            await sink.write(show.dialect.render_stream_error(report))
            sink.finish()
        else:
            sink.respond(failure.row.status, [JSON], show.dialect.render_error(report))

    def rate(self, decision: str, score: float, principal: str | None = None) -> bool:
        """Take in how good an answer was, 0 to 1. False when nobody knows that decision any more.

        `principal`: who says so, "" without principals; other principals' decisions are unknown to it. None: whoever holds the engine.
        """
        found = self.decisions.get(decision)
        if found is not None and principal is not None and found[0].principal != principal:
            found = None
        winner = found[1].winner if found is not None else None
        if winner is not None:
            self.board.rate(winner.target, score, self.now_s())
        self.events.emit(AnswerRated(decision, winner.target if winner is not None else None, score))
        return found is not None

    def switch(self, rule: str, enabled: bool | None) -> None:  # noqa: FBT001  the new state itself
        """An operator's word to a rule, in force at once; None: as it is written. Raises `KeyError` for an unknown rule."""
        if all(one.name != rule for one in self.snapshot.configuration.rules):
            raise KeyError(rule)
        if enabled is None:
            self.switched.pop(rule, None)
        else:
            self.switched[rule] = enabled

    def told(self, entry: Entry, more: tuple[Header, ...]) -> bytes:
        """The header lines that say who answers, and `more`; put together once."""
        target = entry.target
        key = (target.name, entry.tier, entry.degraded, target.embeds, more)
        known = self._told.get(key)
        if known is None:
            head = [
                (b"x-understudy-target", target.name.encode("ascii", "replace")),
                (b"x-understudy-tier", entry.tier.encode()),
            ]
            if entry.degraded:
                head.append((b"x-understudy-degraded", b"true"))
            if target.embeds is not None:
                head.append((b"x-understudy-space", target.embeds.encode("ascii", "replace")))
            if len(self._told) >= TOLD_MAX:
                self._told.clear()
            known = self._told[key] = field_lines([*head, *more])
        return known

    def keep(self, show: Performance, answered: bytes) -> None:
        """Remember an answer for the route's stale cache."""
        try:
            answer = _read_back(show, answered)
            self.cache.put(key_of(show.call), answer, len(answered), self.now_s())
        except (BadAnswer, EventTooLarge):
            return  # it was good enough to pass on, not to be told again


def _read_back(show: Performance, answered: bytes) -> Answer:
    """What the caller was sent, in the intermediate form."""
    return read_stream(show.dialect, answered) if show.needs.stream else show.dialect.parse_answer(answered)


def _plan(call: Call, snapshot: Snapshot) -> tuple[RoutePlan | None, Failure]:
    """The route that is asked for; None with the reason why there is none."""
    try:
        plan = snapshot.plan(call.route or call.needs.model, call.strategy, call.needs.operation)
    except (UnknownName, BadSettings) as trouble:
        return None, Failure(FailureKind.BAD_REQUEST, str(trouble))
    return plan, unknown_model(call, snapshot) if plan is None else _FINE


def unknown_model(call: Call, snapshot: Snapshot) -> Failure:
    """Says which names exist, of those that its principal may ask for."""
    configuration = snapshot.configuration
    principal = next((one for one in configuration.principals if one.name == call.principal), None)
    told = unknown_name(configuration, call.route or call.needs.model, principal)
    return Failure(FailureKind.UNKNOWN_MODEL, told, code="model_not_found")

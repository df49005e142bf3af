"""Performs one request: does what its walk asks, and gives back everything that was taken, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from understudy.core.action import (
    Ended,
    Failed,
    Held,
    Next,
    Ready,
    Refused,
    Reply,
    Reserve,
    Start,
    Started,
    Timer,
    Walk,
)
from understudy.core.answer import StreamEvent
from understudy.core.candidate import Entry
from understudy.core.decision import Decision
from understudy.core.dice import Dice
from understudy.core.event import AttemptEnded
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Result
from understudy.core.plan import RoutePlan
from understudy.core.projection import COSMETIC, NO_SEALS, Loss, says_something, without_seals
from understudy.core.request import Call, Operation
from understudy.core.track import Hold
from understudy.core.walk import walk
from understudy.dialects import BadBody, Dialect
from understudy.engine.attempt import Attempt, Prepared, WholeAttempt
from understudy.engine.cache import key_of
from understudy.engine.crossing import CROSSINGS
from understudy.engine.estimate import ESTIMATE, EstimateAttempt
from understudy.engine.snapshot import Snapshot, is_cache
from understudy.engine.stand_in import StandInAttempt
from understudy.engine.streamed import StreamAttempt
from understudy.engine.streaming import events_of
from understudy.ports import Header, HeaderLines, HeaderMap, Sink
from understudy.providers import Reply as StandInReply
from understudy.transport.wire import field_lines

if TYPE_CHECKING:
    from understudy.engine.router import Engine

PASS_BACK = (b"x-ratelimit-", b"anthropic-ratelimit-", b"openai-")
"""Beginnings of the winner's headers that the caller is shown, besides `request-id` and `x-request-id`."""


REQUEST_IDS = (b"request-id", b"x-request-id")
USUAL = frozenset(
    (
        b"content-type",
        b"content-length",
        b"date",
        b"connection",
        b"keep-alive",
        b"server",
        b"transfer-encoding",
        b"vary",
    )
)
"""What nearly every answer carries and nobody is shown, told apart by one look-up."""
LISTED_MAX = 40


def listed(names: tuple[str, ...]) -> bytes:
    """Names for a header. A caller may have invented them: what no header may hold is written %0A, and of many only some are told."""
    told = ", ".join(quote(name[:64], safe=".[]$:/") for name in names[:LISTED_MAX])
    more = len(names) - LISTED_MAX
    return (f"{told}, and {more} more" if more > 0 else told).encode()


NOTHING: tuple[Loss, ...] = ()
SILENCE = "the conversation is empty: at least one of its turns must hold a text, or anything else to answer to"


class Performance:
    """One request on its way. `copy`: what was streamed, kept for the stale cache; None when nobody will want it."""

    _last_handle = 0
    _hold: Hold | None = None  # taken by Reserve, owned by the attempt from Start on
    _prepared: Prepared | None = None
    _reply: StandInReply | None = None
    _asked: Any = None
    _cancelled = False

    def __init__(
        self,
        engine: Engine,
        snapshot: Snapshot,
        plan: RoutePlan,
        call: Call,
        decision: Decision,
        sink: Sink,
    ) -> None:
        self.engine = engine
        self.snapshot = snapshot
        self.plan = plan
        self.call = call
        self.needs = call.needs
        # What a dialect has beyond a format is about streams, and only conversations are streamed.
        self.dialect: Dialect = snapshot.dialects[call.dialect]  # type: ignore[assignment]
        self.decision = decision
        self.sink = sink
        self.attempts: list[Outcome] = []
        limit_s = plan.policy.deadline_s
        self.deadline_s = decision.started_s + (limit_s if call.deadline_s is None else min(limit_s, call.deadline_s))
        keeps = plan.name in snapshot.cached_routes and call.needs.operation is Operation.CHAT
        self.copy: list[bytes] | None = [] if keeps else None
        self._handles: dict[int, Attempt] = {}
        self._tasks: dict[int, asyncio.Task[Failure | None]] = {}

    async def run(self) -> Result:
        """Walk to the end. Cancelling gives everything back, books open attempts, and raises on."""
        handles = self._handles
        steps = self._steps()
        try:
            action = next(steps)
            while True:
                kind = type(action)  # taking and giving places awaits nothing: no coroutine for half of the actions
                if kind is Reserve:
                    reply: Reply = self._reserve(action)  # type: ignore[arg-type]
                elif kind is Start:
                    reply = self._start(action)  # type: ignore[arg-type]
                elif kind is Next:
                    alone = self._alone(action.until_s)  # type: ignore[union-attr]
                    if alone is None:
                        reply = await self._race(action.until_s)  # type: ignore[union-attr]
                    else:
                        reply = self._opened(alone, await alone.open())
                else:
                    attempt = handles[action.handle]  # type: ignore[union-attr]
                    lost = self._let_go(besides=attempt.handle) if len(handles) > 1 else ()
                    self.sink.forget_body()
                    failure = await attempt.relay(action.until_s)  # type: ignore[union-attr]
                    if failure is not None:
                        await self.engine.end_broken(self, failure)
                    reply = self._relayed(attempt, failure, lost)
                action = steps.send(reply)
        except StopIteration as done:
            result: Result = done.value
            return replace(result, attempts=result.attempts + self._let_go()) if handles else result
        except asyncio.CancelledError:
            self._cancelled = True
            raise
        finally:
            steps.close()
            if handles:
                self._let_go()

    def _steps(self) -> Walk:
        """The walk that is performed."""
        return walk(self.plan, self.decision, self.engine.board, self.decision.started_s, self.deadline_s)

    # Reserve

    def _reserve(self, action: Reserve) -> Held | Refused:
        """Write the request for this target first: a place is taken only for what can be sent."""
        engine, entry = self.engine, action.entry
        now_s = engine.now_s()
        refused = self._prepare(entry, now_s)
        if refused is not None:
            return Refused(now_s, refused, None)
        self._hold = hold = engine.board.hold(entry.slot, self.needs.tokens_in, now_s)
        return Held(now_s, bool(hold.tests[entry.breaker]))

    def _prepare(self, entry: Entry, now_s: float) -> FailureKind | None:
        target = entry.target
        self._prepared = self._reply = None
        if target is ESTIMATE:
            return None
        upstream = self.snapshot.upstreams[target.name]
        caller = self.call.dialect
        own = upstream.endpoints.get(caller)
        if own is not None:  # nearly everybody speaks what nearly every caller speaks
            quirks = own.quirks
            if quirks.seals is not None and entry.is_guest(caller):
                quirks = replace(quirks, seals=NO_SEALS)  # what the caller has was sealed for somebody else
            body, dropped = self.dialect.retarget(self.call, target.model, quirks)
            self._prepared = Prepared(caller, body, dropped)
            return self._if_it_matters(dropped) if dropped and self.plan.policy.strict else None
        if is_cache(target):
            known = self.engine.cache.get(key_of(self.call), now_s)
            self._reply = None if known is None else StandInReply(answer=known)
            return FailureKind.NO_TARGET if known is None else None
        if upstream.player is not None:
            dice = Dice(self.decision.seed).fork(entry.slot + 1)
            self._reply = upstream.player.reply(self.call, dice, now_s - self.engine.began_s)
            return None
        return self._translate(entry, upstream.dialect_for(self.needs.operation))

    def _if_it_matters(self, dropped: tuple[str, ...]) -> FailureKind | None:
        """Whether a strict route does without a target of the caller's own format, by what that refuses of the request."""
        weigh = CROSSINGS[self.needs.operation].weigh
        try:
            asked = self.asked()
        except BadBody:  # what nobody here can read, nobody here can weigh
            return FailureKind.NOT_PORTABLE
        matters = any(weigh(name, asked, self.dialect.request_carries) != COSMETIC for name in dropped)
        return FailureKind.NOT_PORTABLE if matters else None

    def _translate(self, entry: Entry, name: str) -> FailureKind | None:
        """Write the request in another wire format, if it survives that."""
        dialect = self.snapshot.dialects[name]
        target = entry.target
        upstream = self.snapshot.upstreams[target.name]
        carries, quirks = upstream.carries[name], upstream.endpoints[name].quirks
        asked, unsealed = self.asked(), NOTHING
        if quirks.seals is not None and entry.is_guest(name):
            asked, unsealed = without_seals(asked, carries.dialect)
        projected, losses, names = CROSSINGS[self.needs.operation].project(asked, carries)
        losses = unsealed + losses
        refuse = ("lossy", "essential") if self.plan.policy.strict else ("essential",)
        if any(loss.weight in refuse for loss in losses):
            self._complain_of_silence()
            return FailureKind.NOT_PORTABLE
        projected = replace(projected, model=target.model)
        body = dialect.render_request(projected, quirks)
        self._prepared = Prepared(name, body, tuple([loss.name for loss in losses]), names)
        return None

    def _complain_of_silence(self) -> None:
        """Raises `BadBody` for a conversation in which nothing is said, unless somebody may be asked in the caller's own bytes."""
        if self.needs.operation is not Operation.CHAT or any(map(says_something, self.asked().messages)):
            return
        upstreams = (self.snapshot.upstreams[entry.target.name] for tier in self.plan.tiers for entry in tier.entries)
        if not any(self.call.dialect in upstream.endpoints for upstream in upstreams):
            raise BadBody(SILENCE)

    def asked(self) -> Any:
        """The whole request in its operation's intermediate form, read only when another wire format must be written."""
        if self._asked is None:
            asked = self.dialect.parse_request(self.call.body)
            self._asked = replace(asked, stream=True) if self.needs.stream else asked
        return self._asked

    # Start

    def _start(self, action: Start) -> Started:
        hold, self._hold = self._hold, None
        assert hold is not None, "a walk reserves before it starts"
        now_s = self.engine.now_s()
        self._last_handle = handle = self._last_handle + 1
        self._handles[handle] = attempt = self._attempt(action, now_s)
        attempt.handle, attempt.hold = handle, hold
        return Started(now_s, handle)

    def _attempt(self, start: Start, now_s: float) -> Attempt:
        prepared = self._prepared
        if prepared is not None:
            return (StreamAttempt if self.needs.stream else WholeAttempt)(self, start, now_s, prepared)
        if self._reply is None:
            return EstimateAttempt(self, start, now_s)
        cached = is_cache(start.entry.target)
        script = self._told() if cached else self._reply.events()
        return StandInAttempt(self, start, now_s, self._reply, script, cached=cached)

    def _told(self) -> Iterator[tuple[float, StreamEvent]]:
        assert self._reply is not None
        assert self._reply.answer is not None
        return ((0.0, event) for event in events_of(self._reply.answer))

    # Next

    def _alone(self, until_s: float) -> Attempt | None:
        """The one open attempt, if nothing else can come first: the rule, and it needs no task of its own."""
        if len(self._handles) == 1 and not self._tasks:
            attempt = self._handles[self._last_handle]
            if attempt.start.until_s <= until_s:
                return attempt
        return None

    async def _race(self, until_s: float) -> Ready | Failed | Timer:
        """The first thing that happens to an open attempt, or a timer that may come first.

        Each attempt opens in a task of its own.
        """
        if not self._handles:
            await asyncio.sleep(max(0.0, until_s - self.engine.now_s()))
            return Timer(self.engine.now_s())
        tasks = self._tasks
        for handle, attempt in self._handles.items():
            if handle not in tasks:
                tasks[handle] = asyncio.create_task(attempt.open())
        await asyncio.wait(
            tasks.values(),
            timeout=max(0.0, until_s - self.engine.now_s()),
            return_when=asyncio.FIRST_COMPLETED,
        )
        for handle, task in tasks.items():
            if task.done():
                del tasks[handle]
                return self._opened(self._handles[handle], task.result())
        return Timer(self.engine.now_s())

    def _opened(self, attempt: Attempt, failure: Failure | None) -> Ready | Failed:
        engine = self.engine
        handle = attempt.handle
        now_s = engine.now_s()
        if failure is not None:
            return Failed(now_s, handle, self._book(handle, failure, now_s))
        engine.board.commit(attempt.hold, now_s)
        return Ready(now_s, handle)

    # Relay

    def _relayed(self, attempt: Attempt, failure: Failure | None, lost: tuple[Outcome, ...]) -> Ended:
        if failure is None and self.copy:
            self.keep(b"".join(self.copy))
        now_s = self.engine.now_s()
        return Ended(now_s, self._book(attempt.handle, failure, now_s), lost)

    def headers(self, attempt: Attempt, answered: HeaderMap, *more: Header) -> HeaderLines:
        """What the caller is told beside the answer. `answered`: the provider's own headers; `more`: what says how the answer is written."""
        lines = b"x-understudy-decision: %b\r\nx-understudy-attempts: %d\r\n%b" % (
            self.decision.id.encode(),
            attempt.start.number,
            self.engine.told(attempt.entry, more),
        )
        if attempt.cached:
            lines += b"x-understudy-cache: stale\r\n"
        if attempt.dropped:
            lines += field_lines([(b"x-understudy-dropped", listed(attempt.dropped))])
        if not answered.keys() <= USUAL:
            theirs = [each for each in answered.items() if each[0].startswith(PASS_BACK) or each[0] in REQUEST_IDS]
            lines += field_lines(theirs)
        return HeaderLines(lines)

    def keep(self, answered: bytes) -> None:
        """Remember what the caller was given, where the route may want it again."""
        if self.copy is not None:
            self.engine.keep(self, answered)

    # Ends

    def _book(self, handle: int, failure: Failure | None, now_s: float) -> Outcome:
        """One Outcome per attempt: the scoreboard learns before the walk resumes, everyone else from the event."""
        attempt = self._handles.pop(handle)
        task = self._tasks.pop(handle, None) if self._tasks else None
        if task is not None:
            task.cancel()
        attempt.close()
        outcome = attempt.outcome(failure, now_s)
        self.attempts.append(outcome)
        engine = self.engine
        engine.board.settle(attempt.hold, outcome, now_s)
        if engine.events.hears(AttemptEnded):
            engine.events.emit(AttemptEnded(self.decision.id, outcome))
        return outcome

    def _let_go(self, besides: int = 0) -> tuple[Outcome, ...]:
        """Cancel what is still open: a race lost, or a caller gone. It implicates nobody and gives its places back."""
        kind, now_s = self._why_dropped(), self.engine.now_s()
        open_ = [handle for handle in self._handles if handle != besides]
        return tuple([self._book(handle, Failure(kind, TOLD[kind]), now_s) for handle in open_])

    def _why_dropped(self) -> FailureKind:
        """Why open attempts end now. In the library, whoever cancels a request tells nobody else."""
        left = self.sink.left
        if left is not None:
            return left
        return FailureKind.CLIENT_LEFT if self._cancelled else FailureKind.LOST_RACE


TOLD = {
    FailureKind.LOST_RACE: "another attempt answered first",
    FailureKind.CLIENT_LEFT: "the client closed the connection",
    FailureKind.DRAINING: "the server is shutting down",
}

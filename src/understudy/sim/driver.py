"""Performs walks in virtual time: many requests at once, interleaved by one agenda, on one scoreboard.

What the engine does on sockets happens here as arithmetic on plans and timelines, with places held, committed and settled at
the same points. Requests meet only through the scoreboard and the world, as they do in a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush
from math import inf

from understudy.core.action import (
    Ended,
    Failed,
    Held,
    Next,
    Ready,
    Refused,
    Relay,
    Reply,
    Reserve,
    Start,
    Started,
    Timer,
)
from understudy.core.action import Walk as Steps
from understudy.core.candidate import Entry
from understudy.core.decision import Decision
from understudy.core.dice import Dice, label_of
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Billing, Outcome, Purpose, Result
from understudy.core.plan import RoutePlan
from understudy.core.track import Hold
from understudy.core.usage import Usage
from understudy.core.walk import walk
from understudy.faults import Plan, Timeline
from understudy.sim.figures import Figures, figures_of
from understudy.sim.invariants import Moment, Seen, Step, check
from understudy.sim.probing import TICK_S, Prober
from understudy.sim.scenario import CACHE, Arrival, Order, Scenario
from understudy.sim.truth import was_possible
from understudy.sim.watch import Taken, WatchedBoard
from understudy.sim.world import UNSENT, World, bounded, failure_of

DIALECT = "openai_chat"


class Play:
    """One attempt under way. `plan`, `seen`: what it meets and how it looks from here. `surely`: it cannot fail by itself."""

    __slots__ = (
        "committed", "entry", "first_content_s", "hold", "number", "plan", "purpose", "seen", "started_s", "surely", "taken",
        "until_s",
    )  # fmt: skip

    def __init__(self, action: Start, hold: Hold, taken: Taken, now_s: float) -> None:
        self.entry: Entry = action.entry
        self.number = action.number
        self.purpose: Purpose = action.purpose
        self.until_s = action.until_s
        self.started_s = now_s
        self.hold = hold
        self.taken = taken
        self.plan = Plan()
        self.seen = Timeline(headers_s=0.0, content_s=0.0, ended_s=0.0, chunks=1, failure=None)
        self.surely = False
        self.committed = False
        self.first_content_s: float | None = None

    def opens_at_s(self) -> float:
        """When its first content is here, or it has failed without."""
        seen = self.seen
        return self.started_s + (seen.content_s if seen.content_s < inf else seen.ended_s)


class Request:
    """One request on its way through its walk."""

    __slots__ = ("arrival", "decision", "hold", "over", "plan", "plays", "seen", "steps", "taken", "wake")

    def __init__(self, arrival: Arrival, plan: RoutePlan, decision: Decision, seen: Seen, steps: Steps) -> None:
        self.arrival = arrival
        self.plan = plan
        self.decision = decision
        self.seen = seen
        self.steps = steps
        self.plays: dict[int, Play] = {}
        self.hold: Hold | None = None
        self.taken: Taken | None = None
        self.wake = 0  # what it waits for; an agenda's line with an older number is void
        self.over = False


class Simulation:
    """One scenario, performed. Raises `invariants.Broken` at the step where something does not hold."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now_s = 0.0
        self.board = WatchedBoard()
        self.world = World(scenario.faults, scenario.seed)
        self.plans = scenario.plans(self.board)
        self.requests: list[Request] = []
        self.events = 0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._lines = 0
        self._known: set[tuple[str, int]] = set()  # questions that a route has answered: its stale cache
        dice = Dice(scenario.seed)
        self._dice = dice.fork(label_of("decisions"))
        look = dice.fork(label_of("probes"))
        self.prober = Prober(self.board, self.world, self._at, scenario.targets, scenario.health, scenario.ways, look)

    def run(self) -> Figures:
        """From the first arrival until nothing is left on the agenda."""
        for arrival in self.scenario.arrivals:
            self._at(arrival.at_s, lambda arrival=arrival: self._arrive(arrival))  # type: ignore[misc]
        for order in self.scenario.orders:
            self._at(order.at_s, lambda order=order: self._order(order))  # type: ignore[misc]
        if self.prober.probes.ways:
            self._at(TICK_S, self._look)
        while self._agenda:
            at_s, _, happen = heappop(self._agenda)
            self.now_s = max(self.now_s, at_s)
            self.events += 1
            happen()
        if self.requests:
            check(Moment.CURTAIN, Step(now_s=self.now_s, board=self.board, seen=self.requests[-1].seen))
        return self._figures()

    def _at(self, at_s: float, happen: Callable[[], None]) -> None:
        self._lines += 1
        heappush(self._agenda, (at_s, self._lines, happen))

    def _order(self, order: Order) -> None:
        self.board.operate(order.target, order.word, self.now_s)

    def _look(self) -> None:
        if len(self._agenda) > self.prober.out:  # probes alone would keep the evening going for ever
            self.prober.look(self.now_s)
            self._at(self.now_s + TICK_S, self._look)

    # A request

    def _arrive(self, arrival: Arrival) -> None:
        plan = self.plans[arrival.route]
        number = len(self.requests) + 1
        decision = Decision(
            number, f"d{number}", plan.name, plan.version, arrival.needs, DIALECT, self._dice.next(), self.now_s
        )
        limit_s = plan.policy.deadline_s
        deadline_s = self.now_s + (limit_s if arrival.deadline_s is None else min(limit_s, arrival.deadline_s))
        steps = walk(plan, decision, self.board, self.now_s, deadline_s)
        request = Request(arrival, plan, decision, Seen(plan, decision, deadline_s), steps)
        self.requests.append(request)
        self.board.retry_budget.deposit()
        if arrival.leaves_after_s is not None:
            self._at(self.now_s + arrival.leaves_after_s, lambda: self._leave(request))
        self._go_on(request, None)

    def _go_on(self, request: Request, reply: Reply | None) -> None:
        """Do what the walk asks until it must wait, or is over."""
        request.wake += 1
        try:
            action = next(request.steps) if reply is None else request.steps.send(reply)
            while True:
                if isinstance(action, Reserve):
                    action = request.steps.send(self._reserve(request, action))
                elif isinstance(action, Start):
                    action = request.steps.send(self._start(request, action))
                elif isinstance(action, Next):
                    self._next(request, action.until_s)
                    return
                else:
                    self._relay(request, action)
                    return
        except StopIteration as done:
            result: Result = done.value
            lost = self._let_go(request, FailureKind.LOST_RACE)
            self._end(request, replace(result, attempts=result.attempts + lost) if lost else result)

    def _reserve(self, request: Request, action: Reserve) -> Held | Refused:
        entry = action.entry
        if entry.target.provider == CACHE and (request.plan.name, request.arrival.question) not in self._known:
            request.seen.refusals.append(entry.target.name)
            return Refused(self.now_s, FailureKind.NO_TARGET, None)
        request.hold = hold = self.board.hold(entry.slot, request.arrival.needs.tokens_in, self.now_s)
        request.taken = self.board.last
        return Held(self.now_s, bool(hold.tests[entry.breaker]))

    def _start(self, request: Request, action: Start) -> Started:
        assert request.hold is not None
        assert request.taken is not None
        play = Play(action, request.hold, request.taken, self.now_s)
        request.hold = None
        request.seen.started.append(action.entry)
        check(
            Moment.ATTEMPT,
            Step(
                now_s=self.now_s,
                board=self.board,
                seen=request.seen,
                taken=play.taken,
                entry=action.entry,
                purpose=action.purpose,
            ),
        )
        target = action.entry.target
        if not target.stand_in:
            timeouts = request.plan.policy.timeouts
            play.plan, danger = self.world.meet(target, request.arrival.needs, self.now_s, request.arrival.pieces)
            patient = play.plan.timeline(timeouts)
            play.seen = play.plan.timeline(bounded(timeouts, max(0.0, action.until_s - self.now_s)))
            in_time = self.now_s + patient.ended_s <= request.seen.deadline_s
            play.surely = danger == 0.0 and patient == play.seen and in_time and not _slow(play.plan, patient)
        handle = len(request.seen.started)
        request.plays[handle] = play
        return Started(self.now_s, handle)

    def _next(self, request: Request, until_s: float) -> None:
        """Wake the walk at the first thing that happens to an open attempt, or at `until_s`."""
        wake = request.wake
        first = min(request.plays.items(), key=lambda item: item[1].opens_at_s(), default=None)
        if first is not None and first[1].opens_at_s() <= until_s:
            handle, play = first
            self._at(play.opens_at_s(), lambda: self._opened(request, wake, handle))
        else:
            self._at(until_s, lambda: self._timer(request, wake))

    def _timer(self, request: Request, wake: int) -> None:
        if request.wake == wake:
            self._go_on(request, Timer(self.now_s))

    def _opened(self, request: Request, wake: int, handle: int) -> None:
        if request.wake != wake:
            return
        play = request.plays[handle]
        if play.seen.content_s < inf:
            play.first_content_s = self.now_s
            self.board.commit(play.hold, self.now_s)
            self._go_on(request, Ready(self.now_s, handle))
        else:
            failure = failure_of(play.plan, play.seen, self.now_s)
            self._go_on(request, Failed(self.now_s, handle, self._book(request, handle, failure)))

    def _relay(self, request: Request, action: Relay) -> None:
        play = request.plays[action.handle]
        lost = self._let_go(request, FailureKind.LOST_RACE, besides=action.handle)
        play.committed = True
        wake = request.wake
        ends_s = play.started_s + play.seen.ended_s
        self._at(
            min(ends_s, max(action.until_s, self.now_s)),
            lambda: self._ended(request, wake, action.handle, ends_s, lost),
        )

    def _ended(self, request: Request, wake: int, handle: int, ends_s: float, lost: tuple[Outcome, ...]) -> None:
        if request.wake != wake:
            return
        play = request.plays[handle]
        failure = failure_of(play.plan, play.seen, self.now_s)
        if ends_s > self.now_s:
            failure = Failure(FailureKind.DEADLINE, "the deadline passed while the answer was streaming", status=200)
        if failure is None:
            self._known.add((request.plan.name, request.arrival.question))
        outcome = self._book(request, handle, failure)
        self._go_on(request, Ended(self.now_s, outcome, lost))

    # Ends

    def _leave(self, request: Request) -> None:
        """The caller goes away: everything open is booked, nothing more is asked."""
        if request.over:
            return
        request.wake += 1
        request.seen.left = True
        request.steps.close()
        self._let_go(request, FailureKind.CLIENT_LEFT)
        result = Result(
            decision=request.decision.id,
            route=request.plan.name,
            attempts=tuple(request.seen.outcomes),
            winner=None,
            failure=Failure(FailureKind.CLIENT_LEFT, "the client closed the connection"),
            degraded=False,
            started_s=request.decision.started_s,
            ended_s=self.now_s,
        )
        self._end(request, result)

    def _let_go(self, request: Request, kind: FailureKind, besides: int = 0) -> tuple[Outcome, ...]:
        open_ = [handle for handle in request.plays if handle != besides]
        return tuple([self._book(request, handle, Failure(kind, kind.value)) for handle in open_])

    def _book(self, request: Request, handle: int, failure: Failure | None) -> Outcome:
        play = request.plays.pop(handle)
        outcome = self._outcome(request, play, failure)
        request.seen.outcomes.append(outcome)
        self.board.settle(play.hold, outcome, self.now_s)
        check(
            Moment.BOOKED,
            Step(now_s=self.now_s, board=self.board, seen=request.seen, outcome=outcome, surely=play.surely),
        )
        return outcome

    def _outcome(self, request: Request, play: Play, failure: Failure | None) -> Outcome:
        target, needs = play.entry.target, request.arrival.needs
        answered = play.committed and failure is None and not target.stand_in
        sent = failure is None or failure.kind not in UNSENT
        refused = failure is not None and failure.status is not None and failure.status >= 400
        billing = (
            Billing.YES if answered or play.committed else Billing.AMBIGUOUS if sent and not refused else Billing.NO
        )
        usage = Usage(input=needs.tokens_in, output=play.seen.chunks, estimated=not answered)
        return Outcome(
            number=play.number,
            target=target.name,
            tier=play.entry.tier,
            purpose=play.purpose,
            started_s=play.started_s,
            ended_s=self.now_s,
            failure=failure,
            first_content_s=play.first_content_s,
            committed=play.committed,
            stream=needs.stream,
            status=200 if failure is None else failure.status,
            usage=usage if play.committed and not target.stand_in else None,
            billing=Billing.NO if target.stand_in else billing,
        )

    def _end(self, request: Request, result: Result) -> None:
        request.over = True
        request.wake += 1
        request.seen.results.append(result)
        check(Moment.REQUEST, Step(now_s=self.now_s, board=self.board, seen=request.seen))

    def was_possible(self, request: Request) -> bool:
        """Whether some target that is not degraded was up for one whole attempt between the request's coming and its deadline."""
        return was_possible(self.world, request.seen, request.arrival.pieces)

    def _figures(self) -> Figures:
        total = Figures(seeds=1, events=self.events, virtual_s=self.now_s, opened=self.board.books.opened)
        total += Figures(probes=self.prober.count, probes_good=self.prober.good)
        for request in self.requests:
            total += figures_of(request.seen, possible=self.was_possible(request))
        return total


def _slow(plan: Plan, seen: Timeline) -> bool:
    """Whether it fails by the caller's own timeouts: slow is not down, but too slow is no answer either."""
    return seen.failure is not None and seen.failure.value.endswith("_timeout") and plan.trouble is None

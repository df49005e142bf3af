"""One request from top to bottom: tiers, targets, attempts, until one answers or nothing is left to try.

    1. every eligible target of the tiers that are not degraded, tier by tier, best first, each once;
    2. repeats after their backoff, and whoever recovers within `wait_max_s`;
    3. the degraded tiers;
    4. one panic attempt on the least bad target whose breaker is open;
    5. an error that names every attempt, with the earliest known recovery.

One attempt budget and one deadline cover all of it. Other targets, in whichever tier, always come before a wait: whoever
has a second target wants it now, not after a backoff.
"""

from __future__ import annotations

from collections.abc import Iterator

from understudy.core.action import (
    Ended,
    Failed,
    Held,
    Next,
    Ready,
    Refused,
    Relay,
    Reserve,
    Start,
    Started,
    Timer,
    Walk,
)
from understudy.core.candidate import Ask, Entry, Exclusion, Tried
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind, Then
from understudy.core.giving_up import earliest_recovery_s, summary
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.panic import least_bad
from understudy.core.plan import Round, RoutePlan, TierPlan, Visit
from understudy.core.resilience.backoff import delay_s, repeats
from understudy.core.scoreboard import Scoreboard
from understudy.core.select import choose, dice_of

KEEP_S = 10.0
"""What every target still to be tried keeps of the deadline, or its equal share where that is less: long enough for an
answer to begin, short enough that the first target may use nearly all of a long deadline."""

LOTS = 0x1_0000
"""Of which one is drawn for a turn: so many that no number of targets is favoured."""

_NOBODY: dict[int, Tried] = {}  # never changed, like every other: `remember` makes a new one
_FIRST = Purpose.FIRST  # a member looked up on its class costs ten times as much, and every request asks


def walk(plan: RoutePlan, decision: Decision, board: Scoreboard, now_s: float, deadline_s: float) -> Walk:
    """Walk one request along its route. `deadline_s`: monotonic; nothing is begun or waited for beyond it."""
    return Trip(plan, decision, board, now_s, deadline_s).go()


class Trip:
    """What one walk has done so far, and the steps it is made of."""

    __slots__ = (
        "attempts",
        "attempts_left",
        "begun",
        "board",
        "deadline_s",
        "decision",
        "excluded",
        "hedges",
        "larger_than",
        "looked_s",
        "now_s",
        "open",
        "others",
        "panics",
        "passed_over",
        "plan",
        "tried",
        "verdict",
        "waiting_since_s",
        "wake_s",
    )

    def __init__(self, plan: RoutePlan, decision: Decision, board: Scoreboard, now_s: float, deadline_s: float) -> None:
        self.plan = plan
        self.decision = decision
        self.board = board
        self.now_s = now_s
        self.deadline_s = deadline_s
        self.attempts: list[Outcome] = []
        self.attempts_left = plan.policy.attempts_max
        self.begun = 0
        self.open: dict[int, Entry] = {}  # by handle: who was asked and has neither answered nor failed
        self.panics = False
        self.hedges = False  # a second attempt is paid for and has not begun
        self.others = 0  # how many may be asked after the one that is asked now
        self.tried = _NOBODY
        self.excluded: dict[str, Exclusion] = {}  # by target: its latest exclusion
        self.larger_than: int | None = None
        self.waiting_since_s: float | None = None
        self.looked_s = now_s  # when the present round over the tiers began
        self.wake_s = now_s
        self.passed_over = False  # someone eligible was not asked, to keep an attempt for a later tier
        self.verdict: Failure | None = None  # a failure after which nothing else may be tried

    # Steps

    def go(self) -> Walk:
        """Ask one after another until somebody answers, or nobody is left."""
        for entry in self.calls():
            if entry is not None:
                place: Held | Refused = yield Reserve(entry, self.panics)
                self.now_s = place.now_s
                if isinstance(place, Refused):
                    self.refused(entry, place)
                    continue
                begun: Started = yield self.start(entry, test=place.test)
                self.now_s = begun.now_s
                self.open[begun.handle] = entry
            news: Ready | Failed | Timer = yield Next(self.wake_s)
            self.now_s = news.now_s
            if isinstance(news, Ready):
                # From here on the caller sees it: whatever happens now, this attempt is the answer.
                winner = self.open[news.handle]
                told: Ended = yield Relay(news.handle, self.deadline_s)
                self.now_s = told.now_s
                self.attempts.extend(told.lost)
                return self.answered(winner, told.outcome)
            if isinstance(news, Failed):
                if not self.goes_on(self.open.pop(news.handle), news.outcome):
                    break
            elif self.now_s >= self.deadline_s:
                break  # the engine books what is still open
        return self.give_up()

    def itinerary(self) -> Iterator[Visit | None]:
        """The order of trying, as far as it is asked for. None: a wait until `wake_s`, nothing being open."""
        plan = self.plan
        yield from plan.once.visits
        yield from self.leftovers(plan.once)
        if any(out.reason == "health" for out in self.excluded.values()):
            yield from plan.again.visits  # who is only getting worse is better than a wait
        while (wake_s := self.next_recovery_s()) is not None:
            if wake_s > self.now_s:
                self.wake_s = wake_s
                if self.waiting_since_s is None:
                    self.waiting_since_s = self.now_s
                yield None
            self.looked_s = self.now_s
            for each in (plan.once, plan.again):
                yield from each.visits
                yield from self.leftovers(each)
        yield from plan.stand_ins.visits
        yield from self.leftovers(plan.stand_ins)
        yield from self.leftovers(plan.last)

    def leftovers(self, after: Round) -> tuple[Visit, ...]:
        """Visits to those who were passed over, if there are attempts left for them."""
        return after.leftovers if self.passed_over and self.attempts_left > after.kept else ()

    def calls(self) -> Iterator[Entry | None]:
        """Whom to ask, one after another, while nobody answers. None: nobody now, something may happen until `wake_s`."""
        for visit in self.itinerary():
            if visit is None:
                yield None
                continue
            first = visit.first
            while (entry := self.choose(visit, first=first)) is not None:
                first = False
                yield entry
                if self.open:  # it is slower than nearly all before it, so that a second one may begin
                    yield self.second()
                while self.open:
                    self.wake_s = self.deadline_s
                    yield None
        entry = self.in_panic()
        if entry is not None:
            self.panics = True
            yield entry

    def start(self, entry: Entry, *, test: bool) -> Start:
        """An attempt in the place just held."""
        if not entry.target.stand_in:
            self.attempts_left -= 1
        self.begun = number = self.begun + 1
        purpose = self.purpose(entry, test=test)
        hedge = self.plan.policy.hedge
        self.wake_s = self.deadline_s
        if hedge is not None:
            if self.hedges:
                self.hedges = False
            elif not (self.panics or entry.degraded):
                self.board.hedge_budget(self.plan.name, hedge).deposit()
                self.wake_s = min(self.deadline_s, self.now_s + self.board.patience_s(entry.slot, hedge))
        return Start(entry, number, entry.tier, purpose, self.share_until_s(0 if self.panics else self.others))

    # Judgement

    def choose(self, visit: Visit, *, first: bool) -> Entry | None:
        """The tier's best target that may be asked now, chosen anew after each failure: it may have changed the standings.

        `first`: nobody has been asked on this visit, so that an attempt may come out of those that are kept.
        """
        if self.now_s >= self.deadline_s:
            return None
        order = self.order(visit)
        self.others = visit.kept + len(order) - 1
        return self.affordable(order, visit.kept, first=first)

    def second(self) -> Entry | None:
        """Whom to ask beside the one that is open: the next best that nobody asked, if the budgets allow it."""
        self.wake_s = self.deadline_s
        hedge = self.plan.policy.hedge
        assert hedge is not None  # otherwise nothing is open while others are asked
        asked = [entry.slot for entry in self.open.values()]
        for visit in self.plan.once.visits:
            for entry in self.order(visit):
                if entry.slot not in asked and self.attempts_left > visit.kept:
                    self.hedges = self.board.hedge_budget(self.plan.name, hedge).withdraw()
                    return entry if self.hedges else None
        return None

    def order(self, visit: Visit) -> tuple[Entry, ...]:
        """The tier's targets that may be asked now, best first. It becomes part of the decision."""
        tier, board = visit.tier, self.board
        turn = self.turn(tier) if len(tier.entries) > 1 else 0
        order, excluded = choose(tier, self.plan, self.ask(turn, repeat=visit.repeat), board.standings, self.decision)
        for out in excluded:
            self.excluded[out.target] = out
        return order

    def turn(self, tier: TierPlan) -> int:
        """Whose turn it is in a tier. A request's later choices there draw lots.

        Counted like its first one, they would take the turns of other requests: where each chooses twice, every second turn is
        gone, and the same target comes first each time.
        """
        choices = self.decision.choices
        if choices and any(choice.tier is tier for choice in choices):
            return dice_of(self.decision, len(choices)).fork(LOTS).below(LOTS)
        return self.board.turn(tier.rotation)

    def in_panic(self) -> Entry | None:
        """Whom to ask when every breaker is open and nothing else is left, if the budgets allow it."""
        entry = least_bad(self)
        if entry is None or self.attempts_left < 1 or self.now_s >= self.deadline_s:
            return None
        return entry if self.board.retry_budget.withdraw(self.now_s) else None

    def ask(self, turn: int, *, repeat: bool) -> Ask:
        """What a choice made now depends on, besides the candidates."""
        decision = self.decision
        return Ask(
            decision.needs,
            decision.dialect,
            self.now_s,
            dice_of(decision, len(decision.choices)),
            turn,
            self.tried,
            repeat,
            self.larger_than,
            decision.session,
            decision.principal,
            self.board.sessions.warm(decision.session, self.now_s) if self.plan.sessions else None,
            decision.budget_left,
        )

    def affordable(self, order: tuple[Entry, ...], kept: int, *, first: bool) -> Entry | None:
        """The best target that the attempt budget still allows. Stand-ins are free; a tier's first attempt needs no surplus."""
        for entry in order:
            if self.attempts_left > (0 if first else kept) or entry.target.stand_in:
                return entry
            self.passed_over = True
        return None

    def share_until_s(self, others: int) -> float:
        """By when an attempt must have begun to answer, so that `others` keep their share of the time."""
        left_s = self.deadline_s - self.now_s
        return self.deadline_s - others * min(KEEP_S, left_s / (others + 1))

    def purpose(self, entry: Entry, *, test: bool) -> Purpose:
        """Why this attempt is made."""
        if self.panics:
            return Purpose.PANIC
        if test:
            return Purpose.TEST
        if self.open:
            return Purpose.HEDGE
        if entry.slot in self.tried:
            return Purpose.RETRY
        return Purpose.FALLBACK if self.attempts else _FIRST

    def refused(self, entry: Entry, reply: Refused) -> None:
        """The place was gone before it could be taken: as if it had never been eligible, and nothing was spent on it."""
        hedge = self.plan.policy.hedge
        if self.hedges and hedge is not None:
            self.hedges = False
            self.board.hedge_budget(self.plan.name, hedge).give_back()
        elif self.panics:
            self.board.retry_budget.give_back(self.now_s)
        name = entry.target.name
        self.excluded[name] = Exclusion(name, reply.kind.value, "refused", reply.until_s)
        before = self.tried.get(entry.slot)
        not_before_s = reply.until_s if reply.until_s is not None else self.deadline_s
        self.remember(entry, Tried(before.attempts if before else 0, not_before_s, reply.until_s is None, reply.kind))

    def goes_on(self, entry: Entry, outcome: Outcome) -> bool:
        """Whether a failure before the commit allows anything else: the failure table's word."""
        self.attempts.append(outcome)
        failure = outcome.failure
        assert failure is not None
        then = failure.then
        if failure.kind is FailureKind.CONTENT_FILTER and self.plan.policy.elsewhere_when_filtered:
            then = Then.ELSEWHERE
        if then is Then.STOP:
            self.verdict = failure
            return False
        if then is Then.LARGER:
            window = entry.target.context_tokens or self.decision.needs.tokens_in
            self.larger_than = max(self.larger_than or 0, window)
        retry = entry.target.retry or self.plan.policy.retry
        before = self.tried.get(entry.slot)
        count = before.attempts if before else 0
        final = then is not Then.OTHER or count >= repeats(retry)
        not_before_s = self.now_s
        if not final:
            not_before_s += max(
                delay_s(retry, count, dice_of(self.decision, -1 - len(self.attempts))), failure.retry_after_s or 0.0
            )
        self.remember(entry, Tried(count + 1, not_before_s, final, failure.kind))
        return True

    def remember(self, entry: Entry, tried: Tried) -> None:
        """A new dictionary each time: a Decision keeps the old one."""
        self.tried = {**self.tried, entry.slot: tried}

    def next_recovery_s(self) -> float | None:
        """When something may become eligible again, if waiting for it is allowed.

        Backoffs up to the deadline, recoveries within `wait_max_s` of the first wait. Now, if it may have become so while
        someone else was asked.
        """
        if self.attempts_left <= self.plan.once.kept:
            return None
        since_s = self.now_s if self.waiting_since_s is None else self.waiting_since_s
        bound_s = min(self.deadline_s, since_s + self.plan.policy.wait_max_s)
        earliest_s: float | None = None
        for tier in self.plan.normal:
            for entry in tier.entries:
                out = self.excluded.get(entry.target.name)
                tried = self.tried.get(entry.slot)
                if out is None or (tried is not None and tried.final):
                    continue
                lifted = out.reason in tier.passing if out.until_s is None else out.until_s <= self.now_s
                if lifted and self.looked_s < self.now_s < self.deadline_s:
                    return self.now_s
                if out.until_s is None:
                    continue
                latest_s = self.deadline_s if out.reason == "tried" else bound_s
                if self.now_s < out.until_s < latest_s and (earliest_s is None or out.until_s < earliest_s):
                    earliest_s = out.until_s
        return earliest_s

    # Ends

    def answered(self, entry: Entry, outcome: Outcome) -> Result:
        """The caller has seen this attempt's answer: whole, or as far as it came."""
        self.attempts.append(outcome)
        session = self.decision.session
        if session and self.plan.sessions and not entry.target.stand_in:
            self.board.sessions.answered(session, entry.slot, self.decision.needs.tokens_in, self.now_s)
        return self.result(outcome, outcome.failure, degraded=entry.degraded)

    def failures(self) -> list[Failure]:
        """What speaks about why nobody answered, in the order in which it happened."""
        return [outcome.failure for outcome in self.attempts if outcome.failure is not None]

    def give_up(self) -> Result:
        """No answer: the failure that the caller is shown."""
        failure = self.verdict or summary(self)
        return self.result(None, failure, degraded=False)

    def result(self, winner: Outcome | None, failure: Failure | None, *, degraded: bool) -> Result:
        """The one Result of this request."""
        retry_at_s = None if winner is not None else earliest_recovery_s(self)
        return Result(  # in the order of its fields: every request makes one
            self.decision.id,
            self.plan.name,
            tuple(self.attempts),
            winner,
            failure,
            degraded,
            self.decision.started_s,
            self.now_s,
            retry_at_s,
        )

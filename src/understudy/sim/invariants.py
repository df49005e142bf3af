"""What must hold at every step, whatever the providers do: one function and one sentence each.

An invariant is asked at its moment and answers what is wrong, or None. It reads the watched board's books, the records of the
driver and the world's truth; never the state that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from understudy.core.candidate import Entry
from understudy.core.decision import Decision
from understudy.core.failure import Then
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.plan import RoutePlan
from understudy.core.resilience.breaker import Admission
from understudy.core.select import replay
from understudy.core.value import keyword_value, value
from understudy.sim.watch import Taken, WatchedBoard, admitted

EPSILON_S = 1e-6


class Moment(StrEnum):
    """When an invariant is asked."""

    ATTEMPT = "attempt"  # an attempt begins
    BOOKED = "booked"  # an attempt is over
    REQUEST = "request"  # a request is over
    CURTAIN = "curtain"  # everything is over


class Seen:
    """One request as it was seen from outside. `left`: the caller went away. `refusals`: targets that had no place."""

    __slots__ = ("deadline_s", "decision", "left", "outcomes", "plan", "refusals", "results", "started", "tested")

    def __init__(self, plan: RoutePlan, decision: Decision, deadline_s: float) -> None:
        self.plan = plan
        self.decision = decision
        self.deadline_s = deadline_s
        self.outcomes: list[Outcome] = []
        self.results: list[Result] = []
        self.started: list[Entry] = []
        self.refusals: list[str] = []
        self.left = False

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Every entry of the route, with its tier's number."""
        for tier in self.plan.tiers:
            for entry in tier.entries:
                yield tier.number, entry

    @property
    def paid(self) -> int:
        """Attempts begun that count."""
        return sum(not entry.target.stand_in for entry in self.started)


@keyword_value
class Step:
    """What an invariant looks at. `taken`, `entry`, `purpose`: the attempt that begins. `outcome`: the one that is over.

    `surely`: the world's truth about that one: it met a provider that was up and had all the time it needed.
    """

    now_s: float
    board: WatchedBoard
    seen: Seen
    taken: Taken | None = None
    entry: Entry | None = None
    purpose: Purpose = Purpose.FIRST
    outcome: Outcome | None = None
    surely: bool = False


@value
class Invariant:
    """One thing that must hold. `broken`: what is wrong at this step, None when all is well."""

    name: str
    sentence: str
    moment: Moment
    broken: Callable[[Step], str | None]


def _breaker(step: Step) -> str | None:
    assert step.taken is not None
    assert step.entry is not None
    return admitted(step.taken, step.entry.breaker, step.purpose)


def _tests(step: Step) -> str | None:
    taken, entry = step.taken, step.entry
    assert taken is not None
    assert entry is not None
    if step.purpose is not Purpose.TEST:
        return None
    out, most = taken.tests_out[entry.breaker], step.seen.plan.policy.breaker.half_open
    return f"{out} tests of {most} were out already" if out >= most else None


def _cool_down(step: Step) -> str | None:
    assert step.taken is not None
    until_s = step.taken.rests_until_s
    if step.taken.target.stand_in or step.now_s >= until_s - EPSILON_S:
        return None
    return f"it rests until {until_s:.3f}"


def _limits(step: Step) -> str | None:
    assert step.taken is not None
    most = step.taken.target.limits.in_flight
    held = sum(taken.slot == step.taken.slot for taken in step.board.books.out.values())
    return f"{held} of {most} are in flight" if most is not None and held > most else None


def _attempts(step: Step) -> str | None:
    paid, most = step.seen.paid, step.seen.plan.policy.attempts_max
    return f"attempt {paid} of {most}" if paid > most else None


def _begins_in_time(step: Step) -> str | None:
    late_s = step.now_s - step.seen.deadline_s
    return f"it begins {late_s:.3f} s after the deadline" if late_s >= 0 else None


def _degraded_last(step: Step) -> str | None:
    """Asked again at the same instant: what the last choice of its tier offered, and still could be asked."""
    seen, entry = step.seen, step.entry
    assert entry is not None
    if not entry.degraded or step.purpose is Purpose.PANIC:
        return None
    before = seen.paid - (not entry.target.stand_in)
    kept = sum(tier.paid for tier in seen.plan.degraded)
    if before >= seen.plan.policy.attempts_max - kept:
        return None
    passed_over = [one.target.name for _, one in left_over(step) if not one.degraded]
    return f"{', '.join(passed_over)} could have been asked instead of a stand-in" if passed_over else None


def _no_fallback(step: Step) -> str | None:
    final = [one for one in step.seen.outcomes if one.failure is not None and one.failure.then is Then.STOP]
    return f"after {final[0].target} said that the caller was wrong" if final else None


def _numbered(step: Step) -> str | None:
    numbers = [outcome.number for outcome in step.seen.outcomes]
    proper = len(set(numbers)) == len(numbers) and min(numbers) > 0 and max(numbers) <= len(step.seen.started)
    if step.seen.plan.policy.hedge is None:  # otherwise a later attempt may end before an earlier one
        proper = proper and numbers == sorted(numbers)
    return None if proper else f"outcomes are numbered {numbers}"


def _once_at_a_time(step: Step) -> str | None:
    over = [outcome.number for outcome in step.seen.outcomes]
    slots = [entry.slot for number, entry in enumerate(step.seen.started, 1) if number not in over]
    if len(slots) > 1 and step.seen.plan.policy.hedge is None:
        return f"{len(slots)} attempts are open on a route that does not hedge"
    return None if len(slots) == len(set(slots)) <= 2 else f"open are attempts at {slots}"


def _truth(step: Step) -> str | None:
    assert step.outcome is not None
    failure = step.outcome.failure
    if step.surely and failure is not None and failure.implicates.value not in {"nobody", "caller"}:
        return f"{step.outcome.target} was up and is booked as {failure.kind.value}"
    return None


def _trips(step: Step) -> str | None:
    complaints = step.board.books.complaints
    return complaints[0] if complaints else None


def _one_result(step: Step) -> str | None:
    seen = step.seen
    if len(seen.results) != 1:
        return f"it has {len(seen.results)} results"
    if len(seen.outcomes) != len(seen.started):
        return f"{len(seen.started)} attempts have {len(seen.outcomes)} outcomes"
    attempts = seen.results[0].attempts
    same = len(attempts) == len(seen.outcomes) and all(
        one is other for one, other in zip(attempts, seen.outcomes, strict=True)
    )
    return None if same else "its result names other attempts than were booked"


def _ends_in_time(step: Step) -> str | None:
    late_s = step.now_s - step.seen.deadline_s
    return f"it ends {late_s:.6f} s after its deadline" if late_s > EPSILON_S else None


def _labelled(step: Step) -> str | None:
    result = step.seen.results[-1]
    if result.winner is None:
        return "no answer, yet degraded" if result.degraded else None
    expected = step.seen.started[result.winner.number - 1].degraded
    return None if result.degraded is expected else f"degraded is {result.degraded}, its entry says {expected}"


def _winner(step: Step) -> str | None:
    result = step.seen.results[-1]
    shown = [outcome for outcome in step.seen.outcomes if outcome.committed]
    if result.winner is None:
        if shown and not step.seen.left:
            return "the caller saw content, and nobody won"
        return None if result.failure is not None else "neither an answer nor a failure"
    if shown != [result.winner]:
        return f"{len(shown)} attempts were shown to the caller"
    if result.winner is not result.attempts[-1]:
        return "something was begun after the answer"
    return None if result.failure == result.winner.failure else "the result hides how its answer ended"


def _replays(step: Step) -> str | None:
    differences = replay(step.seen.decision, step.seen.plan)
    return differences[0] if differences else None


def _found(step: Step) -> str | None:
    """Nobody whom the last choice of its tier offered, and who may still be asked, is left over."""
    seen = step.seen
    over = seen.left or seen.results[-1].winner is not None or step.now_s >= seen.deadline_s - EPSILON_S
    if over or _no_fallback(step) is not None:
        return None
    budget = seen.paid < seen.plan.policy.attempts_max
    waiting = [entry.target.name for _, entry in left_over(step) if budget or entry.target.stand_in]
    return f"it gave up though {', '.join(waiting)} could be asked" if waiting else None


def left_over(step: Step) -> Iterator[tuple[int, Entry]]:
    """Entries that this request never asked, that their tier's last choice offered, and that may be asked now."""
    seen = step.seen
    asked = {entry.slot for entry in seen.started}
    last = {choice.tier.number: choice for choice in seen.decision.choices}
    for number, entry in seen.entries():
        if entry.slot in asked or entry.target.name in seen.refusals:
            continue
        choice = last.get(number)
        offered = choice is None or entry.target.name in choice.order
        if offered and may_be_asked(step, entry):
            yield number, entry


def may_be_asked(step: Step, entry: Entry) -> bool:
    """Whether nothing speaks against it now: a second reading of eligibility, straight from the standing."""
    needs, target = step.seen.decision.needs, entry.target
    standing = step.board.standings[entry.slot]
    if (
        standing.breakers[entry.breaker].admission(step.now_s) is Admission.NO
        or standing.cool_down_until_s > step.now_s
    ):
        return False
    bounds = standing.bounds
    if bounds.in_flight is not None and standing.in_flight >= bounds.in_flight:
        return False
    for rate, empty_s, amount in (
        (bounds.requests, standing.requests_empty_s, 1.0),
        (bounds.tokens, standing.tokens_empty_s, needs.tokens_in),
    ):
        if rate is not None and rate.ready_s(empty_s, amount, step.now_s) > step.now_s:
            return False
    if any(feature in target.lacks for feature in needs.features):
        return False
    too_long = any(one.failure is not None and one.failure.then is Then.LARGER for one in step.seen.outcomes)
    return not too_long and (target.context_tokens is None or needs.tokens_in <= target.context_tokens)


def _nothing_held(step: Step) -> str | None:
    board = step.board
    if board.books.out:
        return f"{len(board.books.out)} places were never given back"
    for name in board.targets():
        standing = board.standing(name)
        if standing.in_flight:
            return f"{name} has {standing.in_flight} in flight"
        for index, view in enumerate(standing.breakers):
            most = board.books.settings[name, index].half_open
            if view.tests_free != most:
                return f"{name} has {view.tests_free} of {most} test slots free"
    return None


_AT, _BOOKED, _REQUEST, _CURTAIN = Moment.ATTEMPT, Moment.BOOKED, Moment.REQUEST, Moment.CURTAIN

# fmt: off
INVARIANTS: tuple[Invariant, ...] = (
    Invariant("breaker", "An open breaker gets only test and panic attempts, a forced-open one none.", _AT, _breaker),
    Invariant("tests", "A half-open breaker never has more tests out than `half_open`.", _AT, _tests),
    Invariant("cool_down", "Nothing begins at a target whose key, model, provider or self rests.", _AT, _cool_down),
    Invariant("limits", "No target has more in flight than the operator allows.", _AT, _limits),
    Invariant("attempts", "No request makes more attempts than `attempts_max`; stand-ins are free.", _AT, _attempts),
    Invariant("begins_in_time", "Nothing begins at or after the request's deadline.", _AT, _begins_in_time),
    Invariant("degraded_last", "No degraded target is asked while another could be, within the budget.", _AT, _degraded_last),
    Invariant("no_fallback", "The caller's own mistake is the end of its request.", _AT, _no_fallback),
    Invariant("numbered", "One outcome per attempt, numbered in order.", _BOOKED, _numbered),
    Invariant("once_at_a_time", "Two attempts are open at the most, where a route hedges, and at different targets.", _AT, _once_at_a_time),
    Invariant("truth", "An attempt at a provider that is up, with the time it needs, succeeds.", _BOOKED, _truth),
    Invariant("trips", "Enough failures in a row open a breaker; no place is given back twice.", _BOOKED, _trips),
    Invariant("one_result", "One result per request, naming exactly the attempts that were booked.", _REQUEST, _one_result),
    Invariant("ends_in_time", "No request outlives its deadline.", _REQUEST, _ends_in_time),
    Invariant("labelled", "An answer is labelled degraded exactly when its tier or target is.", _REQUEST, _labelled),
    Invariant("winner", "At most one attempt is shown to the caller: the last one, and the result says how it ended.", _REQUEST, _winner),
    Invariant("replays", "Every decision, made again, is the same bit for bit.", _REQUEST, _replays),
    Invariant("found", "Nobody gives up while attempts, time and an eligible target that was never asked remain.", _REQUEST, _found),
    Invariant("nothing_held", "In the end no place and no test slot is held.", _CURTAIN, _nothing_held),
)
# fmt: on

BY_MOMENT: dict[Moment, tuple[Invariant, ...]] = {
    moment: tuple(one for one in INVARIANTS if one.moment is moment) for moment in Moment
}


class Broken(Exception):
    """An invariant does not hold. The message says which, where, and what is wrong."""

    def __init__(self, invariant: Invariant, step: Step, what: str) -> None:
        where = f"{step.now_s:.6f} s, request {step.seen.decision.id}"
        super().__init__(f"{invariant.name}: {invariant.sentence} At {where}: {what}.")
        self.invariant = invariant
        self.step = step


def check(moment: Moment, step: Step) -> None:
    """Ask every invariant of this moment. Raises `Broken` for the first that does not hold."""
    for invariant in BY_MOMENT[moment]:
        what = invariant.broken(step)
        if what is not None:
            raise Broken(invariant, step, what)

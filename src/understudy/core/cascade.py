"""One request as a cascade: some cheap targets first, side by side; their answer is kept when it will do, else the route goes on.

    1. the drafts: every one of the cascade's targets that is eligible is asked, at the same time, and heard to its end;
    2. the judgement: two of them agree, or the trained gate says that the strong target would hardly do better: that answer is
       given to the caller, who has seen nothing until then;
    3. else the rest of the route, as in any other walk, whose answer is given; should nobody there answer, the best draft is.

Every draft is an Attempt like any other: it counts against the attempt budget, it has its Outcome and its cost. Only one row of the
failure table is read in another way for drafts: who drafts was our choice, and a cheap model may refuse what the others take (a longer
prompt, a parameter). So a caller's own mistake is one only when somebody else of the route says so, too.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from understudy.core.action import (
    Action,
    Drafted,
    Ended,
    Failed,
    Held,
    Next,
    Refused,
    Relay,
    Reserve,
    Start,
    Started,
    Timer,
    Walk,
)
from understudy.core.agreement import agreed, evidence
from understudy.core.candidate import Entry, Tried
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind, Implicates
from understudy.core.outcome import Outcome, Purpose, Result, Verdict
from understudy.core.plan import RoutePlan
from understudy.core.policy import Cascade
from understudy.core.scoreboard import Scoreboard
from understudy.core.walk import Trip


def cascade(plan: RoutePlan, decision: Decision, board: Scoreboard, now_s: float, deadline_s: float) -> Walk:
    """Walk one request along a route that has a cascade. Arguments as for `walk`."""
    settings = plan.policy.cascade
    assert settings is not None
    trip = _Drafts(plan, decision, board, now_s, deadline_s, settings)
    yield from trip.ask_all()
    handle = trip.judge()
    if handle is None:
        result = trip.give_up() if trip.stopped else (yield from trip.go())
        if result.winner is not None or trip.verdict is not None or not trip.drafts:
            return result
        handle = next(iter(trip.drafts))
    return (yield from trip.give(handle))


class _Draft:
    """One answer that nobody has seen yet. `place`: its target's in the cascade. `gist`: what it comes to. `written`: its tokens."""

    __slots__ = ("entry", "gist", "place", "written")

    def __init__(self, entry: Entry, place: int, gist: str | None, written: int) -> None:
        self.entry = entry
        self.place = place
        self.gist = gist
        self.written = written


class _Drafts(Trip):
    """What one cascade has done so far. `drafts`: by handle, in the order of the cascade once all are there."""

    __slots__ = ("cascade", "drafts", "outcome", "refusals", "stopped")

    def __init__(
        self, plan: RoutePlan, decision: Decision, board: Scoreboard, now_s: float, deadline_s: float, settings: Cascade
    ) -> None:
        super().__init__(plan, decision, board, now_s, deadline_s)
        self.cascade = settings
        self.drafts: dict[int, _Draft] = {}
        self.outcome = Verdict.NOT_ASKED
        self.refusals: list[Failure] = []  # drafts' failures that are the caller's mistake as far as they know
        self.stopped = False  # a draft's failure was one after which nothing else may be tried

    # Drafting

    def ask_all(self) -> Generator[Action, Any, None]:
        """Ask everyone who drafts, and hear all of them out. Only a failure that stops everything ends it early."""
        found = self.eligible()
        drafts = [entry for name in self.cascade.ask if (entry := found.get(name)) is not None]
        if self.enough(drafts):
            until_s = self.now_s + (self.deadline_s - self.now_s) * self.cascade.share
            for entry in drafts:
                yield from self.begin(entry, until_s)
            yield from self.hear()
        self.set_aside()

    def eligible(self) -> dict[str, Entry]:
        """Who may be asked now, by name."""
        return {entry.target.name: entry for visit in self.plan.once.visits for entry in self.order(visit)}

    def enough(self, drafts: list[Entry]) -> bool:
        """Whether their answers could be judged, and the attempts allow to ask somebody else after them."""
        needed = 2 if self.cascade.gate is None else len(self.cascade.ask)
        return needed <= len(drafts) < self.attempts_left

    def begin(self, entry: Entry, until_s: float) -> Generator[Action, Any, None]:
        """Ask one of them, if it has a place. `until_s`: by when the whole answer must be there."""
        place: Held | Refused = yield Reserve(entry)
        self.now_s = place.now_s
        if isinstance(place, Refused):
            self.refused(entry, place)
            return
        self.attempts_left -= 1
        self.begun += 1
        purpose = Purpose.TEST if place.test else Purpose.DRAFT
        begun: Started = yield Start(entry, self.begun, entry.tier, purpose, until_s)
        self.now_s = begun.now_s
        self.open[begun.handle] = entry

    def hear(self) -> Generator[Action, Any, None]:
        """Wait until each has answered or failed."""
        places = {name: place for place, name in enumerate(self.cascade.ask)}
        while self.open and not self.stopped and self.now_s < self.deadline_s:
            news: Drafted | Failed | Timer = yield Next(self.deadline_s)
            self.now_s = news.now_s
            if isinstance(news, Drafted):
                entry = self.open.pop(news.handle)
                self.drafts[news.handle] = _Draft(entry, places[entry.target.name], news.gist, news.written)
            elif isinstance(news, Failed):
                self.stopped = not self.draft_failed(self.open.pop(news.handle), news.outcome)
        self.drafts = dict(sorted(self.drafts.items(), key=lambda one: one[1].place))

    def draft_failed(self, entry: Entry, outcome: Outcome) -> bool:
        """Whether anything else is possible after that. A refusal says nothing about the others, not even how long a window must be.

        A filtered prompt is another matter: whether somebody else is asked for it is the policy's word alone.
        """
        failure = outcome.failure
        assert failure is not None
        refused = failure.implicates is Implicates.CALLER and failure.kind is not FailureKind.CONTENT_FILTER
        if not refused:
            return self.goes_on(entry, outcome)
        self.attempts.append(outcome)
        self.refusals.append(failure)
        self.remember(entry, Tried(1, self.now_s, True, failure.kind))
        return True

    def set_aside(self) -> None:
        """Who has drafted is not asked again; who has not is asked after everybody else only."""
        self.open = {}
        drafted = {draft.entry.slot for draft in self.drafts.values()}
        for entry in self.plan.entries:
            if entry.target.name in self.cascade.ask and entry.slot not in self.tried:
                done = entry.slot in drafted
                self.remember(entry, Tried(int(done), self.now_s, done, FailureKind.LOST_RACE))

    # Judgement

    def judge(self) -> int | None:
        """The handle of the draft that will do; None when somebody better is to be asked."""
        if not self.drafts or self.stopped:
            return None
        rows = list(self.drafts.items())
        gists = [draft.gist for _, draft in rows]
        gate = self.cascade.gate
        if gate is None:
            place = agreed(gists)
            comparable = sum(one is not None for one in gists) > 1
            self.outcome = Verdict.DISAGREED if comparable else Verdict.NOT_COMPARABLE
            if place is None:
                return None
            self.outcome = Verdict.AGREED
            return rows[place][0]
        gain = gate.heads.gain(evidence(gists, [draft.written for _, draft in rows]))  # None, too, when one is missing
        trusted = gain is not None and gain <= gate.threshold(self.cascade.quality)
        self.outcome = Verdict.TRUSTED if trusted else Verdict.DOUBTED
        return rows[0][0] if trusted else None

    def purpose(self, entry: Entry, *, test: bool) -> Purpose:
        """Whoever is asked after drafts stands in for them."""
        purpose = super().purpose(entry, test=test)
        return Purpose.FALLBACK if purpose is Purpose.FIRST and self.drafts else purpose

    # Ends

    def failures(self) -> list[Failure]:
        """Drafts' refusals are heard only where nobody else could speak: whoever else failed might have taken the request."""
        every = super().failures()
        return [failure for failure in every if not any(failure is one for one in self.refusals)] or every

    def give(self, handle: int) -> Walk:
        """Let the caller have a draft, to its end."""
        told: Ended = yield Relay(handle, self.deadline_s)
        self.now_s = told.now_s
        self.attempts.extend(told.lost)
        return self.answered(self.drafts[handle].entry, told.outcome)

    def result(self, winner: Outcome | None, failure: Failure | None, *, degraded: bool) -> Result:
        """The one Result of this request, with what was made of the drafts."""
        return replace(super().result(winner, failure, degraded=degraded), cascade=self.outcome)

"""The cascade's walk, driven by hand: who is asked, what is kept, what is left when everything fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from understudy.config.load import loads
from understudy.core.action import (
    Drafted,
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
)
from understudy.core.cascade import cascade
from understudy.core.decision import Decision
from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose, Verdict
from understudy.core.policy import Cascade, Retry
from understudy.core.prompts.heads import FORMAT, Heads, Trained
from understudy.core.request import Needs
from understudy.core.scoreboard import Scoreboard
from understudy.wiring import make_parts

TEXT = """
targets:
  ann: {provider: openai_compatible, model: m, base_url: "http://ann/v1"}
  bob: {provider: openai_compatible, model: m, base_url: "http://bob/v1"}
  eve: {provider: openai_compatible, model: m, base_url: "http://eve/v1"}
  joe: {provider: openai_compatible, model: m, base_url: "http://joe/v1"}
routes:
  default:
    tiers: {primary: [ann, bob, eve, joe]}
    policy: {wait_max_s: 0, retry: {kind: none}, cascade: {ask: [ann, bob]}}
"""

NONE = Retry(kind="none")


class Hand:
    """Performs a cascade. `says`: by target a gist and a length, a kind of failure, or None for no place."""

    def __init__(
        self, says, *, attempts_max=6, gate=None, ask=("ann", "bob"), timer=False, retry=NONE, tests=(), **policy
    ):
        configuration = loads(TEXT, env={})
        route = configuration.routes["default"]
        settings = Cascade(ask=ask, gate=gate)
        route = replace(
            route, policy=replace(route.policy, cascade=settings, attempts_max=attempts_max, retry=retry, **policy)
        )
        self.board = Scoreboard()
        self.plan = make_parts().plan(route, configuration, self.board)
        self.says = {"joe": None, **says}
        self.asked: list[tuple[str, Purpose]] = []
        self.until_s: list[float] = []
        self.tests = tests  # whose attempts are tests
        self.timer = timer
        self.naps = 0

    def run(self):
        decision = Decision(1, "d-1", "default", "v", Needs("default"), "openai_chat", 7, 100.0)
        steps = cascade(self.plan, decision, self.board, 100.0, 130.0)
        waiting, handles, now_s, reply = [], {}, 100.0, None
        try:
            while True:
                action = steps.send(reply)
                now_s += 0.01
                if isinstance(action, Reserve):
                    gone = self.says[action.entry.target.name] is None
                    reply = (
                        Refused(now_s, FailureKind.LOCAL_LIMIT, None)
                        if gone
                        else Held(now_s, action.entry.target.name in self.tests)
                    )
                elif isinstance(action, Start):
                    handle = len(handles) + 1
                    handles[handle] = action
                    assert action.number == handle, "attempts are numbered as they begin"
                    self.until_s.append(action.until_s)
                    waiting.insert(0, handle)  # the last one begun is the first one to answer
                    self.asked.append((action.entry.target.name, action.purpose))
                    reply = Started(now_s, handle)
                elif isinstance(action, Next):
                    if self.timer or not waiting:
                        reply, now_s = Timer(action.until_s), action.until_s
                        continue
                    handle = waiting.pop(0)
                    start = handles[handle]
                    if self.says[start.entry.target.name] == "silence":
                        waiting.append(handle)
                        self.naps += 1
                        now_s = action.until_s
                        reply = Timer(now_s)
                        continue
                    said = self.says[start.entry.target.name]
                    if isinstance(said, FailureKind):
                        reply = Failed(now_s, handle, self.outcome(start, now_s, Failure(said, "no")))
                    elif start.purpose in (Purpose.DRAFT, Purpose.TEST):
                        reply = Drafted(now_s, handle, *said)
                    else:
                        reply = Ready(now_s, handle)
                else:
                    assert isinstance(action, Relay)
                    reply = Ended(now_s, self.outcome(handles[action.handle], now_s, None))
        except StopIteration as done:
            return done.value

    def outcome(self, start, now_s, failure):
        return Outcome(start.number, start.entry.target.name, start.tier, start.purpose, 0.0, now_s, failure)


def gate(threshold: float, weight: float = 0.0) -> Trained:
    heads = Heads(("agree", "comparable", "w1", "w2"), (0,) * 4, (1,) * 4, (0.0,) * 5, (weight,) + (0.0,) * 4, 1e9)
    return Trained(
        format=FORMAT,
        reads="drafts",
        weak="ann",
        strong="eve",
        quality=0.9,
        thresholds=((0.9, threshold),),
        heads=heads,
    )


def test_drafts_that_agree_are_the_answer_and_the_first_one_is_given():
    hand = Hand({"ann": ("42", 3), "bob": ("42", 9), "eve": ("43", 1)})
    result = hand.run()
    assert (result.winner.target, result.cascade) == ("ann", Verdict.AGREED)
    assert hand.asked == [("ann", Purpose.DRAFT), ("bob", Purpose.DRAFT)]


@pytest.mark.parametrize(("gist", "verdict"), [("43", Verdict.DISAGREED), (None, Verdict.NOT_COMPARABLE)])
def test_drafts_that_do_not_are_followed_by_the_rest_of_the_route(gist, verdict):
    hand = Hand({"ann": ("42", 3), "bob": (gist, 9), "eve": ("x", 1)})
    result = hand.run()
    assert (result.winner.target, result.cascade) == ("eve", verdict)
    assert hand.asked[-1] == ("eve", Purpose.FALLBACK)


def test_a_draft_is_better_than_nothing():
    result = Hand({"ann": ("42", 3), "bob": ("43", 9), "eve": FailureKind.SERVER_ERROR}).run()
    assert (result.winner.target, result.cascade) == ("ann", Verdict.DISAGREED)
    assert [one.target for one in result.attempts] == ["eve", "ann"]


def test_when_one_draft_fails_the_other_alone_does_not_decide():
    result = Hand({"ann": FailureKind.SERVER_ERROR, "bob": ("42", 9), "eve": ("x", 1)}).run()
    assert (result.winner.target, result.cascade) == ("eve", Verdict.NOT_COMPARABLE)


def test_who_has_no_place_does_not_draft():
    result = Hand({"ann": None, "bob": ("42", 9), "eve": None}).run()
    assert (result.winner.target, result.cascade) == ("bob", Verdict.NOT_COMPARABLE)


@pytest.mark.parametrize("kind", [FailureKind.INVALID_REQUEST, FailureKind.BAD_REQUEST, FailureKind.CONTEXT_LENGTH])
def test_what_a_draft_refuses_somebody_else_may_take(kind):
    hand = Hand({"ann": kind, "bob": ("42", 1), "eve": ("x", 1)})  # nobody's window is known to be larger
    result = hand.run()
    assert (result.winner.target, result.cascade) == ("eve", Verdict.NOT_COMPARABLE)
    assert hand.asked == [("ann", Purpose.DRAFT), ("bob", Purpose.DRAFT), ("eve", Purpose.FALLBACK)]


def test_what_one_of_three_drafts_refuses_the_others_may_still_agree_on():
    hand = Hand(
        {"ann": FailureKind.INVALID_REQUEST, "bob": ("42", 1), "eve": ("42", 1), "joe": ("x", 1)},
        ask=("ann", "bob", "eve"),
    )
    result = hand.run()
    assert (result.winner.target, result.cascade) == ("bob", Verdict.AGREED)


@pytest.mark.parametrize("kind", [FailureKind.INVALID_REQUEST, FailureKind.CONTEXT_LENGTH])
def test_what_all_refuse_is_the_callers_own_mistake_in_the_last_ones_words(kind):
    hand = Hand(dict.fromkeys(("ann", "bob", "eve"), kind))
    result = hand.run()
    assert result.winner is None
    assert result.failure is result.attempts[-1].failure
    assert [outcome.target for outcome in result.attempts] == ["bob", "ann", "eve"]


def test_a_drafts_refusal_is_no_verdict_where_the_others_could_not_say():
    """Whoever was asked after it was down: to call the request wrong would be to guess."""
    refused = FailureKind.INVALID_REQUEST
    down = FailureKind.SERVER_ERROR
    result = Hand({"ann": refused, "bob": refused, "eve": down, "joe": down}).run()
    assert (result.winner, result.failure.kind) == (None, FailureKind.SERVER_ERROR)
    assert "ann" not in result.failure.message, "it was asked, and stands in the attempts"


def test_a_drafts_refusal_is_what_the_caller_hears_where_nobody_else_was_asked():
    refused = FailureKind.INVALID_REQUEST
    result = Hand({"ann": refused, "bob": refused, "eve": None}).run()
    assert (result.winner, result.failure.kind) == (None, refused)


def test_a_filtered_prompt_is_not_carried_around_unless_the_policy_says_so():
    says = {"ann": ("42", 1), "bob": FailureKind.CONTENT_FILTER, "eve": ("x", 1)}
    hand = Hand(says)
    result = hand.run()
    assert (result.winner, result.failure.kind) == (None, FailureKind.CONTENT_FILTER)
    assert "eve" not in dict(hand.asked)
    assert Hand(says, elsewhere_when_filtered=True).run().winner.target == "eve"


def test_the_strong_one_may_refuse_the_request_as_such():
    result = Hand({"ann": ("42", 1), "bob": ("43", 1), "eve": FailureKind.BAD_REQUEST}).run()
    assert result.winner is None


def test_drafts_have_half_of_the_time_and_a_test_of_a_target_may_be_one():
    hand = Hand({"ann": ("42", 3), "bob": ("42", 9), "eve": ("43", 1)}, tests=("bob",))
    assert hand.run().cascade is Verdict.AGREED
    assert hand.asked == [("ann", Purpose.DRAFT), ("bob", Purpose.TEST)]
    assert hand.until_s == [115.0, 115.0]


def test_drafts_are_paid_for_out_of_the_attempts():
    failing = {"ann": ("42", 3), "bob": ("43", 9), "eve": FailureKind.SERVER_ERROR}
    hand = Hand(failing, attempts_max=3, retry=Retry(kind="linear", max=9, initial_s=1, jitter=0))
    assert hand.run().winner.target == "ann"
    assert [name for name, _ in hand.asked] == ["ann", "bob", "eve"], "eve may not be asked again"


def test_one_draft_alone_is_not_asked_for_where_two_must_agree():
    hand = Hand({"ann": ("42", 3), "bob": ("42", 9), "eve": ("43", 1)}, ask=("ann",))
    hand.run()
    assert Purpose.DRAFT not in [purpose for _, purpose in hand.asked]


def test_without_attempts_for_drafts_the_strong_one_is_asked_at_once():
    hand = Hand({"ann": ("42", 3), "bob": ("42", 9), "eve": ("43", 1)}, attempts_max=2)
    result = hand.run()
    assert (result.winner.target, result.cascade) == ("eve", Verdict.NOT_ASKED)
    assert hand.asked == [("eve", Purpose.FIRST)]


@pytest.mark.parametrize(
    ("threshold", "winner", "verdict"), [(0.1, "ann", Verdict.TRUSTED), (-0.1, "eve", Verdict.DOUBTED)]
)
def test_a_gate_decides_also_where_drafts_disagree(threshold, winner, verdict):
    hand = Hand({"ann": ("1", 3), "bob": ("2", 9), "eve": ("43", 1)}, gate=gate(threshold))
    result = hand.run()
    assert (result.winner.target, result.cascade) == (winner, verdict)


def test_a_gate_that_misses_a_draft_doubts():
    hand = Hand({"ann": ("1", 3), "bob": FailureKind.SERVER_ERROR, "eve": ("43", 1)}, gate=gate(0.9))
    assert hand.run().cascade is Verdict.DOUBTED


def test_the_deadline_ends_it():
    result = Hand({"ann": ("1", 3), "bob": ("2", 3), "eve": ("3", 1)}, timer=True).run()
    assert result.winner is None
    assert result.failure.kind is FailureKind.DEADLINE


def test_the_deadline_passes_while_the_strong_one_is_silent_and_a_draft_answers():
    hand = Hand({"ann": ("1", 3), "bob": ("2", 3), "eve": "silence"})
    result = hand.run()
    assert (result.winner.target, hand.naps) == ("ann", 1)


def test_the_strong_one_is_asked_again_after_its_backoff_and_then_a_draft_answers():
    hand = Hand({"ann": ("1", 3), "bob": ("2", 3), "eve": FailureKind.SERVER_ERROR}, retry=Retry(max=1, jitter=0.0))
    assert hand.run().winner.target == "ann"
    assert hand.asked[2:] == [("eve", Purpose.FALLBACK), ("eve", Purpose.RETRY)]

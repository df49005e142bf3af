"""A provider that is played in memory: latencies and faults as scripted, no network, no key.

For trying configurations, for `understudy demo` and for load tests of the router itself. The faults are those of the mock
server and the simulator; their clock begins with the engine.
"""

from __future__ import annotations

from dataclasses import field
from math import inf
from typing import Any, ClassVar

from understudy.core.answer import Answer, Choice, Stop
from understudy.core.conversation import Text
from understudy.core.dice import Dice
from understudy.core.failure import Failure, FailureKind
from understudy.core.policy import Timeouts
from understudy.core.request import Call
from understudy.core.usage import Usage
from understudy.core.value import keyword_value
from understudy.faults import FAULTS, PROBLEMS, Arrivals, Fault, Plan, Scene, plan_attempt
from understudy.faults import Reply as Reaction
from understudy.providers import Provider, Reply, words_of
from understudy.registry import BadSettings, UnknownName

# The player only says what happens; how long anybody waits for it is the engine's affair.
_PATIENT = Timeouts(connect_s=inf, headers_s=inf, first_content_s=inf, idle_s=inf, answer_s=inf)


@keyword_value
class Simulated:
    """`text`: what it says. `headers_s`: until the first sign of life. `first_content_s`: from there to the first word.

    `word_s`: between two words. `faults`: what goes wrong, as the mock server's scripts write it: `outage`, or
    `{error_burst: {problem: rate_limit, every_s: 60, lasts_s: 5}}`.
    """

    text: str = "This is a simulated answer: every word of it was written before you asked."
    headers_s: float = 0.05
    first_content_s: float = 0.05
    word_s: float = 0.02
    faults: tuple[Any, ...] = ()
    arrivals: Arrivals = field(init=False, repr=False, compare=False, default_factory=Arrivals)
    schedule: tuple[Fault, ...] = field(init=False, repr=False, compare=False, default=())

    facts: ClassVar[Provider] = Provider(title="A simulated provider", key_required=False)

    def __post_init__(self) -> None:
        if min(self.headers_s, self.first_content_s, self.word_s) < 0:
            raise ValueError("`headers_s`, `first_content_s` and `word_s` must not be negative")
        try:
            schedule = tuple(FAULTS.read(spec) for spec in self.faults)
        except (UnknownName, BadSettings) as error:
            raise ValueError(f"faults: {error}") from None
        object.__setattr__(self, "schedule", schedule)  # the value is not finished until now

    def reply(self, call: Call, dice: Dice, now_s: float) -> Reply:
        """The text, unless a fault strikes."""
        choice = Choice(parts=(Text(self.text),), stop=Stop.END)
        pieces = max(len(words_of(choice)), 1)
        scene = Scene(
            now_s=now_s,
            target="simulated",
            provider="simulated",
            stream=call.needs.stream,
            chunks=pieces,
            tokens=call.needs.tokens_in,
            arrivals=self.arrivals,
        )
        plan = plan_attempt(scene, self.schedule, dice).slower(
            headers_s=self.headers_s, first_content_s=self.first_content_s, chunk_s=self.word_s
        )
        self.arrivals.note(now_s, call.needs.tokens_in)
        seen = plan.timeline(_PATIENT)
        answer = Answer(
            id=f"simulated-{dice.next():016x}",
            model="simulated",
            choices=(choice,),
            usage=Usage(input=call.needs.tokens_in, output=pieces),
        )
        return Reply(
            # Of a whole answer a timeline knows only when all of it is there, so these come from the plan.
            headers_s=inf if seen.headers_s == inf else plan.connect_s + plan.headers_s,
            content_s=plan.piece_at_s(1),
            gap_s=plan.chunk_s,
            answer=answer,
            failure=None if seen.failure is None else _failure(plan, seen.failure),
            pieces=seen.chunks,
            ended_s=seen.ended_s,
        )


def _failure(plan: Plan, kind: FailureKind) -> Failure:
    trouble = plan.trouble if plan.reply is Reaction.ERROR else plan.ending_trouble
    if trouble is None:
        return Failure(kind, f"simulated: {kind.value.replace('_', ' ')}")
    return Failure(
        kind,
        f"simulated: {trouble.problem.replace('_', ' ')}",
        status=PROBLEMS[trouble.problem].openai.status,
        code=trouble.problem,
        retry_after_s=trouble.retry_after_s,
    )


PROVIDER = Simulated

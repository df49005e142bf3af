"""What came of an attempt, and of a whole request."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from understudy.core.failure import Failure
from understudy.core.request import Operation
from understudy.core.usage import Usage
from understudy.core.value import value


class Purpose(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    FALLBACK = "fallback"  # another target after a failure
    RETRY = "retry"  # the same target again
    TEST = "test"  # a half-open breaker's test request
    DRAFT = "draft"  # one of those that a cascade asks first
    HEDGE = "hedge"  # beside another one that is slow
    PANIC = "panic"  # every breaker open, nothing else left
    PROBE = "probe"  # nobody's request: to see whether a target is back


class Verdict(StrEnum):
    """What a cascade made of its drafts."""

    AGREED = "agreed"  # two come to the same: one of them is the answer
    TRUSTED = "trusted"  # the gate says that the strong target would hardly do better
    DISAGREED = "disagreed"
    DOUBTED = "doubted"  # the gate says that it would, or knows nothing of such drafts
    NOT_COMPARABLE = "not_comparable"  # fewer than two drafts have a part that can be compared
    NOT_ASKED = "not_asked"  # too few of the cascade's targets were eligible, or answered


class Billing(StrEnum):
    """Whether the provider charges for an attempt."""

    NO = "no"  # the request never reached it, or it refused
    YES = "yes"  # it answered
    AMBIGUOUS = "ambiguous"  # the body was sent and no usage came back


@value
class Outcome:
    """One attempt, from the wire and not from intent. Times are monotonic seconds.

    `failure`: None for a success. `first_content_s`: when the stream committed or the whole answer was there. `committed`:
    the caller has seen content of it. `cost_nusd`: nano-dollars, None when the price is unknown. `dropped`: what the request
    lost on its way into the target's dialect; what the answer lost on its way back begins with `answer.`. `status`: the provider's HTTP status, None when none came. `operation`: what was
    asked for.
    """

    number: int
    target: str
    tier: str
    purpose: Purpose
    started_s: float
    ended_s: float
    failure: Failure | None = None
    first_content_s: float | None = None
    committed: bool = False
    stream: bool = False
    status: int | None = None
    usage: Usage | None = None
    billing: Billing = Billing.NO
    cost_nusd: int | None = None
    dropped: tuple[str, ...] = ()
    provider_id: str | None = None
    operation: Operation = Operation.CHAT

    @property
    def good(self) -> bool:
        """It ended as it should."""
        return self.failure is None


def naming_attempts(message: str, attempts: Iterable[Outcome]) -> str:
    """A message, and behind it every attempt that failed and why: many who read it are shown nothing else."""
    tried = "; ".join(
        f"{outcome.target}: {outcome.failure.kind.value} ({outcome.failure.message})"
        for outcome in attempts
        if outcome.failure is not None
    )
    return f"{message} [tried {tried}]" if tried else message


@value
class Result:
    """What a whole request ended in: exactly one per request.

    `winner`: the attempt that answered, None when none did. `failure`: what the caller was told, None after an answer (a
    stream that broke after its commit has both a winner and a failure). `degraded`: the answer came from a degraded tier or a
    stand-in. `retry_at_s`: the earliest known recovery, monotonic seconds. `cascade`: what was made of
    the drafts, None on a route without any.
    """

    decision: str
    route: str
    attempts: tuple[Outcome, ...]
    winner: Outcome | None
    failure: Failure | None
    degraded: bool
    started_s: float
    ended_s: float
    retry_at_s: float | None = None
    cascade: Verdict | None = None

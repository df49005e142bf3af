"""`policy` of a route: how hard one request may try."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from understudy.config.schema.kinds import NUMBER, Count, Positive, Seconds, Section, Share, Wait, Word
from understudy.core.failure import FailureKind
from understudy.core.policy import BreakerSettings, Hedge, Policy, Retry, Timeouts

Growth = Annotated[float, Field(ge=1, le=100), NUMBER]
Jitter = Annotated[float, Field(ge=0, le=1), NUMBER]

_B = BreakerSettings()
_P = Policy()


class RetrySection(Section):
    """When the same target is asked again: once no other eligible one is left in the tier."""

    kind: Literal["exponential", "linear", "none"] = Field(
        default="exponential", description="How delays grow: initial x multiplier^k, initial x (k + 1), or never again."
    )
    max: int = Field(default=Retry().max, ge=0, le=100, description="Repeats per target and request.")
    initial_s: Wait = Field(default=Retry().initial_s, description="The first delay.")
    multiplier: Growth = Field(default=Retry().multiplier, description="Growth of an exponential delay.")
    max_s: Wait = Field(default=Retry().max_s, description="No delay is longer.")
    jitter: Jitter = Field(
        default=Retry().jitter, description="By which share a delay is lengthened or shortened at random."
    )

    def value(self) -> Retry:
        """The policy's part. `kind: none` is no repeats."""
        given = self.model_dump()
        return Retry(**(given | {"max": 0} if self.kind == "none" else given))


class TimeoutsSection(Section):
    """Bounds on one attempt."""

    connect_s: Seconds = Field(default=Timeouts().connect_s, description="Until the connection stands, TLS included.")
    headers_s: Seconds = Field(default=Timeouts().headers_s, description="Until the headers of a streamed answer.")
    first_content_s: Seconds = Field(
        default=Timeouts().first_content_s, description="From the start until a stream's first content."
    )
    idle_s: Seconds = Field(
        default=Timeouts().idle_s, description="Between two signs of progress in a stream; pings are none."
    )
    answer_s: Seconds = Field(default=Timeouts().answer_s, description="A whole answer that is not streamed.")

    def value(self, deadline_s: float) -> Timeouts:
        """The policy's part. What was not written is no longer than the deadline."""
        return Timeouts(
            **{
                name: bound_s if name in self.model_fields_set else min(bound_s, deadline_s)
                for name, bound_s in self.model_dump().items()
            }
        )


class BreakerSection(Section):
    """When a target's breaker opens on this route, and how it closes again."""

    failures: Count = Field(
        default=_B.failures, description="Opens on so many in a row, or on so many in the window (see share)."
    )
    window_s: Seconds = Field(default=_B.window_s, description="How long a failure counts.")
    share: Share = Field(
        default=_B.share, description="Failures in the window open it when they are this share of the last ones."
    )
    last: Count = Field(default=_B.last, description="How many last outcomes `share` and `error_rate` look at.")
    recovery_s: Seconds = Field(default=_B.recovery_s, description="How long it stays open before test requests.")
    half_open: Count = Field(default=_B.half_open, description="Test requests let through.")
    successes: Count = Field(default=_B.successes, description="Successes among them that close it.")
    ramp_s: Wait = Field(
        default=_B.ramp_s,
        description="After it closed: how long until the target has its whole share of the traffic again; 0: at once.",
    )
    error_rate: Share | None = Field(
        default=None, description="Opens also when this share of the outcomes in the window failed."
    )
    slow_ms: Positive | None = Field(
        default=None, description="An outcome with its first content later than this counts as a failure."
    )
    counts: dict[str, bool] = Field(
        default={},
        description="Kinds of failure that count, or not, against the failure table's own word: {rate_limit: false}.",
    )

    def value(self) -> BreakerSettings:
        """The policy's part. Defaults that were not written follow what was."""
        given = self.model_dump()
        if "successes" not in self.model_fields_set:
            given["successes"] = min(self.successes, self.half_open)
        if "last" not in self.model_fields_set:
            given["last"] = max(self.last, self.failures)
        given["counts"] = tuple((FailureKind(kind), counted) for kind, counted in sorted(self.counts.items()))
        return BreakerSettings(**given)


class HedgeSection(Section):
    """A second attempt at another target beside one that is slow; whichever has content first is the answer."""

    quantile: Share = Field(
        default=Hedge().quantile,
        description="An attempt is hedged when it takes longer than this share of the target's own ones did, once 30 are known.",
    )
    after_s: Seconds | None = Field(default=None, description="Hedge after this time instead of a learned one.")
    share: Share = Field(default=Hedge().share, description="Hedges per attempt, at most.")

    def value(self) -> Hedge:
        """The policy's part."""
        return Hedge(**self.model_dump())


class CascadeSection(Section):
    """Cheap targets that are asked first, side by side; their answer is kept when it will do, else the route goes on."""

    ask: Annotated[list[Word], Field(min_length=1, max_length=4)] = Field(
        description="Targets of this route, at the same time. The first one's answer is kept where a gate judges."
    )
    gate: Word | dict[str, Any] | None = Field(
        default=None,
        description="A file that `understudy train --drafts` wrote. Without one, two answers must agree.",
    )
    field: Word | None = Field(
        default=None, description="The member of a JSON answer that is compared (`result.label`); all of it by default."
    )
    quality: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="The share of the strong target's quality to keep, for the gate; its own by default."
    )
    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="Of the request's time: drafts that are not complete by then are failures."
    )


class PolicySection(Section):
    """How hard one request may try."""

    deadline_s: Seconds = Field(
        default=_P.deadline_s, description="Bound on the whole request: waits, retries and fallbacks."
    )
    attempts_max: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=_P.attempts_max, description="Attempts of the whole request; `static` and `stale_cache` are free."
    )
    wait_max_s: Wait = Field(
        default=_P.wait_max_s, description="The longest wait for a recovery while no target is eligible."
    )
    retry: RetrySection = Field(default=RetrySection(), description="Asking the same target again.")
    timeouts: TimeoutsSection = Field(default=TimeoutsSection(), description="Bounds on one attempt.")
    breaker: BreakerSection = Field(default=BreakerSection(), description="Circuit breakers of this route's targets.")
    hedge: HedgeSection | None = Field(
        default=None,
        description="Ask a second target when the first is slower than usual; `{}` for the defaults. The loser may be billed.",
    )
    cascade: CascadeSection | None = Field(
        default=None,
        description="Ask cheap targets first and keep their answer when it will do. All of them are billed.",
    )
    elsewhere_when_filtered: bool = Field(
        default=_P.elsewhere_when_filtered,
        description="Try other targets when a provider's content policy refuses the prompt; by default that is the answer.",
    )
    strict: bool = Field(
        default=_P.strict,
        description="Refuse a target rather than drop anything of a request that may change the answer. What an answer loses is told only.",
    )
    mix_spaces: bool = Field(
        default=_P.mix_spaces,
        description="Let texts be embedded by targets of other vector spaces than the route's first; the answer says which.",
    )
    regions: list[Word] = Field(
        default=[],
        description="Only targets whose `region` is one of these words are asked, in every tier; empty: wherever they are.",
    )
    leave_early: bool = Field(
        default=_P.leave_early,
        description="Ask others first while a target is getting worse, before its breaker opens; whatever the strategy.",
    )

    def value(self) -> Policy:
        """The core's policy."""
        return Policy(
            deadline_s=self.deadline_s,
            attempts_max=self.attempts_max,
            wait_max_s=self.wait_max_s
            if "wait_max_s" in self.model_fields_set
            else min(self.wait_max_s, self.deadline_s),
            retry=self.retry.value(),
            timeouts=self.timeouts.value(self.deadline_s),
            breaker=self.breaker.value(),
            hedge=None if self.hedge is None else self.hedge.value(),
            strict=self.strict,
            elsewhere_when_filtered=self.elsewhere_when_filtered,
            mix_spaces=self.mix_spaces,
            regions=tuple(self.regions),
            leave_early=self.leave_early,
        )

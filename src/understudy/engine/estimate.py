"""The count of last resort: our own estimate, for when no target of the route counts tokens, or none of them answers.

It is a stand-in like any other: a target in a degraded tier behind the route's own, labelled as degraded and as estimated. It
says what limits and context windows go by everywhere here (`Needs.tokens_in`): a number from the size of the request.
"""

from __future__ import annotations

from dataclasses import replace

from understudy.core.failure import Failure
from understudy.core.money import Price
from understudy.core.policy import Retry
from understudy.core.route import Route, Tier
from understudy.core.target import Target
from understudy.core.usage import Usage
from understudy.dialects import Format
from understudy.engine.attempt import JSON, Attempt

ESTIMATE = Target(
    name="(estimate)",  # no configuration can use such a name
    provider="estimate",
    model="estimate",
    price=Price(input=0, output=0),
    stand_in=True,
    counts=("any",),
)
ANSWER_S = 10.0
"""How long a provider may take to count: an estimate is at hand."""


def counted(route: Route) -> Route:
    """The route as token counts walk it: once through its targets, without waiting for anyone, then the estimate."""
    policy = route.policy
    timeouts = replace(policy.timeouts, answer_s=min(policy.timeouts.answer_s, ANSWER_S))
    return replace(
        route,
        tiers=(*route.tiers, Tier(name="local", targets=(ESTIMATE.name,), degraded=True)),
        policy=replace(policy, wait_max_s=0.0, retry=Retry(max=0), timeouts=timeouts),
    )


class EstimateAttempt(Attempt):
    """Tells the estimate."""

    async def open(self) -> Failure | None:
        """It is known already."""
        self.usage = Usage()
        self.first_content_s = self.show.engine.now_s()
        return None

    async def relay(self, until_s: float) -> Failure | None:  # noqa: ARG002  it is all here
        """Give it, and say what it is."""
        show = self.show
        self.committed = True
        headers = show.headers(self, {}, (b"x-understudy-estimated", b"true"), JSON)
        caller: Format = show.dialect
        show.sink.respond(200, headers, caller.render_answer(show.needs.tokens_in))
        return None

"""The request tries harder, less hard, or otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import ClassVar

from understudy.core.policy import Hedge, Policy, Retry, Timeouts
from understudy.core.route import Route
from understudy.core.value import keyword_value


@keyword_value
class PolicyFields:
    """Fields of the route's policy, as far as they are given; `retry`, `timeouts` and `hedge` as a whole each.

    Not the breaker: a target's failures count alike for all requests of a route.

    `deadline_s`, `attempts_max`, `wait_max_s`, `retry`, `timeouts`, `hedge`, `strict`, `elsewhere_when_filtered`, `regions`: as in the route's policy.
    """

    deadline_s: float | None = None
    attempts_max: int | None = None
    wait_max_s: float | None = None
    retry: Retry | None = None
    timeouts: Timeouts | None = None
    hedge: Hedge | None = None
    strict: bool | None = None
    elsewhere_when_filtered: bool | None = None
    regions: tuple[str, ...] | None = None
    stage: ClassVar[int] = 1
    allows: ClassVar[tuple[str, ...] | None] = None

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.settles():
            raise ValueError("deadline_s: name at least one field of the policy")
        for name in ("deadline_s", "attempts_max"):
            given = getattr(self, name)
            if given is not None and given <= 0:
                raise ValueError(f"{name}: must be more than 0")
        if self.wait_max_s is not None and self.wait_max_s < 0:
            raise ValueError("wait_max_s: must be at least 0")

    def settles(self) -> tuple[str, ...]:
        """Field by field."""
        return tuple(f"policy.{field.name}" for field in fields(self) if getattr(self, field.name) is not None)

    def on(self, route: Route, settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route with those fields. What is not given of the waits is no longer than the deadline."""
        given = {name.removeprefix("policy."): getattr(self, name.removeprefix("policy.")) for name in settles}
        policy: Policy = replace(route.policy, **given)
        return replace(route, policy=replace(policy, wait_max_s=min(policy.wait_max_s, policy.deadline_s)))


EFFECT = PolicyFields

"""When and whom a fault strikes, and the ways in which a provider can be down: what the entries share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Literal

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Connect, Fault, Plan, Reply, Trouble
from understudy.faults._scene import Scene


@keyword_value
class Spell:
    """The span of a fault.

    `from_s`, `to_s`: when it strikes, seconds on the schedule's clock; the end is outside. `where`: the targets or providers that it
    strikes; empty: all. `share`: the share of the attempts in its span that it strikes, 0 to 1.
    """

    from_s: float = 0.0
    to_s: float = inf
    where: tuple[str, ...] = ()
    share: float = 1.0

    def __post_init__(self) -> None:
        if not self.from_s < self.to_s:
            raise ValueError(f"`to_s` ({self.to_s}) must be later than `from_s` ({self.from_s})")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"`share` ({self.share}) must lie between 0 and 1")

    def concerns(self, scene: Scene) -> bool:
        """Whether the attempt goes where the fault strikes, at whatever time."""
        return not self.where or scene.target in self.where or scene.provider in self.where

    def active(self, scene: Scene) -> bool:
        """Whether the attempt begins where and when the fault strikes."""
        return self.from_s <= scene.now_s < self.to_s and self.concerns(scene)

    def strikes(self, scene: Scene, dice: Dice) -> bool:
        """Whether the fault strikes this very attempt."""
        return self.active(scene) and dice.chance(self.share)

    def risk(self, scene: Scene, until_s: float) -> float:
        """As `Fault` promises, for a fault that spoils attempts that begin in its span."""
        del until_s
        return self.share if self.active(scene) else 0.0


def aimed_at(faults: Iterable[Fault], target: str, provider: str) -> tuple[tuple[int, Fault], ...]:
    """The faults of a schedule that may strike there, with their numbers in it: all but the spells that name only others.

    Whoever asks a long schedule again and again need not ask those: `where` promises that they change nothing.
    """
    return tuple(
        (number, fault)
        for number, fault in enumerate(faults)
        if not (isinstance(fault, Spell) and fault.where) or target in fault.where or provider in fault.where
    )


def require_positive(**settings: float) -> None:
    """Raise `ValueError` for the first setting that is not above 0."""
    for name, setting in settings.items():
        if not setting > 0:
            raise ValueError(f"`{name}` ({setting}) must be above 0")


Down = Literal[
    "refused", "timeout", "dns_failed", "tls_failed", "silence", "reset", "bad_gateway", "unavailable", "overloaded"
]
"""The ways in which a provider can be down."""

_WAYS: dict[str, Callable[[Plan], Plan]] = {
    "refused": lambda plan: plan.cannot_connect(Connect.REFUSED),
    "timeout": lambda plan: plan.cannot_connect(Connect.TIMEOUT),
    "dns_failed": lambda plan: plan.cannot_connect(Connect.DNS_FAILED),
    "tls_failed": lambda plan: plan.cannot_connect(Connect.TLS_FAILED),
    "silence": lambda plan: plan.replies(Reply.SILENCE),
    "reset": lambda plan: plan.replies(Reply.RESET),
    "bad_gateway": lambda plan: plan.fails_with(Trouble("bad_gateway")),
    "unavailable": lambda plan: plan.fails_with(Trouble("unavailable")),
    "overloaded": lambda plan: plan.fails_with(Trouble("overloaded")),
}

CONNECTION_BREAKS = frozenset({"refused", "timeout", "dns_failed", "tls_failed", "reset"})
"""Ways of being down that also break the connections which stand when they begin."""


def down(plan: Plan, how: Down) -> Plan:
    """The plan of an attempt at a provider that is down."""
    return _WAYS[how](plan)


def until_next(plan: Plan, how: Down, begins_in_s: float) -> Plan:
    """The plan of an attempt at a provider that will be down in `begins_in_s` (inf: never)."""
    return plan.dies(begins_in_s) if how in CONNECTION_BREAKS and begins_in_s < inf else plan

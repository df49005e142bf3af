"""What an operator may switch by hand: a target's breakers, and the rules, which are feature flags of the program."""

from __future__ import annotations

from understudy.core.resilience.breaker import Event, State
from understudy.engine.router import Engine

_WORST_FIRST = (State.FORCED_OPEN, State.OPEN, State.HALF_OPEN, State.WATCH_ONLY, State.CLOSED)


def worst_state(engine: Engine, target: str) -> str:
    """The worst of a target's breakers' states."""
    views = engine.board.standing(target).breakers
    return min((view.state for view in views), key=_WORST_FIRST.index, default=State.CLOSED).value


class Switch:
    """An operator's hand on a target's breakers."""

    def __init__(self, engine: Engine, target: str) -> None:
        self._engine = engine
        self._target = target

    @property
    def state(self) -> str:
        """The worst of its breakers' states."""
        return worst_state(self._engine, self._target)

    def force_open(self) -> None:
        """Nothing gets through until `release`."""
        self._operate(Event.FORCE_OPEN)

    def watch(self) -> None:
        """Count, and stop nobody, until `release`."""
        self._operate(Event.WATCH)

    def release(self) -> None:
        """Back to automatic."""
        self._operate(Event.RELEASE)

    def _operate(self, event: Event) -> None:
        self._engine.board.operate(self._target, event, self._engine.now_s())


class RuleSwitch:
    """An operator's hand on one rule. What it says holds for the next request, and until the router is left."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._written = {rule.name: rule.enabled for rule in engine.snapshot.configuration.rules}[name]

    @property
    def enabled(self) -> bool:
        """Whether it is in force."""
        return self._engine.switched.get(self._name, self._written)

    @property
    def applied(self) -> int:
        """How many requests it applied to so far."""
        return self._engine.fired.get(self._name, 0)

    def enable(self) -> None:
        """In force from the next request on."""
        self._engine.switch(self._name, True)

    def disable(self) -> None:
        """Out of force from the next request on."""
        self._engine.switch(self._name, False)

    def reset(self) -> None:
        """As the configuration says."""
        self._engine.switch(self._name, None)

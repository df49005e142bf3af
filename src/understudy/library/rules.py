"""A rule's switch: a feature flag of the program that has the router."""

from __future__ import annotations

from understudy.engine.router import Engine


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

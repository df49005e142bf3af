"""All rules in their order, made ready: which of them apply to a request, why, and what that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.core.route import Route
from understudy.core.rules.change import changed
from understudy.core.rules.rule import Condition, Effect
from understudy.core.rules.ruling import Reading, Ruling
from understudy.core.rules.scene import Scene
from understudy.core.rules.when import When, for_name
from understudy.core.value import value


@value
class Ready:
    """One rule, made ready. `refusal`: its words when it refuses the request instead of changing anything."""

    name: str
    enabled: bool
    when: When
    effects: tuple[Effect, ...]
    refusal: str | None = None


class _Eyes:
    """Looks at the scene for one rule, and keeps what it saw."""

    __slots__ = ("scene", "seen")

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.seen: list[tuple[str, Any]] = []

    def __call__(self, name: str, condition: Condition) -> Any:
        found = condition.look(self.scene)
        self.seen.append((name, found))
        return found


class _Memory:
    """Sees what was seen."""

    __slots__ = ("at", "seen")

    def __init__(self, seen: tuple[tuple[str, Any], ...]) -> None:
        self.seen = seen
        self.at = 0

    def __call__(self, name: str, _condition: Condition) -> Any:
        if self.at == len(self.seen) or self.seen[self.at][0] != name:
            raise KeyError(name)
        self.at += 1
        return self.seen[self.at - 1][1]


class Rulebook:
    """Rules in their order."""

    __slots__ = ("by_name", "rules")

    def __init__(self, rules: tuple[Ready, ...]) -> None:
        self.rules = rules
        self.by_name = {rule.name: rule for rule in rules}

    def for_name(self, name: str) -> Rulebook | None:
        """The rules that a request for this name must be held against; None when there is none."""
        left = [(rule, for_name(rule.when, name)) for rule in self.rules]
        rules = tuple(
            Ready(rule.name, rule.enabled, when, rule.effects, rule.refusal) for rule, when in left if when is not None
        )
        if rules == self.rules:
            return self  # thousands of names may share it
        return Rulebook(rules) if rules else None

    def decide(self, scene: Scene, switched: Mapping[str, bool]) -> Ruling:
        """Hold a request against the rules. `switched`: by an operator, against what is written."""
        readings: list[Reading] = []
        off: list[str] = []
        refusal: str | None = None
        for rule in self.rules:
            if not switched.get(rule.name, rule.enabled):
                off.append(rule.name)
                continue
            eyes = _Eyes(scene)
            applies = rule.when.holds(eyes)
            readings.append(Reading(rule.name, applies, tuple(eyes.seen)))
            if applies and rule.refusal is not None:
                refusal = rule.refusal
                break
        fired = tuple([reading.rule for reading in readings if reading.applies])
        return Ruling(scene.asked, fired, tuple(readings), tuple(off), refusal)

    def change(self, fired: tuple[str, ...], route: Route, routes: Callable[[str], Route]) -> Route:
        """The route as these rules, in their order, leave it."""
        return changed(route, [effect for name in fired for effect in self.by_name[name].effects], routes)

    def replay(self, ruling: Ruling) -> list[str]:
        """Judge again what was seen. Returns what differs, a sentence each: [] when the same rules apply."""
        differences = []
        known = [reading.rule for reading in ruling.readings] + list(ruling.off)
        asked = [rule.name for rule in self.rules if rule.name in known]
        if ruling.refusal is None and len(asked) != len(self.rules):
            differences.append("rules: not the same were held against it")
        for reading in ruling.readings:
            rule = self.by_name.get(reading.rule)
            if rule is None:
                differences.append(f"rule {reading.rule}: it is gone")
                continue
            try:
                applies = rule.when.holds(_Memory(reading.seen))
            except KeyError as missing:
                differences.append(f"rule {reading.rule}: what {missing.args[0]} saw was not kept")
                continue
            if applies is not reading.applies:
                then, now = ("applied", "does not") if reading.applies else ("did not apply", "does")
                differences.append(f"rule {reading.rule}: then it {then}, now it {now}")
        return differences

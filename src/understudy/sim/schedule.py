"""A schedule of faults over targets and routes, written down as YAML: what availability is measured under."""

from __future__ import annotations

from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import yaml

from understudy.config.load import loads
from understudy.config.probing import ways_of
from understudy.core.dice import Dice, label_of
from understudy.core.health.probing import Health
from understudy.core.request import Needs
from understudy.core.route import Route
from understudy.core.target import Target
from understudy.core.value import keyword_value
from understudy.errors import ConfigurationError
from understudy.faults import FAULTS, Fault
from understudy.registry import BadSettings, UnknownName, unknown
from understudy.sim.scenario import Arrival, Scenario
from understudy.sim.traffic import TRAFFIC, Visit

ROUGH_HOUR = "rough_hour.yaml"
"""The schedule that comes with the program: an hour in which everything happens that can."""

QUESTIONS = 1000


class BadSchedule(ValueError):
    """A schedule cannot be used. The message says where and why."""


@keyword_value
class Schedule:
    """What happens to whom.

    `targets`, `routes`, `health`: as in a configuration; requests ask for the first route. `faults`: what goes wrong, as in a mock's script;
    second 0 is the curtain, `where` names targets. `lasts_s`: how long requests come. `per_s`: how many, for traffic that does not know
    by itself. `streams`: the share of them that is streamed, 0 to 1.
    """

    targets: dict[str, Target]
    routes: tuple[Route, ...]
    faults: tuple[Fault, ...]
    lasts_s: float = 3600.0
    per_s: float = 2.5
    streams: float = 0.5
    health: Health = Health()

    def scenario(self, seed: int, traffic: str, trace: tuple[Visit, ...] | None = None) -> Scenario:
        """One evening of it. `traffic`: a pattern's name; `trace`: instead of it. Raises `KeyError` for an unknown pattern."""
        dice = Dice(seed).fork(label_of(traffic))
        visits = TRAFFIC[traffic](dice.fork(1), self.per_s, self.lasts_s) if trace is None else trace
        return Scenario(
            name=traffic,
            seed=seed,
            faults=self.faults,
            targets=self.targets,
            routes=self.routes,
            arrivals=tuple(self._arrival(visit, dice) for visit in visits if visit.at_s < self.lasts_s),
            health=self.health,
            ways=ways_of(self.health, self.targets),
        )

    def _arrival(self, visit: Visit, dice: Dice) -> Arrival:
        needs = Needs(model=self.routes[0].name, stream=dice.chance(self.streams), tokens_in=visit.tokens_in)
        question = dice.below(QUESTIONS)
        return Arrival(at_s=visit.at_s, route=0, needs=needs, question=question, pieces=visit.tokens_out)


class _Figures(msgspec.Struct):
    """What a schedule holds besides a configuration and faults."""

    lasts_s: float = 3600.0
    per_s: float = 2.5
    streams: float = 0.5


def read_schedule(text: str, source: str = "schedule") -> Schedule:
    """The schedule in a YAML text. `source`: what its problems call it. Raises `BadSchedule`."""
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadSchedule(f"{source}: not YAML: {error}") from error
    if not isinstance(read, dict):
        raise BadSchedule(f"{source}: a schedule is a mapping of settings to values")
    known = tuple(field.name for field in fields(Schedule))
    for name in read:
        if name not in known:
            raise BadSchedule(f"{source}: {unknown('setting', str(name), known)}")
    try:
        figures = msgspec.convert({name: read[name] for name in read if name in _Figures.__struct_fields__}, _Figures)
        faults = _faults(read.get("faults") or [])
        told = yaml.safe_dump(
            {name: read[name] for name in ("targets", "routes", "health") if name in read}, sort_keys=False
        )
        configuration = loads(told, source=f"{source} (targets and routes)", env={})
    except (msgspec.ValidationError, ConfigurationError, BadSettings, UnknownName, ValueError) as error:
        raise BadSchedule(f"{source}: {error}") from error
    if figures.lasts_s <= 0 or figures.per_s <= 0 or not 0 <= figures.streams <= 1:
        raise BadSchedule(f"{source}: `lasts_s` and `per_s` must be above 0, `streams` between 0 and 1")
    return Schedule(
        targets=configuration.targets,
        routes=tuple(configuration.routes.values()),
        faults=faults,
        health=configuration.health,
        **msgspec.structs.asdict(figures),
    )


def load_schedule(path: Path | None = None) -> Schedule:
    """The schedule in a file; without one the one that comes with the program. Raises `BadSchedule`."""
    if path is None:
        return read_schedule((files("understudy.sim") / ROUGH_HOUR).read_text(encoding="utf-8"), ROUGH_HOUR)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSchedule(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return read_schedule(text, str(path))


def _faults(specs: Any) -> tuple[Fault, ...]:
    if not isinstance(specs, list):
        raise BadSchedule("`faults` is a list")
    return tuple(FAULTS.read(spec) for spec in specs)

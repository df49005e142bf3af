"""How each target of a configuration is probed."""

from __future__ import annotations

from collections.abc import Mapping

from understudy.core.health.probing import Health
from understudy.core.target import Probe, Target
from understudy.providers import listing


def ways_of(health: Health, targets: Mapping[str, Target]) -> dict[str, Probe]:
    """The way of each target that is probed at all. Who answers from memory is not, nor who lists no models where that is the way."""
    found: dict[str, Probe] = {}
    for name, target in targets.items():
        way = target.probe or health.probe
        if way is Probe.OFF or not target.dialects or (way is Probe.MODELS and listing(target) is None):
            continue
        found[name] = way
    return found

"""Alarms as one list for all workers: each of them judges by its own share of the traffic, and may see what the others see, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def joined(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One alarm per target and measure, by name. `told`: what each worker says of its breakers.

    `workers`: who noticed it, `of`: how many were asked and answered. `before`, `after`: of the one that saw the greatest change
    (see `core.health.measures.Alarm`).
    """
    seen: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for page in told:
        for target, standing in page.items():
            for alarm in standing["alarms"]:
                seen.setdefault((target, alarm["measure"]), []).append((standing["worker"], alarm))
    alarms = []
    for (target, _), noticed in sorted(seen.items(), key=lambda one: one[0]):
        greatest = max((alarm for _, alarm in noticed), key=_change)
        workers = sorted(worker for worker, _ in noticed)
        alarms.append({"target": target, **greatest, "workers": workers, "of": len(told)})
    return alarms


def _change(alarm: dict[str, Any]) -> tuple[float, float]:
    before, after = alarm["before"], alarm["after"]
    return (after / before if before > 0 else float("inf"), after)

"""What the numbers may be that somebody writes into a registry entry's settings: told when the configuration is read, not by a request."""

from __future__ import annotations

from math import inf

MOST_WEIGHT = 1e6
"""Only proportions of weights count; beyond this one of two is nothing."""


def between(low: float, high: float, **settings: float | None) -> None:
    """Raises `ValueError`, which begins with the setting's name, for one outside of these, both included. None is any."""
    for name, number in settings.items():
        if number is not None and not low <= number <= high:
            raise ValueError(f"{name}: must be between {low:g} and {high:g}, not {number:g}")


def at_least(low: float, **settings: float) -> None:
    """The same for one that is less, or no finite number."""
    for name, number in settings.items():
        if not low <= number < inf:
            raise ValueError(f"{name}: must be a finite number of at least {low:g}, not {number:g}")


def weights(**settings: float) -> None:
    """The same for one that is no weight."""
    between(0.0, MOST_WEIGHT, **settings)

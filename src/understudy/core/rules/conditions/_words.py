"""Conditions that hold for any of some words."""

from __future__ import annotations

UNKNOWN = "unknown"
"""What is written for "nobody can tell"."""


def check_known(words: tuple[str, ...], known: tuple[str, ...], kind: str) -> None:
    """Raises `ValueError` for a word that does not exist."""
    for word in words:
        if word not in known:
            raise ValueError(f"of: there is no {kind} {word!r}; known: {', '.join(known)}")

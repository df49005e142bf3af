"""How an entry of another registry is written in a rule."""

from __future__ import annotations

from typing import Any

from understudy.core.route import Named

Written = str | dict[str, dict[str, Any] | None]
"""Its name, or its name with settings: `{name: {setting: value}}`."""


def named_of(written: Written) -> Named:
    """The entry and its settings. Raises `ValueError` when it is not exactly one."""
    if isinstance(written, str):
        return Named(written, {})
    if len(written) != 1:
        raise ValueError("to: must be a name, or a name with its settings: {name: {setting: value}}")
    [(name, settings)] = written.items()
    return Named(name, settings or {})

"""An LLM provider router with fallback: when the lead cannot go on, the understudy steps in, and the audience is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from understudy.core.failure import Failure, FailureKind
    from understudy.core.usage import Usage
    from understudy.errors import (
        BadRequest,
        ConfigurationError,
        RequestFailed,
        RouterNotEntered,
        StreamBroken,
        UnderstudyError,
    )
    from understudy.library.router import Router
    from understudy.library.sync import SyncRouter

_HOMES = {
    "Router": "understudy.library.router",
    "SyncRouter": "understudy.library.sync",
    "UnderstudyError": "understudy.errors",
    "ConfigurationError": "understudy.errors",
    "RequestFailed": "understudy.errors",
    "BadRequest": "understudy.errors",
    "StreamBroken": "understudy.errors",
    "RouterNotEntered": "understudy.errors",
    "Failure": "understudy.core.failure",
    "FailureKind": "understudy.core.failure",
    "Usage": "understudy.core.usage",
}
"""Public names and where they live: imported when they are first asked for, so that importing the package costs nothing."""

__all__ = [
    "BadRequest",
    "ConfigurationError",
    "Failure",
    "FailureKind",
    "RequestFailed",
    "Router",
    "RouterNotEntered",
    "StreamBroken",
    "SyncRouter",
    "UnderstudyError",
    "Usage",
    "__version__",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)

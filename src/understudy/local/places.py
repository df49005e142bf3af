"""Which targets have a server of ours, and where each of these is. Light: every process imports it, few have anything to keep."""

from __future__ import annotations

from dataclasses import field

from understudy.config import Configuration
from understudy.core.target import Target
from understudy.core.value import value
from understudy.providers import is_hosted


@value
class Whereabouts:
    """Where a target's server is. `port`: on loopback, None while it is not up. `why`: the reason for that, in words.

    `kept_down`: it will not be started again.
    """

    target: str
    port: int | None = None
    secret: str = field(default="", repr=False)
    why: str = "its model server has not been started"
    kept_down: bool = False


def hosted_targets(configuration: Configuration) -> tuple[Target, ...]:
    """The targets whose servers we run."""
    return tuple(target for target in configuration.targets.values() if is_hosted(target))

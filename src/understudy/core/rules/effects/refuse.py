"""The request is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from understudy.core.route import Route
from understudy.core.value import value


@value
class Refuse:
    """The request is refused, in its caller's dialect, with HTTP status 403. Nothing else can be done with it.

    `message`: what the caller is told.
    """

    message: str
    short: ClassVar[tuple[str, str]] = ("message", "value")
    stage: ClassVar[int] = 0
    allows: ClassVar[tuple[str, ...] | None] = None

    def __post_init__(self) -> None:
        """Raises `ValueError` without words."""
        if not self.message.strip():
            raise ValueError("message: say why, for the caller to read")

    @property
    def refusal(self) -> str:
        """The words, which make a rule one that refuses."""
        return self.message

    def settles(self) -> tuple[str, ...]:
        """Everything."""
        return ("refuse",)

    def on(self, route: Route, _settles: tuple[str, ...], _routes: Callable[[str], Route]) -> Route:
        """The route as it is: nobody takes it."""
        return route


EFFECT = Refuse

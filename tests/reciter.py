"""A language model that is told what to say, for the tests of what serves one."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.answer import Stop
from understudy.local.speaker import CannotSpeak, Manner

SECRET = "open-sesame"


class Reciter:
    """A `Speaker` that says its pieces; `None` among them is a failure of its library. It remembers what it was asked."""

    name = "reciter"

    def __init__(self, pieces: Sequence[str | None] = ("The show", " goes on."), last: Stop = Stop.END) -> None:
        self.pieces = tuple(pieces)
        self.last = last
        self.heard: list[tuple[list[dict[str, str]], Manner]] = []
        self.begun: list[Recital] = []

    def hear(self, messages: Sequence[dict[str, str]], manner: Manner) -> Recital:
        self.heard.append((list(messages), manner))
        self.begun.append(Recital(self))
        return self.begun[-1]


class Recital:
    tokens_in = 7

    def __init__(self, reciter: Reciter) -> None:
        self.reciter = reciter
        self.tokens_out = 0
        self.stop: Stop | None = None

    def step(self) -> str:
        pieces = self.reciter.pieces
        piece = pieces[self.tokens_out % len(pieces)]
        self.tokens_out += 1
        if piece is None:
            raise CannotSpeak("out of memory")
        if self.tokens_out == len(pieces) and self.reciter.last is not None:
            self.stop = self.reciter.last
        return piece


class Endless(Reciter):
    """One that never comes to an end."""

    def __init__(self) -> None:
        super().__init__(["on and "])
        self.last = None  # type: ignore[assignment]

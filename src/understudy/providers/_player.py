"""Providers that answer from memory: what they do with a call, and when, whole or as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import ClassVar, Protocol

from understudy.core.answer import (
    Answer,
    Begin,
    Choice,
    End,
    Failed,
    Field,
    Finish,
    PartBegin,
    PartDelta,
    PartEnd,
    Stop,
    StreamEvent,
    UsageSeen,
)
from understudy.core.conversation import Text
from understudy.core.dice import Dice
from understudy.core.failure import Failure
from understudy.core.request import Call
from understudy.core.value import keyword_value
from understudy.providers._facts import Provider


@keyword_value
class Reply:
    """What a player does with one call, and when; times are seconds from the start of the attempt, `inf` for never.

    `headers_s`: the first sign of life. `content_s`: the first piece of the text, a piece being a word. `gap_s`: between two
    pieces. `answer`: what it says, in text. `failure`: what comes at `ended_s` instead of (the rest of) the answer, after
    `pieces` pieces of it where a stream was asked for.
    """

    headers_s: float = 0.0
    content_s: float = 0.0
    gap_s: float = 0.0
    answer: Answer | None = None
    failure: Failure | None = None
    pieces: int = 0
    ended_s: float = 0.0

    def whole(self) -> tuple[float, Answer | Failure]:
        """When it is all there, and what it is."""
        if self.failure is not None:
            return self.ended_s, self.failure
        if self.answer is None:
            raise ValueError("a reply holds an answer, a failure, or both")
        words = sum(len(words_of(choice)) for choice in self.answer.choices)
        return self.content_s + max(words - 1, 0) * self.gap_s, self.answer

    def events(self) -> Iterator[tuple[float, StreamEvent]]:
        """The same as a stream: when each event comes. A stream that fails ends with `Failed`."""
        told = 0
        if self.answer is not None and self.headers_s < (self.ended_s if self.failure else inf):
            yield self.headers_s, Begin(id=self.answer.id, model=self.answer.model, created=self.answer.created)
            for number, choice in enumerate(self.answer.choices):
                yield from self._said(number, choice, told)
                told += len(words_of(choice))
        if self.failure is not None:
            yield self.ended_s, Failed(self.failure)
            return
        at_s = self.content_s + max(told - 1, 0) * self.gap_s
        if self.answer is not None and self.answer.usage is not None:
            yield at_s, UsageSeen(self.answer.usage)
        yield at_s, End()

    def _said(self, number: int, choice: Choice, told: int) -> Iterator[tuple[float, StreamEvent]]:
        """One choice, `told` pieces having gone before it; as much of it as comes before the failure."""
        words = words_of(choice)
        left = len(words) if self.failure is None else min(len(words), self.pieces - told)
        if self.failure is not None and left <= 0:
            return
        # Each time from the beginning: sums of a thousand gaps would drift from where the whole answer ends.
        begins_s = self.content_s + told * self.gap_s
        yield begins_s, PartBegin(number, 0, Text(""))
        for index, word in enumerate(words[:left], told):
            yield self.content_s + index * self.gap_s, PartDelta(number, 0, Field.TEXT, word)
        if self.failure is None:
            ends_s = self.content_s + max(told + left - 1, 0) * self.gap_s
            yield max(begins_s, ends_s), PartEnd(number, 0)
            yield max(begins_s, ends_s), Finish(choice=number, stop=choice.stop or Stop.END)


_WORD = re.compile(r"\S+\s*|\s+")


def words_of(choice: Choice) -> list[str]:
    """The text of a player's answer, word by word; joined again it is the text."""
    return _WORD.findall("".join(part.text for part in choice.parts if isinstance(part, Text)))


class Player(Protocol):
    """A provider that answers from memory: time and chance are arguments, delays are told and not waited for."""

    facts: ClassVar[Provider]

    def reply(self, call: Call, dice: Dice, now_s: float) -> Reply:
        """What it does with this call, which arrives at `now_s`: seconds since the engine began, the clock of schedules."""
        ...

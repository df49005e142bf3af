"""What the stream of an answer loses in a wire format: of streams nothing is put together, so it is noted event by event."""

from __future__ import annotations

from dataclasses import replace

from understudy.core.answer import Begin, Choice, Finish, PartBegin, PartEnd, PartExtra, StreamEvent, UsageSeen
from understudy.core.conversation import Reasoning, Role, Text
from understudy.core.projection.answers import fit_choice, fit_usage
from understudy.core.projection.carries import LOSSY, Carries, Loss
from understudy.core.projection.nodes import Losses, own_extra, words_extra
from understudy.core.projection.parts import fit_part

LOSSES_MAX = 200
"""Of them that are noted: a stream may name a new field in each of its events."""


class Unsaid:
    """Show it each event but the deltas; `report` is what `project_answer` would say of the whole answer, as far as it has come.

    A thought that opens with the name of who will seal it counts as sealed.
    """

    __slots__ = ("_carries", "_losses", "_opened")

    def __init__(self, carries: Carries) -> None:
        self._carries = carries
        self._losses = Losses()
        self._opened: dict[tuple[int, int], type] = {}

    def see(self, event: StreamEvent) -> None:
        """Note what this event says and the format cannot."""
        carries, losses = self._carries, self._losses
        if isinstance(event, PartEnd):
            self._opened.pop((event.choice, event.index), None)
        elif len(losses.seen) >= LOSSES_MAX:
            return
        elif isinstance(event, Begin):
            own_extra(event.extra, "", carries, losses)
        elif isinstance(event, UsageSeen):
            fit_usage(event.usage, carries, losses)
        elif isinstance(event, PartBegin | PartExtra | Finish):
            if carries.choices_max is not None and event.choice >= carries.choices_max:
                losses.add("choices", LOSSY)
            else:
                self._see_choice(event)

    def _see_choice(self, event: PartBegin | PartExtra | Finish) -> None:
        carries, losses = self._carries, self._losses
        if isinstance(event, Finish):
            told = Choice(
                parts=(),
                stop=event.stop,
                stop_native=event.stop_native,
                stop_sequence=event.stop_sequence,
                extra=event.extra,
            )
            fit_choice(told, carries, losses)
        elif isinstance(event, PartBegin):
            part = event.part
            self._opened[event.choice, event.index] = type(part)
            if isinstance(part, Reasoning) and not part.text:
                part = replace(part, text="...")  # it is going to say something
            fit_part(part, carries.parts.get(Role.ASSISTANT, ()), "content", carries, losses)
        elif self._opened.get((event.choice, event.index)) is Reasoning:
            words_extra(event.extra, "content.reasoning.", carries, losses)
        elif self._opened.get((event.choice, event.index)) is Text:
            words_extra(event.extra, "content.", carries, losses)
        else:
            own_extra(event.extra, "content.", carries, losses)

    def report(self) -> tuple[Loss, ...]:
        """Each loss once, in the order of meeting it."""
        return self._losses.report()

"""How a request and its answer cross between two wire formats: through the intermediate form of their operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from understudy.core.answer import Answer, Stop, StreamEvent
from understudy.core.conversation import Conversation
from understudy.core.embedding import Embeds, Texts, Vectors, project_texts, weight_of_field
from understudy.core.failure import Failure, FailureKind, Implicates, Then
from understudy.core.projection import (
    AS_THEY_ARE,
    ESSENTIAL,
    Carries,
    Loss,
    Names,
    fit_request,
    own_name,
    project_answer,
    weight_of,
)
from understudy.core.request import Operation
from understudy.core.target import Target
from understudy.core.value import value
from understudy.dialects import BadAnswer, StreamDecoder
from understudy.framing.sse import SseEvent

if TYPE_CHECKING:
    from understudy.engine.perform import Performance


@value
class Crossing:
    """One operation's way across.

    `project`: the request fitted to what the target's format carries, what it lacks, and what the caller calls tools that had to
    be named otherwise. `fit`: the answer fitted to the caller's format, with what only the request, the target and the clock know,
    and the names of what it lost. Raises `BadAnswer`. `weigh`: what it means that a target of the caller's own format refuses a field.
    """

    project: Callable[[Any, Any], tuple[Any, tuple[Loss, ...], Names]]
    fit: Callable[[Any, Performance, Target], tuple[Any, tuple[str, ...]]]
    weigh: Callable[[str, Any, Any], str]


def named(answer: Answer, show: Performance, target: Target) -> Answer:
    """The answer with an id, a model and the time of its making: some wire formats have none, others must say one."""
    if answer.id and answer.model and answer.created is not None:
        return answer
    return replace(
        answer,
        id=answer.id or show.decision.id,
        model=answer.model or target.model,
        created=int(show.engine.wall_s()) if answer.created is None else answer.created,
    )


def _asked(asked: Conversation, carries: Carries) -> tuple[Conversation, tuple[Loss, ...], Names]:
    """Nobody answers to nothing, though some accept it: one provider takes it for the order to load its model."""
    projected, losses, names = fit_request(asked, carries)
    return projected, losses if projected.messages else (*losses, Loss("messages", ESSENTIAL)), names


def _texts(asked: Texts, carries: Embeds) -> tuple[Texts, tuple[Loss, ...], Names]:
    return *project_texts(asked, carries), AS_THEY_ARE


ANSWER = "answer."
"""How the names begin of what an answer lost on its way back: those of what the request lost stand beside them."""


_TOLD_ANYWAY = ("created", "usage", "choices.usage", "usageMetadata")
"""When an answer was made, the head of each tells; and its tokens, each format's own usage: only marks beside them stay behind."""


def missed(losses: tuple[Loss, ...]) -> tuple[str, ...]:
    """The names of what an answer lost."""
    return tuple([ANSWER + loss.name for loss in losses if loss.name not in _TOLD_ANYWAY])


def fitted(answer: Answer, show: Performance, target: Target) -> tuple[Answer, tuple[str, ...]]:
    """An answer in the caller's format, and the names of what it lost."""
    projected, losses = project_answer(named(answer, show, target), show.dialect.answer_carries)
    return projected, missed(losses)


def _vectors(answer: Vectors, show: Performance, target: Target) -> tuple[Vectors, tuple[str, ...]]:
    asked = show.asked()
    if len(answer.vectors) != len(asked.inputs):
        raise BadAnswer(f"{len(answer.vectors)} vectors came for {len(asked.inputs)} inputs")
    return replace(answer, model=answer.model or target.model, encoding=asked.encoding), ()


def _count(answer: int, show: Performance, target: Target) -> tuple[int, tuple[str, ...]]:  # noqa: ARG001  a number is a number
    return answer, ()


class OwnNames:
    """Reads a stream in which tools have the names that the caller knows. `names`: as they were sent -> his own."""

    __slots__ = ("_decoder", "_names")

    def __init__(self, decoder: StreamDecoder, names: Names) -> None:
        self._decoder = decoder
        self._names = names

    @property
    def stop(self) -> Stop | None:
        """The reason, once each choice that has begun has one."""
        return self._decoder.stop

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        return [own_name(said, self._names) for said in self._decoder.decode(event)]

    def ending(self) -> Sequence[StreamEvent]:
        """What is still held back where the bytes end."""
        return [own_name(said, self._names) for said in self._decoder.ending()]


CROSSINGS = {
    Operation.CHAT: Crossing(_asked, fitted, weight_of),
    Operation.EMBED: Crossing(_texts, _vectors, weight_of_field),
    Operation.COUNT: Crossing(_asked, _count, weight_of),
}

_ABOUT_COUNTING = (FailureKind.NOT_FOUND, FailureKind.PERMISSION, FailureKind.RATE_LIMIT)
_SOON_S = 1.0


def of_counting(failure: Failure) -> Failure:
    """What a provider's refusal to count says about the target: nothing, where counting has limits and rights of its own.

    Without that, a target that does not count would rest, and its conversations with it. A rate limit is given a hint because
    breakers count those that come without.
    """
    if failure.kind not in _ABOUT_COUNTING:
        return failure
    hint_s = _SOON_S if failure.retry_after_s is None else failure.retry_after_s
    return replace(failure, scope=Implicates.NOBODY, course=Then.ELSEWHERE, retry_after_s=hint_s)

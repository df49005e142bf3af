"""How a request and its answer cross between two wire formats: through the intermediate form of their operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from understudy.core.answer import Answer, StreamEvent
from understudy.core.conversation import Conversation
from understudy.core.embedding import Embeds, Texts, Vectors, project_texts
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
    be named otherwise. `fit`: the answer fitted to the caller's format, with what only the request, the target and the clock know.
    Raises `BadAnswer`.
    """

    project: Callable[[Any, Any], tuple[Any, tuple[Loss, ...], Names]]
    fit: Callable[[Any, Performance, Target], Any]


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


def _conversation(answer: Answer, show: Performance, target: Target) -> Answer:
    projected, _ = project_answer(named(answer, show, target), show.dialect.answer_carries)
    return projected


def _vectors(answer: Vectors, show: Performance, target: Target) -> Vectors:
    asked = show.asked()
    if len(answer.vectors) != len(asked.inputs):
        raise BadAnswer(f"{len(answer.vectors)} vectors came for {len(asked.inputs)} inputs")
    return replace(answer, model=answer.model or target.model, encoding=asked.encoding)


def _count(answer: int, show: Performance, target: Target) -> int:  # noqa: ARG001  a number is a number
    return answer


class OwnNames:
    """Reads a stream in which tools have the names that the caller knows. `names`: as they were sent -> his own."""

    __slots__ = ("_decoder", "_names")

    def __init__(self, decoder: StreamDecoder, names: Names) -> None:
        self._decoder = decoder
        self._names = names

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says. Raises `BadAnswer`."""
        return [own_name(said, self._names) for said in self._decoder.decode(event)]


CROSSINGS = {
    Operation.CHAT: Crossing(_asked, _conversation),
    Operation.EMBED: Crossing(_texts, _vectors),
    Operation.COUNT: Crossing(_asked, _count),
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

"""What a server of ours needs of a model, whatever library runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from understudy.core.answer import Stop
from understudy.core.value import keyword_value


class CannotLoad(Exception):
    """There is no model to serve. The message says why and what to do. `final`: trying again would end the same way."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final


class CannotRead(Exception):
    """The model cannot take this conversation. The message says why."""


class TooLong(CannotRead):
    """The conversation does not fit into the context."""


class CannotSpeak(Exception):
    """The library failed while it answered."""


@keyword_value
class Manner:
    """How to speak; None is the model's own way.

    `max_tokens`: bound on the answer. `temperature`: 0 for the likeliest token, always. `seed`: makes chance repeatable.
    `schema`: a JSON Schema, as JSON, that the answer must obey.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    schema: str | None = None


class Utterance(Protocol):
    """An answer that is being made. `tokens_in`: of the question. `tokens_out`: so far. `stop`: set by the last step."""

    tokens_in: int
    tokens_out: int
    stop: Stop | None

    def step(self) -> str:
        """One step on the way: the text that it brought, which is often none. Raises `CannotSpeak`."""
        ...


class Speaker(Protocol):
    """A model. `name`: what it calls itself."""

    name: str

    def hear(self, messages: Sequence[dict[str, str]], manner: Manner) -> Utterance:
        """Begin to answer messages of `role` and `content`. Raises `CannotRead`, `TooLong`, `CannotSpeak`."""
        ...

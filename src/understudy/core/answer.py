"""The intermediate form of an answer, whole or as a stream of events, and how the one becomes the other."""

from __future__ import annotations

from enum import StrEnum

from understudy.core.conversation import Extra, Part
from understudy.core.failure import Failure
from understudy.core.usage import Usage
from understudy.core.value import keyword_value, value


class Stop(StrEnum):
    """Why the model stopped."""

    END = "end"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    STOP_SEQUENCE = "stop_sequence"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause"  # the provider wants the turn sent back to go on (Anthropic pause_turn)
    CONTEXT_FULL = "context_full"  # the context window ended before the answer did


@keyword_value
class Choice:
    """One of the alternatives asked for with `n`; nearly always the only one.

    `stop`: None when the wire did not say (a truncated stream). `stop_native`: the provider's word where `stop` does not
    tell it whole. `stop_sequence`: the sequence that was met.
    """

    parts: tuple[Part, ...]
    stop: Stop | None = None
    stop_native: str | None = None
    stop_sequence: str | None = None
    extra: Extra | None = None


@keyword_value
class Answer:
    """A whole answer. `created`: Unix seconds, None where the format has none."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    created: int | None = None
    extra: Extra | None = None


# A stream is: Begin, then per part PartBegin, PartDelta..., PartEnd (parts of one choice may overlap; choices always may),
# one Finish per choice, UsageSeen any number of times (the last one counts), End. Failed may stand anywhere and is last.


@keyword_value
class Begin:
    """The answer has an id and a model; nothing of it has been said."""

    id: str
    model: str
    created: int | None = None
    extra: Extra | None = None


@value
class PartBegin:
    """A part opens. `part` holds what is known: empty text, a tool call with id and name and `""` as arguments.

    `index` numbers the parts of its choice from 0 in the order of their opening.
    """

    choice: int
    index: int
    part: Part


class Field(StrEnum):
    """Which text of a part a delta continues."""

    TEXT = "text"  # Text, Refusal, Reasoning
    ARGUMENTS = "arguments"  # ToolCall: a piece of JSON text
    SIGNATURE = "signature"  # Reasoning
    DATA = "data"  # Reasoning


@value
class PartDelta:
    """More of an open part."""

    choice: int
    index: int
    field: Field
    text: str


@value
class PartExtra:
    """More fields that only the dialect itself knows, for an open part (citations, annotations)."""

    choice: int
    index: int
    extra: Extra


@value
class PartEnd:
    """A part is complete."""

    choice: int
    index: int


@keyword_value
class Finish:
    """A choice is complete."""

    choice: int
    stop: Stop
    stop_native: str | None = None
    stop_sequence: str | None = None
    extra: Extra | None = None


@value
class UsageSeen:
    """What was used so far, in whole: it replaces what was said before."""

    usage: Usage


@value
class Failed:
    """The provider reported an error inside the stream."""

    failure: Failure


@value
class End:
    """The stream's proper end was seen (`[DONE]`, `message_stop`): without it a stream was cut."""


StreamEvent = Begin | PartBegin | PartDelta | PartExtra | PartEnd | Finish | UsageSeen | Failed | End

"""Wire formats, sans-IO and both ways, through the intermediate form: N codecs, never N x N translators.

A registry folder: one module per wire format, its stem the name in the configuration, its single `DIALECT` the entry.
The Protocols here are all that the engine and the doors know of a wire format.

A format belongs to one operation, and there is an intermediate form for each: a `Dialect` carries conversations, a format of
embeddings carries `core.embedding.Texts` and `Vectors`. Counting the tokens of a conversation is asked in nearly the words in
which it is held, so such an entry is but a row of facts, a `CountForm`, that `counting.Counting` makes a format of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeGuard

from understudy.core.answer import Answer, Stop, StreamEvent
from understudy.core.conversation import Conversation, Role
from understudy.core.embedding import Embeds, narrowed_embeds
from understudy.core.failure import Failure
from understudy.core.outcome import Outcome
from understudy.core.projection import Carries, RequestRule, narrowed, with_seals, with_thinking
from understudy.core.request import Call, Needs, Operation
from understudy.core.usage import Usage
from understudy.core.value import keyword_value, value
from understudy.framing.sse import SseEvent

COMPLAINT_CHARS_MAX = 1000
"""Of what is said about bytes that cannot be read: some of it quotes them."""


class Unreadable(Exception):
    """Bytes are not what their wire format promises."""

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= COMPLAINT_CHARS_MAX else f"{message[: COMPLAINT_CHARS_MAX - 3]}...")


class BadBody(Unreadable):
    """The caller's body cannot be read. The message says where and what to do; it goes back as a 400."""


class BadAnswer(Unreadable):
    """The provider's bytes are not what the dialect promises: the attempt is MALFORMED."""


@keyword_value
class Quirks:
    """How a provider's reading of a dialect differs from the book; the empty value is the book.

    `max_tokens_field`: the name it wants for the bound on the answer, None for the caller's own. `drop`: top-level request
    fields that it refuses. `roles`: role names to write instead (`developer` -> `system`). `late_system`: the role of a system turn
    that stands among the others, where it knows none there. `ask_usage`: whether a stream
    must be asked for its usage. `fields`: top-level fields always set. `cache_marks`: whether cache marks may be sent.
    `reasoning_field`: under which name it takes reasoning text back, None when it takes none. `names`: top-level fields that it
    knows by another name. `tool_ids`: the pattern of the only ids that it takes for tool calls, and the length of those that
    replace others. `efforts`: the only efforts that it knows, weakest first; another one becomes the nearest. `adaptive`: it
    takes no budget of thinking tokens, an effort stands for it. `budgets`: it knows no effort, a budget stands for it. `refuses_thinking`: top-level fields that it refuses while it
    thinks, that is with an effort other than `none`; `thinks_unasked`: or with none at all. `seals`: the pattern of the only
    encrypted thinking that it can read; other is left out. `translated`: top-level fields set where the request came in another format;
    the entries of a tuple are added. `rules`: what else a model takes only in some form, run behind the rules of the dialect.
    `turns`: role -> the only members that it takes in a message of that role; roles that are not there are left as they are.
    """

    max_tokens_field: str | None = None
    drop: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    late_system: str | None = None
    ask_usage: bool = True
    fields: tuple[tuple[str, object], ...] = ()
    cache_marks: bool = True
    reasoning_field: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    tool_ids: tuple[str, int] | None = None
    efforts: tuple[str, ...] = ()
    adaptive: bool = False
    budgets: bool = False
    refuses_thinking: tuple[str, ...] = ()
    thinks_unasked: bool = False
    rules: tuple[RequestRule, ...] = ()
    seals: str | None = None
    translated: tuple[tuple[str, Any], ...] = ()
    turns: tuple[tuple[str, tuple[str, ...]], ...] = ()


BY_THE_BOOK = Quirks()

# What an event of a stream means on its way through, as bits (plain ints: an IntFlag costs more than the parsing).
CONTENT = 1  # non-empty text, reasoning, refusal or tool call: the stream commits
PROGRESS = 2  # anything but a ping or comment: the idle clock starts again
HIDE = 4  # the caller did not ask for it: not forwarded
END = 8  # the stream's proper end
FAILED = 16  # an error inside the stream: `failure` says which
FINISH = 32  # a finish reason was seen


class Watcher(Protocol):
    """Reads a stream of its own dialect as it passes through untouched: commits, usage, errors, the end.

    `usage`: the last seen. `failure`: set with FAILED. `has_content`: any CONTENT so far. `stop_native`: finish reason.
    """

    usage: Usage | None
    failure: Failure | None
    stop_native: str | None

    def see(self, event: SseEvent) -> int:
        """The bits of one event. Raises `BadAnswer` when it is no event of this dialect."""
        ...


class Framing(Protocol):
    """Cuts one stream's bytes into events, however the bytes were cut into reads."""

    def feed(self, data: bytes) -> Sequence[SseEvent]:
        """The events that `data` completes. Raises `EventTooLarge`, and `BadAnswer` for bytes that are no such framing."""
        ...

    def flush(self) -> Sequence[SseEvent]:
        """At the end of the bytes: what was left unfinished and can still be read."""
        ...


class StreamDecoder(Protocol):
    """Turns the events of one stream into the intermediate form.

    Why a choice ended is held back until nothing can follow it: some servers say so on every event, or before the last words.
    `stop`: the reason, once each choice that has begun has one; None before.
    """

    @property
    def stop(self) -> Stop | None: ...

    def decode(self, event: SseEvent) -> Sequence[StreamEvent]:
        """What one event says: often one stream event, sometimes none or several. Raises `BadAnswer`."""
        ...

    def ending(self) -> Sequence[StreamEvent]:
        """What is still held back where the bytes end; nothing behind an end mark, or where there is no `stop`."""
        ...


class StreamEncoder(Protocol):
    """Writes one stream. Events must obey the grammar in `core.answer`; what the dialect cannot carry is left out."""

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for one event, framing included; `b""` when there is nothing to say (yet)."""
        ...


@value
class Glance:
    """What is read of a whole answer that passes through untouched.

    `failure`: an error inside a 200, or an answer with nothing in it. `model`: what the provider says it ran.
    """

    usage: Usage | None
    failure: Failure | None
    stop_native: str | None = None
    model: str | None = None


@keyword_value
class ErrorReport:
    """An error for a caller: the failure shown, and every attempt that led to it.

    `decision`: the id under which the choice can be read back. `model`: as the caller named it.
    """

    failure: Failure
    attempts: tuple[Outcome, ...] = ()
    decision: str | None = None


class Format(Protocol):
    """One wire format, of whatever operation. Pure: bytes and values in, bytes and values out.

    `inbound`: the paths of our own door that speak it; `{model}` in one stands for any name. `request_carries`: what of the
    operation's intermediate form it can express.
    """

    name: str
    operation: Operation
    inbound: tuple[str, ...]
    request_carries: Any

    def needs(self, body: bytes, path: str = "") -> Needs:
        """One cheap pass over a request's body. `path`: where it was sent, for formats that name the model there. Raises `BadBody`."""
        ...

    def retarget(self, call: Call, model: str, quirks: Quirks) -> tuple[bytes, tuple[str, ...]]:
        """The caller's own bytes for a target of the same dialect, and the names of what was dropped.

        The top-level object is re-encoded with its members' values as raw bytes (so duplicate keys collapse and policy and
        provider see the same model); `model` is replaced, usage is asked for in streams, quirks are applied.
        """
        ...

    def parse_request(self, body: bytes) -> Any:
        """The whole request, but for what its path said (model, stream): the engine knows that. Raises `BadBody`."""
        ...

    def render_request(self, request: Any, quirks: Quirks = BY_THE_BOOK, /) -> bytes:
        """The body for a request that was projected onto `request_carries`."""
        ...

    def parse_answer(self, body: bytes) -> Any:
        """The whole answer. Raises `BadAnswer`."""
        ...

    def render_answer(self, answer: Any, /) -> bytes:
        """The body for an answer that was fitted to the caller."""
        ...

    def glance(self, body: bytes) -> Glance:
        """What the engine must know of a whole answer that it passes on untouched. Raises `BadAnswer`."""
        ...

    def render_error(self, report: ErrorReport) -> bytes:
        """The body of an error answer, in this format's envelope."""
        ...


class Dialect(Format, Protocol):
    """A wire format of conversations: the one operation that has streams. `stream_type`: the media type of these."""

    stream_type: bytes
    request_carries: Carries
    answer_carries: Carries

    def parse_request(self, body: bytes) -> Conversation: ...

    def render_request(self, conversation: Conversation, quirks: Quirks = BY_THE_BOOK, /) -> bytes: ...

    def parse_answer(self, body: bytes) -> Answer: ...

    def render_answer(self, answer: Answer, /) -> bytes: ...

    def framing(self) -> Framing:
        """For the bytes of one stream."""
        ...

    def watcher(self, *, hide_usage: bool) -> Watcher:
        """For one stream passed on untouched. `hide_usage`: the caller did not ask for the usage that we asked for."""
        ...

    def decoder(self) -> StreamDecoder:
        """For one stream to be translated from this dialect."""
        ...

    def encoder(self, *, model: str, include_usage: bool | None) -> StreamEncoder:
        """For one stream to be translated into this dialect."""
        ...

    def render_stream_error(self, report: ErrorReport) -> bytes:
        """The event that ends a broken stream, framing included: never to be mistaken for a finish."""
        ...

    def render_models(self, names: Iterable[str]) -> bytes:
        """The body of this dialect's model listing."""
        ...

    def render_model(self, name: str) -> bytes:
        """The body that describes one model of that listing."""
        ...


def converses(format_: Format) -> TypeGuard[Dialect]:
    """Whether a format is one of conversations."""
    return format_.operation is Operation.CHAT


@keyword_value
class CountForm:
    """How a format of conversations asks how many tokens a request would be.

    `of`: that format's name. `inbound`: the paths of our own door that speak it. `keeps`: the members of a request that are
    part of the question; the others are about the answer. `field`: the member of the answer that holds the count. `besides`:
    members of the answer that never change.
    """

    operation: ClassVar[Operation] = Operation.COUNT

    of: str
    inbound: tuple[str, ...]
    keeps: tuple[str, ...]
    field: str
    besides: tuple[tuple[str, object], ...] = ()


def carried_by(format_: Format, quirks: Quirks) -> Any:
    """What a provider takes of its format in requests. Projected onto this, what the quirks leave out is reported, too.

    Costs 10 us: to be asked once per target.
    """
    carries = format_.request_carries
    if quirks == BY_THE_BOOK:
        return carries
    if isinstance(carries, Embeds):
        return narrowed_embeds(carries, quirks.drop)
    left = narrowed(
        carries,
        drop=quirks.drop,
        cache_marks=quirks.cache_marks,
        renames=dict(quirks.roles),
        late_system=quirks.late_system,
        reasoning=quirks.reasoning_field is not None,
        tool_ids=quirks.tool_ids,
        efforts=quirks.efforts,
    )
    left = left if quirks.seals is None else with_seals(left, quirks.seals)
    if quirks.turns and "refusal" not in dict(quirks.turns).get(Role.ASSISTANT, ("refusal",)):
        spoken = tuple(kind for kind in left.parts[Role.ASSISTANT] if kind != "refusal")
        left = replace(left, parts={**left.parts, Role.ASSISTANT: spoken})
    settled = with_thinking(
        left,
        adaptive=quirks.adaptive,
        budgets=quirks.budgets,
        refuses=quirks.refuses_thinking,
        unasked=quirks.thinks_unasked,
    )
    return replace(settled, request_rules=(*settled.request_rules, *quirks.rules)) if quirks.rules else settled

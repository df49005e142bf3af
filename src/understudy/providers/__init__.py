"""Providers: where each one is, which wire formats it speaks, how it takes the key, and where it differs from the book.

A registry folder. A provider that adds no behaviour is a row of facts, a `Provider`. One with settings of its own is a
dataclass with these as fields and its facts in `facts`: a `Player` answers from memory (`reply`), a `Located` is somewhere
else for every customer (`where`, `path`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from math import inf
from typing import ClassVar, Protocol, cast
from urllib.parse import quote, urlsplit
from zlib import crc32

from understudy import __version__
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
from understudy.core.request import Call, Operation
from understudy.core.target import Target
from understudy.core.value import JsonObject, keyword_value
from understudy.dialects import BY_THE_BOOK, Quirks
from understudy.ports import Header, Origin
from understudy.registry import Registry
from understudy.transport.sigv4 import Scope

OPENAI_CHAT = "openai_chat"
OPENAI_RESPONSES = "openai_responses"
ANTHROPIC_MESSAGES = "anthropic_messages"
GEMINI = "gemini"
OLLAMA_CHAT = "ollama_chat"
COHERE_CHAT = "cohere_chat"
BEDROCK_CONVERSE = "bedrock_converse"


ModelQuirks = tuple[tuple[str, Quirks], ...]
"""Pattern of a model's whole name -> its quirks. The first match counts."""


class Auth(StrEnum):
    """How a provider is shown the key."""

    BEARER = "bearer"  # authorization: Bearer ...
    X_API_KEY = "x-api-key"  # x-api-key: ...
    API_KEY = "api-key"  # api-key: ...
    X_GOOG_API_KEY = "x-goog-api-key"  # x-goog-api-key: ...
    SIGV4 = "sigv4"  # authorization: AWS4-HMAC-SHA256 ... (`transport.sigv4`), or Bearer ... of what is no pair of keys
    NONE = "none"


@keyword_value
class Wire:
    """One wire format at one provider.

    `path`: where it is spoken, under the target's `base_url`; `{model}` in it stands for the target's model, percent-encoded.
    `stream_path`: where streams are asked for, None for the same place. `headers`: always sent. `pass_on`: the caller's headers that
    go along, lower-case; one that ends in `*` stands for all that begin so. `quirks`: where it differs from the book.
    `on_request`: spoken only where a target's `api` picks it, because not every version of the server has it.
    `lacks_in_translation`: features that this format cannot carry for callers of another one. `operation`: what is asked in it.
    `unversioned`: it stands beside the `/v1` that a `base_url` may end in, not under it.
    `models`: pattern of a model's whole name -> the quirks that hold for it instead of `quirks`, the first match; `speaks_for`:
    pattern of the models that are asked in this format.
    """

    dialect: str
    path: str
    stream_path: str | None = None
    auth: Auth = Auth.BEARER
    headers: tuple[Header, ...] = ()
    pass_on: tuple[bytes, ...] = ()
    quirks: Quirks = BY_THE_BOOK
    on_request: bool = False
    lacks_in_translation: tuple[str, ...] = ()
    operation: Operation = Operation.CHAT
    models: ModelQuirks = ()
    speaks_for: str = r".*"
    unversioned: bool = False

    def quirks_for(self, model: str) -> Quirks:
        """Where this model differs from the book."""
        return next((quirks for pattern, quirks in self.models if re.fullmatch(pattern, model)), self.quirks)


@keyword_value
class Provider:
    """The facts of one provider.

    `title`: as it writes itself. `base_url`: where it is unless a target says otherwise, "" when a target must. `wires`: the
    wire formats it speaks, preferred first; none for a provider that answers from memory. `key_env`: the variable its key
    is usually read from, None when it takes none. `key_required`: whether a target without a key makes no sense. `model`:
    what is asked for when only a key is known, "" when a target must say. `local`: runs beside us, so it belongs into the
    local tier. `stand_in`: needs no provider at all, free of the attempt budget, always labelled degraded. `lacks`: features that none of its models has.
    `models_path`: where it lists its models, under the `base_url`'s origin; a target of such a provider needs no `model`.
    `base_url_env`: the variable that says where it is, for those that are somewhere else for everybody. `key`: the reference used where
    nothing else is said, for providers whose tokens come from a source. `own_hosts`: ends of the host names that are its own, beside
    that of `base_url`: the usual key is sent to no other. `hosted`: unless a target gives a `base_url`, we run its server ourselves.
    `lists`: where its models, or the target's own, can be asked for without being charged, as `Wire.path` is written.
    """

    title: str
    base_url: str = ""
    wires: tuple[Wire, ...] = ()
    key_env: str | None = None
    key_required: bool = True
    model: str = ""
    local: bool = False
    stand_in: bool = False
    lacks: tuple[str, ...] = ()
    models_path: str | None = None
    base_url_env: str | None = None
    key: str | None = None
    own_hosts: tuple[str, ...] = ()
    hosted: bool = False
    lists: str | None = None

    def owns(self, base_url: str) -> bool:
        """Whether an address is this provider's own, so that its usual key may be sent there."""
        return base_url == self.base_url or (
            bool(self.own_hosts)
            and base_url.startswith("https://")
            and address(base_url)[0].host.endswith(self.own_hosts)
        )

    def wire(self, dialect: str) -> Wire | None:
        """How this provider speaks a dialect; None when it does not."""
        return next((wire for wire in self.wires if wire.dialect == dialect), None)


# Some edges refuse a request that does not say who asks.
_ALWAYS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"user-agent", b"understudy/" + __version__.encode()),
)
_TRACE = (b"traceparent", b"tracestate")


def openai_chat(
    *,
    path: str = "/chat/completions",
    quirks: Quirks = BY_THE_BOOK,
    pass_on: tuple[bytes, ...] = (),
    on_request: bool = False,
    models: ModelQuirks = (),
    auth: Auth = Auth.BEARER,
    unversioned: bool = False,
) -> Wire:
    """Chat Completions under a `base_url` that ends in `/v1`."""
    return Wire(
        dialect=OPENAI_CHAT,
        path=path,
        auth=auth,
        headers=_ALWAYS,
        pass_on=(*_TRACE, *pass_on),
        quirks=quirks,
        models=models,
        on_request=on_request,
        lacks_in_translation=("logprobs", "stored", "video"),
        unversioned=unversioned,
    )


def openai_responses(
    *,
    path: str = "/responses",
    quirks: Quirks = BY_THE_BOOK,
    pass_on: tuple[bytes, ...] = (),
    on_request: bool = False,
    models: ModelQuirks = (),
    auth: Auth = Auth.BEARER,
) -> Wire:
    """Responses under a `base_url` that ends in `/v1`."""
    return Wire(
        dialect=OPENAI_RESPONSES,
        path=path,
        auth=auth,
        headers=_ALWAYS,
        pass_on=(*_TRACE, *pass_on),
        quirks=quirks,
        models=models,
        on_request=on_request,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )


def openai_input_tokens(
    *,
    path: str = "/responses/input_tokens",
    pass_on: tuple[bytes, ...] = (),
    models: ModelQuirks = (),
    auth: Auth = Auth.BEARER,
) -> Wire:
    """Token counting beside Responses."""
    return Wire(
        dialect="openai_input_tokens",
        path=path,
        auth=auth,
        headers=_ALWAYS,
        pass_on=(*_TRACE, *pass_on),
        models=models,
        operation=Operation.COUNT,
    )


def anthropic_messages(
    *,
    path: str = "/v1/messages",
    auth: Auth = Auth.X_API_KEY,
    quirks: Quirks = BY_THE_BOOK,
    on_request: bool = False,
    models: ModelQuirks = (),
) -> Wire:
    """Messages under a `base_url` that ends before `/v1`."""
    return Wire(
        dialect=ANTHROPIC_MESSAGES,
        path=path,
        auth=auth,
        headers=(*_ALWAYS, (b"anthropic-version", b"2023-06-01")),
        pass_on=(*_TRACE, b"anthropic-beta", b"anthropic-version"),
        quirks=quirks,
        models=models,
        on_request=on_request,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )


def generate_content(
    *,
    path: str = "/v1beta/models/{model}",
    auth: Auth = Auth.X_GOOG_API_KEY,
    quirks: Quirks = BY_THE_BOOK,
    on_request: bool = False,
    models: ModelQuirks = (),
) -> Wire:
    """Gemini's own format under a `base_url` that ends before `/v1beta`. `path`: of the model, before the colon and the method."""
    return Wire(
        dialect=GEMINI,
        path=f"{path}:generateContent",
        stream_path=f"{path}:streamGenerateContent?alt=sse",
        auth=auth,
        headers=_ALWAYS,
        pass_on=_TRACE,
        quirks=quirks,
        models=models,
        on_request=on_request,
        lacks_in_translation=("logprobs", "stored"),
    )


def ollama_chat() -> Wire:
    """Ollama's own format, beside the `/v1` of a `base_url`."""
    return Wire(
        dialect=OLLAMA_CHAT,
        path="/api/chat",
        headers=_ALWAYS,
        pass_on=_TRACE,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
        unversioned=True,
    )


def cohere_chat(*, path: str = "/v2/chat", auth: Auth = Auth.BEARER, models: ModelQuirks = ()) -> Wire:
    """Cohere's own format under a `base_url` that ends before `/v2`."""
    return Wire(
        dialect=COHERE_CHAT,
        path=path,
        auth=auth,
        headers=_ALWAYS,
        pass_on=_TRACE,
        models=models,
        lacks_in_translation=("audio", "logprobs", "many", "stored", "video"),
    )


def bedrock_converse(*, models: ModelQuirks = ()) -> Wire:
    """Converse under a `base_url` that ends before `/model`."""
    return Wire(
        dialect=BEDROCK_CONVERSE,
        path="/model/{model}/converse",
        stream_path="/model/{model}/converse-stream",
        auth=Auth.SIGV4,
        headers=_ALWAYS,
        pass_on=_TRACE,
        models=models,
        lacks_in_translation=("logprobs", "many", "stored"),
    )


def anthropic_count_tokens(
    *,
    path: str = "/v1/messages/count_tokens",
    auth: Auth = Auth.X_API_KEY,
    on_request: bool = False,
    models: ModelQuirks = (),
) -> Wire:
    """Token counting beside Messages."""
    return Wire(
        dialect="anthropic_count_tokens",
        path=path,
        auth=auth,
        headers=(*_ALWAYS, (b"anthropic-version", b"2023-06-01")),
        pass_on=(*_TRACE, b"anthropic-beta", b"anthropic-version"),
        models=models,
        on_request=on_request,
        operation=Operation.COUNT,
    )


def openai_embeddings(
    *,
    path: str = "/embeddings",
    quirks: Quirks = BY_THE_BOOK,
    pass_on: tuple[bytes, ...] = (),
    auth: Auth = Auth.BEARER,
) -> Wire:
    """Embeddings under a `base_url` that ends in `/v1`."""
    return Wire(
        dialect="openai_embeddings",
        path=path,
        auth=auth,
        headers=_ALWAYS,
        pass_on=(*_TRACE, *pass_on),
        quirks=quirks,
        operation=Operation.EMBED,
    )


def gemini_embeddings(
    *, path: str = "/v1beta/models/{model}:batchEmbedContents", auth: Auth = Auth.X_GOOG_API_KEY
) -> Wire:
    """Gemini's own embeddings under a `base_url` that ends before `/v1beta`."""
    return Wire(
        dialect="gemini_embeddings", path=path, auth=auth, headers=_ALWAYS, pass_on=_TRACE, operation=Operation.EMBED
    )


def cohere_embed(*, path: str = "/v2/embed", auth: Auth = Auth.BEARER) -> Wire:
    """Cohere's embeddings under a `base_url` that ends before `/v2`."""
    return Wire(
        dialect="cohere_embed", path=path, auth=auth, headers=_ALWAYS, pass_on=_TRACE, operation=Operation.EMBED
    )


# Servers of the OpenAI family that predate its `developer` role and `max_completion_tokens`, which is all of them but OpenAI.
COMPATIBLE = Quirks(max_tokens_field="max_tokens", roles=(("developer", "system"),), cache_marks=False)


@keyword_value
class Endpoint:
    """Where one target is asked in one dialect: everything about a request but its body and the secret.

    `path`, `stream_path`: start with `/`. `headers`: always sent. `pass_on`: exact names of the caller's headers that go along;
    `pass_on_prefixes`: beginnings of such names. `scope`: what its requests are signed for, None where the key itself is shown.
    """

    origin: Origin
    path: str
    stream_path: str
    headers: tuple[Header, ...]
    auth: Auth
    quirks: Quirks
    pass_on: tuple[bytes, ...] = ()
    pass_on_prefixes: tuple[bytes, ...] = ()
    scope: Scope | None = None

    def credential(self, secret: str) -> tuple[Header, ...]:
        """The header that shows the key; none where the provider takes none or the secret is empty."""
        if not secret or self.auth is Auth.NONE:
            return ()
        if self.auth is Auth.BEARER or self.auth is Auth.SIGV4:
            return ((b"authorization", b"Bearer " + secret.encode("ascii")),)
        return ((self.auth.value.encode(), secret.encode("ascii")),)

    def along(self, caller: tuple[Header, ...]) -> tuple[Header, ...]:
        """The fixed headers, and those of the caller's that go along; the caller's own value wins over a fixed one."""
        if not caller:
            return self.headers
        taken = tuple(
            header for header in caller if header[0] in self.pass_on or header[0].startswith(self.pass_on_prefixes)
        )
        if not taken:
            return self.headers
        names = {name for name, _ in taken}
        return (*(header for header in self.headers if header[0] not in names), *taken)


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


class Located(Protocol):
    """A provider that is somewhere else for every customer: its settings say where. They are optional, for a `base_url` says it, too."""

    facts: ClassVar[Provider]

    def where(self) -> str:
        """Where it is by these settings; "" when they do not say."""
        ...

    def path(self, base: str, path: str) -> str:
        """Where a wire format is spoken, under the origin. `base`: the path of the `base_url`. `path`: the wire's."""
        ...

    def known_as(self, model: str) -> str:
        """The name under which the quirks of a model are listed."""
        ...


class Signing(Located, Protocol):
    """One whose requests are signed."""

    def scope(self, host: str) -> Scope:
        """What a signature must be good for. `host`: where requests go."""
        ...


PROVIDERS: Registry[Provider | Player | Located] = Registry("understudy.providers", "PROVIDER", kind="provider")


def usual_dialects(known: Provider, model: str) -> tuple[str, ...]:
    """The wire formats that a provider is asked in for a conversation with this model unless a target picks one."""
    return formats_for(known, Operation.CHAT, model)


def formats_for(known: Provider, operation: Operation, model: str) -> tuple[str, ...]:
    """The wire formats that a provider is asked in for an operation unless a target picks one."""
    return tuple(
        wire.dialect
        for wire in known.wires
        if wire.operation is operation and not wire.on_request and re.fullmatch(wire.speaks_for, model)
    )


def lacks_in_translation(known: Provider, dialects: tuple[str, ...]) -> tuple[str, ...]:
    """What a target that speaks these cannot do for callers of other formats, who are translated into the first."""
    wire = known.wire(dialects[0]) if dialects else None
    return wire.lacks_in_translation if wire else ()


def facts(name: str) -> Provider:
    """The facts of a provider. Raises `UnknownName`."""
    entry = PROVIDERS.entry(name)
    return entry if isinstance(entry, Provider) else cast("Player | Located", entry).facts


def usual_address(name: str, settings: JsonObject) -> str:
    """Where a provider is unless a target says otherwise; "" when a target must."""
    known = facts(name)
    if known.base_url or isinstance(PROVIDERS.entry(name), Provider) or not known.wires:
        return known.base_url
    return cast("Located", PROVIDERS.build(name, settings)).where()


def hosted_address(target: str) -> str:
    """The address that stands for the server that we run for a target: no name server knows it, our own client does."""
    label = _NO_LABEL.sub("-", target.lower())
    if label != target:  # names that differ in case or dots only are different targets
        label += f"-{crc32(target.encode()):08x}"
    return f"http://{label}.hosted.invalid/v1"


def is_hosted(target: Target) -> bool:
    """Whether we run this target's server."""
    return facts(target.provider).hosted and target.base_url == hosted_address(target.name)


_NO_LABEL = re.compile(r"[^a-z0-9-]")


def player(target: Target) -> Player | None:
    """Who answers for a target from memory; None for a provider that is reached over HTTP (and for `stale_cache`)."""
    if isinstance(PROVIDERS.entry(target.provider), Provider) or facts(target.provider).wires:
        return None
    return cast("Player", PROVIDERS.build(target.provider, target.settings or {}))


def _located(target: Target) -> Located | None:
    if isinstance(PROVIDERS.entry(target.provider), Provider):
        return None
    settings = {name: held for name, held in (target.settings or {}).items() if name != "headers"}
    return cast("Located", PROVIDERS.build(target.provider, settings))


def listing(target: Target) -> str | None:
    """Where a target's models are listed, under its origin; None where nobody knows, or where it is asked elsewhere than usual."""
    known = facts(target.provider)
    if is_hosted(target) or not target.base_url:
        return None
    _, base = address(target.base_url)
    if known.models_path is not None:
        return base.removesuffix("/v1") + known.models_path
    return None if known.lists is None else _for(target, path_under(base, known.lists))


class BadAddress(ValueError):
    """A `base_url` that cannot be used. The message says why and what to write."""


def endpoint(target: Target, dialect: str) -> Endpoint:
    """Where a target is asked in a dialect. Raises `BadAddress` for its address, `LookupError` for the dialect."""
    wire = facts(target.provider).wire(dialect)
    if wire is None:
        raise LookupError(f"{target.provider} does not speak {dialect}")
    origin, base = address(target.base_url)
    if wire.unversioned:
        base = _VERSION_LAST.sub("", base)
    located = _located(target)
    whole = path_under if located is None else located.path
    model = target.model if located is None else located.known_as(target.model)
    settings = target.settings or {}
    own = tuple((name.lower().encode(), str(text).encode()) for name, text in settings.get("headers", {}).items())
    return Endpoint(
        origin=origin,
        path=_for(target, whole(base, wire.path)),
        stream_path=_for(target, whole(base, wire.stream_path or wire.path)),
        headers=(*wire.headers, *own),
        # whatever a provider's own keys are shown as, an issued token is a bearer token
        auth=Auth.BEARER if target.key_is_issued and wire.auth in _KEY_HEADERS else wire.auth,
        quirks=wire.quirks_for(model),
        pass_on=tuple(name for name in wire.pass_on if not name.endswith(b"*")),
        pass_on_prefixes=tuple(name[:-1] for name in wire.pass_on if name.endswith(b"*")),
        scope=cast("Signing", located).scope(origin.host) if wire.auth is Auth.SIGV4 else None,
    )


_KEY_HEADERS = (Auth.X_API_KEY, Auth.API_KEY, Auth.X_GOOG_API_KEY)


def path_under(base: str, path: str) -> str:
    """A wire format's path under that of a `base_url`."""
    # `https://api.anthropic.com` and `https://api.anthropic.com/v1` mean the same to people.
    version = path[: path.find("/", 1)]
    return (base.removesuffix(version) if _VERSION.fullmatch(version) else base) + path


def _for(target: Target, path: str) -> str:
    return path.replace("{model}", quote(target.model, safe="@"))


_VERSION = re.compile(r"/v\d\w*")
_VERSION_LAST = re.compile(_VERSION.pattern + r"\Z")
_PORTS = {"http": 80, "https": 443}


def address(base_url: str) -> tuple[Origin, str]:
    """A `base_url` as origin and path, the path without its trailing slash. Raises `BadAddress`."""
    if any(char.isspace() or not char.isprintable() for char in base_url):
        raise BadAddress("it holds white space or control characters; write it on one line")
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{error}; write it like https://host:port/v1") from None
    if parts.scheme not in _PORTS:
        raise BadAddress("it must start with http:// or https://")
    if not parts.hostname:
        raise BadAddress("it names no host; write it like https://host:port/v1")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("it holds credentials; give them as `key: env:NAME` or `key: file:PATH`")
    if parts.query or parts.fragment:
        raise BadAddress("it holds a query or fragment; leave out everything from `?` or `#` on")
    if port == 0 or not parts.hostname.isascii() or not base_url.isascii():
        raise BadAddress("host, port or path cannot be sent as they are; use ASCII (punycode, percent-encoding)")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme]), parts.path.rstrip("/")

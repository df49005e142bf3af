"""Answers one exchange: who asks, in which wire format, for what; the engine does the rest.

Order of the checks, and why: the address first (a wrong one needs no key), then the key (nobody unknown learns more than
that), then the body, then what the key may ask for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, unquote

from understudy.config import Principal
from understudy.config.names import listed, permitted, unknown_name
from understudy.core.catalogue.task import COMPLEXITIES
from understudy.core.failure import TABLE, Failure, FailureKind
from understudy.core.request import Call, Needs
from understudy.dialects import BadBody, ErrorReport, Format, converses
from understudy.engine.attempt import JSON
from understudy.engine.router import Engine
from understudy.gateway import feedback
from understudy.gateway.json_array import ArraySink, wants_array
from understudy.ports import Exchange, Header

PASS_ON = (b"anthropic-", b"openai-", b"traceparent", b"tracestate")
"""Beginnings of the caller's headers that may reach a provider, if that provider's facts ask for them."""

OWN = b"x-understudy-"
USUAL = frozenset(
    (
        b"accept", b"accept-encoding", b"accept-language", b"authorization", b"connection", b"content-length",
        b"content-type", b"host", b"user-agent", b"x-api-key", b"x-goog-api-client", b"x-goog-api-key",
    )
)  # fmt: skip
"""What nearly every request carries, and none of what is looked for: told apart by one look-up."""
MODELS = ("/v1/models", "/v1beta/models")
"""Where models are listed: for clients of Google's API at the second, and at the first if they show by a header that they are such."""
SPELLINGS_MAX = 10_000
"""Right keys that are remembered as they were shown: hashing one again costs a request 0.7 us."""
SPELLING_BYTES_MAX = 1024
"""Of one of them. Around the same key there may be any amount of white space."""
SAID_CHARS_MAX = 1024
"""Of one of the caller's words about a request, and of what rules see of a header: some are remembered for long after the request."""
EVERYBODY = Principal(name="", key_sha256="")
"""Who asks when no principals are configured: anyone who reaches the loopback address."""

_MILLISECONDS = re.compile("[0-9]{1,9}")


class Refused(Exception):
    """What the caller asks is refused before any target is considered. `headers`: what the refusal must carry."""

    def __init__(self, kind: FailureKind, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.failure = Failure(kind, message)
        self.headers = headers


class DataPlane:
    """The handler that the server calls. `dialects`: by name; each says at which paths it is spoken."""

    def __init__(self, engine: Engine, dialects: Mapping[str, Format]) -> None:
        self.engine = engine
        self._dialects = dialects
        self._spoken = {name: dialect for name, dialect in dialects.items() if converses(dialect)}
        doors = {path: dialect for dialect in dialects.values() for path in dialect.inbound}
        self._doors = {path: dialect for path, dialect in doors.items() if "{" not in path}
        self._patterns = [(_pattern(path), dialect) for path, dialect in doors.items() if "{" in path]
        self._paths = tuple(doors)
        self._principals: dict[bytes, Principal] = {}
        self._principals_of: str | None = None
        self._shown: dict[bytes, Principal] = {}  # keys that were found right, as they were shown

    def __call__(self, exchange: Exchange) -> Awaitable[object] | None:
        """Answer it: at once, or by what is then to be awaited."""
        dialect, array = self._doors.get(exchange.path), False
        if dialect is None:
            dialect, array = self._named_in_path(exchange.path), wants_array(exchange)
        if dialect is None:
            self._besides(exchange)
            return None
        try:
            if exchange.method != "POST":
                raise wrong_method(exchange, "POST")
            call = self._call(exchange, dialect)
        except Refused as refused:
            tell(exchange, dialect, refused)
            return None
        return self._array(call, exchange) if array else self.engine.handle(call, exchange)

    async def _array(self, call: Call, exchange: Exchange) -> None:
        """Answer a call whose stream is to come as one JSON array."""
        sink = ArraySink(exchange)
        try:
            await self.engine.handle(call, sink)
        finally:
            await sink.close()

    def _named_in_path(self, path: str) -> Format | None:
        """The wire format of a path with the model in it."""
        for pattern, dialect in self._patterns:
            if pattern.fullmatch(path):
                return dialect
        return None

    def _call(self, exchange: Exchange, dialect: Format) -> Call:
        """The exchange as a call. Raises `Refused`."""
        principal = self._principal(exchange)
        headers = exchange.headers
        if b"content-encoding" in headers and headers[b"content-encoding"] != b"identity":
            raise Refused(FailureKind.BAD_REQUEST, "send the body without content-encoding")
        try:
            needs = dialect.needs(exchange.body, exchange.path)
        except BadBody as trouble:
            raise Refused(FailureKind.BAD_REQUEST, str(trouble)) from None
        passed: tuple[Header, ...] = ()
        said: dict[str, str] = {}
        if not headers.keys() <= USUAL:
            passed = tuple([header for header in headers.items() if header[0].startswith(PASS_ON)])
            said = {
                name[len(OWN) :].decode(): text.decode("latin-1")
                for name, text in headers.items()
                if name.startswith(OWN)
            }
        if not said and (principal.routes is None or needs.model in principal.routes):
            call = Call(dialect.name, needs, exchange.body, passed, principal.name)
        else:
            call = _steered(dialect, needs, exchange.body, passed, principal, said)
        read = self.engine.snapshot.headers_read
        return replace(call, seen=_seen(headers, read)) if read else call

    def _principal(self, exchange: Exchange) -> Principal:
        """Who asks. Raises `Refused`."""
        configuration = self.engine.snapshot.configuration
        if not configuration.principals:
            return EVERYBODY
        if self._principals_of != configuration.version:
            self._principals = {bytes.fromhex(one.key_sha256): one for one in configuration.principals}
            self._principals_of = configuration.version
            self._shown.clear()
        shown = _shown(exchange)
        known = self._shown.get(shown)
        if known is not None:
            return known
        key = shown[7:] if shown[:7].lower() == b"bearer " else shown
        known = self._principals.get(sha256(key.strip()).digest())
        if known is None:
            raise Refused(FailureKind.UNAUTHENTICATED, "this key is not known here" if key else "a key is missing")
        if len(self._shown) < SPELLINGS_MAX and len(shown) <= SPELLING_BYTES_MAX:
            self._shown[shown] = known
        return known

    def _besides(self, exchange: Exchange) -> None:
        """Everything that is not a call: the model listing, and addresses that do not exist."""
        dialect = self.dialect_at(exchange.path, exchange.headers)
        try:
            if exchange.path == feedback.PATH:
                self._feedback(exchange)
                return
            listing = next((one for one in MODELS if exchange.path == one or exchange.path.startswith(one + "/")), None)
            if listing is None:
                doors = ", ".join([*self._paths, *MODELS, feedback.PATH])
                raise Refused(FailureKind.UNKNOWN_ROUTE, f"nothing is at {exchange.path}; there are: {doors}")
            if exchange.method != "GET":
                raise wrong_method(exchange, "GET")
            configuration, principal = self.engine.snapshot.configuration, self._principal(exchange)
            asked = unquote(exchange.path[len(listing) + 1 :])
            if asked and not (asked in configuration.names and permitted(principal, asked)):
                raise Refused(FailureKind.UNKNOWN_MODEL, unknown_name(configuration, asked, principal))
            written = self._spoken.get(dialect.name) or self._spoken["openai_chat"]
            body = written.render_model(asked) if asked else written.render_models(listed(configuration, principal))
            exchange.respond(200, [JSON], body)
        except Refused as refused:
            tell(exchange, dialect, refused)

    def _feedback(self, exchange: Exchange) -> None:
        """A score for an answer. Raises `Refused`."""
        if exchange.method != "POST":
            raise wrong_method(exchange, "POST")
        principal = self._principal(exchange)
        try:
            told = feedback.take(self.engine, exchange.body, principal.name)
        except ValueError as trouble:
            raise Refused(FailureKind.BAD_REQUEST, str(trouble)) from None
        exchange.respond(200, [JSON], told)

    def dialect_at(self, path: str, headers: Mapping[bytes, bytes] | None = None) -> Format:
        """The wire format of whoever asks there: by the path, else by headers that only one kind of client sends."""
        for door, dialect in self._doors.items():
            if path.startswith(door):
                return dialect
        named = self._named_in_path(path)
        if named is not None:
            return named
        if headers and b"anthropic-version" in headers:
            return self._dialects["anthropic_messages"]
        if path.startswith("/v1beta/") or (
            headers and (b"x-goog-api-key" in headers or b"x-goog-api-client" in headers)
        ):
            return self._dialects["gemini"]
        return self._dialects["openai_chat"]

    def refusal(self, path: str, kind: FailureKind, message: str) -> tuple[tuple[Header, ...], bytes]:
        """An error for a request that no handler saw."""
        return (JSON,), self.dialect_at(path).render_error(ErrorReport(failure=Failure(kind, message)))


def _shown(exchange: Exchange) -> bytes:
    """The key that the caller shows, wherever its API's clients put it. Google's may put it into the address."""
    headers = exchange.headers
    key = headers.get(b"x-api-key") or headers.get(b"authorization") or headers.get(b"x-goog-api-key", b"")
    if not key and exchange.query:
        key = parse_qs(exchange.query).get("key", [""])[-1].encode()
    return key


def _pattern(path: str) -> re.Pattern[str]:
    """A path of a door with `{model}` in it. A model's own name may hold slashes and colons."""
    before, _, after = path.partition("{model}")
    return re.compile(f"{re.escape(before)}.+{re.escape(after)}", re.DOTALL)


def wrong_method(exchange: Exchange, allowed: str) -> Refused:
    """A refusal that says what is allowed there, as RFC 9110 demands of a 405."""
    told = f"use {allowed} for {exchange.path}"
    return Refused(FailureKind.METHOD_NOT_ALLOWED, told, (b"allow", allowed.encode()))


def tell(exchange: Exchange, dialect: Format, refused: Refused) -> None:
    """Refuse an exchange in its caller's dialect."""
    body = dialect.render_error(ErrorReport(failure=refused.failure))
    exchange.respond(TABLE[refused.failure.kind].status, [JSON, *refused.headers], body)


def _steered(
    dialect: Format, needs: Needs, body: bytes, headers: tuple[Header, ...], principal: Principal, said: dict[str, str]
) -> Call:
    """A call of a known principal, or one that says how it wants to be routed. Raises `Refused`."""
    for name, words in said.items():
        if name not in principal.may:
            raise Refused(
                FailureKind.FORBIDDEN, f"x-understudy-{name} is not allowed here; allowed: {', '.join(principal.may)}"
            )
        if len(words) > SAID_CHARS_MAX:
            raise Refused(FailureKind.BAD_REQUEST, f"x-understudy-{name} is at most {SAID_CHARS_MAX} characters long")
    if len(needs.model) > SAID_CHARS_MAX:  # unlike without any words, it may be answered
        raise Refused(FailureKind.BAD_REQUEST, f"the model's name is at most {SAID_CHARS_MAX} characters long")
    complexity = said.get("complexity")
    if complexity is not None and complexity not in COMPLEXITIES:
        raise Refused(FailureKind.BAD_REQUEST, f"x-understudy-complexity is one of {', '.join(COMPLEXITIES)}")
    route = said.get("route")
    if principal.routes is not None and (route or needs.model) not in principal.routes:
        allowed = ", ".join(principal.routes)
        raise Refused(FailureKind.FORBIDDEN, f"this key may not ask for {route or needs.model!r}; it may: {allowed}")
    return Call(
        dialect=dialect.name,
        needs=needs,
        body=body,
        headers=headers,
        principal=principal.name,
        deadline_s=_seconds(said.get("deadline-ms")),
        session=said.get("session"),
        labels=_labels(said.get("labels", "")),
        route=route,
        strategy=said.get("strategy"),
        complexity=complexity,
    )


def _seen(headers: Mapping[bytes, bytes], read: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What rules look at among the headers: the beginning of each."""
    found = ((name, headers.get(name.encode("latin-1"))) for name in read)
    return tuple((name, text[:SAID_CHARS_MAX].decode("latin-1")) for name, text in found if text is not None)


def _seconds(milliseconds: str | None) -> float | None:
    if milliseconds is None:
        return None
    if _MILLISECONDS.fullmatch(milliseconds) is None or not 0 < int(milliseconds) <= 86_400_000:
        raise Refused(
            FailureKind.BAD_REQUEST, "x-understudy-deadline-ms is a whole number of milliseconds, 1 to 86400000"
        )
    return int(milliseconds) / 1000.0


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    """`team=search, env=test` as pairs."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not sep or not key.strip() for key, sep, _ in pairs):
        raise Refused(FailureKind.BAD_REQUEST, "x-understudy-labels is written as name=value, name=value")
    return tuple((key.strip(), told.strip()) for key, _, told in pairs)

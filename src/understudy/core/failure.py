"""What each failure means: one table, read by retry, fallback, breakers, cool-downs and both doors.

A `FailureKind` says *what went wrong*. Its row says *whose fault it is* (`implicates`), *what may be tried next*
(`then`), whether breakers count it, at which scope a cool-down is set, and which HTTP status, JSON-RPC code and error
type it becomes when it is what the caller gets to see. There is no default row: a kind without one fails the tests.
"""

from __future__ import annotations

from enum import StrEnum

from understudy.core.value import keyword_value, value


class Implicates(StrEnum):
    """Whose standing a failure speaks about."""

    __hash__ = str.__hash__  # as a key it is looked up for every failure; Enum hashes by a function in Python

    KEY = "key"  # the credential: every target that uses it
    TARGET = "target"  # this target alone
    MODEL = "model"  # this model at this provider, whatever the key
    PROVIDER = "provider"  # everything behind this provider's address
    CALLER = "caller"  # the request itself: another target would refuse it too
    NOBODY = "nobody"  # a race lost, a client gone: says nothing about anyone


class Then(StrEnum):
    """What the walk may do after a failure."""

    STOP = "stop"  # the caller gets this failure
    OTHER = "other"  # another target; the same one again only when no other is left in the tier
    ELSEWHERE = "elsewhere"  # another target; repeating this one cannot help within this request
    LARGER = "larger"  # only a target whose context window is known to be larger


class FailureKind(StrEnum):
    """What went wrong with an attempt, or with a whole request."""

    __hash__ = str.__hash__  # as a key it is looked up for every failure; Enum hashes by a function in Python

    # the provider answered with an error
    AUTH = "auth"
    PERMISSION = "permission"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    NOT_FOUND = "not_found"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_LENGTH = "context_length"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    REQUEST_TOO_LARGE_FOR_LIMIT = "request_too_large_for_limit"
    CONTENT_FILTER = "content_filter"
    TOOL_USE_FAILED = "tool_use_failed"
    # the provider could not be reached, or fell silent
    DNS_FAILED = "dns_failed"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_LOST = "connection_lost"
    TLS_FAILED = "tls_failed"
    PROXY_FAILED = "proxy_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    HEADERS_TIMEOUT = "headers_timeout"
    FIRST_CONTENT_TIMEOUT = "first_content_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    ANSWER_TIMEOUT = "answer_timeout"
    # the provider answered something that is no answer
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    ANSWER_TOO_LARGE = "answer_too_large"
    # our own side of it
    CREDENTIAL_UNAVAILABLE = "credential_unavailable"
    NOT_READY = "not_ready"
    KEPT_DOWN = "kept_down"
    NOT_PORTABLE = "not_portable"
    LOST_RACE = "lost_race"
    CLIENT_LEFT = "client_left"
    DRAINING = "draining"
    # what a whole request can end in without any attempt saying so
    DEADLINE = "deadline"
    NO_TARGET = "no_target"
    CIRCUIT_OPEN = "circuit_open"
    LOCAL_LIMIT = "local_limit"
    CAPABILITY_MISMATCH = "capability_mismatch"
    BUDGET_EXCEEDED = "budget_exceeded"
    # the caller's mistakes that no provider ever sees
    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_ROUTE = "unknown_route"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    REQUEST_TIMEOUT = "request_timeout"
    BUSY = "busy"
    INTERNAL = "internal"


@keyword_value
class FailureRow:
    """What one kind of failure means.

    `counts`: whether breakers count it unless the policy's `counts` says otherwise. `cool_down_s`: how long the
    implicated scope rests when the provider gave no hint (0: it does not rest). `status`: the HTTP status shown to the
    caller. `rpc`: the JSON-RPC code. `type`: the error type in OpenAI's envelope; `anthropic` that in Anthropic's.
    `advice`: what the reader can do about it.
    """

    implicates: Implicates
    then: Then
    counts: bool
    cool_down_s: float
    status: int
    rpc: int
    type: str
    anthropic: str
    advice: str


# JSON-RPC codes (the implementation-defined range -32000..-32019, and the two standard ones used here)
PROVIDER_UNAVAILABLE = -32001
RATE_LIMIT_EXCEEDED = -32002
BUDGET_EXCEEDED = -32003
CAPABILITY_MISMATCH = -32004
CIRCUIT_OPEN = -32005
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603


def _row(  # noqa: PLR0913  the columns of the table
    implicates: Implicates,
    then: Then,
    status: int,
    advice: str,
    *,
    counts: bool = False,
    cool_down_s: float = 0.0,
    rpc: int = PROVIDER_UNAVAILABLE,
    type_: str = "api_error",
    anthropic: str = "api_error",
) -> FailureRow:
    return FailureRow(
        implicates=implicates,
        then=then,
        counts=counts,
        cool_down_s=cool_down_s,
        status=status,
        rpc=rpc,
        type=type_,
        anthropic=anthropic,
        advice=advice,
    )


def _mistake(
    status: int, advice: str, *, type_: str = "invalid_request_error", anthropic: str = "invalid_request_error"
) -> FailureRow:
    """A row for what the caller has to mend: nothing is tried, nobody's standing changes."""
    return _row(Implicates.CALLER, Then.STOP, status, advice, rpc=INVALID_PARAMS, type_=type_, anthropic=anthropic)


_KEY, _TARGET, _MODEL = Implicates.KEY, Implicates.TARGET, Implicates.MODEL
_PROVIDER, _CALLER, _NOBODY = Implicates.PROVIDER, Implicates.CALLER, Implicates.NOBODY
_STOP, _OTHER, _ELSEWHERE, _LARGER = Then.STOP, Then.OTHER, Then.ELSEWHERE, Then.LARGER
_K = FailureKind

# A row stays a row, to be read as a table.
# fmt: off
TABLE: dict[FailureKind, FailureRow] = {
    # A bad key is the operator's mistake, not the caller's: showing 401 would send the caller hunting in the wrong place.
    _K.AUTH: _row(_KEY, _ELSEWHERE, 502, "Check the key that this target uses.", cool_down_s=60),
    # What is forbidden is nearly always this model to this key: the key's other models go on.
    _K.PERMISSION: _row(_TARGET, _ELSEWHERE, 502, "Check what this target's key may use.", cool_down_s=60),
    _K.INSUFFICIENT_QUOTA: _row(
        _KEY, _ELSEWHERE, 503, "Top up the provider account behind this target's key.", cool_down_s=300
    ),
    # Limits belong to an account and a model: a second account's key for the same model is the best place to go next.
    # `counts` is for limits that come without a hint; with one, the cool-down waits and the breaker need not guess.
    _K.RATE_LIMIT: _row(
        _TARGET,
        _OTHER,
        429,
        "Retry after the time given, or add targets or quota.",
        counts=True,
        cool_down_s=1,
        rpc=RATE_LIMIT_EXCEEDED,
        type_="rate_limit_error",
        anthropic="rate_limit_error",
    ),
    _K.OVERLOADED: _row(
        _MODEL,
        _OTHER,
        503,
        "The provider is overloaded; retry shortly.",
        counts=True,
        type_="overloaded_error",
        anthropic="overloaded_error",
    ),
    _K.SERVER_ERROR: _row(_TARGET, _OTHER, 502, "The provider failed; retry shortly.", counts=True),
    _K.UNAVAILABLE: _row(_PROVIDER, _OTHER, 503, "The provider is unavailable; retry shortly.", counts=True),
    # The configuration named the model, so another target may well know its own.
    _K.NOT_FOUND: _row(
        _TARGET,
        _ELSEWHERE,
        404,
        "Check the model name and the base_url of this target.",
        cool_down_s=60,
        rpc=INVALID_PARAMS,
        type_="invalid_request_error",
        anthropic="not_found_error",
    ),
    _K.INVALID_REQUEST: _mistake(400, "Correct the request; the provider's message says what is wrong."),
    _K.CONTEXT_LENGTH: _row(
        _CALLER,
        _LARGER,
        400,
        "Shorten the request, or add a target with a larger context window.",
        rpc=INVALID_PARAMS,
        type_="invalid_request_error",
        anthropic="invalid_request_error",
    ),
    # Limits on bytes differ from 1 MB (a proxy's default) to 100 MB: another target may well take it.
    _K.PAYLOAD_TOO_LARGE: _row(
        _CALLER,
        _ELSEWHERE,
        413,
        "Send a smaller request.",
        rpc=INVALID_PARAMS,
        type_="invalid_request_error",
        anthropic="request_too_large",
    ),
    # "Request too large ... on tokens per minute": this account's limit can never admit it, another one's may.
    _K.REQUEST_TOO_LARGE_FOR_LIMIT: _row(
        _CALLER,
        _ELSEWHERE,
        429,
        "Send a smaller request, or raise the account's token limit.",
        rpc=RATE_LIMIT_EXCEEDED,
        type_="rate_limit_error",
        anthropic="rate_limit_error",
    ),
    # Another provider might answer; looking for one that does is not a router's decision.
    _K.CONTENT_FILTER: _mistake(400, "The provider's content policy refused the prompt."),
    # A model that wrote an invalid tool call may write a valid one next time: chance, not a fault to remember.
    _K.TOOL_USE_FAILED: _row(_NOBODY, _OTHER, 502, "The model produced an invalid tool call; retry."),
    _K.DNS_FAILED: _row(_PROVIDER, _OTHER, 502, "Check the target's base_url and the resolver.", counts=True),
    _K.CONNECTION_REFUSED: _row(_PROVIDER, _OTHER, 502, "Check that the target's server runs.", counts=True),
    _K.CONNECTION_LOST: _row(_TARGET, _OTHER, 502, "The provider closed the connection; retry.", counts=True),
    _K.TLS_FAILED: _row(
        _PROVIDER, _OTHER, 502, "Check the certificate and the CA settings of the target.", counts=True
    ),
    _K.PROXY_FAILED: _row(_PROVIDER, _OTHER, 502, "Check the proxy that this target uses.", counts=True),
    _K.CONNECT_TIMEOUT: _row(_PROVIDER, _OTHER, 504, "The provider cannot be reached; retry.", counts=True),
    _K.HEADERS_TIMEOUT: _row(_TARGET, _OTHER, 504, "The provider is silent; retry, or raise headers_s.", counts=True),
    _K.FIRST_CONTENT_TIMEOUT: _row(
        _TARGET, _OTHER, 504, "The provider sent no content; retry, or raise first_content_s.", counts=True
    ),
    _K.IDLE_TIMEOUT: _row(_TARGET, _OTHER, 504, "The stream stalled; retry, or raise idle_s.", counts=True),
    _K.ANSWER_TIMEOUT: _row(_TARGET, _OTHER, 504, "The answer took too long; retry, or raise answer_s.", counts=True),
    _K.MALFORMED: _row(_TARGET, _OTHER, 502, "The provider sent something unreadable; retry.", counts=True),
    _K.TRUNCATED: _row(_TARGET, _OTHER, 502, "The provider cut its answer short; retry.", counts=True),
    _K.EMPTY: _row(_TARGET, _OTHER, 502, "The provider sent an answer without content; retry.", counts=True),
    _K.ANSWER_TOO_LARGE: _row(_TARGET, _OTHER, 502, "The answer exceeds the size limit; ask for less.", counts=True),
    _K.CREDENTIAL_UNAVAILABLE: _row(
        _KEY, _ELSEWHERE, 502, "The target's key could not be read; check its reference.", cool_down_s=5
    ),
    # A model server of our own that loads its model, or one that did not come up: known, so breakers need not guess.
    _K.NOT_READY: _row(_TARGET, _OTHER, 503, "The target's model server is starting; retry shortly.", cool_down_s=1),
    _K.KEPT_DOWN: _row(
        _TARGET, _ELSEWHERE, 503, "The target's model server does not start; mend what the message says.", cool_down_s=60
    ),
    _K.NOT_PORTABLE: _row(
        _NOBODY,
        _ELSEWHERE,
        400,
        "The request needs what no other target can carry; drop it, or leave strict mode.",
        rpc=CAPABILITY_MISMATCH,
        type_="invalid_request_error",
        anthropic="invalid_request_error",
    ),
    _K.LOST_RACE: _row(_NOBODY, _STOP, 499, "Another attempt was faster."),
    _K.CLIENT_LEFT: _row(_NOBODY, _STOP, 499, "The client closed the connection."),
    _K.DRAINING: _row(
        _NOBODY,
        _STOP,
        503,
        "The server is shutting down; retry.",
        type_="overloaded_error",
        anthropic="overloaded_error",
    ),
    _K.DEADLINE: _row(
        _NOBODY,
        _STOP,
        504,
        "No target answered before the deadline; raise it, or retry.",
        type_="timeout_error",
        anthropic="timeout_error",
    ),
    _K.NO_TARGET: _row(_NOBODY, _STOP, 503, "No target of this route can take the request now; see the reasons."),
    _K.CIRCUIT_OPEN: _row(
        _NOBODY,
        _STOP,
        503,
        "Every target's circuit breaker is open; retry after the time given.",
        rpc=CIRCUIT_OPEN,
        type_="overloaded_error",
        anthropic="overloaded_error",
    ),
    _K.LOCAL_LIMIT: _row(
        _NOBODY,
        _STOP,
        429,
        "The configured limits of every target are reached; retry after the time given.",
        rpc=RATE_LIMIT_EXCEEDED,
        type_="rate_limit_error",
        anthropic="rate_limit_error",
    ),
    _K.CAPABILITY_MISMATCH: _row(
        _CALLER,
        _STOP,
        400,
        "No target of this route can do what the request needs.",
        rpc=CAPABILITY_MISMATCH,
        type_="invalid_request_error",
        anthropic="invalid_request_error",
    ),
    _K.BUDGET_EXCEEDED: _row(
        _CALLER,
        _STOP,
        429,
        "The budget is spent.",
        rpc=BUDGET_EXCEEDED,
        type_="insufficient_quota",
        anthropic="rate_limit_error",
    ),
    _K.BAD_REQUEST: _mistake(400, "Correct the request as the message says."),
    _K.UNAUTHENTICATED: _mistake(
        401,
        "Send a key of this router: `Authorization: Bearer ...` or `x-api-key`.",
        type_="authentication_error",
        anthropic="authentication_error",
    ),
    _K.FORBIDDEN: _mistake(
        403, "This key may not do that; ask the operator.", type_="permission_error", anthropic="permission_error"
    ),
    _K.UNKNOWN_MODEL: _mistake(
        404, "Name a route, a target or provider/model; the message lists them.", anthropic="not_found_error"
    ),
    _K.UNKNOWN_ROUTE: _mistake(
        404, "No such address here; the message lists what exists.", anthropic="not_found_error"
    ),
    _K.METHOD_NOT_ALLOWED: _mistake(405, "Use the method that the message names."),
    _K.BODY_TOO_LARGE: _mistake(413, "Send a smaller body.", anthropic="request_too_large"),
    _K.REQUEST_TIMEOUT: _mistake(408, "The request arrived too slowly; send it again."),
    _K.BUSY: _row(
        _NOBODY,
        _STOP,
        503,
        "The router holds as much as it may; retry shortly.",
        type_="overloaded_error",
        anthropic="overloaded_error",
    ),
    _K.INTERNAL: _row(_NOBODY, _STOP, 500, "A fault of the router itself; please report it.", rpc=INTERNAL_ERROR),
}
# fmt: on


@value
class Failure:
    """One failure, as a value: what an attempt or a request ended in instead of an answer.

    `message`: for a reader, without secrets. `status`: the provider's HTTP status, if it sent one. `code`: the
    provider's own error code or type. `retry_after_s`: the provider's hint, seconds from when it was read. `scope`:
    whom the hint or failure implicates, when the answer itself said so; else the row's. `body`: the provider's error
    body (at most 64 KiB), given back to a caller of the same dialect when it is the caller's own mistake. `course`: what
    may be tried next, when the answer itself said so (`x-should-retry: false`, a spent daily quota, a feature that only
    this model lacks); else the row's.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    code: str | None = None
    retry_after_s: float | None = None
    scope: Implicates | None = None
    body: bytes | None = None
    course: Then | None = None

    @property
    def row(self) -> FailureRow:
        """What this kind of failure means."""
        return TABLE[self.kind]

    @property
    def implicates(self) -> Implicates:
        """Whose standing this failure speaks about."""
        return self.scope or TABLE[self.kind].implicates

    @property
    def then(self) -> Then:
        """What may be tried next."""
        return self.course or TABLE[self.kind].then

"""What came back, as a failure or none: the one place where an HTTP answer from a provider is judged.

What the words of an error mean is told in `core.diagnosis`; status, headers and retry hints are added here.
"""

from __future__ import annotations

from functools import lru_cache

from understudy.core.diagnosis import diagnose, readable, useful_hint_s
from understudy.core.envelope import Envelope, read_envelope
from understudy.core.failure import TABLE, Failure, FailureKind, Implicates, Then
from understudy.core.symptoms import Diagnosis
from understudy.ports import HeaderMap
from understudy.transport.hints import retry_after_s, should_repeat, speaks_of_time

BODY_BYTES_MAX = 64 * 1024
"""A larger error body is not kept: half of a JSON object helps nobody."""


REMEMBERED_BYTES_MAX = 2048
"""In an outage a provider says the same short thing to everyone, just when there is the least time to read it again."""

SILENT = frozenset(
    (
        b"cf-cache-status", b"cf-ray", b"connection", b"content-length", b"content-type", b"date", b"keep-alive",
        b"request-id", b"server", b"strict-transport-security", b"transfer-encoding", b"vary", b"via",
        b"x-content-type-options", b"x-request-id",
    )
)  # fmt: skip
"""Headers that say nothing of what an error means: beside these alone, the same body is the same failure."""


def classify(status: int, headers: HeaderMap, body: bytes, *, now_unix_s: float) -> Failure | None:
    """The failure that a whole answer means; None for a 2xx, whose body only its dialect can judge.

    `headers`: lower-case names. `now_unix_s`: wall time, for hints that name a point in time.
    """
    if 200 <= status <= 299:
        return None
    read = _remembered if len(body) <= REMEMBERED_BYTES_MAX else _read
    said, diagnosis, message, whole = read(status, body, headers.get(b"x-amzn-errortype", b""))
    if whole is not None and headers.keys() <= SILENT:
        return whole
    if 300 <= status <= 399 and (location := headers.get(b"location")):
        # An API that redirects is not at this address: where it points is what the reader needs.
        message = readable(Envelope(texts=(f"redirected to {location.decode('latin-1')}",)), status)
    limited = diagnosis.kind is FailureKind.RATE_LIMIT
    wait_s = retry_after_s(headers, said, limited=limited, now_unix_s=now_unix_s)
    return _failure(
        status, body, said, diagnosis, message, useful_hint_s(diagnosis.kind, wait_s), _course(diagnosis, headers)
    )


def _read(status: int, body: bytes, exception: bytes) -> tuple[Envelope, Diagnosis, str, Failure | None]:
    """What an error body says, means, and is told as; and the failure itself, if it speaks of no time."""
    said = read_envelope(body, exception.decode("latin-1"))
    diagnosis, message = diagnose(said, status), readable(said, status)
    timeless = status >= 400 and not said.headers and not speaks_of_time(said)
    whole = _failure(status, body, said, diagnosis, message, None, diagnosis.course) if timeless else None
    return said, diagnosis, message, whole


def _failure(  # noqa: PLR0917  what there is to say of a failure, each under its own name
    status: int,
    body: bytes,
    said: Envelope,
    diagnosis: Diagnosis,
    message: str,
    hint_s: float | None,
    course: Then | None,
) -> Failure:
    kept = len(body) <= BODY_BYTES_MAX and _is_callers_mistake(diagnosis.kind)
    code, scope = said.code, diagnosis.scope
    return Failure(diagnosis.kind, message, status, code, hint_s, scope, body if kept else None, course)


_remembered = lru_cache(maxsize=256)(_read)


def _course(diagnosis: Diagnosis, headers: HeaderMap) -> Then | None:
    """`x-should-retry: false` takes repetition away; it never grants one."""
    if diagnosis.course is None and TABLE[diagnosis.kind].then is Then.OTHER and should_repeat(headers) is False:
        return Then.ELSEWHERE
    return diagnosis.course


def _is_callers_mistake(kind: FailureKind) -> bool:
    """Whether the provider's own words go back to the caller: not those about the operator's account and its limits."""
    row = TABLE[kind]
    return row.implicates is Implicates.CALLER and row.type == "invalid_request_error"

"""Every recorded and documented error means what its recorder said it means; headers, hints and bodies as promised.

The records lie beside the repository and are read in place; a few stand here for machines without them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import read_recordings
from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import Failure, FailureKind, Implicates, Then
from understudy.framing.sse import SseParser
from understudy.transport.classify import BODY_BYTES_MAX, classify

NOW_UNIX_S = 1_790_000_000.0

# Where our kind is finer than the recorded class, and why.
FINER = {
    # One request larger than the whole token window: waiting never helps, another account's window may be larger.
    "42608151fe5d": "request_too_large_for_limit",  # OpenAI, 429 "Request too large ... on tokens per min"
    "0af8e01047e8": "request_too_large_for_limit",  # Groq, 413 with code rate_limit_exceeded
}


def lines(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.lower().encode(): line.encode() for name, line in headers.items()}


def error_event(stream: str) -> Any:
    """The payload of the event that reports the error."""
    parser = SseParser()
    payloads = [
        json.loads(event.data)
        for event in (*parser.feed(stream.encode()), *parser.flush())
        if event.data and event.data.startswith(b"{")
    ]
    return next(p for p in payloads if p.get("error") or p.get("type") in {"error", "response.failed"})


def judged(record: dict[str, Any]) -> Failure | None:
    """The failure of a record, whole or in band, by the same ways that the engine and the dialects go."""
    response = record["response"]
    status = record.get("status", response.get("status"))
    body = response.get("body_text")
    if body is None:
        body = json.dumps(response["body"])
    if status != 200 and status is not None:
        return classify(status, lines(response["headers"]), body.encode(), now_unix_s=NOW_UNIX_S)
    in_stream = body.lstrip(": ").startswith(("data:", "event:", "OPENROUTER"))
    return classify_in_band(error_event(body) if in_stream else json.loads(body))


def expected(record: dict[str, Any]) -> str:
    return FINER.get(record["id"]) or record.get("error_class") or record["error"]["class"]


RECORDS = [
    *read_recordings("errors"),
    *read_recordings("errors_documented"),
    *(record for record in read_recordings("response_only") if record["error"]),
]


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['provider']}-{r['id']}")
def test_every_recorded_error_means_what_was_recorded(record: dict[str, Any]):
    failure = judged(record)
    assert failure is not None
    assert failure.kind.value == expected(record)


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['provider']}-{r['id']}")
@pytest.mark.parametrize("header", [{}, {b"date": b"Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_what_is_remembered_of_an_error_is_what_reading_it_again_would_find(
    record: dict[str, Any], header: dict[bytes, bytes]
):
    response = record["response"]
    status, text = record.get("status", response.get("status")), response.get("body_text")
    body = (json.dumps(response["body"]) if text is None else text).encode()
    remembered, again = (
        classify(status or 500, headers, body, now_unix_s=NOW_UNIX_S)
        for headers in (header, {**header, b"x-odd": b"1"})
    )
    assert remembered == again


def test_the_records_were_all_there():
    assert len(read_recordings("errors")) == 81
    assert len(read_recordings("errors_documented")) == 39
    assert {record["id"] for record in RECORDS} >= FINER.keys()


@pytest.mark.shared("recordings")
@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['provider']}-{r['id']}")
def test_no_recorded_rate_limit_or_mistake_of_the_caller_is_taken_for_the_other(record: dict[str, Any]):
    failure = judged(record)
    assert failure is not None
    if record.get("retryable") is False:
        assert failure.then is not Then.OTHER  # never the same target again
    if record.get("retryable") is True:
        assert failure.then is Then.OTHER


# A few for machines without the recordings: shapes as the providers send them, words our own.
OWN: list[tuple[int, dict[str, str], Any, str]] = [
    (401, {}, {"error": {"message": "No such key.", "type": "invalid_request_error", "code": "invalid_api_key"}}, "auth"),
    (400, {}, {"error": {"code": 400, "message": "Key?", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}, "auth"),
    (403, {"x-amzn-errortype": "ExpiredTokenException:http://internal.example/"}, {"message": "The token is too old"}, "auth"),
    (403, {"x-amzn-errortype": "AccessDeniedException"}, {"message": "Not this model."}, "permission"),
    (429, {"x-amzn-errortype": "ThrottlingException"}, {"message": "Too many tokens, please wait."}, "rate_limit"),
    (400, {}, {"message": "The provided model identifier is invalid."}, "not_found"),
    (404, {"content-type": "text/plain"}, "Not Found", "not_found"),
    (429, {}, {"error": {"message": "No quota.", "type": "insufficient_quota", "code": "insufficient_quota"}}, "insufficient_quota"),
    (429, {}, {"error": {"message": "Slow.", "type": "tokens", "code": "rate_limit_exceeded"}}, "rate_limit"),
    (400, {}, {"error": {"message": "Too long.", "code": "context_length_exceeded"}}, "context_length"),
    (413, {}, {"error": {"type": "request_too_large", "message": "Too big"}}, "payload_too_large"),
    (529, {}, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded"),
    (500, {}, {"type": "error", "error": {"type": "api_error", "message": "Internal"}}, "server_error"),
    (502, {"content-type": "text/html"}, "<html><title>502 Bad Gateway</title></html>", "unavailable"),
    (422, {}, {"detail": [{"loc": ["body", "store"], "msg": "Extra inputs are not permitted"}]}, "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "kind"), OWN)
def test_errors_of_every_class_are_told_apart(status: int, headers: dict[str, str], body: Any, kind: str):
    text = body if isinstance(body, str) else json.dumps(body)
    failure = classify(status, lines(headers), text.encode(), now_unix_s=NOW_UNIX_S)
    assert failure is not None
    assert (failure.kind.value, failure.status) == (kind, status)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_no_failure(status: int):
    assert classify(status, {}, b'{"error": "its dialect judges this"}', now_unix_s=NOW_UNIX_S) is None


def test_a_redirect_is_malformed_and_says_where_to():
    failure = classify(
        308, {b"location": b"https://elsewhere.example/v1?key=abcdef123456"}, b"Moved", now_unix_s=NOW_UNIX_S
    )
    assert failure is not None
    assert failure.kind is FailureKind.MALFORMED
    assert failure.message == "redirected to https://elsewhere.example/v1?key=[masked]"


def test_a_redirect_to_nowhere_is_malformed():
    failure = classify(302, {}, b"", now_unix_s=NOW_UNIX_S)
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.MALFORMED, "HTTP 302: an error without a message")


def test_the_body_of_the_callers_mistake_is_kept():
    body = b'{"error":{"message":"Bad role.","code":"invalid_value"}}'
    failure = classify(400, {}, body, now_unix_s=NOW_UNIX_S)
    assert failure is not None
    assert failure.body == body


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b'{"error":{"message":"bad key","code":"invalid_api_key"}}'),
        (429, b'{"error":{"message":"Rate limit reached in organization org-x","code":"rate_limit_exceeded"}}'),
        (429, b'{"error":{"message":"Request too large for m in organization org-x on tokens per min (TPM)"}}'),
        (500, b"oops"),
        (400, b"x" * (BODY_BYTES_MAX + 1)),
    ],
)
def test_other_bodies_are_not(status: int, body: bytes):
    failure = classify(status, {}, body, now_unix_s=NOW_UNIX_S)
    assert failure is not None
    assert failure.body is None


def test_a_hint_comes_with_the_failures_it_belongs_to():
    headers = {b"retry-after": b"7"}
    for status, hint_s in ((429, 7.0), (503, 7.0), (500, 7.0), (400, None), (401, None), (404, None)):
        failure = classify(status, headers, b"", now_unix_s=NOW_UNIX_S)
        assert failure is not None
        assert failure.retry_after_s == hint_s, status


def test_the_bookkeeping_of_buckets_is_a_hint_for_rate_limits_only():
    headers = {b"x-ratelimit-remaining-requests": b"0", b"x-ratelimit-reset-requests": b"30s"}
    limited = classify(429, headers, b"", now_unix_s=NOW_UNIX_S)
    broken = classify(500, headers, b"", now_unix_s=NOW_UNIX_S)
    assert limited is not None
    assert broken is not None
    assert (limited.retry_after_s, broken.retry_after_s) == (30, None)


def test_should_retry_false_takes_repetition_away():
    refused = classify(529, {b"x-should-retry": b"false"}, b"", now_unix_s=NOW_UNIX_S)
    assert refused is not None
    assert refused.then is Then.ELSEWHERE


@pytest.mark.parametrize(
    ("status", "line"), [(529, b"true"), (529, b""), (400, b"true"), (400, b"false"), (401, b"true")]
)
def test_should_retry_grants_nothing(status: int, line: bytes):
    told = classify(status, {b"x-should-retry": line}, b"", now_unix_s=NOW_UNIX_S)
    silent = classify(status, {}, b"", now_unix_s=NOW_UNIX_S)
    assert told == silent


def test_scope_and_course_of_the_answer_reach_the_failure():
    body = {
        "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "PerDay"}]}]}
    }
    failure = classify(429, {}, json.dumps(body).encode(), now_unix_s=NOW_UNIX_S)
    assert failure is not None
    assert (failure.implicates, failure.then) == (Implicates.KEY, Then.ELSEWHERE)


@given(
    st.integers(0, 1000),
    st.dictionaries(
        st.sampled_from([b"retry-after", b"x-amzn-errortype", b"x-should-retry", b"location", b"x-ratelimit-reset"]),
        st.binary(max_size=30),
    ),
    st.binary(max_size=100),
)
def test_whatever_comes_back_means_something(status: int, headers: dict[bytes, bytes], body: bytes):
    failure = classify(status, headers, body, now_unix_s=NOW_UNIX_S)
    assert (failure is None) == (200 <= status <= 299)
    if failure:
        assert failure.message
        assert len(failure.message) <= 300
        failure.message.encode()

"""One parser for every envelope: each known shape, and anything else without an exception."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.envelope import JSON_BYTES_MAX, Envelope, envelope_of, plain_word, read_envelope


@pytest.mark.parametrize(
    ("body", "text", "code", "status"),
    [
        # OpenAI, Groq
        ({"error": {"message": "Bad.", "type": "invalid_request_error", "param": None, "code": "invalid_value"}}, "Bad.", "invalid_value", None),
        ({"error": {"message": "Bad.", "type": "invalid_request_error", "code": None}}, "Bad.", "invalid_request_error", None),
        ({"error": {"message": "No.", "code": "tool_use_failed", "failed_generation": '{"message": "x"}'}}, "No.", "tool_use_failed", None),
        ({"error": {"message": "No.", "code": "tool_use_failed", "status_code": 400}}, "No.", "tool_use_failed", 400),
        # Responses
        ({"type": "error", "code": "server_error", "message": "Oh.", "param": None, "sequence_number": 3}, "Oh.", "server_error", None),
        (
            {"type": "response.failed", "response": {"status": "failed", "output": [{"message": "no"}],
             "error": {"code": "rate_limit_exceeded", "message": "Slow."}}},
            "Slow.", "rate_limit_exceeded", None,
        ),
        # Anthropic
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"}, "Overloaded", "overloaded_error", None),
        # Google
        ({"error": {"code": 503, "message": "Full.", "status": "UNAVAILABLE"}}, "Full.", "UNAVAILABLE", 503),
        ([{"error": {"code": 429, "message": "Full.", "errors": [{"message": "Full.", "reason": "rateLimitExceeded"}]}}], "Full.", "rateLimitExceeded", 429),
        (
            {"error": {"code": 400, "message": "Key.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}},
            "Key.", "API_KEY_INVALID", 400,
        ),
        (
            {"error": {"message": json.dumps({"error": {"code": 429, "message": "Inner.", "status": "RESOURCE_EXHAUSTED"}}),
             "code": 429, "status": "Too Many Requests"}},
            "Inner.", "Too Many Requests", 429,
        ),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "the prompt was blocked: SAFETY", "prompt_blocked", None),
        # Azure
        ({"error": {"code": "429", "message": "Slow."}}, "Slow.", None, 429),
        ({"statusCode": 401, "message": "Who?"}, "Who?", None, 401),
        (
            {"error": {"message": "F.", "code": "content_filter", "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            "F.", "content_filter", 400,
        ),
        # Mistral, vLLM, FastAPI
        ({"object": "error", "message": "Slow.", "type": "rate_limited", "code": "1300", "raw_status_code": 429}, "Slow.", "1300", 429),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "Too many", "input": "secret"}]}}, "body.n: Too many", None, None),
        ({"detail": "Model x is unknown."}, "Model x is unknown.", None, None),
        ({"detail": [{"loc": ["body", 0], "msg": "A"}, {"loc": ["b"], "msg": "B"}]}, "body.0: A; b: B", None, None),
        ({"detail": {"error": "Deep."}}, "Deep.", None, None),
        # Ollama, Hugging Face, xAI, OAuth
        ({"error": "Server overloaded."}, "Server overloaded.", None, None),
        ({"error": ["One.", "Two."], "error_type": "overloaded"}, "One.; Two.", "overloaded", None),
        ({"code": "Client specified an invalid argument", "error": "Bad key."}, "Bad key.", "Client specified an invalid argument", None),
        ({"error": "invalid_grant", "error_description": "Expired."}, "invalid_grant; Expired.", "invalid_grant", None),
        # Bedrock
        ({"Message": "No."}, "No.", None, None),
        ({"Output": {"__type": "com.amazon.coral.service#UnrecognizedClientException"}}, "", "com.amazon.coral.service#UnrecognizedClientException", None),
        ({"throttlingException": {"message": "Slow."}}, "Slow.", "throttlingException", None),
        # OpenRouter
        (
            {"error": {"message": "Provider returned error", "code": 429,
             "metadata": {"raw": "x is temporarily rate-limited upstream", "error_type": "rate_limit_exceeded"}}},
            "Provider returned error; x is temporarily rate-limited upstream", "rate_limit_exceeded", 429,
        ),
        (
            {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": '{"error":{"message":"Inner.","type":"t"}}'}}},
            "Provider returned error; Inner.", "t", 400,
        ),
        ({"id": "gen", "choices": [{"delta": {"content": "hi"}, "error": {"code": 502, "message": "Cut."}}]}, "Cut.", None, 502),
        ({"error": {"code": 1113, "message": "No balance."}}, "No balance.", "1113", None),
        # problem documents, Apigee
        ({"type": "about:blank", "title": "Payment Required", "status": 402, "detail": "No credits."}, "Payment Required; No credits.", "about:blank", 402),
        ({"fault": {"faultstring": "Quota.", "detail": {"errorcode": "policies.ratelimit.QuotaViolation"}}}, "Quota.", "policies.ratelimit.QuotaViolation", None),
    ],
)  # fmt: skip
def test_every_known_shape_is_read(body: Any, text: str, code: str | None, status: int | None):
    said = envelope_of(body)
    assert (said.text, said.code, said.status) == (text, code, status)
    assert read_envelope(json.dumps(body).encode()) == said
    assert read_envelope(b"\xef\xbb\xbf \r\n" + json.dumps(body).encode()) == said


@pytest.mark.parametrize(
    ("body", "text", "html"),
    [
        (b"", "", False),
        (b"  \n", "", False),
        (b"Not Found", "Not Found", False),
        (b"error code: 1015", "error code: 1015", False),
        (b"{broken", "{broken", False),
        (b"null", "null", False),
        (b"\xff\xfe\x00\x01\x02binary\x99\x98\x97", "14 unreadable bytes", False),
        (b"caf\xc3\xa9 closed\n\n  today", "caf\u00e9 closed today", False),
        (b"<html>\n<head><title>502 Bad Gateway</title></head><body><h1>x</h1></body></html>", "502 Bad Gateway", True),
        (b"<!DOCTYPE html><TITLE></TITLE><H1 class=a> Busy </H1>", "Busy", True),
        (b"<html><style>p {}</style><p>Down for <b>work</b></p>", "Down for work", True),
        (b"<html><script>alert(1)", "an HTML page", True),
        (b"[1, 2]", "", False),
        (b'"just a string"', "just a string", False),
        (b"[" * 100_000, "[" * 4000, False),
    ],
)
def test_what_is_no_envelope_is_read_as_text(body: bytes, text: str, html: bool):
    said = read_envelope(body)
    assert (said.text, said.html) == (text, html)


def test_the_header_of_bedrock_is_the_class():
    said = read_envelope(b'{"message":"Slow."}', "ThrottlingException:http://internal.example/coral/")
    assert (said.code, said.words) == ("ThrottlingException", ("throttlingexception",))


def test_the_first_status_in_a_body_counts():
    assert envelope_of({"error": {"code": 429, "status": 500}, "status_code": 503}).status == 503  # outermost first
    assert envelope_of({"error": {"code": 429, "status": 500}}).status == 429


def test_one_word_for_every_spelling():
    spellings = [
        "RATE_LIMIT_EXCEEDED",
        "rateLimitExceeded",
        "rate_limit_exceeded",
        "a.b#RateLimitExceeded",
        "RateLimitExceeded:http://x#y",
    ]
    assert {plain_word(spelling) for spelling in spellings} == {"ratelimitexceeded"}


def test_waits_quotas_and_headers_in_the_body_are_kept():
    said = envelope_of(
        {
            "error": {
                "details": [{"violations": [{"quotaId": "PerDayX"}]}, {"retryDelay": "48s"}],
                "metadata": {"headers": {"X-RateLimit-Reset": 1754667660000}},
                "retry_after_ms": 350,
            },
            "estimated_time": 20.5,
        }
    )
    assert said.quotas == ("PerDayX",)
    assert set(said.waits) == {("48s", 1.0), (350, 0.001), (20.5, 1.0)}
    assert said.headers == (("x-ratelimit-reset", "1754667660000"),)


@pytest.mark.parametrize("value", [True, None, 10**400, float("nan"), float("inf"), -1, [], {}])
def test_codes_and_waits_of_a_strange_type_are_left(value: Any):
    said = envelope_of(
        {
            "error": {
                "code": value,
                "quotaId": value,
                "blockReason": value,
                "metadata": value,
                "response": value,
                "choices": value,
            }
        }
    )
    assert said == Envelope()


def test_half_a_surrogate_pair_can_be_encoded_again():
    said = read_envelope(rb'{"error":{"message":"\ud83d broke","code":"\ud83d_code"}}')
    assert said.text == "? broke"
    assert said.code == "?_code"


def test_what_is_kept_is_bounded():
    said = envelope_of(
        {
            "errors": [
                {"message": f"m{i}", "code": f"c{i}", "quotaId": f"q{i}", "retry_after": i} for i in range(1000)
            ],
            "metadata": {"headers": {f"h{i}": "x" for i in range(1000)}},
            "message": "x" * 100_000,
        }
    )
    assert len(said.texts) <= 33
    assert max(map(len, said.texts)) <= 4000
    assert max(len(said.words), len(said.quotas), len(said.waits), len(said.headers)) <= 64
    many: dict[str, Any] = {"code": "c"}
    for i in range(100):
        many = {"error": many, "code": f"code-{i}", "type": f"type-{i}", "quotaId": "q"}
    assert len(envelope_of([many] * 32).words) <= 64
    assert (
        len(
            envelope_of(
                [[{"quotaId": str(i)}, {"retry_after": i}, {"message": str(i)}] for i in range(32) for _ in "ab"]
            ).quotas
        )
        <= 32
    )


def test_a_body_too_long_for_an_envelope_is_text():
    said = read_envelope(b'{"error":{"message":"' + b"x" * JSON_BYTES_MAX + b'"}}')
    assert said.code is None
    assert said.text.startswith('{"error":')


@pytest.mark.parametrize(
    "body", [b"<" * 500_000, b"<title" * 100_000, b"<script" * 50_000, b"[" * 500_000, b'{"a":' * 100_000]
)
def test_hostile_bodies_take_no_time(body: bytes):
    began = time.perf_counter()
    read_envelope(body)
    assert time.perf_counter() - began < 0.5


NAMES = st.sampled_from(
    ["error", "message", "code", "type", "status", "detail", "details", "errors", "metadata", "raw", "headers", "response",
     "choices", "innererror", "loc", "msg", "retryDelay", "retry_after", "quotaId", "blockReason", "xException", "__type"]
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["429", '{"error":"x"}', "[1]"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_no_json_breaks_the_reading(value: Any):
    said = envelope_of(value)
    said.text.encode()
    assert said.status is None or 400 <= said.status <= 599


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body: bytes):
    read_envelope(body).text.encode()

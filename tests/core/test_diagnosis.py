"""What errors mean, beyond the recorded ones (those stand in tests/transport/test_classify.py).

The examples are wordings from providers' references and public reports; ids and numbers are invented.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.diagnosis import (
    DAILY_QUOTA_REST_S,
    MESSAGE_CHARS_MAX,
    classify_in_band,
    diagnose,
    readable,
    useful_hint_s,
    wait_in_body_s,
)
from understudy.core.envelope import Envelope, envelope_of, read_envelope
from understudy.core.failure import FailureKind, Implicates, Then
from understudy.core.span import SPAN_S_MAX
from understudy.core.symptoms import CODES, LIMIT_SCOPES, SENTENCES, STATUSES, TELLING, VAGUE_CODES, Diagnosis

KEY, TARGET, MODEL, PROVIDER = Implicates.KEY, None, Implicates.MODEL, Implicates.PROVIDER


def openai(message: str, code: str | None = None, type_: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code, **more}}


# (status, body, kind): one line for each wording of each meaning
WORDINGS: list[tuple[int, Any, str]] = [
    # context length
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 208310 tokens > 200000 maximum"}}, "context_length"),
    (400, openai("input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length"), "context_length"),
    (400, openai("This model's maximum prompt length is 131072 but the request contains 537812 tokens."), "context_length"),
    (400, openai("Please reduce the length of the messages or completion.", "context_length_exceeded"), "context_length"),
    (400, {"message": "Input is too long for requested model."}, "context_length"),
    (400, {"object": "error", "message": "Prompt contains 40121 tokens, too large for model with 32768 maximum context length", "code": "3051"}, "context_length"),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "error_type": "validation"}, "context_length"),
    (400, {"error": {"message": "the number of input tokens 5000 cannot exceed the total tokens limit 4096 for this model"}}, "context_length"),
    (400, {"error": {"code": "InvalidParameter", "message": "Range of input length should be [1, 30720]"}}, "context_length"),
    (400, openai("prompt exceeds", "too_many_prompt_tokens", "too_many_prompt_tokens"), "context_length"),
    (500, {"error": {"code": 500, "message": "the request exceeds the available context size", "type": "server_error"}}, "context_length"),
    (0, openai("Your input exceeds the context window of this model."), "context_length"),
    # too large for a limit, or for the wire
    (429, openai("Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 31538.", "rate_limit_exceeded", "tokens"), "request_too_large_for_limit"),
    (413, openai("Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 10338", "rate_limit_exceeded", "tokens"), "request_too_large_for_limit"),
    (413, "<html><head><title>413 Request Entity Too Large</title></head></html>", "payload_too_large"),
    (400, {"error": {"code": 400, "message": "Request payload size exceeds the limit: 20971520 bytes.", "status": "INVALID_ARGUMENT"}}, "payload_too_large"),
    # wallets
    (429, {"code": "Some resource has been exhausted", "error": "Your team x has either used all available credits or reached its monthly spending limit."}, "insufficient_quota"),
    (403, {"code": "permission-denied", "error": "Your newly created team doesn't have any credits or licenses yet."}, "insufficient_quota"),
    (429, {"error": {"code": 429, "message": "Your prepayment credits are depleted.", "status": "RESOURCE_EXHAUSTED"}}, "insufficient_quota"),
    (429, openai("Your account is not active, please check your billing details on our website.", "billing_not_active", "billing_not_active"), "insufficient_quota"),
    (429, openai("You exceeded your current quota, please check your plan and billing details."), "insufficient_quota"),
    (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package. Please recharge."}}, "insufficient_quota"),
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "You have reached your specified API usage limits. You will regain access on 2026-11-01 at 00:00 UTC."}}, "insufficient_quota"),
    (400, openai("Billing hard limit has been reached", "billing_hard_limit_reached"), "insufficient_quota"),
    (402, "", "insufficient_quota"),
    (403, {"error": {"message": "Key limit exceeded (total limit).", "code": 403}}, "insufficient_quota"),
    (403, {"error": {"code": 403, "message": "This API method requires billing to be enabled.", "status": "PERMISSION_DENIED"}}, "insufficient_quota"),
    # rate limits
    (429, {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": "m is temporarily rate-limited upstream. Please retry shortly"}}}, "rate_limit"),
    (429, {"object": "error", "message": "Service tier capacity exceeded for this model.", "type": "invalid_request_error", "code": None}, "rate_limit"),
    (429, {"message": "Tokens per minute limit exceeded - too many tokens processed.", "type": "too_many_requests_error", "param": "quota", "code": "token_quota_exceeded"}, "rate_limit"),
    (429, {"message": "Too many tokens, please wait before trying again."}, "rate_limit"),
    (400, {"error": {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"}}, "rate_limit"),
    (403, {"error": {"code": "QuotaExceeded", "message": "Out of call volume quota. Quota will be replenished in 01:00:00."}}, "rate_limit"),
    (403, "rate limit exceeded for this address", "rate_limit"),
    (429, "", "rate_limit"),
    (0, {"throttlingException": {"message": "Too many tokens, please wait before trying again."}}, "rate_limit"),
    (0, {"message": "Too many tokens, please wait before trying again."}, "rate_limit"),
    # overloaded
    (429, {"error": {"message": "The engine is currently overloaded, please try again later", "type": "engine_overloaded_error"}}, "overloaded"),
    (503, {"error": {"code": 503, "message": "This model is currently experiencing high demand.", "status": "UNAVAILABLE"}}, "overloaded"),
    (503, {"error": {"code": 503, "message": "No capacity available for model on the server", "status": "UNAVAILABLE", "details": [{"reason": "MODEL_CAPACITY_EXHAUSTED"}]}}, "overloaded"),
    (503, {"error": "Model m is currently loading", "estimated_time": 20.0}, "overloaded"),
    (500, {"error": {"message": "The server is overloaded", "type": "server_error"}}, "overloaded"),
    (529, "", "overloaded"),
    (498, {"error": {"message": "Flex tier is full"}}, "overloaded"),
    # keys
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***12."}, "auth"),
    (403, {"Output": {"__type": "com.amazon.coral.service#UnrecognizedClientException"}, "Version": "1.0"}, "auth"),
    (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing, invalid, or expired."}, "auth"),
    (401, "<html><head><title>401 Authorization Required</title></head></html>", "auth"),
    (400, {"id": "1", "message": "invalid api token"}, "auth"),  # Cohere
    (400, {"error": "the input length exceeds the context length"}, "context_length"),  # Ollama 0.12.6, and 0.34:
    (400, {"error": '{"error":{"code":400,"message":"request (2622 tokens) exceeds the available context size (512 tokens), try '
                    'increasing it","type":"exceed_context_size_error"}}'}, "context_length"),
    (503, {"error": "server busy, please try again.  maximum pending requests exceeded"}, "overloaded"),
    (400, {"error": "invalid_grant", "error_description": "Token has been revoked."}, "auth"),
    (403, {"error": {"message": "Missing API key"}}, "auth"),
    # permission
    (403, {"error": {"message": "Project p does not have access to it.", "code": 403}}, "permission"),
    (401, {"error": {"code": "PermissionDenied", "message": "The principal lacks the required data action"}}, "permission"),
    (400, openai("You do not have permission to use this."), "permission"),
    (400, openai("The model `m` requires terms acceptance.", "model_terms_required"), "permission"),
    (400, openai("This organization has been disabled."), "permission"),
    (403, "error code: 1020", "permission"),
    (451, "", "permission"),
    # models
    (400, openai("m is not a valid model ID"), "not_found"),
    (400, openai("The model `m` has been decommissioned and is no longer supported.", "model_decommissioned"), "not_found"),
    (422, openai("Unknown model: m"), "not_found"),
    (403, openai("Project `p` does not have access to model `m`", "model_not_found"), "not_found"),
    (405, "", "not_found"),
    (410, "", "not_found"),
    # policy
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}}, "content_filter"),
    (403, {"error": {"code": 403, "message": 'm requires moderation. Your input was flagged for "violence".'}}, "content_filter"),
    (400, openai("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_prompt"), "content_filter"),
    # the model's slip
    (400, openai("Failed to generate JSON. Please adjust your prompt.", "json_validate_failed"), "tool_use_failed"),
    (0, openai("Failed to call a function. Please adjust your prompt."), "tool_use_failed"),
    # the caller's own
    (400, openai("Missing required parameter: 'messages'.", "missing_required_parameter"), "invalid_request"),
    (400, {"error": {"code": 400, "message": "Please use a valid role: user, model.", "status": "INVALID_ARGUMENT"}}, "invalid_request"),
    (404, openai("Item with id 'rs_1' not found. Items are not persisted when `store` is false."), "invalid_request"),
    (400, openai("Previous response with id 'resp_1' not found.", "previous_response_not_found"), "invalid_request"),
    (403, {"error": {"code": 403, "message": "You do not have permission to access the File x or it may not exist.", "status": "PERMISSION_DENIED"}}, "invalid_request"),
    (424, openai("Error retrieving tool list from MCP server: 'x'. Http status code: 401 (Unauthorized)"), "invalid_request"),
    (404, {"error": {"message": "No endpoints found that support tool use.", "code": 404}}, "invalid_request"),
    (501, {"error": {"code": 501, "message": "This server does not support embeddings.", "type": "not_supported_error"}}, "invalid_request"),
    (418, "", "invalid_request"),
    (0, openai("Bad.", None, "invalid_request_error"), "invalid_request"),
    # the provider's
    (500, "", "server_error"),
    (408, {"message": "The model timed out"}, "server_error"),
    (409, "", "server_error"),
    (424, {"message": "The model returned an error"}, "server_error"),
    (504, {"error": {"code": 504, "message": "Deadline expired", "status": "DEADLINE_EXCEEDED"}}, "server_error"),
    (599, "", "unavailable"),
    (561, "", "server_error"),
    (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "unavailable"),
    (503, {"message": "Bedrock is unable to process your request."}, "unavailable"),
    (520, "<html><title>520: Web server is returning an unknown error</title></html>", "unavailable"),
    (407, "", "proxy_failed"),
    (0, {"error": {"status": "UNAVAILABLE"}}, "unavailable"),
    (0, {"error": {"code": 502, "message": "Upstream error from X"}}, "unavailable"),
    (0, {"error": {"code": 529}}, "overloaded"),
    (0, {}, "server_error"),
    (0, "gibberish", "server_error"),
    # no error at all, and no answer either
    (302, "", "malformed"),
    (304, "", "malformed"),
    (101, "", "malformed"),
    (42, "", "malformed"),
    (999, "", "malformed"),
]  # fmt: skip


def say(body: Any) -> Envelope:
    return read_envelope(body) if isinstance(body, str) else envelope_of(body)


@pytest.mark.parametrize(("status", "body", "kind"), WORDINGS)
def test_each_wording_is_understood(status: int, body: Any, kind: str):
    assert diagnose(say(body), status).kind.value == kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": {"message": "rate limit of the cache exceeded", "type": "api_error"}}),
        (500, openai("The model `x` does not exist")),
        (502, openai("Incorrect API key provided")),
    ],
)
def test_a_status_that_was_sent_outranks_a_phrase(status: int, body: Any):
    assert diagnose(say(body), status).kind in {FailureKind.SERVER_ERROR, FailureKind.UNAVAILABLE}


def test_a_status_outranks_the_one_in_the_body():
    assert diagnose(envelope_of({"error": {"code": 400, "message": "x"}}), 503).kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    "quoted",
    [
        "Invalid value: 'incorrect API key provided'. Supported values are: 'user' and 'assistant'.",
        'Invalid value: "your credit balance is too low".',
        "Unknown field `organization has been disabled`.",
        "Invalid role 'the model x does not exist'",
        "Unrecognized argument 'user location is not supported for the API use'",
    ],
)
def test_the_callers_quoted_words_rest_nobody(quoted: str):
    diagnosis = diagnose(envelope_of(openai(quoted, "invalid_value")), 400)
    assert diagnosis == Diagnosis(FailureKind.INVALID_REQUEST)


@pytest.mark.parametrize(
    ("status", "body", "scope"),
    [
        (429, openai("Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 1.", "rate_limit_exceeded"), TARGET),
        (429, {"error": {"message": "This request would exceed your account's rate limit. Please try again later.", "type": "rate_limit_error"}}, KEY),
        (429, {"error": {"message": "Number of concurrent connections has exceeded your rate limit.", "type": "rate_limit_error"}}, KEY),
        (429, {"error": {"message": "Rate limit exceeded: free-models-per-day.", "code": 429}}, KEY),
        (429, {"error": {"message": "Provider returned error", "code": 429, "metadata": {"raw": "m is temporarily rate-limited upstream"}}}, MODEL),
        (429, {"error": {"code": 429, "message": "Resource exhausted. Please try again later.", "status": "RESOURCE_EXHAUSTED"}}, MODEL),
        (429, {"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED"}}, TARGET),
        (429, "error code: 1015", PROVIDER),
        (429, "<html><title>429 Too Many Requests</title></html>", PROVIDER),
        (403, "<html><title>Attention Required! | Cloudflare</title></html>", PROVIDER),
        (403, openai("Country, region, or territory not supported", "unsupported_country_region_territory"), PROVIDER),
        (400, openai("This organization has been disabled."), KEY),
        (403, {"message": "You don't have access to the model with the specified model ID."}, TARGET),
    ],
)  # fmt: skip
def test_an_answer_says_whom_it_implicates(status: int, body: Any, scope: Implicates | None):
    assert diagnose(say(body), status).scope is scope


def google_quota(*quota_ids: str, delay: str | None = "26s") -> dict[str, Any]:
    details: list[Any] = [{"violations": [{"quotaId": quota_id} for quota_id in quota_ids]}]
    if delay is not None:
        details.append({"retryDelay": delay})
    return {"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details.",
                      "status": "RESOURCE_EXHAUSTED", "details": details}}  # fmt: skip


def test_a_spent_daily_quota_is_not_repeated_and_rests_longer_than_it_says():
    said = envelope_of(google_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
    assert diagnose(said, 429) == Diagnosis(FailureKind.RATE_LIMIT, None, Then.ELSEWHERE)
    assert wait_in_body_s(said) == DAILY_QUOTA_REST_S
    assert wait_in_body_s(envelope_of(google_quota("XPerDay", delay=None))) is None


def test_a_spent_minute_is_waited_for():
    said = envelope_of(google_quota("GenerateContentInputTokensPerModelPerMinute"))
    assert diagnose(said, 429) == Diagnosis(FailureKind.RATE_LIMIT)
    assert wait_in_body_s(said) == 26


def test_a_quota_of_no_model_is_the_keys():
    assert diagnose(envelope_of(google_quota("RequestsPerMinutePerProject")), 429).scope is Implicates.KEY


@pytest.mark.parametrize(
    "message",
    [
        "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
        "This model doesn't support the video content block that you provided.",
        "Web search options not supported with this model.",
        "Invocation of model ID m with on-demand throughput isn\u2019t supported.",
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
        "The deployment does not support image input",
    ],
)
def test_what_only_this_model_lacks_may_be_had_elsewhere(message: str):
    assert diagnose(envelope_of(openai(message)), 400) == Diagnosis(FailureKind.INVALID_REQUEST, None, Then.ELSEWHERE)


def test_what_an_edge_refuses_may_be_had_elsewhere():
    assert diagnose(read_envelope("<html><title>400 Bad Request</title></html>"), 400).course is Then.ELSEWHERE
    assert diagnose(read_envelope('{"error":{"message":"no"}}'), 400).course is None


@pytest.mark.parametrize(
    ("body", "wait_s"),
    [
        ({"error": "loading", "estimated_time": 20.5}, 20.5),
        ({"error": {"message": "x", "retry_after": 3}}, 3),
        ({"error": {"message": "x", "retry_after": "3"}}, 3),
        ({"error": {"message": "x", "retry_after_ms": "250"}}, 0.25),
        ({"error": {"message": "x", "retryAfter": "1m30s"}}, 90),
        ({"error": {"message": "Please retry in 48.9s.", "details": [{"retryDelay": "48s"}]}}, 48.9),
        ({"error": {"message": "Please try again in 114h18m0s."}}, SPAN_S_MAX),
        ({"error": {"message": "x", "retry_after": "soon"}}, None),
        ({"error": {"message": "x", "retry_after": -3}}, None),
        ({"error": {"message": "x", "retry_after": float("nan")}}, None),
        ({"error": {"message": "x"}}, None),
    ],
)
def test_the_longest_wait_in_a_body_counts(body: Any, wait_s: float | None):
    assert wait_in_body_s(envelope_of(body)) == (pytest.approx(wait_s) if wait_s is not None else None)


@pytest.mark.parametrize(
    ("kind", "wait_s", "hint_s"),
    [
        (FailureKind.RATE_LIMIT, 5.0, 5.0),
        (FailureKind.OVERLOADED, 5.0, 5.0),
        (FailureKind.RATE_LIMIT, None, None),
        (FailureKind.RATE_LIMIT, 0.0, None),  # "now" contradicts the failure itself
        (FailureKind.AUTH, 5.0, None),
        (FailureKind.INVALID_REQUEST, 5.0, None),
        (FailureKind.REQUEST_TOO_LARGE_FOR_LIMIT, 60.0, None),
        (FailureKind.INSUFFICIENT_QUOTA, 2.0, None),
        (FailureKind.INSUFFICIENT_QUOTA, 86400.0, 86400.0),
    ],
)
def test_a_hint_counts_where_waiting_helps(kind: FailureKind, wait_s: float | None, hint_s: float | None):
    assert useful_hint_s(kind, wait_s) == hint_s


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ("", 502, "HTTP 502: an error without a message"),
        ("", 0, "an error without a message"),
        ('{"error":{"code":"oops"}}', 0, "oops without a message"),
        ('{"error":{"message":"key sk-abcdef123456 is bad"}}', 401, "key [masked] is bad"),
        ('{"error":{"message":"a\\n\\n  b"}}', 500, "a b"),
    ],
)
def test_the_message_is_for_readers(body: str, status: int, text: str):
    assert readable(read_envelope(body), status) == text


def test_a_long_message_is_cut():
    text = readable(envelope_of({"message": "x" * 5000}), 500)
    assert len(text) == MESSAGE_CHARS_MAX
    assert text.endswith("x...")


def test_a_key_at_the_cut_does_not_show():
    text = readable(envelope_of({"message": "x" * (MESSAGE_CHARS_MAX - 10) + " sk-abcdefghijklmnop1234567890"}), 401)
    assert "sk-" not in text


def test_an_error_in_band_is_a_whole_failure():
    failure = classify_in_band(
        {
            "error": {
                "code": 429,
                "message": "Slow down. Try again in 7s.",
                "metadata": {"error_type": "rate_limit_exceeded"},
            }
        }
    )
    assert failure.kind is FailureKind.RATE_LIMIT
    assert (failure.status, failure.code, failure.retry_after_s) == (429, "rate_limit_exceeded", 7)
    assert failure.message == "Slow down. Try again in 7s."


def test_an_error_in_band_may_be_bytes_or_the_error_object_alone():
    whole = classify_in_band(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')
    assert whole == classify_in_band({"type": "overloaded_error", "message": "Overloaded"})
    assert whole.kind is FailureKind.OVERLOADED


@given(
    st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
)
def test_whatever_is_in_band_becomes_a_failure(payload: object):
    failure = classify_in_band(payload)
    assert failure.message


@given(st.integers(-10, 2000), st.text(max_size=100))
def test_every_status_and_text_means_something(status: int, text: str):
    assert isinstance(diagnose(read_envelope(text), status).kind, FailureKind)


@pytest.mark.parametrize(
    ("telling", "vaguer", "kind"),
    [
        ("insufficient_quota", "rate_limit_exceeded", "insufficient_quota"),
        ("INSUFFICIENT_G1_CREDITS_BALANCE", "RESOURCE_EXHAUSTED", "insufficient_quota"),
        ("model_not_found", "permission_error", "not_found"),
        ("content_filter", "unsupported_value", "content_filter"),
        ("engine_overloaded", "rate_limit_error", "overloaded"),
    ],
)
def test_the_more_telling_code_counts_wherever_it_stands(telling: str, vaguer: str, kind: str):
    for body in ({"code": telling, "type": vaguer}, {"code": vaguer, "type": telling}):
        assert diagnose(envelope_of({"error": body}), 429).kind.value == kind


# The tables themselves


@pytest.mark.parametrize("row", [*TELLING, *SENTENCES, *LIMIT_SCOPES], ids=lambda row: row.phrase.pattern[:30])
def test_phrases_and_stems_are_in_lower_case_as_the_text_is(row: Any):
    assert not re.search("[A-Z]", re.sub(r"\\.", "", row.phrase.pattern))
    assert all(stem == stem.lower().strip() != "" for stem in row.stems)


def test_stems_only_save_time():
    """With and without looking for the stems first, every wording finds the same phrases."""
    for _, body, _ in WORDINGS:
        text = say(body).text.lower()
        for row in (*TELLING, *SENTENCES, *LIMIT_SCOPES):
            assert row.fits(text) == (row.phrase.search(text) is not None), (row.phrase.pattern, text)


def test_no_code_means_two_things():
    words = [word for _, codes in (*CODES, *VAGUE_CODES) for word in codes.split()]
    plain = [re.sub(r"[\W_]", "", word).lower() for word in words]
    assert sorted(set(plain)) == sorted(plain)


def test_each_status_row_is_an_error_status():
    assert all(400 <= status <= 599 for status in STATUSES)

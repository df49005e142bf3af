"""The failure table, walked row by row: what must hold for every kind, and for the groups that DESIGN names."""

from __future__ import annotations

import pytest

from understudy.core.failure import (
    TABLE,
    Failure,
    FailureKind,
    Implicates,
    Then,
)

KINDS = list(FailureKind)
RPC_CODES = {-32001, -32002, -32003, -32004, -32005, -32602, -32603}
ANTHROPIC_TYPES = {
    "api_error", "authentication_error", "invalid_request_error", "not_found_error", "overloaded_error",
    "permission_error", "rate_limit_error", "request_too_large", "timeout_error",
}  # fmt: skip

# Unavailable, overloaded, timeouts, connection failures, malformed or truncated answers, and rate limits without a hint.
COUNTED = {
    FailureKind.UNAVAILABLE, FailureKind.SERVER_ERROR, FailureKind.OVERLOADED, FailureKind.RATE_LIMIT,
    FailureKind.CONNECT_TIMEOUT, FailureKind.HEADERS_TIMEOUT, FailureKind.FIRST_CONTENT_TIMEOUT, FailureKind.IDLE_TIMEOUT,
    FailureKind.ANSWER_TIMEOUT, FailureKind.DNS_FAILED, FailureKind.CONNECTION_REFUSED, FailureKind.CONNECTION_LOST,
    FailureKind.TLS_FAILED, FailureKind.PROXY_FAILED, FailureKind.MALFORMED, FailureKind.TRUNCATED, FailureKind.EMPTY,
    FailureKind.ANSWER_TOO_LARGE,
}  # fmt: skip
# The classes of the recorded errors: the words of others for the same things.
RECORDED_CLASSES = {
    "auth", "permission", "insufficient_quota", "rate_limit", "overloaded", "server_error", "unavailable", "not_found",
    "invalid_request", "context_length", "payload_too_large", "content_filter", "tool_use_failed",
}  # fmt: skip


def test_every_kind_has_a_row_and_every_row_a_kind():
    assert list(TABLE) == KINDS  # also in the same order: the table is read beside the enum


def test_every_kind_has_a_row_of_its_own():
    assert len({id(row) for row in TABLE.values()}) == len(KINDS)


def test_counted_are_the_kinds_that_say_a_target_is_unwell():
    assert {kind for kind in KINDS if TABLE[kind].counts} == COUNTED


def test_kinds_bear_the_names_of_the_recorded_classes():
    assert {kind.value for kind in KINDS} >= RECORDED_CLASSES


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_keeps_to_what_both_doors_can_say(kind: FailureKind):
    row = TABLE[kind]
    assert 400 <= row.status <= 599
    assert row.rpc in RPC_CODES
    assert row.anthropic in ANTHROPIC_TYPES
    assert row.type
    assert row.advice.endswith(".")


@pytest.mark.parametrize("kind", [k for k in KINDS if TABLE[k].implicates in {Implicates.CALLER, Implicates.NOBODY}])
def test_what_implicates_no_target_leaves_no_trace_on_any(kind: FailureKind):
    assert not TABLE[kind].counts
    assert TABLE[kind].cool_down_s == 0


@pytest.mark.parametrize("kind", [k for k in KINDS if TABLE[k].counts])
def test_what_breakers_count_may_be_repeated(kind: FailureKind):
    assert TABLE[kind].then is Then.OTHER


@pytest.mark.parametrize("kind", [k for k in KINDS if TABLE[k].implicates is Implicates.KEY])
def test_what_implicates_a_key_is_not_repeated_with_it(kind: FailureKind):
    assert TABLE[kind].then is Then.ELSEWHERE
    assert TABLE[kind].cool_down_s > 0


@pytest.mark.parametrize("kind", [k for k in KINDS if TABLE[k].implicates is Implicates.CALLER])
def test_the_callers_mistakes_come_back_as_4xx(kind: FailureKind):
    assert 400 <= TABLE[kind].status < 500
    assert TABLE[kind].then in {Then.STOP, Then.LARGER, Then.ELSEWHERE}


@pytest.mark.parametrize("kind", [k for k in KINDS if TABLE[k].status == 429])
def test_a_429_is_a_limit_in_every_envelope(kind: FailureKind):
    assert TABLE[kind].rpc in {-32002, -32003}
    assert TABLE[kind].anthropic == "rate_limit_error"


def test_the_operators_trouble_is_never_shown_as_the_callers():
    shown = {
        kind: TABLE[kind].status for kind in (FailureKind.AUTH, FailureKind.PERMISSION, FailureKind.INSUFFICIENT_QUOTA)
    }
    assert all(status >= 500 for status in shown.values())


def test_a_failure_means_what_its_row_means():
    failure = Failure(FailureKind.AUTH, "no")
    assert failure.row is TABLE[FailureKind.AUTH]
    assert failure.implicates is Implicates.KEY
    assert failure.then is Then.ELSEWHERE


def test_an_answer_may_say_other_than_the_table():
    failure = Failure(FailureKind.RATE_LIMIT, "no", scope=Implicates.PROVIDER, course=Then.ELSEWHERE)
    assert failure.implicates is Implicates.PROVIDER
    assert failure.then is Then.ELSEWHERE

"""Errors: what the provider's error object means, and ours in the same envelope."""

from __future__ import annotations

from typing import Any

from understudy.core.failure import TABLE, Failure, FailureKind
from understudy.core.outcome import Outcome
from understudy.core.value import JsonObject
from understudy.dialects import ErrorReport
from understudy.dialects.anthropic_messages.wire import encode
from understudy.framing.sse import write_event

_KINDS: dict[str, FailureKind] = {
    "api_error": FailureKind.SERVER_ERROR,
    "authentication_error": FailureKind.AUTH,
    "billing_error": FailureKind.INSUFFICIENT_QUOTA,
    "invalid_request_error": FailureKind.INVALID_REQUEST,
    "not_found_error": FailureKind.NOT_FOUND,
    "overloaded_error": FailureKind.OVERLOADED,
    "permission_error": FailureKind.PERMISSION,
    "rate_limit_error": FailureKind.RATE_LIMIT,
    "request_too_large": FailureKind.PAYLOAD_TOO_LARGE,
    "timeout_error": FailureKind.UNAVAILABLE,
}


def read_failure(fields: Any) -> Failure:
    """What an error object inside a 200 answer or a stream says. An unknown type is the server's fault."""
    error = fields.get("error") if isinstance(fields, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    if not isinstance(message, str) or not message:
        message = "the provider reported an error without a message"
    code = kind if isinstance(kind, str) else None
    meaning = _KINDS.get(code or "", FailureKind.SERVER_ERROR)
    if meaning is FailureKind.INVALID_REQUEST and "prompt is too long" in message:
        meaning = FailureKind.CONTEXT_LENGTH
    return Failure(meaning, message, code=code)


def error_object(report: ErrorReport) -> JsonObject:
    """The envelope: the API's own fields, and `understudy` with every attempt and why it failed."""
    failure = report.failure
    row = TABLE[failure.kind]
    about: JsonObject = {
        "kind": failure.kind.value,
        "advice": row.advice,
        "attempts": [_attempt(outcome) for outcome in report.attempts],
    }
    if failure.retry_after_s is not None:
        about["retry_after_s"] = failure.retry_after_s
    return {
        "type": "error",
        "error": {"type": row.anthropic, "message": _told(report)},
        "request_id": report.decision,
        "understudy": about,
    }


def _told(report: ErrorReport) -> str:
    tried = "; ".join(
        f"{outcome.target}: {outcome.failure.kind.value} ({outcome.failure.message})"
        for outcome in report.attempts
        if outcome.failure is not None
    )
    return f"{report.failure.message} [tried {tried}]" if tried else report.failure.message


def _attempt(outcome: Outcome) -> JsonObject:
    failure = outcome.failure
    return {
        "number": outcome.number,
        "target": outcome.target,
        "tier": outcome.tier,
        "purpose": outcome.purpose.value,
        "failure": None if failure is None else failure.kind.value,
        "message": None if failure is None else failure.message,
        "status": outcome.status,
        "duration_ms": round((outcome.ended_s - outcome.started_s) * 1000, 1),
    }


def stream_error(failure: Failure) -> bytes:
    """The event for an error that the upstream itself reported."""
    return write_event(encode({"type": "error", "error": _plain(failure)}), b"error")


def report_event(report: ErrorReport) -> bytes:
    """The event that ends a broken stream."""
    return write_event(encode(error_object(report)), b"error")


def _plain(failure: Failure) -> JsonObject:
    return {"type": TABLE[failure.kind].anthropic, "message": failure.message}

"""Errors in the envelopes that several formats share."""

from __future__ import annotations

from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, naming_attempts
from understudy.core.value import JsonObject
from understudy.dialects import ErrorReport

# The codes that clients of the API look for; any other failure goes by its own name.
_CODES: dict[FailureKind, str] = {
    FailureKind.CONTEXT_LENGTH: "context_length_exceeded",
    FailureKind.CONTENT_FILTER: "content_filter",
    FailureKind.INSUFFICIENT_QUOTA: "insufficient_quota",
    FailureKind.LOCAL_LIMIT: "rate_limit_exceeded",
    FailureKind.RATE_LIMIT: "rate_limit_exceeded",
    FailureKind.REQUEST_TOO_LARGE_FOR_LIMIT: "rate_limit_exceeded",
    FailureKind.UNAUTHENTICATED: "invalid_api_key",
    FailureKind.UNKNOWN_MODEL: "model_not_found",
}


def openai_error(report: ErrorReport) -> JsonObject:
    """OpenAI's envelope."""
    failure = report.failure
    error = {
        "message": told(report),
        "type": failure.row.type,
        "param": None,
        "code": _CODES.get(failure.kind, failure.kind.value),
    }
    return {"error": error, "understudy": about(report)}


def google_error(report: ErrorReport) -> JsonObject:
    """Google's envelope. Its clients read the reason and the time to wait out of the `details`."""
    failure = report.failure
    status = failure.row.status
    details: list[JsonObject] = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": _GOOGLE_REASONS.get(failure.kind, failure.kind.value.upper()),
            "domain": "understudy",
        }
    ]
    if failure.retry_after_s is not None:
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{failure.retry_after_s:g}s"}
        details.append(delay)
    error = {
        "code": status,
        "message": told(report),
        "status": _GOOGLE_STATUSES.get(status, "UNKNOWN"),
        "details": details,
    }
    return {"error": error, "understudy": about(report)}


_GOOGLE_REASONS = {
    FailureKind.RATE_LIMIT: "RATE_LIMIT_EXCEEDED",
    FailureKind.LOCAL_LIMIT: "RATE_LIMIT_EXCEEDED",
    FailureKind.UNAUTHENTICATED: "API_KEY_INVALID",
}


# google.rpc.Code, by the HTTP status that stands for it
_GOOGLE_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def about(report: ErrorReport) -> JsonObject:
    """What no API has a field for: every attempt and why it failed."""
    failure = report.failure
    found: JsonObject = {
        "kind": failure.kind.value,
        "advice": failure.row.advice,
        "decision": report.decision,
        "attempts": [_attempt(outcome) for outcome in report.attempts],
    }
    if failure.retry_after_s is not None:
        found["retry_after_s"] = failure.retry_after_s
    return found


def told(report: ErrorReport) -> str:
    """The message: clients show nothing else, so it names every attempt."""
    return naming_attempts(report.failure.message, report.attempts)


def _attempt(outcome: Outcome) -> JsonObject:
    failure: Failure | None = outcome.failure
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

"""Errors in OpenAI's envelope."""

from __future__ import annotations

from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome
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


def error_object(report: ErrorReport) -> JsonObject:
    """The envelope: the API's own fields, and `understudy` with every attempt and why it failed."""
    failure = report.failure
    about: JsonObject = {
        "kind": failure.kind.value,
        "advice": failure.row.advice,
        "decision": report.decision,
        "attempts": [_attempt(outcome) for outcome in report.attempts],
    }
    if failure.retry_after_s is not None:
        about["retry_after_s"] = failure.retry_after_s
    error = {
        "message": _told(report),
        "type": failure.row.type,
        "param": None,
        "code": _CODES.get(failure.kind, failure.kind.value),
    }
    return {"error": error, "understudy": about}


def _told(report: ErrorReport) -> str:
    """The message: clients show nothing else, so it names every attempt."""
    tried = "; ".join(
        f"{outcome.target}: {outcome.failure.kind.value} ({outcome.failure.message})"
        for outcome in report.attempts
        if outcome.failure is not None
    )
    return f"{report.failure.message} [tried {tried}]" if tried else report.failure.message


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

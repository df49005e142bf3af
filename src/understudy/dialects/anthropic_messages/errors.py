"""Errors in the envelope of this API, whole and inside a stream."""

from __future__ import annotations

from understudy.core.failure import Failure
from understudy.core.outcome import Outcome
from understudy.core.value import JsonObject
from understudy.dialects import ErrorReport
from understudy.dialects._reading import encode
from understudy.framing.sse import write_event


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
    return {
        "type": "error",
        "error": {"type": failure.row.anthropic, "message": _told(report)},
        "request_id": report.decision,
        "understudy": about,
    }


def _told(report: ErrorReport) -> str:
    """The message: clients show nothing else, so it names every attempt."""
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


def report_event(report: ErrorReport) -> bytes:
    """The event that ends a broken stream."""
    return write_event(encode(error_object(report)), b"error")


def stream_error(failure: Failure) -> bytes:
    """The event for an error that the upstream itself reported."""
    error = {"type": failure.row.anthropic, "message": failure.message}
    return write_event(encode({"type": "error", "error": error}), b"error")

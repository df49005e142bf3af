"""Faults by the name of the model: a client that can choose nothing else can still choose what goes wrong.

A name of this list, after anything and a slash or not (`mock-429`, `acme/mock-429`), has its fault strike that one request; every
other name is answered.
"""

from __future__ import annotations

from typing import Any

from understudy.faults import PROBLEMS

_STATUSES = {
    "400": "invalid_request",
    "401": "auth",
    "403": "permission",
    "404": "not_found",
    "413": "payload_too_large",
    "429": "rate_limit",
    "500": "server_error",
    "502": "bad_gateway",
    "503": "unavailable",
    "504": "gateway_timeout",
    "529": "overloaded",
}

_HINTED = {"rate_limit", "token_rate_limit"}


def _error(problem: str) -> Any:
    return {"error_burst": {"problem": problem, **({"retry_after_s": 2.0} if problem in _HINTED else {})}}


MODELS: dict[str, Any] = {
    **{f"mock-{status}": _error(problem) for status, problem in _STATUSES.items()},
    **{f"mock-{problem.replace('_', '-')}": _error(problem) for problem in PROBLEMS},
    "mock-silent": "silence",
    "mock-silent-after-headers": {"silence": {"after": "headers"}},
    "mock-reset": "reset",
    "mock-not-http": {"corrupt_answers": {"how": "not_http"}},
    "mock-html": {"corrupt_answers": {"how": "html"}},
    "mock-broken-json": {"corrupt_answers": {"how": "broken_json"}},
    "mock-wrong-shape": {"corrupt_answers": {"how": "wrong_shape"}},
    "mock-empty": {"corrupt_answers": {"how": "empty"}},
    "mock-mistyped": {"byzantine_answers": {"how": "mistyped"}},
    "mock-foreign": {"byzantine_answers": {"how": "foreign"}},
    "mock-miscounted": {"byzantine_answers": {"how": "miscounted"}},
    "mock-giant": "giant_answers",
    "mock-cut": {"truncated_stream": {"after_chunks": 3}},
    "mock-cut-early": {"truncated_stream": {"after_chunks": 0}},
    "mock-unfinished": {"truncated_stream": {"after_chunks": 3, "how": "unfinished"}},
    "mock-stall": {"stalled_stream": {"after_chunks": 3}},
    "mock-stall-early": {"stalled_stream": {"after_chunks": 0}},
    "mock-error-event": {"in_band_error": {"after_chunks": 3}},
    "mock-error-event-early": {"in_band_error": {"after_chunks": 0}},
    "mock-slow": {"latency": {"headers_s": 2.0, "chunk_s": 0.1}},
    "mock-trickle": "slow_trickle",
}


def fault_of(model: str) -> Any:
    """The fault that a model's name stands for, as a script writes it; None for an ordinary name."""
    return MODELS.get(model.rpartition("/")[2])

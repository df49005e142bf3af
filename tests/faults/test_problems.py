"""Errors as providers word them are read by the router as what they mean, however the hint is spelled."""

from __future__ import annotations

import json

import pytest

from understudy.core.diagnosis import classify_in_band
from understudy.core.failure import FailureKind as K
from understudy.faults import HINTS, PROBLEMS, error_event, error_reply
from understudy.transport.classify import classify

DIALECTS = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
    "ollama_chat",
    "cohere_chat",
    "bedrock_converse",
)
UNTOLD = {("invalid_request", "cohere_chat")}
"""A sentence without a code beside it: only a status says whose fault it is, and a stream has none."""
NOW_UNIX_S = 1_800_000_000.0


def classified(problem: str, dialect: str, retry_after_s: float | None = None, hint: str = "retry_after"):
    reply = error_reply(
        problem,
        dialect,
        model="some-model",
        request_id="req_1",
        wall_s=NOW_UNIX_S,
        retry_after_s=retry_after_s,
        hint=hint,
    )
    headers = {name.encode(): line.encode() for name, line in reply.headers}
    return classify(reply.status, headers, reply.body, now_unix_s=NOW_UNIX_S)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_is_read_as_what_it_means(problem: str, dialect: str) -> None:
    failure = classified(problem, dialect)
    assert failure is not None
    assert failure.kind is PROBLEMS[problem].kind
    assert "{" not in failure.message


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("problem", [name for name, problem in PROBLEMS.items() if not problem.openai.page])
def test_a_problem_inside_a_stream_means_the_same(problem: str, dialect: str) -> None:
    event = json.loads(error_event(problem, dialect, model="some-model", request_id="req_1"))
    meant = K.SERVER_ERROR if (problem, dialect) in UNTOLD else PROBLEMS[problem].kind
    assert classify_in_band(event).kind is meant


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("retry_after_s", [0.174, 1.5, 20.0, 61.25, 40_500.0])
def test_a_hint_is_understood_in_every_spelling(hint: str, dialect: str, retry_after_s: float) -> None:
    """Never earlier than meant, and later by less than the second to which some spellings round."""
    failure = classified("rate_limit", dialect, retry_after_s, hint)
    assert failure is not None
    if hint == "none":
        assert failure.retry_after_s is None
    else:
        assert failure.retry_after_s is not None
        assert retry_after_s - 0.001 <= failure.retry_after_s < retry_after_s + 1.0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_message_of_ones_own_replaces_the_usual_one(dialect: str) -> None:
    reply = error_reply("invalid_request", dialect, model="m", request_id="r", wall_s=0.0, message="{no} template")
    told = json.loads(reply.body)
    error = told.get("error", told)  # two formats say no more than a sentence
    assert (error["message"] if isinstance(error, dict) else error) == "{no} template"

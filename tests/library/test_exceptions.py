"""What exceptions of other people's clients mean: read off the attributes that they share."""

from __future__ import annotations

import anthropic
import httpx2
import openai
import pytest

from understudy.core.failure import FailureKind
from understudy.engine.own_client import classify_exception

REQUEST = httpx2.Request("POST", "http://provider.test/v1")


def answered(kind, status: int, words: str, **headers: str) -> Exception:
    response = httpx2.Response(status, headers=headers, json={"error": {"message": words}}, request=REQUEST)
    return kind(words, response=response, body=None)


class Bare(Exception):
    """As aiohttp has it: the status on the exception."""

    status = 503


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered(openai.RateLimitError, 429, "slow down", **{"retry-after": "7"}), FailureKind.RATE_LIMIT),
        (answered(anthropic.AuthenticationError, 401, "invalid x-api-key"), FailureKind.AUTH),
        (answered(openai.InternalServerError, 500, "boom"), FailureKind.SERVER_ERROR),
        (openai.APITimeoutError(request=REQUEST), FailureKind.ANSWER_TIMEOUT),
        (openai.APIConnectionError(request=REQUEST), FailureKind.CONNECTION_LOST),
        (httpx2.ConnectError("refused"), FailureKind.CONNECTION_LOST),
        (httpx2.ReadTimeout("slow"), FailureKind.ANSWER_TIMEOUT),
        (TimeoutError(), FailureKind.ANSWER_TIMEOUT),
        (ConnectionResetError(), FailureKind.CONNECTION_LOST),
        (Bare("unavailable"), FailureKind.UNAVAILABLE),
    ],
)
def test_failures_of_providers(error, kind) -> None:
    failure = classify_exception(error, now_unix_s=0.0)
    assert failure is not None
    assert failure.kind is kind
    assert failure.message


def test_hints_are_kept() -> None:
    failure = classify_exception(
        answered(openai.RateLimitError, 429, "slow down", **{"retry-after": "7"}), now_unix_s=0.0
    )
    assert failure is not None
    assert failure.retry_after_s == 7


@pytest.mark.parametrize("error", [KeyError("mine"), ValueError("mine"), AssertionError()])
def test_faults_of_the_callers_own(error) -> None:
    assert classify_exception(error, now_unix_s=0.0) is None

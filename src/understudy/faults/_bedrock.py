"""API errors as Bedrock words them: what `_problems` holds for OpenAI and Anthropic, with the class in a header.

The wording follows recorded errors (400s and 403s), public threads (429) and Amazon's own pages
(docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html). What comes from the edge as a web page is the same
for everybody.
"""

from __future__ import annotations

from understudy.core.value import JsonObject, keyword_value
from understudy.faults._hints import Spelled

_CLASSES = "http://internal.amazon.com/coral/com.amazon.bedrock/"


@keyword_value
class BedrockError:
    """A problem as Amazon says it. `exception`: its class."""

    status: int
    exception: str
    message: str


_THROTTLED = "ThrottlingException"
_INVALID = "ValidationException"

BEDROCK: dict[str, BedrockError] = {
    "server_error": BedrockError(
        status=500,
        exception="InternalServerException",
        message="The system encountered an unexpected error during processing. Try your request again.",
    ),
    "overloaded": BedrockError(
        status=429,
        exception="ModelNotReadyException",
        message="The model is not ready for inference. Wait and try your request again.",
    ),
    "rate_limit": BedrockError(
        status=429, exception=_THROTTLED, message="Too many requests, please wait before trying again."
    ),
    "token_rate_limit": BedrockError(
        status=429, exception=_THROTTLED, message="Too many tokens, please wait before trying again."
    ),
    "auth": BedrockError(
        status=403,
        exception="UnrecognizedClientException",
        message="The security token included in the request is invalid.",
    ),
    "expired_token": BedrockError(
        status=403,
        exception="ExpiredTokenException",
        message="The security token included in the request is expired",
    ),
    "insufficient_quota": BedrockError(
        status=403,
        exception="AccessDeniedException",
        message="Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided. Your AWS "
        "Marketplace subscription for this model cannot be completed at this time.",
    ),
    "permission": BedrockError(
        status=403,
        exception="AccessDeniedException",
        message="You don't have access to the model with the specified model ID.",
    ),
    "not_found": BedrockError(status=400, exception=_INVALID, message="The provided model identifier is invalid."),
    "invalid_request": BedrockError(
        status=400,
        exception=_INVALID,
        message="The model returned the following errors: Malformed input request: #/messages/2/content/0: extraneous key "
        "[toolResult] is not permitted, please reformat your input and try again.",
    ),
    "context_length": BedrockError(
        status=400,
        exception=_INVALID,
        message="The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum "
        "length. Please update the input to try again.",
    ),
    "content_filter": BedrockError(
        status=400, exception=_INVALID, message="Output blocked by content filtering policy"
    ),
    "payload_too_large": BedrockError(
        status=413, exception="RequestEntityTooLargeException", message="The request body is too large."
    ),
}


def bedrock_headers(error: BedrockError, request_id: str) -> tuple[tuple[str, str], ...]:
    """The headers of an error, which tell its class."""
    return (
        ("content-type", "application/json"),
        ("x-amzn-requestid", request_id),
        ("x-amzn-errortype", f"{error.exception}:{_CLASSES}"),
    )


def bedrock_envelope(error: BedrockError, spelled: Spelled) -> JsonObject:
    """The body of an error."""
    return {"message": error.message + spelled.words, **(spelled.fields or {})}


def bedrock_event(error: BedrockError) -> JsonObject:
    """The error inside a stream, or under status 200: by its class, which begins in lower case there."""
    name = error.exception[:1].lower() + error.exception[1:]
    return {name: {"message": error.message}}

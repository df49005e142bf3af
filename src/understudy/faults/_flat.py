"""API errors of those that say no more than a sentence: Ollama `{"error": ...}`, Cohere `{"id": ..., "message": ...}`.

The wording is that of Ollama's server (server/sched.go, server/routes.go, llm/server.go) and of its cloud as quoted in public threads;
Cohere's is recorded (404, a prompt that is too long) or stands in its reference (docs.cohere.com/reference/errors).
"""

from __future__ import annotations

from understudy.core.value import JsonObject, keyword_value
from understudy.faults._hints import Spelled

OLLAMA = "ollama_chat"
COHERE = "cohere_chat"


@keyword_value
class Sentence:
    """A problem in one sentence. `code`: the status. `error_type`: what Cohere adds to a few."""

    code: int
    message: str
    error_type: str = ""


_OLLAMA = {
    "server_error": Sentence(
        code=500,
        message="model runner has unexpectedly stopped, this may be due to resource limitations or an internal error",
    ),
    "overloaded": Sentence(code=503, message="server busy, please try again.  maximum pending requests exceeded"),
    "rate_limit": Sentence(code=429, message="too many requests"),
    "token_rate_limit": Sentence(code=429, message="too many requests: token rate limit reached"),
    "insufficient_quota": Sentence(
        code=402, message="payment required: your account has insufficient credits for this model"
    ),
    "auth": Sentence(code=401, message="unauthorized"),
    "permission": Sentence(code=403, message="access denied: this model requires a subscription"),
    "not_found": Sentence(code=404, message="model '{model}' not found"),
    "invalid_request": Sentence(
        code=400,  # what the runner behind the server refused comes as its own envelope inside the sentence (0.34 and later)
        message='{"error":{"code":400,"message":"Failed to parse messages","type":"invalid_request_error"}}',
    ),
    "context_length": Sentence(code=400, message="the input length exceeds the context length"),
    "content_filter": Sentence(code=400, message="the prompt was blocked by the content filter"),
    "payload_too_large": Sentence(code=413, message="http: request body too large"),
}

_COHERE = {
    "server_error": Sentence(code=500, message="internal server error, this is likely an issue on our end"),
    "overloaded": Sentence(code=503, message="the model is overloaded, please try again later"),
    "rate_limit": Sentence(
        code=429,
        message="You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial key for "
        "free or upgrade to a Production key with higher rate limits at 'https://dashboard.cohere.com/api-keys'.",
    ),
    "token_rate_limit": Sentence(
        code=429, message="trial token rate limit exceeded, limit is 100000 tokens per minute"
    ),
    "insufficient_quota": Sentence(
        code=402,
        message="Payment required: please add or update your payment method at https://dashboard.cohere.com/billing",
    ),
    "auth": Sentence(code=401, message="invalid api token"),
    "permission": Sentence(code=403, message="your api key does not have permission to use this model"),
    "not_found": Sentence(
        code=404,
        message="model '{model}' not found, make sure the correct model ID was used and that you have access to the model.",
    ),
    "invalid_request": Sentence(
        code=400, message="invalid request: all elements in the 'messages' list must have a role"
    ),
    "context_length": Sentence(
        code=400,
        message="too many tokens: size limit exceeded by 25836 tokens. Try using shorter or fewer inputs. The limit for this model is "
        "288000 tokens.",
        error_type="TOO_MANY_TOKENS",
    ),
    "content_filter": Sentence(code=422, message="the request was blocked by the content filter"),
    "payload_too_large": Sentence(code=413, message="request body too large"),
}

FLAT: dict[str, dict[str, Sentence]] = {COHERE: _COHERE, OLLAMA: _OLLAMA}
"""Dialect -> problem -> how it is said."""


def flat_envelope(dialect: str, told: Sentence, model: str, request_id: str, spelled: Spelled) -> JsonObject:
    """The body of an error."""
    sentence = told.message.replace("{model}", model) + spelled.words
    if dialect == OLLAMA:
        return {"error": sentence, **(spelled.fields or {})}
    kind = {"error_type": told.error_type} if told.error_type else {}
    return {**kind, "id": request_id, "message": sentence, **(spelled.fields or {})}

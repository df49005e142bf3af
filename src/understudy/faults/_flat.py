"""API errors of those that say no more than a sentence: Ollama `{"error": ...}`.

The wording is that of Ollama's server (server/sched.go, server/routes.go, llm/server.go) and of its cloud as quoted in public threads.
"""

from __future__ import annotations

from understudy.core.value import JsonObject, keyword_value
from understudy.faults._hints import Spelled

OLLAMA = "ollama_chat"


@keyword_value
class Sentence:
    """A problem in one sentence. `code`: the status."""

    code: int
    message: str


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

FLAT: dict[str, dict[str, Sentence]] = {OLLAMA: _OLLAMA}
"""Dialect -> problem -> how it is said."""


def flat_envelope(dialect: str, told: Sentence, model: str, spelled: Spelled) -> JsonObject:  # noqa: ARG001  the others will differ
    """The body of an error."""
    return {"error": told.message.replace("{model}", model) + spelled.words, **(spelled.fields or {})}

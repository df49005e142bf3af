"""API errors as Google words them: what `_problems` holds for OpenAI and Anthropic, in Google's envelope.

The wording follows recorded errors (429 and 404, 400 for a key) and Google's own pages (ai.google.dev/gemini-api/docs/troubleshooting). What
comes from the edge as a web page is the same for everybody.
"""

from __future__ import annotations

from understudy.core.value import JsonObject, keyword_value
from understudy.faults._hints import Spelled

_TYPES = "type.googleapis.com/google.rpc."


@keyword_value
class GoogleError:
    """A problem in Google's envelope. `reason`: of its `ErrorInfo`, "" for none. `quota`: of its `QuotaFailure`, "" for none."""

    code: int
    status: str
    message: str
    reason: str = ""
    quota: str = ""


_SPENT = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: "
    "https://ai.google.dev/gemini-api/docs/rate-limits. "
)

GOOGLE: dict[str, GoogleError] = {
    "server_error": GoogleError(
        code=500, status="INTERNAL", message="An internal error has occurred. Please retry or report it."
    ),
    "overloaded": GoogleError(
        code=503, status="UNAVAILABLE", message="The model is overloaded. Please try again later."
    ),
    "rate_limit": GoogleError(
        code=429,
        status="RESOURCE_EXHAUSTED",
        message=_SPENT + "Quota exceeded for metric: generate_content_requests, limit: 60, model: {model}",
        quota="GenerateRequestsPerMinutePerProjectPerModel",
    ),
    "token_rate_limit": GoogleError(
        code=429,
        status="RESOURCE_EXHAUSTED",
        message=_SPENT
        + "Quota exceeded for metric: generate_content_input_token_count, limit: 1000000, model: {model}",
        quota="GenerateContentInputTokensPerModelPerMinute",
    ),
    "insufficient_quota": GoogleError(
        code=403,
        status="PERMISSION_DENIED",
        message="This API method requires billing to be enabled. Please enable billing on project #mock.",
        reason="BILLING_DISABLED",
    ),
    "auth": GoogleError(
        code=400,
        status="INVALID_ARGUMENT",
        message="API key not valid. Please pass a valid API key.",
        reason="API_KEY_INVALID",
    ),
    "expired_token": GoogleError(
        code=401,
        status="UNAUTHENTICATED",
        message="Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        reason="ACCESS_TOKEN_EXPIRED",
    ),
    "permission": GoogleError(
        code=403,
        status="PERMISSION_DENIED",
        message="The caller does not have permission to use the specified resource.",
    ),
    "not_found": GoogleError(
        code=404,
        status="NOT_FOUND",
        message="models/{model} is not found for API version v1beta, or is not supported for generateContent. Call "
        "ModelService.ListModels to see the list of available models and their supported methods.",
    ),
    "invalid_request": GoogleError(
        code=400,
        status="INVALID_ARGUMENT",
        message="* GenerateContentRequest.contents: contents is not specified",
    ),
    "context_length": GoogleError(
        code=400,
        status="INVALID_ARGUMENT",
        message="The input token count (1150000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "content_filter": GoogleError(
        code=400,
        status="INVALID_ARGUMENT",
        message="The prompt was blocked by the content filter.",
        reason="PROHIBITED_CONTENT",
    ),
    "payload_too_large": GoogleError(
        code=400,
        status="INVALID_ARGUMENT",
        message="Request payload size exceeds the limit: 20971520 bytes.",
    ),
}


def google_envelope(error: GoogleError, model: str, spelled: Spelled) -> JsonObject:
    """The body of an error."""
    details: list[JsonObject] = []
    if error.reason:
        details.append({"@type": _TYPES + "ErrorInfo", "reason": error.reason, "domain": "googleapis.com"})
    if error.quota:
        details.append({"@type": _TYPES + "QuotaFailure", "violations": [{"quotaId": error.quota}]})
    details += (spelled.fields or {}).get("details", [])
    told = {"code": error.code, "message": error.message.format(model=model) + spelled.words, "status": error.status}
    return {"error": {**told, **({"details": details} if details else {})}}

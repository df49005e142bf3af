"""API errors as providers word them: one row a problem, with the body in OpenAI's and in Anthropic's envelope.

Google's stand in `_google`, Amazon's in `_bedrock`, those of one sentence in `_flat`.
The wording follows what the providers document and what is quoted in public threads; the ids are invented.
"""

from __future__ import annotations

import json
from email.utils import formatdate

from understudy.core.failure import FailureKind
from understudy.core.value import JsonObject, keyword_value, value
from understudy.faults._bedrock import BEDROCK, bedrock_envelope, bedrock_event, bedrock_headers
from understudy.faults._flat import FLAT, flat_envelope
from understudy.faults._google import GOOGLE, google_envelope
from understudy.faults._hints import HINTS, Spelled
from understudy.registry import unknown

ANTHROPIC = "anthropic_messages"
GEMINI = "gemini"
CONVERSE = "bedrock_converse"
RESPONSES = "openai_responses"
"""The dialects with an envelope or an event of their own; every other one here gets OpenAI's, as compatible servers send it."""


@keyword_value
class Worded:
    """A problem in one envelope. `type`, `code`, `param`: as its provider sets them. `page`: an HTML body instead, from the edge."""

    status: int
    type: str = ""
    code: str | None = None
    param: str | None = None
    message: str = ""
    page: bool = False


@value
class Problem:
    """One way for an API to say no. `kind`: what it means."""

    kind: FailureKind
    openai: Worded
    anthropic: Worded


@value
class ErrorReply:
    """An error as it goes over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def _page(status: int) -> Worded:
    return Worded(status=status, page=True)


_INVALID = "invalid_request_error"
_K = FailureKind

PROBLEMS: dict[str, Problem] = {
    "server_error": Problem(
        _K.SERVER_ERROR,
        Worded(
            status=500,
            type="server_error",
            message="The server had an error processing your request. Sorry about that! You can retry your request, or contact "
            "us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID "
            "{request_id} in your email.)",
        ),
        Worded(status=500, type="api_error", message="Internal server error"),
    ),
    "bad_gateway": Problem(_K.UNAVAILABLE, _page(502), _page(502)),
    "unavailable": Problem(_K.UNAVAILABLE, _page(503), _page(503)),
    "gateway_timeout": Problem(_K.UNAVAILABLE, _page(504), _page(504)),
    "overloaded": Problem(
        _K.OVERLOADED,
        Worded(
            status=503,
            type="server_error",
            message="That model is currently overloaded with other requests. You can retry your request, or contact us through "
            "our help center at help.openai.com if the error persists. (Please include the request ID {request_id} in your "
            "message.)",
        ),
        Worded(status=529, type="overloaded_error", message="Overloaded"),
    ),
    "rate_limit": Problem(
        _K.RATE_LIMIT,
        Worded(
            status=429,
            type="requests",
            code="rate_limit_exceeded",
            message="Rate limit reached for {model} in organization org-mock on requests per min (RPM): Limit 60, Used 60, "
            "Requested 1.{hint} Visit https://platform.openai.com/account/rate-limits to learn more.",
        ),
        Worded(
            status=429,
            type="rate_limit_error",
            message="This request would exceed the rate limit for your organization (org-mock) of 60 requests per minute.{hint} "
            "For details, refer to: https://docs.anthropic.com/en/api/rate-limits. You can see the response headers for "
            "current usage.",
        ),
    ),
    "token_rate_limit": Problem(
        _K.RATE_LIMIT,
        Worded(
            status=429,
            type="tokens",
            code="rate_limit_exceeded",
            message="Rate limit reached for {model} in organization org-mock on tokens per min (TPM): Limit 30000, Used 29000, "
            "Requested 4000.{hint} Visit https://platform.openai.com/account/rate-limits to learn more.",
        ),
        Worded(
            status=429,
            type="rate_limit_error",
            message="This request would exceed the rate limit for your organization (org-mock) of 30,000 input tokens per "
            "minute.{hint} For details, refer to: https://docs.anthropic.com/en/api/rate-limits.",
        ),
    ),
    "insufficient_quota": Problem(
        _K.INSUFFICIENT_QUOTA,
        Worded(
            status=429,
            type="insufficient_quota",
            code="insufficient_quota",
            message="You exceeded your current quota, please check your plan and billing details. For more information on this "
            "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        ),
        Worded(
            status=400,
            type=_INVALID,
            message="Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
            "purchase credits.",
        ),
    ),
    "auth": Problem(
        _K.AUTH,
        Worded(
            status=401,
            type=_INVALID,
            code="invalid_api_key",
            message="Incorrect API key provided: sk-****mock. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
        ),
        Worded(status=401, type="authentication_error", message="invalid x-api-key"),
    ),
    # Azure's words, Anthropic's for OAuth tokens, and Google's own.
    "expired_token": Problem(
        _K.AUTH,
        Worded(
            status=401,
            code="401",
            message="Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.",
        ),
        Worded(
            status=401,
            type="authentication_error",
            message="OAuth token has expired. Please obtain a new token or refresh your existing token.",
        ),
    ),
    "permission": Problem(
        _K.PERMISSION,
        Worded(
            status=403,
            type="request_forbidden",
            code="unsupported_country_region_territory",
            message="Country, region, or territory not supported",
        ),
        Worded(
            status=403,
            type="permission_error",
            message="Your API key does not have permission to use the specified resource.",
        ),
    ),
    "not_found": Problem(
        _K.NOT_FOUND,
        Worded(
            status=404,
            type=_INVALID,
            code="model_not_found",
            message="The model `{model}` does not exist or you do not have access to it.",
        ),
        Worded(status=404, type="not_found_error", message="model: {model}"),
    ),
    "invalid_request": Problem(
        _K.INVALID_REQUEST,
        Worded(
            status=400,
            type=_INVALID,
            param="messages",
            message="Invalid type for 'messages': expected an array of objects.",
        ),
        Worded(status=400, type=_INVALID, message="messages: Input should be a valid list"),
    ),
    "context_length": Problem(
        _K.CONTEXT_LENGTH,
        Worded(
            status=400,
            type=_INVALID,
            code="context_length_exceeded",
            param="messages",
            message="This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens. Please "
            "reduce the length of the messages.",
        ),
        Worded(status=400, type=_INVALID, message="prompt is too long: 200294 tokens > 200000 maximum"),
    ),
    "content_filter": Problem(
        _K.CONTENT_FILTER,
        Worded(
            status=400,
            code="content_filter",
            param="prompt",
            message="The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please "
            "modify your prompt and retry.",
        ),
        Worded(status=400, type=_INVALID, message="Output blocked by content filtering policy"),
    ),
    "payload_too_large": Problem(
        _K.PAYLOAD_TOO_LARGE,
        Worded(status=413, type=_INVALID, message="Request entity too large"),
        Worded(status=413, type="request_too_large", message="Request exceeds the maximum size"),
    ),
}

_REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


def check_problem(problem: str, *, in_band: bool = False) -> None:
    """Raise `ValueError` for a problem that does not exist, or for a web page where an event is wanted (`in_band`)."""
    if problem not in PROBLEMS:
        raise ValueError(f"`problem`: {unknown('problem', problem, tuple(PROBLEMS))}")
    if in_band and PROBLEMS[problem].openai.page:
        raise ValueError(f"`problem`: {problem!r} is a page from the edge, which never stands inside an answer")


def check_hint(hint: str) -> None:
    """Raise `ValueError` for a spelling that does not exist."""
    if hint not in HINTS:
        raise ValueError(f"`hint`: {unknown('spelling', hint, tuple(HINTS))}")


def error_reply(
    problem: str,
    dialect: str,
    *,
    model: str,
    request_id: str,
    wall_s: float,
    retry_after_s: float | None = None,
    hint: str = "retry_after",
    message: str | None = None,
) -> ErrorReply:
    """The problem as an HTTP answer. `wall_s`: Unix time on the provider's clock, for its date and for hints that are dates. `message`: instead of the usual one."""
    worded = _worded(problem, dialect)
    spelled = HINTS[hint](retry_after_s, wall_s) if retry_after_s is not None else Spelled()
    dated = ("date", formatdate(wall_s, usegmt=True))
    if worded.page:
        title = f"{worded.status} {_REASONS[worded.status]}"
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
        return ErrorReply(worded.status, (("content-type", "text/html"), dated, *spelled.headers), page.encode())
    status, envelope = _told(problem, dialect, model, request_id, spelled)
    if message is not None:
        _reword(envelope, message)
    if dialect == CONVERSE and problem in BEDROCK:
        headers = (*bedrock_headers(BEDROCK[problem], request_id), dated, *spelled.headers)
        return ErrorReply(status, headers, json.dumps(envelope).encode())
    id_header = "request-id" if dialect == ANTHROPIC else "x-request-id"
    headers = (("content-type", "application/json"), dated, (id_header, request_id), *spelled.headers)
    if worded.status in {500, 503, 529} and dialect == ANTHROPIC:
        headers = (*headers, ("x-should-retry", "true"))
    return ErrorReply(status, headers, json.dumps(envelope).encode())


def error_event(problem: str, dialect: str, *, model: str, request_id: str) -> bytes:
    """The problem as the body of an error event inside a stream, or of an error under status 200: JSON."""
    if dialect == CONVERSE:
        return json.dumps(bedrock_event(BEDROCK.get(problem, BEDROCK["server_error"]))).encode()
    _, envelope = _told(problem, dialect, model, request_id, Spelled())
    return json.dumps(
        {"type": "error", "sequence_number": 0, **envelope} if dialect == RESPONSES else envelope
    ).encode()


def _worded(problem: str, dialect: str) -> Worded:
    return PROBLEMS[problem].anthropic if dialect == ANTHROPIC else PROBLEMS[problem].openai


def _told(problem: str, dialect: str, model: str, request_id: str, spelled: Spelled) -> tuple[int, JsonObject]:
    """The status, and the envelope."""
    if dialect == GEMINI and problem in GOOGLE:
        return GOOGLE[problem].code, google_envelope(GOOGLE[problem], model, spelled)
    if (flat := FLAT.get(dialect, {}).get(problem)) is not None:
        return flat.code, flat_envelope(dialect, flat, model, request_id, spelled)
    if dialect == CONVERSE and problem in BEDROCK:
        return BEDROCK[problem].status, bedrock_envelope(BEDROCK[problem], spelled)
    worded = _worded(problem, dialect)
    return worded.status, _envelope(worded, dialect, model, request_id, spelled)


def _reword(envelope: JsonObject, message: str) -> None:
    if isinstance(envelope.get("error"), dict):
        envelope["error"]["message"] = message
    else:
        envelope["error" if "error" in envelope else "message"] = message


def _envelope(worded: Worded, dialect: str, model: str, request_id: str, spelled: Spelled) -> JsonObject:
    message = worded.message.format(model=model, request_id=request_id, hint=spelled.words)
    if "{hint}" not in worded.message:
        message += spelled.words
    fields = spelled.fields or {}
    if dialect == ANTHROPIC:
        return {"type": "error", "error": {"type": worded.type, "message": message, **fields}, "request_id": request_id}
    error = {"message": message, "type": worded.type or None, "param": worded.param, "code": worded.code, **fields}
    return {"error": error}

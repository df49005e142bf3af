"""What providers say when they fail, and what it means: sentences, codes and statuses, as tables.

From recorded traffic, providers' references and public reports, with the obvious sisters of a known spelling. `core.diagnosis`
reads the tables, in the order in which they stand here.
"""

from __future__ import annotations

import re

from understudy.core.failure import FailureKind, Implicates, Then
from understudy.core.value import value


@value
class Diagnosis:
    """What an error means. `scope` and `course`: only where the answer says other than the failure table."""

    kind: FailureKind
    scope: Implicates | None = None
    course: Then | None = None


_K = FailureKind
_D = Diagnosis
OVERSIZE = _D(_K.REQUEST_TOO_LARGE_FOR_LIMIT)
NO_MONEY = _D(_K.INSUFFICIENT_QUOTA)
FILTERED = _D(_K.CONTENT_FILTER)
BAD_CALL = _D(_K.TOOL_USE_FAILED)
TOO_LONG = _D(_K.CONTEXT_LENGTH)
NO_MODEL = _D(_K.NOT_FOUND)
BAD_KEY = _D(_K.AUTH)
FORBIDDEN = _D(_K.PERMISSION)
KEY_BLOCKED = _D(_K.PERMISSION, Implicates.KEY)
PLACE_BLOCKED = _D(_K.PERMISSION, Implicates.PROVIDER)
OVERLOADED = _D(_K.OVERLOADED)
TOO_BIG = _D(_K.PAYLOAD_TOO_LARGE)
LIMITED = _D(_K.RATE_LIMIT)
UNAVAILABLE = _D(_K.UNAVAILABLE)
BROKEN = _D(_K.SERVER_ERROR)
INVALID = _D(_K.INVALID_REQUEST)
UNREADABLE = _D(_K.MALFORMED)
# The request is sound, this target cannot take it: another model may.
UNSUPPORTED = _D(_K.INVALID_REQUEST, course=Then.ELSEWHERE)


@value
class Sentence:
    """A phrase and where it is believed.

    `at`: statuses; 0 stands for none (an error inside a stream or a 200). `stems`: pieces of words of which one stands in
    every text that the phrase fits; looking for them first takes a tenth of the time.
    """

    diagnosis: Diagnosis
    at: frozenset[int]
    stems: tuple[str, ...]
    phrase: re.Pattern[str]

    def fits(self, text: str) -> bool:
        """Whether a text, in lower case, says this."""
        return any(map(text.__contains__, self.stems)) and self.phrase.search(text) is not None


def says(diagnosis: Diagnosis, at: str, stems: str, *phrases: str) -> Sentence:
    """A row: what it means, the statuses (by spaces), the stems (by commas), and regular expressions in lower case."""
    statuses = frozenset(map(int, at.split()))
    return Sentence(diagnosis, statuses, tuple(stems.split(",")), re.compile("|".join(phrases)))


TELLING: tuple[Sentence, ...] = (
    # Before rate limits, whose code it carries: one request larger than the whole window never fits, however long one waits.
    says(
        OVERSIZE, "0 400 413 429", "large",
        r"\brequest too large for\b.{0,300}\b(?:per (?:min|day)|tpm|tpd|limit)",
    ),
    # Quota before rate limit: both come as 429, and waiting does not fill a wallet. Google says "check your plan and
    # billing details" of mere rate limits, so that phrase stands below, after its code.
    says(
        NO_MONEY, "0 400 401 402 403 429", "credit,balance,funds,spend,billing,budget,payment,arrears,good standing,usage limit,key limit",
        r"credit balance is too low",
        r"\b(?:insufficient|no|not enough|out of|run out of|negative) (?:account )?(?:balance|credits?|funds)\b",
        r"\bcredits? (?:are|is|have been|has been) (?:depleted|exhausted|used up)",
        r"used all available credits|doesn't have any credits|requires more credits|never purchased credits",
        r"\b(?:spend|spending|billing|budget) (?:hard )?(?:limit|cap)\b.{0,40}\b(?:reached|exceeded)",
        r"(?:reached|exceeded)\b.{0,40}\b(?:spend|spending|billing|budget) (?:hard )?(?:limit|cap)",
        r"reached your specified (?:api )?usage limits?|exceeded your monthly included credits",
        r"\bbilling\b.{0,40}\b(?:not active|to be enabled|is disabled)|enable billing|payment required",
        r"account is in (?:arrears|good standing)|key limit exceeded|invalid_payment_instrument",
    ),
    # What the caller refers to is gone, not the model: resting the target for it would let one caller stop all.
    says(
        INVALID, "400 404", "found",
        r"\b(?:previous response|(?:response|item|file|container|conversation|thread|batch)s? (?:with )?(?:id|name)|"
        r"vector store|cached ?content|no tool output)\b.{0,160}\bnot found",
        r"\bno (?:response|item|file|container|conversation|thread|vector store|tool output)s? found",
    ),
    says(
        INVALID, "403 404", "permission,cached",
        r"\bpermission to access the (?:file|cached ?content)|\bcached ?content not found",
    ),
    # The caller's own tool server failed, and the provider says so with a status that would blame itself.
    says(INVALID, "400 424 500 502", "mcp", r"\bmcp server\b"),
    says(UNSUPPORTED, "404", "endpoints", r"no endpoints found that (?:support|can)"),
)  # fmt: skip


CODES: tuple[tuple[Diagnosis, str], ...] = (
    (
        FILTERED,
        """content_filter content_filtered content_policy_violation ResponsibleAIPolicyViolation DataInspectionFailed
        prompt_blocked moderation_blocked content_moderation guardrail_intervened sensitive_content_detected cyber_policy""",
    ),
    # The model's own slip, not the caller's: the same request may well succeed.
    (BAD_CALL, "tool_use_failed json_validate_failed output_parse_failed malformed_function_call"),
    (
        TOO_LONG,
        """context_length_exceeded context_window_exceeded ContextWindowExceededError exceed_context_size_error
        too_many_tokens too_many_prompt_tokens model_context_window_exceeded prompt_length_exceeded prompt_too_long
        input_too_long""",
    ),
    (
        NO_MONEY,
        """insufficient_quota billing_error billing_hard_limit_reached billing_not_active BILLING_DISABLED
        insufficient_balance insufficient_credits insufficient_funds INSUFFICIENT_G1_CREDITS_BALANCE
        exceeded_current_quota_error Arrearage payment_required credit_balance_too_low budget_exceeded key_limit_exceeded
        account_balance_insufficient""",
    ),
    (INVALID, "previous_response_not_found"),
    # Thinking that another account sealed: who sealed it, or who takes the conversation without it, may answer.
    (UNSUPPORTED, "invalid_encrypted_content"),
    (
        NO_MODEL,
        """model_not_found ModelNotFoundError DeploymentNotFound not_found_error not_found resource_not_found
        ResourceNotFoundException unknown_model invalid_model invalid_model_id invalid_model_name no_such_model
        model_not_exist model_decommissioned model_deprecated model_not_available endpoint_not_found""",
    ),
    (
        BAD_KEY,
        """authentication_error authentication_failed invalid_api_key API_KEY_INVALID API_KEY_EXPIRED api_key_required
        missing_api_key unauthenticated unauthorized UnauthorizedError invalid_authentication invalid_authentication_error
        invalid_token token_expired ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_TYPE_UNSUPPORTED CREDENTIALS_MISSING
        ACCOUNT_STATE_INVALID authentication_token_expired authentication_token_not_valid ExpiredToken
        ExpiredTokenException UnrecognizedClientException InvalidSignatureException IncompleteSignature
        IncompleteSignatureException MissingAuthenticationToken MissingAuthenticationTokenException invalid_grant
        unauthorized_client invalid_client account_deactivated""",
    ),
    (
        KEY_BLOCKED,
        """CONSUMER_SUSPENDED SERVICE_DISABLED API_KEY_SERVICE_BLOCKED API_KEY_IP_ADDRESS_BLOCKED
        API_KEY_HTTP_REFERRER_BLOCKED organization_restricted organization_disabled account_suspended ip_not_authorized""",
    ),
    (PLACE_BLOCKED, "unsupported_country_region_territory user_location_not_supported"),
    (
        FORBIDDEN,
        """permission_error permission_denied PermissionDeniedError access_denied AccessDeniedException forbidden
        request_forbidden NotAuthorizedException insufficient_permissions model_permission_blocked_org
        model_permission_blocked_project model_terms_required AccessDenied.Unpurchased""",
    ),
    (
        OVERLOADED,
        """overloaded_error overloaded engine_overloaded engine_overloaded_error model_overloaded server_overloaded
        slow_down capacity_exceeded MODEL_CAPACITY_EXHAUSTED NoCapacity ModelNotReadyException queue_exceeded""",
    ),
    (
        TOO_BIG,
        """request_too_large payload_too_large request_entity_too_large content_too_large
        RequestEntityTooLargeException""",
    ),
    (
        LIMITED,
        """rate_limit_exceeded rate_limit_error rate_limited RateLimitReached rate_limit_reached_error rate_limit
        RateLimitExceededError too_many_requests TooManyRequestsException too_many_requests_error Throttling throttled
        ThrottlingException ThrottledError Throttling.RateQuota Throttling.AllocationQuota Throttling.User
        request_quota_exceeded token_quota_exceeded userRateLimitExceeded dailyLimitExceeded RESOURCE_EXHAUSTED
        quotaExceeded ServiceQuotaExceededException limit_requests limit_burst_rate concurrency_limit_exceeded
        usage_limit_reached some_resource_has_been_exhausted""",
    ),
    (
        BROKEN,
        """ModelErrorException ModelStreamErrorException ModelTimeoutException InternalServerException InternalFailure
        timeout_error DEADLINE_EXCEEDED""",
    ),
    (UNAVAILABLE, "ServiceUnavailableException service_unavailable ServiceUnavailableError unavailable_error"),
    # Not of this target: it may well be of another.
    (UNSUPPORTED, "UNIMPLEMENTED not_supported_error unsupported_model unsupported_value unsupported_parameter"),
)
"""In the order of belief: an envelope may hold several, the vaguer ones stand lower. Case and punctuation do not matter."""


SENTENCES: tuple[Sentence, ...] = (
    # The wordings differ at each provider, the meaning never. Also at 500: some local servers choke instead of refusing.
    # "Too many tokens, please wait" is Bedrock's throttling.
    says(
        TOO_LONG, "0 400 413 422 500", "context,long,token,length",
        r"\bcontext (?:length|window|size|limit)\b",
        r"\b(?:prompt|input|request|conversation) (?:is )?too long\b",
        r"\b(?:input|prompt) tokens? (?:count|limit)?\b.{0,60}\bexceed",
        r"\btoo many (?:input |prompt )?tokens\b(?!, please wait)",
        r"\b(?:token limit|max(?:imum)? (?:number of )?tokens) (?:was |has been )?(?:reached|exceeded|allowed)",
        r"\bmaximum (?:prompt|input|sequence) length\b",
        r"\binput length\b.{0,60}\b(?:exceed|should be)|\btokens? in (?:the )?request\b.{0,40}\b(?:more than|exceed)",
        r"\breduce the length of (?:the|your)\b|\btotal tokens limit\b|\btokens \+\s+must be <=",
    ),
    says(
        FILTERED, "0 400 403 422 451", "content,polic,flag,moderat,block",
        r"content management policy|content[- ]filter|responsible ai polic",
        r"\bviolat\w+\b.{0,60}\b(?:usage|content|safety) polic|\bflagged\b.{0,60}\b(?:polic|moderat|violat|unsafe|harm)",
        r"\b(?:input|prompt|request|content|output) (?:was|has been|is) (?:flagged|blocked)|requires moderation",
    ),
    says(
        BAD_CALL, "0 400", "tool,function,json",
        r"tool call validation failed|failed to call a function|failed to (?:generate|validate) json",
    ),
    says(
        TOO_BIG, "0 400", "payload,body,entity,size",
        r"\b(?:request )?(?:payload|body|entity)(?: size)? (?:is )?(?:too large|exceeds)|request exceeds the maximum size",
    ),
    # A key can be wrong at 400 (Google, xAI) and 403; whoever lacks one is told so in many ways.
    says(
        BAD_KEY, "0 400 403", "key,authentication,token",
        r"\b(?:invalid|incorrect|missing|expired|wrong|bad|no)\b.{0,20}\b(?:x-)?(?:api|subscription)[- _]?(?:key|token)\b",
        r"\bapi[- _]?key\b.{0,30}\b(?:not valid|invalid|expired|missing|required|not found|revoked|not provided)",
        r"\binvalid authentication|\bauthentication (?:failed|fails|required)|\bsecurity token\b.{0,60}\b(?:invalid|expired)",
        r"\b(?:access|auth\w*) token\b.{0,30}\b(?:invalid|expired|missing)",
    ),
    says(
        PLACE_BLOCKED, "0 400 403 404 451", "location,country,region,code",
        r"^error code: 10\d\d\b|\blocation is not supported|country, region, or territory",
        r"not (?:available|supported) in your (?:country|region)",
    ),
    says(
        KEY_BLOCKED, "0 400 401 403", "organization,account,project,workspace",
        r"\b(?:organization|account|project|workspace)\b.{0,60}\b(?:disabled|suspended|deactivated|banned)",
    ),
    # At 404 the status says it already; "is not supported" is left to the last, which another model may answer.
    says(
        NO_MODEL, "0 400 422", "model",
        r"\bmodel identifier is invalid|not a valid model|\b(?:unknown|invalid|no such) model\b(?!.{0,20}output)",
        r"\bmodel\b.{0,160}?\b(?:does not exist|not exist|not found|was removed|has been (?:deprecated|removed|"
        r"decommissioned|retired|shut down)|is (?:deprecated|decommissioned|not available|unavailable))",
    ),
    says(
        FORBIDDEN, "0 400 401", "permission,access,verified,terms",
        r"\b(?:not|n't|no) (?:have )?(?:permission|access) to\b|\bpermission denied|\baccess denied(?! due to invalid)",
        r"\bmust be verified\b|terms acceptance",
    ),
    # 403 from gateways that count by address, 503 from servers that know no better.
    says(
        LIMITED, "0 403 503", "rate,too,quota,throttl",
        r"\brate[- ]?limit|too many requests|\bquota\b.{0,40}\b(?:exceeded|exhausted|replenished)|\bthrottl",
        r"too many tokens, please wait|\bexceeded your current quota",
    ),
    says(NO_MONEY, "429", "quota", r"\bexceeded your current quota\b.{0,60}\bbilling"),
    # Not at 429, which is a limit whatever it says; there the words choose the scope instead.
    says(
        OVERLOADED, "0 500 502 503", "load,capacity,demand,traffic,busy",
        r"\boverload|\b(?:at|over|no|out of|exceeded|insufficient)\b.{0,20}\bcapacity\b|\bcapacity (?:exceeded|exhausted)",
        r"\bhigh (?:demand|load|traffic)\b|\b(?:server|model|service|engine)\b.{0,20}\b(?:busy|currently loading)\b",
    ),
    # What this model or this way of calling it lacks: the request is sound, another target may take it.
    says(
        UNSUPPORTED, "0 400 422", "support",
        r"\bmodels?\b.{0,120}?\b(?:does(?: not|n.t)|is(?: not|n.t)|are(?: not|n.t)|do(?: not|n.t)) (?:currently )?support",
        r"\bnot support(?:ed)?\b.{0,80}\b(?:with|by|for|in|on) (?:this|the) (?:specified |requested |provided )?model",
        r"\bdoes not support\b.{0,60}\b(?:tools?|images?|vision|audio|thinking)\b",
    ),
)  # fmt: skip


STATUSES: dict[int, Diagnosis] = {
    400: INVALID,
    401: BAD_KEY,
    402: NO_MONEY,
    403: FORBIDDEN,
    404: NO_MODEL,
    405: NO_MODEL,  # the address takes no POST: it is not the one that the configuration meant
    407: _D(_K.PROXY_FAILED),
    408: BROKEN,  # the provider waited too long, for us or for its model
    409: BROKEN,  # a lock or a conflict inside the provider; both official SDKs repeat it
    410: NO_MODEL,
    413: TOO_BIG,
    422: INVALID,
    423: BROKEN,
    424: BROKEN,  # Bedrock: the model failed
    425: BROKEN,
    429: LIMITED,
    451: PLACE_BLOCKED,
    498: OVERLOADED,  # Groq: no room in the flex tier
    499: BROKEN,  # it believes that we left; we did not
    500: BROKEN,
    501: UNSUPPORTED,
    502: UNAVAILABLE,
    503: UNAVAILABLE,
    504: UNAVAILABLE,
    520: UNAVAILABLE,  # 520 to 527 and 530: Cloudflare could not reach, or not understand, what stands behind it
    521: UNAVAILABLE,
    522: UNAVAILABLE,
    523: UNAVAILABLE,
    524: UNAVAILABLE,
    525: UNAVAILABLE,
    526: UNAVAILABLE,
    527: UNAVAILABLE,
    529: OVERLOADED,
    530: UNAVAILABLE,
    598: UNAVAILABLE,  # 598 and 599: what proxies say when the network behind them was silent
    599: UNAVAILABLE,
}

VAGUE_CODES: tuple[tuple[Diagnosis, str], ...] = (
    (
        INVALID,
        """invalid_request_error invalid_request BadRequestError bad_request INVALID_ARGUMENT ValidationException
        validation_error FAILED_PRECONDITION invalid_prompt""",
    ),
    (UNAVAILABLE, "unavailable"),
)


LIMIT_SCOPES: tuple[Sentence, ...] = (
    # Cloudflare's plain text: it counts by address, whatever key or model.
    says(_D(_K.RATE_LIMIT, Implicates.PROVIDER), "429", "code", r"^error code: 10\d\d\b"),
    says(
        _D(_K.RATE_LIMIT, Implicates.KEY), "0 403 429 503", "account,concurrent,free-models,organization",
        r"\byour account's rate limit|\bconcurrent (?:connections|requests)\b|\bfree-models-per-",
        r"\bper (?:organization|account)\b",
    ),
    # The provider is short of this model for everybody: another key would hear the same.
    says(
        _D(_K.RATE_LIMIT, Implicates.MODEL), "0 403 429 503", "upstream,high demand,capacity,overload,resource exhausted",
        r"\bupstream\b|\bhigh demand\b|\bcapacity\b|\boverload|^resource exhausted",
    ),
)  # fmt: skip
"""Whose limit a rate limit is, where the answer says other than the failure table (this account's for this model)."""

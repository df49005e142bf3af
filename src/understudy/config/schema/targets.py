"""`targets`: one model at one provider, reached with one credential."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from understudy.config.schema.kinds import NUMBER, Count, Positive, Section, Tokens, Word, named, refused
from understudy.config.schema.policy import RetrySection
from understudy.config.schema.price import PriceSection
from understudy.config.secrets import reference_problem
from understudy.credentials import SOURCES, written
from understudy.providers import BadAddress, address
from understudy.registry import BadSettings

_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Written by the router itself, or a way to smuggle a secret past `key`.
_OWN_FIELDS = {
    "accept-encoding", "api-key", "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie",
    "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "x-api-key",
    "x-goog-api-key",
}  # fmt: skip


def _reference(text: str) -> str:
    if wrong := reference_problem(text):
        raise refused(wrong)
    return text


def _key(given: Any) -> Any:
    """`gcp`, or `{gcp: {scope: ...}}`: a source with its settings becomes one reference."""
    if isinstance(given, dict):
        source = named(given)
        if source.name not in SOURCES:
            raise refused(f"there is no source of credentials {source.name!r}; known: {', '.join(SOURCES)}")
        try:
            return written(source.name, source.settings)
        except BadSettings as error:
            raise refused(str(error)) from None
    return given


def _address(text: str) -> str:
    try:
        address(text)
    except BadAddress as error:
        raise refused(str(error)) from None
    return text.rstrip("/")


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, text in given.items():
        if not _FIELD.fullmatch(name):
            raise refused(f"{name!r} is no header name")
        if name.lower() in _OWN_FIELDS:
            raise refused(f"{name} is set by the router itself; a credential is given as `key`")
        if not (text.isascii() and text.isprintable()):
            raise refused(f"the value of {name} must be printable ASCII on one line")
    return given


def _space(given: Any) -> Any:
    if given is None or isinstance(given, bool) or (isinstance(given, str) and 1 <= len(given) <= 256):
        return given
    raise refused("must be true, or the name of a vector space")


Weight = Annotated[float, Field(ge=0, le=1_000_000), NUMBER]
Score = Annotated[float, Field(ge=0, le=1), NUMBER]
Reference = Annotated[str, BeforeValidator(_key), AfterValidator(_reference)]
Address = Annotated[str, AfterValidator(_address)]
Space = Annotated[bool | str, BeforeValidator(_space)]
Feature = Literal[
    "audio", "documents", "images", "json_schema", "logprobs", "many", "reasoning", "stored", "tools", "video"
]


class LimitsSection(Section):
    """Your own bounds for one target, shared out among the workers; the provider's limits hold besides."""

    rpm: Positive | None = Field(default=None, description="Requests per minute.")
    tpm: Positive | None = Field(default=None, description="Tokens per minute, in and out.")
    in_flight: Count | None = Field(default=None, description="Requests at the same time.")
    adaptive: bool = Field(
        default=False,
        description="Learn how many requests at the same time the target takes before they only wait for each other; `in_flight` "
        "is then the most that is tried.",
    )


class TargetSection(Section):
    """One model at one provider, reached with one credential. A provider's own settings stand beside these."""

    provider: Word = Field(description="Whose it is: a name of the providers reference.")
    model: Word | None = Field(
        default=None, description="As that provider calls it. A local server that lists its models may tell it itself."
    )
    base_url: Address | None = Field(default=None, description="Where it is; by default the provider's own address.")
    key: Reference | None = Field(
        default=None,
        description="Where the credential is: env:NAME, file:PATH, or a source of tokens by its name, as in gcp, aws:PROFILE or "
        "{entra: {tenant: ...}}. By default the provider's usual variable.",
    )
    api: Word | None = Field(
        default=None,
        description="Which of the provider's wire formats to use. By default the caller's own where the provider speaks it, "
        "else the provider's first.",
    )
    local: bool | None = Field(
        default=None, description="Whether it runs beside the router; by default as the provider does."
    )
    priority: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=1, description="For the strategy `priority`: lower comes first."
    )
    weight: Weight = Field(default=1.0, description="For the balancer `weighted`.")
    limits: LimitsSection = Field(default=LimitsSection(), description="Your own bounds.")
    price: PriceSection | None = Field(
        default=None, description="What it costs; by default as the catalogue has it, unknown where that has nothing."
    )
    retry: RetrySection | None = Field(default=None, description="Instead of the policy's.")
    context_tokens: Tokens | None = Field(
        default=None, description="The model's context window; by default as the catalogue has it."
    )
    max_output_tokens: Tokens | None = Field(
        default=None, description="The longest answer it gives; by default as the catalogue has it."
    )
    embeds: Space | None = Field(
        default=None,
        description="For an embedding model: the name of its vector space, or true where that is the model's own name. Targets of one "
        "space stand in for each other, and `model` may name it.",
    )
    lacks: list[Feature] = Field(
        default=[], description="What it cannot do; written, even as [], it stands instead of what the catalogue says."
    )
    region: Word | None = Field(
        default=None,
        description="Where it is computed, in a word of your own (eu, de, on-site), for `policy.regions`. Never guessed from an address.",
    )
    probe: Literal["off", "models", "request"] | None = Field(
        default=None, description="How it is seen whether it is back; by default as `health.probe` says."
    )
    same_as: Word | None = Field(
        default=None,
        description="Which model it is, by the name that equal ones share; for a deployment whose name does not say it.",
    )
    maker: Word | None = Field(default=None, description="Who trained the model.")
    family: Word | None = Field(default=None, description="What the model descends from, such as claude-sonnet.")
    tier: Literal["flagship", "balanced", "efficient", "specialised"] | None = Field(
        default=None, description="Where its maker places it."
    )
    quality: Score | None = Field(
        default=None, description="How good its answers are, all in all, 0 to 1; unknown without."
    )
    scores: dict[Word, Score] = Field(
        default={}, description="The same by what is asked of it, such as reasoning, coding or creativity."
    )
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default={}, description="Headers sent with every request to it."
    )

"""What may be written in a configuration, section by section, and what it becomes.

Every model is strict (no word is a number, no number is a word) and closed (an unknown key is an error). Descriptions are
the reference: `docs/generate.py` prints them. Defaults are those of the core's values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from understudy.config.secrets import reference_problem
from understudy.config.text import Real, finite
from understudy.core.failure import FailureKind
from understudy.core.health.probing import Health
from understudy.core.policy import BreakerSettings, Hedge, Policy, Retry, Timeouts
from understudy.core.route import Named
from understudy.core.target import Probe
from understudy.credentials import SOURCES, written
from understudy.providers import BadAddress, address
from understudy.registry import BadSettings
from understudy.transport.proxy import Proxy
from understudy.transport.settings import ClientSettings, ServerSettings

PICO_PER_DOLLAR_A_MILLION = 1_000_000
DAY_S = 86_400.0


def refused(message: str) -> PydanticCustomError:
    """A problem in our own words. Braces would be read as a template."""
    return PydanticCustomError("understudy", "{message}", {"message": message})


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=False)


# Kinds of values


def _number(given: Any) -> Any:
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        number = float(given)
        if not finite(number):
            raise refused("must be a finite number")
        return number
    return given


def _pico(given: Any) -> int:
    """Dollars per million tokens as whole pico-dollars per token, through the decimal digits that were written."""
    if isinstance(given, bool) or not isinstance(given, (int, Real)):
        raise refused("must be a number: dollars per million tokens")
    try:
        dollars = Decimal(given.text if isinstance(given, Real) else given)
        scaled = dollars * PICO_PER_DOLLAR_A_MILLION if dollars.is_finite() else Decimal(-1)
    except InvalidOperation:
        raise refused("must be a number: dollars per million tokens") from None
    if not 0 <= scaled <= 10**18:
        raise refused("must be dollars per million tokens, from 0 up")
    if scaled != scaled.to_integral_value():
        raise refused("has more than six decimals: finer than any price is counted here")
    return int(scaled)


def _named(given: Any) -> Named:
    """`name`, or `{name: {setting: value}}`."""
    if isinstance(given, str):
        return Named(given, {})
    if isinstance(given, dict) and len(given) == 1:
        [(name, settings)] = given.items()
        if settings is None or isinstance(settings, dict):
            return Named(name, plain(settings or {}))
    raise refused("must be a name, or a name with its settings: {name: {setting: value}}")


def plain(given: Any) -> Any:
    """The same with ordinary floats, for those who take only these."""
    if isinstance(given, dict):
        return {name: plain(value) for name, value in given.items()}
    if isinstance(given, list):
        return [plain(value) for value in given]
    return float(given) if isinstance(given, Real) else given


def _reference(text: str) -> str:
    if wrong := reference_problem(text):
        raise refused(wrong)
    return text


def _key(given: Any) -> Any:
    """`gcp`, or `{gcp: {scope: ...}}`: a source with its settings becomes one reference."""
    if isinstance(given, dict):
        named = _named(given)
        if named.name not in SOURCES:
            raise refused(f"there is no source of credentials {named.name!r}; known: {', '.join(SOURCES)}")
        try:
            return written(named.name, named.settings)
        except BadSettings as error:
            raise refused(str(error)) from None
    return given


def _address(text: str) -> str:
    try:
        address(text)
    except BadAddress as error:
        raise refused(str(error)) from None
    return text.rstrip("/")


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def name_problem(text: str) -> str | None:
    """What is wrong with the name of a target, route or principal: it travels in headers and in `model`."""
    if _NAME.fullmatch(text):
        return None
    return "a name is 1 to 64 of A-Z a-z 0-9 . _ : - and begins with a letter or digit (a slash parts provider/model)"


_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Written by the router itself, or a way to smuggle a secret past `key`.
_OWN_FIELDS = {
    "accept-encoding", "api-key", "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie",
    "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "x-api-key",
    "x-goog-api-key",
}  # fmt: skip


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, text in given.items():
        if not _FIELD.fullmatch(name):
            raise refused(f"{name!r} is no header name")
        if name.lower() in _OWN_FIELDS:
            raise refused(f"{name} is set by the router itself; a credential is given as `key`")
        if not (text.isascii() and text.isprintable()):
            raise refused(f"the value of {name} must be printable ASCII on one line")
    return given


def _proxy(text: str) -> str:
    try:
        Proxy.parse(text)
    except ValueError as error:
        raise refused(str(error)) from None
    return text


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise refused('must be the SHA-256 of the key in hex, 64 digits: printf %s "$KEY" | sha256sum')
    return text.lower()


def _space(given: Any) -> Any:
    if given is None or isinstance(given, bool) or (isinstance(given, str) and 1 <= len(given) <= 256):
        return given
    raise refused("must be true, or the name of a vector space")


NUMBER = BeforeValidator(_number)
Seconds = Annotated[float, Field(gt=0, le=DAY_S), NUMBER]
Wait = Annotated[float, Field(ge=0, le=DAY_S), NUMBER]
Share = Annotated[float, Field(gt=0, le=1), NUMBER]
Score = Annotated[float, Field(ge=0, le=1), NUMBER]
Jitter = Annotated[float, Field(ge=0, le=1), NUMBER]
Growth = Annotated[float, Field(ge=1, le=100), NUMBER]
Weight = Annotated[float, Field(ge=0, le=1_000_000), NUMBER]
Positive = Annotated[float, Field(gt=0), NUMBER]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000_000)]
Rate = Annotated[int, BeforeValidator(_pico), WithJsonSchema({"type": "number", "minimum": 0})]
Word = Annotated[str, Field(min_length=1, max_length=256)]
Space = Annotated[bool | str, BeforeValidator(_space)]
Reference = Annotated[str, BeforeValidator(_key), AfterValidator(_reference)]
Address = Annotated[str, AfterValidator(_address)]
NamedEntry = Annotated[Named, BeforeValidator(_named)]
Feature = Literal[
    "audio", "documents", "images", "json_schema", "logprobs", "many", "reasoning", "stored", "tools", "video"
]
TierName = Literal["primary", "secondary", "emergency", "local"]
Say = Literal["complexity", "deadline-ms", "labels", "route", "session", "strategy"]


class RetrySection(Section):
    """When the same target is asked again: once no other eligible one is left in the tier."""

    kind: Literal["exponential", "linear", "none"] = Field(
        default="exponential", description="How delays grow: initial x multiplier^k, initial x (k + 1), or never again."
    )
    max: int = Field(default=Retry().max, ge=0, le=100, description="Repeats per target and request.")
    initial_s: Wait = Field(default=Retry().initial_s, description="The first delay.")
    multiplier: Growth = Field(default=Retry().multiplier, description="Growth of an exponential delay.")
    max_s: Wait = Field(default=Retry().max_s, description="No delay is longer.")
    jitter: Jitter = Field(
        default=Retry().jitter, description="By which share a delay is lengthened or shortened at random."
    )

    def value(self) -> Retry:
        """The policy's part. `kind: none` is no repeats."""
        given = self.model_dump()
        return Retry(**(given | {"max": 0} if self.kind == "none" else given))


class TimeoutsSection(Section):
    """Bounds on one attempt."""

    connect_s: Seconds = Field(default=Timeouts().connect_s, description="Until the connection stands, TLS included.")
    headers_s: Seconds = Field(default=Timeouts().headers_s, description="Until the headers of a streamed answer.")
    first_content_s: Seconds = Field(
        default=Timeouts().first_content_s, description="From the start until a stream's first content."
    )
    idle_s: Seconds = Field(
        default=Timeouts().idle_s, description="Between two signs of progress in a stream; pings are none."
    )
    answer_s: Seconds = Field(default=Timeouts().answer_s, description="A whole answer that is not streamed.")

    def value(self, deadline_s: float) -> Timeouts:
        """The policy's part. What was not written is no longer than the deadline."""
        return Timeouts(
            **{
                name: bound_s if name in self.model_fields_set else min(bound_s, deadline_s)
                for name, bound_s in self.model_dump().items()
            }
        )


_B = BreakerSettings()


class BreakerSection(Section):
    """When a target's breaker opens on this route, and how it closes again."""

    failures: Count = Field(
        default=_B.failures, description="Opens on so many in a row, or on so many in the window (see share)."
    )
    window_s: Seconds = Field(default=_B.window_s, description="How long a failure counts.")
    share: Share = Field(
        default=_B.share, description="Failures in the window open it when they are this share of the last ones."
    )
    last: Count = Field(default=_B.last, description="How many last outcomes `share` and `error_rate` look at.")
    recovery_s: Seconds = Field(default=_B.recovery_s, description="How long it stays open before test requests.")
    half_open: Count = Field(default=_B.half_open, description="Test requests let through.")
    successes: Count = Field(default=_B.successes, description="Successes among them that close it.")
    ramp_s: Wait = Field(
        default=_B.ramp_s,
        description="After it closed: how long until the target has its whole share of the traffic again; 0: at once.",
    )
    error_rate: Share | None = Field(
        default=None, description="Opens also when this share of the outcomes in the window failed."
    )
    slow_ms: Positive | None = Field(
        default=None, description="An outcome with its first content later than this counts as a failure."
    )
    counts: dict[str, bool] = Field(
        default={},
        description="Kinds of failure that count, or not, against the failure table's own word: {rate_limit: false}.",
    )

    def value(self) -> BreakerSettings:
        """The policy's part. Defaults that were not written follow what was."""
        given = self.model_dump()
        if "successes" not in self.model_fields_set:
            given["successes"] = min(self.successes, self.half_open)
        if "last" not in self.model_fields_set:
            given["last"] = max(self.last, self.failures)
        given["counts"] = tuple((FailureKind(kind), counted) for kind, counted in sorted(self.counts.items()))
        return BreakerSettings(**given)


class HedgeSection(Section):
    """A second attempt at another target beside one that is slow; whichever has content first is the answer."""

    quantile: Share = Field(
        default=Hedge().quantile,
        description="An attempt is hedged when it takes longer than this share of the target's own ones did, once 30 are known.",
    )
    after_s: Seconds | None = Field(default=None, description="Hedge after this time instead of a learned one.")
    share: Share = Field(default=Hedge().share, description="Hedges per attempt, at most.")

    def value(self) -> Hedge:
        """The policy's part."""
        return Hedge(**self.model_dump())


_P = Policy()


class CascadeSection(Section):
    """Cheap targets that are asked first, side by side; their answer is kept when it will do, else the route goes on."""

    ask: Annotated[list[Word], Field(min_length=1, max_length=4)] = Field(
        description="Targets of this route, at the same time. The first one's answer is kept where a gate judges."
    )
    gate: Word | dict[str, Any] | None = Field(
        default=None,
        description="A file that `understudy train --drafts` wrote. Without one, two answers must agree.",
    )
    field: Word | None = Field(
        default=None, description="The member of a JSON answer that is compared (`result.label`); all of it by default."
    )
    quality: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="The share of the strong target's quality to keep, for the gate; its own by default."
    )
    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.5, description="Of the request's time: drafts that are not complete by then are failures."
    )


class PolicySection(Section):
    """How hard one request may try."""

    deadline_s: Seconds = Field(
        default=_P.deadline_s, description="Bound on the whole request: waits, retries and fallbacks."
    )
    attempts_max: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=_P.attempts_max, description="Attempts of the whole request; `static` and `stale_cache` are free."
    )
    wait_max_s: Wait = Field(
        default=_P.wait_max_s, description="The longest wait for a recovery while no target is eligible."
    )
    retry: RetrySection = Field(default=RetrySection(), description="Asking the same target again.")
    timeouts: TimeoutsSection = Field(default=TimeoutsSection(), description="Bounds on one attempt.")
    breaker: BreakerSection = Field(default=BreakerSection(), description="Circuit breakers of this route's targets.")
    hedge: HedgeSection | None = Field(
        default=None,
        description="Ask a second target when the first is slower than usual; `{}` for the defaults. The loser may be billed.",
    )
    cascade: CascadeSection | None = Field(
        default=None,
        description="Ask cheap targets first and keep their answer when it will do. All of them are billed.",
    )
    elsewhere_when_filtered: bool = Field(
        default=_P.elsewhere_when_filtered,
        description="Try other targets when a provider's content policy refuses the prompt; by default that is the answer.",
    )
    strict: bool = Field(
        default=_P.strict,
        description="Refuse a target rather than drop anything of a request that may change the answer.",
    )
    mix_spaces: bool = Field(
        default=_P.mix_spaces,
        description="Let texts be embedded by targets of other vector spaces than the route's first; the answer says which.",
    )
    regions: list[Word] = Field(
        default=[],
        description="Only targets whose `region` is one of these words are asked, in every tier; empty: wherever they are.",
    )
    leave_early: bool = Field(
        default=_P.leave_early,
        description="Ask others first while a target is getting worse, before its breaker opens; whatever the strategy.",
    )

    def value(self) -> Policy:
        """The core's policy."""
        return Policy(
            deadline_s=self.deadline_s,
            attempts_max=self.attempts_max,
            wait_max_s=self.wait_max_s
            if "wait_max_s" in self.model_fields_set
            else min(self.wait_max_s, self.deadline_s),
            retry=self.retry.value(),
            timeouts=self.timeouts.value(self.deadline_s),
            breaker=self.breaker.value(),
            hedge=None if self.hedge is None else self.hedge.value(),
            strict=self.strict,
            elsewhere_when_filtered=self.elsewhere_when_filtered,
            mix_spaces=self.mix_spaces,
            regions=tuple(self.regions),
            leave_early=self.leave_early,
        )


class RouteSection(Section):
    """What a caller asks for by name."""

    tiers: dict[TierName, list[Word]] = Field(
        description="Targets by tier, in the order of trying: primary, secondary, emergency, local. "
        "Emergency is degraded always, local when another tier stands before it."
    )
    strategy: NamedEntry = Field(
        default=Named("failover", {}), description="What makes one target better than another."
    )
    balancer: NamedEntry = Field(default=Named("least_in_flight", {}), description="Who comes first among equals.")
    policy: PolicySection = Field(default=PolicySection(), description="How hard a request may try.")


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


class RatesSection(Section):
    """Dollars per million tokens, exact to six decimals. A class without a rate of its own takes that of input or output."""

    input: Rate = Field(description="Tokens read.")
    output: Rate = Field(description="Tokens written.")
    cache_read: Rate | None = Field(default=None, description="Tokens read from the provider's cache.")
    cache_write: Rate | None = Field(
        default=None, description="Tokens written to it, where one rate holds for all life times."
    )
    cache_write_5m: Rate | None = Field(default=None, description="Tokens written to it for five minutes.")
    cache_write_1h: Rate | None = Field(default=None, description="Tokens written to it for an hour.")
    reasoning: Rate | None = Field(default=None, description="Thinking tokens.")
    audio: Rate | None = Field(default=None, description="Audio tokens, where one rate holds both ways.")
    audio_in: Rate | None = Field(default=None, description="Audio tokens read.")
    audio_out: Rate | None = Field(default=None, description="Audio tokens written.")


class LongerSection(RatesSection):
    """What a long request costs, all of it."""

    above: Tokens = Field(description="From how many tokens read on, exclusive.")


class PriceSection(RatesSection):
    """Dollars per million tokens, exact to six decimals. A class without a rate of its own takes that of input or output."""

    longer: list[LongerSection] = Field(default=[], description="Other prices of longer requests, the shortest first.")


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


class PrincipalSection(Section):
    """Someone who may ask, with a key of their own. Without principals the data plane is open, on loopback only."""

    name: Word = Field(description="Its name in reports.")
    key_sha256: Annotated[str, AfterValidator(_digest)] = Field(description="SHA-256 of its key, in hex.")
    routes: list[Word] | None = Field(default=None, description="What it may ask for, by name; by default everything.")
    may: list[Say] = Field(
        default=["complexity", "deadline-ms", "labels", "route", "session", "strategy"],
        description="Which x-understudy- headers it may send.",
    )


class RuleSection(Section):
    """When something holds of a request, something else about its routing changes. Rules apply to whatever is asked for."""

    name: Word = Field(description="Its name in reports, and for switching it.")
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = Field(
        default=100, description="Lower comes first; the first rule to settle something settles it."
    )
    when: dict[str, Any] = Field(
        default={}, description="Conditions, all of which must hold; `any: [...]` and `not: {...}` put them together."
    )
    then: dict[str, Any] = Field(description="What changes.")
    enabled: bool = Field(
        default=True, description="Whether it is in force; it can be switched while the gateway runs."
    )


_C, _S = ClientSettings(), ServerSettings()
Bytes = Annotated[int, Field(ge=1024, le=2**32)]


class TransportSection(Section):
    """How providers are reached."""

    ca_file: Word | None = Field(default=None, description="Certificates (PEM) trusted beside the system's.")
    cert_file: Word | None = Field(
        default=None, description="Our own certificate (PEM), where a provider asks for one."
    )
    key_file: Word | None = Field(default=None, description="Its private key, unless it stands in cert_file.")
    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        default=None,
        description="An HTTP proxy, http://host:port; by default that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
    )
    no_proxy: list[Word] = Field(
        default=[], description="Hosts, .domains and networks reached without it; loopback always is."
    )
    connections_max: Count = Field(default=_C.connections_max, description="Connections to one provider, per worker.")
    answer_max_bytes: Bytes = Field(default=_C.answer_max_bytes, description="A whole answer, after decompression.")


class ServerSection(Section):
    """What the data plane takes in."""

    connections_max: Count = Field(default=_S.connections_max, description="Clients' connections, per worker.")
    body_max_bytes: Bytes = Field(default=_S.body_max_bytes, description="One request's body.")
    bodies_max_bytes: Bytes = Field(default=_S.bodies_max_bytes, description="All bodies held at once, per worker.")
    idle_s: Seconds = Field(default=_S.idle_s, description="A connection without a request is closed after this.")


_H = Health()


class HealthSection(Section):
    """How targets are watched besides by what becomes of requests."""

    interval_s: Seconds = Field(
        default=_H.interval_s,
        description="The longest between two probes of a target whose breaker is open; the first ones come sooner.",
    )
    probe: Literal["off", "models", "request"] = Field(
        default="models",
        description="How a target is probed that says nothing of it: by its list of models where its provider gives that away, by a "
        "small `request`, which is billed, or not at all.",
    )
    idle_s: Seconds | None = Field(
        default=None, description="A target that nobody asked for so long is probed too; by default nobody looks at it."
    )
    alarms: bool = Field(
        default=_H.alarms,
        description="Look for changes for the worse at every target. Where a route's strategy, balancer or `leave_early` reads that it is "
        "done anyway.",
    )
    window: Annotated[int, Field(ge=10, le=100_000)] = Field(
        default=_H.window, description="Of how many of its latest attempts a target's record is made, at most."
    )

    def value(self) -> Health:
        """The configuration's part."""
        return Health(**(self.model_dump() | {"probe": Probe(self.probe)}))


class CatalogueSection(Section):
    """What is taken from the catalogue of models where a target does not say it. `understudy check` shows every figure and its source."""

    use: bool = Field(default=True, description="Whether anything is.")
    prices: Literal["catalogue", "configuration"] = Field(
        default="catalogue",
        description="Where prices are from: `configuration` takes only those that are written, and every other one is unknown.",
    )
    models: bool = Field(
        default=False,
        description="Whether every model that it lists at a provider of yours can be asked for, as `provider/model` or by its own name, with "
        "the key of that provider's first target. Whoever may ask for any name may then ask for the dearest.",
    )
    file: Word | None = Field(
        default=None,
        description="A snapshot made by `understudy models refresh`, instead of the one that is shipped; relative to this file.",
    )


# Sections whose models hold more than one thing, in the order of the reference.
SECTIONS: Mapping[str, type[Section]] = {
    "targets": TargetSection,
    "routes": RouteSection,
    "rules": RuleSection,
    "principals": PrincipalSection,
    "transport": TransportSection,
    "server": ServerSection,
    "health": HealthSection,
    "catalogue": CatalogueSection,
}

# Known words whose feature does not exist yet: a section that does nothing must not look as if it did.
NOT_YET: Mapping[str, str] = {
    "budgets": "budgets",
    "cache": "answer caches beside the provider `stale_cache`",
    "experiments": "experiments",
    "objectives": "objectives and alerts",
    "privacy": "masking of personal data",
    "state_dir": "state on disk, everything is kept in memory",
    "store": "a store, records are kept in memory",
    "telemetry": "telemetry export",
}

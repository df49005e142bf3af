"""A target: one model at one provider, reached with one credential."""

from __future__ import annotations

from enum import StrEnum

from understudy.core.catalogue.profile import UNKNOWN, Profile
from understudy.core.money import Price
from understudy.core.policy import Retry
from understudy.core.request import Operation
from understudy.core.value import JsonObject, keyword_value


@keyword_value
class Limits:
    """The operator's own bounds for one target, above 0; None: unbounded. `rpm`: requests per minute. `tpm`: tokens per minute.

    `adaptive`: learn how many the target takes at the same time; `in_flight` is then the most that is ever tried.
    """

    rpm: float | None = None
    tpm: float | None = None
    in_flight: int | None = None
    adaptive: bool = False


class Probe(StrEnum):
    """How it is seen whether a target is back."""

    OFF = "off"
    MODELS = "models"  # its list of models, or that one's entry: free, and no more than a sign of life
    REQUEST = "request"  # a small request: billed, and the thing itself


@keyword_value
class Target:
    """One place that may answer.

    `provider`: a name of the providers registry. `model`: as that provider calls it, "" while nobody knows (its server
    has not told yet). `base_url`: where it is; for the OpenAI
    family it ends in `/v1`. `dialects`: the wire formats it speaks, preferred first. `key`: a reference to the credential
    (`env:NAME`, `file:PATH`, or a source of tokens such as `gcp`), never the secret itself. `stand_in`: needs no provider (`static`, `stale_cache`): free of the
    attempt budget, and its answers are always labelled degraded. `context_tokens`: the model's window. `lacks`: features
    (see `core.request.FEATURES`) that it is known not to have; `lacks_in_translation`: those that its wire format cannot carry for
    callers of another one. `embeds`: the vector space of an embedding model, which then does nothing else; None for a model that
    chats. Vectors of equal names can be compared, others cannot. `region`: where it is computed, in the operator's own word, None
    where nobody said. `counts`: the wire formats in which it counts tokens. `probe`: None for the way of every target. `settings`:
    the provider entry's own fields.
    """

    name: str
    provider: str
    model: str
    base_url: str = ""
    dialects: tuple[str, ...] = ()
    key: str | None = None
    priority: int = 1
    weight: float = 1.0
    limits: Limits = Limits()
    price: Price | None = None
    profile: Profile = UNKNOWN
    retry: Retry | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    lacks: tuple[str, ...] = ()
    lacks_in_translation: tuple[str, ...] = ()
    local: bool = False
    stand_in: bool = False
    embeds: str | None = None
    region: str | None = None
    counts: tuple[str, ...] = ()
    probe: Probe | None = None
    settings: JsonObject | None = None

    def offers(self, operation: Operation) -> bool:
        """Whether it can be asked for that."""
        if operation is Operation.COUNT:
            return bool(self.counts)
        return (self.embeds is not None) == (operation is Operation.EMBED)

    @property
    def fingerprint(self) -> tuple[str, str, str, str]:
        """What makes it the same target after a change of the configuration: its standing survives by this."""
        return (self.provider, self.base_url, self.model, self.key or "")

    @property
    def key_is_issued(self) -> bool:
        """Whether its credential is handed out for a while by a source, instead of being kept in a variable or file."""
        return self.key is not None and not self.key.startswith(("env:", "file:"))

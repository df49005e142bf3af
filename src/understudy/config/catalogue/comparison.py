"""Where the catalogue and `genai-prices` disagree about a price. Needs the extra `prices`; nothing that carries traffic imports it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from understudy.config.catalogue import Catalogue
from understudy.core.money import Price
from understudy.core.value import value

# Our providers -> theirs, where the names differ.
_NAMES = {"bedrock": "aws", "gemini": "google", "vertex": "google", "xai": "x-ai"}
_RATES = (
    ("input", "input_mtok"),
    ("output", "output_mtok"),
    ("cache_read", "cache_read_mtok"),
    ("cache_write_5m", "cache_write_mtok"),
)
_PICO = 1_000_000


@value
class Difference:
    """One rate of one model, pico-dollars per token, as the two have it."""

    provider: str
    model: str
    rate: str
    ours: int
    theirs: int


@value
class Comparison:
    """`compared`: models that both price. `unknown`: models whose price the catalogue alone has."""

    compared: int
    unknown: int
    differences: tuple[Difference, ...]


def compare(catalogue: Catalogue, providers: tuple[str, ...]) -> Comparison:
    """Every price of these providers of ours against what `genai-prices` has today. Models out of service are left out."""
    snapshot = get_snapshot()
    now = datetime.now(UTC)
    compared = unknown = 0
    found: list[Difference] = []
    for provider in providers:
        theirs_name = _NAMES.get(provider, provider)
        for sheet in catalogue.sheets_of(provider)[:1]:
            for name, model in catalogue.sheet(sheet).items():
                if model.price is None or model.status == "deprecated":
                    continue
                try:
                    _, theirs = snapshot.find_provider_model(name, None, theirs_name, None)
                except LookupError:
                    unknown += 1
                    continue
                compared += 1
                found += _differences(provider, name, model.price, theirs.get_prices(now))
    return Comparison(compared, unknown, tuple(found))


def _differences(provider: str, name: str, ours: Price, theirs: Any) -> Iterator[Difference]:
    """Rates that both have, and that are not the same."""
    for mine, other in _RATES:
        rate, told = getattr(ours, mine), _plain(getattr(theirs, other))
        if rate is not None and told is not None and rate != told:
            yield Difference(provider, name, mine, rate, told)


def _plain(given: Decimal | TieredPrices | None) -> int | None:
    """Pico-dollars per token; of a price in steps the first."""
    dollars = given.base if isinstance(given, TieredPrices) else given
    return None if dollars is None else int((dollars * _PICO).to_integral_value())

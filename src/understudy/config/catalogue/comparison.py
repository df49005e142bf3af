"""Where the catalogue and `genai-prices` disagree about a price. Needs the extra `prices`; nothing that carries traffic imports it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

from understudy.config.catalogue import Catalogue
from understudy.core.catalogue.tier import blended
from understudy.core.money import Price
from understudy.core.target import Target
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
class Priced:
    """A price to be compared. `provider`: ours."""

    provider: str
    model: str
    price: Price


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
    """`compared`: models that both price. `unknown`: models that `genai-prices` does not know."""

    compared: int
    unknown: int
    differences: tuple[Difference, ...]


def listed_prices(catalogue: Catalogue, providers: Iterable[str]) -> Iterator[Priced]:
    """Every price that the catalogue has of these providers of ours. Models out of service are left out."""
    for provider in providers:
        for sheet in catalogue.sheets_of(provider)[:1]:
            for name, model in catalogue.sheet(sheet).items():
                if model.price is not None and model.status != "deprecated":
                    yield Priced(provider, name, model.price)


def used_prices(targets: Iterable[Target]) -> Iterator[Priced]:
    """The prices by which these targets are booked, wherever they are from. What costs nothing here has no other opinion."""
    for target in targets:
        if target.dialects and target.price is not None and blended(target.price):
            yield Priced(target.provider, target.model, target.price)


def compare(prices: Iterable[Priced]) -> Comparison:
    """These prices against what `genai-prices` has today."""
    snapshot = get_snapshot()
    now = datetime.now(UTC)
    compared = unknown = 0
    found: list[Difference] = []
    for one in prices:
        try:
            _, theirs = snapshot.find_provider_model(one.model, None, _NAMES.get(one.provider, one.provider), None)
        except LookupError:
            unknown += 1
            continue
        compared += 1
        found += _differences(one, theirs.get_prices(now))
    return Comparison(compared, unknown, tuple(found))


def _differences(one: Priced, theirs: Any) -> Iterator[Difference]:
    """Rates that both have, and that are not the same."""
    for mine, other in _RATES:
        rate, told = getattr(one.price, mine), _plain(getattr(theirs, other))
        if rate is not None and told is not None and rate != told:
            yield Difference(one.provider, one.model, mine, rate, told)


def _plain(given: Decimal | TieredPrices | None) -> int | None:
    """Pico-dollars per token; of a price in steps the first."""
    dollars = given.base if isinstance(given, TieredPrices) else given
    return None if dollars is None else int((dollars * _PICO).to_integral_value())

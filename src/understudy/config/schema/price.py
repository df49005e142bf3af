"""`price` of a target: dollars per million tokens, kept as whole pico-dollars per token."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from understudy.config.schema.kinds import Section, Tokens, refused
from understudy.config.text import Real

PICO_PER_DOLLAR_A_MILLION = 1_000_000


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


Rate = Annotated[int, BeforeValidator(_pico), WithJsonSchema({"type": "number", "minimum": 0})]


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

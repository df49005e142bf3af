"""What of a target can be weighed before any request comes: its price and quality on the common scale, and its place in a hash."""

from __future__ import annotations

from understudy.core.dice import Dice, label_of
from understudy.core.money import PICO_PER_NANO, Price
from understudy.core.scales import UNKNOWN_QUALITY, dear
from understudy.core.target import Target
from understudy.core.value import value

LONG = 10_000
"""Tokens up to which nobody charges more for length: whoever has fewer need not ask `Traits.of`."""

SHAPES = 16
"""Into how many steps the share of the answer in a request's tokens is divided: a price's loss is read off a table."""

FREE = (0.0,) * (SHAPES + 1)
UNPRICED = (1.0,) * (SHAPES + 1)


@value
class Traits:
    """`input`, `output`, `cache_read`: nano-dollars per token, None where the price is unknown (a local target without one is free).

    `dear`: the loss of its price by shape, see `shape`; the whole when the price is unknown. `quality`: 0 to 1, None when unknown;
    `poor`: its loss, the middle when unknown. `label`: 64 bits that belong to its name. `equivalent`: the same model as the first
    target of its tier, as far as profiles tell. `longer`: the same for requests of more than `longer_above` tokens, which cost more.
    """

    input: float | None
    output: float | None
    cache_read: float | None
    dear: tuple[float, ...]
    quality: float | None
    poor: float
    label: int
    equivalent: bool
    longer: Traits | None = None
    longer_above: int = 0

    def of(self, tokens_in: int) -> Traits:
        """The traits for a request of that length."""
        traits = self
        while traits.longer is not None and tokens_in > traits.longer_above:
            traits = traits.longer
        return traits


def traits_of(target: Target, same_as: str | None) -> Traits:
    """A target's traits. `same_as`: the model that the tier is after, None when nobody knows that they are the same."""
    return _priced(target, target.price, same_as)


def _priced(target: Target, price: Price | None, same_as: str | None) -> Traits:
    profile = target.profile
    quality = profile.quality
    rates: tuple[float | None, float | None, float | None] = (None, None, None)
    by_shape = UNPRICED
    if price is not None:
        rates = (
            price.input / PICO_PER_NANO,
            price.output / PICO_PER_NANO,
            price.rate("cache_read") / PICO_PER_NANO,
        )
        steps = range(SHAPES + 1)
        by_shape = tuple([dear(price.input + (price.output - price.input) * step / SHAPES) for step in steps])
    elif target.local:
        rates, by_shape = (0.0, 0.0, 0.0), FREE
    return Traits(
        *rates,
        by_shape,
        quality,
        1.0 - (UNKNOWN_QUALITY if quality is None else quality),
        Dice(label_of(target.name)).next(),
        same_as is not None and profile.same_as == same_as,
        None if price is None or price.longer is None else _priced(target, price.longer, same_as),
        0 if price is None else price.longer_above,
    )


def shape(tokens_in: int, tokens_out: int) -> int:
    """The step that the answer's share of a request's tokens falls on."""
    total = tokens_in + tokens_out
    return (SHAPES * tokens_out + total // 2) // total if total else 0

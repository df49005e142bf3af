"""Money as integers: rates in pico-dollars per token, amounts in nano-dollars.

One dollar per million tokens is 1,000,000 pico-dollars per token, so every published price is a whole number. An amount is
rounded once per attempt, half to even. An unknown price gives an unknown cost (None), never 0.
"""

from __future__ import annotations

from understudy.core.usage import CLASSES, Usage
from understudy.core.value import keyword_value

PICO_PER_NANO = 1000
NANO_PER_DOLLAR = 1_000_000_000


@keyword_value
class Price:
    """Rates by token class, pico-dollars per token.

    A class without a rate of its own takes `input`'s or `output`'s, as providers bill it. `input` and `output` are required:
    a price that lacks one of them is no price. `longer`: what a request costs instead, all of it, once it reads more than
    `longer_above` tokens; that one may have a longer one too.
    """

    input: int
    output: int
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    longer: Price | None = None
    longer_above: int = 0

    def rate(self, token_class: str) -> int:
        """Pico-dollars for one token of a class."""
        own: int | None = getattr(self, token_class)
        if own is not None:
            return own
        return self.output if token_class in ("output", "reasoning", "audio_out") else self.input


_RARER = tuple(name for name in CLASSES if name not in ("input", "output"))


def cost_nusd(usage: Usage | None, price: Price | None) -> int | None:
    """Nano-dollars for what was used; None when price or usage is unknown."""
    if usage is None or price is None:
        return None
    while price.longer is not None and usage.prompt > price.longer_above:
        price = price.longer
    pico = usage.input * price.input + usage.output * price.output
    if usage.total != usage.input + usage.output:  # rarer classes: looked up by name
        for name in _RARER:
            count: int = getattr(usage, name)
            if count:
                pico += count * price.rate(name)
    whole, rest = divmod(pico, PICO_PER_NANO)
    half = PICO_PER_NANO // 2
    return whole + (rest > half or (rest == half and whole % 2 == 1))


def dollars(nusd: int) -> str:
    """An amount for readers: `$0.000123456` without trailing zeros."""
    sign, nusd = ("-", -nusd) if nusd < 0 else ("", nusd)
    whole, rest = divmod(nusd, NANO_PER_DOLLAR)
    digits = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole}.{digits}"

"""One scale for unlike things: money, time and failures as losses from 0 (as good as it gets) to 1.

Each loss belongs to one target alone and is measured against fixed anchors, never against the other candidates: whoever leaves a
tier changes nothing about the order of those who stay.
"""

from __future__ import annotations

from math import log10

CHEAPEST = 20_000.0
"""Pico-dollars per token (2 cents per million) that lose nothing, like what is free; ten times as much loses a quarter more."""

FASTEST_MS = 100.0
"""A time that loses nothing; ten times as long loses a third more, so that 100 s lose everything."""

UNKNOWN_QUALITY = 0.5
"""What an unknown quality counts for where it must be weighed against something: the middle, which nobody claims to be true."""

TOKENS_OUT = 300
"""The length of an answer when nothing is known of it: every candidate is asked the same, so a wrong one misleads little."""


def dear(pico_per_token: float) -> float:
    """The loss of a price."""
    return min(1.0, log10(pico_per_token / CHEAPEST) / 4.0) if pico_per_token > CHEAPEST else 0.0


def slow(ms: float) -> float:
    """The loss of a time."""
    return min(1.0, log10(ms / FASTEST_MS) / 3.0) if ms > FASTEST_MS else 0.0


def time_ms(loss: float) -> float:
    """The time of which that is the loss, 100 ms at least."""
    found: float = FASTEST_MS * 10.0 ** (3.0 * loss)
    return found


def tokens_out(max_tokens: int | None) -> int:
    """How long an answer to expect: a caller's bound is far above what most answers take."""
    return TOKENS_OUT if max_tokens is None or max_tokens > TOKENS_OUT else max(max_tokens, 0)

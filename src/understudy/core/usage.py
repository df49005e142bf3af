"""What an answer used, in token classes that never overlap."""

from __future__ import annotations

from dataclasses import fields

from understudy.core.value import value


@value
class Usage:
    """Tokens by disjoint class: their sum is what was processed, each class has one price.

    `input`: read, not from a cache and not audio. `cache_read`: read from the provider's cache. `cache_write_5m`,
    `cache_write_1h`: written to it, by life time (a provider that does not say: 5m). `output`: written, visible text and tool
    calls. `reasoning`: written, hidden or shown thinking. `audio_in`, `audio_out`: audio tokens.
    `estimated`: the provider sent none (or a figure that failed its sanity check), so the numbers are ours.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
    estimated: bool = False

    @property
    def total(self) -> int:
        """All tokens of all classes."""
        return (
            self.input
            + self.output
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.reasoning
            + self.audio_in
            + self.audio_out
        )

    @property
    def prompt(self) -> int:
        """Everything read or cached: what OpenAI calls prompt_tokens."""
        return self.input + self.cache_read + self.cache_write_5m + self.cache_write_1h + self.audio_in

    @property
    def completion(self) -> int:
        """Everything written: what OpenAI calls completion_tokens."""
        return self.output + self.reasoning + self.audio_out


CLASSES: tuple[str, ...] = tuple(field.name for field in fields(Usage) if field.name != "estimated")
